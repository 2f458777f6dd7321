"""Take the tool out of a database: all that is its own goes, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from neo4j_align.errors import LeaseError
from neo4j_align.store import changes, procedures, queries, schema
from neo4j_align.store import database as gate
from neo4j_align.store.database import Database, Execute
from neo4j_align.store.lease import Lease, renew


@dataclass(frozen=True)
class Traces:
    """What of the tool there is in a database.

    Attributes:
        counts: numbers of relationships and nodes, by what they are.
        schema: names of constraints (True) and indexes (False).
        procedures: names; trigger: whether APOC runs one of ours.
    """

    counts: dict[str, int]
    schema: dict[str, bool]
    procedures: list[str]
    trigger: bool


def traces(database: Database, namespace: str = procedures.NAMESPACE) -> Traces:
    """Find what of the tool there is in a database."""
    counts = database.read(queries.load("uninstall/count").text)
    named = database.read(queries.load("uninstall/schema").text)
    return Traces(
        counts={row["what"]: row["number"] for row in counts},
        schema={row["name"]: row["is_constraint"] for row in named},
        procedures=[row["name"] for row in procedures.installed(database, namespace)],
        trigger=changes.has_trigger(database),
    )


def uninstall(
    database: Database, namespace: str = procedures.NAMESPACE, advance: Callable[[int], None] = lambda _: None
) -> Traces:
    """Remove all that is the tool's own, and return what it was; begun again, it goes on where it was cut off.

    Raises:
        LeaseError: A run is writing, or another process took over while this one stood still.
        DatabaseError: The procedures go on to answer.
    """
    found = traces(database, namespace)
    with Lease(database, "writer", "uninstall") as lease:
        procedures.remove(database, namespace)
        if found.trigger:
            changes.remove_triggers(database)
        for name in ("delete_links", "delete_nodes"):
            while deleted := database.transact(partial(_delete, f"uninstall/{name}", lease.token)):
                advance(deleted)
        for row in database.read(queries.load("uninstall/schema").text):
            drop = queries.load("uninstall/drop_constraint" if row["is_constraint"] else "uninstall/drop_index")
            database.write(drop.render(name=schema.quote(row["name"])))
    database.write(queries.load("uninstall/delete_leases").text)
    return found


def _delete(query: str, token: str, execute: Execute) -> int:
    """Delete some, in a transaction in which nobody else takes the lease."""
    if not renew(execute, "writer", token):
        raise LeaseError("Another process writes by now. Run `neo4j-align uninstall` again: it goes on from there.")
    return int(execute(queries.load(query).text, limit=gate.BATCH)[0]["deleted"])
