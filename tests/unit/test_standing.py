"""What becomes of a pair, against matching itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neo4j_align.records import Verdicts
from neo4j_align.resolve.match import match
from neo4j_align.resolve.standing import FIRST, stand
from tests.unit.builders import pairs

SIDE = 4  # entities a side
GRID = [(left, SIDE + right) for left in range(SIDE) for right in range(SIDE)]
LEVELS = st.sampled_from([0.1, 0.4, 0.5, 0.9, 0.95])  # few, so that there are ties
ENDS = st.sampled_from(GRID)


@given(
    st.lists(st.tuples(LEVELS, st.sampled_from([-1.0, 0.0, 1.0])), min_size=len(GRID), max_size=len(GRID)),
    st.sets(ENDS, max_size=2),
    st.sets(ENDS, max_size=2),
    ENDS,
    st.tuples(LEVELS, st.sampled_from([-1.0, 0.0, 1.0])),
    st.booleans(),
)
def test_a_pair_with_another_score_becomes_what_matching_would_make_of_it(
    scores: list[tuple[float, float]],
    confirmed: set[tuple[int, int]],
    rejected: set[tuple[int, int]],
    pair: tuple[int, int],
    other: tuple[float, float],
    alone: bool,
) -> None:
    grid, verdicts = pairs(GRID), Verdicts(frozenset(confirmed), frozenset(rejected))
    confidence, score = np.array(scores).T
    standing = stand(
        grid, confidence, score, np.zeros(2 * SIDE, np.int16), np.array([0.4]), np.array([alone]), verdicts, pair
    )
    row = GRID.index(pair)
    confidence, score = confidence.copy(), score.copy()
    confidence[row], score[row] = other
    threshold, exclusive = np.full(len(GRID), 0.4), np.full(len(GRID), alone)
    linked = row in match(grid, confidence, score, threshold, exclusive, confirmed, rejected)

    assert (standing.outcome(*other) == "linked") == linked
    assert (standing.outcome(*other) in ("confirmed", "rejected")) == (pair in confirmed | rejected)
    if pair not in confirmed | rejected and other[0] < 0.4:
        assert standing.outcome(*other) == "below threshold"


@pytest.mark.parametrize("confirmed", [False, True])
def test_the_link_that_takes_an_entity_is_named(confirmed: bool) -> None:
    grid = pairs([(0, 2), (0, 3), (1, 3)])
    verdicts = Verdicts(frozenset({(0, 2)})) if confirmed else Verdicts()
    standing = stand(
        grid, np.array([0.9, 0.7, 0.2]), np.zeros(3), np.zeros(4, np.int16), np.array([0.5]), np.array([True]),
        verdicts, (0, 3),
    )  # fmt: skip
    assert standing.link is not None
    assert standing.link[:2] == (0, 2)
    assert (standing.link[2] == FIRST) == confirmed
    assert standing.outcome(0.7, 0.0) == "taken"
    assert standing.outcome(0.95, 0.0) == ("taken" if confirmed else "linked")
