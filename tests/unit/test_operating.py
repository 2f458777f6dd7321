"""The threshold for a precision: on the curve, against its definition, and on links drawn anew."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neo4j_align.operating import FEWEST, POINTS, SLACK, TRUSTED, Operating, Point, Target, trace

links = st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.8, 0.9, 0.99, 1.0]), st.booleans()), max_size=60)
targets = st.floats(0.05, 0.999)


def columns(rows: list[tuple[float, bool]]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    rows = rows + [(0.95, True)] * FEWEST
    return np.array([value for value, _ in rows]), np.array([same for _, same in rows], dtype=bool)


def drawn(count: int, seed: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Confidences that mean what they say."""
    random = np.random.default_rng(seed)
    confidence = np.round(random.beta(2, 0.6, count), 6)
    return confidence, random.random(count) < confidence


@settings(max_examples=150, deadline=None)
@given(links, targets)
def test_the_threshold_is_the_laxest_that_reaches_the_precision(rows: list[tuple[float, bool]], target: float) -> None:
    """By definition, cut by cut: with so few different confidences every cut is a point."""
    confidence, same = columns(rows)
    gold = int(same.sum()) + 3
    curve = trace(confidence, same, gold)
    reached = {}
    for level in set(confidence):
        kept = confidence >= level
        expected = (same[kept].sum() + TRUSTED * confidence[kept].mean()) / (kept.sum() + TRUSTED)
        if round(expected, 6) >= target:
            reached[level] = kept
    threshold = curve.threshold(target)
    if not reached:
        assert threshold == math.inf
        return
    kept = reached[min(reached)]
    np.testing.assert_array_equal(confidence >= threshold, kept)
    point = curve.at(threshold)
    assert (point.threshold, point.links) == (threshold, kept.sum())
    assert point.precision is not None
    assert point.precision >= target
    assert point.recall == pytest.approx(same[kept].sum() / gold, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(st.integers(FEWEST, 3_000), st.integers(0, 1_000))
def test_a_curve_is_short_and_in_order(count: int, seed: int) -> None:
    confidence, same = drawn(count, seed)
    curve = trace(confidence, same, count)
    if same.sum() < FEWEST:
        assert curve == Operating()
        return
    assert len(curve.thresholds) == len(curve.links) == len(curve.precision) == len(curve.recall) <= POINTS
    assert (np.diff(curve.thresholds) < 0).all()
    assert (np.diff(curve.links) > 0).all()
    assert (np.diff(curve.recall) >= 0).all()
    assert all(0 <= value <= 1 for value in (*curve.thresholds, *curve.precision, *curve.recall))
    assert curve.links[-1] == count
    assert Operating.model_validate_json(curve.model_dump_json()) == curve


@settings(max_examples=100, deadline=None)
@given(links, targets, targets)
def test_more_precision_never_lowers_the_threshold(rows: list[tuple[float, bool]], one: float, other: float) -> None:
    curve = trace(*columns(rows), len(rows) + FEWEST)
    assert curve.threshold(min(one, other)) <= curve.threshold(max(one, other))


@pytest.mark.parametrize("target", [0.85, 0.9, 0.95])
def test_the_precision_is_met_within_a_point_on_links_that_were_not_seen(target: float) -> None:
    threshold = trace(*drawn(5_000, 1), 5_000).threshold(target)
    confidence, same = drawn(100_000, 2)
    assert same[confidence >= threshold].mean() == pytest.approx(target, abs=0.01)


def test_without_a_curve_each_link_is_as_probable_as_was_asked() -> None:
    curve = trace(np.ones(FEWEST - 1), np.ones(FEWEST - 1, bool), 100)
    assert curve == Operating()
    assert curve.threshold(0.9) == 0.9
    assert curve.at(0.9) == Point(0.9)


def test_a_precision_that_is_out_of_reach_links_nothing() -> None:
    confidence = np.full(40, 0.6)
    curve = trace(confidence, np.arange(40) < 24, 40)
    assert curve.threshold(0.9) == math.inf
    assert curve.at(math.inf) == Point(None)
    assert "no threshold reaches precision 0.9" in Target(0.9, {"film": Point(None)}).warnings()[0]


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 5_000), st.floats(0.5, 1), st.floats(0.5, 0.99))
def test_the_links_that_are_missing_are_just_enough_to_promise(count: int, precision: float, target: float) -> None:
    missing = Point(0.5, count, max(precision, target), 1.0).missing(target)
    enough = Point(0.5, count + missing, max(precision, target), 1.0)
    assert enough.at_least >= target - SLACK - 1e-9
    assert enough.missing(target) == 0
    if missing > 1:
        assert Point(0.5, count + missing - 1, max(precision, target), 1.0).at_least < target - SLACK


def test_what_people_are_told() -> None:
    points = {
        "film": Point(0.7, 5_000, 0.951, 0.9),
        "song": Point(0.8, 27, 0.96, 0.8),
        "album": Point(0.95),
        "book": Point(0.1, 900, 0.7, 1.0),
    }
    said = {text.split(":")[0]: text for text in Target(0.95, points).warnings()}
    assert said.keys() == {"song", "album", "book"}
    assert "27 validation links are too few" in said["song"]
    assert f"about {points['song'].missing(0.95):,} more true links" in said["song"]
    assert "too few links to promise precision 0.95; those of confidence 0.95 and more are taken" in said["album"]
    assert "threshold 0.1 of the configuration gives 0.700, not precision 0.95" in said["book"]
    document = Target(0.95, points).document()
    assert document["precision"] == 0.95
    figures = {"threshold", "links", "precision", "recall", "at_least", "promised", "missing"}
    assert document["types"]["film"].keys() == figures
    assert [kind for kind, point in document["types"].items() if point["promised"]] == ["film"]
