"""What entities say, read from their texts once for all their pairs: words of some kinds, values, times, days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

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
        codes: (N,), equal for equal folded texts, -1 without one.
        words: (N, WORD_BUCKETS), with their rarity; rows: (N, TRIGRAM_BUCKETS), of length 1.
    """

    codes: IntArray
    words: sparse.csr_matrix
    rows: sparse.csr_matrix

    def take(self, rows: IntArray) -> Wording:
        """Return that of the entities at these rows."""
        return Wording(self.codes[rows], self.words[rows], self.rows[rows])


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


class Sayings:
    """What the entities of a graph say, read when it is asked for; where it is asked of many, of all and once.

    Args:
        views: of the entities; weights: of the model.
    """

    def __init__(self, config: Config, nodes: Nodes, views: Views, weights: Weights) -> None:
        self._config, self._nodes, self._weights = config, nodes, weights
        self._texts = views.names, views.records

    def among(self, rows: IntArray) -> Callable[[IntArray], Said]:
        """Return what tells, of any of these entities, sorted, what they say."""
        if len(rows) > len(self._nodes) // 2:
            return self._all.take
        names, records = (texts[rows] for texts in self._texts)
        few = said(self._config, self._nodes.take(rows), names, records, self._weights)
        return lambda some: few.take(np.searchsorted(rows, some))

    @cached_property
    def _all(self) -> Said:
        names, records = self._texts
        return said(self._config, self._nodes, names, records, self._weights)


def _wording(texts: Objects, weights: Weights) -> Wording:
    folded = text.map_unique(text.fold, texts)
    codes, _ = pd.factorize(folded)
    codes[folded == ""] = -1
    rows = text.weighted(text.trigrams(folded), weights.name)
    return Wording(codes.astype(np.int64), rare(text.bag(folded), weights.record), rows)
