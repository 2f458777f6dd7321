"""Views of every entity as sparse rows: its name, its record, its neighbours' names, the anchors around it.

Blocking looks for nearest rows, the comparison of a pair takes the cosines, the network projects the name view.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.preprocessing import normalize

from neo4j_align import numeric, text
from neo4j_align.config import Config
from neo4j_align.numeric import Doubles
from neo4j_align.records import VIEWS, Anchors, FloatArray, IntArray, Neighbourhood, Nodes, Objects, rounded

MULTIPLIED_AT_ONCE = 2**17  # pairs; bounds the copies of their rows


@dataclass(frozen=True)
class Weights:
    """Rarities of trigrams and words, frozen in a model so that a new entity moves nobody else's rows.

    Attributes:
        name: (TRIGRAM_BUCKETS,), record: (WORD_BUCKETS,), neighbours: (WORD_BUCKETS,).
    """

    name: FloatArray
    record: FloatArray
    neighbours: FloatArray


@dataclass(frozen=True)
class Views:
    """What the texts of all entities say; N rows each, rows of the matrices have length 1 (or 0 where empty).

    Attributes:
        names: folded names, "" where missing.
        signatures: signatures of the names, "" where missing.
        records: all attributes as one folded text.
        words: (N, WORD_BUCKETS), the words of the name, document: those of the record and of the neighbours' names;
            each with its rarity, not normalised.
        name: (N, TRIGRAM_BUCKETS), record: (N, WORD_BUCKETS), neighbours: (N, WORD_BUCKETS).
        numbers: (N, S), those of the number and date attributes, NaN where there is none.
        anchors: (N, N), the identities of sure neighbours; circle: (N, N), of the sure neighbours of neighbours.
        lent: (N, 2, S), the means of the numbers of both (`numeric.lent`).
    """

    names: Objects
    signatures: Objects
    records: Objects
    words: sparse.csr_matrix
    document: sparse.csr_matrix
    name: sparse.csr_matrix
    record: sparse.csr_matrix
    neighbours: sparse.csr_matrix
    numbers: Doubles
    anchors: sparse.csr_matrix
    circle: sparse.csr_matrix
    lent: Doubles

    @property
    def compared(self) -> dict[str, sparse.csr_matrix]:
        """The views that are compared, in the order of VIEWS."""
        return {name: getattr(self, name) for name in VIEWS}

    @property
    def rows(self) -> list[sparse.csr_matrix]:
        """The same, without their names."""
        return list(self.compared.values())

    def around(self, known: Anchors, anchors: sparse.csr_matrix, circle: sparse.csr_matrix) -> Views:
        """Return these views with what is around these anchors, as `around` tells for all entities."""
        lent = numeric.lent(self.numbers, known, anchors, circle)
        return replace(self, anchors=anchors, circle=circle, lent=lent)

    def take(self, rows: IntArray) -> Views:
        """Return the views of the entities at these rows; columns stay."""
        return Views(**{name: column[rows] for name, column in vars(self).items()})


def view(config: Config, nodes: Nodes, neighbourhood: Neighbourhood, weights: Weights | None) -> tuple[Views, Weights]:
    """Make the views of all entities.

    Args:
        weights: of the model; None in training, where they are counted here.
    """
    names = text.map_unique(text.fold, nodes.names)
    signatures = text.map_unique(text.signature, nodes.names)
    records = _records(nodes, names)
    name, record, words = text.trigrams(names), text.bag(records), text.bag(names)
    whole = text.bag(np.array([signature.replace(" ", "_") for signature in signatures], dtype=object))
    adjacency = _adjacency(neighbourhood, np.arange(len(nodes)))
    neighbours = ones(adjacency @ (words + whole))
    if weights is None:
        rarest = text.rarity(neighbours)
        common = np.bincount(neighbours.indices, minlength=len(rarest)) > config.candidates.max_frequency
        rarest[common] = 0  # words of many neighbourhoods say nothing about an entity's neighbours
        weights = Weights(text.rarity(name), text.rarity(record), rarest)
    nothing = sparse.csr_matrix((len(nodes), len(nodes)), dtype=np.float32)
    found = Views(
        names=names,
        signatures=signatures,
        records=records,
        words=rare(words, weights.record),
        document=rare(ones(record + adjacency @ words), weights.record),
        name=text.weighted(name, weights.name),
        record=text.weighted(record, weights.record),
        neighbours=text.weighted(neighbours, weights.neighbours),
        numbers=numeric.numbers(config, nodes),
        anchors=nothing,
        circle=nothing,
        lent=np.empty((len(nodes), 2, 0)),
    )
    return found, weights


def around(
    neighbourhood: Neighbourhood, anchors: Anchors, max_frequency: int, rows: IntArray
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Return what is around entities, (R,): which sure anchors are one step away, and which two; (R, N) each.

    An anchor counts by its rarity, a step through a hub by one over the hub's degree. An entity's own identity, to
    which every second step leads back, is left out: a link is no evidence for itself.

    Args:
        max_frequency: anchors with more neighbours than about this say nothing.
    """
    count, about = len(anchors.twin), neighbourhood.about
    identity = anchors.identity
    degree = np.maximum(about, about[anchors.twin])  # the same on both sides
    known = np.flatnonzero((identity >= 0) & (degree <= rounded(max_frequency)))
    worth = 1 / np.log2(2.0 + degree[known])
    anchor = sparse.csr_matrix((worth.astype(np.float32), (known, identity[known])), shape=(count, count))
    step = _adjacency(neighbourhood, rows)
    middle = np.unique(step.indices)
    through = step[:, middle] @ sparse.diags((1 / np.maximum(about[middle], 1)).astype(np.float32))
    circle = (through @ (_adjacency(neighbourhood, middle) @ anchor)).tocoo()
    others = identity[rows[circle.row]] != circle.col
    circle = sparse.csr_matrix((circle.data[others], (circle.row[others], circle.col[others])), shape=circle.shape)
    return _unit(step @ anchor), _unit(circle)


