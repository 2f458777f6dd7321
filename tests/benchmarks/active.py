"""How many verdicts it takes: F1 on the test split against the number of verdicts, queue order against random order.

    ALIGN_DATA=/path/to/data python -m tests.benchmarks.active screen movies --json active.json --docs docs/review.md

Gold is the reviewer, and answers for entities of train and valid alone. The first labels are answers on what blocking
ranks first for some left entities, chosen at random; then each order goes on by itself, and after each step a model
learns anew from the first labels and all verdicts, as `train --labels` does. In random order a reviewer gets the best
candidate of one left entity after another. With `--first 0` the model teaches itself, as `train` without labels does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from neo4j_align.config import Config
from neo4j_align.gnn.saved import Model
from neo4j_align.looks import Looks
from neo4j_align.pipeline import Aligner
from neo4j_align.progress import Stages
from neo4j_align.records import LEFT, RIGHT, IntArray, Pairs, Verdicts
from neo4j_align.resolve import anchors, labels, queue
from neo4j_align.resolve.evaluate import Scores
from neo4j_align.sight import Graph, Sight
from neo4j_align.store.database import Database
from tests.benchmarks.ablation import Given
from tests.benchmarks.common import (
    FIRST_SEED,
    Workplace,
    parser,
    remember,
    remembered,
    replace_between,
    table,
    workplaces,
)

FIRST, STEPS = 100, (200, 400, 800)
ORDERS = ("queue", "random")
ENOUGH = 0.95  # of the F1 with all labels


@dataclass(frozen=True)
class Reviewer:
    """Answers from gold, for candidate pairs of which no end is tested."""

    known: labels.Labels
    seed: int

    def answers(self, graph: Graph, pairs: Pairs) -> tuple[Any, Any]:
        """Return of each pair whether it is the same, (P,), and whether the reviewer may say so, (P,)."""
        same, split = labels.judge(self.known, graph.nodes, pairs, self.seed, complete=True)
        tested = self.known.split == "test"
        held = np.isin(pairs.left, self.known.left[tested]) | np.isin(pairs.right, self.known.right[tested])
        return same == 1, (same >= 0) & (split != "test") & ~held


def main() -> None:
    """Draw the curves of the sets that were asked for."""
    takes = parser(__doc__, ("screen", "movies"), "active")
    takes.add_argument("--steps", type=int, nargs="*", default=STEPS, help="numbers of answers after which to train")
    takes.add_argument("--first", type=int, default=FIRST, help="labels to start with; 0 lets the model teach itself")
    arguments = takes.parse_args()
    records = remembered(arguments.json)
    if not arguments.show:
        with workplaces(arguments.sets) as places:
            for place in places:
                for record in Curve.of(place, arguments.first).points(arguments.steps):
                    remember(arguments.json, records, {"data": place.data.name, "seed": FIRST_SEED, **record})
                    print(f"{place.data.name}: {record}", flush=True)
    text = report(records)
    print(text)
    if arguments.docs:
        replace_between(arguments.docs, "active", text)


@dataclass
class Curve:
    """Learns from more and more verdicts on one graph.

    Attributes:
        first: how many labels there are to start with; labels: these.
    """

    config: Config
    graph: Graph
    gold: pd.DataFrame
    reviewer: Reviewer
    database: Database
    first: int
    labels: pd.DataFrame | None = None

    @classmethod
    def of(cls, place: Workplace, first: int) -> Curve:
        """Pull the graph of a data set."""
        place.seed(FIRST_SEED)
        config, gold = place.config, place.gold
        database = Database.open(place.connection)
        graph = Aligner(config, database)._pull(None)
        known = labels.read(gold, graph.nodes, config.type_names, FIRST_SEED)
        return cls(config, graph, gold, Reviewer(known, FIRST_SEED), database, first)

    def points(self, steps: list[int]) -> Iterator[dict[str, Any]]:
        """Yield the figures of each order after each step, those of the start first and those of all labels last."""
        if self.first:
            self.labels = self._first_labels()
        start, figures = self._learn(self.labels, Verdicts())
        yield {"variant": f"start {self.first}", **figures}
        models = dict.fromkeys(ORDERS, start)
        verdicts = dict.fromkeys(ORDERS, Verdicts())
        for step in steps:
            for order in ORDERS:
                verdicts[order] = self._review(order, models[order], verdicts[order], step - self.first)
                models[order], figures = self._learn(self.labels, verdicts[order])
                yield {"variant": f"{order} {step}", "confirmed": len(verdicts[order].confirmed), **figures}
        yield {"variant": "all labels", **self._learn(self.gold, Verdicts())[1]}

    def _first_labels(self) -> pd.DataFrame:
        """Return the reviewer's answers on the first candidates of some left entities, while there is no model."""
        sight, nodes = Sight(self.config, Stages()), self.graph.nodes
        views, weights = sight.view(self.graph, None)
        scene = sight.scene(self.graph, views, weights, anchors.of_names(nodes, views.signatures))
        pairs = sight.look(scene, [True] * len(self.config.types)).pairs
        same, may = self.reviewer.answers(self.graph, pairs)
        rows = at_random(pairs, pairs.scores.sum(axis=1).astype(float))
        rows = rows[may[rows]][: self.first]
        columns = {"left": nodes.keys[pairs.left[rows]], "right": nodes.keys[pairs.right[rows]]}
        return pd.DataFrame({**columns, "label": same[rows].astype(int), "split": "train"})

    def _asked(self) -> set[tuple[int, int]]:
        """Return the pairs of the first labels, which no order asks for again."""
        if self.labels is None:
            return set()
        at = [self.graph.nodes.index(side)[self.labels[name]] for side, name in ((LEFT, "left"), (RIGHT, "right"))]
        return set(zip(*(column.tolist() for column in at), strict=True))

    def _learn(self, table: pd.DataFrame | None, verdicts: Verdicts) -> tuple[Model, dict[str, Any]]:
        begin = time.perf_counter()
        model = Looks(self.config, Stages()).learn(self.graph, table, verdicts)
        aligner = Given(self.config, self.database)
        aligner.graph = self.graph
        found = aligner.evaluate(model, self.gold)
        kinds = {kind: figures["f1"] for kind, figures in found["types"].items()}
        return model, {"seconds": round(time.perf_counter() - begin), "f1": found["f1"], "types": kinds}

    def _review(self, order: str, model: Model, verdicts: Verdicts, count: int) -> Verdicts:
        """Let the reviewer answer until there are so many verdicts."""
        judged = Looks(self.config, Stages()).judge(self.graph, model, verdicts)
        pairs = judged.pairs
        same, may = self.reviewer.answers(self.graph, pairs)
        if order == "queue":
            rows = queue.order(pairs, queue.worth(pairs, judged.confidence, self.graph.neighbourhood))
        else:
            rows = at_random(pairs, judged.confidence)
        confirmed, rejected, asked = set(verdicts.confirmed), set(verdicts.rejected), self._asked()
        taken = {(side, pair[side]) for pair in confirmed for side in (0, 1)}
        for row in rows[may[rows]].tolist():
            pair = int(pairs.left[row]), int(pairs.right[row])
            if pair in rejected or pair in asked or (0, pair[0]) in taken or (1, pair[1]) in taken:
                continue  # needs no verdict any more: all gold is one-to-one
            if len(confirmed) + len(rejected) >= count:
                break
            if same[row]:
                confirmed.add(pair)
                taken |= {(0, pair[0]), (1, pair[1])}
            else:
                rejected.add(pair)
        return Verdicts(frozenset(confirmed), frozenset(rejected))


