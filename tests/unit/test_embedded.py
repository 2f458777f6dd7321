"""The embedded server's life, with a small script in Java's place; the real one is in integration/."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import re
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

from neo4j_align.cli import main
from neo4j_align.errors import DatabaseError, ServerError
from neo4j_align.store import embedded, jars, process
from neo4j_align.store.database import Database
from neo4j_align.store.embedded import EmbeddedServer
from neo4j_align.store.jars import Jar, ensure_jars

# Listens where its home says, unless it is wished worse.
FAKE_SERVER = """
import pathlib, signal, socket, sys, time
_, _, home, wish = sys.argv
if wish == "die":
    sys.exit("disk full\\n\\tat some.java.Frame")
if wish == "ignore":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if wish != "hang":
    port = pathlib.Path(home.removeprefix("--home-dir="), "port").read_text()
    listener = socket.create_server(("127.0.0.1", int(port)))
time.sleep(600)
"""


def spawn_fake(home: Path, *_: object, wish: str = "") -> psutil.Process:
    command = [sys.executable, "-c", FAKE_SERVER, process.MAIN_CLASS, f"--home-dir={home}", wish]
    (home / "logs").mkdir(parents=True, exist_ok=True)
    with (home / "logs" / "console.log").open("wb") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log)
    found = psutil.Process(child.pid)
    child.returncode = 0
    return found


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedServer]:
    monkeypatch.setattr(embedded, "ensure_jars", lambda cache, report: cache)
    monkeypatch.setattr(embedded, "set_initial_password", lambda uri, password: None)
    monkeypatch.setattr(Database, "open", lambda connection: contextlib.nullcontext())
    monkeypatch.setattr(process, "spawn", spawn_fake)
    server = EmbeddedServer(home=tmp_path / "home", cache=tmp_path / "cache", patience=60)
    yield server
    server.stop()


def pid(server: EmbeddedServer) -> int:
    found = process.find(server.home)
    assert found is not None
    return found.pid


def test_start_finds_the_running_server(server: EmbeddedServer) -> None:
    first = server.start()
    running = pid(server)
    assert server.start() == first
    assert pid(server) == running
    assert server.status().running
    assert server.status().uri == first.uri


def test_the_password_is_ours_alone_and_stays(server: EmbeddedServer) -> None:
    password = server.start().password
    assert stat.S_IMODE(server.password_file.stat().st_mode) == 0o600
    assert len(password.get_secret_value()) == 32
    server.stop()
    assert server.start().password == password


def test_the_port_stays_while_it_is_free(server: EmbeddedServer) -> None:
    uri = server.start().uri
    server.stop()
    assert server.start().uri == uri
    server.stop()
    with socket.create_server(("127.0.0.1", int(uri.rsplit(":", 1)[1]))):
        assert server.start().uri != uri


def test_a_wanted_port_is_taken_or_refused(server: EmbeddedServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServerError, match=f"Port {port} is taken"):
            server.start(port)
    assert server.start(port).uri == f"bolt://127.0.0.1:{port}"


def test_a_server_that_dies_is_told_with_its_log(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "spawn", functools.partial(spawn_fake, wish="die"))
    with pytest.raises(ServerError, match="died as it started") as raised:
        server.start()
    assert "disk full" in str(raised.value)
    assert "Frame" not in str(raised.value)
    assert not server.status().running


def test_a_failed_start_leaves_nothing_behind(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "spawn", functools.partial(spawn_fake, wish="hang"))
    server.patience = 1
    with pytest.raises(ServerError, match="did not answer within 1 s"):
        server.start()
    assert process.find(server.home) is None


def test_a_server_that_hangs_is_replaced(server: EmbeddedServer) -> None:
    hanging = spawn_fake(server.home, wish="hang")
    while process.find(server.home) is None:  # its command line shows a moment after its pid
        pass
    server.start()
    assert pid(server) != hanging.pid
    assert not hanging.is_running()


def test_a_server_that_will_not_stop_is_killed(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "spawn", functools.partial(spawn_fake, wish="ignore"))
    monkeypatch.setattr(process, "STOP_SECONDS", 0.5)
    server.start()
    assert server.stop()
    assert not server.status().running


def test_a_server_that_refuses_us_is_told(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(uri: str, password: object) -> None:
        raise DatabaseError("Neo4j refuses the password.")

    monkeypatch.setattr(embedded, "set_initial_password", refuse)
    server.patience = 1
    with pytest.raises(ServerError, match="refuses the password"):
        server.start()


def test_an_interrupted_start_leaves_nothing_behind(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(uri: str, password: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(embedded, "set_initial_password", interrupt)
    with pytest.raises(KeyboardInterrupt):
        server.start()
    assert process.find(server.home) is None


@pytest.mark.parametrize("content", ["", "not a port", "70000000"])
def test_a_spoilt_port_file_is_mended(server: EmbeddedServer, content: str) -> None:
    server.start()
    killed = pid(server)
    (server.home / "port").write_text(content)
    assert not server.status().running
    server.start()
    assert pid(server) != killed
    assert server.status().running


def test_a_lost_password_is_told(server: EmbeddedServer) -> None:
    server.start()
    server.stop()
    (server.home / "data" / "databases").mkdir()
    server.password_file.unlink()
    with pytest.raises(ServerError, match=r"password .* is lost"):
        server.start()


def test_a_home_that_cannot_be_written_is_told(server: EmbeddedServer) -> None:
    server.home.write_text("a file is here")
    with pytest.raises(ServerError, match="Check the rights"):
        server.start()
    server.home.unlink()


def test_two_starts_at_once_make_one_server(server: EmbeddedServer) -> None:
    others = [EmbeddedServer(server.home, server.cache) for _ in range(3)]
    threads = [threading.Thread(target=other.start) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    marks = [p for p in psutil.process_iter() if f"--home-dir={server.home}" in _command(p)]
    assert len(marks) == 1


def _command(candidate: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return candidate.cmdline()
    return []


def test_the_server_of_another_home_is_let_be(server: EmbeddedServer, tmp_path: Path) -> None:
    other = EmbeddedServer(tmp_path / "home-2", server.cache)
    other.start()
    server.start()
    assert server.stop()
    assert other.status().running
    assert other.stop()


def test_stop_without_a_server(server: EmbeddedServer) -> None:
    assert not server.stop()
    server.start()
    assert server.stop()
    assert not server.stop()
    assert not server.status().running


def test_before_the_first_start(server: EmbeddedServer) -> None:
    assert server.logs() == []
    assert server.status() == embedded.Status(None, "neo4j", server.home / "password", running=False)
    with pytest.raises(ServerError, match="server start"):
        server.connection()


def test_the_home_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_ALIGN_HOME", str(tmp_path / "elsewhere"))
    assert EmbeddedServer().home == tmp_path / "elsewhere"


def test_without_the_extra_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    monkeypatch.delitem(sys.modules, "neo4j_align.store.embedded")
    with pytest.raises(ServerError, match=re.escape("pip install 'neo4j-align[server]'")):
        importlib.import_module("neo4j_align.store.embedded")


# --- the jars


@pytest.fixture
def small_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three jars whose content is their coordinate; returns the coordinates as they are downloaded."""
    downloads: list[str] = []

    def download(jar: Jar, cache: Path, repositories: object) -> Path:
        downloads.append(jar.coordinate)
        path = cache / "fetched.jar"
        path.write_text(jar.coordinate)
        return path

    coordinates = ["a.b:server:1", "a.b:native:1:linux-x86_64", "org.neo4j.procedure:apoc:2"]
    lock = tmp_path / "small.lock"
    lock.write_text("".join(f"{hashlib.sha256(c.encode()).hexdigest()} {c}\n" for c in coordinates))
    monkeypatch.setattr(jars, "LOCK", lock)
    monkeypatch.setattr(jars, "_download", download)
    return downloads


