"""Blocking: the pairs of entities worth comparing. No scoring.

Every left entity gets the right entities of its type that are nearest by the sum of the cosines of what texts say,
by that of all views, by its neighbours' names alone, and by the anchors two steps away alone, taken in turns. Each
comes from one product of sparse matrices. What a left entity gets depends on its own rows and on those of the right
entities alone, so that after a change only those left entities are looked at again that the change can reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from neo4j_align.config import Config
from neo4j_align.records import LEFT, RIGHT, VIEWS, Anchors, BoolArray, FloatArray, IntArray, Nodes, Pairs, taken
from neo4j_align.store import nearest
from neo4j_align.store.nearest import LISTS, Powers
from neo4j_align.views import Views, cosine

WIDER = 2  # times as many candidates for an entity whose counterpart is not sure
KEPT = 3  # candidates of an entity whose counterpart is sure
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
    costs: dict[str, Powers]
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
        k: how many counterparts an entity gets; costs: by view, how many of the right entities have a column.
    """

    name: str
    lists: tuple[tuple[str, ...], ...]
    left: IntArray
    right: IntArray
    k: int
    costs: dict[str, Powers]

    def of_lists(self, costs: dict[str, Powers]) -> list[Powers]:
        """Return the costs of each list's columns, which are those of its views side by side."""
        return [np.concatenate([costs[f"{self.name} {view}"] for view in names]) for names in self.lists]


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
        if not moved.any():
            return replace(before, lost=np.zeros(len(nodes), bool))
    again = moved & (nodes.side == LEFT)
    found, costs = [], {}
    for pool in _pools(config, nodes, views, sure, absent):
        costs.update(pool.costs)
        if before is not None:
            again[pool.left] |= _reached(pool, views, before, moved, again)
        rows = pool.left[again[pool.left]]
        if len(rows):
            of_lists = pool.of_lists(pool.costs)
            left, right, bars[rows] = nearest.nearest(views, pool.lists, rows, pool.right, pool.k, of_lists)
            twins = rows[sure[rows]]
            found += [(left, right), (twins, anchors.twin[twins])]
    if before is not None:
        kept = ~again[before.left]
        found.append((before.left[kept], before.right[kept]))
    nobody = np.zeros(0, np.int64)
    left, right = (np.concatenate(column) for column in zip((nobody, nobody), *found, strict=True))
    return Blocked(*_distinct(len(nodes), left, right), bars, costs, sure, np.zeros(len(nodes), bool))


def _pools(config: Config, nodes: Nodes, views: Views, sure: BoolArray, absent: IntArray | None) -> Iterator[_Pool]:
    present = np.ones(len(nodes), bool)
    if absent is not None:
        present[absent] = False
    size = config.candidates.per_entity
    for index, entity_type in enumerate(config.types):
        if not entity_type.aligned:
            continue
        left, all_right = (np.arange(len(nodes))[nodes.of(side, index)] for side in (LEFT, RIGHT))
        right = all_right[present[all_right]]
        for name, lists, one, other, k in (
            (f"{index} sure", LISTS[:1], left[sure[left]], right, KEPT),
            (f"{index} open", LISTS, left[~sure[left]], right[~sure[right]], size * WIDER),
        ):
            names = [view for view in VIEWS if any(view in part for part in lists)]
            costs = {f"{name} {view}": _costs(views, view, nodes.of(RIGHT, index), other) for view in names}
            yield _Pool(name, lists, one, other, k, costs)


def _costs(views: Views, view: str, among: slice, pooled: IntArray) -> Powers:
    """Count the rows of a pool that have each column of a view; all of them stand `among` these."""
    rows, keep = getattr(views, view), np.zeros(among.stop - among.start, bool)
    keep[pooled - among.start] = True
    ends = rows.indptr[among.start : among.stop + 1]
    indices = rows.indices[ends[0] : ends[-1]]
    return nearest.powers(indices if keep.all() else indices[np.repeat(keep, np.diff(ends))], rows.shape[1])


def _reached(pool: _Pool, views: Views, before: Blocked, moved: BoolArray, again: BoolArray) -> BoolArray:
    """Tell which left entities of a pool a change of others reaches."""
    reached, pooled = np.zeros(len(moved), bool), np.zeros(len(moved), bool)
    pooled[pool.right] = True
    lost = ~pooled[before.right] & ~before.sure[before.left] | moved[before.right]
    reached[before.left[lost]] = True
    rest = pool.left[~(reached | again)[pool.left]]
    arrived = pool.right[moved[pool.right]]
    costs = zip(pool.lists, pool.of_lists(before.costs), pool.of_lists(pool.costs), strict=True)
    for number, (names, then, now) in enumerate(costs):
        reached[_dearer(views, names, rest, then, now)] = True
        reached[rest[_entered(views, names, arrived, rest, before.bars[rest, number])]] = True
    return reached[pool.left]


def _dearer(views: Views, names: tuple[str, ...], rows: IntArray, then: Powers, now: Powers) -> IntArray:
    """Return those rows that may afford other columns than before, by the costs of a list's columns."""
    if not (other := then != now).any():
        return rows[:0]
    start, has = 0, np.zeros(len(views.names), bool)
    for name in names:
        matrix = getattr(views, name)
        met = other[start : start + matrix.shape[1]][matrix.indices]
        has |= np.diff(np.r_[0, np.cumsum(met)][matrix.indptr]) > 0
        start += matrix.shape[1]
    rows = rows[has[rows]]
    mine = nearest.beside(views, names, rows)
    row = np.repeat(np.arange(len(rows)), np.diff(mine.indptr))
    spent = [np.bincount(row, nearest.cost(powers, mine.indices), len(rows)) for powers in (then, now)]
    return rows[np.maximum(*spent) >= nearest.BUDGET]


def _entered(views: Views, names: tuple[str, ...], arrived: IntArray, rows: IntArray, bars: FloatArray) -> BoolArray:
    """Tell for which rows, (R,), any of those that arrived is near enough."""
    entered = np.zeros(len(rows), bool)
    if not len(arrived):
        return entered
    others = nearest.beside(views, names, rows)
    for start in range(0, len(arrived), _MET_AT_ONCE):
        some = nearest.beside(views, names, arrived[start : start + _MET_AT_ONCE])
        met = (some @ nearest.narrowed(others, some).T).tocoo()
        entered[met.col[met.data > bars[met.col] - _NEAR]] = True
    return entered


def _distinct(count: int, left: npt.NDArray[Any], right: npt.NDArray[Any]) -> tuple[IntArray, IntArray]:
    pairs = np.sort(left.astype(np.int64) * count + right)
    left, right = np.divmod(pairs[np.r_[True, np.diff(pairs) > 0][: len(pairs)]], max(count, 1))
    return left, right


def pairs(views: Views, left: npt.NDArray[Any], right: npt.NDArray[Any]) -> Pairs:
    """Sort pairs, drop repeats, and measure them in each view."""
    left, right = _distinct(len(views.names), left, right)
    scores = [cosine(rows, rows, left, right) for rows in views.rows]
    return Pairs(left.astype(np.int32), right.astype(np.int32), np.stack(scores, axis=1))
