"""A person's verdicts on pairs, written through the same statements that applications call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from neo4j_align.config import Config
from neo4j_align.errors import DataError, JudgedError
from neo4j_align.store import links, procedures, queries, schema
from neo4j_align.store.database import Database, Execute, Rows

Kind = Literal["confirm", "reject"]
_AT_ONCE = 500  # verdicts a transaction
_LOCK = "verdicts"


@dataclass(frozen=True)
class Verdict:
    """What somebody said of a pair.

    Attributes:
        verdict: `confirmed` or `rejected`; at: when, in ISO 8601; at, by, note: None where nothing was said.
    """

    verdict: str
    by: str | None
    at: str | None
    note: str | None

    def __str__(self) -> str:
        return f"{self.verdict} by {self.by or 'somebody'} at {(self.at or 'an unknown time')[:19]}"


Verdicts = tuple[Verdict, ...]  # on one pair; two where they contradict each other


def judge(database: Database, config: Config, kind: Kind, pairs: Sequence[dict[str, Any]]) -> Rows:
    """Confirm or reject pairs.

    Args:
        pairs: `left` and `right`, keys; `by` and `note`.

    Returns:
        For each pair `left`, `right`, `pair`, `status` (`confirmed` or `rejected`, else why not) and `contradicts`,
        other verdicts that say otherwise: they stand too until one is withdrawn.
    """
    _ensure(database)
    found = _in_turn(database, config, kind, pairs)
    rows = [row for rows in found for row in rows]
    return [{"left": pair["left"], "right": pair["right"], **row} for pair, row in zip(pairs, rows, strict=True)]


def withdraw(database: Database, config: Config, pairs: Sequence[dict[str, Any]]) -> list[Rows]:
    """Take the verdicts on pairs back; what the machine had predicted stands again, if nothing took its place.

    Args:
        pairs: `left` and `right`, keys; `by`, whose verdicts, where not everybody's.

    Returns:
        For each pair the verdicts that were withdrawn: `pair`, `withdrawn` (`confirmation` or `rejection`) and `link`,
        whether it is predicted again.
    """
    return _in_turn(database, config, "withdraw", pairs)


def given(database: Database, config: Config) -> dict[tuple[Any, Any], Verdicts]:
    """Return all verdicts of an alignment by the keys of the pair, left and right; what was judged last comes first."""
    known = schema.constants(config)
    names = ("left_prefix", "right_prefix")
    keys = {"left_key": config.left.key, "right_key": config.right.key}
    found: dict[tuple[Any, Any], list[Verdict]] = {}
    for row in database.read(
        queries.load("links/verdicts").text, None, **keys, **{name: known[name] for name in names}
    ):
        found.setdefault((row.pop("left"), row.pop("right")), []).append(Verdict(**row))
    return {pair: tuple(sorted(said, key=lambda one: one.verdict)) for pair, said in found.items()}


def on(database: Database, config: Config, left: Any, right: Any) -> Verdicts:
    """Return the verdicts on a pair."""
    return _read(database.read, links.pair_name(config, left, right))


def decide(
    database: Database,
    config: Config,
    kind: Kind | None,
    pair: tuple[Any, Any],
    said: dict[str, str | None],
    seen: Verdicts,
) -> tuple[Verdicts, list[str]]:
    """Judge a pair anew, if its verdicts are still those that were seen; they give way.

    Args:
        kind: None withdraws the verdicts.
        pair: the keys, left and right; said: `by` and `note`.

    Returns:
        The verdicts on the pair from now on, and other verdicts that contradict them.

    Raises:
        JudgedError: Somebody judged the pair, or withdrew a verdict, in the meantime; nothing was changed.
        DataError: The database has no such pair any more.
    """
    _ensure(database)
    database.write(queries.load("schema/ensure_lease_constraint").text)
    name, keys = links.pair_name(config, *pair), dict(zip(("left", "right"), pair, strict=True))

    def work(execute: Execute) -> tuple[Verdicts, list[str]]:
        execute(queries.load("leases/lock").text, name=_LOCK)
        if (now := _read(execute, name)) != seen:
            raise JudgedError(told(now))
        if now:
            procedures.within(execute, config, "withdraw", **keys)
        rows = procedures.within(execute, config, kind, **keys, **said) if kind else []
        for row in rows:
            if row["pair"] is None or row["status"] not in ("confirmed", "rejected"):
                raise DataError(f"The pair could not be judged: {row['status']}. The graph has changed; start anew.")
        return _read(execute, name), [other for row in rows for other in row["contradicts"]]

    return database.transact(work, again=False)


def _in_turn(database: Database, config: Config, name: str, calls: Sequence[dict[str, Any]]) -> list[Rows]:
    """Call a procedure's statement many times, and return the rows of each call."""
    return [
        rows
        for start in range(0, len(calls), _AT_ONCE)
        for rows in procedures.many(database, config, name, list(calls[start : start + _AT_ONCE]))
    ]


def _ensure(database: Database) -> None:
    for constraint in ("link", "rejection"):
        database.write(queries.load(f"schema/ensure_{constraint}_constraint").text)


def _read(execute: Execute, pair: str) -> Verdicts:
    return tuple(Verdict(**row) for row in execute(queries.load("links/verdicts_on").text, pair=pair))


def told(now: Verdicts) -> str:
    """Say what became of a pair since it was shown."""
    said = " and ".join(map(str, now)) or "its verdict was withdrawn"
    return f"In the meantime this pair was judged: {said}. Nothing was changed; look again."
