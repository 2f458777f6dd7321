"""Calibration: probabilities that mean what they say, in the order of the scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neo4j_align.gnn import calibrate
from neo4j_align.gnn.calibrate import Curve
from neo4j_align.resolve.evaluate import calibration_error

ONE_TYPE = np.zeros(4_000, np.int16)


def labelled(slope: float, offset: float, seed: int = 0) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Logits, and truth drawn with the probability that a curve gives them."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, len(ONE_TYPE))
    return logits, random.random(len(logits)) < 1 / (1 + np.exp(-(slope * logits + offset)))


@pytest.mark.parametrize(("slope", "offset"), [(1.0, 0.0), (0.3, -1.0), (4.0, 2.0)])
def test_finds_the_curve_that_the_labels_were_drawn_from(slope: float, offset: float) -> None:
    logits, same = labelled(slope, offset)
    (curve,) = calibrate.fit(logits, same, ONE_TYPE, 1)
    assert curve.slope == pytest.approx(slope, rel=0.15)
    assert curve.offset == pytest.approx(offset, abs=0.3)
    assert calibration_error(same, calibrate.apply((curve,), logits, ONE_TYPE)) < 0.03


def test_fewer_labels_than_needed_leave_the_scores_as_they_are() -> None:
    same = np.zeros(1_000, bool)
    same[: calibrate.FEWEST - 1] = True
    logits, types = np.linspace(5, -5, 1_000).astype(np.float64), np.zeros(1_000, np.int16)
    assert calibrate.fit(logits, same, types, 1) == (Curve(),)
    assert calibrate.fit(logits, ~same, types, 1) == (Curve(),)
    same[calibrate.FEWEST - 1] = True
    assert calibrate.fit(logits, same, types, 1) != (Curve(),)
    assert calibrate.fit(np.zeros(0), np.zeros(0, bool), np.zeros(0, np.int16), 2) == (Curve(), Curve())


def test_types_with_few_labels_share_a_curve_and_others_have_their_own() -> None:
    logits, same = labelled(2.0, 1.0)
    types = ONE_TYPE.copy()
    types[-10:] = 1
    curves = calibrate.fit(logits, same, types, 3)
    assert curves[1] == curves[2] == calibrate.fit(logits, same, ONE_TYPE, 1)[0]
    assert curves[0] == calibrate.fit(logits[:-10], same[:-10], ONE_TYPE[:-10], 1)[0]
    assert curves[0] != curves[1]


def test_scores_that_are_turned_around_do_not_turn_the_links_around() -> None:
    logits, same = labelled(1.0, 0.0)
    assert calibrate.fit(-logits, same, ONE_TYPE, 1) == (Curve(),)


def test_each_type_has_its_own_curve_applied() -> None:
    curves = (Curve(), Curve(slope=2.0, offset=-1.0))
    found = calibrate.apply(curves, np.array([0.0, 0.0, 1.0]), np.array([0, 1, 1], np.int16))
    assert found.tolist() == [0.5, round(1 / (1 + np.exp(1)), 6), round(1 / (1 + np.exp(-1)), 6)]


positive = st.floats(1e-3, 1e3)


@settings(max_examples=100, deadline=None)
@given(positive, st.floats(-1e3, 1e3), st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20))
def test_a_confidence_is_a_probability_of_six_digits_in_the_order_of_the_scores(
    slope: float, offset: float, logits: list[float]
) -> None:
    found = Curve(slope=slope, offset=offset)(np.sort(logits))
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found) >= 0).all()
    np.testing.assert_array_equal(found, np.round(found, 6))


def test_no_difference_in_the_tenth_digit_of_a_score_is_seen() -> None:
    logits = np.random.default_rng(0).normal(0, 3, 10_000)
    curve = Curve(slope=1.7, offset=-0.3)
    assert (curve(logits) == curve(logits + 1e-10)).mean() > 0.999
