"""The nearest rows of sparse matrices, in lists of which each sums the cosines of some views. No entities, no pools."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sparse_dot_topn import sp_matmul_topn, zip_sp_matmul_topn

from neo4j_align.records import VIEWS, BoolArray, FloatArray, IntArray, SmallArray

LEAST = 0.01  # a sum of cosines below this is chance: one common trigram
LISTS = (("name", "record", "neighbours"), VIEWS, ("neighbours",), ("circle",))  # views whose cosines are summed
_COSTLIEST = 64  # more than any of Powers
_ROWS = 2_000  # multiplied in one call
_TIED = 8  # more than asked for, to see where equally near ones begin
Matrices = dict[str, sparse.csr_matrix]  # rows of all entities, by view
Bits = npt.NDArray[np.uint8]  # of pairs: one for each list
Powers = npt.NDArray[np.int8]  # of each column: how many rows have it, as a power of two; -1 where none has


def powers(rows: SmallArray, columns: int) -> Powers:
    """Count the rows that have each column, given all columns of all rows, to the nearest power of two.

    One row more seldom changes that, and so seldom what others can afford.
    """
    count = np.bincount(rows, minlength=columns)
    met = np.flatnonzero(count)
    found = np.full(len(count), -1, np.int8)
    found[met] = np.rint(np.log2(count[met]))
    return found


def cost(powers: Powers, columns: SmallArray) -> IntArray:
    """Return about how many rows have these columns."""
    found = powers[columns]
    return np.where(found < 0, 0, 1 << np.maximum(found, 0).astype(np.int64))


def beside(views: Matrices, names: tuple[str, ...], rows: IntArray) -> sparse.csr_matrix:
    """Return some rows of views, side by side."""
    return sparse.hstack([views[name][rows] for name in names]).tocsr()


def columns_of(rows: sparse.csr_matrix) -> BoolArray:
    """Tell which columns rows have, (M,)."""
    found = np.zeros(rows.shape[1], bool)
    found[rows.indices] = True
    return found


def narrowed(rows: sparse.csr_matrix, columns: BoolArray) -> sparse.csr_matrix:
    """Return rows with those columns, (M,), alone."""
    kept = np.flatnonzero(columns[rows.indices])
    ends = np.searchsorted(kept, rows.indptr)
    return sparse.csr_matrix((rows.data[kept], rows.indices[kept], ends), shape=rows.shape)


@dataclass(frozen=True)
class Search:
    """What some left entities look for, the same for all of them.

    Attributes:
        views: rows of all entities, by view, each of which is in some list; their C columns stand side by side.
        lists: of views whose cosines are summed.
        right: (M,), whom they may find, k of them each; turned: what these say, (C, ..) for a part of them each.
        costs: (C,), how many right entities have a column; budget: how many a left one may meet.
        threads: that a product may take.
    """

    views: Matrices
    lists: tuple[tuple[str, ...], ...]
    right: IntArray
    turned: tuple[sparse.csr_matrix, ...]
    k: int
    costs: Powers
    budget: int
    threads: int

    def columns(self, names: tuple[str, ...]) -> BoolArray:
        """Tell which of all columns are those of these views, (C,)."""
        return np.concatenate([np.full(rows.shape[1], name in names) for name, rows in self.views.items()])


def nearest(search: Search, left: IntArray) -> tuple[IntArray, IntArray, Bits, FloatArray]:
    """Take the nearest of each list in turns until each left entity, (R,), has k.

    Returns:
        The pairs, (P,) each; the lists that gave them, (P,), a bit each; and the bars, (R, LISTS): the least
        similarity by which another would enter.
    """
    search = replace(search, turned=tuple(map(_writable, search.turned)))
    tables, tops, count, k = [], _tops(search, left), len(search.lists), search.k
    for number, best in enumerate(tops):
        place = np.arange(best.nnz) - np.repeat(best.indptr[:-1], np.diff(best.indptr))
        row = np.repeat(np.arange(len(left)), np.diff(best.indptr))
        tables.append((row, best.indices, place * count + number))
    row, column, place = (np.concatenate(part).astype(np.int64) for part in zip(*tables, strict=True))
    row, column, place, first = _by_pair(row, column, place)
    last = _last(row[first], place[first], len(left), k)
    taken = place <= last[row]
    of = np.add.reduceat(np.where(taken, 1 << place % count, 0), first).astype(np.uint8)
    pair = first[taken[first]]
    return left[row[pair]], search.right[column[pair]], of[taken[first]], _bars(tops, last)


def _writable(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return a matrix of arrays that may be written to, as the product takes no others; what Ray shares may not."""
    parts = (np.require(part, requirements="W") for part in (matrix.data, matrix.indices, matrix.indptr))
    return sparse.csr_matrix(tuple(parts), shape=matrix.shape)


