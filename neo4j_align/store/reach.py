"""Which left entities a change of others reaches, so that blocking has to look at them again.

Of those that nothing else reaches, each list began with the same right entities as today, if all that moved among
these are still nearer than the bar, and none of the others is. Who came before whom among them is no matter: the
k-th pair by turns may then come earlier, but what came by the old place were k pairs, and are k pairs today.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from neo4j_align.records import BoolArray, FloatArray, IntArray
from neo4j_align.store import nearest
from neo4j_align.store.nearest import Matrices, Powers
from neo4j_align.store.pools import Blocked, Pool
from neo4j_align.views import cosine

_SLACK = 1e-5  # what the order of a sum can add to a cosine
_MET_AT_ONCE = 256  # right entities; bounds what they meet on the left
WORTH = 0.25  # of the work of looking anew: what finding out who has to may take


def reached(pool: Pool, views: Matrices, before: Blocked, moved: BoolArray, again: BoolArray) -> IntArray:
    """Return which left entities of a pool, of those not looked at again anyway, a change of others reaches.

    Args:
        moved: (N, VIEWS), whose rows in a view are others than before; again: (N,), who is looked at anyway.
    """
    found, rest = np.zeros(len(moved), bool), np.zeros(len(moved), bool)
    pooled = np.zeros(len(moved), bool)
    pooled[pool.right] = True
    rest[pool.left] = ~again[pool.left]
    gone = rest[before.left] & ~pooled[before.right] & ~before.sure[before.left]
    rest[before.left[gone]], found[before.left[gone]] = False, True
    looked, anyone = np.flatnonzero(rest), pool.right[pool.moved(moved)[pool.right]]
    turned: dict[str, sparse.csr_matrix] = {}
    costs = zip(pool.lists, pool.of_lists(before.costs), pool.of_lists(pool.costs), strict=True)
    for number, (names, then, now) in enumerate(costs):
        came, bars = pool.moved(moved, names), before.bars[:, number]
        rows = np.flatnonzero(rest)
        if _work(views, names, pool, came, now) > WORTH:
            found[rows] = True
            break
        inside = np.flatnonzero(came[before.right] & rest[before.left] & (before.lists >> number & 1 > 0))
        inside = before.left[inside] * len(rest) + before.right[inside]
        for name in set(names) - set(turned):
            turned[name] = _turned(views[name], looked, anyone)
        close = _close(views, {name: turned[name] for name in names}, pool.right[came[pool.right]], looked, bars)
        close = np.setdiff1d(close[rest[close // len(rest)]], inside)
        left, right = np.divmod(np.r_[inside, close], len(rest))
        near = _near(views, names, left, right, now, pool.budget)
        within = np.arange(len(left)) < len(inside)
        crossed = np.where(within, near <= bars[left] + _SLACK, near >= bars[left] - _SLACK)
        for some in (left[crossed], _dearer(views, names, rows, (then, now), pool.budget)):
            rest[some], found[some] = False, True
    return np.flatnonzero(found)


def _work(views: Matrices, names: tuple[str, ...], pool: Pool, came: BoolArray, costs: Powers) -> float:
    """Return about how much work it is to find whom those that came are near, by that of looking anew for everybody.

    Who came meets all left entities with a column of its own, where one who looks meets no more than the budget. The
    left entities are taken to say as much as those that came.
    """
    some = pool.right[came[pool.right]]
    mine = nearest.beside(views, names, some)
    met = np.bincount(np.repeat(np.arange(len(some)), np.diff(mine.indptr)), nearest.cost(costs, mine.indices))
    looked = np.minimum(met, pool.budget).sum() * len(pool.right)
    return float(met.sum() * len(some) / looked) if looked else 0.0


def _dearer(
    views: Matrices, names: tuple[str, ...], rows: IntArray, costs: tuple[Powers, Powers], budget: int
) -> IntArray:
    """Return those rows that may afford other columns than before, by the costs of a list's columns then and now."""
    then, now = costs
    if not (other := then != now).any():
        return rows[:0]
    start, has = 0, np.zeros(len(rows), bool)
    for name in names:
        matrix = views[name]
        has |= np.diff(_narrowed(matrix, other[start : start + matrix.shape[1]], rows).indptr) > 0
        start += matrix.shape[1]
    rows = rows[has]
    mine = nearest.beside(views, names, rows)
    row = np.repeat(np.arange(len(rows)), np.diff(mine.indptr))
    spent = [np.bincount(row, nearest.cost(powers, mine.indices), len(rows)) for powers in costs]
    return rows[np.maximum(*spent) >= budget]


def _near(
    views: Matrices, names: tuple[str, ...], left: IntArray, right: IntArray, costs: Powers, budget: int
) -> FloatArray:
    """Return how near pairs, (P,), are by what their left ends can afford."""
    one, at = np.unique(left, return_inverse=True)
    other, there = np.unique(right, return_inverse=True)
    mine = nearest.affordable(nearest.beside(views, names, one), costs, budget)
    return cosine(mine, nearest.beside(views, names, other), at, there)


def _turned(matrix: sparse.csr_matrix, rows: IntArray, others: IntArray) -> sparse.csr_matrix:
    """Return the columns of rows, (R,), as rows, (M, R), of which those that the others lack are empty."""
    return _narrowed(matrix, nearest.columns_of(matrix[others]), rows).T.tocsr()


def _close(views: Matrices, turned: Matrices, right: IntArray, rows: IntArray, bars: FloatArray) -> IntArray:
    """Return pairs, as left * N + right, of rows and right entities that come near enough by all that they say.

    Args:
        turned: what `_turned` returns of the rows, by view; the cosines of these views are summed.
    """
    found = [rows[:0]]
    for start in range(0, len(right), _MET_AT_ONCE):
        some = right[start : start + _MET_AT_ONCE]
        met = sparse.csr_matrix((len(some), len(rows)), dtype=np.float32)
        for name, columns in turned.items():
            met += views[name][some] @ columns
        met = met.tocoo()
        near = met.data >= bars[rows[met.col]] - _SLACK
        found.append(rows[met.col[near]] * len(bars) + some[met.row[near]])
    return np.concatenate(found)


def _narrowed(matrix: sparse.csr_matrix, columns: BoolArray, rows: IntArray) -> sparse.csr_matrix:
    """Return rows, (R,), sorted, with those of the columns, (M,), alone; narrowed before they are picked."""
    low, high = (rows[0], rows[-1] + 1) if len(rows) else (0, 0)
    return nearest.narrowed(matrix[low:high], columns)[rows - low]
