"""What a model learns of types that nobody labelled."""

from __future__ import annotations

import logging
import string
from collections.abc import Collection

import numpy as np
import pandas as pd
import pytest
import torch

from neo4j_align.config import Config
from neo4j_align.gnn.saved import Model
from neo4j_align.looks import Looks
from neo4j_align.progress import Stages
from neo4j_align.records import Verdicts
from neo4j_align.resolve.guesses import FEW, FEWEST
from neo4j_align.resolve.match import match
from neo4j_align.sight import Graph
from tests.unit.builders import config, neighbourhood, nodes

FILMS = FEW + 40  # all of them labelled, but for the test split


def _short() -> Config:
    document = config(types=2, relations=1).model_dump(mode="json")
    return Config.model_validate({**document, "training": {**document["training"], "epochs": 2, "width": 8}})


def _learn(
    others: list[str], told: int = 0, tested: int = 0, rejected: Collection[tuple[int, int]] = frozenset()
) -> Model:
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
    return Looks(_short(), Stages()).learn(graph, pd.concat([gold, more]), Verdicts(rejected=frozenset(rejected)))


def _guessed(model: Model) -> object:
    return model.about.training["labels"]["guessed"]


PEOPLE = [f"Ann {letter * 3}{vowel} Smith" for letter in string.ascii_lowercase for vowel in "aeio"]


UNALIKE = [letter * 4 for letter in string.ascii_lowercase]


def test_a_type_that_nobody_labelled_is_taught_by_the_model_itself() -> None:
    model = _learn(PEOPLE)
    assert _guessed(model) == ["T1"]
    # Its labels are all easy, so they may not move where a confidence of one half lies; those of persons do.
    assert model.about.curves[0].offset != 0
    assert model.about.curves[1].offset == 0


def test_the_test_split_of_a_type_that_the_model_teaches_itself_changes_nothing() -> None:
    one, other = _learn(PEOPLE, told=20), _learn(PEOPLE, told=20, tested=40)
    assert _guessed(one) == _guessed(other) == ["T1"]
    assert one.about.thresholds == other.about.thresholds
    for mine, theirs in zip(one.network.parameters(), other.network.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_a_type_whose_names_have_no_rivals_is_taught_by_the_model_itself() -> None:
    """Blocking finds no wrong pair to learn from there."""
    assert _guessed(_learn(UNALIKE)) == ["T1"]


def test_a_type_whose_names_a_person_disputes_is_left_to_what_the_labels_teach(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """There is no true pair to learn from, and that is no reason to learn nothing from the labels of others."""
    left = FILMS + np.arange(len(UNALIKE))
    with caplog.at_level(logging.INFO):
        assert _guessed(_learn(UNALIKE, rejected=set(zip(left, left + left[-1] + 1, strict=True)))) == []
    assert "T1 cannot be taught by the model itself" in caplog.text


@pytest.mark.parametrize("count", [FEWEST, 30, 60])
@pytest.mark.parametrize("alike", [True, False])
def test_a_small_graph_needs_no_labels(count: int, alike: bool) -> None:
    """Of few pairs no curve of confidence can be drawn, and where no names are alike nothing wrong is a candidate."""
    luck = np.random.default_rng(count)
    words = luck.choice(list(string.ascii_lowercase), (2 * count, 6))
    names = [f"Product {number} {''.join(word[:2])}" if alike else "".join(word) for number, word in enumerate(words)]
    both, alone = names[:count], count // 2
    entities = nodes(both + names[count:][:alone], both + names[count:][alone:])
    graph = Graph(entities, neighbourhood([[] for _ in entities.keys]), np.ones((1, 3), np.float32))
    looks = Looks(config(), Stages())
    model = looks.learn(graph, None)
    judged = looks.judge(graph, model)
    least = np.full(len(judged.pairs), model.about.thresholds[0])
    found = match(judged.pairs, judged.confidence, judged.logits, least, np.ones(len(judged.pairs), bool))
    linked = set(zip(judged.pairs.left[found].tolist(), judged.pairs.right[found].tolist(), strict=True))
    true = {(at, count + alone + at) for at in range(count)}
    assert len(linked & true) >= 0.9 * len(true)
    assert len(linked - true) <= 0.1 * len(true)


@pytest.mark.parametrize("told", [5, 12])
@pytest.mark.parametrize("judged", [False, True])
def test_a_few_pairs_are_learned_from_though_the_first_epoch_puts_them_in_order(told: int, judged: bool) -> None:
    """With one or three pairs to validate with the model of the first epoch was the best, and sure of nothing."""
    luck = np.random.default_rng(2)
    words = [f"{one} {other}" for one in ("blue", "red", "old", "grand", "lost") for other in string.ascii_lowercase]
    names = luck.permutation([word + " river" for word in words])[:70].tolist()
    entities = nodes(names[:40], names[25:65])  # 15 are on both sides, and names tell fewer than FEWEST
    graph = Graph(entities, neighbourhood([[] for _ in entities.keys]), np.ones((1, 3), np.float32))
    true = [(25 + at, 40 + at) for at in range(15)]
    gold = pd.DataFrame(
        {side: entities.keys[[pair[at] for pair in true[:told]]] for at, side in enumerate(("left", "right"))}
    )
    verdicts = Verdicts(confirmed=frozenset(true[:told]) if judged else frozenset())
    looks = Looks(config(), Stages())
    model = looks.learn(graph, None if judged else gold, verdicts)
    found = looks.judge(graph, model, verdicts)
    confidence = dict(
        zip(zip(found.pairs.left.tolist(), found.pairs.right.tolist(), strict=True), found.confidence, strict=True)
    )
    assert min(confidence.pop(pair) for pair in true) > 0.9
    assert np.quantile(list(confidence.values()), 0.9) < 0.1
