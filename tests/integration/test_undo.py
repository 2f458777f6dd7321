"""Undo: the links exactly as they were before a run, and what stands in the way of that."""

from __future__ import annotations

import random
from typing import Any

import pytest
from click.testing import Result

from neo4j_align.errors import DataError
from neo4j_align.records import Nodes
from neo4j_align.store import database as gate
from neo4j_align.store import entities, procedures, runs, undo
from neo4j_align.store.database import Database
from tests.integration import plain
from tests.integration.conftest import Run, document

FIRST = {("l0", "r0"): 0.9, ("l1", "r1"): 0.8, ("l2", "r2"): 0.7}
SECOND = {("l0", "r0"): 0.9, ("l1", "r1"): 0.5, ("l3", "r3"): 0.6}


@pytest.fixture
def nodes(database: Database) -> Nodes:
    return plain.load(database, 6)


def why(database: Database, run: str, force: bool = False) -> list[tuple[str, str, bool]]:
    found = undo.plan(database, plain.CONFIG, runs.show(database, run), force)
    return sorted((obstacle.pair, obstacle.why, obstacle.forceable) for obstacle in found.obstacles)


def test_a_run_is_undone_to_the_last_property(database: Database, nodes: Nodes) -> None:
    plain.write(database, nodes, FIRST)
    before = plain.snapshot(database)
    run = plain.write(database, nodes, SECOND, model="other")
    done, found = undo.undo(database, plain.CONFIG, run)

    assert plain.snapshot(database) == before
    assert found.obstacles == []
    assert found.changes.counts == {"created": 1, "updated": 2, "retired": 1}
    record = runs.show(database, done)
    assert (record["kind"], record["undoes"], record["status"]) == ("undo", run, "done")
    assert (record["created"], record["updated"], record["retired"]) == (1, 2, 1)


def test_an_undo_is_undone(database: Database, nodes: Nodes) -> None:
    plain.write(database, nodes, FIRST)
    run = plain.write(database, nodes, SECOND)
    after = plain.snapshot(database)
    back, _ = undo.undo(database, plain.CONFIG, run)
    forth, _ = undo.undo(database, plain.CONFIG, back)
    assert plain.snapshot(database) == after
    undo.undo(database, plain.CONFIG, forth)
    assert plain.pairs(database) == FIRST


