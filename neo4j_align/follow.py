"""A look that follows a change: what a change does not reach is taken from memory. Without memory all is new.

Every step asks which entities could come out otherwise than before, works these out, and hands on only those that
did. What comes out is a function of the graph, the model and the verdicts alone, so that it is the same whatever
was remembered. `near` of some entities are those that drew one of them as a neighbour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from neo4j_align.config import Config
from neo4j_align.engine import Engine
from neo4j_align.gnn import rivals
from neo4j_align.gnn.said import Among, Sayings
from neo4j_align.memory import GONE, Glimpse, Memory, patched
from neo4j_align.numeric import Doubles
from neo4j_align.progress import Stages
from neo4j_align.records import VIEWS, Anchors, BoolArray, FloatArray, IntArray, Nodes, Pairs
from neo4j_align.sight import Graph, Scene, require
from neo4j_align.store import candidates
from neo4j_align.store.pools import Blocked
from neo4j_align.views import Views, Weights, alone, around, cosine, view

Judge = Callable[[Scene, Pairs, FloatArray], npt.NDArray[np.float64]]  # of pairs with their places: logits, (P,)


@dataclass(frozen=True)
class Base:
    """A graph with all that no anchor changes, and what of it is new.

    Attributes:
        alone, sayings: as in `Scene`.
        text, drawn, rows, names: (N,), whose own texts, sampled neighbours, views or bearers of its name are others.
        moved: (N, VIEWS), which of the views that are compared are others.
    """

    graph: Graph
    views: Views
    weights: Weights
    alone: FloatArray
    sayings: Among
    text: BoolArray
    drawn: BoolArray
    rows: BoolArray
    names: BoolArray
    moved: BoolArray

    @property
    def encoded(self) -> BoolArray:
        """Whose neighbours, or they themselves, the network may encode otherwise; (N,)."""
        near = self.graph.neighbourhood.near
        inside = self.text | self.drawn | near(self.text)
        return inside | near(inside)


def base(config: Config, graph: Graph, weights: Weights, memory: Memory | None) -> tuple[Base, tuple[Glimpse, ...]]:
    """Make the views that no anchor changes; and return what the looks remember, in the graph's indices."""
    if memory is None:
        every = np.ones(len(graph.nodes), bool)
        views, _ = view(config, graph.nodes, graph.neighbourhood, weights)
        moved: BoolArray = np.ones((len(every), len(VIEWS)), bool)
        bearers, sayings = alone(graph.nodes, views.signatures), Sayings(config, graph.nodes, views, weights)
        return Base(graph, views, weights, bearers, sayings.among, every, every, every, every, moved), ()
    memory, old = memory.reindexed(graph.nodes)
    near = graph.neighbourhood.near
    text = (old < 0) | _texts_differ(memory.graph.nodes, graph.nodes)
    drawn = (old < 0) | _samples_differ(memory.graph, graph)
    again = np.flatnonzero(text | drawn | near(text))
    views, rows, moved = _views(config, graph, weights, memory.views, again)
    moved |= (old < 0)[:, None]
    bearers, sayings = alone(graph.nodes, views.signatures), Sayings(config, graph.nodes, views, weights)
    new = text, drawn, text | rows, bearers != memory.alone, moved
    return Base(graph, views, weights, bearers, sayings.among, *new), memory.looks


def _views(
    config: Config, graph: Graph, weights: Weights, before: Views, again: IntArray
) -> tuple[Views, BoolArray, BoolArray]:
    """Make the views of some entities again, (R,).

    Returns:
        All views; which entities have other rows in any, (N,); and in which of those that are compared, (N, VIEWS).
    """
    rows, moved = np.zeros(len(graph.nodes), bool), np.zeros((len(graph.nodes), len(VIEWS)), bool)
    if not len(again):
        return before, rows, moved
    own = np.union1d(again, _neighbours(graph, again))
    part = graph.part(own)
    seen, _ = view(config, part.nodes, part.neighbourhood, weights)
    seen, columns = seen.take(np.searchsorted(own, again)), vars(before).copy()
    for name in ("names", "signatures", "records", "numbers"):
        columns[name] = columns[name].copy()
        columns[name][again] = getattr(seen, name)
    for name in ("words", "document", "name", "record", "neighbours"):
        others = differ(columns[name][again], getattr(seen, name))
        rows[again] |= others
        if name in VIEWS:
            moved[again, VIEWS.index(name)] = others
        columns[name] = patched(columns[name], again, getattr(seen, name))
    return Views(**columns), rows, moved


