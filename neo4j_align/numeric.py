"""What attributes say in numbers: of an entity itself, and lent to it by the sure counterparts around it.

A film without a year was made when its star's other films were; of two films of one title that tells the remake.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from neo4j_align import text
from neo4j_align.config import Attribute, Config
from neo4j_align.records import Anchors, Nodes, Objects

Doubles = npt.NDArray[np.float64]
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_LARGEST = 1e100  # a number beyond is none: a hex id, or hundreds of digits
_DATED = re.compile(r"\d{4}|\d{1,2}\W\w+\W\d{2}\b")  # else a parser takes "now" or "12:30" for a day of this year
_YEAR = re.compile(r"\b(1[0-9]{3}|20[0-9]{2})\b")


def slots(config: Config) -> tuple[Attribute, ...]:
    """Return the attributes that are numbers or dates."""
    return tuple(slot for slot in config.slots if slot.kind in ("number", "date"))


def numbers(config: Config, nodes: Nodes) -> Doubles:
    """Return the numbers and dates (as years) of entities, NaN where there is none; (N, S), as `slots`."""
    parse = {"date": to_dates, "number": to_numbers}
    columns = [parse[slot.kind](nodes.attributes[slot.name]) for slot in slots(config)]
    return np.stack(columns, axis=1) if columns else np.empty((len(nodes), 0))


def lent(own: Doubles, known: Anchors, *around: sparse.csr_matrix) -> Doubles:
    """Lend each entity that lacks a number, (N, S), the mean of those of the sure counterparts around it.

    What has its own is lent none, so that nobody has to be judged again for it.

    Args:
        around: views whose columns are identities, (N, N).

    Returns:
        (N, len(around), S), NaN where nothing is lent.
    """
    identity = np.where(np.isnan(own), own[known.twin], own)
    there = ~np.isnan(identity)
    with np.errstate(invalid="ignore"):  # 0 / 0
        means = [rows @ np.where(there, identity, 0) / (rows @ there.astype(np.float64)) for rows in around]
    return np.stack([np.where(np.isnan(own), mean, np.nan) for mean in means], axis=1)


def to_numbers(values: Objects) -> Doubles:
    """Return the first number in each text, NaN where there is none; (N,)."""

    def number(value: str) -> float:
        found = _NUMBER.search(value.replace(",", ""))
        return float(found[0]) if found else np.nan

    found = text.map_unique(number, values)
    numbers = np.where(found == "", np.nan, found).astype(np.float64)
    return np.where(np.abs(numbers) < _LARGEST, numbers, np.nan)


def to_dates(values: Objects) -> Doubles:
    """Return each text as a year with its fraction, NaN where there is no date; (N,)."""
    codes, distinct = pd.factorize(values)
    texts = pd.Series(distinct, dtype=object).astype(str)
    parsed = pd.to_datetime(texts.where(texts.str.contains(_DATED)), errors="coerce", format="mixed", utc=True)
    years = texts.str.extract(_YEAR, expand=False).astype(float)
    exact = parsed.dt.year + (parsed.dt.day_of_year - 1) / 366
    return np.append(exact.fillna(years).to_numpy(float), np.nan)[codes]
