"""What each part is worth: train and judge with one part taken away, all else equal.

    ALIGN_DATA=/path/to/data python -m tests.benchmarks.ablation movies screen dblp-acm --json ablation.json

Sets are loaded as in quality.py; the variants then train in this process, on one sample of the neighbours wherever
the sampling is the same. Figures are those of the test split, and nothing is chosen by them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from sklearn.ensemble import HistGradientBoostingClassifier

from neo4j_align import pipeline
from neo4j_align.config import Config
from neo4j_align.gnn import model, partition, saved, score, train
from neo4j_align.gnn.features import Entities
from neo4j_align.gnn.model import Network
from neo4j_align.gnn.tensors import Weights, weights
from neo4j_align.looks import Looks
from neo4j_align.pipeline import Aligner
from neo4j_align.progress import Stages
from neo4j_align.records import Anchors, FloatArray, Neighbourhood, Nodes, Pairs
from neo4j_align.resolve import anchors
from neo4j_align.sight import Graph, Look, Scene
from neo4j_align.store import sampling
from neo4j_align.store.database import Database
from tests.benchmarks.common import (
    Workplace,
    parser,
    remember,
    remembered,
    replace_between,
    seeds,
    spread,
    table,
    workplaces,
)

DEFAULT = ("movies", "screen", "dblp-acm")
MEASURES = {"f1": "F1", "prauc": "PRAUC", "hits_at_1": "hits@1"}
# The product's own, below their replacements.
_cross, _uniform, _train, _logits = Network._cross, sampling.uniform, train.train, score.logits


def _even_cross(self: Network, entities: Entities, *rest: Any) -> torch.Tensor:
    """Let all neighbours weigh the same in α, whether the other side has their like or not, and however rare."""
    entities = dataclasses.replace(entities, rarity=torch.ones_like(entities.rarity))

    def all_near(entities: Entities, one: torch.Tensor, other: torch.Tensor, *_: Any) -> torch.Tensor:
        return ((one >= 0).unsqueeze(2) & (other >= 0).unsqueeze(1)).to(entities.rarity.dtype)

    with patch.object(model, "meeting", all_near):
        return _cross(self, entities, *rest)


def _even_self(self: Network, entities: Entities, inside: torch.Tensor, _: Any, ids: torch.Tensor) -> torch.Tensor:
    """Leave to α alone which neighbours weigh more: β is the same for all."""
    valid = (entities.neighbours[ids] >= 0).to(inside.dtype)
    return valid / valid.sum(1, keepdim=True).clamp(min=1)


def _uncoordinated(nodes: Nodes, seed: int) -> npt.NDArray[np.float64]:
    """Draw each neighbour by its side and key, as if no one had a name."""
    return _uniform(dataclasses.replace(nodes, names=np.full(len(nodes), None, dtype=object)), seed)


def _compared(self: Network, entities: Entities, _: Any, pairs: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """Judge by the comparison alone; what learns beside it has gradients of zero."""
    judged: torch.Tensor = self.comparison(self.comparison.known(features, entities.type[pairs[:, 0]])).mean(1)
    return judged + 0 * self.sharpness


def _unread(self: Network, seen: Entities, ids: torch.Tensor) -> torch.Tensor:
    """Spare the work that nobody looks at."""
    return torch.zeros(len(ids), self.shape.width, dtype=self.gate.weight.dtype, device=seen.device)


def _unencoded(self: Network, seen: Entities, ids: torch.Tensor, *_: Any) -> tuple[torch.Tensor, torch.Tensor]:
    nothing = _unread(self, seen, ids)
    return nothing, nothing


def _untrained(lesson: train.Lesson, *_: Any) -> tuple[Weights, list[float]]:
    return weights(Network(lesson.shape)), []


def _trained_blind(lesson: train.Lesson, *rest: Any) -> Any:
    """Train a network that is shown no evidence."""
    examples = dataclasses.replace(lesson.examples, features=0 * lesson.examples.features)
    return _train(dataclasses.replace(lesson, examples=examples), *rest)


def _scored_blind(network: Network, seen: Entities, encoded: Any, pairs: Any, features: FloatArray, *rest: Any) -> Any:
    """Let it judge without evidence, too."""
    return _logits(network, seen, encoded, pairs, 0 * features, *rest)


def _names_alone(*arguments: Any) -> Anchors:
    """Take for anchors what bears one name, whatever the first look found."""
    names: Anchors = arguments[-1]
    return names


class Boosting(Looks):
    """Judges the second look's evidence by gradient boosting; calibration and thresholds are the product's."""

    _examples_of_last_look: train.Examples
    _trees: HistGradientBoostingClassifier | None = None

    def _lesson(self, *arguments: Any) -> tuple[Look, train.Lesson]:
        look, lesson = super()._lesson(*arguments)
        self._examples_of_last_look = lesson.examples
        return look, lesson

    def _score(self, network: Network, seen: Entities, pairs: Pairs, evidence: FloatArray) -> npt.NDArray[np.float64]:
        features = np.column_stack([evidence, seen.type[pairs.left]])
        if self._trees is None:  # asked for the first time: in training
            taught = self._examples_of_last_look
            self._trees = HistGradientBoostingClassifier(random_state=self.config.training.seed)
            self._trees.fit(features[taught.train], taught.same[taught.train])
        found: npt.NDArray[np.float64] = self._trees.decision_function(features)
        return found

    def _second(self, model: saved.Model, scene: Scene, pairs: Pairs, places: FloatArray) -> npt.NDArray[np.float64]:
        def judged(part: partition.Partition) -> npt.NDArray[np.float64]:
            evidence, _ = partition.evidence(scene.shared, part)
            return self._score(model.network, scene.seen, part.among_all, evidence)

        return np.concatenate([judged(part) for part in scene.whole(pairs, places).cut()])


@dataclass(frozen=True)
class Variant:
    """How a model differs from the product's.

    Attributes:
        looks: in what it learns and judges with; patches: of (owner, attribute, replacement).
        neighbours: drawn for each node, None for the default; the rest: how they are drawn, and if they are seen.
    """

    looks: type[Looks] = Looks
    patches: tuple[tuple[Any, str, Any], ...] = ()
    neighbours: int | None = None
    weighted: bool = True
    coordinated: bool = True
    graph: bool = True


VARIANTS = {
    "full": Variant(),
    "no graph": Variant(graph=False),
    "no cross-graph attention": Variant(patches=((Network, "_cross", _even_cross),)),
    "no self-attention": Variant(patches=((Network, "attend", _even_self),)),
    "no sampling weights": Variant(weighted=False),
    "no coordination": Variant(coordinated=False),
    "5 neighbours": Variant(neighbours=5),
    "5 neighbours, no coordination": Variant(neighbours=5, coordinated=False),
    "no comparison": Variant(patches=((train, "train", _trained_blind), (score, "logits", _scored_blind))),
    "no network": Variant(
        patches=((Network, "forward", _compared), (Network, "read", _unread), (Network, "encode", _unencoded))
    ),
    "no second look": Variant(patches=((anchors, "of_scores", _names_alone),)),
    "gradient boosting": Variant(looks=Boosting, patches=((train, "train", _untrained),)),
}


class Sampler:
    """Gives each variant its graph; pulls the entities once, and draws once for all that draw alike."""

    def __init__(self, config: Config, database: Database) -> None:
        self._config, self._database = config, database
        self._drawn: dict[tuple[Any, ...], Graph] = {}
        self._first = Aligner(config, database)._pull(None)

    def __call__(self, variant: Variant, config: Config) -> Graph:
        """Return the graph as a variant sees it; its configuration has the number of neighbours."""
        way = config.sampling.neighbours, variant.weighted, variant.coordinated
        if way == (self._config.sampling.neighbours, True, True):
            graph = self._first
        else:
            graph = self._drawn[way] = self._drawn.get(way) or self._draw(variant, config)
        return graph if variant.graph else dataclasses.replace(graph, neighbourhood=_alone(graph.neighbourhood))

    def _draw(self, variant: Variant, config: Config) -> Graph:
        nodes, means = self._first.nodes, self._first.means
        means = means if variant.weighted else np.ones_like(means)
        uniform: Callable[..., Any] = _uniform if variant.coordinated else _uncoordinated
        with patch.object(sampling, "uniform", uniform):
            return Graph(nodes, sampling.sample(self._database, config, nodes, means), means)


def _alone(neighbourhood: Neighbourhood) -> Neighbourhood:
    """Return the neighbourhood of entities that have no neighbours."""
    return Neighbourhood(
        np.full_like(neighbourhood.neighbours, -1),
        np.zeros_like(neighbourhood.relations),
        np.zeros_like(neighbourhood.degree),
    )


class Given(Aligner):
    """An aligner that has its graph already, so that `evaluate` judges a variant just as it judges the product."""

    graph: Graph

    def _pull(self, means: FloatArray | None) -> Graph:
        return self.graph


def main() -> None:
    """Train and judge the variants on the sets that were asked for."""
    takes = parser(__doc__, DEFAULT, "ablation")
    takes.add_argument("--seeds", type=int, default=1, help="runs of each variant; default 1")
    takes.add_argument("--variants", nargs="*", default=list(VARIANTS), choices=VARIANTS, help="default all")
    arguments = takes.parse_args()
    records = remembered(arguments.json)
    if not arguments.show:
        with workplaces(arguments.sets) as places:
            for place in places:
                _ablate(place, arguments.variants, arguments.seeds, arguments.json, records)
    text = report(records)
    print(text)
    if arguments.docs:
        replace_between(arguments.docs, "ablation", text)


def _ablate(
    place: Workplace, variants: list[str], count: int, path: Path | None, records: list[dict[str, Any]]
) -> None:
    gold = place.gold
    with Database.open(place.connection) as database:
        sampler = Sampler(place.config, database)
        for name in variants:
            for seed in seeds(count):
                config = _with(place.config, VARIANTS[name].neighbours, seed)
                figures = _judge(VARIANTS[name], config, sampler, gold, database)
                remember(path, records, {"data": place.data.name, "variant": name, "seed": seed, **figures})
                print(f"{place.data.name}, {name}, seed {seed}: done", flush=True)


def _with(config: Config, neighbours: int | None, seed: int) -> Config:
    drawn = config.sampling if neighbours is None else config.sampling.model_copy(update={"neighbours": neighbours})
    return config.model_copy(update={"sampling": drawn, "training": config.training.model_copy(update={"seed": seed})})


def _judge(
    variant: Variant, config: Config, sampler: Sampler, gold: pd.DataFrame, database: Database
) -> dict[str, Any]:
    """Train a variant, and evaluate it on the test split as the product does."""
    aligner = Given(config, database)
    aligner.graph = sampler(variant, config)
    looks = variant.looks(config, Stages())
    with contextlib.ExitStack() as stack:
        for owner, attribute, replacement in variant.patches:
            stack.enter_context(patch.object(owner, attribute, replacement))
        stack.enter_context(patch.object(pipeline, "Looks", lambda *_: looks))
        begin = time.perf_counter()
        learned = looks.learn(aligner.graph, gold)
        seconds = time.perf_counter() - begin
        return {"seconds": round(seconds, 1), "types": aligner.evaluate(learned, gold)["types"]}


def report(records: list[dict[str, Any]]) -> str:
    """Return a table in Markdown for each set."""
    return "\n".join(
        f"### `{data}` without a part\n\n{_table([record for record in records if record['data'] == data])}"
        for data in dict.fromkeys(record["data"] for record in records)
    )


def _table(records: list[dict[str, Any]]) -> str:
    kinds = sorted({kind for record in records for kind in record["types"]})
    columns = [(kind, measure) for kind in kinds for measure in MEASURES]
    rows = []
    for variant in dict.fromkeys(record["variant"] for record in records):
        mine = [record for record in records if record["variant"] == variant]
        cells = [spread([record["types"][kind][measure] for record in mine], scale=100) for kind, measure in columns]
        rows.append([variant, *cells, f"{np.mean([record['seconds'] for record in mine]):,.0f}"])
    return table(["variant", *(f"{kind} {MEASURES[measure]}" for kind, measure in columns), "training, s"], rows)


if __name__ == "__main__":
    main()