def alone(nodes: Nodes, signatures: Objects) -> FloatArray:
    """Return one over the number of entities of a side and type that bear an entity's name, 0 without name; (N,)."""
    name, _ = pd.factorize(signatures)
    bearer = (name * (int(nodes.type.max(initial=0)) + 1) + nodes.type) * 2 + nodes.side
    _, at, number = np.unique(bearer, return_inverse=True, return_counts=True)
    return np.where(signatures == "", 0, 1 / number[at]).astype(np.float32)


def _records(nodes: Nodes, names: Objects) -> Objects:
    return text.join([names, *(text.map_unique(text.fold, column) for column in nodes.attributes.values())])


def _adjacency(neighbourhood: Neighbourhood, rows: IntArray) -> sparse.csr_matrix:
    """Return which sampled neighbours entities, (R,), have; (R, N), ones."""
    neighbours = neighbourhood.neighbours[rows]
    owner, place = np.nonzero(neighbours >= 0)
    shape = len(rows), len(neighbourhood.neighbours)
    return sparse.csr_matrix((np.ones(len(owner), np.float32), (owner, neighbours[owner, place])), shape=shape)


def _unit(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    matrix.sort_indices()
    return normalize(matrix, copy=False)


def ones(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return a copy with a 1 wherever there is a value."""
    copy = matrix.tocsr(copy=True)
    copy.data = np.ones_like(copy.data, dtype=np.float32)
    copy.sort_indices()
    return copy


def rare(matrix: sparse.csr_matrix, weights: FloatArray) -> sparse.csr_matrix:
    """Return a copy in which each word has its rarity."""
    copy = matrix.copy()
    copy.data = copy.data * weights[copy.indices]
    return copy


def cosine(
    one: sparse.csr_matrix, other: sparse.csr_matrix, left: npt.NDArray[Any], right: npt.NDArray[Any]
) -> FloatArray:
    """Return the dot products of the rows `left` (P,) of one matrix with the rows `right` (P,) of another; (P,)."""
    products = np.zeros(len(left), np.float32)
    for start in range(0, len(left), MULTIPLIED_AT_ONCE):
        part = slice(start, start + MULTIPLIED_AT_ONCE)
        products[part] = np.asarray(one[left[part]].multiply(other[right[part]]).sum(axis=1)).ravel()
    return products
