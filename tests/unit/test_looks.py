"""What a model learns of types that nobody labelled."""

from __future__ import annotations

import logging
import string

import numpy as np
import pandas as pd
import pytest

from neo4j_align.config import Config
from neo4j_align.looks import Looks
from neo4j_align.progress import Stages
from neo4j_align.resolve.guesses import FEW
from neo4j_align.sight import Graph
from tests.unit.builders import config, neighbourhood, nodes

FILMS = FEW + 40  # all of them labelled, but for the test split


def _short() -> Config:
    document = config(types=2, relations=1).model_dump(mode="json")
    return Config.model_validate({**document, "training": {**document["training"], "epochs": 2, "width": 8}})


def _learn(others: list[str]) -> list[str]:
    """Train on films that are labelled, and others that are not, and return the types that the model taught itself."""
    luck = np.random.default_rng(13)
    films = [f"the {word} {number}" for number, word in enumerate(luck.choice(["red", "river", "night"], FILMS))]
    names = [*films, *others]
    kinds = [0] * FILMS + [1] * len(others)
    entities = nodes(names, names, types=kinds * 2)
    gold = pd.DataFrame({"left": entities.keys[:FILMS], "right": entities.keys[len(names) : len(names) + FILMS]})
    gold["split"] = luck.choice(["train", "valid", "test"], FILMS, p=[0.7, 0.2, 0.1])
    graph = Graph(entities, neighbourhood([[] for _ in range(2 * len(names))]), np.ones((2, 3), np.float32))
    guessed: list[str] = Looks(_short(), Stages()).learn(graph, gold).about.training["labels"]["guessed"]
    return guessed


def test_a_type_that_nobody_labelled_is_taught_by_the_model_itself() -> None:
    assert _learn([f"Ann {letter * 3} Smith" for letter in string.ascii_lowercase]) == ["T1"]


def test_a_type_whose_names_have_no_rivals_is_left_to_what_the_labels_teach(caplog: pytest.LogCaptureFixture) -> None:
    """There is no wrong pair to learn from, and that is no reason to learn nothing from the labels of others."""
    with caplog.at_level(logging.INFO):
        assert _learn([letter * 4 for letter in string.ascii_lowercase]) == []
    assert "T1" in caplog.text
