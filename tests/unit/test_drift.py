"""Drift: an index of zero for the same graph, and of much for another."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neo4j_align.resolve import drift
from tests.unit import builders

PAIRS = builders.pairs([(left, right) for left in range(4) for right in range(4, 8)])
LEFT = PAIRS.left.astype(np.int64)
FULL = builders.nodes(list("abcd"), list("abcd"))
shares = st.lists(st.integers(0, 50), min_size=3, max_size=3).filter(any)


def test_the_same_graph_has_not_moved() -> None:
    described = drift.describe(FULL, LEFT, PAIRS, np.linspace(-5, 5, 16, dtype=np.float64))
    assert set(drift.stability(described, described).values()) == {0.0}
    assert set(described) == {"scores", "first candidates", "filled name"}
    assert all(sum(values) == pytest.approx(1) for values in described.values())


def test_whose_counterparts_were_kept_away_are_no_reference() -> None:
    """They have other candidates than they will have, whatever the graph does."""
    fewer = builders.pairs([(left, right) for left in range(4) for right in range(4, 8) if left or right > 5])
    score = np.array([9.0] * 2 + [0.0] * 12)
    described = drift.describe(FULL, fewer.left, fewer, score, np.array([0]))
    assert set(drift.since(described, FULL, LEFT, PAIRS, np.zeros(16)).values()) == {0.0}
    assert (
        drift.since(drift.describe(FULL, fewer.left, fewer, score), FULL, LEFT, PAIRS, np.zeros(16))["first candidates"]
        > drift.MOVED
    )


def test_what_moved_is_named(caplog: pytest.LogCaptureFixture) -> None:
    before = drift.describe(FULL, LEFT, PAIRS, np.full(16, -4.0))
    emptied = builders.nodes([None, None, None, "d"], [None, "b", None, None])
    with caplog.at_level(logging.WARNING):
        index = drift.since(before, emptied, LEFT, PAIRS, np.full(16, 4.0))
    assert index["scores"] > drift.MOVED
    assert index["filled name"] > drift.MOVED
    assert index["first candidates"] == 0
    assert "scores" in caplog.text
    assert "filled name" in caplog.text
    assert "candidates" not in caplog.text


@given(shares, shares)
def test_the_index_is_never_negative_and_the_same_both_ways(one: list[int], other: list[int]) -> None:
    p, q = ([value / sum(values) for value in values] for values in (one, other))
    there, back = (drift.stability({"x": a}, {"x": b})["x"] for a, b in ((p, q), (q, p)))
    assert there == back >= 0


def test_a_model_of_before_knows_nothing_of_it() -> None:
    assert drift.since({}, FULL, LEFT, PAIRS, np.zeros(16)) == {}
