"""Blocking: the pairs of entities worth comparing. No scoring.

Every left entity gets the right entities of its type whose name, record and neighbours' names are nearest: the top k
of the sum of the three cosines, from one product of sparse matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sparse_dot_topn import sp_matmul_topn

from neo4j_align.config import Config
from neo4j_align.records import LEFT, RIGHT, Nodes, Pairs
from neo4j_align.views import Views, cosine

LEAST = 0.01  # a sum of cosines below this is chance: one common trigram


def candidates(config: Config, nodes: Nodes, views: Views) -> Pairs:
    """Return the `config.candidates.per_entity` nearest counterparts of each left entity of an aligned type."""
    stacked = sparse.hstack([views.name, views.record, views.neighbours]).tocsr()
    found = [
        _nearest(stacked, nodes.of(LEFT, index), nodes.of(RIGHT, index), config.candidates.per_entity)
        for index, entity_type in enumerate(config.types)
        if entity_type.aligned
    ]
    left, right = (np.concatenate(column).astype(np.int32) for column in zip(*found, strict=True))
    return pairs(views, left, right)


def _nearest(rows: sparse.csr_matrix, left: slice, right: slice, k: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    one, other = rows[left], rows[right]
    if not (one.nnz and other.nnz):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    best = sp_matmul_topn(one, other.T.tocsr(), top_n=k, threshold=LEAST, n_threads=-1).tocoo()
    return best.row + left.start, best.col + right.start


def pairs(views: Views, left: npt.NDArray[Any], right: npt.NDArray[Any]) -> Pairs:
    """Sort pairs, drop repeats, and measure them in each view."""
    left, right = np.unique(np.stack([left, right]), axis=1)
    scores = [cosine(rows[left], rows[right]) for rows in (views.name, views.record, views.neighbours)]
    return Pairs(left.astype(np.int32), right.astype(np.int32), np.stack(scores, axis=1))