def test_any_history_is_undone_step_by_step(database: Database, nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random states, small batches, then every run taken back from the last to the first."""
    monkeypatch.setattr(gate, "BATCH", 2)
    chance = random.Random(5)
    states, history = [plain.snapshot(database)], []
    for turn in range(8):
        rights = chance.sample(range(6), 6)
        wanted = {
            (f"l{left}", f"r{right}"): chance.choice([0.5, 0.7, 0.9])
            for left, right in enumerate(rights)
            if chance.random() < 0.6
        }
        history.append(plain.write(database, nodes, wanted, model=f"m{turn // 3}"))
        states.append(plain.snapshot(database))
    for run, state in zip(reversed(history), reversed(states[:-1]), strict=True):
        undo.undo(database, plain.CONFIG, run)
        assert plain.snapshot(database) == state


def test_a_key_that_wandered_to_another_node_is_undone(database: Database) -> None:
    nodes = plain.load(database, 3)
    plain.write(database, nodes, {("l0", "r0"): 0.9})
    unique = database.read("SHOW CONSTRAINTS YIELD name, labelsOrTypes WHERE 'L' IN labelsOrTypes RETURN name")
    database.write(f"DROP CONSTRAINT {unique[0]['name']}")
    database.write("MATCH (a {uid: 'l0'}), (b {uid: 'l1'}) SET a.uid = 'l1', b.uid = 'l0'")
    before = plain.snapshot(database)
    assert [(row["left"], row["link"]["pair"]) for row in before] == [("l1", "L:l0|R:r0")]
    run = plain.write(database, entities.pull(database, plain.CONFIG), {("l0", "r0"): 0.8})
    assert [(row["left"], row["link"]["pair"]) for row in plain.snapshot(database)] == [("l0", "L:l0|R:r0")]
    undo.undo(database, plain.CONFIG, run)
    assert plain.snapshot(database) == before


def judge(database: Database, kind: str, left: str, right: str) -> None:
    procedures.call(database, plain.CONFIG, kind, left=left, right=right, by="ana")


def test_what_later_runs_changed_stands_in_the_way_and_can_be_forced(database: Database, nodes: Nodes) -> None:
    plain.write(database, nodes, FIRST)
    before = plain.pairs(database)
    run = plain.write(database, nodes, SECOND)
    later = plain.write(database, nodes, {("l1", "r1"): 0.4, ("l2", "r2"): 0.3, ("l3", "r3"): 0.6})

    expected = [
        ("L:l1|R:r1", f"updated by run {later} since", True),
        ("L:l2|R:r2", f"linked again by run {later} since", True),
    ]
    assert why(database, run) == expected
    now = plain.snapshot(database)
    with pytest.raises(DataError, match="2 links are not as run"):
        undo.undo(database, plain.CONFIG, run)
    assert plain.snapshot(database) == now

    undo.undo(database, plain.CONFIG, run, force=True)
    assert plain.pairs(database) == {pair: before[pair] for pair in [("l1", "r1"), ("l2", "r2")]}


def test_a_link_that_a_later_run_retired(database: Database, nodes: Nodes) -> None:
    plain.write(database, nodes, FIRST)
    run = plain.write(database, nodes, SECOND)
    later = plain.write(database, nodes, {})
    assert why(database, run) == [("L:l1|R:r1", f"retired by run {later} since", True)]
    undo.undo(database, plain.CONFIG, run, force=True)
    assert plain.pairs(database) == {("l1", "r1"): 0.8, ("l2", "r2"): 0.7}


@pytest.mark.parametrize("force", [False, True])
def test_verdicts_stand_in_the_way_and_are_never_forced(database: Database, nodes: Nodes, force: bool) -> None:
    plain.write(database, nodes, FIRST)
    run = plain.write(database, nodes, SECOND)
    judge(database, "confirm", "l3", "r3")
    judge(database, "reject", "l2", "r2")
    judge(database, "reject", "l1", "r1")

    assert why(database, run, force) == [
        ("L:l1|R:r1", "rejected by ana since", False),
        ("L:l1|R:r1", "retired by nobody who left a record since", True),
        ("L:l2|R:r2", "rejected by ana since", False),
        ("L:l3|R:r3", "confirmed by ana since", False),
    ]
    if force:
        undo.undo(database, plain.CONFIG, run, force=True)
        assert plain.pairs(database) == {("l0", "r0"): 0.9, ("l3", "r3"): 1.0}


def test_an_end_that_is_gone_or_linked_otherwise(database: Database, nodes: Nodes) -> None:
    plain.write(database, nodes, FIRST)
    run = plain.write(database, nodes, {})
    database.write("MATCH (n {uid: 'l0'}) DETACH DELETE n")
    plain.write(database, nodes, {("l1", "r2"): 0.9})
    other = "an end is linked otherwise by now: L:l1|R:r2"
    assert why(database, run) == [
        ("L:l0|R:r0", "an end is gone, or has another key by now", False),
        ("L:l1|R:r1", other, False),
        ("L:l2|R:r2", other, False),
    ]


def test_where_entities_have_many_links_another_is_no_obstacle(database: Database, nodes: Nodes) -> None:
    plain.write(database, nodes, FIRST)
    run = plain.write(database, nodes, {})
    plain.write(database, nodes, {("l1", "r2"): 0.9})
    database.write("MATCH (run:AlignRun {id: $run}) SET run.many = ['T0']", run=run)
    undo.undo(database, plain.CONFIG, run)
    assert plain.pairs(database) == {**FIRST, ("l1", "r2"): 0.9}


def test_an_undo_of_many_links_is_undone(database: Database, nodes: Nodes) -> None:
    both = {("l0", "r0"): 0.9, ("l0", "r1"): 0.8}
    run = plain.write(database, nodes, both)
    database.write("MATCH (run:AlignRun {id: $run}) SET run.many = ['T0']", run=run)
    back, _ = undo.undo(database, plain.CONFIG, run)
    undo.undo(database, plain.CONFIG, back)
    assert plain.pairs(database) == both


def test_a_link_of_another_alignment_is_no_obstacle(database: Database, nodes: Nodes) -> None:
    plain.write(database, nodes, FIRST)
    run = plain.write(database, nodes, {})
    database.write(
        "MATCH (l {uid: 'l0'}) "
        "CREATE (l)-[:SAME_AS {pair: 'L:l0|X:7', status: 'confirmed', confidence: 1.0}]->(:X {uid: '7'})"
    )
    undo.undo(database, plain.CONFIG, run)
    assert ("l0", "r0") in plain.pairs(database)


def test_changes_that_were_forgotten_cannot_be_undone(database: Database, nodes: Nodes) -> None:
    run = plain.write(database, nodes, FIRST)
    database.write("MATCH (run:AlignRun) SET run.pruned = true")
    with pytest.raises(DataError, match="kept for 30 days"):
        undo.undo(database, plain.CONFIG, run)


def test_a_run_of_another_alignment_is_refused(database: Database, nodes: Nodes) -> None:
    run = plain.write(database, nodes, FIRST)
    other = plain.CONFIG.model_copy(update={"right": plain.CONFIG.right.model_copy(update={"label": "X"})})
    with pytest.raises(DataError, match=r"is of the alignment L\|R"):
        undo.plan(database, other, runs.show(database, run))


def test_runs_are_named_by_their_beginning(database: Database, nodes: Nodes) -> None:
    one, other = plain.write(database, nodes, FIRST), plain.write(database, nodes, SECOND)
    assert runs.show(database, one)["id"] == one
    assert runs.show(database, other[:-1])["id"] == other
    assert runs.show(database, "last")["id"] == other
    with pytest.raises(DataError, match="Several runs begin with 2"):
        runs.show(database, "2")
    with pytest.raises(DataError, match="There is no run x"):
        runs.show(database, "x")


def test_a_run_that_changed_nothing_has_nothing_to_undo(database: Database, nodes: Nodes) -> None:
    with pytest.raises(DataError, match="There is no run yet"):
        runs.show(database, "last")
    for _ in range(2):
        again = plain.write(database, nodes, FIRST)
    with pytest.raises(DataError, match=f"Run {again} changed no links"):
        undo.undo(database, plain.CONFIG, again)


def test_runs_on_the_command_line(run: Run, database: Database, nodes: Nodes) -> None:
    plain.write(database, nodes, FIRST)
    second = plain.write(database, nodes, SECOND)

    def invoke(*arguments: Any, code: int = 0) -> Result:
        return run("runs", *arguments, "--config", plain.SETTINGS, code=code)

    assert document(invoke("list", "--json"))["runs"][0]["id"] == second
    assert second in invoke("list").stdout
    assert document(invoke("show", "last", "--json"))["id"] == second
    database.write("MATCH (run:AlignRun) SET run.account = $long", long="x" * 5_000)
    shown = invoke("show", second).stdout
    assert "config_hash" in shown
    assert max(map(len, shown.splitlines())) < 120
    changes = document(invoke("diff", "last", "--json"))["changes"]
    assert {"kind": "updated", "pair": "L:l1|R:r1", "before": 0.8, "after": 0.5} in changes
    assert "L:l2|R:r2" in invoke("diff", "last").stdout

    judge(database, "confirm", "l3", "r3")
    refused = invoke("undo", second, code=1).stderr
    assert "L:l3|R:r3: confirmed by ana since" in refused
    assert "--force sets back 0 of them" in refused
    assert "sets back 0 of them and leaves 1" in invoke("undo", second, "--dry-run", "--force").stdout
    assert document(invoke("undo", second, "--dry-run", "--json"))["run"] is None
    done = document(invoke("undo", second, "--force", "--json"))
    assert (done["undoes"], done["created"], done["updated"], done["retired"]) == (second, 1, 1, 0)
    assert plain.pairs(database) == {**FIRST, ("l3", "r3"): 1.0}
    assert "There is no run nix" in invoke("undo", "nix", code=1).stderr
