"""Uninstall: all of the tool's own is gone, and the user's graph is what it was, bit for bit."""

from __future__ import annotations

from typing import Any

import pytest

from neo4j_align.errors import LeaseError
from neo4j_align.store import checks, entities, procedures, uninstall
from neo4j_align.store.database import Database
from neo4j_align.store.lease import Lease
from tests.integration import plain
from tests.integration.conftest import Run, document

# Every node and relationship with all it holds, and everything of the schema.
DUMP = (
    "MATCH (n) RETURN elementId(n) AS id, labels(n) AS what, properties(n) AS values, null AS ends "
    "UNION ALL MATCH (a)-[r]->(b) RETURN elementId(r) AS id, [type(r)] AS what, properties(r) AS values, "
    "[elementId(a), elementId(b)] AS ends"
)


def dump(database: Database) -> dict[str, Any]:
    return {
        "graph": sorted(map(repr, database.read(DUMP))),
        "indexes": database.read("SHOW INDEXES YIELD name, type, labelsOrTypes, properties RETURN * ORDER BY name"),
        "constraints": database.read(
            "SHOW CONSTRAINTS YIELD name, type, labelsOrTypes, properties RETURN * ORDER BY name"
        ),
        "procedures": procedures.installed(database),
    }


def users_graph(database: Database) -> None:
    """A graph with an index, a constraint and a SAME_AS of the user's own, and a label that looks like ours."""
    database.write(
        "UNWIND range(0, 5) AS i CREATE (:L:T0 {uid: 'l' + i, name: 'n'}), (:R:T0 {uid: 'r' + i, title: 'n'})"
    )
    database.write(
        "MATCH (l:L {uid: 'l0'}), (r:R {uid: 'r0'}) CREATE (l)-[:SAME_AS {mine: true}]->(r), (l)-[:NOT_SAME_AS]->(r)"
    )
    database.write("MATCH (l:L {uid: 'l0'}), (m:L {uid: 'l1'}) CREATE (l)-[:R0]->(m)")
    database.write("CREATE (:AlignmentOfPlanets {name: 'rare'})")
    database.write("CREATE INDEX mine FOR (n:T0) ON (n.name)")


def use_all(database: Database) -> None:
    """Leave every kind of trace."""
    checks.create_indexes(database, plain.CONFIG)
    nodes = entities.pull(database, plain.CONFIG)
    plain.write(database, nodes, {("l1", "r1"): 0.9, ("l2", "r2"): 0.8})
    plain.write(database, nodes, {("l1", "r1"): 0.7, ("l3", "r3"): 0.8})
    for kind, left, right in (("confirm", "l4", "r4"), ("reject", "l5", "r5")):
        procedures.call(database, plain.CONFIG, kind, left=left, right=right, by="ana")
    procedures.call(database, plain.CONFIG, "submit", kind="align", options={})
    procedures.install(database, plain.CONFIG)


def test_nothing_of_ours_is_left_and_all_of_the_users(database: Database) -> None:
    users_graph(database)
    before = dump(database)
    use_all(database)
    assert dump(database) != before
    uninstall.uninstall(database)
    assert dump(database) == before


def test_it_says_first_what_it_removes(run: Run, database: Database) -> None:
    users_graph(database)
    before = dump(database)
    use_all(database)
    refused = run("uninstall", code=1)
    assert "3 relationships :SAME_AS" in refused.stderr
    assert "1 relationships :NOT_SAME_AS" in refused.stderr
    assert "2 nodes :AlignRun" in refused.stderr
    assert "constraint align_same_as_pair" in refused.stderr
    assert "procedure custom.align.confirm" in refused.stderr
    assert dump(database) != before

    removed = document(run("uninstall", "--yes", "--json"))
    assert removed["counts"]["relationships :SAME_AS"] == 3
    assert dump(database) == before
    assert "nothing to remove" in run("uninstall").stdout


def test_it_waits_for_no_run_that_is_under_way(run: Run, database: Database) -> None:
    users_graph(database)
    use_all(database)
    with Lease(database, "writer", "align"):
        assert "align by" in run("uninstall", "--yes", code=1).stderr
    assert len(plain.snapshot(database)) == 4  # three of ours, one of the user's


def test_it_deletes_nothing_once_another_process_has_taken_over(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where it stood still for longer than the lease lasts."""
    users_graph(database)
    use_all(database)
    monkeypatch.setattr(
        procedures, "remove",
        lambda *_: database.write("MATCH (lease:AlignLease {name: 'writer'}) SET lease.token = 'another'"),
    )  # fmt: skip
    with pytest.raises(LeaseError, match="Another process writes by now"):
        uninstall.uninstall(database)
    assert len(plain.snapshot(database)) == 4
