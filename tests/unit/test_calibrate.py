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


def penalised(curve: Curve, logits: npt.NDArray[Any], same: npt.NDArray[Any]) -> float:
    """Firth's objective by its definition: the likelihood, times the root of the information's determinant."""
    line = curve.slope * logits + curve.offset
    likely = 1 / (1 + np.exp(-line))
    columns = np.stack([logits, np.ones_like(logits)], axis=1)
    information = columns.T @ (columns * (likely * (1 - likely))[:, None])
    likelihood = float((same * line - np.logaddexp(0, line)).sum())
    return likelihood + float(np.linalg.slogdet(information)[1]) / 2


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.5, 2.0, 1e9]))
def test_no_curve_near_by_is_better_by_firths_objective(seed: int, slope: float) -> None:
    random = np.random.default_rng(seed)
    logits = random.normal(0.5, 2, 120)
    same = random.random(120) < 1 / (1 + np.exp(-np.clip(slope * logits, -50, 50)))  # at 1e9 without an error
    (curve,) = calibrate.fit(logits, same, np.zeros(120, np.int16), 1)
    best = penalised(curve, logits, same)
    assert np.isfinite([curve.slope, curve.offset]).all()
    for wider, further in ((1.02, 0), (0.98, 0), (1, 0.05), (1, -0.05), (1.02, 0.05), (0.98, -0.05)):
        other = Curve(slope=curve.slope * wider, offset=curve.offset + further)
        assert penalised(other, logits, same) <= best + 1e-6


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3), st.floats(-100, 100))
def test_the_unit_of_the_scores_does_not_matter(seed: int, unit: float, origin: float) -> None:
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1, 100)
    same = logits + random.normal(0, 0.5, 100) > 0.3
    types = np.zeros(100, np.int16)
    other = logits * unit + origin
    found = calibrate.apply(calibrate.fit(other, same, types, 1), other, types)
    expected = calibrate.apply(calibrate.fit(logits, same, types, 1), logits, types)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_few_separable_labels_do_not_flatten_the_curve() -> None:
    """What a ridge does to a network of small logits: nothing would be certain."""
    logits = np.r_[np.linspace(-0.9, -0.5, 80), np.linspace(0.5, 0.9, 27)]
    same = logits > 0
    (curve,) = calibrate.fit(logits, same, np.zeros(107, np.int16), 1)
    assert calibration_error(same, curve(logits)) < 0.05
    assert curve(np.array([0.9]))[0] > 0.97


def test_scores_without_a_difference_have_no_curve() -> None:
    same = np.arange(100) < 50
    assert calibrate.fit(np.full(100, 0.3), same, np.zeros(100, np.int16), 1) == (Curve(),)


def test_types_with_few_labels_share_a_curve_and_others_have_their_own() -> None:
    logits, same = labelled(2.0, 1.0)
    types = ONE_TYPE.copy()
    types[-9:] = 1
    curves = calibrate.fit(logits, same, types, 3)
    assert curves[1] == curves[2] == calibrate.fit(logits, same, ONE_TYPE, 1)[0]
    assert curves[0] == calibrate.fit(logits[:-9], same[:-9], ONE_TYPE[:-9], 1)[0]
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


def test_curves_of_some_types_cross_one_half_at_a_logit_of_zero() -> None:
    curves = (Curve(slope=2, offset=1), Curve(slope=3, offset=-1))
    assert calibrate.centred(curves, {1}) == (curves[0], Curve(slope=3))
    assert calibrate.centred(curves, ()) == curves
