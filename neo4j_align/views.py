"""Three views of every entity as sparse rows: its name, its whole record, and its neighbours' names.

Blocking looks for nearest rows, the comparison of a pair takes the cosines, the network projects the name view.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from neo4j_align import text
from neo4j_align.records import FloatArray, Neighbourhood, Nodes, Objects


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
        words: (N, WORD_BUCKETS), the words of the name, each with its rarity, not normalised.
        name: (N, TRIGRAM_BUCKETS), record: (N, WORD_BUCKETS), neighbours: (N, WORD_BUCKETS).
    """

    names: Objects
    signatures: Objects
    words: sparse.csr_matrix
    name: sparse.csr_matrix
    record: sparse.csr_matrix
    neighbours: sparse.csr_matrix


def view(
    nodes: Nodes, neighbourhood: Neighbourhood, weights: Weights | None, max_frequency: int
) -> tuple[Views, Weights]:
    """Make the views of all entities.

    Args:
        weights: of the model; None in training, where they are counted here.
        max_frequency: words of more neighbourhoods than this say nothing about an entity's neighbours.
    """
    names = text.map_unique(text.fold, nodes.names)
    signatures = text.map_unique(text.signature, nodes.names)
    name, record = text.trigrams(names), text.bag(_records(nodes, names))
    words = text.bag(names)
    whole = text.bag(np.array([signature.replace(" ", "_") for signature in signatures], dtype=object))
    neighbours = _of_neighbours(neighbourhood, (words + whole).tocsr())
    if weights is None:
        rarest = text.rarity(neighbours)
        rarest[np.bincount(neighbours.indices, minlength=len(rarest)) > max_frequency] = 0
        weights = Weights(text.rarity(name), text.rarity(record), rarest)
    words.data = words.data * weights.record[words.indices]
    rows = text.weighted(name, weights.name), text.weighted(record, weights.record)
    return Views(names, signatures, words, *rows, text.weighted(neighbours, weights.neighbours)), weights


def _records(nodes: Nodes, names: Objects) -> Objects:
    return text.join([names, *(text.map_unique(text.fold, column) for column in nodes.attributes.values())])


def _of_neighbours(neighbourhood: Neighbourhood, words: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return which words the sampled neighbours of each entity have; (N, WORD_BUCKETS), ones."""
    owner, place = np.nonzero(neighbourhood.neighbours >= 0)
    count = len(neighbourhood.neighbours)
    edges = (owner, neighbourhood.neighbours[owner, place])
    adjacency = sparse.csr_matrix((np.ones(len(owner), np.float32), edges), shape=(count, count))
    found = (adjacency @ words).tocsr()
    found.data[:] = 1
    found.sort_indices()
    return found


def cosine(one: sparse.csr_matrix, other: sparse.csr_matrix) -> FloatArray:
    """Return the dot products of corresponding rows: of equal shapes (P, …), result (P,)."""
    products: FloatArray = np.asarray(one.multiply(other).sum(axis=1), dtype=np.float32).ravel()
    return products
