"""A person's verdicts on pairs, written through the same statements that applications call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from neo4j_align.config import Config
from neo4j_align.errors import DataError
from neo4j_align.store import procedures, queries
from neo4j_align.store.database import Database, Rows

Kind = Literal["confirm", "reject"]
_AT_ONCE = 500  # verdicts a transaction


def judge(database: Database, config: Config, kind: Kind, pairs: Sequence[dict[str, Any]]) -> Rows:
    """Confirm or reject pairs.

    Args:
        pairs: `left` and `right`, keys; `by` and `note`.

    Returns:
        For each pair `left`, `right`, `pair`, `status` (`confirmed` or `rejected`, else why not) and `contradicts`,
        other verdicts that say otherwise: they stand too until one is withdrawn.
    """
    for constraint in ("link", "rejection"):
        database.write(queries.load(f"schema/ensure_{constraint}_constraint").text)
    rows = [
        row
        for start in range(0, len(pairs), _AT_ONCE)
        for found in procedures.many(database, config, kind, list(pairs[start : start + _AT_ONCE]))
        for row in found
    ]
    return [{"left": pair["left"], "right": pair["right"], **row} for pair, row in zip(pairs, rows, strict=True)]


def withdraw(database: Database, config: Config, left: str, right: str) -> Rows:
    """Take the verdicts on a pair back; what the machine had predicted stands again, if nothing took its place.

    Raises:
        DataError: There is no verdict on the pair.
    """
    rows = procedures.call(database, config, "withdraw", left=left, right=right)
    if not rows:
        raise DataError(f"There is no verdict on {left} and {right}. See that these are their keys.")
    return rows
