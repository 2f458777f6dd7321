"""Scoring: pairs a second at width 128 with 10 neighbours, by kernel, precision and number of threads."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from neo4j_align.gnn import batch, overlap, score
from neo4j_align.gnn.features import Entities
from neo4j_align.gnn.model import Network
from tests.benchmarks.speed import made
from tests.benchmarks.speed.timing import side_by_side

ENTITIES, NEIGHBOURS, PAIRS, WIDTH = 10_000, 10, 20_000, 128
TOLERANCE = 1e-5


def run(rounds: int) -> dict[str, Any]:
    """Measure what every pair costs: the overlap features, and the network with its heads; and what an entity costs."""
    world = made.world(ENTITIES, NEIGHBOURS, PAIRS)
    single = made.network(world, WIDTH)
    double = score.exact(single, world.entities)
    has_dgl = importlib.util.find_spec("dgl") is not None
    kinds = {"PyTorch": batch.TorchKernels} | ({"DGL": batch.DglKernels} if has_dgl else {})
    _see_equal(kinds, double, world)

    def scored(kind: str, threads: int, given: tuple[Network, Entities]) -> Callable[[], object]:
        def work() -> object:
            with _kernels(kinds[kind]), _threads(threads):
                return score.logits(*given, encoded[given[0]], both, world.features)

        return work

    def encode(kind: str, threads: int) -> Callable[[], object]:
        def work() -> object:
            with _kernels(kinds[kind]), _threads(threads):
                return score.encode_once(*double, both, lambda _: None)

        return work

    def overlapped(threads: int) -> Callable[[], object]:
        def work() -> object:
            with _threads(threads):
                return overlap.overlap(world.entities, world.pairs, made.MAPS)

        return work

    both = score.indices(world.pairs)
    encoded = {
        given[0]: score.encode_once(*given, both, lambda _: None) for given in ((single, world.entities), double)
    }
    ways, units = {}, {}
    for threads in (1, 2):
        for kind in kinds:
            ways[f"score, {kind}, {threads} threads"] = scored(kind, threads, double)
            ways[f"encode, {kind}, {threads} threads"] = encode(kind, threads)
        ways[f"overlap features, {threads} threads"] = overlapped(threads)
        ways[f"score in single precision, {threads} threads"] = scored("PyTorch", threads, (single, world.entities))
    for way in ways:
        units[way] = (ENTITIES, "entities") if way.startswith("encode") else (len(both), "pairs")
    timed = side_by_side(ways, rounds)
    print(f"\n{len(both):,} pairs of {ENTITIES:,} entities, width {WIDTH}, {NEIGHBOURS} neighbours\n")
    print(timed.lines(units))
    return timed.document()


def _see_equal(kinds: dict[str, Any], given: tuple[Network, Entities], world: made.World) -> None:
    """Fail where two kernels give different scores, or the layer by layer code another than the definition."""
    rows = np.arange(512)
    both = score.indices(world.pairs.take(rows))
    found = []
    for kind in kinds.values():
        with _kernels(kind):
            encoded = score.encode_once(*given, both, lambda _: None)
            found.append(score.logits(*given, encoded, both, world.features[rows]))
    apart = max(np.abs(one - found[0]).max() for one in found)
    assert apart < TOLERANCE, f"the kernels' scores are {apart} apart"
    print(f"kernels {', '.join(kinds)}: scores at most {apart:.0e} apart")


@contextlib.contextmanager
def _kernels(kind: Any) -> Iterator[None]:
    with patch.object(batch, "kernels", lambda source, destination, *sizes: kind(source, destination, *sizes)):
        yield


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
