"""Training is a function of its examples."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neo4j_align.gnn import score, train
from neo4j_align.settings import Training
from tests.benchmarks.speed import made

ENTITIES, NEIGHBOURS, PAIRS = 400, 10, 4_000  # few rows, taken often, by threads that share the work


def lesson(count: int, **settings: int) -> train.Lesson:
    """What so many pairs teach, of which one in ten is for validation."""
    world = made.world(ENTITIES, NEIGHBOURS, count)
    rows = np.arange(len(world.pairs))
    owner = world.pairs.left
    same = world.same | (rows % 20 == 0)
    examples = train.Examples(world.pairs, world.features, same, rows % 10 != 0, rows % 10 == 0, owner)
    chosen = Training.model_validate(settings)
    return train.Lesson(chosen, made.network(world, chosen.width).shape, world.entities, examples)


@pytest.mark.parametrize("settings", [{"epochs": 1}, {"epochs": 2}, {"epochs": 4}, {"epochs": 1, "batch_size": 2}])
def test_few_pairs_and_few_steps_make_a_model(settings: dict[str, int]) -> None:
    assert train.train(lesson(30, **settings))[1][0] > 0.5


def test_every_weight_has_a_gradient_though_no_neighbours_are_compared() -> None:
    """Else a group of learners waits for it forever."""
    world = made.world(ENTITIES, NEIGHBOURS, 100)
    world.entities.sure[:] = True
    network, pairs = made.network(world, 16), score.indices(world.pairs)
    encoded = score.encode(network, world.entities, pairs)
    network(world.entities, encoded, pairs, torch.from_numpy(world.features)).sum().backward()
    assert [name for name, weight in network.named_parameters() if weight.grad is None] == []


def test_the_same_examples_give_the_same_model_on_several_threads() -> None:
    given = lesson(PAIRS, epochs=2)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        one, other = (train.train(given)[0] for _ in range(2))
    finally:
        torch.set_num_threads(threads)
    assert [name for name, value in one.items() if not np.array_equal(value, other[name])] == []
