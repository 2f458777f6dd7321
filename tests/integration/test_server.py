"""The embedded Neo4j itself, in five starts; the edge cases of its life are in unit/test_embedded.py."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from neo4j_align.errors import DatabaseError
from neo4j_align.store import process
from neo4j_align.store.database import Database
from neo4j_align.store.embedded import EmbeddedServer
from tests.conftest import PATIENCE, stopped_with_us

COMMAND = [sys.executable, "-c", "from neo4j_align.cli import main; main()", "server"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A server of this module's own, since its tests kill it; it knows one film."""
    server = EmbeddedServer(tmp_path_factory.mktemp("server"), patience=PATIENCE)
    with stopped_with_us(server.home):
        try:
            with Database.open(server.start()) as database:
                database.write("CREATE (:Film {title: 'Alien'})")
            yield server
        finally:
            server.stop()


def java(server: EmbeddedServer) -> psutil.Process:
    found = process.find(server.home)
    assert found is not None
    return found


def films(server: EmbeddedServer) -> int:
    with Database.open(server.connection()) as database:
        return int(database.read("MATCH (f:Film) RETURN count(f) AS films")[0]["films"])


def run(server: EmbeddedServer, *arguments: str) -> str:
    command = [*COMMAND, *arguments, "--home", str(server.home)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_it_listens_on_the_loopback_address_only(server: EmbeddedServer) -> None:
    listening = [c for c in java(server).net_connections() if c.status == psutil.CONN_LISTEN]
    addresses = {connection.laddr.ip.removeprefix("::ffff:") for connection in listening}
    assert addresses == {"127.0.0.1"}


@pytest.mark.parametrize("password", ["neo4j", "guess"])
def test_it_asks_for_the_password_that_it_made(server: EmbeddedServer, password: str) -> None:
    with pytest.raises(DatabaseError, match="password"):
        Database.open(server.connection().model_copy(update={"password": SecretStr(password)}))


def test_apoc_core_and_extended_are_in_place(server: EmbeddedServer) -> None:
    with Database.open(server.connection()) as database:
        assert database.read("RETURN apoc.text.clean('A-b') AS text") == [{"text": "ab"}]
        assert database.read("CALL apoc.custom.list()") == []


def test_the_commands_tell_the_same(server: EmbeddedServer) -> None:
    before = java(server).pid
    expected = {
        "uri": server.connection().uri,
        "username": "neo4j",
        "password_file": str(server.password_file),
        "running": True,
    }
    assert json.loads(run(server, "start", "--json")) == expected
    assert json.loads(run(server, "status", "--json")) == expected
    assert java(server).pid == before
    assert f"neo4j-align server start --home {server.home} --env" in run(server, "status")
    assert "Started." in run(server, "logs", "--lines", "100")


def test_a_killed_server_starts_again_with_its_data(server: EmbeddedServer) -> None:
    uri = server.connection().uri
    victim = java(server)
    victim.kill()
    victim.wait(timeout=60)
    assert not server.status().running
    assert server.start().uri == uri
    assert films(server) == 1


def test_a_stopped_server_starts_again_with_its_data(server: EmbeddedServer) -> None:
    assert server.stop()
    assert not server.stop()
    assert json.loads(run(server, "stop", "--json"))["running"] is False
    assert json.loads(run(server, "start", "--json"))["running"] is True
    assert films(server) == 1


def test_a_start_that_was_killed_halfway_is_taken_up(server: EmbeddedServer) -> None:
    server.stop()
    starting = subprocess.Popen([*COMMAND, "start", "--home", str(server.home)])
    deadline = time.monotonic() + 300
    while (half_started := process.find(server.home)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    starting.send_signal(signal.SIGKILL)
    starting.wait()
    assert not server.status().running
    server.start()
    assert java(server).pid == half_started.pid
    assert films(server) == 1


def test_a_port_that_somebody_takes_before_the_server_does_is_given_up(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the choice and Neo4j's start lie seconds, and any connection may get the port meanwhile."""
    server.stop()
    prepare = server._prepare
    taken: list[socket.socket] = []

    def prepared(jars: Path, port: int) -> None:
        prepare(jars, port)
        if not taken:
            taken.append(socket.create_server(("127.0.0.1", port)))

    monkeypatch.setattr(server, "_prepare", prepared)
    try:
        assert server.start().uri != f"bolt://127.0.0.1:{taken[0].getsockname()[1]}"
        assert films(server) == 1
    finally:
        taken[0].close()
