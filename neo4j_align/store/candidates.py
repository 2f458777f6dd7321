"""Blocking: the pairs of entities worth comparing. No scoring.

Every left entity gets the right entities of its type that are nearest by the sum of the cosines of what texts say,
by that of all views, by its neighbours' names alone, and by the anchors two steps away alone, taken in turns. Each
comes from one product of sparse matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sparse_dot_topn import sp_matmul_topn

from neo4j_align.config import Config
from neo4j_align.records import LEFT, RIGHT, Anchors, IntArray, Nodes, Pairs
from neo4j_align.views import Views, cosine

BUDGET = 50_000  # meetings of a row with rows of the other side
LEAST = 0.01  # a sum of cosines below this is chance: one common trigram
WIDER = 2  # times as many candidates for an entity whose counterpart is not sure
KEPT = 3  # candidates of an entity whose counterpart is sure


def candidates(
    config: Config, nodes: Nodes, views: Views, anchors: Anchors, exclusive: list[bool], absent: IntArray | None = None
) -> Pairs:
    """Return the nearest counterparts of each left entity of an aligned type.

    An entity gets `config.candidates.per_entity`; a sure one KEPT besides its counterpart. Where links are
    one-to-one, the right entities that are sure leave the pool for all the others, who get twice as many instead.

    Args:
        exclusive: per type, whether links are one-to-one.
        absent: right entities that are nobody's candidates.
    """
    present = np.ones(len(nodes), bool)
    if absent is not None:
        present[absent] = False
    own = sparse.hstack([views.name, views.record, views.neighbours]).tocsr()
    lists = [own, sparse.hstack(views.rows).tocsr(), views.neighbours, views.circle]
    size = config.candidates.per_entity
    found = []
    for index, entity_type in enumerate(config.types):
        if not entity_type.aligned:
            continue
        left, right = (np.arange(len(nodes))[nodes.of(side, index)] for side in (LEFT, RIGHT))
        right = right[present[right]]
        sure = anchors.sure[left] & exclusive[index]
        found.append(_nearest(lists[:1], left[sure], right, KEPT))
        found.append(_nearest(lists, left[~sure], right[~(anchors.sure[right] & exclusive[index])], size * WIDER))
        found.append((left[sure], anchors.twin[left[sure]]))
    return pairs(views, *(np.concatenate(column) for column in zip(*found, strict=True)))


def _nearest(lists: list[sparse.csr_matrix], left: IntArray, right: IntArray, k: int) -> tuple[IntArray, IntArray]:
    """Take the nearest of each list in turns until each left entity has k."""
    tables = []
    for number, rows in enumerate(lists):
        best = _top(rows[left], rows[right], k)
        place = np.arange(best.nnz) - np.repeat(best.indptr[:-1], np.diff(best.indptr))
        row = np.repeat(np.arange(len(left)), np.diff(best.indptr))
        tables.append((row, best.indices, place * len(lists) + number))
    row, column, place = (np.concatenate(part).astype(np.int64) for part in zip(*tables, strict=True))
    order = np.lexsort((place, column, row))
    row, column, place = row[order], column[order], place[order]
    fresh = np.ones(len(row), bool)
    fresh[1:] = (np.diff(row) != 0) | (np.diff(column) != 0)
    turn = np.lexsort((place[fresh], row[fresh]))
    row, column = row[fresh][turn], column[fresh][turn]
    kept = np.arange(len(row)) - np.searchsorted(row, row) < k
    return left[row[kept]], right[column[kept]]


def _top(one: sparse.csr_matrix, other: sparse.csr_matrix, k: int) -> sparse.csr_matrix:
    """Return the k nearest rows of `other` for each row of `one`, the nearest first."""
    if not (one.nnz and other.nnz):
        return sparse.csr_matrix((one.shape[0], other.shape[0]), dtype=np.float32)
    affordable = _affordable(one, other)
    return sp_matmul_topn(affordable, other.T.tocsr(), top_n=k, threshold=LEAST, sort=True, n_threads=-1)


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
    scores = [cosine(rows, rows, left, right) for rows in views.rows]
    return Pairs(left.astype(np.int32), right.astype(np.int32), np.stack(scores, axis=1))
