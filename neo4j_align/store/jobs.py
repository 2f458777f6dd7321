"""AlignJob: work that was asked for from Cypher, taken by one worker at a time."""

from __future__ import annotations

import json
import os
from typing import Any

from neo4j_align.errors import DataError, LeaseError
from neo4j_align.store import queries
from neo4j_align.store.database import Database, Rows
from neo4j_align.store.lease import actor

ATTEMPTS = 3  # a job during which that many workers died is given up


class Job:
    """A job that a worker holds, fenced by the token of its lease."""

    def __init__(self, database: Database, token: str, properties: dict[str, Any]) -> None:
        self.id: str = properties["id"]
        self.kind: str = properties["kind"]
        self.attempts: int = properties["attempts"]
        self.options: dict[str, Any] = {name: properties.get(name) for name in properties.get("options", [])}
        self._database, self._token = database, token

    def progress(self, stage: str, done: int, total: int | None) -> bool:
        """Write how far the job is, and tell whether it was cancelled meanwhile."""
        return self._note(stage=stage, done=done, total=total)

    def finish(self, result: dict[str, Any]) -> None:
        """Record the outcome: as JSON, and lists in it as properties of the job too, but for lists of lists."""
        lists = {
            name: value
            for name, value in result.items()
            if isinstance(value, list) and not any(isinstance(item, list) for item in value)
        }
        document = {name: _without_nan(value) if name in lists else value for name, value in result.items()}
        over = dict.fromkeys(("error", "stage", "done", "total"))
        self._note(**lists, **over, status="done", result=json.dumps(document, default=str))

    def fail(self, error: str) -> None:
        """Record that the job cannot be done."""
        self._note(status="failed", error=error[:1000])

    def cancel(self) -> None:
        """Record that the job was given up because somebody asked for that."""
        self._note(status="cancelled")

    def give_back(self, error: str | None = None) -> None:
        """Let a worker begin it anew; after an error this attempt was one of its ATTEMPTS."""
        self._note(status="queued", attempts=self.attempts - (error is None), error=error)

    def _note(self, **about: Any) -> bool:
        rows = self._database.write(queries.load("jobs/note").text, token=self._token, id=self.id, about=about)
        if not rows:
            raise LeaseError(f"Job {self.id} was taken over by another worker.")
        return bool(rows[0]["cancelled"])


def _without_nan(values: list[Any]) -> list[Any]:
    """JSON has no NaN, and a list in Neo4j no null."""
    return [None if value != value else value for value in values]


def waiting(database: Database, alignment: str) -> bool:
    """Tell whether there is a job that is queued, or that a worker has begun and may have left."""
    return bool(database.read(queries.load("jobs/waiting").text, alignment=alignment)[0]["waiting"])


def take(database: Database, token: str, alignment: str) -> Job | None:
    """Take the next job of an alignment, if the lease `worker` is held with this token."""
    worker = f"{actor()}:{os.getpid()}"
    rows = database.write(queries.load("jobs/take").text, token=token, worker=worker, alignment=alignment)
    return Job(database, token, rows[0]["job"]) if rows else None


def listed(database: Database, limit: int) -> Rows:
    """Return the latest jobs of all alignments, newest first."""
    return [row["job"] for row in database.read(queries.load("jobs/list").text, limit=limit)]


def show(database: Database, job: str) -> dict[str, Any]:
    """Return all that is known of a job, its `result` as it was before it became JSON.

    Raises:
        DataError: There is no such job.
    """
    found: dict[str, Any] = _one(database.read(queries.load("procedures/job").text, id=job), job)["job"]
    return {**found, "result": json.loads(found["result"])} if "result" in found else found


def cancel(database: Database, job: str) -> str:
    """Cancel a job, at once or at its next step, and return its status.

    Raises:
        DataError: There is no such job.
    """
    return str(_one(database.write(queries.load("procedures/cancel").text, id=job), job)["status"])


def _one(rows: Rows, job: str) -> dict[str, Any]:
    if not rows:
        raise DataError(f"There is no job {job}. `neo4j-align jobs list` names them.")
    return rows[0]
