"""Anchors: unique names, and what a look is sure of, against the same in plain Python."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neo4j_align.gnn.rivals import taken
from neo4j_align.records import SURE, Anchors
from neo4j_align.resolve import anchors
from tests.unit import builders
from tests.unit.builders import nodes, objects, pairs

TYPES = [0, 0, 0, 1, 1] * 2
names = st.lists(st.sampled_from(["", "alien", "matrix", "heat", "ran"]), min_size=10, max_size=10)


def links(found: Anchors) -> set[tuple[int, int]]:
    """The links of anchors, after a look at their form."""
    linked = np.flatnonzero(found.twin >= 0)
    np.testing.assert_array_equal(found.twin[found.twin[linked]], linked)
    np.testing.assert_array_equal(found.confidence[found.twin < 0], 0)
    np.testing.assert_array_equal(found.confidence[linked], found.confidence[found.twin[linked]])
    return {(at, int(found.twin[at])) for at in linked.tolist() if at < found.twin[at]}


@given(names)
def test_names_that_one_entity_a_side_bears(drawn: list[str]) -> None:
    entities = nodes([None] * 5, [None] * 5, TYPES)
    bearers = Counter(zip(entities.side.tolist(), TYPES, drawn, strict=True))
    expected = {
        (left, right)
        for left in range(5)
        for right in range(5, 10)
        if drawn[left] == drawn[right] != ""
        and TYPES[left] == TYPES[right]
        and bearers[0, TYPES[left], drawn[left]] == bearers[1, TYPES[left], drawn[left]] == 1
    }
    found = anchors.of_names(entities, objects(drawn))
    assert links(found) == expected
    assert found.sure.sum() == 2 * len(expected)


@settings(deadline=None)
@given(st.lists(st.sampled_from([0.2, 0.6, SURE, 0.99]), min_size=9, max_size=9))
def test_the_best_one_to_one_pairs_of_a_judged_type_and_the_names_of_the_other(drawn: list[float]) -> None:
    entities = nodes([None] * 5, [None] * 5, TYPES)
    both = pairs([(left, right) for left in range(3) for right in range(5, 8)])
    confidence = np.array(drawn)
    named = anchors.of_names(entities, objects(["a", "b", "c", "d", "e"] * 2))

    found = anchors.of_scores(entities, both, confidence, confidence, np.array([True, False]), named)
    expected: dict[int, int] = {}
    for row in sorted(range(9), key=lambda row: (-confidence[row], row)):
        left, right = int(both.left[row]), int(both.right[row])
        if left not in expected and right not in expected.values():
            expected[left] = right
    assert links(found) == {*expected.items(), (3, 8), (4, 9)}
    sure = {left for left, right in expected.items() if confidence[left * 3 + right - 5] >= SURE}
    assert set(np.flatnonzero(found.sure[:5])) == sure | {3, 4}


def test_identities_are_shared_by_sure_counterparts_alone() -> None:
    found = builders.anchors(6, {(0, 3): 0.95, (1, 4): 0.5})
    assert found.identity.tolist() == [0, -1, -1, 0, -1, -1]


def test_rivals_are_the_counterparts_that_are_not_of_the_pair() -> None:
    known = builders.anchors(6, {(0, 3): 0.95, (1, 4): 0.5})
    values, columns = taken(known, pairs([(0, 3), (0, 4), (0, 5), (1, 3), (2, 3), (2, 5)]))
    expected = np.array([[0, 0], [0.95, 0.5], [0.95, 0], [0.95, 0.5], [0.95, 0], [0, 0]], np.float32)
    np.testing.assert_array_equal(values, expected)
    assert len(columns) == 2
