"""Numbers and dates read from text, and those that sure counterparts around an entity lend it."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from neo4j_align import numeric
from tests.unit.builders import anchors, objects


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("117", 117),
        ("1,234.5", 1234.5),
        ("-3", -3),
        ("117 min", 117),
        ("$ 9.99", 9.99),
        ("1e3", 1000),
        ("about 5 or 6", 5),
        ("none", None),
        ("", None),
        (None, None),
    ],
)
def test_numbers(value: str | None, number: float | None) -> None:
    found = numeric.to_numbers(objects([value, "7"]))
    np.testing.assert_array_equal(found, [np.nan if number is None else number, 7])


@pytest.mark.parametrize(
    ("value", "year"),
    [
        ("1999", 1999),
        ("1999-01-01", 1999),
        ("1999-07-02", 1999 + 182 / 366),
        ("1999-07-02T23:59:59Z", 1999 + 182 / 366),
        ("July 2, 1999", 1999 + 182 / 366),
        ("released in 1999 or so", 1999),
        ("unknown", None),
        ("", None),
        (None, None),
    ],
)
def test_dates(value: str | None, year: float | None) -> None:
    found = numeric.to_dates(objects([value, "2001-01-01"]))
    np.testing.assert_allclose(found, [np.nan if year is None else year, 2001], atol=0.01)


def test_a_date_does_not_depend_on_the_other_dates_of_its_column() -> None:
    values = ["1999-07-02", "2/7/1999", "1999", "July 2, 1999", "13/7/1999", "1066", "1999-07-02T00:00:00+02:00", "no"]
    alone = [numeric.to_dates(objects([value]))[0] for value in values]
    for order in (values, values[::-1]):
        together = numeric.to_dates(objects(order))
        np.testing.assert_array_equal(together, [alone[values.index(value)] for value in order])


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), half=st.integers(1, 6), slots=st.integers(0, 2))
def test_who_lacks_a_number_is_lent_the_mean_of_the_identities_around(seed: int, half: int, slots: int) -> None:
    random = Random(seed)
    count = 2 * half
    own = np.array([[random.choice([np.nan, 1990.0, 2000.0, 2010.0]) for _ in range(slots)] for _ in range(count)])
    own = own.reshape(count, slots)
    links = {(at, half + at): random.choice([0.5, 1.0]) for at in range(half) if random.random() < 0.7}
    known = anchors(count, links)
    sure = sorted(left for (left, _), confidence in links.items() if confidence == 1.0)
    around = [np.zeros((count, count)) for _ in range(2)]
    for matrix in around:
        for row in range(count):
            for column in sure:
                matrix[row, column] = random.choice([0.0, 0.5, 1.0])
    found = numeric.lent(own, known, *(sparse.csr_matrix(matrix) for matrix in around))
    assert found.shape == (count, 2, slots)
    for row in range(count):
        for hop, matrix in enumerate(around):
            for slot in range(slots):
                said = [
                    (matrix[row, column], own[column, slot] if own[column, slot] > 0 else own[half + column, slot])
                    for column in np.flatnonzero(matrix[row])
                ]
                told = [(weight, number) for weight, number in said if number > 0]
                mean = (
                    sum(w * n for w, n in told) / sum(w for w, _ in told)
                    if told and np.isnan(own[row, slot])
                    else np.nan
                )
                assert found[row, hop, slot] == pytest.approx(mean, nan_ok=True)
