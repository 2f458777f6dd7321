"""A GPU: what the network scores and learns there in a second, and that it says what it says on the processor."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import click
import numpy as np
import torch

from neo4j_align.gnn import score, train
from neo4j_align.gnn.features import Entities
from neo4j_align.gnn.model import Encoded, Network
from neo4j_align.settings import Training
from tests.benchmarks.common import table
from tests.benchmarks.speed import made

ENTITIES, NEIGHBOURS, PAIRS, WIDTH = 200_000, 10, 2_000_000, 128
LEARNED = 200_000  # pairs
CHECKED = 4_096  # pairs that are scored on the processor too
TOLERANCE = 1e-9


def run(rounds: int) -> dict[str, Any]:
    """Measure scoring from the features on, in both precisions, and epochs of training.

    Raises:
        click.ClickException: There is no GPU.
    """
    if score.device().type == "cpu":
        raise click.ClickException("torch sees no GPU.")
    print(torch.cuda.get_device_name())
    world = made.world(ENTITIES, NEIGHBOURS, PAIRS)
    rows = {**_scoring(world, rounds), **_training(world)}
    print(table(["what", "figure"], [[what, f"{figure:,.6g}"] for what, figure in rows.items()]))
    return rows


def _scoring(world: made.World, rounds: int) -> dict[str, float]:
    found = {}
    single = made.network(world, WIDTH)
    double, seen = score.exact(single, world.entities)
    found["double precision, most apart from the processor"] = _apart(world)
    ways = {"double": (double, seen), "single": (single.to(score.device()), world.entities.to(score.device()))}
    for name, given in ways.items():
        found |= {f"{name} precision, {what}": rate for what, rate in _rates(given, world, rounds).items()}
    return found


def _rates(given: tuple[Network, Entities], world: made.World, rounds: int) -> dict[str, float]:
    both, encoded = score.indices(world.pairs), list[Encoded]()
    ways: dict[str, Callable[[], object]] = {
        "entities encoded a second": lambda: encoded.append(score.encode_once(*given, both, lambda _: None)),
        "pairs scored a second from the processor's memory": lambda: score.logits(
            *given, encoded[-1], both, world.features
        ),
        "pairs scored a second from the GPU's memory": lambda: _resident(*given, encoded[-1], world, both),
    }
    counts = (ENTITIES, len(both), len(both))
    return {what: count / _seconds(work, rounds) for count, (what, work) in zip(counts, ways.items(), strict=True)}


def _resident(network: Network, seen: Entities, encoded: Encoded, world: made.World, both: torch.Tensor) -> None:
    """Score the first batch of pairs as often as it takes to score as many as there are."""
    size = score._at_once(score.SCORED_AT_ONCE, seen)
    pairs, features = both[:size].to(seen.device), torch.from_numpy(world.features[:size]).to(seen.device)
    with torch.no_grad():
        known = features.to(network.gate.weight.dtype)
        for _ in range(0, len(both), size):
            network.forward(seen, encoded, pairs, known)


def _apart(world: made.World) -> float:
    """Return how far scores of the GPU are from the processor's; more than a rounding is an error."""
    rows = np.arange(CHECKED)
    both, network = score.indices(world.pairs.take(rows)), made.network(world, WIDTH)
    found = []
    for device in ("cpu", "cuda"):
        with patch.object(score, "device", lambda device=device: torch.device(device)):
            given = score.exact(network, world.entities)
        found.append(score.logits(*given, score.encode_once(*given, both, lambda _: None), both, world.features[rows]))
    apart = float(np.abs(found[0] - found[1]).max())
    assert apart < TOLERANCE, f"the GPU's scores are {apart} apart"
    return apart


def _training(world: made.World) -> dict[str, float]:
    """Train twice for two epochs of each part, and see that both are one model."""
    rows = np.arange(LEARNED)
    pairs, settings = world.pairs.take(rows), Training(epochs=2)
    examples = train.Examples(pairs, world.features[rows], world.same[rows], rows % 10 != 0, rows % 10 == 0, pairs.left)
    lesson = train.Lesson(settings, made.network(world, settings.width).shape, world.entities, examples)
    spent, models = [], []
    for _ in range(2):
        begin = time.perf_counter()
        models.append(train.train(lesson))
        spent.append(time.perf_counter() - begin)
    assert models[0][1] == models[1][1], "two trainings on the GPU validate differently"
    one, other = (weights for weights, _ in models)
    assert all(np.array_equal(one[name], other[name]) for name in one), "two trainings on the GPU differ"
    return {f"two epochs of the comparison and of the network over {LEARNED:,} pairs, seconds": spent[1]}


def _seconds(work: Callable[[], object], rounds: int) -> float:
    """Return the median of some rounds, after one that is not counted."""
    found = []
    for _ in range(rounds + 1):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        work()
        torch.cuda.synchronize()
        found.append(time.perf_counter() - begin)
    return statistics.median(found[1:])
