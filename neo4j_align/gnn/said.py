"""What entities say, read from their texts once for all their pairs: words of some kinds, values, times, days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from neo4j_align import text
from neo4j_align.config import Config
from neo4j_align.gnn.values import to_days, to_seconds, to_table
from neo4j_align.numeric import Doubles
from neo4j_align.records import FloatArray, IntArray, Nodes, Objects
from neo4j_align.views import Views, Weights, rare


@dataclass(frozen=True)
class Wording:
    """What a text attribute of N entities says.

    Attributes:
        codes: (N,), a hash of the folded text, -1 without one.
        words: (N, WORD_BUCKETS), with their rarity; rows: (N, TRIGRAM_BUCKETS), of length 1.
    """

    codes: IntArray
    words: sparse.csr_matrix
    rows: sparse.csr_matrix

    def take(self, rows: IntArray) -> Wording:
        """Return that of the entities at these rows."""
        return Wording(self.codes[rows], self.words[rows], self.rows[rows])

    def followed_by(self, other: Wording) -> Wording:
        """Return that of these entities and, behind them, of others."""
        words, rows = _stacked(self.words, other.words), _stacked(self.rows, other.rows)
        return Wording(np.append(self.codes, other.codes), words, rows)


@dataclass(frozen=True)
class Said:
    """What N entities say.

    Attributes:
        sets: by kind, which words they have of it, (N, WORD_BUCKETS), ones.
        texts: by name of a text attribute.
        times: in seconds, days: (N, KEPT), of the whole record, NaN where there are fewer.
        length: (N,), of the folded names.
    """

    sets: dict[str, sparse.csr_matrix]
    texts: dict[str, Wording]
    times: Doubles
    days: Doubles
    length: FloatArray

    def take(self, rows: IntArray) -> Said:
        """Return what the entities at these rows say."""
        return Said(
            {name: words[rows] for name, words in self.sets.items()},
            {name: wording.take(rows) for name, wording in self.texts.items()},
            self.times[rows],
            self.days[rows],
            self.length[rows],
        )

    def followed_by(self, other: Said) -> Said:
        """Return what these entities say and, behind them, others."""
        return Said(
            {name: _stacked(words, other.sets[name]) for name, words in self.sets.items()},
            {name: wording.followed_by(other.texts[name]) for name, wording in self.texts.items()},
            np.append(self.times, other.times, axis=0),
            np.append(self.days, other.days, axis=0),
            np.append(self.length, other.length),
        )


def said(config: Config, nodes: Nodes, names: Objects, records: Objects, weights: Weights) -> Said:
    """Read what entities say.

    Args:
        names, records: of `Views`, (N,).
        weights: of the model.
    """
    sets = {
        "qualifiers": text.map_unique(text.qualifiers, nodes.names),
        "numbers": text.map_unique(text.numbers, names),
        "record numbers": text.map_unique(text.numbers, records),
    }
    columns = [(slot, nodes.attributes[slot.name]) for slot in config.slots]
    whole = text.join(nodes.attributes.values())
    return Said(
        sets={name: text.bag(texts) for name, texts in sets.items()},
        texts={slot.name: _wording(texts, weights) for slot, texts in columns if slot.kind == "text"},
        times=to_table(to_seconds, whole),
        days=to_table(to_days, whole),
        length=text.map_unique(len, names).astype(np.float32),
    )


Among = Callable[[IntArray], Callable[[IntArray], Said]]  # `Sayings.among`


class Sayings:
    """What the entities of a graph say, read when it is asked for, and once.

    Args:
        views: of the entities; weights: of the model.
    """

    def __init__(self, config: Config, nodes: Nodes, views: Views, weights: Weights) -> None:
        self._config, self._nodes, self._weights = config, nodes, weights
        self._texts = views.names, views.records
        self._known: tuple[IntArray, Said] | None = None  # who was read by now, sorted, and what they say

    def among(self, rows: IntArray) -> Callable[[IntArray], Said]:
        """Return what tells, of any of these entities, sorted, what they say."""
        if len(rows) > len(self._nodes) // 2:
            rows = np.arange(len(self._nodes))
        if self._known is None:
            at, known = rows, self._read(rows)
        else:
            at, known = self._known
            fresh = np.setdiff1d(rows, at, assume_unique=True)
            if len(fresh):
                order = np.r_[at, fresh].argsort()
                at, known = np.r_[at, fresh][order], known.followed_by(self._read(fresh)).take(order)
        self._known = at, known
        return lambda some: known.take(np.searchsorted(at, some))

    def _read(self, rows: IntArray) -> Said:
        names, records = (texts[rows] for texts in self._texts)
        return said(self._config, self._nodes.take(rows), names, records, self._weights)


def of_part(among: Among, rows: IntArray) -> Among:
    """Return what `Sayings.among` is to the entities at these rows, for their places among each other."""

    def part(some: IntArray) -> Callable[[IntArray], Said]:
        tell = among(rows[some])
        return lambda chosen: tell(rows[chosen])

    return part


def _stacked(one: sparse.csr_matrix, other: sparse.csr_matrix) -> sparse.csr_matrix:
    return sparse.vstack([one, other], format="csr")


def _wording(texts: Objects, weights: Weights) -> Wording:
    folded = text.map_unique(text.fold, texts)
    codes = (pd.util.hash_array(folded) >> 1).astype(np.int64)
    codes[folded == ""] = -1
    rows = text.weighted(text.trigrams(folded), weights.name)
    return Wording(codes, rare(text.bag(folded), weights.record), rows)
