"""Training is a function of its examples."""

from __future__ import annotations

import numpy as np
import torch

from neo4j_align.gnn import train
from neo4j_align.settings import Training
from tests.benchmarks.speed import made

ENTITIES, NEIGHBOURS, PAIRS = 400, 10, 4_000  # few rows, taken often, by threads that share the work


def test_the_same_examples_give_the_same_model_on_several_threads() -> None:
    world, settings = made.world(ENTITIES, NEIGHBOURS, PAIRS), Training(epochs=2)
    rows = np.arange(len(world.pairs))
    owner = world.pairs.left
    examples = train.Examples(world.pairs, world.features, world.same, rows % 10 != 0, rows % 10 == 0, owner)
    lesson = train.Lesson(settings, made.network(world, settings.width).shape, world.entities, examples)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        one, other = (train.train(lesson)[0] for _ in range(2))
    finally:
        torch.set_num_threads(threads)
    assert [name for name, value in one.items() if not np.array_equal(value, other[name])] == []
