"""What a pair's attributes say: (P, F) comparison features, vectorised."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler
from scipy import sparse

from neo4j_align.config import Attribute, Config
from neo4j_align.gnn.rivals import PLACES
from neo4j_align.gnn.said import Said, Wording
from neo4j_align.gnn.values import Column, values
from neo4j_align.numeric import Doubles, slots
from neo4j_align.records import FloatArray, Pairs
from neo4j_align.views import Views, cosine, ones

_YEARS = 10.0  # apart, at which a date is half as near as an equal one to dates around


def compare(
    config: Config, said: Said, views: Views, pairs: Pairs, places: FloatArray, alone: FloatArray
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the comparison features of pairs, (P, F), and their names.

    Args:
        said, views: of the entities to whom the pairs point, (N,).
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
    for name, rows in said.sets.items():
        columns += _sets(name, rows, pairs)
    for slot in config.slots:
        if slot.kind == "text":
            columns += _wording(slot.name, said.texts[slot.name], views, pairs)
    for slot, own, lent in zip(slots(config), views.numbers.T, views.lent.transpose(2, 1, 0), strict=True):
        columns += _number(slot, own, pairs)
        columns += _lent(slot, own, lent, pairs)
    columns += values(said.times, said.days, said.length, views.names, pairs)
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


def _sets(name: str, rows: sparse.csr_matrix, pairs: Pairs) -> Iterator[Column]:
    """Compare two sets of words of which most are empty: do they agree, do they differ?"""
    size = np.asarray(rows.sum(axis=1), dtype=np.float32).ravel()
    shared = cosine(rows, rows, pairs.left, pairs.right)
    union = size[pairs.left] + size[pairs.right] - shared
    yield f"{name} agree", np.where(union > 0, shared / np.maximum(union, 1), 0)
    yield f"{name} differ", np.where(union > 0, 1 - shared / np.maximum(union, 1), 0)


def _wording(name: str, wording: Wording, views: Views, pairs: Pairs) -> Iterator[Column]:
    yield from _containment(f"{name} in document", wording.words, views.document, pairs)
    one, other = wording.codes[pairs.left], wording.codes[pairs.right]
    present = (one >= 0) & (other >= 0)
    yield f"{name} present", present
    yield f"{name} cosine", cosine(wording.rows, wording.rows, pairs.left, pairs.right)
    yield f"{name} equal", present & (one == other)


def _number(slot: Attribute, numbers: Doubles, pairs: Pairs) -> Iterator[Column]:
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


def _lent(slot: Attribute, own: Doubles, lent: Doubles, pairs: Pairs) -> Iterator[Column]:
    """Compare numbers where an end has none of its own, but those around it do.

    Args:
        own: (N,), lent: (2, N), by the sure counterparts one step away, and two.
    """
    missing = np.isnan(own)
    for steps, theirs in zip(("nearby", "around"), lent, strict=True):
        numbers = np.where(missing, theirs, own)
        one, other = numbers[pairs.left], numbers[pairs.right]
        apart = np.abs(one - other)
        scale = _YEARS if slot.kind == "date" else np.maximum(np.maximum(np.abs(one), np.abs(other)), 1e-6) / 10
        present = (missing[pairs.left] | missing[pairs.right]) & ~np.isnan(apart)
        yield f"{slot.name} {steps} present", present
        yield f"{slot.name} {steps} near", np.where(present, scale / (scale + apart), 0)
