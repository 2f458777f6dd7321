"""How the server runs a procedure's statement: no look-up by key may read all nodes of a label, or all links."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from neo4j_align.config import Config
from neo4j_align.store.database import Database
from neo4j_align.store.procedures import Procedure

# Operators whose work grows with the graph; runs are few, and of these only the latest is read.
SCANS = ("AllNodesScan", "LabelScan", "LabelsScan", "TypeScan", "TypesScan", "RelationshipsScan", "IndexScan")
OWN = ":AlignRun("


def steps(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a plan's operators."""
    yield plan
    for child in plan.get("children", ()):
        yield from steps(child)


def plan(database: Database, config: Config, name: str, arguments: dict[str, Any], how: str) -> dict[str, Any]:
    """Return the plan of a procedure's statement; `how` is EXPLAIN or PROFILE, and what that writes is rolled back."""
    procedure = Procedure.load(name)
    given = {**procedure.constants(config), **procedure.arguments, **arguments}
    with database._session("WRITE") as session, session.begin_transaction() as transaction:
        summary = transaction.run(f"{how} {procedure.render(config)}", given).consume()
        transaction.rollback()
    found = summary.profile if how == "PROFILE" else summary.plan
    assert found is not None
    return found


def scans(found: dict[str, Any]) -> list[str]:
    """Return the operators of a plan that read all there is of something, with what they read."""
    named = [(str(step["operatorType"]).partition("@")[0], str(step["args"].get("Details"))) for step in steps(found)]
    return [f"{name} {details}" for name, details in named if name.endswith(SCANS) and OWN not in details]