def _texts_differ(before: Nodes, now: Nodes) -> BoolArray:
    found = np.asarray(before.names != now.names, bool)
    for name, column in now.attributes.items():
        found |= np.asarray(before.attributes[name] != column, bool)
    return found


def _samples_differ(before: Graph, now: Graph) -> BoolArray:
    one, other = before.neighbourhood, now.neighbourhood
    found = (one.neighbours != other.neighbours) | (one.relations != other.relations)
    differ: BoolArray = found.any(axis=1) | (one.about != other.about)
    return differ


def _neighbours(graph: Graph, rows: IntArray) -> IntArray:
    neighbours = graph.neighbourhood.neighbours[rows]
    return np.unique(neighbours[neighbours >= 0]).astype(np.int64)


def differ(one: sparse.csr_matrix, other: sparse.csr_matrix) -> BoolArray:
    """Tell which rows of two matrices differ, (R,)."""
    return np.asarray((one != other).sum(axis=1)).ravel() > 0


class Follower:
    """Looks at a graph again, with what one look remembers."""

    def __init__(self, config: Config, stages: Stages, base: Base, before: Glimpse | None, engine: Engine) -> None:
        self._config, self._stages, self._base, self._engine = config, stages, base, engine
        self._before = before if before is not None and len(before.logits) else None
        self._graph = base.graph
        self._near = base.graph.neighbourhood.near

    def look(
        self, known: Anchors, exclusive: list[bool], judge: Judge, ends: BoolArray, hops: int
    ) -> tuple[Scene, Glimpse]:
        """Block with these anchors, and judge.

        Args:
            exclusive: per type, whether links are one-to-one, the configuration's wishes considered.
            judge: tells the logits of pairs of a scene.
            ends: (N,), entities that it may judge otherwise now, whatever the anchors.
            hops: how far around a pair it looks.

        Raises:
            DataError: There is nothing to compare.
        """
        base, before = self._base, self._before
        twins, surer = _anchors_differ(None if before is None else before.known, known)
        with self._stages.stage("candidates") as advance:
            near, circle, moved = self._around(known, twins)
            moved |= base.moved | twins[:, None]
            rows = np.asarray(moved.any(axis=1), bool)
            views = base.views.around(known, near, circle)
            scene = Scene(self._config, self._graph, views, base.weights, known, base.alone, base.sayings)
            blocked = candidates.candidates(
                self._config, self._graph.nodes, views, known, exclusive,
                before=None if before is None else before.blocked, moved=moved, engine=self._engine,
            )  # fmt: skip
            require(blocked.left)
            pairs, again, at = self._measured(blocked, views, rows)
            advance(int(again.sum()))
        places = self._places(pairs, again, at)
        fresh = again if before is None else again | (places != before.places[at]).any(axis=1)
        ends = ends | base.names | base.drawn | surer | self._near(base.text | base.drawn | twins)
        if before is not None:
            ends |= _numbers_differ(before.lent, views.lent)
        fresh |= ends[pairs.left] | ends[pairs.right]
        logits = np.zeros(len(pairs)) if before is None else before.logits[at]
        logits[fresh] = self._judged(scene, pairs, places, np.flatnonzero(fresh), judge, hops)
        faded = np.zeros(len(ends), bool)
        return scene, Glimpse(known, near, circle, views.lent, faded, blocked, pairs.scores, places, logits)

    def _around(self, known: Anchors, twins: BoolArray) -> tuple[sparse.csr_matrix, sparse.csr_matrix, BoolArray]:
        """Return the views of the anchors, and which rows of these, of all views, are others; (N, VIEWS)."""
        most, before, drawn = self._config.candidates.max_frequency, self._before, self._base.drawn
        moved = np.zeros(self._base.moved.shape, bool)
        columns = [VIEWS.index(name) for name in ("anchors", "circle")]
        if before is None:
            return *around(self._graph.neighbourhood, known, most, np.arange(len(drawn))), moved
        moved[:, columns] = before.faded[:, None]
        weight = twins | drawn | drawn[known.twin] & (known.twin >= 0)  # an anchor's degree is that of both
        one = drawn | self._near(weight)
        again = np.flatnonzero(one | self._near(one | drawn) | twins)
        if not len(again):
            return before.anchors, before.circle, moved
        found = []
        now_known = around(self._graph.neighbourhood, known, most, again)
        for column, was, now in zip(columns, (before.anchors, before.circle), now_known, strict=True):
            moved[again, column] |= differ(was[again], now)
            found.append(patched(was, again, now))
        return found[0], found[1], moved

    def _measured(self, blocked: Blocked, views: Views, rows: BoolArray) -> tuple[Pairs, BoolArray, IntArray]:
        """Return the pairs with their scores, which scores are new, (P,), and where the others were before, (P,)."""
        before = self._before
        at: IntArray = np.zeros(len(blocked.left), np.int64)
        again: BoolArray = np.ones(len(at), bool)
        scores: FloatArray = np.zeros((len(at), len(VIEWS)), np.float32)
        if before is not None:
            at, there = _found(len(rows), blocked, before.blocked)
            again = ~there | rows[blocked.left] | rows[blocked.right]
            scores = before.scores[at]
        left, right = blocked.left[again], blocked.right[again]
        scores[again] = np.stack([cosine(matrix, matrix, left, right) for matrix in views.rows], axis=1)
        if before is not None:
            again = ~there | (scores != before.scores[at]).any(axis=1)
        return Pairs(blocked.left.astype(np.int32), blocked.right.astype(np.int32), scores), again, at

    def _places(self, pairs: Pairs, again: BoolArray, at: IntArray) -> FloatArray:
        """Compare with their rivals the pairs of entities of which any pair is new, has another score, or is gone."""
        before = self._before
        if before is None:
            return rivals.places(pairs)
        gone = np.ones(len(before.logits), bool)
        gone[at[~again]] = False
        places = before.places[at]
        for column, end, was in ((0, pairs.left, before.blocked.left), (2, pairs.right, before.blocked.right)):
            touched = before.blocked.lost.copy()
            touched[end[again]] = touched[was[gone]] = True
            rows = np.flatnonzero(touched[end])
            places[rows, column : column + 2] = rivals.place(pairs.scores[rows], end[rows])
        return places

    def _judged(
        self, scene: Scene, pairs: Pairs, places: FloatArray, rows: IntArray, judge: Judge, hops: int
    ) -> npt.NDArray[np.float64]:
        """Judge the pairs at these rows, in as small a scene as they need."""
        if not len(rows):
            return np.zeros(0)
        pairs, places = pairs.take(rows), places[rows]
        around = np.unique(np.r_[pairs.left, pairs.right]).astype(np.int64)
        for _ in range(hops):
            around = np.union1d(around, _neighbours(self._graph, around))
        if len(around) > len(self._graph.nodes) // 2:
            return judge(scene, pairs, places)
        left, right = (np.searchsorted(around, end).astype(np.int32) for end in (pairs.left, pairs.right))
        return judge(scene.part(around), replace(pairs, left=left, right=right), places)


def _anchors_differ(before: Anchors | None, now: Anchors) -> tuple[BoolArray, BoolArray]:
    """Tell whose sure counterparts differ, (N,), and whose counterparts do or how sure they are, (N,)."""
    if before is None:
        return np.ones(len(now.twin), bool), np.ones(len(now.twin), bool)
    other = before.twin != now.twin
    twins = (before.sure != now.sure) | (now.sure & other) | (before.twin == GONE)
    return twins, other | (before.confidence != now.confidence)


def _numbers_differ(before: Doubles, now: Doubles) -> BoolArray:
    """Tell who is lent other numbers, (N,)."""
    same = (before == now) | (np.isnan(before) & np.isnan(now))
    return np.asarray(~same.all(axis=(1, 2)))


def _found(count: int, now: Blocked, before: Blocked) -> tuple[IntArray, BoolArray]:
    """Return where each pair stands in those of before, (P,), and which are there."""
    keys, known = (pairs.left * count + pairs.right for pairs in (now, before))
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return at, known[at] == keys
