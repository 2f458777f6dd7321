"""The precision that verdicts tell: the interval against SciPy's, and what a biased sample must not pass for."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from neo4j_align.operating import wilson
from neo4j_align.resolve import estimate

verdicts = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=40)


def frame(rows: list[tuple[float, bool]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["thought", "same"])


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 5_000), st.floats(0, 1))
def test_the_interval_is_that_of_scipy(count: int, share: float) -> None:
    right = round(share * count)
    expected = binomtest(right, count).proportion_ci(0.95, method="wilson")
    assert wilson(right / count, count) == pytest.approx((expected.low, expected.high), abs=1e-4)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(3)
    right = random.binomial(100, 0.9, 4_000)
    ends = np.array([wilson(number / 100, 100) for number in right])
    assert np.mean((ends[:, 0] <= 0.9) & (ends[:, 1] >= 0.9)) == pytest.approx(0.95, abs=0.02)


@settings(max_examples=100, deadline=None)
@given(verdicts, st.lists(st.floats(0, 1), max_size=40))
@example([(0.0, False)] * 7, [0.0] * 6 + [1.0])  # SciPy's exact probability of it is over 1 by a rounding
def test_the_bands_add_up(rows: list[tuple[float, bool]], others: list[float]) -> None:
    found = estimate.precision(frame(rows), np.array(others, float))
    assert found["reviewed"] == len(rows) == sum(band["reviewed"] for band in found["bands"])
    assert found["right"] == sum(same for _, same in rows) == sum(band["right"] for band in found["bands"])
    assert found["links"] == len(rows) + len(others) == sum(band["links"] for band in found["bands"])
    if rows:
        assert 0 <= found["low"] <= found["precision"] <= found["high"] <= 1
    else:
        assert found["precision"] is found["low"] is found["weighted"] is found["chance"] is None
    if found["weighted"] is not None:
        assert 0 <= found["weighted"] <= 1
        if not others:
            assert found["weighted"] == pytest.approx(found["precision"], abs=1e-5)


def test_reviewed_by_uncertainty_is_no_random_sample_and_weighting_mends_it() -> None:
    """Links as a calibrated model gives them; the 150 least certain are reviewed, or 150 at random and each kind."""
    random = np.random.default_rng(7)
    confidence = np.sort(random.beta(5, 0.4, 3_000))
    same = random.random(3_000) < confidence

    def judged(rows: npt.NDArray[np.int64]) -> dict[str, Any]:
        others = np.delete(confidence, rows)
        return estimate.precision(pd.DataFrame({"thought": confidence[rows], "same": same[rows]}), others)

    queue = judged(np.r_[:150, 150:3000:60])
    assert not queue["random"]
    assert queue["high"] < same.mean()  # the interval misses the truth …
    assert queue["weighted"] == pytest.approx(same.mean(), abs=0.05)  # … which the bands know better

    drawn = judged(random.choice(3_000, 150, replace=False))
    assert drawn["random"]
    assert drawn["low"] <= same.mean() <= drawn["high"]


def test_a_band_that_nobody_reviewed_leaves_the_weighted_estimate_open() -> None:
    found = estimate.precision(frame([(0.6, True), (0.7, False)]), np.array([0.99, 0.97]))
    assert found["weighted"] is None
    assert found["expected"] == pytest.approx((0.6 + 0.7 + 0.99 + 0.97) / 4)
    assert [band["confidence"] for band in found["bands"]] == [None, 0.65, None, None]
