"""What a pair's attributes say: (P, F) comparison features, vectorised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler
from scipy import sparse

from neo4j_align import text
from neo4j_align.config import Attribute, Config
from neo4j_align.gnn.rivals import PLACES
from neo4j_align.gnn.values import Column, values
from neo4j_align.records import FloatArray, Nodes, Objects, Pairs
from neo4j_align.views import Views, Weights, cosine, ones, rare

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_LARGEST = 1e100  # a number beyond is none: a hex id, or hundreds of digits
_DATED = re.compile(r"\d{4}|\d{1,2}\W\w+\W\d{2}\b")  # else a parser takes "now" or "12:30" for a day of this year
_YEAR = re.compile(r"\b(1[0-9]{3}|20[0-9]{2})\b")


def compare(
    config: Config, nodes: Nodes, views: Views, weights: Weights, pairs: Pairs, places: FloatArray, alone: FloatArray
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the comparison features of pairs, (P, F), and their names.

    Args:
        places: (P, 4), where each pair stands among all candidates of its entities, as `rivals.places` returns it.
        alone: (N,), whether each entity alone bears its name, as `views.alone` tells.
    """
    columns: list[Column] = []
    columns += _views(pairs)
    columns += zip(PLACES, places.T, strict=True)
    columns += _names(views, pairs)
    columns += _bearers(alone, pairs)
    columns += _containment("name", views.words, views.words, pairs)
    columns += _containment("name in document", views.words, views.document, pairs)
    columns += _containment("document", views.document, views.document, pairs)
    qualifiers = text.map_unique(text.qualifiers, nodes.names)
    columns += _sets("qualifiers", qualifiers, pairs)
    columns += _sets("numbers", text.map_unique(text.numbers, views.names), pairs)
    columns += _sets("record numbers", text.map_unique(text.numbers, views.records), pairs)
    for slot in config.slots:
        if slot.kind != "name":
            columns += _slot(slot, nodes.attributes[slot.name], views, weights, pairs)
    columns += values(nodes, views.names, pairs)
    features = np.stack([column.astype(np.float32) for _, column in columns], axis=1)
    return features, tuple(name for name, _ in columns)


def _views(pairs: Pairs) -> Iterator[Column]:
    for index, name in enumerate(pairs.views):
        yield f"cosine {name}", pairs.scores[:, index]


def _names(views: Views, pairs: Pairs) -> Iterator[Column]:
    one, other = views.names[pairs.left], views.names[pairs.right]
    both = (one != "") & (other != "")
    yield "name missing", ~both
    threads = torch.get_num_threads()
    for name, scorer, scale in (
        ("sorted words", fuzz.token_sort_ratio, 100),
        ("shared words", fuzz.token_set_ratio, 100),
        ("jaro-winkler", JaroWinkler.normalized_similarity, 1),
    ):
        similar = process.cpdist(one.tolist(), other.tolist(), scorer=scorer, dtype=np.float32, workers=threads)
        yield name, np.where(both, similar / scale, 0)
    yield "same signature", (views.signatures[pairs.left] == views.signatures[pairs.right]) & both


def _bearers(alone: FloatArray, pairs: Pairs) -> Iterator[Column]:
    """Count who else bears the names of a pair: an equal name tells much where it is the only one on both sides."""
    both = alone[pairs.left], alone[pairs.right]
    yield "alone most", np.maximum(*both)
    yield "alone least", np.minimum(*both)


def _containment(what: str, words: sparse.csr_matrix, of: sparse.csr_matrix, pairs: Pairs) -> Iterator[Column]:
    """Measure how much of one's words the other has, by their rarity: in names, or anywhere (a value misplaced)."""
    total = np.asarray(words.sum(axis=1), dtype=np.float32).ravel()
    ends = (pairs.left, pairs.right)
    present = ones(of)
    shared = [cosine(words, present, one, other) for one, other in (ends, ends[::-1])]
    share = [part / np.maximum(total[end], 1e-6) for part, end in zip(shared, ends, strict=True)]
    yield f"{what} contained", np.maximum(*share)
    yield f"{what} covered", np.minimum(*share)
    yield f"{what} shared", np.log1p(np.minimum(*shared))
    unshared = [total[end] - part for part, end in zip(shared, ends, strict=True)]
    yield f"{what} unshared", np.log1p(np.maximum(np.maximum(*unshared), 0))


def _sets(name: str, texts: Objects, pairs: Pairs) -> Iterator[Column]:
    """Compare two sets of words of which most are empty: do they agree, do they differ?"""
    rows = text.bag(texts)
    size = np.asarray(rows.sum(axis=1), dtype=np.float32).ravel()
    shared = cosine(rows, rows, pairs.left, pairs.right)
    union = size[pairs.left] + size[pairs.right] - shared
    yield f"{name} agree", np.where(union > 0, shared / np.maximum(union, 1), 0)
    yield f"{name} differ", np.where(union > 0, 1 - shared / np.maximum(union, 1), 0)


def _slot(slot: Attribute, values: Objects, views: Views, weights: Weights, pairs: Pairs) -> Iterator[Column]:
    if slot.kind == "text":
        folded = text.map_unique(text.fold, values)
        words = rare(text.bag(folded), weights.record)
        yield from _containment(f"{slot.name} in document", words, views.document, pairs)
        rows = text.weighted(text.trigrams(folded), weights.name)
        present = (folded[pairs.left] != "") & (folded[pairs.right] != "")
        yield f"{slot.name} present", present
        yield f"{slot.name} cosine", cosine(rows, rows, pairs.left, pairs.right)
        yield f"{slot.name} equal", present & (folded[pairs.left] == folded[pairs.right])
        return
    numbers = to_dates(values) if slot.kind == "date" else to_numbers(values)
    one, other = numbers[pairs.left], numbers[pairs.right]
    present = ~(np.isnan(one) | np.isnan(other))
    apart = np.abs(np.where(present, one - other, 0))
    yield f"{slot.name} present", present
    yield f"{slot.name} equal", present & (apart < 1e-6)
    if slot.kind == "date":
        yield f"{slot.name} same year", present & (np.floor(one) == np.floor(other))
        yield f"{slot.name} near", np.where(present, np.exp(-apart), 0)
    else:
        scale = np.maximum(np.maximum(np.abs(one), np.abs(other)), 1e-6)
        yield f"{slot.name} near", np.where(present, np.exp(-10 * apart / scale), 0)


def to_numbers(values: Objects) -> npt.NDArray[Any]:
    """Return the first number in each text, NaN where there is none; (N,)."""

    def number(value: str) -> float:
        found = _NUMBER.search(value.replace(",", ""))
        return float(found[0]) if found else np.nan

    found = text.map_unique(number, values)
    numbers = np.where(found == "", np.nan, found).astype(np.float64)
    return np.where(np.abs(numbers) < _LARGEST, numbers, np.nan)


def to_dates(values: Objects) -> npt.NDArray[Any]:
    """Return each text as a year with its fraction, NaN where there is no date; (N,)."""
    codes, distinct = pd.factorize(values)
    texts = pd.Series(distinct, dtype=object).astype(str)
    parsed = pd.to_datetime(texts.where(texts.str.contains(_DATED)), errors="coerce", format="mixed", utc=True)
    years = texts.str.extract(_YEAR, expand=False).astype(float)
    exact = parsed.dt.year + (parsed.dt.day_of_year - 1) / 366
    return np.append(exact.fillna(years).to_numpy(float), np.nan)[codes]
