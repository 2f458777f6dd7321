"""The whole run in order; read this first.

schema → entities → sampling → views → candidates → comparison → network → calibration → matching → links.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from neo4j_align.config import Config
from neo4j_align.errors import DataError
from neo4j_align.gnn import calibrate, features, overlap, saved, score, train
from neo4j_align.gnn.compare import compare
from neo4j_align.gnn.model import Network, Shape
from neo4j_align.operating import Target, aim, trace
from neo4j_align.progress import Stages
from neo4j_align.records import DIGITS, BoolArray, FloatArray, Neighbourhood, Nodes, Pairs
from neo4j_align.resolve import evaluate, labels, match
from neo4j_align.store import candidates, entities, links, sampling
from neo4j_align.store.database import Database
from neo4j_align.views import Views, Weights, view


@dataclass(frozen=True)
class _Graph:
    """What was pulled from the database: the entities and their sampled neighbours."""

    nodes: Nodes
    neighbourhood: Neighbourhood
    means: FloatArray


@dataclass(frozen=True)
class _Scored:
    """Candidate pairs with their calibrated confidence, and which became links."""

    nodes: Nodes
    pairs: Pairs
    logits: npt.NDArray[np.float64]
    confidence: npt.NDArray[np.float64]
    linked: BoolArray
    existing: links.Existing
    target: Target | None


@dataclass(frozen=True)
class Alignment:
    """What an alignment found and wrote.

    Attributes:
        run: id of the AlignRun; None when nothing was written (dry run).
        links: all predicted links that there should be now: left, right (keys), type, confidence, score.
        candidates: number of pairs compared.
        changes: numbers of links `created`, `updated` and `retired`.
        target: the precision that was asked for, and what validation promises of it; None where none was.
    """

    run: str | None
    links: pd.DataFrame
    candidates: int
    changes: dict[str, int]
    target: Target | None = None


class Aligner:
    """Aligns the two graphs of a configuration in a live database; takes and gives pandas frames."""

    def __init__(self, config: Config, database: Database, stages: Stages | None = None) -> None:
        self.config = config
        self.database = database
        self.stages = stages or Stages()

    def train(self, table: pd.DataFrame, folder: Path | str) -> saved.Model:
        """Train a model on labels and save it.

        Args:
            table: columns `left`, `right` (keys), optionally `label` (1 or 0), `split` (train, valid, test), `type`.
            folder: where the model is saved; an older model there is replaced.

        Raises:
            DataError: The graph is empty or broken, or the labels cannot be used.
        """
        config, settings = self.config, self.config.training
        graph = self._pull(None)
        nodes = graph.nodes
        known = labels.read(table, nodes, config.type_names, settings.seed)
        known = labels.with_validation(known, nodes, settings.seed)
        views, weights = self._view(graph, None)
        pairs = self._candidates(nodes, views, known)
        same, split = labels.judge(known, nodes, pairs, settings.seed)
        labels.require(same, split)
        learn, stop = (split == name for name in ("train", "valid"))
        evidence, names, seen = self._describe(graph, views, weights, pairs)
        shape = Shape(
            width=settings.width,
            types=len(config.types),
            maps=features.map_count(config),
            features=len(names),
            dropout=settings.dropout,
        )
        with self.stages.stage("train", settings.epochs) as advance:
            examples = train.Examples(pairs, evidence, same == 1, learn, stop)
            network, history = train.train(settings, shape, seen, examples, advance)
        logits = self._score(network, seen, pairs, evidence)
        types = nodes.type[pairs.left]
        curves = calibrate.fit(logits[stop], same[stop] == 1, types[stop], len(config.types))
        exclusive = labels.exclusive(len(config.types), known, nodes)
        _, alone = config.decisions([0.0] * len(config.types), exclusive)
        confidence = calibrate.apply(curves, logits, types)
        chosen = np.zeros(len(pairs), bool)
        chosen[match.match(pairs, confidence, logits, np.zeros(len(pairs)), np.array(alone)[types])] = True
        taken = [chosen & stop & (types == kind) for kind in range(len(config.types))]
        gold = labels.gold(len(config.types), known, nodes, "valid")
        judged = [(confidence[rows], same[rows] == 1, total) for rows, total in zip(taken, gold, strict=True)]
        thresholds = [evaluate.best_threshold(*kind) for kind in judged]
        least, _ = config.decisions(thresholds, exclusive)
        linked = chosen & (confidence >= np.array(least)[types])
        figures = evaluate.evaluate(nodes, pairs, confidence, linked, known, "valid", settings.seed)
        about = saved.About(
            config=config,
            shape=shape,
            curves=curves,
            thresholds=tuple(thresholds),
            operating=tuple(trace(*kind) for kind in judged),
            exclusive=tuple(exclusive),
            features=names,
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
        return saved.Model(network, weights, graph.means, about).save(Path(folder))

    def align(self, model: saved.Model, dry_run: bool = False, precision: float | None = None) -> Alignment:
        """Score all candidates, choose the links, and write what changed.

        Args:
            dry_run: say what would be written, and write nothing.
            precision: what the links of each type should have; None takes the thresholds of the best F1. A threshold
                of the configuration comes first.

        Raises:
            DataError: The graph is empty or broken.
            ModelError: The model was trained for another mapping.
        """
        if not dry_run:
            links.prepare(self.database)
        found = self._judge(model, links.read, precision)
        table = self._links(found)
        changes = links.difference(found.existing, table, model.about.id)
        run = None
        if not dry_run:
            with self.stages.stage("write", sum(changes.counts.values())) as advance:
                run = links.write(
                    self.database, self.config, found.nodes, changes, model.about.id, precision, advance=advance
                )
        return Alignment(run, table.drop(columns="pair"), len(found.pairs), changes.counts, found.target)

    def evaluate(
        self, model: saved.Model, gold: pd.DataFrame, split: str | None = "test", precision: float | None = None
    ) -> dict[str, Any]:
        """Score all candidates as `align` would, write nothing, and measure the links against gold labels.

        Args:
            gold: as the labels of `train`; without a `label` column it lists all links of the types it covers.
            split: one of train, valid, test; None takes all. A table without splits is taken whole too, unless the
                model was trained on it: then the splits made in training hold.
            precision: as in `align`.

        The model is measured, not the verdicts: a person's are left out of the matching.

        Returns:
            precision, recall, f1, prauc, recall_at_precision_95, hits_at_1, hits_at_10, pair_completeness,
            reduction_ratio, ece, ece_links, ece_chance; `types`, with the same for each; and with a precision
            `target`, what validation promised.
        """
        seed = self.config.training.seed
        found = self._judge(model, lambda *_: links.NOTHING, precision)
        known = labels.read(gold, found.nodes, self.config.type_names, seed)
        trained_on = model.about.training["labels"]["digest"] == labels.digest(gold)
        split = split if "split" in gold or trained_on else None
        figures = evaluate.evaluate(
            found.nodes, found.pairs, found.confidence, found.linked, known, split, seed, complete=True
        )
        return figures if found.target is None else {**figures, "target": found.target.document()}

    def _judge(
        self,
        model: saved.Model,
        existing_links: Callable[[Database, Config, Nodes], links.Existing],
        precision: float | None = None,
    ) -> _Scored:
        model.require(self.config)
        about = model.about
        learned = about.thresholds if precision is None else [kind.threshold(precision) for kind in about.operating]
        thresholds, exclusive = self.config.decisions(learned, about.exclusive)
        target = None if precision is None else aim(precision, self.config, about.operating, thresholds)
        graph = self._pull(model.means)
        views, _ = self._view(graph, model.weights)
        pairs = self._candidates(graph.nodes, views)
        evidence, _, seen = self._describe(graph, views, model.weights, pairs)
        logits = self._score(model.network, seen, pairs, evidence)
        with self.stages.stage("match"):
            types = graph.nodes.type[pairs.left]
            confidence = calibrate.apply(about.curves, logits, types)
            existing = existing_links(self.database, self.config, graph.nodes)
            chosen = np.zeros(len(pairs), bool)
            chosen[
                match.match(
                    pairs,
                    confidence,
                    logits,
                    np.array(thresholds)[types],
                    np.array(exclusive)[types],
                    existing.confirmed,
                    existing.rejected,
                )
            ] = True
        return _Scored(graph.nodes, pairs, logits, confidence, chosen, existing, target)

    def _pull(self, means: FloatArray | None) -> _Graph:
        with self.stages.stage("pull") as advance:
            nodes = entities.pull(self.database, self.config, advance)
        with self.stages.stage("sample", len(nodes)) as advance:
            if means is None:
                means = sampling.averages(self.database, self.config)
            return _Graph(nodes, sampling.sample(self.database, self.config, nodes, means, advance), means)

    def _view(self, graph: _Graph, weights: Weights | None) -> tuple[Views, Weights]:
        with self.stages.stage("view"):
            return view(graph.nodes, graph.neighbourhood, weights, self.config.candidates.max_frequency)

    def _candidates(self, nodes: Nodes, views: Views, known: labels.Labels | None = None) -> Pairs:
        """Block; pairs that are labelled one by one are compared even where blocking missed them."""
        with self.stages.stage("candidates") as advance:
            pairs = candidates.candidates(self.config, nodes, views)
            if known is not None and not known.listed:
                pairs = candidates.pairs(views, np.r_[pairs.left, known.left], np.r_[pairs.right, known.right])
            if not len(pairs):
                raise DataError(
                    "No two entities of the two sides look alike in any name, attribute or neighbour, so there is "
                    "nothing to compare. See that the attributes of [[types]] are mapped: `neo4j-align check`."
                )
            advance(len(pairs))
            return pairs

    def _describe(
        self, graph: _Graph, views: Views, weights: Weights, pairs: Pairs
    ) -> tuple[FloatArray, tuple[str, ...], features.Entities]:
        """Return the features of the pairs (P, F), their names, and the entities as tensors."""
        with self.stages.stage("compare") as advance:
            seen = features.entities(self.config, graph.nodes, graph.neighbourhood, views)
            own, own_names = compare(self.config, graph.nodes, views, weights, pairs)
            shared, shared_names = overlap.overlap(seen, pairs, features.map_count(self.config))
            advance(len(pairs))
            return np.hstack([own, shared]), own_names + shared_names, seen

    def _score(
        self, network: Network, seen: features.Entities, pairs: Pairs, evidence: FloatArray
    ) -> npt.NDArray[np.float64]:
        network, seen = score.exact(network, seen)
        both = score.indices(pairs)
        with self.stages.stage("encode") as advance:
            encoded = score.encode_once(network, seen, both, advance)
        with self.stages.stage("score", len(pairs)) as advance:
            return score.logits(network, seen, encoded, both, evidence, advance)

    def _links(self, found: _Scored) -> pd.DataFrame:
        """Return the chosen links: pair, left, right, type, confidence, score."""
        rows = np.flatnonzero(found.linked)
        left, right = found.pairs.left[rows], found.pairs.right[rows]
        keys = found.nodes.keys
        return pd.DataFrame(
            {
                "pair": [links.pair_name(self.config, *ends) for ends in zip(keys[left], keys[right], strict=True)],
                "left": keys[left],
                "right": keys[right],
                "type": np.array(self.config.type_names, dtype=object)[found.nodes.type[left]],
                "confidence": found.confidence[rows],
                "score": np.round(found.logits[rows], DIGITS),
            }
        )
