"""Judges a pair again without each of some evidence, all else as it is.

The pair's surroundings are cut out of its graph, and behind them stands a copy of both entities for each evidence.
What is cut off is out of the pair's sight, two hops; what rivals and the bearers of a name say is taken from the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from neo4j_align.config import Config
from neo4j_align.gnn import rivals, score
from neo4j_align.gnn.saved import Model
from neo4j_align.records import LEFT, VIEWS, Anchors, BoolArray, FloatArray, IntArray, Neighbourhood, Nodes, Pairs
from neo4j_align.sight import Graph, Look, Scene, Sight
from neo4j_align.views import cosine

Weights = npt.NDArray[np.float64]
_BY_IDENTITY = ("anchors", "circle")  # views whose columns are entities


@dataclass(frozen=True)
class Removal:
    """What is taken away from both entities of a pair: an attribute, or the relationships to a neighbour of each.

    Attributes:
        slot: name of the attribute; None where it is something else, or nothing at all.
        left, right: the neighbours, by index into Nodes; -1 for none.
        taken: whether it is that the first look took either for another's counterpart.
    """

    slot: str | None = None
    left: int = -1
    right: int = -1
    taken: bool = False


@dataclass(frozen=True)
class Surroundings:
    """Some entities of a graph, and behind them a copy of a pair for each of A removals.

    Attributes:
        places: (M,), where the first M entities are in the graph; sorted.
        left, right: (A,), the copies; free: (A,), those of which neither counts as another's counterpart.
    """

    graph: Graph
    known: Anchors
    places: IntArray
    left: IntArray
    right: IntArray
    free: BoolArray


@dataclass(frozen=True)
class Rescored:
    """A pair as it is, and without each of some evidence.

    Attributes:
        scores: (A,), confidence: (A,), of all removals; comparison: the part of the first score that no network has.
        weights: attention on the neighbours of both entities, (K,) each.
    """

    scores: npt.NDArray[np.float64]
    confidence: npt.NDArray[np.float64]
    comparison: float
    weights: tuple[Weights, Weights]

    def lost(self, removal: int) -> tuple[float, float]:
        """Return how much a removal takes from the score, and the confidence without it."""
        return float(self.scores[0] - self.scores[removal]), float(self.confidence[removal])


def rescore(
    sight: Sight, model: Model, scene: Scene, pair: tuple[int, int], removals: Sequence[Removal], candidates: Pairs
) -> Rescored:
    """Judge a pair without each of some evidence, all else as it is.

    Args:
        removals: the first takes nothing away.
        candidates: all that blocking found, the pair or not.
    """
    found = look(sight, scene, cut(sight.config, scene, pair, removals), pair, candidates)
    network, seen = score.exact(model.network, found.seen)
    both = score.indices(found.pairs)
    encoded = score.encode_once(network, seen, both, lambda _: None)
    logits = score.logits(network, seen, encoded, both, found.evidence)
    comparison = score.compare(model.network.comparison, found.evidence[:1], found.seen.type[both[:1, 0]]).mean()
    left, right = score.attention(network, seen, encoded, both[:1])
    return Rescored(logits, model.about.curves[found.types[0]](logits), float(comparison), (left[0], right[0]))


def cut(config: Config, scene: Scene, pair: tuple[int, int], removals: Sequence[Removal]) -> Surroundings:
    """Cut a pair's surroundings out, and copy its entities once a removal, without what that takes away."""
    whole = scene.graph
    places = surroundings(scene, pair)
    count, times = len(places), len(removals)
    rows = np.r_[places, np.repeat(pair[0], times), np.repeat(pair[1], times)]
    left, right = count + np.arange(times), count + times + np.arange(times)
    inside = np.full(len(whole.nodes) + 1, -1, np.int64)  # the last place is that of "none"
    inside[places] = np.arange(count)
    nodes, drawn = whole.nodes.take(rows), whole.neighbourhood
    neighbours, relations, degree = drawn.neighbours[rows], drawn.relations[rows].copy(), drawn.degree[rows].copy()
    for copies, side in ((left, "left"), (right, "right")):
        lost = np.array([getattr(removal, side) for removal in removals])
        hidden = (neighbours[copies] == lost[:, None]) & (lost >= 0)[:, None]
        neighbours[copies] = np.where(hidden, -1, neighbours[copies])
        degree[copies] -= hidden.sum(axis=1)
    neighbours = inside[neighbours].astype(np.int32)
    relations[neighbours < 0] = 0
    for at, removal in enumerate(removals):
        _forget(config, nodes, removal.slot, [left[at], right[at]])
    graph = Graph(nodes, Neighbourhood(neighbours, relations, degree), whole.means)
    free = np.array([removal.taken for removal in removals])
    return Surroundings(graph, _anchors(scene.known, inside, places, pair, times), places, left, right, free)