def at_random(pairs: Pairs, value: Scores) -> IntArray:
    """Return the row of the best candidate of each left entity, in an order of chance."""
    best = np.lexsort((-value, pairs.left))
    best = best[np.unique(pairs.left[best], return_index=True)[1]]
    return np.random.default_rng(FIRST_SEED).permutation(best)


def report(records: list[dict[str, Any]]) -> str:
    """Return a table in Markdown for each set, and how many answers were enough."""
    names = dict.fromkeys(record["data"] for record in records)
    return "\n".join(_table(name, {r["variant"]: r for r in records if r["data"] == name}) for name in names)


def _table(name: str, records: dict[str, dict[str, Any]]) -> str:
    kinds = next(iter(records.values()))["types"]
    rows = [
        [variant, *(f"{100 * record['types'][kind]:.1f}" for kind in kinds), f"{100 * record['f1']:.1f}",
         str(record.get("confirmed", "–")), f"{record['seconds']:,}"]
        for variant, record in records.items()
    ]  # fmt: skip
    head = ["answers", *(f"{kind} F1" for kind in kinds), "F1", "confirmed", "training and judging, s"]
    text = f"### `{name}`\n\n{table(head, rows)}"
    if "all labels" in records:
        goal = ENOUGH * records["all labels"]["f1"]
        told = [f"{order} order {_enough(order, records, goal)}" for order in ORDERS]
        text += f"\n{ENOUGH:.0%} of the F1 with all labels is {100 * goal:.1f}. Answers it took: {', '.join(told)}.\n"
    return text


def _enough(order: str, records: dict[str, dict[str, Any]], goal: float) -> str:
    """Return the least number of answers whose F1 reaches the goal."""
    points = {
        tuple(name.split()): record["f1"] for name, record in records.items() if name.startswith((order, "start"))
    }
    steps = sorted((int(count), f1) for (_, count), f1 in points.items())
    return next((str(step) for step, f1 in steps if f1 >= goal), f"more than {steps[-1][0]}")


if __name__ == "__main__":
    main()
