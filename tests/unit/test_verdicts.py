"""A person's verdicts: they overrule anchors and are labels, whatever the machine thinks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from neo4j_align.records import Anchors, Verdicts
from neo4j_align.resolve import guesses, labels, verdicts
from tests.unit import builders

SIZE = 5
NODES = builders.nodes([f"a{i}" for i in range(SIZE)], [f"b{i}" for i in range(SIZE)])
lefts, rights = st.integers(0, SIZE - 1), st.integers(SIZE, 2 * SIZE - 1)
some = st.frozensets(st.tuples(lefts, rights), max_size=6)


@st.composite
def anchored(draw: st.DrawFn) -> Anchors:
    twin, confidence = np.full(2 * SIZE, -1), np.zeros(2 * SIZE, np.float32)
    order = draw(st.permutations(range(SIZE, 2 * SIZE)))
    for left, right in enumerate(order):
        if draw(st.booleans()):
            twin[left], twin[right] = right, left
            confidence[[left, right]] = draw(st.sampled_from([0.2, 0.95]))
    return Anchors(twin, confidence)


@given(anchored(), some, some)
def test_anchors_keep_to_verdicts(
    anchors: Anchors, confirmed: frozenset[tuple[int, int]], rejected: frozenset[tuple[int, int]]
) -> None:
    found = verdicts.overruled(anchors, Verdicts(confirmed, rejected))
    twin = found.twin

    for entity in range(2 * SIZE):
        assert twin[entity] < 0 or twin[twin[entity]] == entity
        assert (twin[entity] >= 0) == (found.confidence[entity] > 0)
    for left, right in rejected - confirmed:
        assert twin[left] != right
    alone = [
        pair
        for pair in confirmed - rejected
        if sum(bool(set(pair) & set(other)) for other in confirmed - rejected) == 1
    ]
    for left, right in alone:
        assert twin[left] == right
        assert found.confidence[left] == found.confidence[right] == 1
    judged = {entity for pair in confirmed | rejected for entity in pair}
    for left in range(SIZE):
        if not {left, anchors.twin[left]} & judged:
            assert twin[left] == anchors.twin[left]
            assert found.confidence[left] == anchors.confidence[left]


@given(anchored(), some)
def test_disputed_verdicts_say_nothing(anchors: Anchors, both: frozenset[tuple[int, int]]) -> None:
    found = verdicts.overruled(anchors, Verdicts(both, both))
    np.testing.assert_array_equal(found.twin, anchors.twin)
    assert not len(verdicts.as_labels(Verdicts(both, both), NODES, ("T0",), 0).left)


def rows(of: labels.Labels) -> dict[tuple[int, int], tuple[bool, str]]:
    columns = zip(of.left.tolist(), of.right.tolist(), of.same.tolist(), of.split.tolist(), strict=True)
    return {(left, right): (same, split) for left, right, same, split in columns}


def test_verdicts_are_labels_of_single_pairs() -> None:
    given = Verdicts(frozenset({(0, 5), (1, 6)}), frozenset({(2, 7)}))
    judged = verdicts.as_labels(given, NODES, ("T0",), 0)
    assert {pair: same for pair, (same, _) in rows(judged).items()} == {(0, 5): True, (1, 6): True, (2, 7): False}
    assert set(judged.split) <= {"train", "valid"}
    assert set(judged.kind) == {"T0"}
    assert not judged.listed


def test_verdicts_take_the_place_of_labels_and_never_leave_the_test_split() -> None:
    table = pd.DataFrame({"left": ["l0", "l1", "l2"], "right": ["r0", "r1", "r2"], "split": ["train", "train", "test"]})
    known = labels.read(table, NODES, ("T0",), 0)
    given = Verdicts(frozenset({(3, 8)}), frozenset({(0, 5), (2, 8 - 1), (4, 7)}))
    found = rows(verdicts.added(known, verdicts.as_labels(given, NODES, ("T0",), 0)))

    assert found[0, 5][0] is False
    assert found[0, 5][1] != "test"
    assert found[1, 6] == (True, "train")
    assert found[2, 7] == (False, "test")  # the left entity is of the test split, and so
    assert found[4, 7] == (False, "test")  # is the right one
    assert found[3, 8][1] != "test"
    assert len(found) == 5


def test_a_guess_gives_way_where_an_end_belongs_to_another() -> None:
    guessed = guesses.of_anchors(builders.anchors(10, {(0, 5): 1.0, (1, 6): 1.0, (2, 7): 1.0, (3, 8): 1.0}),
                                np.zeros((0, 2), np.int64), NODES, ("T0",), 0, np.ones(1, bool))  # fmt: skip
    said = verdicts.as_labels(Verdicts(frozenset({(0, 6)}), frozenset({(2, 8)})), NODES, ("T0",), 0)
    found = rows(verdicts.added(guessed, said))
    assert set(found) == {(2, 7), (3, 8), (0, 6), (2, 8)}
    assert [found[pair][0] for pair in ((2, 7), (3, 8), (0, 6), (2, 8))] == [True, True, True, False]


def test_a_rejected_pair_counts_where_the_list_says_nothing_of_its_entities() -> None:
    """A list of links covers few entities; a rejection of others is a negative label all the same."""
    table = pd.DataFrame({"left": ["l0"], "right": ["r0"], "split": ["train"]})
    known = labels.read(table, NODES, ("T0",), 0)
    known = verdicts.added(known, verdicts.as_labels(Verdicts(rejected=frozenset({(3, 8)})), NODES, ("T0",), 0))
    same, split = labels.judge(known, NODES, builders.pairs([(0, 5), (3, 8), (4, 8)]), 0)
    assert same.tolist() == [1, 0, -1]
    assert split[1] in ("train", "valid")
