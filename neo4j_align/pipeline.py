"""The whole run in order; read this first.

schema → entities → sampling → two looks (views → candidates → comparison → network → calibration) → matching → links.
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
from neo4j_align.gnn import saved
from neo4j_align.looks import Graph, Looks
from neo4j_align.operating import Target, aim
from neo4j_align.progress import Stages
from neo4j_align.records import DIGITS, BoolArray, FloatArray, Nodes, Pairs
from neo4j_align.resolve import evaluate, labels, match
from neo4j_align.store import entities, links, sampling
from neo4j_align.store.database import Database


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

    def train(self, table: pd.DataFrame | None, folder: Path | str) -> saved.Model:
        """Train a model on labels and save it.

        Args:
            table: columns `left`, `right` (keys), optionally `label` (1 or 0), `split` (train, valid, test), `type`;
                None lets the model teach itself.
            folder: where the model is saved; an older model there is replaced.

        Raises:
            DataError: The graph is empty or broken, or the labels cannot be used.
        """
        return Looks(self.config, self.stages).learn(self._pull(None), table).save(Path(folder))

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
        pairs, logits, confidence = Looks(self.config, self.stages).judge(graph, model)
        with self.stages.stage("match"):
            types = graph.nodes.type[pairs.left]
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

    def _pull(self, means: FloatArray | None) -> Graph:
        with self.stages.stage("pull") as advance:
            nodes = entities.pull(self.database, self.config, advance)
        with self.stages.stage("sample", len(nodes)) as advance:
            if means is None:
                means = sampling.averages(self.database, self.config)
            return Graph(nodes, sampling.sample(self.database, self.config, nodes, means, advance), means)

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
