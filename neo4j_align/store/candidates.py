"""Blocking: the pairs of entities worth comparing. No scoring.

Every left entity gets the right entities of its type that are nearest by the sum of the cosines of what texts say,
by that of all views, by its neighbours' names alone, and by the anchors two steps away alone, taken in turns. Each
comes from one product of sparse matrices. What a left entity gets depends on its own rows and on those of the right
entities alone, so that after a change only those left entities are looked at again that the change can reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sparse_dot_topn import sp_matmul_topn

from neo4j_align.config import Config
from neo4j_align.records import (
    LEFT,
    RIGHT,
    VIEWS,
    Anchors,
    BoolArray,
    FloatArray,
    IntArray,
    Nodes,
    Pairs,
    SmallArray,
    taken,
)
from neo4j_align.views import Views, cosine

BUDGET = 50_000  # meetings of a row with rows of the other side
LEAST = 0.01  # a sum of cosines below this is chance: one common trigram
WIDER = 2  # times as many candidates for an entity whose counterpart is not sure
KEPT = 3  # candidates of an entity whose counterpart is sure
LISTS = (("name", "record", "neighbours"), VIEWS, ("neighbours",), ("circle",))  # views whose cosines are summed
_TIED = 8  # more than asked for, to see where equally near ones begin
_NEAR = 1e-5  # what the order of a sum can add to a cosine
_MET_AT_ONCE = 256  # right entities; bounds what they meet on the left


@dataclass(frozen=True)
class Blocked:
    """The nearest counterparts of each left entity, and how near another would have to be.

    Attributes:
        left, right: (P,), sorted, without repeats.
        bars: (N, LISTS), the least similarity by which an entity that comes near enters a left entity's candidates.
        costs: by type and pool, and view: how many right entities have a column, as a power of two; -1 where none has.
        sure: (N,), who left the pool.
        lost: (N,), whose counterpart in a pair is gone since then.
    """

    left: IntArray
    right: IntArray
    bars: FloatArray
    costs: dict[str, npt.NDArray[np.int8]]
    sure: BoolArray
    lost: BoolArray

    def reindexed(self, old: IntArray, new: IntArray) -> Blocked:
        """Return this in other indices; who is gone is left out, who is new has no candidates.

        Args:
            old: (N',), the index here of each entity there, -1 where it is new.
            new: (N,), the index there of each entity here, -1 where it is gone.
        """
        left, right = new[self.left], new[self.right]
        kept = (left >= 0) & (right >= 0)
        costs = {
            name: taken(column, old, -1) if name.endswith(("anchors", "circle")) else column
            for name, column in self.costs.items()
        }
        lost = taken(self.lost, old, False)
        for mine, other in ((left, right), (right, left)):
            lost[mine[(mine >= 0) & (other < 0)]] = True
        bars, sure = taken(self.bars, old, np.inf), taken(self.sure, old, False)
        return Blocked(left[kept], right[kept], bars, costs, sure, lost)


@dataclass(frozen=True)
class _Pool:
    """Left entities that look for counterparts among the same right ones, in the same lists.

    Attributes:
        costs: of each view, as in `Blocked`; k: how many counterparts an entity gets.
    """

    name: str
    lists: tuple[tuple[str, ...], ...]
    left: IntArray
    right: IntArray
    k: int
    costs: dict[str, npt.NDArray[np.int8]]

    def cost(self, costs: dict[str, npt.NDArray[np.int8]], number: int, columns: SmallArray) -> IntArray:
        """Return how many right entities have these columns of a list, about."""
        powers = np.concatenate([costs[f"{self.name} {view}"] for view in self.lists[number]])[columns]
        return np.where(powers < 0, 0, 1 << np.maximum(powers, 0).astype(np.int64))


def candidates(
    config: Config,
    nodes: Nodes,
    views: Views,
    anchors: Anchors,
    exclusive: list[bool],
    absent: IntArray | None = None,
    before: Blocked | None = None,
    moved: BoolArray | None = None,
) -> Blocked:
    """Return the nearest counterparts of each left entity of an aligned type.

    An entity gets `config.candidates.per_entity`; a sure one KEPT besides its counterpart. Where links are
    one-to-one, the right entities that are sure leave the pool for all the others, who get twice as many instead.

    Args:
        exclusive: per type, whether links are one-to-one.
        absent: right entities that are nobody's candidates.
        before: what was returned last time, in today's indices.
        moved: (N,), entities that are new, or whose rows or sure counterparts are others than then.
    """
    sure = anchors.sure & np.array(exclusive)[nodes.type]
    if before is None or moved is None:
        bars = np.full((len(nodes), len(LISTS)), np.inf, np.float32)
        before, moved = None, np.ones(len(nodes), bool)
    else:
        bars = before.bars.copy()
        moved = moved | (sure != before.sure) | (before.lost & (nodes.side == LEFT))
    again = moved & (nodes.side == LEFT)
    lists = [sparse.hstack([getattr(views, view) for view in names]).tocsr() for names in LISTS]
    found, costs = [], {}
    for pool in _pools(config, nodes, views, sure, absent):
        costs.update(pool.costs)
        if before is not None:
            again[pool.left] |= _reached(pool, lists, before, moved, again)
        rows = pool.left[again[pool.left]]
        left, right, bars[rows] = _nearest(pool, lists, rows)
        twins = rows[sure[rows]]
        found += [(left, right), (twins, anchors.twin[twins])]
    if before is not None:
        kept = ~again[before.left]
        found.append((before.left[kept], before.right[kept]))
    left, right = _distinct(len(nodes), *(np.concatenate(column) for column in zip(*found, strict=True)))
    return Blocked(left, right, bars, costs, sure, np.zeros(len(nodes), bool))


def _pools(config: Config, nodes: Nodes, views: Views, sure: BoolArray, absent: IntArray | None) -> Iterator[_Pool]:
    present = np.ones(len(nodes), bool)
    if absent is not None:
        present[absent] = False
    size = config.candidates.per_entity
    for index, entity_type in enumerate(config.types):
        if not entity_type.aligned:
            continue
        left, right = (np.arange(len(nodes))[nodes.of(side, index)] for side in (LEFT, RIGHT))
        right = right[present[right]]
        free = right[~sure[right]]
        for name, lists, one, other, k in (
            (f"{index} sure", LISTS[:1], left[sure[left]], right, KEPT),
            (f"{index} open", LISTS, left[~sure[left]], free, size * WIDER),
        ):
            costs = {
                f"{name} {view}": _costs(getattr(views, view)[other]) for view in {v for part in lists for v in part}
            }
            yield _Pool(name, lists, one, other, k, costs)


def _costs(rows: sparse.csr_matrix) -> npt.NDArray[np.int8]:
    """Count the rows that have each column, to the nearest power of two: one row more seldom changes that."""
    count = np.bincount(rows.indices, minlength=rows.shape[1])
    met = np.flatnonzero(count)
    powers = np.full(len(count), -1, np.int8)
    powers[met] = np.rint(np.log2(count[met]))
    return powers


def _reached(
    pool: _Pool, lists: list[sparse.csr_matrix], before: Blocked, moved: BoolArray, again: BoolArray
) -> BoolArray:
    """Tell which left entities of a pool a change of others reaches."""
    reached, pooled = np.zeros(len(moved), bool), np.zeros(len(moved), bool)
    pooled[pool.right] = True
    lost = ~pooled[before.right] & ~before.sure[before.left] | moved[before.right]
    reached[before.left[lost]] = True
    rest = pool.left[~(reached | again)[pool.left]]
    arrived = pool.right[moved[pool.right]]
    for number, rows in enumerate(lists[: len(pool.lists)]):
        mine = rows[rest]
        costs = (pool.cost(known, number, mine.indices) for known in (before.costs, pool.costs))
        reached[rest[_dearer(mine, *costs)]] = True
        reached[rest[_entered(rows[arrived], mine, before.bars[rest, number])]] = True
    return reached[pool.left]


def _dearer(one: sparse.csr_matrix, before: IntArray, now: IntArray) -> BoolArray:
    """Tell which rows may afford other columns than before, (R,), by the costs of their values then and now."""
    row = np.repeat(np.arange(one.shape[0]), np.diff(one.indptr))
    spent, spending, other = (np.bincount(row, column, one.shape[0]) for column in (before, now, before != now))
    return np.asarray((np.maximum(spent, spending) >= BUDGET) & (other > 0))


def _entered(arrived: sparse.csr_matrix, rows: sparse.csr_matrix, bars: FloatArray) -> BoolArray:
    """Tell for which rows, (R,), any of those that arrived is near enough."""
    entered = np.zeros(rows.shape[0], bool)
    for start in range(0, arrived.shape[0], _MET_AT_ONCE):
        some = arrived[start : start + _MET_AT_ONCE]
        met = (some @ _narrowed(rows, some).T).tocoo()
        entered[met.col[met.data > bars[met.col] - _NEAR]] = True
    return entered


def _narrowed(rows: sparse.csr_matrix, others: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return rows with those columns alone that others have too."""
    wanted = np.zeros(rows.shape[1], bool)
    wanted[others.indices] = True
    kept = wanted[rows.indices]
    ends = np.r_[0, np.cumsum(kept)][rows.indptr]
    return sparse.csr_matrix((rows.data[kept], rows.indices[kept], ends), shape=rows.shape)


def _nearest(pool: _Pool, lists: list[sparse.csr_matrix], left: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Take the nearest of each list in turns until each left entity has k; and return the bars, (R, LISTS)."""
    tables, tops = [], []
    for number, rows in enumerate(lists[: len(pool.lists)]):
        mine = rows[left]
        affordable = _affordable(mine, pool.cost(pool.costs, number, mine.indices))
        best = _top(affordable, _narrowed(rows[pool.right], affordable), pool.k)
        place = np.arange(best.nnz) - np.repeat(best.indptr[:-1], np.diff(best.indptr))
        row = np.repeat(np.arange(len(left)), np.diff(best.indptr))
        tables.append((row, best.indices, place * len(pool.lists) + number))
        tops.append(best)
    row, column, place = (np.concatenate(part).astype(np.int64) for part in zip(*tables, strict=True))
    order = np.lexsort((place, column, row))
    row, column, place = row[order], column[order], place[order]
    fresh = np.ones(len(row), bool)
    fresh[1:] = (np.diff(row) != 0) | (np.diff(column) != 0)
    turn = np.lexsort((place[fresh], row[fresh]))
    row, column, place = row[fresh][turn], column[fresh][turn], place[fresh][turn]
    kept = np.arange(len(row)) - np.searchsorted(row, row) < pool.k
    row, column, place = row[kept], column[kept], place[kept]
    return left[row], pool.right[column], _bars(tops, row, place, pool.k)


def _bars(tops: list[sparse.csr_matrix], row: IntArray, place: IntArray, k: int) -> FloatArray:
    """Return, for each left entity and list, the similarity of the last place that was taken or passed over."""
    count = tops[0].shape[0]
    bars = np.full((count, len(LISTS)), np.inf, np.float32)
    last = np.full(count, -1, np.int64)
    np.maximum.at(last, row, place)
    last[np.bincount(row, minlength=count) < k] = np.iinfo(np.int32).max  # whoever comes near enters
    for number, best in enumerate(tops):
        reach = (last - number) // len(tops)
        full = reach < np.diff(best.indptr)
        at = (best.indptr[:-1] + reach.clip(min=0))[full & (reach >= 0)]
        bars[:, number] = np.where(full, np.inf, LEAST)
        bars[full & (reach >= 0), number] = best.data[at]
    return bars


def _top(one: sparse.csr_matrix, other: sparse.csr_matrix, k: int) -> sparse.csr_matrix:
    """Return the k nearest rows of `other` for each row of `one`, the nearest first, of equally near the first.

    The product chooses among equally near ones as its heap happens to lie; so more than k are taken, and more again
    for rows in which those at the end are as near as the k-th.
    """
    if not (one.nnz and other.nnz):
        return sparse.csr_matrix((one.shape[0], other.shape[0]), dtype=np.float32)
    turned, rows, asked = other.T.tocsr(), np.arange(one.shape[0]), k + _TIED
    parts = []
    while len(rows):
        best = sp_matmul_topn(
            one[rows], turned, top_n=min(asked, other.shape[0]), threshold=LEAST, sort=True, n_threads=-1
        )
        found = np.diff(best.indptr)
        open_end = (found >= asked) & (asked < other.shape[0])
        ends = best.indptr[:-1][open_end]
        open_end[open_end] = best.data[ends + k - 1] == best.data[ends + asked - 1]
        row = np.repeat(np.arange(len(rows)), found)
        settled = ~open_end[row]
        parts.append((rows[row[settled]], best.indices[settled], best.data[settled]))
        rows, asked = rows[open_end], asked * 8
    row, column, value = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((column, -value, row))
    row, column, value = row[order], column[order], value[order]
    kept = np.arange(len(row)) - np.searchsorted(row, row) < k
    ends = np.r_[0, np.cumsum(np.bincount(row[kept], minlength=one.shape[0]))]
    return sparse.csr_matrix((value[kept], column[kept], ends), shape=(one.shape[0], other.shape[0]))


def _affordable(one: sparse.csr_matrix, cost: IntArray) -> sparse.csr_matrix:
    """Keep of each row the rarest columns that meet about BUDGET rows of the other side, and always the rarest.

    A common trigram of a million names meets a hundred thousand others and tells nothing: without this bound the work
    grows with the square of the graph. The pairs found are measured with all columns again.
    """
    if not one.nnz:
        return one
    row = np.repeat(np.arange(one.shape[0]), np.diff(one.indptr))
    order = np.lexsort((one.indices, cost, row))
    before = np.cumsum(cost[order]) - cost[order]
    before -= before[one.indptr[:-1].clip(max=len(order) - 1)][row]
    kept = np.zeros(one.nnz, dtype=bool)
    kept[order] = before < BUDGET
    return sparse.csr_matrix((one.data[kept], (row[kept], one.indices[kept])), shape=one.shape)


def _distinct(count: int, left: npt.NDArray[Any], right: npt.NDArray[Any]) -> tuple[IntArray, IntArray]:
    left, right = np.divmod(np.unique(left.astype(np.int64) * count + right), max(count, 1))
    return left, right


def pairs(views: Views, left: npt.NDArray[Any], right: npt.NDArray[Any]) -> Pairs:
    """Sort pairs, drop repeats, and measure them in each view."""
    left, right = _distinct(len(views.names), left, right)
    scores = [cosine(rows, rows, left, right) for rows in views.rows]
    return Pairs(left.astype(np.int32), right.astype(np.int32), np.stack(scores, axis=1))
