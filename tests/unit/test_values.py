"""Values that stand anywhere in a record: times and days read from text, the nearest of them, names' beginnings."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neo4j_align import text
from neo4j_align.gnn import values
from tests.unit.builders import objects, pairs

days = st.dates(min_value=datetime.date(1969, 1, 1), max_value=datetime.date(2068, 12, 31))
MONTHS = ["January", "February", "March", "April", "May", "June", "July"]
MONTHS += ["August", "September", "October", "November", "December"]


def compared(left: list[str | None], right: list[str | None]) -> dict[str, float]:
    """Compare two entities by the texts of two attributes each."""
    records = text.join([objects([left[0], right[0]]), objects([left[1], right[1]])])
    folded = objects([left[0] or "", right[0] or ""])
    times, days = (values.to_table(parse, records) for parse in (values.to_seconds, values.to_days))
    length = np.array([len(name) for name in folded], np.float32)
    found = values.values(times, days, length, folded, pairs([(0, 1)]))
    return {name: float(column[0]) for name, column in found}


@given(st.integers(0, 999), st.integers(0, 59), st.integers(0, 59))
def test_a_time_is_read_wherever_it_stands(hours: int, minutes: int, seconds: int) -> None:
    assert values.to_seconds(f"Gone {hours}:{minutes:02} 2013") == [60 * hours + minutes]
    assert values.to_seconds(f"({hours}:{minutes:02}:{seconds:02})") == [3600 * hours + 60 * minutes + seconds]


@pytest.mark.parametrize("record", ["", "3:7", "3:60", "1:2:3:4", "12345:00", "a:10", "1.3:10", "::"])
def test_what_is_no_time(record: str) -> None:
    assert values.to_seconds(record) == []


@given(days)
def test_a_day_is_read_however_it_is_written(day: datetime.date) -> None:
    month = MONTHS[day.month - 1]
    for written in (
        day.isoformat(),
        f"{day.isoformat()}T23:59:59Z",
        f"{day.day}-{month[:3]}-{day.year % 100:02}",
        f"{day.day}th {month}, {day.year}",
        f"{month} {day.day} , {day.year}",
        f"{month[:3].upper()}. {day.day}, {day.year}",
    ):
        assert values.to_days(f"Gone 3:07 {written} (C) 2013") == [day.toordinal()], written


@pytest.mark.parametrize(
    "record", ["", "2011", "30-Feb-11", "2011-13-01", "0000-01-01", "11:10 May 3, 4", "99 May 2011"]
)
def test_what_is_no_day(record: str) -> None:
    assert values.to_days(record) == []


@settings(deadline=None)
@given(st.text(max_size=60) | st.text("0123456789:-/., janfebmayst٣½", max_size=60))
def test_any_text_is_read(record: str) -> None:
    assert all(np.isfinite(found) for found in values.to_seconds(record) + values.to_days(record))


@pytest.mark.parametrize("part", ["1:", "11:11:", "1-", "jan", "jan 1 ", "1 jan ", "1" * 9, " ", "2011-01-"])
def test_a_megabyte_is_read_at_once(part: str) -> None:
    record = part * (1_000_000 // len(part))
    found = compared([None, record], [None, record])
    assert all(map(np.isfinite, found.values()))


@settings(deadline=None)
@given(st.lists(st.integers(0, 999), max_size=6), st.lists(st.integers(0, 999), max_size=6))
def test_the_nearest_times_count(one: list[int], other: list[int]) -> None:
    texts = [" ".join(f"{seconds // 60}:{seconds % 60:02}" for seconds in times) for times in (one, other)]
    found = compared([texts[0], None], [None, texts[1]])
    kept = one[: values.KEPT], other[: values.KEPT]
    apart = min((abs(a - b) for a in kept[0] for b in kept[1]), default=np.inf)
    assert found["any time present"] == (apart < np.inf)
    assert found["any time equal"] == (apart == 0)
    assert found["any time near"] == pytest.approx(5 / (5 + apart))


def test_a_value_in_the_wrong_attribute_is_compared() -> None:
    found = compared(["Gone 7-Jan-11 3:07", None], ["Gone", "January 7 , 2011 | 3:12"])
    days_and_times = [found[f"any {what} {how}"] for what in ("day", "time") for how in ("present", "equal", "near")]
    assert days_and_times == pytest.approx([1, 1, 1, 1, 0, 0.5])


@settings(deadline=None)
@given(st.text("ab ", max_size=9), st.text("ab ", max_size=9))
def test_names_begin_alike(one: str, other: str) -> None:
    found = compared([one, None], [other, None])
    alike = max(n for n in range(10) if one[:n] == other[:n] and n <= min(len(one), len(other)))
    assert found["beginning shared"] == pytest.approx(np.log1p(alike))
    assert found["beginning contained"] == pytest.approx(alike / max(min(len(one), len(other)), 1))
    assert found["beginning covered"] == pytest.approx(alike / max(len(one), len(other), 1))
