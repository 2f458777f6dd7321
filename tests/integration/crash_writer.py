"""A process that writes links and can be killed, forked from one that has imported all: these starts take no time."""

from __future__ import annotations

import itertools
import multiprocessing
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe

from neo4j_align.config import Connection
from neo4j_align.errors import AlignError
from neo4j_align.records import Nodes
from neo4j_align.store import database as gate
from neo4j_align.store.database import Database
from tests.integration import plain

BATCH = 5  # rows a transaction: many of them a write
PATIENCE = 240  # seconds: more than a writer takes to give a server up
DONE = "done"
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["pytest", __name__])


@dataclass(frozen=True)
class Goal:
    """The links that should be, and the model they come from."""

    wanted: plain.Wanted
    model: str


class Writer:
    """A process that brings the links to a goal, and says how far it has come."""

    def __init__(self, connection: Connection, nodes: Nodes, goal: Goal) -> None:
        self._heard, says = _FORKS.Pipe(duplex=False)
        self._written = 0
        self._ended = ""
        self._process = _FORKS.Process(target=_write, args=(connection, nodes, goal, says))
        self._process.start()
        says.close()
        self._hear()

    def wrote(self, batches: int) -> bool:
        """Wait until so many more batches are written; tell whether it is still at it."""
        while not self._ended and self._heard.poll(0):
            self._hear()
        goal = self._written + batches
        while not self._ended and self._written < goal:
            self._hear()
        return not self._ended

    def end(self) -> str:
        """Wait for its end, and return how it ended: DONE, or the AlignError."""
        while not self._ended:
            self._hear()
        self._process.join()
        self._heard.close()
        return self._ended

    def kill(self) -> None:
        """Send SIGKILL, and wait until the process is gone."""
        self._process.kill()
        self._process.join()
        self._heard.close()

    def _hear(self) -> None:
        assert self._heard.poll(PATIENCE), "the writer hangs"
        said = self._heard.recv()
        if isinstance(said, str):
            self._ended = said
        else:
            self._written = said


def _write(connection: Connection, nodes: Nodes, goal: Goal, says: Pipe) -> None:
    gate.BATCH = BATCH
    count = itertools.count(1)
    try:
        with Database.open(connection) as database:
            says.send(0)
            plain.write(database, nodes, goal.wanted, goal.model, advance=lambda _: says.send(next(count)))
        says.send(DONE)
    except AlignError as error:
        says.send(f"{type(error).__name__}: {error}")
