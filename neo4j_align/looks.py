"""Two looks at two graphs: a pulled graph in, a trained model or scored pairs out. No database.

The first look compares pairs by themselves, with what bears one name as anchors. What it is sure of are the anchors
of the second, which blocks anew, compares anew, and lets the network judge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from neo4j_align.config import Config
from neo4j_align.errors import DataError
from neo4j_align.gnn import calibrate, features, overlap, rivals, saved, score, train
from neo4j_align.gnn.compare import compare
from neo4j_align.gnn.model import Network, Shape
from neo4j_align.operating import Operating, trace
from neo4j_align.progress import Stages
from neo4j_align.records import Anchors, BoolArray, FloatArray, Neighbourhood, Nodes, Pairs
from neo4j_align.resolve import anchors, evaluate, labels, match
from neo4j_align.store import candidates
from neo4j_align.views import Views, Weights, around, view

Logits = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Graph:
    """What was pulled from the database: the entities and their sampled neighbours."""

    nodes: Nodes
    neighbourhood: Neighbourhood
    means: FloatArray


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


class Looks:
    """Learns from a graph and its labels, and judges a graph with what was learned."""

    def __init__(self, config: Config, stages: Stages) -> None:
        self.config = config
        self.stages = stages

    def learn(self, graph: Graph, table: pd.DataFrame) -> saved.Model:
        """Train a model; the same labels and graph give the same model.

        Raises:
            DataError: The labels cannot be used.
        """
        config, settings, nodes = self.config, self.config.training, graph.nodes
        known = labels.read(table, nodes, config.type_names, settings.seed)
        known = labels.with_validation(known, nodes, settings.seed)
        exclusive = labels.exclusive(len(config.types), known, nodes)
        judged = [bool((nodes.type[known.left[known.same]] == kind).any()) for kind in range(len(config.types))]
        views, weights = self._view(graph, None)
        names = anchors.of_names(nodes, views.signatures)

        look = self._look(graph, views, weights, names, exclusive, known)
        shape = Shape(
            width=settings.width,
            types=len(config.types),
            maps=features.map_count(config),
            features=len(look.names),
            dropout=settings.dropout,
        )
        with self.stages.stage("first look", settings.epochs) as advance:
            examples = self._examples(look, nodes, known)
            first, logits = train.glance(settings, shape, look.seen, examples, advance)
        curves = self._calibrate(look, examples, logits)
        found = self._anchors(nodes, look, curves, logits, judged, names)

        look = self._look(graph, views, weights, found, exclusive, known)
        with self.stages.stage("train", settings.epochs) as advance:
            examples = self._examples(look, nodes, known)
            network, history = train.train(settings, shape, look.seen, examples, advance)
        logits = self._score(network, look)
        second = self._calibrate(look, examples, logits)
        thresholds, curve, figures = self._decide(look, nodes, known, examples, logits, second, exclusive)
        about = saved.About(
            config=config,
            shape=shape,
            curves=second,
            thresholds=tuple(thresholds),
            operating=tuple(curve),
            exclusive=tuple(exclusive),
            first=curves,
            judged=tuple(judged),
            features=look.names,
            training={
                "seconds": self.stages.seconds,
                "labels": {
                    "digest": labels.digest(table),
                    **{name: int((known.split == name).sum()) for name in labels.SPLITS},
                },
                "average_precision": [round(value, 6) for value in history],
                "validation": figures,
            },
        )
        return saved.Model(first, network, weights, graph.means, about)

    def judge(self, graph: Graph, model: saved.Model) -> tuple[Pairs, Logits, Logits]:
        """Return the candidate pairs of a graph, their logits and their calibrated confidences, (P,) each."""
        about, nodes = model.about, graph.nodes
        exclusive = list(about.exclusive)
        views, _ = self._view(graph, model.weights)
        names = anchors.of_names(nodes, views.signatures)
        look = self._look(graph, views, model.weights, names, exclusive)
        with self.stages.stage("first look") as advance:
            logits = score.compare(model.first, look.evidence, look.seen.type[look.pairs.left]).mean(axis=1)
            advance(len(look.pairs))
        found = self._anchors(nodes, look, about.first, logits, list(about.judged), names)
        look = self._look(graph, views, model.weights, found, exclusive)
        logits = self._score(model.network, look)
        return look.pairs, logits, calibrate.apply(about.curves, logits, look.types)

    def _view(self, graph: Graph, weights: Weights | None) -> tuple[Views, Weights]:
        with self.stages.stage("view"):
            return view(graph.nodes, graph.neighbourhood, weights, self.config.candidates.max_frequency)

    def _look(
        self,
        graph: Graph,
        views: Views,
        weights: Weights,
        known: Anchors,
        exclusive: list[bool],
        labelled: labels.Labels | None = None,
    ) -> Look:
        """Block and compare with these anchors; pairs labelled one by one are compared even where blocking misses."""
        config, nodes = self.config, graph.nodes
        with self.stages.stage("candidates") as advance:
            views = around(views, graph.neighbourhood, known, config.candidates.max_frequency)
            pairs = candidates.candidates(config, nodes, views, known, exclusive)
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
            parts = [
                compare(config, nodes, views, weights, pairs),
                overlap.overlap(seen, pairs, features.map_count(config)),
                rivals.rivals(known, pairs),
            ]
            advance(len(pairs))
        evidence = np.hstack([part for part, _ in parts])
        names = tuple(name for _, part in parts for name in part)
        return Look(pairs, evidence, names, nodes.type[pairs.left], seen)

    def _examples(self, look: Look, nodes: Nodes, known: labels.Labels) -> train.Examples:
        same, split = labels.judge(known, nodes, look.pairs, self.config.training.seed)
        labels.require(same, split)
        return train.Examples(look.pairs, look.evidence, same == 1, split == "train", split == "valid")

    def _calibrate(self, look: Look, examples: train.Examples, logits: Logits) -> tuple[calibrate.Curve, ...]:
        stop = examples.valid
        return calibrate.fit(logits[stop], examples.same[stop], look.types[stop], len(self.config.types))

    def _anchors(
        self,
        nodes: Nodes,
        look: Look,
        curves: tuple[calibrate.Curve, ...],
        logits: Logits,
        judged: list[bool],
        names: Anchors,
    ) -> Anchors:
        confidence = calibrate.apply(curves, logits, look.types)
        return anchors.of_scores(nodes, look.pairs, confidence, logits, np.array(judged), names)

    def _score(self, network: Network, look: Look) -> Logits:
        network, seen = score.exact(network, look.seen)
        both = score.indices(look.pairs)
        with self.stages.stage("encode") as advance:
            encoded = score.encode_once(network, seen, both, advance)
        with self.stages.stage("score", len(look.pairs)) as advance:
            return score.logits(network, seen, encoded, both, look.evidence, advance)

    def _decide(
        self,
        look: Look,
        nodes: Nodes,
        known: labels.Labels,
        examples: train.Examples,
        logits: Logits,
        curves: tuple[calibrate.Curve, ...],
        exclusive: list[bool],
    ) -> tuple[list[float], list[Operating], dict[str, object]]:
        """Choose the thresholds on validation, draw what others would give, and measure the links there."""
        count, pairs, types = len(self.config.types), look.pairs, look.types
        _, alone = self.config.decisions([0.0] * count, exclusive)
        confidence = calibrate.apply(curves, logits, types)
        chosen: BoolArray = np.zeros(len(pairs), bool)
        chosen[match.match(pairs, confidence, logits, np.zeros(len(pairs)), np.array(alone)[types])] = True
        stop = examples.valid
        taken = [chosen & stop & (types == kind) for kind in range(count)]
        gold = labels.gold(count, known, nodes, "valid")
        judged = [(confidence[rows], examples.same[rows], total) for rows, total in zip(taken, gold, strict=True)]
        thresholds = [evaluate.best_threshold(*kind) for kind in judged]
        least, _ = self.config.decisions(thresholds, exclusive)
        linked = chosen & (confidence >= np.array(least)[types])
        seed = self.config.training.seed
        figures = evaluate.evaluate(nodes, pairs, confidence, linked, known, "valid", seed)
        return thresholds, [trace(*kind) for kind in judged], figures
