"""AlignRun and AlignChange: who changed which links when, each batch written once and only by who holds the lease."""

from __future__ import annotations

import contextlib
import datetime
import logging
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from neo4j_align.config import Config
from neo4j_align.errors import DataError, LeaseError, NameTakenError
from neo4j_align.store import database as gate
from neo4j_align.store import queries
from neo4j_align.store.database import Database, Execute, Rows
from neo4j_align.store.lease import Lease, actor, renew
from neo4j_align.store.schema import alignment

log = logging.getLogger(__name__)
_ENSURED = (
    "link_constraint",
    "rejection_constraint",
    "run_constraint",
    "change_constraint",
    "state_constraint",
    "decision_index",
)

Free = Callable[[Sequence[Any]], Sequence[Any]]


class Run:
    """A run that may write: it holds the lease `writer`, and each of its batches is recorded with what it changed."""

    def __init__(self, database: Database, token: str) -> None:
        self.id = f"{datetime.datetime.now(datetime.timezone.utc):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        self.database = database
        self.token = token
        self._number = 0

    def write(
        self,
        query: str,
        rows: Sequence[Any],
        advance: Callable[[int], None] = lambda _: None,
        free: Free | None = None,
        **parameters: Any,
    ) -> None:
        """Run a writing query once per batch of `rows`; each batch and its record happen together, and once.

        The query gets, beside `parameters`, `$rows`, `$run`, `$change` (id of the record) and `$number` (its place).

        Args:
            free: returns those rows of a batch that a constraint refused whose names nothing else has.

        Raises:
            LeaseError: Another process has taken the lease; nothing of this batch was written.
        """
        text = queries.load(query).text
        for start in range(0, len(rows), gate.BATCH):
            batch = rows[start : start + gate.BATCH]
            self._number += 1
            self._batch(text, batch, free, parameters)
            advance(len(batch))

    def _batch(
        self, text: str, batch: Sequence[Any], free: Free | None, parameters: dict[str, Any], again: bool = True
    ) -> None:
        try:
            self.database.transact(self._once(text, {**parameters, "rows": batch}))
        except NameTakenError:
            still = free(batch) if free else batch
            fewer = len(still) < len(batch)
            if not fewer and not again:  # else what had the name may be gone by now
                raise
            self._batch(text, still, free, parameters, again=fewer)

    def _once(self, text: str, parameters: dict[str, Any]) -> Callable[[Execute], None]:
        number = self._number
        change = f"{self.id}/{number}"

        def work(execute: Execute) -> None:
            fence = execute(queries.load("runs/fence").text, token=self.token, change=change)
            if not fence or not fence[0]["held"]:
                raise LeaseError(
                    f"Run {self.id} has lost the right to write to another process, after "
                    f"{number - 1} batches. Run it again: it goes on from there."
                )
            if not fence[0]["done"]:  # else only the answer to the commit was lost
                execute(text, run=self.id, change=change, number=number, **parameters)
                # No heartbeat passes the fence's lock, and whoever waits for it looks how long the lease lasts.
                renew(execute, "writer", self.token)

        return work

    def counts(self) -> dict[str, int]:
        """Return how many links it has created, updated and retired so far."""
        row = self.database.read(queries.load("runs/show").text, run=self.id, alignment=None)[0]["run"]
        return {name: row[name] for name in ("created", "updated", "retired")}

    def note(self, **about: Any) -> None:
        """Add properties to the AlignRun."""
        self.database.write(queries.load("runs/note").text, run=self.id, about=about)


@contextlib.contextmanager
def running(database: Database, kind: str, config: Config, lease: Lease | None = None, **about: Any) -> Iterator[Run]:
    """Hold the lease to write, and record a run from its start to its end, however it ends.

    Args:
        lease: where the lease `writer` is held already.
        about: further properties of the AlignRun.

    Raises:
        LeaseError: Another run is writing.
    """
    for ensured in _ENSURED:
        database.write(queries.load(f"schema/ensure_{ensured}").text)
    with contextlib.nullcontext(lease) if lease else Lease(database, "writer", kind) as lease:
        run, begin = Run(database, lease.token), time.perf_counter()
        about = {"alignment": alignment(config), "config_hash": config.digest(), **about}
        _start(run, kind, about)
        status, error = "stopped", None
        try:
            yield run
            status = "done"
        except Exception as problem:
            status, error = "failed", str(problem)[:1000]
            raise
        finally:
            with contextlib.suppress(Exception) if status != "done" else contextlib.nullcontext():
                _finish(run, status, round(time.perf_counter() - begin, 3), error)
        history = config.history
        database.write(
            queries.load("runs/prune").text, days=history.days, runs=history.runs, alignment=alignment(config)
        )


def _start(run: Run, kind: str, about: dict[str, Any]) -> None:
    given = {"run": run.id, "kind": kind, "actor": actor(), "about": about}

    def work(execute: Execute) -> Rows:
        if not renew(execute, "writer", run.token):  # else it would declare the run of whoever followed dead
            raise LeaseError(f"The right to write was lost to another process before the {kind} began. Run it again.")
        return execute(queries.load("runs/start").text, **given)

    if died := run.database.transact(work)[0]["died"]:
        log.warning("%s never ended: what was left to write is written now", ", ".join(died))


def _finish(run: Run, status: str, seconds: float, error: str | None) -> None:
    about = {"seconds": seconds, "error": error}
    if not run.database.write(queries.load("runs/finish").text, run=run.id, status=status, about=about):
        raise LeaseError(f"Run {run.id} was taken for dead by another. Run it again: it goes on from there.")


def listed(database: Database, limit: int) -> Rows:
    """Return the latest runs, newest first."""
    return [row["run"] for row in database.read(queries.load("runs/list").text, limit=limit)]


def show(database: Database, run: str, config: Config | None = None) -> dict[str, Any]:
    """Return what is known of a run; `run` may be the beginning of an id, or `last`, with a configuration of its own.

    Raises:
        DataError: There is no such run, or several.
    """
    mine = None if config is None else alignment(config)
    rows = database.read(queries.load("runs/show").text, run=run, alignment=mine)
    if len(rows) != 1:
        known = ", ".join(row["run"]["id"] for row in rows[:3])
        raise DataError(
            f"Several runs begin with {run}: {known} … Give more of the id."
            if rows
            else "There is no run yet."
            if run == "last"
            else f"There is no run {run}. `neo4j-align runs list` names them."
        )
    found: dict[str, Any] = rows[0]["run"]
    return found
