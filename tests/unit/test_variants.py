"""The ablation's variants: those that change the code learn and judge without what they take away."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest

from neo4j_align.config import Config
from neo4j_align.gnn import score
from neo4j_align.gnn.model import Network
from neo4j_align.resolve import anchors
from neo4j_align.sight import Graph
from tests.benchmarks import ablation
from tests.unit.builders import config, neighbourhood, nodes

SIDE = 60  # entities a side, the first half of them with a counterpart


def _graph() -> tuple[Graph, pd.DataFrame]:
    luck = np.random.default_rng(13)
    names = [f"{word} {number}" for number, word in enumerate(luck.choice(["red", "river", "night"], 2 * SIDE))]
    right = [name if luck.random() < 0.5 else f"the {name}" for name in names[: SIDE // 2]] + names[-SIDE // 2 :]
    called = names[:SIDE] + right
    around = [[(int(luck.integers(SIDE)) + owner // SIDE * SIDE, 1)] for owner in range(2 * SIDE)]
    entities = nodes(names[:SIDE], right, attributes={"name": called})
    gold = pd.DataFrame({"left": entities.keys[: SIDE // 2], "right": entities.keys[SIDE : SIDE + SIDE // 2]})
    gold["split"] = luck.choice(["train", "valid", "test"], len(gold))
    return Graph(entities, neighbourhood(around), np.ones((1, 3), np.float32)), gold


def _short() -> Config:
    document = config(relations=1).model_dump(mode="json")
    return Config.model_validate({**document, "training": {**document["training"], "epochs": 2, "width": 8}})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("full", [{"evidence"}] * 2),
        ("no cross-graph attention", [{"evidence", "even α"}] * 2),
        ("no self-attention", [{"evidence", "even β"}] * 2),
        ("no network", [{"evidence", "comparison"}] * 2),
        ("no comparison", [set()] * 2),
        ("no second look", [{"evidence", "names alone"}] * 2),
        ("gradient boosting", []),
    ],
)
def test_a_variant_does_without_it_in_training_and_in_evaluation(name: str, expected: list[set[str]]) -> None:
    graph, gold = _graph()
    seen: list[set[str]] = []
    logits = score.logits

    def watched(*arguments: Any) -> Any:
        state = {
            "evidence": arguments[4].any(),
            "even α": Network._cross is ablation._even_cross,
            "even β": Network.attend is ablation._even_self,
            "comparison": Network.forward is ablation._compared,
            "names alone": anchors.of_scores is ablation._names_alone,
        }
        seen.append({what for what, holds in state.items() if holds})
        return logits(*arguments)

    with patch.object(score, "logits", watched), patch.object(ablation, "_logits", watched):
        found = ablation._judge(ablation.VARIANTS[name], _short(), lambda *_: graph, gold, None)  # type: ignore[arg-type]
    assert 0 <= found["types"]["T0"]["f1"] <= 1
    assert seen == expected
