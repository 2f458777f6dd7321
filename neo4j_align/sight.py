"""How the model sees two graphs: candidate pairs, their features, and the entities as tensors. No database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from neo4j_align.config import Config
from neo4j_align.errors import DataError
from neo4j_align.gnn import features, partition, rivals
from neo4j_align.gnn.said import Among, Sayings, of_part
from neo4j_align.progress import Stages
from neo4j_align.records import Anchors, BoolArray, FloatArray, IntArray, Neighbourhood, Nodes, Pairs, taken
from neo4j_align.resolve import labels, strangers
from neo4j_align.store import candidates
from neo4j_align.veil import veil
from neo4j_align.views import Views, Weights, alone, around, view


@dataclass(frozen=True)
class Graph:
    """What was pulled from the database: the entities and their sampled neighbours."""

    nodes: Nodes
    neighbourhood: Neighbourhood
    means: FloatArray

    @property
    def seen(self) -> tuple[Nodes, Neighbourhood]:
        """All that the model sees of the database, but for the averages, which are the model's own."""
        return self.nodes, self.neighbourhood

    def part(self, rows: IntArray) -> Graph:
        """Return the entities at these rows, among each other."""
        return Graph(self.nodes.take(rows), self.neighbourhood.take(rows), self.means)

    def around(self, config: Config, key: object) -> pd.DataFrame:
        """Return the sampled neighbours of the entities with a key, and theirs, exactly as the model sees them.

        Returns:
            hop (1 or 2), entity, relation, forward (whether it points from the entity), neighbour, type (of it).

        Raises:
            DataError: No entity of either side has the key.
        """
        nodes, drawn = self.nodes, self.neighbourhood
        reached = np.flatnonzero(nodes.keys.astype(str) == str(key))
        if not len(reached):
            raise DataError(f"No entity of either side has the key {key}.")
        hops = []
        names = np.array([relation.name for relation in config.relations], dtype=object)
        for hop in (1, 2):
            row, place = np.nonzero(drawn.neighbours[reached] >= 0)
            entity = reached[row]
            neighbour, code = drawn.neighbours[entity, place], drawn.relations[entity, place]
            columns = {
                "hop": hop,
                "entity": nodes.keys[entity].astype(str),
                "relation": names[np.abs(code) - 1],
                "forward": code > 0,
                "neighbour": nodes.keys[neighbour].astype(str),
                "type": np.array(config.type_names, dtype=object)[nodes.type[neighbour]],
            }
            hops.append(pd.DataFrame(columns))
            reached = np.unique(neighbour)
        return pd.concat(hops, ignore_index=True)


@dataclass(frozen=True)
class Scene:
    """A graph as one look sees it, with the anchors that are known by then.

    Attributes:
        views: with what is around the anchors; weights: of the model.
        alone: (N,), whether each entity alone bears its name, as `views.alone` tells.
        sayings: of the entities (`Sayings.among`); no anchor changes them.
    """

    config: Config
    graph: Graph
    views: Views
    weights: Weights
    known: Anchors
    alone: FloatArray
    sayings: Among

    def with_anchors(self, known: Anchors) -> Scene:
        """Return the same graph with other anchors."""
        most, everyone = self.config.candidates.max_frequency, np.arange(len(self.graph.nodes))
        near, circle = around(self.graph.neighbourhood, known, most, everyone)
        return replace(self, views=self.views.around(known, near, circle), known=known)

    @cached_property
    def seen(self) -> features.Entities:
        """The entities as tensors, without their records."""
        return features.entities(self.config, self.graph.nodes, self.graph.neighbourhood, self.views, self.known)

    @property
    def readable(self) -> features.Entities:
        """The entities with their records, which the network reads and nothing else; made each time."""
        return self.seen.with_records(self.views)

    @property
    def shared(self) -> partition.Shared:
        """What all partitions of its pairs share."""
        return partition.Shared(self.config, self.seen, self.known)

    def whole(self, pairs: Pairs, places: FloatArray) -> partition.Whole:
        """Return pairs with their places, (P, 4), to be cut into partitions."""
        return partition.Whole(self.sayings, self.views, self.alone, pairs, places)

    def part(self, rows: IntArray) -> Scene:
        """Return the entities at these rows, as they are seen among all."""
        place = np.full(len(self.graph.nodes), -1, np.int64)
        place[rows] = np.arange(len(rows))
        twin = self.known.twin[rows]
        here = taken(place, twin, -1)
        here = np.where((twin >= 0) & (here < 0), np.arange(len(rows)), here)  # of one left out: like nobody here
        graph, views = self.graph.part(rows), self.views.take(rows)
        known = Anchors(here, self.known.confidence[rows])
        sayings = of_part(self.sayings, rows)
        return Scene(self.config, graph, views, self.weights, known, self.alone[rows], sayings)


@dataclass(frozen=True)
class Look:
    """Candidate pairs as one look sees them.

    Attributes:
        evidence: (P, F), features of the pairs; names: of the features.
        types: (P,); seen: the entities as tensors, with their records.
        blocked: (P,), which of them blocking found; the others are labelled one by one, or veiled.
    """

    pairs: Pairs
    evidence: FloatArray
    names: tuple[str, ...]
    types: npt.NDArray[np.int16]
    seen: features.Entities
    blocked: BoolArray


