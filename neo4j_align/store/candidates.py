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

BUDGET = 50_000  # meetings of a row with rows of the other side
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
    best = sp_matmul_topn(_affordable(one, other), other.T.tocsr(), top_n=k, threshold=LEAST, n_threads=-1).tocoo()
    return best.row + left.start, best.col + right.start


def _affordable(one: sparse.csr_matrix, other: sparse.csr_matrix) -> sparse.csr_matrix:
    """Keep of each row the rarest columns that meet at most BUDGET rows of the other side, and always the rarest.

    A common trigram of a million names meets a hundred thousand others and tells nothing: without this bound the work
    grows with the square of the graph. The pairs found are measured with all columns again.
    """
    cost = np.bincount(other.indices, minlength=other.shape[1])[one.indices]
    row = np.repeat(np.arange(one.shape[0]), np.diff(one.indptr))
    order = np.lexsort((one.indices, cost, row))
    before = np.cumsum(cost[order]) - cost[order]
    before -= before[one.indptr[:-1].clip(max=max(len(order) - 1, 0))][row]
    kept = np.zeros(one.nnz, dtype=bool)
    kept[order] = before < BUDGET
    return sparse.csr_matrix((one.data[kept], (row[kept], one.indices[kept])), shape=one.shape)


def pairs(views: Views, left: npt.NDArray[Any], right: npt.NDArray[Any]) -> Pairs:
    """Sort pairs, drop repeats, and measure them in each view."""
    count = len(views.names)
    left, right = np.divmod(np.unique(left.astype(np.int64) * count + right), max(count, 1))
    scores = [cosine(rows, rows, left, right) for rows in (views.name, views.record, views.neighbours)]
    return Pairs(left.astype(np.int32), right.astype(np.int32), np.stack(scores, axis=1))
