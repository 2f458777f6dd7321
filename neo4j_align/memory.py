"""What a judgement leaves for the next: all that it made on its way, to be held against a graph that has changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from neo4j_align.numeric import Doubles
from neo4j_align.records import (
    NO_LINKS,
    Anchors,
    BoolArray,
    FloatArray,
    IntArray,
    Links,
    Neighbourhood,
    Nodes,
    Objects,
    Pairs,
    taken,
)
from neo4j_align.sight import Graph
from neo4j_align.store.pools import Blocked
from neo4j_align.store.prints import NO_PRINTS, Prints
from neo4j_align.views import Views

GONE = -2  # in place of a counterpart that is in the graph no longer


@dataclass(frozen=True)
class Glimpse:
    """What one look made of a graph.

    Attributes:
        known: the anchors it began with; anchors, circle: the views of them, (N, N); lent: (N, 2, S), by them.
        faded: (N,), whose rows in these lost an anchor that is gone since.
        blocked: its P candidate pairs; scores: (P, S), of blocking; places: (P, 4), among rivals; logits: (P,).
    """

    known: Anchors
    anchors: sparse.csr_matrix
    circle: sparse.csr_matrix
    lent: Doubles
    faded: BoolArray
    blocked: Blocked
    scores: FloatArray
    places: FloatArray
    logits: npt.NDArray[np.float64]

    @property
    def pairs(self) -> Pairs:
        """The candidate pairs, with what blocking found."""
        return Pairs(self.blocked.left.astype(np.int32), self.blocked.right.astype(np.int32), self.scores)

    def reindexed(self, old: IntArray, new: IntArray) -> Glimpse:
        """Return this in other indices, as `Blocked.reindexed` does."""
        twin = taken(new, self.known.twin, -1)
        twin[(twin < 0) & (self.known.twin >= 0)] = GONE
        known = Anchors(taken(twin, old, -1), taken(self.known.confidence, old, 0))
        kept = (new[self.blocked.left] >= 0) & (new[self.blocked.right] >= 0)
        near, circle = (rows_of(columns_of(matrix, new, len(old)), old) for matrix in (self.anchors, self.circle))
        full, left = (
            np.diff(one.indptr) + np.diff(two.indptr) for one, two in ((self.anchors, self.circle), (near, circle))
        )
        faded = taken(self.faded, old, False) | (taken(full, old, 0) > left)
        columns = self.scores[kept], self.places[kept], self.logits[kept]
        lent = taken(self.lent, old, np.nan)
        return Glimpse(known, near, circle, lent, faded, self.blocked.reindexed(old, new), *columns)


@dataclass(frozen=True)
class Memory:
    """A graph, and what was made of it.

    Attributes:
        views: those that no anchor changes; alone: (N,), as `views.alone` tells; looks: the first and the second.
        links: that the run left; prints: of the graph.
    """

    graph: Graph
    views: Views
    alone: FloatArray
    looks: tuple[Glimpse, ...]
    links: Links = NO_LINKS
    prints: Prints = NO_PRINTS

    def reindexed(self, nodes: Nodes) -> tuple[Memory, IntArray]:
        """Return this in the indices of a graph of today, and the index here of each entity there, -1 if new.

        An entity that changed its type is gone, and a new one: so the order of all others stays.
        """
        before = self.graph.nodes
        if all(np.array_equal(getattr(before, name), getattr(nodes, name)) for name in ("keys", "side", "type")):
            return self, np.arange(len(nodes))
        old = pd.Index(_names(before)).get_indexer(pd.Index(_names(nodes))).astype(np.int64)
        new = np.full(len(before), -1, np.int64)
        new[old[old >= 0]] = np.flatnonzero(old >= 0)
        attributes = {name: taken(column, old, None) for name, column in before.attributes.items()}
        keys, names = (taken(column, old, None) for column in (before.keys, before.names))
        was = Nodes(keys, nodes.side, nodes.type, taken(before.ids, old, -1), names, attributes)
        around = self.graph.neighbourhood
        neighbours = taken(new.astype(np.int32), around.neighbours, -1)
        drawn = Neighbourhood(*(taken(c, old, -1) for c in (neighbours, around.relations, around.degree)))
        texts = {name: taken(column, old, "") for name, column in vars(self.views).items() if column.ndim == 1}
        rows = {name: rows_of(column, old) for name, column in vars(self.views).items() if sparse.issparse(column)}
        numbers = {name: taken(getattr(self.views, name), old, np.nan) for name in ("numbers", "lent")}
        nothing = sparse.csr_matrix((len(old), len(old)), dtype=np.float32)
        views = replace(Views(**texts, **rows, **numbers), anchors=nothing, circle=nothing)
        looks = tuple(look.reindexed(old, new) for look in self.looks)
        return Memory(Graph(was, drawn, self.graph.means), views, taken(self.alone, old, -1), looks), old


def _names(nodes: Nodes) -> Objects:
    columns = zip(nodes.side.tolist(), nodes.type.tolist(), nodes.keys.tolist(), strict=True)
    return np.array([f"{side}:{kind}:{key}" for side, kind, key in columns], dtype=object)


def rows_of(matrix: sparse.csr_matrix, rows: IntArray) -> sparse.csr_matrix:
    """Take rows of a matrix, and an empty one where a row is -1."""
    empty = sparse.csr_matrix((1, matrix.shape[1]), dtype=matrix.dtype)
    return sparse.vstack([matrix, empty], format="csr")[np.where(rows < 0, matrix.shape[0], rows)]


def columns_of(matrix: sparse.csr_matrix, new: IntArray, count: int) -> sparse.csr_matrix:
    """Give the columns of a matrix their places among `count`; those of place -1 go."""
    columns = new[matrix.indices]
    ends = np.r_[0, np.cumsum(columns >= 0)][matrix.indptr]
    kept = columns >= 0
    return sparse.csr_matrix((matrix.data[kept], columns[kept], ends), shape=(matrix.shape[0], count))


def patched(matrix: sparse.csr_matrix, rows: IntArray, by: sparse.csr_matrix) -> sparse.csr_matrix:
    """Put the rows of another matrix, (R, M), in the place of rows (R,) of one, (N, M)."""
    if not len(rows):
        return matrix
    order = np.arange(matrix.shape[0])
    order[rows] = matrix.shape[0] + np.arange(len(rows))
    return sparse.vstack([matrix, by], format="csr")[order]
