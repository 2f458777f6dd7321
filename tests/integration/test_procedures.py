"""Stored procedures by what they do: installed through APOC, called by the package, and as statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from neo4j_align.config import Config
from neo4j_align.store import checks, links, procedures
from neo4j_align.store.database import Database
from neo4j_align.store.procedures import Procedure
from tests.integration import plain
from tests.unit.builders import config

WANTED = {("l0", "r0"): 0.9, ("l1", "r1"): 0.55, ("l2", "r2"): 0.95}
NUMBERS = config(
    types=2,
    left={"property": "source", "value": "one", "key": "id"},
    right={"property": "source", "value": "it's", "key": "id"},
)
Call = Callable[..., list[dict[str, Any]]]


def caller(database: Database, how: str, mapping: Config = plain.CONFIG) -> Call:
    """Return what calls a procedure: as the package does, as the statement that is printed, or installed."""
    if how == "installed":
        procedures.install(database, mapping)

    def call(name: str, **arguments: Any) -> list[dict[str, Any]]:
        if how == "package":
            return procedures.call(database, mapping, name, **arguments)
        procedure = Procedure.load(name)
        given = procedure.arguments | arguments
        text = procedure.script(mapping)
        if how == "installed":
            text = f"CALL custom.align.{name}({', '.join(f'${argument}' for argument in procedure.arguments)}) YIELD *"
        run = database.read if procedure.mode == "READ" else database.write
        rows: list[dict[str, Any]] = run(text, **given)
        return rows

    return call


@pytest.fixture(params=["package", "statement", "installed"])
def call(request: pytest.FixtureRequest, database: Database) -> Call:
    plain.write(database, plain.load(database, 5), WANTED)
    return caller(database, request.param)


@pytest.fixture(autouse=True)
def cleared(database: Database) -> Iterator[None]:
    """Leave nothing installed on a server that outlives the tests."""
    yield
    procedures.remove(database)


def keys(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_same_as_gives_the_links_of_either_side_surest_first(call: Call, database: Database) -> None:
    database.write(
        "MATCH (l {uid: 'l0'}), (r {uid: 'r3'}) "
        "CREATE (l)-[:SAME_AS {pair: 'L:l0|R:r3', confidence: 0.3, status: 'predicted'}]->(r), (l)-[:SAME_AS]->(r), "
        "(l)-[:SAME_AS {pair: 'L:l0|X:x', confidence: 1.0, status: 'confirmed'}]->(:X:T0 {uid: 'x'})"
    )
    rows = call("same_as", key="l0")
    assert keys(rows, "side", "other", "confidence") == [("left", "r0", 0.9), ("left", "r3", 0.3)]
    assert rows[0]["node"] == {"uid": "r0", "title": "name 0"}
    assert (rows[0]["status"], rows[0]["model"], rows[0]["pair"]) == ("predicted", "m", "L:l0|R:r0")
    assert rows[0]["run"] == procedures.call(database, plain.CONFIG, "runs")[0]["id"]
    assert keys(call("same_as", key="r3"), "side", "other") == [("right", "l0")]
    assert call("same_as", key="nobody") == call("same_as", key=None) == call("same_as", key=0) == []


def test_entity_merges_attributes_and_tells_disagreement(call: Call, database: Database) -> None:
    database.write("MATCH (l {uid: 'l0'}) SET l.year = 1999, l.tags = ['a'], l.only = 1, l.same = 7")
    database.write("MATCH (r {uid: 'r0'}) SET r.title = 'NAME 0', r.year = 2000, r.tags = ['b'], r.same = 7.0")
    for key, other in (("l0", "r0"), ("r0", "l0")):
        (row,) = call("entity", key=key)
        assert row["node"]["uid"] == key
        assert [(one["key"], one["confidence"]) for one in row["counterparts"]] == [(other, 0.9)]
        merged = {one["name"]: one for one in row["attributes"]}
        assert merged.keys() == {"name", "year", "tags", "only", "same"}
        assert (merged["name"]["value"], merged["name"]["right"]) == ("name 0", ["NAME 0"])
        assert (merged["only"]["left"], merged["only"]["right"]) == ([1], [])
        assert sorted(row["conflicts"]) == ["tags", "year"]
    (alone,) = call("entity", key="l4")
    assert (alone["side"], alone["counterparts"], alone["conflicts"]) == ("left", [], [])
    assert alone["attributes"][0]["value"] == "name 4"
    assert call("entity", key="nobody") == []


def test_cluster_follows_confirmed_and_confident_links(call: Call, database: Database) -> None:
    database.write(
        "MATCH (l {uid: 'l0'}), (r {uid: 'r1'}) CREATE (l)-[:SAME_AS {pair: 'L:l0|R:r1', status: 'confirmed'}]->(r)"
    )
    database.write("MATCH (l {uid: 'l2'}), (r {uid: 'r0'}) CREATE (l)-[:SAME_AS]->(r)")  # a user's own
    joined = [("left", "l0"), ("right", "r0"), ("right", "r1")]
    assert keys(call("cluster", key="r1"), "side", "key") == joined
    assert keys(call("cluster", key="r1", confidence=0.5), "key") == [("l0",), ("l1",), ("r0",), ("r1",)]
    assert keys(call("cluster", key="l4"), "key") == [("l4",)]
    assert call("cluster", key="nobody") == []


def test_unmatched_stats_and_review_queue(call: Call, database: Database) -> None:
    call("confirm", left="l0", right="r0", by="ann")
    assert sorted(keys(call("unmatched", side="right", type="T0"), "key")) == [("r3",), ("r4",)]
    assert sorted(keys(call("unmatched", side="left", type="T0"), "key")) == [("l3",), ("l4",)]
    assert call("unmatched", side="left", type="nothing") == []
    assert keys(call("stats"), "type", "status", "confidence", "links") == [
        ("T0", "confirmed", "0.9 to 1.0", 1),
        ("T0", "predicted", "0.9 to 1.0", 1),
        ("T0", "predicted", "0.5 to 0.6", 1),
    ]
    assert keys(call("review_queue"), "left", "right", "neighbours") == [("l1", "r1", 0), ("l2", "r2", 0)]
    database.write("MATCH (l {uid: 'l2'}) UNWIND range(1, 200) AS i CREATE (l)-[:R0]->(:Leaf)")
    database.write("MATCH (:L {uid: 'l2'})-[s:SAME_AS]->() SET s.confidence = 0.6")
    assert keys(call("review_queue", type="T0", limit=1), "left", "neighbours") == [("l2", 200)]
    assert call("review_queue", type="nothing") == []


def test_runs_and_what_they_changed(call: Call, database: Database) -> None:
    (run,) = call("runs")
    assert (run["kind"], run["status"], run["created"], run["model"]) == ("align", "done", 3, "m")
    rows = call("run", id=run["id"])
    assert keys(rows, "kind", "pair", "before")[0] == ("created", "L:l0|R:r0", None)
    assert rows[0]["run"]["id"] == run["id"]
    assert len(rows) == 3
    assert call("run", id="nothing") == []


def test_jobs_are_asked_for_and_cancelled(call: Call) -> None:
    (job,) = call("submit", kind="align", options={"precision": 0.9})
    (found,) = call("job", id=job["id"])
    assert (job["status"], found["status"], found["job"]["precision"]) == ("queued", "queued", 0.9)
    assert keys(call("cancel", id=job["id"]), "status") == [("cancelled",)]
    assert call("submit", kind="delete") == [{"id": None, "status": "no kind of job: delete"}]
    assert call("submit", kind=None) == [{"id": None, "status": "no kind of job: null"}]
    assert call("submit", kind="sync", options=None)[0]["status"] == "queued"
    assert call("job", id="nothing") == call("cancel", id="nothing") == []


@pytest.mark.parametrize("verdict", ["confirm", "reject"])
def test_a_verdict_withdrawn_leaves_the_link_exactly_as_it_was(call: Call, database: Database, verdict: str) -> None:
    before = plain.snapshot(database)
    given = call(verdict, left="l0", right="r0", by="ann", note="sure")
    assert given == [{"pair": "L:l0|R:r0", "status": f"{verdict}ed", "contradicts": []}]
    assert call(verdict, left="l0", right="r0", by="bob")[0]["contradicts"] == []  # twice is as once
    assert plain.snapshot(database) != before
    withdrawn = "confirmation" if verdict == "confirm" else "rejection"
    assert call("withdraw", left="l0", right="r0") == [{"pair": "L:l0|R:r0", "withdrawn": withdrawn, "link": True}]
    assert plain.snapshot(database) == before
    assert call("withdraw", left="l0", right="r0") == call("withdraw", left="l0", right="nobody") == []


def test_confirmed_links_say_who_and_what_was_predicted(call: Call, database: Database) -> None:
    call("confirm", left="l1", right="r1", by="ann", note="same year")
    link = plain.snapshot(database)[1]["link"]
    assert (link["status"], link["confidence"], link["predicted"]) == ("confirmed", 1.0, 0.55)
    assert (link["decided_by"], link["note"]) == ("ann", "same year")
    call("confirm", left="l3", right="r4")
    call("reject", left="l4", right="r4", by="bob")
    assert call("withdraw", left="l3", right="r4")[0]["link"] is False
    assert call("withdraw", left="l4", right="r4")[0]["link"] is False
    assert len(plain.pairs(database)) == 3


def test_what_cannot_be_judged_is_told_and_writes_nothing(call: Call, database: Database) -> None:
    database.write("CREATE (:L:Other {uid: 'odd'})")
    before = database.read("MATCH ()-[s]->() RETURN properties(s) AS link ORDER BY s.pair")
    for verdict in ("confirm", "reject"):
        assert call(verdict, left="nobody", right="r0")[0]["status"] == "no such left entity"
        assert call(verdict, left="odd", right="r0")[0]["status"] == "no such left entity"
        assert call(verdict, left="l0", right="l0")[0]["status"] == "no such right entity"
        assert call(verdict, left=None, right=None)[0]["status"] == "no such left entity"
    assert database.read("MATCH ()-[s]->() RETURN properties(s) AS link ORDER BY s.pair") == before


def test_contradictions_are_told(call: Call, database: Database) -> None:
    call("confirm", left="l0", right="r0", by="ann")
    assert call("reject", left="l0", right="r0", by="bob")[0]["contradicts"] == ["confirmed by ann"]
    assert call("confirm", left="l0", right="r0", by="ann")[0]["contradicts"] == ["rejected by bob"]
    assert call("confirm", left="l0", right="r3")[0]["contradicts"] == ["L:l0|R:r0 is confirmed"]
    call("reject", left="l4", right="r4")
    database.write(
        "MATCH (l {uid: 'l4'}), (r {uid: 'r4'}) CREATE (l)-[:SAME_AS {pair: 'L:l4|R:r4', status: 'predicted'}]->(r)"
    )
    assert [(row["kind"], row["pairs"], row["persons"]) for row in call("conflicts")] == [
        ("confirmed and rejected", ["L:l0|R:r0"] * 2, ["ann", "bob"]),
        ("linked and rejected", ["L:l4|R:r4"] * 2, []),
        ("several links", ["L:l0|R:r0", "L:l0|R:r3"], ["ann"]),
    ]
    rows = call("withdraw", left="l0", right="r0")
    assert keys(rows, "withdrawn", "link") == [("confirmation", True), ("rejection", False)]


def rename(database: Database, old: str, new: str) -> None:
    """Give an entity of the left another key, and its old key to a new one."""
    database.write("MATCH (n {uid: $old}) SET n.uid = $new CREATE (:L:T0 {uid: $old})", old=old, new=new)


def test_a_prediction_on_an_entity_renamed_since_gives_way(call: Call, database: Database) -> None:
    rename(database, "l0", "l9")
    assert call("confirm", left="l0", right="r0") == [{"pair": "L:l0|R:r0", "status": "confirmed", "contradicts": []}]
    assert plain.pairs(database) == {("l0", "r0"): 1.0, ("l1", "r1"): 0.55, ("l2", "r2"): 0.95}


@pytest.mark.parametrize("verdict", ["confirm", "reject"])
def test_a_verdict_on_an_entity_renamed_since_stays_and_is_named(call: Call, database: Database, verdict: str) -> None:
    call(verdict, left="l3", right="r3", by="ann")
    rename(database, "l3", "l9")
    before = plain.snapshot(database)
    assert call(verdict, left="l3", right="r3")[0]["status"] == (
        "its name still stands on a verdict on l9 and r3, whose keys have changed: withdraw that first"
    )
    assert plain.snapshot(database) == before
    assert len(call("withdraw", left="l9", right="r3")) == 1
    assert call(verdict, left="l3", right="r3")[0]["status"] == f"{verdict}ed"


def test_a_prediction_whose_name_was_taken_since_stays_away(call: Call, database: Database) -> None:
    call("reject", left="l0", right="r0")
    rename(database, "l0", "l9")
    call("confirm", left="l0", right="r0")
    database.write("MATCH (run:AlignRun) SET run.many = ['T0']")  # so that none takes another's place
    assert keys(call("withdraw", left="l9", right="r0"), "withdrawn", "link") == [("rejection", False)]
    assert ("l0", "r0") in plain.pairs(database)


def test_of_a_type_that_may_have_several_links_none_stands_against_another(call: Call, database: Database) -> None:
    before = plain.snapshot(database)
    call("reject", left="l0", right="r0")
    call("confirm", left="l0", right="r3")
    assert keys(call("withdraw", left="l0", right="r0"), "link") == [(False,)]  # l0 | r3 took its place
    call("confirm", left="l0", right="r0")
    assert len(call("conflicts")) == 1

    database.write("MATCH (run:AlignRun) SET run.many = ['T0']")
    assert call("conflicts") == []
    assert call("confirm", left="l0", right="r4")[0]["contradicts"] == []
    call("withdraw", left="l0", right="r0")
    call("withdraw", left="l0", right="r4")
    call("reject", left="l1", right="r1")
    call("confirm", left="l1", right="r4")
    assert keys(call("withdraw", left="l1", right="r1"), "link") == [(True,)]
    call("withdraw", left="l1", right="r4")
    call("withdraw", left="l0", right="r3")
    assert plain.snapshot(database) == before[1:]


def test_a_third_graph_takes_no_part(call: Call, database: Database) -> None:
    """Another alignment of the left graph with a graph X: its links are neither counterparts nor contradictions."""
    database.write(
        "MATCH (l {uid: 'l3'}) "
        "CREATE (l)-[:SAME_AS {pair: 'L:l3|X:x', confidence: 1.0, status: 'confirmed'}]->(:X:T0 {uid: 'x'})"
    )
    assert ("l3",) in keys(call("unmatched", side="left", type="T0"), "key")
    assert call("confirm", left="l3", right="r3")[0]["contradicts"] == []
    assert call("conflicts") == []
    (row,) = call("entity", key="l3")
    assert [one["key"] for one in row["counterparts"]] == ["r3"]


HOSTILE = ["a|b:c~'", "it's", '"', "`$key`", "{a}", "7", "7.0", " 7", "é😀\n", "//", ""]


def test_hostile_keys(database: Database) -> None:
    plain.write(database, plain.load(database, 1), {})
    database.write(
        "UNWIND range(0, size($keys) - 1) AS i CREATE (:L:T0 {uid: $keys[i]}), (:R:T0 {uid: 'r' + $keys[i]})",
        keys=HOSTILE,
    )
    for call in (caller(database, "package"), caller(database, "statement"), caller(database, "installed")):
        for key in HOSTILE:
            given = call("confirm", left=key, right=f"r{key}")
            pair = links.pair_name(plain.CONFIG, key, f"r{key}")
            assert given == [{"pair": pair, "status": "confirmed", "contradicts": []}]
            assert keys(call("same_as", key=key), "pair", "other") == [(pair, f"r{key}")]
            assert len(call("withdraw", left=key, right=f"r{key}")) == 1


@pytest.fixture(params=["package", "statement", "installed"])
def numbers(request: pytest.FixtureRequest, database: Database) -> Call:
    """Sides told apart by a property, with whole numbers as keys that both sides share."""
    checks.create_indexes(database, NUMBERS)
    database.write(
        "UNWIND range(0, 4) AS i CREATE (:T0 {id: i, source: 'one', name: 'n' + i}), "
        "(:T0 {id: i, source: \"it's\", title: 'n' + i}), (:T0 {id: i, source: 'third'})"
    )
    database.write("CREATE (:T1 {id: 9, source: 'one'})")
    return caller(database, request.param, NUMBERS)


def test_a_key_that_several_entities_have_is_not_judged(numbers: Call, database: Database) -> None:
    database.write("CREATE (:T0 {id: '1', source: 'one'}), (:T0 {id: '2', source: \"it's\"})")
    for verdict in ("confirm", "reject"):
        assert numbers(verdict, left=1, right=0)[0]["status"] == "several left entities have this key"
        assert numbers(verdict, left="0", right="2")[0]["status"] == "several right entities have this key"
    assert database.read("MATCH ()-[s]->() RETURN s") == []


def test_sides_by_property_and_whole_numbers_as_keys(numbers: Call, database: Database) -> None:
    pair = links.pair_name(NUMBERS, 1, 2)
    for left, right in ((1, 2), ("1", "2"), (1.0, 2.0)):  # JavaScript's driver sends 1.0
        assert numbers("confirm", left=left, right=right) == [{"pair": pair, "status": "confirmed", "contradicts": []}]
    for key in (1.5, "1.5", "01", " 1", True, [1], "one"):
        assert numbers("same_as", key=key) == []
        assert numbers("confirm", left=key, right=2)[0]["status"] == "no such left entity"
    assert numbers("confirm", left=9, right=2)[0]["status"] == "not of one type"
    assert keys(numbers("same_as", key=1), "side", "other") == [("left", 2)]
    assert keys(numbers("same_as", key="2"), "side", "other") == [("right", 1)]
    assert keys(numbers("cluster", key=1), "side", "key") == [("left", 1), ("right", 1), ("right", 2)]
    entities = {row["side"]: row for row in numbers("entity", key=1)}
    assert [one["name"] for one in entities["left"]["attributes"]] == ["name"]
    assert entities["left"]["conflicts"] == ["name"]
    assert sorted(keys(numbers("unmatched", side="left", type="T0"), "key")) == [(0,), (2,), (3,), (4,)]
    assert sorted(keys(numbers("unmatched", side="right", type="T0"), "key")) == [(0,), (1,), (3,), (4,)]
    assert keys(numbers("stats"), "status", "links") == [("confirmed", 1)]
    assert numbers("reject", left=3, right=3)[0]["pair"] == links.pair_name(NUMBERS, 3, 3)
    assert len(database.read("MATCH ()-[s:SAME_AS|NOT_SAME_AS]->() RETURN s")) == 2
