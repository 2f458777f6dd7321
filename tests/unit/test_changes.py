"""The parser of Neo4j's log of changes, on events as its documentation shows them."""

from __future__ import annotations

from typing import Any

from neo4j_align.store.changes import touched

LABELS, RELATIONS = {"Film", "Person"}, {"ACTED_IN"}


def node(id_: str, operation: str, before: list[str] | None, after: list[str] | None) -> dict[str, Any]:
    """An event of a node; a created node has no state before, a deleted one none after."""
    states: dict[str, Any] = {
        name: None if labels is None else {"labels": labels, "properties": {"uid": id_}}
        for name, labels in (("before", before), ("after", after))
    }
    return {
        "elementId": id_,
        "eventType": "n",
        "operation": operation,
        "labels": before or after,
        "keys": {},
        "state": states,
    }


def relationship(id_: str, kind: str) -> dict[str, Any]:
    end = {"elementId": "4:x:1", "labels": ["Person"], "keys": {}}
    states: dict[str, Any] = {"before": None, "after": {"properties": {}}}
    return {
        "elementId": id_,
        "eventType": "r",
        "operation": "c",
        "type": kind,
        "start": end,
        "end": end,
        "state": states,
    }


def test_events_of_mapped_nodes_and_relationships_count_once_each() -> None:
    events = [
        node("1", "c", None, ["Film"]),
        node("1", "u", ["Film"], ["Film"]),
        node("2", "d", ["Person"], None),
        node("3", "u", ["Film"], ["Book"]),  # a label that it lost
        node("4", "c", None, ["AlignRun"]),
        relationship("5", "ACTED_IN"),
        relationship("6", "SAME_AS"),
    ]
    assert touched(events, LABELS, RELATIONS) == 4
    assert touched([], LABELS, RELATIONS) == 0
