"""Training: steps of the network against the same network in the form of the paper's reference code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from neo4j_align.gnn import score
from neo4j_align.gnn.model import Network
from neo4j_align.settings import Training
from tests.benchmarks.speed import made, reference
from tests.benchmarks.speed.timing import side_by_side

ENTITIES, NEIGHBOURS, PAIRS = 20_000, 10, 20_000
SMALL = 64  # pairs of a step that the reference has memory for
TOLERANCE = 1e-5


def run(rounds: int) -> dict[str, Any]:
    """Measure a step forth and back by pairs a second, after seeing that both are one network."""
    settings = Training()
    world = made.world(ENTITIES, NEIGHBOURS, PAIRS)
    network = made.network(world, settings.width)
    both, features = score.indices(world.pairs), torch.from_numpy(world.features)
    same = torch.from_numpy(world.same).float()
    print(f"scores at most {_apart(network, world):.0e} apart")
    optimiser = torch.optim.AdamW(network.parameters(), settings.learning_rate, fused=True)

    def ours(rows: torch.Tensor) -> torch.Tensor:
        encoded = score.encode(network, world.entities, both[rows])
        return network.forward(world.entities, encoded, both[rows], features[rows])

    def theirs(rows: torch.Tensor) -> torch.Tensor:
        return reference.forward(network, world.entities, both[rows], features[rows])

    def step(judge: Callable[[torch.Tensor], torch.Tensor], size: int) -> Callable[[], object]:
        rows = torch.arange(size)

        def work() -> object:
            loss = functional.binary_cross_entropy_with_logits(judge(rows), same[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            return loss

        return work

    network.train()
    sizes = {f"reference, {SMALL} pairs": SMALL, f"ours, {SMALL} pairs": SMALL}
    sizes |= {f"ours, {settings.batch_size} pairs": settings.batch_size}
    ways = {way: step(theirs if way.startswith("reference") else ours, size) for way, size in sizes.items()}
    timed = side_by_side(ways, rounds)
    print(f"\nA step of width {settings.width} with {NEIGHBOURS} neighbours\n")
    print(timed.lines({way: (size, "pairs") for way, size in sizes.items()}))
    slow, fast = (size / timed.median(way) for way, size in list(sizes.items())[::2])
    print(f"ours takes 1/{fast / slow:.0f} of the reference's time a pair")
    return {**timed.document(), "times as fast a pair": fast / slow}


def _apart(network: Network, world: made.World) -> float:
    """Return how far the two networks' scores differ, in double precision; more than a rounding is an error."""
    exact, seen = score.exact(network, world.entities)
    rows = np.arange(SMALL)
    both = score.indices(world.pairs.take(rows))
    encoded = score.encode_once(exact, seen, both, lambda _: None)
    one = score.logits(exact, seen, encoded, both, world.features[rows])
    with torch.no_grad():
        other = reference.forward(exact, seen, both, torch.from_numpy(world.features[rows]).double()).numpy()
    apart = float(np.abs(one - other).max())
    assert apart < TOLERANCE, f"the reference is another network: scores are {apart} apart"
    return apart
