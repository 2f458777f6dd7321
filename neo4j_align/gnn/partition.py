"""Pairs in partitions, each judged by itself: what an engine works on, here or in another process.

All partitions share the entities as the network sees them; each brings what its own pairs' ends say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from neo4j_align.config import Config
from neo4j_align.engine import Engine, Given
from neo4j_align.gnn import features, overlap, rivals, score
from neo4j_align.gnn.compare import compare
from neo4j_align.gnn.model import Comparison, Encoded, Network
from neo4j_align.gnn.said import Among, Said
from neo4j_align.records import Anchors, FloatArray, IntArray, Pairs
from neo4j_align.views import Views

Logits = npt.NDArray[np.float64]
PAIRS = 100_000  # of a partition; bounds the memory that their evidence takes


@dataclass(frozen=True)
class Shared:
    """What evidence is taken from, apart from the texts of a pair's ends.

    Attributes:
        seen: all entities as tensors; known: their anchors.
    """

    config: Config
    seen: features.Entities
    known: Anchors


@dataclass(frozen=True)
class Partition:
    """Pairs with what their ends say.

    Attributes:
        ends: (E,), sorted, index of the entities among all; said, views, alone: theirs.
        pairs: by index among the ends; places: (P, 4), where they stand among their rivals (`rivals.places`).
    """

    ends: IntArray
    said: Said
    views: Views
    alone: FloatArray
    pairs: Pairs
    places: FloatArray

    @property
    def among_all(self) -> Pairs:
        """The pairs by index among all entities."""
        left, right = (self.ends[end].astype(np.int32) for end in (self.pairs.left, self.pairs.right))
        return replace(self.pairs, left=left, right=right)


@dataclass(frozen=True)
class Whole:
    """All pairs to be judged, before they are cut into partitions.

    Attributes:
        sayings, views, alone: of all entities.
        pairs, places: as in Partition, by index among all entities.
    """

    sayings: Among
    views: Views
    alone: FloatArray
    pairs: Pairs
    places: FloatArray

    def cut(self, size: int | None = None) -> Iterator[Partition]:
        """Yield the pairs in partitions of a size, by default PAIRS, in their order; of no pairs, one that is empty."""
        size = max(PAIRS if size is None else size, 1)
        said = self.sayings(_ends(self.pairs))
        for start in range(0, max(len(self.pairs), 1), size):
            rows = np.arange(start, min(start + size, len(self.pairs)))
            pairs = self.pairs.take(rows)
            ends = _ends(pairs)
            left, right = (np.searchsorted(ends, end).astype(np.int32) for end in (pairs.left, pairs.right))
            texts = said(ends), self.views.take(ends), self.alone[ends]
            yield Partition(ends, *texts, replace(pairs, left=left, right=right), self.places[rows])


def _ends(pairs: Pairs) -> IntArray:
    return np.unique(np.r_[pairs.left, pairs.right]).astype(np.int64)


def evidence(shared: Shared, part: Partition, taken: rivals.Features | None = None) -> rivals.Features:
    """Return the features of pairs, (P, F), and their names.

    Args:
        taken: how surely their ends belong to others; None takes it from the anchors.
    """
    pairs = part.among_all
    own = compare(shared.config, part.said, part.views, part.pairs, part.places, part.alone)
    common = overlap.overlap(shared.seen, pairs, features.map_count(shared.config))
    parts = (own, common, taken or rivals.taken(shared.known, pairs))
    return np.hstack([one for one, _ in parts]), tuple(name for _, one in parts for name in one)


def compared(given: tuple[Shared, Comparison], part: Partition) -> Logits:
    """Judge pairs by comparison alone, as the first look does; logits, (P,)."""
    shared, look = given
    found, _ = evidence(shared, part)
    logits: Logits = score.compare(look, found, shared.seen.type[part.among_all.left]).mean(axis=1)
    return logits


def judged(given: tuple[Shared, Network, features.Entities, Encoded], part: Partition) -> Logits:
    """Judge pairs by a network in double precision, with what it encoded; logits, (P,)."""
    shared, network, seen, encoded = given
    found, _ = evidence(shared, part)
    return score.logits(network, seen, encoded, score.indices(part.among_all), found)


def logits(
    engine: Engine,
    work: Callable[[Given, Partition], Logits],
    given: Given,
    whole: Whole,
    advance: Callable[[int], None],
) -> Logits:
    """Let an engine judge all pairs, a partition at a time; (P,)."""
    found = []
    with closing(engine.map(work, given, whole.cut())) as parts:
        for part in parts:
            found.append(part)
            advance(len(part))
    return np.concatenate(found)