class Sight:
    """Looks at a graph with anchors that are known by then."""

    def __init__(self, config: Config, stages: Stages) -> None:
        self.config = config
        self.stages = stages

    def view(self, graph: Graph, weights: Weights | None) -> tuple[Views, Weights]:
        """Make the views that no anchor changes; without weights of a model they are counted here."""
        with self.stages.stage("view"):
            return view(self.config, graph.nodes, graph.neighbourhood, weights)

    def scene(self, graph: Graph, views: Views, weights: Weights, known: Anchors) -> Scene:
        """Add to the views what is around these anchors."""
        bearers, sayings = alone(graph.nodes, views.signatures), Sayings(self.config, graph.nodes, views, weights)
        return Scene(self.config, graph, views, weights, known, bearers, sayings.among).with_anchors(known)

    def look(
        self, scene: Scene, exclusive: list[bool], labelled: labels.Labels | None = None, kinds: BoolArray | None = None
    ) -> Look:
        """Block and compare.

        Pairs that are labelled one by one are compared even where blocking misses them, orphans' counterparts never.

        Args:
            exclusive: per type, whether the labels show one-to-one links; what the configuration says comes first.
            kinds: which types are looked at, (T,), beside sure counterparts of the others; None for all.

        Raises:
            DataError: There is nothing to compare.
        """
        with self.stages.stage("candidates") as advance:
            pairs, blocked = self._candidates(scene, exclusive, labelled, kinds)
            advance(len(pairs))
        with self.stages.stage("compare") as advance:
            evidence, names = self.evidence(scene, pairs, rivals.places(pairs))
            advance(len(pairs))
        return Look(pairs, evidence, names, scene.graph.nodes.type[pairs.left], scene.readable, blocked)

    def _candidates(
        self, scene: Scene, exclusive: list[bool], labelled: labels.Labels | None, kinds: BoolArray | None
    ) -> tuple[Pairs, BoolArray]:
        _, exclusive = self.config.decisions([0.0] * len(self.config.types), exclusive)
        absent = None if labelled is None else labelled.orphans[:, 1]
        if absent is not None and kinds is not None:
            absent = np.union1d(absent, np.flatnonzero(~kinds[scene.graph.nodes.type]))
        views = scene.views
        found = candidates.candidates(self.config, scene.graph.nodes, views, scene.known, exclusive, absent)
        left, right = found.left, found.right
        if labelled is not None:
            single = ~labelled.lists(scene.graph.nodes.type[labelled.left])
            wrong = strangers.of_unrivalled(labelled, scene.graph.nodes.type, left, right)
            left = np.r_[left, labelled.left[single], wrong[:, 0]]
            right = np.r_[right, labelled.right[single], wrong[:, 1]]
        require(left)
        pairs, count = candidates.pairs(views, left, right), len(scene.graph.nodes)
        return pairs, np.isin(pairs.left.astype(np.int64) * count + pairs.right, found.left * count + found.right)

    def veil(self, scene: Scene, look: Look, found: Anchors, chosen: IntArray, rows: IntArray) -> Look:
        """Put these pairs of a look, of chosen left entities, behind it once more, with their names veiled."""
        graph = scene.graph
        hidden = veil(self.config, graph.nodes, graph.neighbourhood, found, chosen, self.config.training.seed)
        veiled = Graph(hidden.nodes, hidden.neighbourhood, graph.means)
        views, _ = view(self.config, hidden.nodes, hidden.neighbourhood, scene.weights)
        behind = self.scene(veiled, views, scene.weights, hidden.anchors)
        behind.views.lent[hidden.unlent] = np.nan
        shown = look.pairs.take(rows)
        copies = candidates.pairs(behind.views, hidden.copy[shown.left], shown.right)
        evidence, _ = self.evidence(behind, copies, rivals.places(copies), rivals.taken(found, shown))
        return Look(
            look.pairs.followed_by(copies),
            np.concatenate([look.evidence, evidence]),
            look.names,
            np.append(look.types, look.types[rows]),
            behind.readable,
            np.append(look.blocked, np.zeros(len(rows), bool)),
        )

    def evidence(
        self, scene: Scene, pairs: Pairs, places: FloatArray, taken: rivals.Features | None = None
    ) -> rivals.Features:
        """Return the features of pairs, (P, F), and their names.

        Args:
            places: (P, 4), where they stand among their rivals (`rivals.places`).
            taken: how surely their ends belong to others; None takes it from the scene's anchors.
        """
        [every] = scene.whole(pairs, places).cut(len(pairs))
        return partition.evidence(scene.shared, every, taken)


def require(candidates: npt.NDArray[Any]) -> None:
    """See that there are candidates.

    Raises:
        DataError: There are none.
    """
    if not len(candidates):
        raise DataError(
            "No two entities of the two sides look alike in any name, attribute or neighbour, so there is "
            "nothing to compare. See that the attributes of [[types]] are mapped: `neo4j-align check`."
        )