def silent(what: str, done: int, of: int) -> None:
    pass


def test_the_lock_holds_the_wanted_versions_once() -> None:
    lines = [line.split() for line in jars.LOCK.read_text().splitlines()]
    assert {*jars.SERVER, *jars.APOC} <= {coordinate for _, coordinate in lines}
    assert all(re.fullmatch("[0-9a-f]{64}", sha256) for sha256, _ in lines)
    assert len({Jar(coordinate, sha256).path for sha256, coordinate in lines}) == len(lines) > 200


def test_jars_are_fetched_once(tmp_path: Path, small_lock: list[str]) -> None:
    reports: list[tuple[str, int, int]] = []
    folder = ensure_jars(tmp_path, lambda *report: reports.append(report))
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.jar"))
    assert names == ["lib/native-1-linux-x86_64.jar", "lib/server-1.jar", "plugins/apoc-2.jar"]
    assert reports == [("Fetching Neo4j", done, 3) for done in (1, 2, 3)]
    assert ensure_jars(tmp_path, silent) == folder
    assert len(small_lock) == 3


def test_a_killed_fetch_goes_on_where_it_stopped(tmp_path: Path, small_lock: list[str]) -> None:
    folder = ensure_jars(tmp_path, silent)
    (folder / "lib" / "server-1.jar").unlink()
    (folder / "partial" / "tmp").mkdir(parents=True)
    small_lock.clear()
    ensure_jars(tmp_path, silent)
    assert small_lock == ["a.b:server:1"]
    assert not (folder / "partial").exists()


