"""Pools: which left entities look for counterparts among which right ones, and what blocking found for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neo4j_align.config import Config
from neo4j_align.records import LEFT, RIGHT, VIEWS, BoolArray, FloatArray, IntArray, Nodes, taken
from neo4j_align.store import nearest
from neo4j_align.store.nearest import LISTS, Bits, Matrices, Powers, Search
from neo4j_align.views import Views

WIDER = 2  # times as many candidates for an entity whose counterpart is not sure
KEPT = 3  # candidates of an entity whose counterpart is sure
BUDGET = 150_000  # right entities that a left one may meet in a list
LITTLE = 5_000  # that one may meet whose counterpart is sure: it needs a few rivals
WIDE = 2**16  # right entities multiplied at once: the sums of a row fit a core's cache


@dataclass(frozen=True)
class Blocked:
    """The nearest counterparts of each left entity, and how near another would have to be.

    Attributes:
        left, right: (P,), sorted, without repeats.
        lists: (P,), a bit for each list among whose nearest the right entity is; none for a sure counterpart.
        bars: (N, LISTS), the least similarity by which an entity that comes near enters a left entity's candidates.
        costs: by type and pool, and view: how many right entities have a column, as a power of two; -1 where none has.
        sure: (N,), who left the pool.
        lost: (N,), whose counterpart in a pair is gone since then.
    """

    left: IntArray
    right: IntArray
    lists: Bits
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
        return Blocked(left[kept], right[kept], self.lists[kept], bars, costs, sure, lost)


@dataclass(frozen=True)
class Pool:
    """Left entities that look for counterparts among the same right ones, in the same lists.

    Attributes:
        k: how many counterparts an entity gets; budget: how many right entities it may meet in a list.
        costs: by view, how many of the right entities have a column.
    """

    name: str
    lists: tuple[tuple[str, ...], ...]
    left: IntArray
    right: IntArray
    k: int
    budget: int
    costs: dict[str, Powers]

    def moved(self, moved: BoolArray, names: tuple[str, ...] = VIEWS) -> BoolArray:
        """Tell which entities have other rows, (N, VIEWS), in any of these views that the pool looks at; (N,)."""
        seen = [VIEWS.index(name) for name in _summed(self.lists) if name in names]
        return np.asarray(moved[:, seen].any(axis=1), bool)

    def search(self, views: Matrices, left: IntArray, threads: int) -> Search:
        """Return what some of its left entities look for."""
        names = _summed(self.lists)
        said = nearest.columns_of(nearest.beside(views, names, left))
        parts = [self.right[start : start + WIDE] for start in range(0, len(self.right), WIDE)]
        turned = tuple(nearest.narrowed(nearest.beside(views, names, part), said).T.tocsr() for part in parts)
        costs = np.concatenate([self.costs[f"{self.name} {name}"] for name in names])
        mine = {name: views[name] for name in names}
        return Search(mine, self.lists, self.right, turned, self.k, costs, self.budget, threads)

    def of_lists(self, costs: dict[str, Powers]) -> list[Powers]:
        """Return the costs of each list's columns, which are those of its views side by side."""
        return [np.concatenate([costs[f"{self.name} {view}"] for view in names]) for names in self.lists]


def pools(config: Config, nodes: Nodes, views: Views, sure: BoolArray, absent: IntArray | None) -> Iterator[Pool]:
    """Return the pools of each aligned type: of those that are sure, (N,), and of the others, without the absent."""
    present = np.ones(len(nodes), bool)
    if absent is not None:
        present[absent] = False
    size = config.candidates.per_entity
    for index, entity_type in enumerate(config.types):
        if not entity_type.aligned:
            continue
        left, all_right = (np.arange(len(nodes))[nodes.of(side, index)] for side in (LEFT, RIGHT))
        right = all_right[present[all_right]]
        for name, lists, one, other, k, budget in (
            (f"{index} sure", LISTS[:1], left[sure[left]], right, KEPT, LITTLE),
            (f"{index} open", LISTS, left[~sure[left]], right[~sure[right]], size * WIDER, BUDGET),
        ):
            among = nodes.of(RIGHT, index)
            costs = {f"{name} {view}": _costs(views, view, among, other) for view in _summed(lists)}
            yield Pool(name, lists, one, other, k, budget, costs)


def _summed(lists: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """Return the views that lists sum."""
    return tuple(view for view in VIEWS if any(view in part for part in lists))


def _costs(views: Views, view: str, among: slice, pooled: IntArray) -> Powers:
    """Count the rows of a pool that have each column of a view; all of them stand `among` these."""
    rows, keep = getattr(views, view), np.zeros(among.stop - among.start, bool)
    keep[pooled - among.start] = True
    ends = rows.indptr[among.start : among.stop + 1]
    indices = rows.indices[ends[0] : ends[-1]]
    return nearest.powers(indices if keep.all() else indices[np.repeat(keep, np.diff(ends))], rows.shape[1])