def _tops(search: Search, left: IntArray) -> list[sparse.csr_matrix]:
    """Return the nearest of each list, (R, M) each, the nearest first.

    Most entities say nothing in some views; a list without these has the nearest of all views.
    """
    whole = beside(search.views, tuple(search.views), left)
    best = _top(whole, search)
    tops = []
    for names in search.lists:
        mine = narrowed(whole, search.columns(names))
        less = np.diff(mine.indptr) < np.diff(whole.indptr)
        own = _top(mine[less], search)
        at = np.where(less, len(left) + np.cumsum(less) - 1, np.arange(len(left)))
        tops.append(sparse.vstack([best, own], format="csr")[at])
    return tops


def _by_pair(row: IntArray, column: IntArray, place: IntArray) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Sort by row, column and place, and tell where each pair begins."""
    order = np.lexsort((place, column, row))
    row, column, place = row[order], column[order], place[order]
    fresh = (np.diff(row) != 0) | (np.diff(column) != 0)
    return row, column, place, np.flatnonzero(np.r_[True, fresh][: len(row)])


def _last(row: IntArray, place: IntArray, count: int, k: int) -> IntArray:
    """Return the place of the k-th pair of each row, given where pairs stand first, sorted by row; (R,)."""
    order = np.lexsort((place, row))
    last = np.full(count, np.iinfo(np.int32).max)  # with fewer pairs whoever comes near enters
    kth = np.arange(len(row)) - np.searchsorted(row, row) == k - 1
    last[row[kth]] = place[order][kth]
    return last


def _bars(tops: list[sparse.csr_matrix], last: IntArray) -> FloatArray:
    """Return, for each left entity and list, the similarity of the last place that was taken or passed over."""
    bars = np.full((len(last), len(LISTS)), np.inf, np.float32)
    for number, best in enumerate(tops):
        reach = (last - number) // len(tops)
        full = reach < np.diff(best.indptr)
        at = (best.indptr[:-1] + reach.clip(min=0))[full & (reach >= 0)]
        bars[:, number] = np.where(full, np.inf, LEAST)
        bars[full & (reach >= 0), number] = best.data[at]
    return bars


def _top(one: sparse.csr_matrix, search: Search) -> sparse.csr_matrix:
    """Return the k nearest right entities for each row, the nearest first, of equally near the first.

    The product chooses among equally near ones as its heap happens to lie; so more than k are taken, and more again
    for rows in which those at the end are as near as the k-th.
    """
    one, count, k = affordable(one, search.costs, search.budget), len(search.right), search.k
    if not (one.nnz and count):
        return sparse.csr_matrix((one.shape[0], count), dtype=np.float32)
    rows, asked = np.arange(one.shape[0]), k + _TIED
    parts = []
    while len(rows):
        best = _product(one[rows], search, min(asked, count))
        found = np.diff(best.indptr)
        open_end = (found >= asked) & (asked < count)
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
    return sparse.csr_matrix((value[kept], column[kept], ends), shape=(one.shape[0], count))


def _product(one: sparse.csr_matrix, search: Search, asked: int) -> sparse.csr_matrix:
    """Return the largest products of each row with the right entities, the largest first, (R, M).

    A few rows at a time: no other thread works meanwhile, not that which says that this process lives (`lease.py`).
    """
    found = []
    for start in range(0, one.shape[0], _ROWS):
        rows = one[start : start + _ROWS]
        parts = [
            sp_matmul_topn(rows, part, top_n=asked, threshold=LEAST, sort=True, n_threads=search.threads)
            for part in search.turned
        ]
        found.append(zip_sp_matmul_topn(asked, parts) if len(parts) > 1 else parts[0])
    return found[0] if len(found) == 1 else sparse.vstack(found, format="csr")


def affordable(one: sparse.csr_matrix, costs: Powers, budget: int) -> sparse.csr_matrix:
    """Keep of each row the rarest columns that meet at most about `budget` of the other side, and always the rarest.

    A common trigram of a million names meets a hundred thousand others and tells nothing: without this bound the work
    grows with the square of the graph. The pairs found are measured with all columns again.
    """
    if not one.nnz:
        return one
    one.sort_indices()
    paid = cost(costs, one.indices)
    row = np.repeat(np.arange(one.shape[0]), np.diff(one.indptr))
    kept = (np.bincount(row, paid, one.shape[0]) <= budget)[row]  # most rows can afford all that they say
    dear = np.flatnonzero(~kept)
    order = dear[np.argsort(row[dear] * _COSTLIEST + costs[one.indices[dear]], kind="stable")]  # then by column
    before = np.cumsum(paid[order]) - paid[order]
    before -= before[np.searchsorted(row[order], row[order])]
    kept[order] = (before == 0) | (before + paid[order] <= budget)
    ends = np.r_[0, np.cumsum(kept)][one.indptr]
    return sparse.csr_matrix((one.data[kept], one.indices[kept], ends), shape=one.shape)
