"""Verdicts on the command line: one pair or a file, and what is wrong with either."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from neo4j_align.store import procedures, verdicts
from neo4j_align.store.database import Database
from tests.integration import plain
from tests.integration.conftest import Run, document


@pytest.fixture
def settled(run: Run, database: Database) -> Database:
    plain.write(database, plain.load(database, 4), {("l0", "r0"): 0.9, ("l1", "r1"): 0.8})
    return database


def given(run: Run, *arguments: Any, code: int = 0) -> Any:
    return run(*arguments, "--config", plain.SETTINGS, code=code)


def verdict(database: Database, kind: str, pair: str) -> dict[str, Any]:
    rows = database.read(f"MATCH ()-[s:{kind} {{pair: $pair}}]->() RETURN properties(s) AS verdict", pair=pair)
    found: dict[str, Any] = rows[0]["verdict"]
    return found


def test_a_pair_is_confirmed_rejected_and_withdrawn(run: Run, settled: Database) -> None:
    before = plain.snapshot(settled)
    assert "1 pairs confirmed" in given(run, "confirm", "l0", "r0", "--by", "ana", "--note", "same `poster` '\"").stdout
    found = verdict(settled, "SAME_AS", "L:l0|R:r0")
    assert (found["status"], found["confidence"], found["predicted"]) == ("confirmed", 1.0, 0.9)
    assert (found["decided_by"], found["note"]) == ("ana", "same `poster` '\"")

    given(run, "reject", "l1", "r1", "--by", "ana")
    assert ("l1", "r1") not in plain.pairs(settled)
    withdrawn = document(given(run, "withdraw", "l1", "r1", "--json"))["withdrawn"]
    assert withdrawn == [{"pair": "L:l1|R:r1", "withdrawn": "rejection", "link": True}]
    given(run, "withdraw", "l0", "r0")
    assert plain.snapshot(settled) == before
    assert "l0, r0: no verdict" in given(run, "withdraw", "l0", "r0", code=1).stderr


def test_who_decided_stays_when_somebody_confirms_without_a_name(settled: Database) -> None:
    for arguments in ({"by": "ana", "note": "same"}, {}):
        procedures.call(settled, plain.CONFIG, "confirm", left="l0", right="r0", **arguments)
    found = verdict(settled, "SAME_AS", "L:l0|R:r0")
    assert (found["decided_by"], found["note"]) == ("ana", "same")


def test_a_file_of_pairs(run: Run, settled: Database, tmp_path: Path) -> None:
    path = tmp_path / "checked.csv"
    path.write_text("left,right,by,note\nl2,r2,bob,\nl3,r3,,seen\nnix,r3,,\n")
    result = given(run, "confirm", "--csv", path, "--by", "ana", "--json", code=1)
    shown = document(result)
    assert shown["done"] == 2
    assert [(row["left"], row["status"]) for row in shown["failed"]] == [("nix", "no such left entity")]
    assert "1 of 3 pairs could not be judged" in result.stderr
    assert verdict(settled, "SAME_AS", "L:l2|R:r2")["decided_by"] == "bob"
    assert verdict(settled, "SAME_AS", "L:l3|R:r3")["decided_by"] == "ana"

    assert "is contradicted: confirmed by bob" in given(run, "reject", "l2", "r2", "--by", "eva").stdout


def test_a_file_of_pairs_is_withdrawn(run: Run, settled: Database, tmp_path: Path) -> None:
    before = plain.snapshot(settled)
    path = tmp_path / "checked.csv"
    path.write_text("left,right,by,note\nl0,r0,bob,\nl1,r1,,seen\n")
    given(run, "confirm", "--csv", path, "--by", "ana")
    path.write_text("left,right,by,note\nl0,r0,bob,\nnix,r0,,\nl1,r1,,seen\n")
    result = given(run, "withdraw", "--csv", path, "--by", "ana", "--json", code=1)
    shown = document(result)
    assert [row["pair"] for row in shown["withdrawn"]] == ["L:l0|R:r0", "L:l1|R:r1"]
    assert shown["failed"] == [{"left": "nix", "right": "r0", "by": "ana", "status": "no verdict by ana"}]
    assert "1 of 3 pairs" in result.stderr
    assert plain.snapshot(settled) == before


def test_of_two_verdicts_that_of_one_person_is_withdrawn(run: Run, settled: Database) -> None:
    given(run, "confirm", "l0", "r0", "--by", "ana")
    given(run, "reject", "l0", "r0", "--by", "bob")
    assert "l0, r0: no verdict by eva" in given(run, "withdraw", "l0", "r0", "--by", "eva", code=1).stderr
    said = given(run, "withdraw", "l0", "r0", "--by", "bob").stdout
    assert said == "1 verdicts withdrawn.\n  L:l0|R:r0: rejection\n"
    assert verdict(settled, "SAME_AS", "L:l0|R:r0")["status"] == "confirmed"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("left;right\nl0;r0\n", "with commas"),
        ("left,right,label\nl0,r0,0\n", "has a column label"),
        ("left,right\nl2,r2\nl3,\n", "Line 3 of"),
        ('left,right\n"l0,r0\n', "Cannot read"),
    ],
)
def test_a_file_that_cannot_be_used_changes_nothing(
    run: Run, settled: Database, tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "checked.csv"
    path.write_text(text)
    before = plain.snapshot(settled)
    assert said in given(run, "confirm", "--csv", path, code=1).stderr
    assert plain.snapshot(settled) == before


def test_what_to_judge_must_be_said_once(run: Run, settled: Database, tmp_path: Path) -> None:
    path = tmp_path / "checked.csv"
    path.write_text("left,right\nl0,r0\n")
    for command in ("confirm", "reject", "withdraw"):
        for arguments in ((), ("l0",), ("l0", "r0", "--csv", path)):
            given(run, command, *arguments, code=2)


def test_a_verdict_made_by_hand_without_a_time_can_be_read(run: Run, settled: Database) -> None:
    settled.write("MATCH (l {uid: 'l1'}), (r {uid: 'r2'}) CREATE (l)-[:NOT_SAME_AS {pair: 'L:l1|R:r2'}]->(r)")
    (found,) = verdicts.on(settled, plain.CONFIG, "l1", "r2")
    assert str(found) == "rejected by somebody at an unknown time"
    assert given(run, "verdicts", "list").stdout.splitlines()[2].split()[:3] == ["l1", "r2", "rejected"]


def test_verdicts_are_listed_newest_first(run: Run, settled: Database) -> None:
    assert given(run, "verdicts", "list").stdout == "There are no verdicts yet.\n"
    for command in (
        ("reject", "l1", "r1", "--by", "bob"),
        ("confirm", "l0", "r0", "--by", "ana", "--note", "same\nyear"),
    ):
        given(run, *command)
    given(run, "reject", "l0", "r0", "--by", "bob")
    found = document(given(run, "verdicts", "list", "--json"))["verdicts"]
    assert [(row["left"], row["right"], row["verdict"], row["by"], row["note"]) for row in found] == [
        ("l0", "r0", "confirmed", "ana", "same\nyear"),
        ("l0", "r0", "rejected", "bob", None),
        ("l1", "r1", "rejected", "bob", None),
    ]
    assert document(given(run, "verdicts", "list", "--by", "ana", "--json"))["verdicts"] == found[:1]
    lines = given(run, "verdicts", "list", "--limit", "1").stdout.splitlines()
    assert lines[0].split() == ["left", "right", "verdict", "by", "at", "note"]
    assert lines[2].split()[:4] == ["l0", "r0", "confirmed", "ana"]
    assert lines[2].endswith("same year")
    assert lines[3] == "  … and 2 more; --limit shows them."
