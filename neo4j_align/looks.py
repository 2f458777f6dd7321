"""Two looks at two graphs: a pulled graph in, a trained model or scored pairs out. No database.

The first look compares pairs by themselves, with what bears one name as anchors. What it is sure of are the anchors
of the second, which blocks anew, compares anew, and lets the network judge.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from neo4j_align import follow
from neo4j_align.config import Config
from neo4j_align.decide import decide
from neo4j_align.engine import Engine, Local
from neo4j_align.errors import DataError
from neo4j_align.gnn import calibrate, features, partition, saved, score, train
from neo4j_align.gnn.model import Comparison, Network, Shape
from neo4j_align.gnn.tensors import restored
from neo4j_align.memory import Memory
from neo4j_align.progress import Stages
from neo4j_align.records import Anchors, BoolArray, FloatArray, Nodes, Pairs, Verdicts
from neo4j_align.resolve import anchors, drift, guesses, labels, splits, verdicts
from neo4j_align.sight import Graph, Look, Scene, Sight

log = logging.getLogger(__name__)
Logits = npt.NDArray[np.float64]
NO_VERDICTS = Verdicts()


@dataclass(frozen=True)
class Judgement:
    """Candidate pairs, as the second look judges them.

    Attributes:
        scene: the graph as the second look sees it.
        logits: (P,), confidence: (P,), calibrated.
        memory: what spares work the next time.
    """

    scene: Scene
    pairs: Pairs
    logits: Logits
    confidence: Logits
    memory: Memory


class Looks:
    """Learns from a graph and its labels, and judges a graph with what was learned.

    Args:
        engine: learns, and judges the partitions of pairs.
    """

    def __init__(self, config: Config, stages: Stages, engine: Engine | None = None) -> None:
        self.config = config
        self.stages = stages
        self.engine = engine or Local()
        self.sight = Sight(config, stages)

    def learn(self, graph: Graph, table: pd.DataFrame | None, decided: Verdicts = NO_VERDICTS) -> saved.Model:
        """Train a model; the same labels, verdicts and graph give the same model.

        Args:
            table: labels; None lets the model teach itself.
            decided: a person's, labels as well. As anchors they would tell the model what it shall find out.

        Raises:
            DataError: The labels cannot be used, or there is nothing to teach oneself from.
        """
        config, settings, nodes = self.config, self.config.training, graph.nodes
        views, weights = self.sight.view(graph, None)
        names = anchors.of_names(nodes, views.signatures)
        given = verdicts.given(table, decided, nodes, config.type_names, settings.seed)
        kinds = guesses.wanted(None if table is None else given, names, nodes, config.type_names)
        known = given if kinds.all() else self._enough(given, nodes, names)
        scene = self.sight.scene(graph, views, weights, names)
        if kinds.any():
            known, scene = self._taught(scene, known, decided, kinds)
        exclusive = labels.exclusive(len(config.types), known, nodes)
        taught = nodes.type[known.left[known.same & (known.split != "test")]]
        judged = [bool((taught == kind).any()) for kind in range(len(config.types))]

        look = self.sight.look(scene, exclusive, known)
        with self.stages.stage("first look", settings.epochs) as advance:
            shown, lesson = self._lesson(scene, look, known, scene.known, exclusive)
            learnt, logits = self.engine.learn(train.glance, lesson, advance)
        first, blocked = restored(Comparison(lesson.shape), learnt), look.pairs.left[look.blocked]
        curves = self._calibrate(shown, lesson.examples, logits)
        found = self._anchors(nodes, look, curves, logits[: len(look.pairs)], judged, scene.known)

        scene = scene.with_anchors(found)
        look = self.sight.look(scene, exclusive, known)
        with self.stages.stage("train", settings.epochs) as advance:
            shown, lesson = self._lesson(scene, look, known, found, exclusive)
            learnt, history = self.engine.learn(train.train, lesson, advance)
        network = restored(Network(lesson.shape), learnt)
        logits = self._score(network, shown.seen, shown.pairs, shown.evidence)
        second = calibrate.centred(self._calibrate(shown, lesson.examples, logits), known.guessed)
        mine = logits[: len(look.pairs)]
        confidence = calibrate.apply(second, mine, look.types)
        thresholds, curve, figures = decide(config, look, nodes, known, mine, confidence, exclusive)
        met = np.flatnonzero(look.blocked)
        about = saved.About(
            config=config,
            shape=lesson.shape,
            curves=second,
            thresholds=tuple(thresholds),
            operating=tuple(curve),
            exclusive=tuple(exclusive),
            first=curves,
            judged=tuple(judged),
            features=look.names,
            training={
                "seconds": self.stages.seconds,
                "labels": self._told(table, known, decided),
                "reference": drift.describe(nodes, blocked, look.pairs.take(met), logits[met], known.orphans[:, 0]),
                "average_precision": [round(value, 6) for value in history],
                "validation": figures,
            },
        )
        return saved.Model(first, network, weights, graph.means, about)

    def judge(
        self, graph: Graph, model: saved.Model, decided: Verdicts = NO_VERDICTS, memory: Memory | None = None
    ) -> Judgement:
        """Judge the candidate pairs of a graph.

        Args:
            decided: a person's, which come before the anchors that the model finds.
            memory: of the last judgement by the same model and configuration; it spares work and changes nothing.
        """
        about, nodes, known = model.about, graph.nodes, self.config.types
        _, exclusive = self.config.decisions([0.0] * len(known), list(about.exclusive))
        with self.stages.stage("view"):
            base, looks = follow.base(self.config, graph, model.weights, memory)
        first, second = looks or (None, None)
        names = verdicts.overruled(anchors.of_names(nodes, base.views.signatures), decided)
        follower = follow.Follower(self.config, self.stages, base, first, self.engine)
        first = follower.look(names, exclusive, partial(self._first, model), base.rows, hops=1)[1]  # its scene may go
        pairs = first.pairs
        confidence = calibrate.apply(about.first, first.logits, nodes.type[pairs.left])
        found = anchors.of_scores(nodes, pairs, confidence, first.logits, np.array(about.judged), names)
        follower = follow.Follower(self.config, self.stages, base, second, self.engine)
        found = verdicts.overruled(found, decided)
        scene, second = follower.look(found, exclusive, partial(self._second, model), base.rows | base.encoded, hops=2)
        pairs = second.pairs
        confidence = calibrate.apply(about.curves, second.logits, nodes.type[pairs.left])
        kept = Memory(graph, base.views, base.alone, (first, second))
        return Judgement(scene, pairs, second.logits, confidence, kept)

    def _first(self, model: saved.Model, scene: Scene, pairs: Pairs, places: FloatArray) -> Logits:
        with self.stages.stage("first look", len(pairs)) as advance:
            given, whole = (scene.shared, model.first), scene.whole(pairs, places)
            return partition.logits(self.engine, partition.compared, given, whole, advance)

    def _second(self, model: saved.Model, scene: Scene, pairs: Pairs, places: FloatArray) -> Logits:
        network, seen = score.exact(model.network, scene.readable)
        with self.stages.stage("encode") as advance:
            encoded = score.encode_once(network, seen, score.indices(pairs), advance)
        seen = seen.encoded
        with self.stages.stage("score", len(pairs)) as advance:
            given, whole = (scene.shared, network, seen, encoded), scene.whole(pairs, places)
            return partition.logits(self.engine, partition.judged, given, whole, advance)

    def _told(self, table: pd.DataFrame | None, known: labels.Labels, decided: Verdicts) -> dict[str, Any]:
        """Return what a model says of the labels that it learned from."""
        return {
            "digest": None if table is None else labels.digest(table),
            "guessed": [self.config.type_names[kind] for kind in sorted(known.guessed)],
            "verdicts": len(decided.confirmed | decided.rejected),
            **{name: int((known.split == name).sum()) for name in splits.SPLITS},
        }

    def _enough(self, given: labels.Labels, nodes: Nodes, names: Anchors) -> labels.Labels:
        """Return what persons say as labels to learn from by themselves.

        Raises:
            DataError: They cannot be used for that.
        """
        if not labels.known(given):
            raise DataError(
                "Without labels, training starts from entities that alone bear a name on both sides: there are "
                f"{int(names.sure.sum()) // 2}, and it takes {guesses.FEWEST}. Give labels (--labels FILE), confirm "
                "some links, or map what names the entities."
            )
        found = labels.with_validation(given, nodes, self.config.training.seed)
        labels.require_links(found)
        return found

    def _taught(
        self, scene: Scene, given: labels.Labels, decided: Verdicts, kinds: BoolArray
    ) -> tuple[labels.Labels, Scene]:
        """Let the model teach itself some types, (T,), as `_teach` says; where it cannot, labels of others will do.

        Raises:
            DataError: It cannot, and there are no labels of others.
        """
        try:
            return self._teach(scene, guesses.untested(given, decided, kinds[scene.graph.nodes.type]), kinds)
        except DataError as error:
            if kinds.all():
                raise
            mine = " and ".join(np.array(self.config.type_names)[kinds])
            log.info("%s cannot be taught by the model itself: %s", mine, error)
            return given, scene

    def _teach(self, scene: Scene, given: labels.Labels, kinds: BoolArray) -> tuple[labels.Labels, Scene]:
        """Label what alone bears a name, of some types, (T,), and then what is sure by that.

        In between it learns what a wrong counterpart looks like where names do not tell: from strangers.

        Args:
            scene: with the names' anchors.

        Returns:
            The labels, and the scene without the anchors that were parted to make orphans.
        """
        config, seed, nodes = self.config, self.config.training.seed, scene.graph.nodes
        names, orphans = guesses.part(scene.known, given, nodes, seed, kinds)
        scene = scene.with_anchors(names)
        exclusive = [bool(one) for one in kinds | np.array(labels.exclusive(len(kinds), given, nodes))]

        mine = given.of(kinds[nodes.type[given.left]])

        def labelled(found: Anchors, said: labels.Labels) -> labels.Labels:
            known = guesses.of_anchors(found, orphans, nodes, config.type_names, seed, kinds)
            return verdicts.added(known, said)

        found = self._guess(scene, labelled(names, mine), exclusive, kinds)
        orphans = guesses.with_strangers(orphans, found, labelled(names, mine), nodes, seed, kinds)
        found = guesses.enough(self._guess(scene, labelled(names, mine), exclusive, kinds), names, nodes, kinds)
        return labelled(found, given), scene

    def _guess(self, scene: Scene, known: labels.Labels, exclusive: list[bool], kinds: BoolArray) -> Anchors:
        """Learn from labels by comparison alone, and say whom of some types, (T,), that takes for whose counterpart."""
        look = self.sight.look(scene, exclusive, known, kinds)
        with self.stages.stage("teach", self.config.training.epochs) as advance:
            shown, lesson = self._lesson(scene, look, known, scene.known, exclusive)
            _, logits = self.engine.learn(train.glance, lesson, advance)
        curves = self._calibrate(shown, lesson.examples, logits)
        log.info("the model taught itself from %d labels of its own", len(known.left))
        taught = [True] * len(self.config.types)
        return self._anchors(scene.graph.nodes, look, curves, logits[: len(look.pairs)], taught, scene.known)

    def _shape(self, look: Look) -> Shape:
        settings = self.config.training
        return Shape(
            width=settings.width,
            types=len(self.config.types),
            maps=features.map_count(self.config),
            features=len(look.names),
            dropout=settings.dropout,
        )

    def _lesson(
        self, scene: Scene, look: Look, known: labels.Labels, found: Anchors, exclusive: list[bool]
    ) -> tuple[Look, train.Lesson]:
        """Return what to learn from: the pairs of a look, and where no person made the labels veiled ones behind."""
        same, split = labels.learnt(known, scene.graph.nodes, look.pairs, self.config.training.seed, exclusive)
        labels.require(same, split)
        owner = look.pairs.left
        if known.guessed:
            mine = known.left[np.isin(scene.graph.nodes.type[known.left], list(known.guessed))]
            rows = np.flatnonzero(np.isin(owner, mine))
            look = self.sight.veil(scene, look, found, np.unique(mine), rows)
            owner, same, split = (np.append(column, column[rows]) for column in (owner, same, split))
        examples = train.Examples(look.pairs, look.evidence, same == 1, split == "train", split == "valid", owner)
        return look, train.Lesson(self.config.training, self._shape(look), look.seen, examples)

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

    @score.reproducible()
    def _score(self, network: Network, seen: features.Entities, pairs: Pairs, evidence: FloatArray) -> Logits:
        network, seen = score.exact(network, seen)
        both = score.indices(pairs)
        with self.stages.stage("encode") as advance:
            encoded = score.encode_once(network, seen, both, advance)
        with self.stages.stage("score", len(pairs)) as advance:
            return score.logits(network, seen, encoded, both, evidence, advance)
