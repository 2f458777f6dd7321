"""The whole run in order; read this first.

schema → entities → sampling → two looks (views → candidates → comparison → network → calibration) → matching → links.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neo4j_align.config import Config
from neo4j_align.engine import Engine, Local
from neo4j_align.errors import ModelError, gpu_memory
from neo4j_align.explain import Explainer
from neo4j_align.explanation import Explanation
from neo4j_align.gnn import saved
from neo4j_align.looks import Looks
from neo4j_align.operating import aim
from neo4j_align.outcome import Alignment, Examined, Scored, alignment, refuse_loss
from neo4j_align.past import NOTHING_KNOWN, Known, Past
from neo4j_align.progress import Stages
from neo4j_align.records import FloatArray
from neo4j_align.resolve import drift, evaluate, labels, match
from neo4j_align.sight import Graph
from neo4j_align.store import changes, entities, links, prints, quiet, runs, sampling, schema
from neo4j_align.store.database import Database
from neo4j_align.store.lease import Lease
from neo4j_align.store.prints import Prints


class Aligner:
    """Aligns the two graphs of a configuration in a live database; takes and gives pandas frames.

    Args:
        memory: folder in which a run leaves what spares the next `sync` work; None for none. It changes no link.
        engine: reads the graph, judges the pairs and learns; by default this process, else
            `neo4j_align.cluster.Ray()`. It changes no link, and with several GPUs it gives another model.
    """

    def __init__(
        self,
        config: Config,
        database: Database,
        stages: Stages | None = None,
        memory: Path | None = None,
        engine: Engine | None = None,
    ) -> None:
        self.config = config
        self.database = database
        self.stages = stages or Stages()
        self.memory = memory
        self.engine = engine or Local()

    @gpu_memory()
    def train(self, table: pd.DataFrame | None, folder: Path | str) -> saved.Model:
        """Train a model on labels and a person's verdicts, or on what it finds out by itself, and save it.

        Args:
            table: columns `left`, `right` (keys), optionally `label` (1 or 0), `split` (train, valid, test), `type`;
                None for no labels but the verdicts.
            folder: where the model is saved; an older model there is replaced.

        Raises:
            DataError: The graph is empty or broken, or the labels cannot be used.
        """
        graph = self._pull(None)
        verdicts = links.read(self.database, self.config, graph.nodes).verdicts
        return Looks(self.config, self.stages, self.engine).learn(graph, table, verdicts).save(Path(folder))

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
        if dry_run:
            found = self._judge(model, precision)
            todo = links.difference(self.config, found.existing, found.links, model.about.id)
            return alignment(found, None, todo.counts)
        with Lease(self.database, "writer", "align") as lease:
            before = changes.standing(self.database, self.config)
            known = changes.remembered(self.database, self.config)
            seen = replace(changes.look(self.database, self.config, known), entities=None)
            return self._run(lease, "align", model, precision, seen, before)

    def sync(self, model: saved.Model) -> Alignment:
        """Bring the links to what `align` would give now, with the precision that it was asked for last.

        Where neither the graph nor links or verdicts changed since the last run, nothing is done.

        Raises:
            ModelError: The links were made by another model.
            DataError, ConfigError, DatabaseError: The graph is empty or broken, lacks what the feed needs, or changed
                so that less than half of a type's links would be left, which `align` alone writes.
        """
        with Lease(self.database, "writer", "sync") as lease:
            before = changes.remembered(self.database, self.config)
            if before and before["model"] != model.about.id:
                raise ModelError(
                    f"The links were made by model {before['model']}, and this is {model.about.id}. `neo4j-align align "
                    "--dry-run` says how many links it would change; after `neo4j-align align` it can be synced."
                )
            seen, known = changes.look(self.database, self.config, before), NOTHING_KNOWN
            standing = changes.standing(self.database, self.config)
            if seen.entities is None:
                graph = self._pull(model.means)
                with self.stages.stage("changes"):
                    now, was = self._prints(graph)
                seen, known = replace(seen, entities=now.changed_since(was)), Known(graph, prints=(now, was))
            same = quiet.same(self.config, before, standing)
            if seen.entities or not same:
                known = self._past(model.about.id).known(known, before, seen, same)
                return self._run(lease, "sync", model, before.get("precision"), seen, standing, known)
            changes.go_on(self.database, lease.token, before, seen)
        return Alignment(None, pd.DataFrame(), 0, links.NO_CHANGES.counts, changed_entities=0)

    def _run(
        self,
        lease: Lease,
        kind: str,
        model: saved.Model,
        precision: float | None,
        seen: changes.Seen,
        standing: dict[str, Any],
        known: Known = NOTHING_KNOWN,
    ) -> Alignment:
        about = {"model": model.about.id, "precision": precision, "changed_entities": seen.entities}
        many = self.config.many(model.about.exclusive)
        with runs.running(self.database, kind, self.config, lease, many=many, **about) as run:
            found = self._judge(model, precision, known)
            todo = links.difference(self.config, found.existing, found.links, model.about.id)
            if kind == "sync":
                refuse_loss(found)
            with self.stages.stage("write", sum(todo.counts.values())) as advance:
                todo = replace(todo, create=links.with_ids(self.database, found.judged.scene.graph.nodes, todo.create))
                links.write(run, self.config, todo, model.about.id, advance)
            self._remember(run, found, about, seen, standing, known)
        return alignment(found, run.id, run.counts(), seen.entities)

    def _remember(
        self,
        run: runs.Run,
        found: Scored,
        about: dict[str, Any],
        seen: changes.Seen,
        standing: dict[str, Any],
        known: Known,
    ) -> None:
        """Leave what the next sync compares with: after the last link, so that a run cut off before is done again.

        What stood before the run is counted on by what it wrote: a verdict given meanwhile makes the next sync look.
        """
        with self.stages.stage("remember"):
            now, was = known.prints or self._prints(found.judged.scene.graph)
            state = changes.state(self.config, about["model"], about["precision"], standing, seen, run)
            if self.memory is not None:
                self._past(about["model"]).keep(found, now, run.id)
                state["memory"] = run.id
            run.write("changes/remember", [*now.packed(was, schema.alignment(self.config)), state])
            run.write("changes/forget_events", list(seen.events))
        run.note(graph=now.digest(), **self._account(found))

    def score(self, model: saved.Model) -> pd.DataFrame:
        """Score all candidates as `align` would, and write nothing.

        Returns:
            left, right (keys), type, confidence, score, and whether the pair is `linked`.
        """
        found = self._judge(model)
        return found.table(np.arange(len(found.judged.pairs))).drop(columns=[*links.AT, "alone"])

    def examine(self, model: saved.Model, precision: float | None = None) -> Examined:
        """Judge the graph as it is now, as `align` would, and write nothing.

        Args:
            precision: as in `align`.
        """
        found = self._judge(model, precision)
        graph = found.judged.scene.graph
        near = found.table(np.flatnonzero(found.outcome.kinds(graph.nodes)["near"]))
        least = near["type"].map(dict(zip(self.config.type_names, found.thresholds, strict=True)))
        why = np.where(near["confidence"] < least, "below the threshold", "a surer link took its place")
        near = near.assign(why=why, pair=links.pair_names(self.config, near["left"], near["right"]))
        return Examined(prints.take(*graph.seen).digest(), graph.nodes, near, found.told, found.drift)

    def neighbourhood(self, model: saved.Model, key: object) -> pd.DataFrame:
        """Return the sampled neighbours of the entities with a key, and theirs, as `Graph.around` does."""
        return self._pull(model.means).around(self.config, key)

    def explain(self, model: saved.Model, left: object, right: object) -> Explanation:
        """Say why the pair of these keys is linked or not.

        Raises:
            DataError: A side has no entity of that key, or the two are of different types.
        """
        return self.explainer(model).explain(left, right)

    def explainer(self, model: saved.Model) -> Explainer:
        """Judge as `align` would, with the precision that it was asked for last, so as to explain any pairs."""
        precision = changes.remembered(self.database, self.config).get("precision")
        return Explainer(model, self._judge(model, precision))

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
        found = self._judge(model, precision, Known(links=lambda *_: links.NOTHING))
        nodes = found.judged.scene.graph.nodes
        known = labels.read(gold, nodes, self.config.type_names, seed)
        trained_on = model.about.training["labels"]["digest"] == labels.digest(gold)
        split = split if "split" in gold or trained_on else None
        figures = evaluate.evaluate(
            nodes, found.judged.pairs, found.judged.confidence, found.linked, known, split, seed, complete=True
        )
        return figures if found.target is None else {**figures, "target": found.target.document()}

    @gpu_memory()
    def _judge(self, model: saved.Model, precision: float | None = None, known: Known = NOTHING_KNOWN) -> Scored:
        model.require(self.config)
        about = model.about
        learned = about.thresholds if precision is None else [kind.threshold(precision) for kind in about.operating]
        thresholds, exclusive = self.config.decisions(learned, about.exclusive)
        target = None if precision is None else aim(precision, self.config, about.operating, thresholds)
        graph = known.graph or self._pull(model.means)
        existing = known.links(self.database, self.config, graph.nodes)
        judged = Looks(self.config, self.stages, self.engine).judge(graph, model, existing.verdicts, known.memory)
        pairs = judged.pairs
        with self.stages.stage("match"):
            types = graph.nodes.type[pairs.left]
            chosen = np.zeros(len(pairs), bool)
            chosen[
                match.match(
                    pairs,
                    judged.confidence,
                    judged.logits,
                    np.array(thresholds)[types],
                    np.array(exclusive)[types],
                    existing.verdicts.confirmed,
                    existing.verdicts.rejected,
                )
            ] = True
        first = judged.memory.looks[0].blocked.left
        moved = drift.since(model.about.training.get("reference", {}), graph.nodes, first, pairs, judged.logits)
        least, told = np.array(thresholds), about.validated(self.config, thresholds)
        return Scored(self.config, judged, chosen, existing, least, np.array(exclusive), target, moved, told)

    def _prints(self, graph: Graph) -> tuple[Prints, Prints]:
        """Take the fingerprints of a graph, and read those that the last run left."""
        return prints.take(*graph.seen), prints.read(self.database, schema.alignment(self.config))

    def _past(self, model: str) -> Past:
        return Past(self.config, self.database, self.stages, self.memory, model)

    def _pull(self, means: FloatArray | None) -> Graph:
        with self.stages.stage("pull") as advance:
            nodes = entities.pull(self.database, self.config, advance, engine=self.engine)
        with self.stages.stage("sample", len(nodes)) as advance:
            if means is None:
                means = sampling.averages(self.database, self.config)
            drawn = sampling.sample(self.database, self.config, nodes, means, advance, engine=self.engine)
            return Graph(nodes, drawn, means)

    def _account(self, found: Scored) -> dict[str, Any]:
        """Return what an AlignRun tells of how its links came about."""
        return {
            "entities": len(found.judged.scene.graph.nodes),
            "candidates": len(found.judged.pairs),
            "links": int(found.linked.sum()),
            "stages": json.dumps(self.stages.done),
            "drift": json.dumps(found.drift),
            "account": json.dumps(found.told),
        }
