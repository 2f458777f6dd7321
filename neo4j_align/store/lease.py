"""A lease in the database: one holder at a time, who shows by a heartbeat that it lives.

A holder that stalled cannot do harm when it wakes: what it writes is fenced by its token (`runs.py`), and time is the
database's, so that no two clocks need agree.
"""

from __future__ import annotations

import contextlib
import getpass
import logging
import os
import re
import secrets
import socket
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from neo4j_align.errors import AlignError, LeaseError
from neo4j_align.store import queries
from neo4j_align.store.database import Database, Execute

log = logging.getLogger(__name__)
SECONDS = 30  # after its last heartbeat a holder is taken for dead
BEATS = 3  # in that time
_PROCESS = secrets.token_hex(4)  # tells this process from an earlier one with its number, as in a restarted container


def actor() -> str:
    """Return who acts, for people: the user and machine of this process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def renew(execute: Execute, name: str, token: str) -> bool:
    """Say in a transaction that the holder of a lease lives; false where another has it, until the commit."""
    return bool(execute(queries.load("leases/renew").text, name=name, token=token, seconds=SECONDS))


class Lease:
    """Holds the lease `name` for `purpose` while it is entered.

    Raises:
        LeaseError: Another holder is alive.
    """

    def __init__(self, database: Database, name: str, purpose: str) -> None:
        self.token = secrets.token_hex(8)
        self._database = database
        self._name, self._purpose = name, purpose
        self._ended = threading.Event()
        self._beating = threading.Thread(target=self._beat, name=f"lease {name}", daemon=True)

    def __enter__(self) -> Lease:
        self._database.write(queries.load("schema/ensure_lease_constraint").text)
        self._acquire()
        self._beating.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._beating.join()
        with contextlib.suppress(AlignError):  # it runs out by itself
            self._database.write(queries.load("leases/release").text, name=self._name, token=self.token)

    def _acquire(self) -> None:
        """Take the lease, after the time that shows whether its holder is alive, if there is one."""
        seen, gone = None, None
        while True:
            found = self._try(gone)
            if found["free"]:
                return
            sign = found["token"], found["expires_at"]
            other = f"{found['purpose']} by {found['holder'].rpartition(':')[0]}"
            gone = found["token"] if _is_dead(found["holder"]) else None
            if gone is None and (_is_here(found["holder"]) or (seen is not None and sign != seen)):
                raise LeaseError(
                    f"{other} has been running since {found['since']}. Wait until it has ended; one that is killed is "
                    f"forgotten after {SECONDS} s."
                )
            if seen is None and gone is None:
                log.warning("waiting to see whether %s still lives", other)
            seen = sign
            time.sleep(0 if gone else 1)

    def _try(self, gone: str | None) -> dict[str, Any]:
        holder = f"{actor()}:{os.getpid()}:{_PROCESS}"
        return self._database.write(
            queries.load("leases/acquire").text,
            name=self._name, token=self.token, holder=holder, purpose=self._purpose, seconds=SECONDS, gone=gone,
        )[0]  # fmt: skip

    def _beat(self) -> None:
        while not self._ended.wait(SECONDS / BEATS):
            try:
                held = renew(self._database.write, self._name, self.token)
            except AlignError as error:
                log.warning("the lease could not be renewed: %s", error)
                continue
            if not held:
                log.warning("the lease %s was taken over by another process", self._name)
                return


def _is_here(holder: str) -> bool:
    """Tell whether a holder is a living process of this machine."""
    return _on_this_machine(holder) and not _is_dead(holder)


def _is_dead(holder: str) -> bool:
    """Tell whether a holder is a process of this machine that has ended."""
    if not _on_this_machine(holder) or sys.platform == "win32":  # there, signal 0 would end it
        return False
    _, number, process = holder.rsplit(":", 2)
    if int(number) == os.getpid():
        return process != _PROCESS
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _is_zombie(int(number))


def _is_zombie(number: int) -> bool:
    """Tell whether a process has ended and only its parent has not looked yet."""
    try:
        state = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
    except OSError:  # another system than Linux, or gone by now
        return False
    return state.split()[0] == "Z"


def _on_this_machine(holder: str) -> bool:
    return bool(re.fullmatch(rf".*@{re.escape(socket.gethostname())}:\d+:\w+", holder))
