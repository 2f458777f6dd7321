"""What the tests share: one Neo4j a session, emptied before each test that asks for it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import settings
from pydantic import SecretStr

from neo4j_align.config import Connection

if TYPE_CHECKING:
    from neo4j_align.store.database import Database


PATIENCE = 600  # seconds for a server to start: a busy machine takes minutes
WATCH = """
import sys
from pathlib import Path
from neo4j_align.store.embedded import EmbeddedServer
sys.stdin.read()  # until whoever holds the other end has ended
EmbeddedServer(Path(sys.argv[1])).stop()
"""
settings.register_profile("whatever else runs on the machine", deadline=None)
settings.load_profile("whatever else runs on the machine")


def pytest_configure() -> None:
    """A run that is told to end, by a job's time limit say, takes its servers with it, as after Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ.update(RAY_memory_monitor_refresh_ms="0")  # a Ray of the tests kills nothing for what others take
    pd.options.mode.string_storage = "python"  # as where there is no pyarrow, which came here with Ray Train


@contextlib.contextmanager
def stopped_with_us(home: Path) -> Iterator[None]:
    """Stop a server where this process is killed before it could, as those of pytest-xdist are after Ctrl-C."""
    watch = [sys.executable, "-c", WATCH, str(home)]
    with subprocess.Popen(watch, stdin=subprocess.PIPE, start_new_session=True) as process:
        yield
    assert process.returncode == 0, "the server did not stop"


@pytest.fixture(scope="session")
def neo4j_connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """The server that NEO4J_ALIGN_TEST_URI names, else an embedded one of this session's own."""
    if uri := os.environ.get("NEO4J_ALIGN_TEST_URI"):
        yield Connection(
            uri=uri,
            username=os.environ.get("NEO4J_ALIGN_TEST_USERNAME", "neo4j"),
            password=SecretStr(os.environ.get("NEO4J_ALIGN_TEST_PASSWORD", "")),
        )
        return
    from neo4j_align.store.embedded import EmbeddedServer

    server = EmbeddedServer(home=tmp_path_factory.mktemp("neo4j"), patience=PATIENCE)
    with stopped_with_us(server.home):
        try:
            yield server.start()
        finally:
            server.stop()


@pytest.fixture
def database(neo4j_connection: Connection) -> Iterator[Database]:
    """An opened database, emptied: no nodes, no constraints, no indexes but the two it is born with."""
    from neo4j_align.store.database import Database

    with Database.open(neo4j_connection) as opened:
        empty(opened)
        yield opened


def empty(database: Database) -> None:
    """Leave no nodes, no constraints, and no indexes but the two that a database is born with."""
    for constraint in database.read("SHOW CONSTRAINTS YIELD name"):
        database.write(f"DROP CONSTRAINT `{constraint['name']}`")
    for index in database.read("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name"):
        database.write(f"DROP INDEX `{index['name']}`")
    while database.write("MATCH (n) WITH n LIMIT 20000 DETACH DELETE n RETURN count(*) AS deleted")[0]["deleted"]:
        pass