def surroundings(scene: Scene, pair: tuple[int, int]) -> IntArray:
    """Return two entities, their neighbours, theirs, and the counterparts of all of these; sorted."""
    drawn, twin = scene.graph.neighbourhood.neighbours, scene.known.twin
    reached: npt.NDArray[np.int64] = np.array(pair)
    for _ in range(2):
        reached = np.union1d(reached, drawn[reached])
        reached = reached[reached >= 0]
    twins = twin[reached]
    return np.union1d(reached, twins[twins >= 0])


def _forget(config: Config, nodes: Nodes, slot: str | None, rows: list[int]) -> None:
    if slot is None:
        return
    nodes.attributes[slot][rows] = None
    naming = config.types[nodes.type[rows[0]]].name_attribute
    if naming is not None and naming.name == slot:
        nodes.names[rows] = None


def _anchors(known: Anchors, inside: IntArray, places: IntArray, pair: tuple[int, int], times: int) -> Anchors:
    """Return the anchors of the surroundings; a copy keeps its original's identity, so that it is no evidence for it.

    An identity is the smaller index of two counterparts, so a copy has that one for its counterpart.
    """
    identity = known.identity[list(pair)]
    twin = np.r_[inside[known.twin[places]], np.repeat(inside[identity], times)]
    return Anchors(twin, np.r_[known.confidence[places], np.repeat(known.confidence[list(pair)], times)])


def look(sight: Sight, scene: Scene, cutout: Surroundings, pair: tuple[int, int], candidates: Pairs) -> Look:
    """Compare the copies of a pair as the pair is compared in its graph.

    Args:
        candidates: all that blocking found.
    """
    views, _ = sight.view(cutout.graph, scene.weights)
    near = sight.scene(cutout.graph, views, scene.weights, cutout.known)
    scores = [cosine(rows, rows, cutout.left, cutout.right) for rows in near.views.rows]
    pairs = Pairs(cutout.left.astype(np.int32), cutout.right.astype(np.int32), np.stack(scores, axis=1))
    left, right = (np.full(len(pairs), end, np.int32) for end in pair)
    taken, of = rivals.taken(scene.known, Pairs(left, right, pairs.scores))
    taken[cutout.free] = 0
    places = _places(scene, near, cutout, pair, candidates, pairs.scores)
    evidence, names = sight.evidence(_bearing(scene, near, pair, cutout), pairs, places, (taken, of))
    return Look(pairs, evidence, names, scene.graph.nodes.type[left], near.readable, np.ones(len(left), bool))


def _places(
    scene: Scene, near: Scene, cutout: Surroundings, pair: tuple[int, int], candidates: Pairs, own: FloatArray
) -> FloatArray:
    """Return where each copy of the pair stands among the candidates of the pair's two entities, as `rivals.places`."""
    times, numbers = len(own), np.arange(len(own))
    ends, scores, fresh = [(numbers, numbers)], [own], times
    for end, copies in enumerate((cutout.left, cutout.right)):
        columns = (candidates.left, candidates.right)
        rival = columns[1 - end][(columns[end] == pair[end]) & (columns[1 - end] != pair[1 - end])]
        copy, other = np.repeat(numbers, len(rival)), np.tile(rival, times)
        nobody = fresh + np.arange(len(copy))  # one name each for the rivals, whose own rank is not asked for
        ends.append((copy, nobody) if end == LEFT else (nobody, copy))
        scores.append(_cosines(scene, near, cutout.places, copies[copy], other))
        fresh += len(copy)
    left, right = (np.concatenate(part).astype(np.int32) for part in zip(*ends, strict=True))
    return rivals.places(Pairs(left, right, np.concatenate(scores)))[:times]


def _cosines(scene: Scene, near: Scene, places: IntArray, copies: IntArray, others: IntArray) -> FloatArray:
    """Measure copies, (P,), against entities of the whole graph, (P,), in each view; (P, S)."""
    kept, back = np.unique(others, return_inverse=True)
    columns = []
    for name, one, other in zip(VIEWS, near.views.rows, scene.views.rows, strict=True):
        rows = other[kept]
        if name in _BY_IDENTITY:
            one, rows = one[:, : len(places)], rows[:, places]
        columns.append(cosine(one, rows, copies, back))
    return np.stack(columns, axis=1)


def _bearing(scene: Scene, near: Scene, pair: tuple[int, int], cutout: Surroundings) -> Scene:
    """Let copies be as alone with their names as their originals in the whole graph; some have lost theirs."""
    alone = near.alone.copy()
    for entity, copies in zip(pair, (cutout.left, cutout.right), strict=True):
        kept = near.views.signatures[copies] == scene.views.signatures[entity]
        alone[copies] = np.where(kept, scene.alone[entity], 0)
    return replace(near, alone=alone)
