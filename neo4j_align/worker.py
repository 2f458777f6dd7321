"""The worker: takes jobs that were asked for from Cypher, one at a time across all workers, and does them."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from neo4j_align import recall
from neo4j_align.config import Config
from neo4j_align.engine import Engine, Local
from neo4j_align.errors import AlignError, DatabaseError, DataError, LeaseError
from neo4j_align.explanation import Attribute, Explanation
from neo4j_align.gnn import saved
from neo4j_align.pipeline import Aligner
from neo4j_align.progress import Stages
from neo4j_align.store import jobs, queries
from neo4j_align.store.database import Database
from neo4j_align.store.lease import Lease
from neo4j_align.store.schema import alignment

log = logging.getLogger(__name__)
KINDS = ("align", "sync", "train", "score", "candidates", "neighbourhood", "explain")
_TELLING = 1.0  # seconds between two notes of progress


class _Cancelled(BaseException):
    """The job was cancelled while it ran."""


@dataclass(frozen=True)
class Worker:
    """Does jobs with one configuration and one model.

    Attributes:
        folder: of the model; a job that trains replaces it.
        table: labels for jobs that train; None for the verdicts in the database.
        poll: seconds between two looks for jobs.
        engine: judges pairs.
    """

    config: Config
    database: Database
    folder: Path
    table: pd.DataFrame | None = None
    poll: float = 2.0
    engine: Engine = field(default_factory=Local)

    @property
    def _alignment(self) -> str:
        return alignment(self.config)

    def run(self, once: bool = False) -> int:
        """Do jobs until interrupted, or with `once` until none waits; return how many were done.

        A job that is interrupted goes back to the queue; what it has written stays, and is not written again.
        """
        for ensure in ("constraint", "index"):
            self.database.write(queries.load(f"schema/ensure_job_{ensure}").text)
        self.database.write(queries.load("jobs/prune").text, days=self.config.history.days, alignment=self._alignment)
        count = 0
        while True:
            try:
                done = jobs.waiting(self.database, self._alignment) and self._next()
                count += done
                if once and not done and not jobs.waiting(self.database, self._alignment):
                    return count
            except DatabaseError as error:  # the server may be back soon
                if once:
                    raise
                log.warning("%s", error)
                done = False
            if not done:
                time.sleep(self.poll)

    def _next(self) -> bool:
        """Do the next job; False where another worker is at work."""
        try:
            with Lease(self.database, "worker", "a job") as lease:
                job = jobs.take(self.database, lease.token, self._alignment)
                if job is not None:
                    self._do(job)
                return job is not None
        except LeaseError as error:
            log.info("%s", error)
            return False

    def _do(self, job: jobs.Job) -> None:
        log.info("job %s: %s", job.id, job.kind)
        if job.attempts > jobs.ATTEMPTS:
            job.fail(f"{jobs.ATTEMPTS} workers died at it. See their logs; submit it again when the cause is found.")
            return
        try:
            job.finish(self._result(job))
        except _Cancelled:
            job.cancel()
        except (KeyboardInterrupt, LeaseError):  # not the job's fault
            with contextlib.suppress(AlignError):
                job.give_back()
            raise
        except DatabaseError as error:  # a connection that may be back soon, or something that never works
            log.warning("job %s: %s", job.id, error)
            with contextlib.suppress(AlignError):
                job.fail(str(error)) if job.attempts >= jobs.ATTEMPTS else job.give_back(str(error))
        except Exception as error:  # whatever a job meets, the worker goes on to the next
            known = isinstance(error, AlignError)
            log.error("job %s failed: %s", job.id, error, exc_info=not known)
            job.fail(str(error) if known else f"{type(error).__name__}: {error}")
        log.info("job %s: ended", job.id)

    def _result(self, job: jobs.Job) -> dict[str, Any]:
        if job.kind not in KINDS:
            raise DataError(f"There is no kind of job {job.kind!r}. There are: {', '.join(KINDS)}.")
        work = getattr(self, f"_{job.kind}")  # `submit` sees that its options are those of the job
        stages = Stages(listener=_teller(job))
        aligner = Aligner(self.config, self.database, stages, recall.beside(self.folder), self.engine)
        result: dict[str, Any] = work(aligner, **job.options)
        return result

    def _align(self, aligner: Aligner, precision: float | None = None, dry_run: bool = False) -> dict[str, Any]:
        if precision is not None and not (isinstance(precision, int | float) and 0 < precision < 1):
            raise DataError(f"The option precision must be a number between 0 and 1, not {precision!r}.")
        found = aligner.align(saved.load(self.folder), bool(dry_run), precision)
        return {"run": found.run, "links": len(found.links), "candidates": found.candidates, **found.changes}

    def _sync(self, aligner: Aligner) -> dict[str, Any]:
        found = aligner.sync(saved.load(self.folder))
        return {"run": found.run, "changed_entities": found.changed_entities, **found.changes}

    def _train(self, aligner: Aligner) -> dict[str, Any]:
        model = aligner.train(self.table, self.folder)
        return {"model": model.about.id, **model.about.training["validation"]}

    def _neighbourhood(self, aligner: Aligner, key: object) -> dict[str, Any]:
        return _columns(aligner.neighbourhood(saved.load(self.folder), key))

    def _candidates(self, aligner: Aligner, key: object) -> dict[str, Any]:
        scored = _with_texts(aligner.score(saved.load(self.folder)))
        return _columns(scored[(scored["left"] == str(key)) | (scored["right"] == str(key))])

    def _explain(self, aligner: Aligner, left: object, right: object) -> dict[str, Any]:
        found = aligner.explain(saved.load(self.folder), left, right)
        return {**_columns(_evidence(found)), "explanation": found.document()}

    def _score(self, aligner: Aligner, left: list[object], right: list[object]) -> dict[str, Any]:
        """Score pairs; one that blocking does not take for a candidate has no confidence, NaN."""
        if len(left) != len(right):
            raise DataError(f"The options left and right must be of one length, not {len(left)} and {len(right)}.")
        scored = _with_texts(aligner.score(saved.load(self.folder)))
        asked = pd.DataFrame({"left": map(str, left), "right": map(str, right)})
        found = asked.merge(scored, how="left", on=["left", "right"])
        return _columns(found.assign(linked=found["linked"].eq(True), type=found["type"].fillna("")))


def _with_texts(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its keys as text, since a list in Neo4j holds one kind of values."""
    return table.astype({"left": str, "right": str})


