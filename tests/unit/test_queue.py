from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from neo4j_align.records import Verdicts
from neo4j_align.resolve import queue
from tests.unit.builders import neighbourhood, pairs

SIDE = 5  # entities a side: 0 to 4 left, 5 to 9 right


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[float], list[list[tuple[int, int]]]]:
    """Candidate pairs with confidences, and neighbours of each entity on its own side, some by two relations."""
    rows = draw(st.sets(st.tuples(st.integers(0, SIDE - 1), st.integers(SIDE, 2 * SIDE - 1))))
    confidence = draw(st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), min_size=len(rows), max_size=len(rows)))
    relations = st.sampled_from([1, -1, 2])
    lists = [
        draw(st.lists(st.tuples(st.integers(start, start + SIDE - 1), relations), max_size=4, unique=True))
        for start in [0] * SIDE + [SIDE] * SIDE
    ]
    return sorted(rows), confidence, lists


@given(graphs())
def test_influence_is_the_uncertainty_of_the_pairs_that_look_at_it(
    graph: tuple[list[tuple[int, int]], list[float], list[list[tuple[int, int]]]],
) -> None:
    rows, confidence, lists = graph
    around = [{neighbour for neighbour, _ in drawn} for drawn in lists]
    expected = [
        sum(
            4 * c * (1 - c)
            for (one, other), c in zip(rows, confidence, strict=True)
            if left in around[one] and right in around[other]
        )
        for left, right in rows
    ]
    found = queue.influence(pairs(rows), np.array(confidence), neighbourhood(lists))
    np.testing.assert_allclose(found, expected, atol=1e-9)


@given(graphs())
def test_order_takes_the_best_of_those_whose_turn_it_is(
    graph: tuple[list[tuple[int, int]], list[float], list[list[tuple[int, int]]]],
) -> None:
    rows, value, _ = graph
    found = queue.order(pairs(rows), np.array(value)).tolist()
    assert sorted(found) == list(range(len(rows)))
    best = sorted(range(len(rows)), key=lambda row: (-value[row], row))
    seen: dict[int, int] = {}
    turns = {}
    for row in best:
        turns[row] = max(seen.get(entity, 0) for entity in rows[row])
        for entity in rows[row]:
            seen[entity] = seen.get(entity, 0) + 1
    assert found == sorted(best, key=lambda row: (turns[row], -value[row], row))


def test_a_doubtful_pair_that_others_look_at_comes_before_one_alone() -> None:
    # Films 0 and 5 may be the same or not, and so may 1 and 6; their directors 2 and 7 are who both films look at.
    around = neighbourhood([[(2, 1)], [(2, 1)], [], [], [], [(7, 1)], [(7, 1)], [], [], []])
    rows, confidence = [(0, 5), (1, 6), (2, 7), (3, 8)], np.array([0.5, 0.5, 0.5, 0.999])
    value = queue.worth(pairs(rows), confidence, around)
    np.testing.assert_allclose(value[:3], [1, 1, math.log2(4)])
    assert queue.order(pairs(rows), value).tolist() == [2, 0, 1, 3]


@given(graphs(), st.data())
def test_settled_are_the_judged_and_what_a_confirmation_takes(
    graph: tuple[list[tuple[int, int]], list[float], list[list[tuple[int, int]]]], data: st.DataObject
) -> None:
    rows = graph[0]
    some = st.sets(st.sampled_from(rows)) if rows else st.just(set[tuple[int, int]]())
    confirmed, rejected = data.draw(some), data.draw(some)
    alone = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    expected = [
        row in confirmed | rejected or (one and any(row[0] == left or row[1] == right for left, right in confirmed))
        for row, one in zip(rows, alone, strict=True)
    ]
    verdicts = Verdicts(frozenset(confirmed), frozenset(rejected))
    assert queue.settled(pairs(rows), np.array(alone, bool), verdicts).tolist() == expected
