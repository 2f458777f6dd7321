"""What a pair's records say whatever attribute says it: lengths of time, days, and values that stand elsewhere.

In dirty data a value stands in a wrong attribute, often behind the name. So these features read each record as one
text, and a name by how it begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from rapidfuzz import process
from rapidfuzz.distance import Prefix

from neo4j_align.records import FloatArray, Objects, Pairs

Column = tuple[str, npt.NDArray[Any]]
Table = npt.NDArray[np.float64]
KEPT = 4  # values of a kind that are looked at in a record; a record with more is a list
_SECONDS, _DAYS = 5.0, 30.0  # apart, at which two times or days are half as near as equal ones
_TIME = re.compile(r"(?<![\d:.])(\d{1,3}):([0-5]\d)(?::([0-5]\d))?(?![\d:])")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]*"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_BETWEEN = r"[\s,./-]{1,3}"
_YEAR = r"(?P<year>\d{4}|\d{2})(?![\d:]|\s?,\s?\d)"  # in "5 May 10, 2000" the 10 is a day
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE | re.ASCII)
    for pattern in (
        rf"(?<![\d:]){_DAY}{_BETWEEN}{_MONTH}{_BETWEEN}{_YEAR}",
        rf"(?<![a-z]){_MONTH}{_BETWEEN}{_DAY}{_BETWEEN}{_YEAR}",
        r"(?<!\d)(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?!\d)",  # the only one that needs its hyphens
    )
)


def values(times: Table, days: Table, length: FloatArray, names: Objects, pairs: Pairs) -> Iterator[Column]:
    """Compare the lengths of time and the days of whole records, and how names begin.

    Args:
        times, days: as `to_table` gives them, (N, KEPT).
        names: folded, "" where missing; length: theirs, (N,).
    """
    yield from _nearest("any time", times, _SECONDS, pairs)
    yield from _nearest("any day", days, _DAYS, pairs)
    yield from _beginnings(names, length, pairs)


def to_seconds(record: str) -> list[float]:
    """Return the lengths of time in a text, as m:ss or h:mm:ss, in seconds."""
    if ":" not in record:
        return []
    found = (match.groups() for match in _TIME.finditer(record))
    return [60 * int(a) + int(b) if c is None else 3600 * int(a) + 60 * int(b) + int(c) for a, b, c in found]


def to_days(record: str) -> list[float]:
    """Return the days in a text, counted from the year 1: "7-Jan-11", "January 7, 2011" or "2011-01-07"."""
    patterns = _DATES if "-" in record else _DATES[:2]
    found = (_day(**match.groupdict()) for pattern in patterns for match in pattern.finditer(record))
    return [day for day in found if day is not None]


def _day(year: str, month: str, day: str) -> int | None:
    number = int(month) if month.isdecimal() else 1 + _MONTHS.index(month.lower())
    century = 0 if len(year) > 2 else 1900 if int(year) >= 69 else 2000  # as POSIX reads two digits
    try:
        return date(century + int(year), number, int(day)).toordinal()
    except ValueError:  # there is no 30 February
        return None


def to_table(parse: Callable[[str], list[float]], records: Objects) -> Table:
    """Return the first values of each record, NaN where there are fewer; (N, KEPT)."""
    codes, distinct = pd.factorize(records)
    table = np.full((len(distinct), KEPT), np.nan)
    for row, record in enumerate(distinct):
        if found := parse(record)[:KEPT]:
            table[row, : len(found)] = found
    return table[codes]


def _nearest(what: str, table: Table, scale: float, pairs: Pairs) -> Iterator[Column]:
    """Compare the two nearest of both records' values: do both have any, are these equal, how near are they?"""
    present = ~np.isnan(table[:, 0])
    both = np.flatnonzero(present[pairs.left] & present[pairs.right])
    one, other = (table[end[both]] for end in (pairs.left, pairs.right))
    apart = np.full(len(pairs), np.inf)
    apart[both] = np.nanmin(np.abs(one[:, :, None] - other[:, None, :]), axis=(1, 2))
    yield f"{what} present", np.isfinite(apart)
    yield f"{what} equal", apart == 0
    yield f"{what} near", scale / (scale + apart)


def _beginnings(names: Objects, length: FloatArray, pairs: Pairs) -> Iterator[Column]:
    """Measure how much two names begin alike: what has been put behind a name leaves its beginning."""
    one, other = (names[end].tolist() for end in (pairs.left, pairs.right))
    threads = torch.get_num_threads()
    alike = process.cpdist(one, other, scorer=Prefix.similarity, dtype=np.float32, workers=threads)
    both = length[pairs.left], length[pairs.right]
    yield "beginning contained", alike / np.maximum(np.minimum(*both), 1)
    yield "beginning covered", alike / np.maximum(np.maximum(*both), 1)
    yield "beginning shared", np.log1p(alike)
