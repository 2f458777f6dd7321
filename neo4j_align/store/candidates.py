"""Blocking: the pairs of entities worth comparing. No scoring.

Every left entity gets the right entities of its type that are nearest by the sum of the cosines of what texts say,
by that of all views, by its neighbours' names alone, and by the anchors two steps away alone, taken in turns. Each
comes from one product of sparse matrices. What a left entity gets depends on its own rows and on those of the right
entities alone, so that after a change only those left entities are looked at again that the change can reach.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from neo4j_align.config import Config
from neo4j_align.engine import Engine, Local
from neo4j_align.records import LEFT, VIEWS, Anchors, BoolArray, FloatArray, IntArray, Nodes, Pairs
from neo4j_align.store import nearest, reach
from neo4j_align.store.nearest import LISTS, Bits
from neo4j_align.store.pools import Blocked, pools
from neo4j_align.views import Views, cosine

AT_ONCE = 20_000  # left entities whose nearest are looked for together: a piece of work for an engine


def candidates(
    config: Config,
    nodes: Nodes,
    views: Views,
    anchors: Anchors,
    exclusive: list[bool],
    absent: IntArray | None = None,
    before: Blocked | None = None,
    moved: BoolArray | None = None,
    engine: Engine | None = None,
) -> Blocked:
    """Return the nearest counterparts of each left entity of an aligned type.

    An entity gets `config.candidates.per_entity`; a sure one KEPT besides its counterpart. Where links are
    one-to-one, the right entities that are sure leave the pool for all the others, who get twice as many instead.

    Args:
        exclusive: per type, whether links are one-to-one.
        absent: right entities that are nobody's candidates.
        before: what was returned last time, in today's indices.
        moved: (N, VIEWS), which rows of an entity are others than then: all where it or its sure counterpart is new.
        engine: looks for the nearest, a part of the left entities at a time.
    """
    engine = engine or Local()
    sure = anchors.sure & np.array(exclusive)[nodes.type]
    if before is None or moved is None:
        bars: FloatArray = np.full((len(nodes), len(LISTS)), np.inf, np.float32)
        before, moved = None, np.ones((len(nodes), len(VIEWS)), bool)
    else:
        bars = before.bars.copy()
        moved = moved | ((sure != before.sure) | (before.lost & (nodes.side == LEFT)))[:, None]
        if not moved.any():
            return replace(before, lost=np.zeros(len(nodes), bool))
    again = np.zeros(len(nodes), bool)
    nobody = np.zeros(0, np.int64)
    found: list[tuple[npt.NDArray[Any], ...]] = [(nobody, nobody, nobody)]
    costs = {}
    for pool in pools(config, nodes, views, sure, absent):
        costs.update(pool.costs)
        again[pool.left] = pool.moved(moved)[pool.left]
        if before is not None:
            again[reach.reached(pool, views.compared, before, moved, again)] = True
        rows = pool.left[again[pool.left]]
        if not len(rows):  # what all might find is not made for nobody
            continue
        parts = [rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE)]
        with closing(engine.map(nearest.nearest, pool.search(views.compared, rows, engine.threads), parts)) as near:
            for part, (left, right, lists, bar) in zip(parts, near, strict=True):
                bars[part] = bar
                found.append((left, right, lists))
        twins = rows[sure[rows]]
        found.append((twins, anchors.twin[twins], np.zeros(len(twins), np.uint8)))
    if before is not None:
        kept = ~again[before.left]
        found.append((before.left[kept], before.right[kept], before.lists[kept]))
    every = _distinct(len(nodes), *(np.concatenate(column) for column in zip(*found, strict=True)))
    return Blocked(*every, bars, costs, sure, np.zeros(len(nodes), bool))


def _distinct(
    count: int, left: npt.NDArray[Any], right: npt.NDArray[Any], lists: npt.NDArray[Any]
) -> tuple[IntArray, IntArray, Bits]:
    """Sort pairs among `count` entities, and drop repeats, of which one alone may be of any list."""
    pairs = left.astype(np.int64) * count + right
    order = np.argsort(pairs, kind="stable")
    pairs = pairs[order]
    first = np.flatnonzero(np.r_[True, np.diff(pairs) > 0][: len(pairs)])
    left, right = np.divmod(pairs[first], max(count, 1))
    return left, right, np.maximum.reduceat(lists[order], first).astype(np.uint8)


def pairs(views: Views, left: npt.NDArray[Any], right: npt.NDArray[Any]) -> Pairs:
    """Sort pairs, drop repeats, and measure them in each view."""
    left, right, _ = _distinct(len(views.names), left, right, np.zeros(len(left), np.uint8))
    scores = [cosine(rows, rows, left, right) for rows in views.rows]
    return Pairs(left.astype(np.int32), right.astype(np.int32), np.stack(scores, axis=1))