def test_what_is_not_the_expected_file_is_fetched_again(
    tmp_path: Path, small_lock: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt: set[str] = set()
    honest = jars._download

    def spoil_once(jar: Jar, cache: Path, repositories: Any) -> Path:
        path = honest(jar, cache, repositories)
        if jar.coordinate not in spoilt:
            spoilt.add(jar.coordinate)
            path.write_text("half of i")
        return path

    monkeypatch.setattr(jars, "_download", spoil_once)
    folder = ensure_jars(tmp_path, silent)
    assert (folder / "lib" / "server-1.jar").read_text() == "a.b:server:1"
    assert len(small_lock) == 6


@pytest.mark.parametrize("error", [OSError("no route to host"), RuntimeError("not found in repositories")])
def test_no_network_is_told(
    tmp_path: Path, small_lock: list[str], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> Path:
        raise error

    monkeypatch.setattr(jars, "_download", fail)
    with pytest.raises(ServerError, match=f"{error}.*Check the network"):
        ensure_jars(tmp_path, silent)
    assert not list(tmp_path.rglob("*.jar"))


# --- the commands


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["server", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("command", ["start", "stop", "status", "logs"])
def test_help_has_an_example(command: str) -> None:
    assert f"neo4j-align server {command}" in invoke(command, "--help")


def test_exports_can_be_read_by_a_shell(server: EmbeddedServer) -> None:
    script = invoke("start", "--env", "--home", str(server.home))
    script += 'echo "$NEO4J_URI|$NEO4J_USERNAME|$(cat "$NEO4J_PASSWORD_FILE")"'
    told = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    connection = server.connection()
    assert told == f"{connection.uri}|neo4j|{connection.password.get_secret_value()}"


def test_the_password_is_never_printed(server: EmbeddedServer) -> None:
    home = str(server.home)
    printed = invoke("start", "--home", home) + invoke("status", "--home", home)
    printed += invoke("status", "--json", "--home", home) + invoke("logs", "--home", home)
    assert server.connection().uri in printed
    assert server.connection().password.get_secret_value() not in printed


def test_a_failure_exits_with_1_and_the_remedy(server: EmbeddedServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        result = CliRunner().invoke(main, ["server", "start", "--home", str(server.home), "--port", port])
    assert result.exit_code == 1
    assert "is taken" in result.stderr
