"""What a model learns of types that nobody labelled."""

from __future__ import annotations

import logging
import string

import numpy as np
import pandas as pd
import pytest
import torch

from neo4j_align.config import Config
from neo4j_align.gnn.saved import Model
from neo4j_align.looks import Looks
from neo4j_align.progress import Stages
from neo4j_align.resolve.guesses import FEW
from neo4j_align.sight import Graph
from tests.unit.builders import config, neighbourhood, nodes

FILMS = FEW + 40  # all of them labelled, but for the test split


def _short() -> Config:
    document = config(types=2, relations=1).model_dump(mode="json")
    return Config.model_validate({**document, "training": {**document["training"], "epochs": 2, "width": 8}})


def _learn(others: list[str], told: int = 0, tested: int = 0) -> Model:
    """Train on films that are labelled, and on others, of which some are to learn from and then some to test with."""
    luck = np.random.default_rng(13)
    films = [f"the {word} {number}" for number, word in enumerate(luck.choice(["red", "river", "night"], FILMS))]
    names = [*films, *others]
    kinds = [0] * FILMS + [1] * len(others)
    entities = nodes(names, names, types=kinds * 2)
    gold = pd.DataFrame({"left": entities.keys[:FILMS], "right": entities.keys[len(names) : len(names) + FILMS]})
    gold["split"] = luck.choice(["train", "valid", "test"], FILMS, p=[0.7, 0.2, 0.1])
    some = FILMS + np.arange(told + tested)
    more = pd.DataFrame({"left": entities.keys[some], "right": entities.keys[len(names) + some]})
    more["split"] = ["train", *["valid"] * told][:told] + ["test"] * tested
    graph = Graph(entities, neighbourhood([[] for _ in range(2 * len(names))]), np.ones((2, 3), np.float32))
    return Looks(_short(), Stages()).learn(graph, pd.concat([gold, more]))


def _guessed(model: Model) -> object:
    return model.about.training["labels"]["guessed"]


PEOPLE = [f"Ann {letter * 3}{vowel} Smith" for letter in string.ascii_lowercase for vowel in "aeio"]


def test_a_type_that_nobody_labelled_is_taught_by_the_model_itself() -> None:
    assert _guessed(_learn(PEOPLE)) == ["T1"]


def test_the_test_split_of_a_type_that_the_model_teaches_itself_changes_nothing() -> None:
    one, other = _learn(PEOPLE, told=20), _learn(PEOPLE, told=20, tested=40)
    assert _guessed(one) == _guessed(other) == ["T1"]
    assert one.about.thresholds == other.about.thresholds
    for mine, theirs in zip(one.network.parameters(), other.network.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_a_type_whose_names_have_no_rivals_is_left_to_what_the_labels_teach(caplog: pytest.LogCaptureFixture) -> None:
    """There is no wrong pair to learn from, and that is no reason to learn nothing from the labels of others."""
    with caplog.at_level(logging.INFO):
        assert _guessed(_learn([letter * 4 for letter in string.ascii_lowercase])) == []
    assert "T1" in caplog.text
