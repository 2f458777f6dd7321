"""How the model sees two graphs: candidate pairs, their features, and the entities as tensors. No database."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from neo4j_align.config import Config
from neo4j_align.errors import DataError
from neo4j_align.gnn import features, overlap, rivals
from neo4j_align.gnn.compare import compare
from neo4j_align.progress import Stages
from neo4j_align.records import Anchors, FloatArray, IntArray, Neighbourhood, Nodes, Pairs
from neo4j_align.resolve import labels
from neo4j_align.store import candidates
from neo4j_align.veil import veil
from neo4j_align.views import Views, Weights, around, view

Features = tuple[FloatArray, tuple[str, ...]]  # (P, F), and their names


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
class Look:
    """Candidate pairs as one look sees them.

    Attributes:
        evidence: (P, F), features of the pairs; names: of the features.
        types: (P,); seen: the entities as tensors.
    """

    pairs: Pairs
    evidence: FloatArray
    names: tuple[str, ...]
    types: npt.NDArray[np.int16]
    seen: features.Entities


class Sight:
    """Looks at a graph with anchors that are known by then."""

    def __init__(self, config: Config, stages: Stages) -> None:
        self.config = config
        self.stages = stages

    def view(self, graph: Graph, weights: Weights | None) -> tuple[Views, Weights]:
        """Make the views that no anchor changes; without weights of a model they are counted here."""
        with self.stages.stage("view"):
            return view(graph.nodes, graph.neighbourhood, weights, self.config.candidates.max_frequency)

    def look(
        self,
        graph: Graph,
        views: Views,
        weights: Weights,
        known: Anchors,
        exclusive: list[bool],
        labelled: labels.Labels | None = None,
    ) -> Look:
        """Block and compare with these anchors.

        Pairs that are labelled one by one are compared even where blocking misses them, orphans' counterparts never.

        Args:
            exclusive: per type, whether the labels show one-to-one links; what the configuration says comes first.
        """
        config, nodes = self.config, graph.nodes
        _, exclusive = config.decisions([0.0] * len(config.types), exclusive)
        with self.stages.stage("candidates") as advance:
            views = around(views, graph.neighbourhood, known, config.candidates.max_frequency)
            absent = None if labelled is None else labelled.orphans[:, 1]
            pairs = candidates.candidates(config, nodes, views, known, exclusive, absent)
            if labelled is not None and not labelled.listed:
                pairs = candidates.pairs(views, np.r_[pairs.left, labelled.left], np.r_[pairs.right, labelled.right])
            if not len(pairs):
                raise DataError(
                    "No two entities of the two sides look alike in any name, attribute or neighbour, so there is "
                    "nothing to compare. See that the attributes of [[types]] are mapped: `neo4j-align check`."
                )
            advance(len(pairs))
        with self.stages.stage("compare") as advance:
            seen = features.entities(config, nodes, graph.neighbourhood, views, known)
            evidence, names = self._evidence(nodes, views, weights, pairs, seen, rivals.rivals(known, pairs))
            advance(len(pairs))
        return Look(pairs, evidence, names, nodes.type[pairs.left], seen)

    def veil(
        self, graph: Graph, look: Look, weights: Weights, found: Anchors, known: labels.Labels, rows: IntArray
    ) -> Look:
        """Put these pairs of a look behind it once more, with the names of their left entities veiled."""
        config, most = self.config, self.config.candidates.max_frequency
        chosen = np.unique(known.left)
        hidden = veil(config, graph.nodes, graph.neighbourhood, found, chosen, config.training.seed)
        views, _ = view(hidden.nodes, hidden.neighbourhood, weights, most)
        views = around(views, hidden.neighbourhood, hidden.anchors, most)
        copies = candidates.pairs(views, hidden.copy[look.pairs.left[rows]], look.pairs.right[rows])
        seen = features.entities(config, hidden.nodes, hidden.neighbourhood, views, hidden.anchors)
        rivalry = rivals.rivals(found, look.pairs.take(rows))
        evidence, _ = self._evidence(hidden.nodes, views, weights, copies, seen, rivalry)
        return Look(
            look.pairs.followed_by(copies),
            np.concatenate([look.evidence, evidence]),
            look.names,
            np.append(look.types, look.types[rows]),
            seen,
        )

    def _evidence(
        self, nodes: Nodes, views: Views, weights: Weights, pairs: Pairs, seen: features.Entities, rivalry: Features
    ) -> Features:
        """Return the features of the pairs, (P, F), and their names; those of their rivals are given."""
        own = compare(self.config, nodes, views, weights, pairs)
        shared = overlap.overlap(seen, pairs, features.map_count(self.config))
        parts = (own, shared, rivalry)
        return np.hstack([part for part, _ in parts]), tuple(name for _, part in parts for name in part)