def _evidence(found: Explanation) -> pd.DataFrame:
    """Lay an explanation out in rows: the verdict, then the evidence, what speaks for the pair first."""
    both = str(found.left), str(found.right)
    rows: list[tuple[object, ...]] = [
        ("verdict", f"{found.status}: {found.reason}", *both, found.score, found.confidence)
    ]
    for one in found.evidence:
        kind = "taken" if one is found.taken else "attribute" if isinstance(one, Attribute) else "neighbour"
        sides = ("" if side is None else str(side) for side in (one.left, one.right))  # a list has no null
        rows.append((kind, one.what, *sides, one.contribution, one.confidence))
    names = ["evidence", "what", "left_value", "right_value", "contribution", "confidence"]
    return pd.DataFrame(rows, columns=names)


def _columns(table: pd.DataFrame) -> dict[str, Any]:
    return {str(name): table[name].tolist() for name in table}


def _teller(job: jobs.Job) -> Callable[[str, int, int | None], None]:
    """Return what writes a job's progress now and then, and ends it when it was cancelled."""
    last = 0.0

    def tell(stage: str, done: int, total: int | None) -> None:
        nonlocal last
        if time.monotonic() - last >= _TELLING:
            last = time.monotonic()
            if job.progress(stage, done, total):
                raise _Cancelled

    return tell
