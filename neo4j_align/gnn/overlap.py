"""What a pair's neighbourhoods share: (P, F) features, counted exactly on the samples, without parameters.

Two neighbours meet when they are sure counterparts; where neither has one, when their names have one signature, or
nearly: a cosine of the projected names over 0.5. A shared neighbour counts by its rarity, for any relation and for the
same one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import torch

from neo4j_align.gnn.features import Entities
from neo4j_align.records import FloatArray, IntArray, Pairs

DETAILED = 35  # relation maps with features of their own: those of the first 16 relations that both sides have
ROWS = 16_384  # neighbours of a side whose pairs a thread looks at together; bounds its memory
THREADS = 8  # at most: beyond, they wait for Python, and take memory
Map = Callable[[torch.Tensor], torch.Tensor]


def overlap(entities: Entities, pairs: Pairs, maps: int) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the overlap features of all pairs, (P, F), and their names.

    Args:
        maps: number of relation maps, "no neighbour" included.
    """
    size = max(1, ROWS // entities.neighbours.shape[1])
    ends = [torch.from_numpy(end).long().split(size) for end in (pairs.left, pairs.right)]
    with _threads() as pool:
        chunks = list(pool.map(partial(_overlap, entities, maps), *ends))
    names = [f"{kind} {what}" for kind in ("any", "same") for what in ("least", "most", "count", "rarity")]
    names += [f"relation {r} {what}" for r in range(1, min(maps, DETAILED)) for what in ("least", "most", "on both")]
    names += ["degree least", "degree most"]
    empty = torch.zeros(0, len(names))
    return torch.cat(chunks or [empty]).numpy(), tuple(names)


@contextlib.contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """Yield threads of which each works alone: a chunk is hundreds of small steps, of which PyTorch shares few out."""
    count = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(min(count, THREADS), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(count)  # theirs would be that of all threads to come


@torch.no_grad()
def meetings(entities: Entities, left: IntArray, right: IntArray) -> FloatArray:
    """Return how surely each of some neighbours, (A,), is one with each of others, (B,), in [0, 1]; (A, B)."""
    one, other = (torch.from_numpy(side).long().unsqueeze(0) for side in (left, right))
    return _meet(entities, one, other)[0].numpy()


@torch.no_grad()
def _overlap(entities: Entities, maps: int, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    one, other = entities.neighbours[left], entities.neighbours[right]  # (B, K)
    every = _meet(entities, one, other)  # (B, K, K)
    relation = entities.relations[left], entities.relations[right]
    same = every * (relation[0].unsqueeze(2) == relation[1].unsqueeze(1))
    weight = [entities.rarity[at.clamp(min=0)] * (at >= 0) for at in (one, other)]
    columns: list[torch.Tensor] = []
    for kind in (every, same):
        met = kind.amax(dim=2), kind.amax(dim=1)
        covered = [_share((w * m).sum(1), w.sum(1)) for w, m in zip(weight, met, strict=True)]
        columns += [torch.minimum(*covered), torch.maximum(*covered)]
        columns += [torch.minimum(met[0].sum(1), met[1].sum(1)).log1p()]
        columns += [torch.minimum((weight[0] * met[0]).sum(1), (weight[1] * met[1]).sum(1)).log1p()]
    columns += _by_relation(relation, weight, (same.amax(dim=2), same.amax(dim=1)), maps)
    degree = [(1 / entities.rarity[side]) for side in (left, right)]
    columns += [torch.minimum(*degree), torch.maximum(*degree)]
    return torch.stack(columns, dim=1)


def _meet(entities: Entities, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Return how surely two neighbours are one thing by their names, in [0, 1]; (B, K, K)."""

    def near(cosine: torch.Tensor) -> torch.Tensor:
        return ((cosine.float() - 0.5) * 2).clamp(0, 1).square()

    # In double precision, as the scores: a product's last digits depend on what else is in the batch.
    return meeting(entities, one, other, torch.float64, near)


def meeting(
    entities: Entities, one: torch.Tensor, other: torch.Tensor, precision: torch.dtype, near: Map
) -> torch.Tensor:
    """Return how near the neighbours of two, (B, K) each, -1 where none is, are to each other; (B, K, K).

    1 for those known to be one, 0 for those known to be two, which are most. Only where neither has a sure counterpart
    the cosine of their names tells; pairs with about as many such neighbours are multiplied together.

    Args:
        precision: of the cosines.
        near: returns how near they are by the cosines of their names; (G, W, W) both.
    """
    sides = [side.clamp(min=0) for side in (one, other)]
    there = [(side >= 0) & ~entities.sure[ids] for side, ids in zip((one, other), sides, strict=True)]
    order = [side.to(torch.uint8).argsort(dim=1, descending=True, stable=True) for side in there]
    count = torch.stack([side.sum(dim=1) for side in there])
    most = torch.where((count > 0).all(dim=0), count.amax(dim=0), 0)
    # A zero that hangs on the weights: a group of learners waits for each of them, whoever compares no neighbours.
    found = near(entities.name[:0].to(precision)).sum().repeat(*one.shape, other.shape[1])
    widest = int(most.max()) if len(most) else 0
    for width in (2**power for power in range((widest - 1).bit_length() + 1 if widest else 0)):
        some = ((most > width // 2) & (most <= width)).nonzero().squeeze(1)
        at = [side[some, :width] for side in order]
        left, right = (
            entities.name[ids[some].gather(1, place)].to(precision) for ids, place in zip(sides, at, strict=True)
        )
        both = [side[some].gather(1, place) for side, place in zip(there, at, strict=True)]
        met = near(torch.bmm(left, right.transpose(1, 2))) * (both[0].unsqueeze(2) & both[1].unsqueeze(1))
        found[some.view(-1, 1, 1), at[0].unsqueeze(2), at[1].unsqueeze(1)] = met
    equal = entities.identity[sides[0]].unsqueeze(2) == entities.identity[sides[1]].unsqueeze(1)
    return found.masked_fill(equal & (one >= 0).unsqueeze(2) & (other >= 0).unsqueeze(1), 1)


def _by_relation(
    relation: tuple[torch.Tensor, torch.Tensor],
    weight: list[torch.Tensor],
    met: tuple[torch.Tensor, torch.Tensor],
    maps: int,
) -> list[torch.Tensor]:
    covered, total = [], []
    detailed = min(maps, DETAILED)
    for r, w, m in zip(relation, weight, met, strict=True):
        r, w = r.masked_fill(r >= detailed, 0), w.masked_fill(r >= detailed, 0)
        empty = torch.zeros(len(r), detailed, dtype=w.dtype)
        total.append(empty.scatter_add(1, r, w))
        covered.append(_share(empty.scatter_add(1, r, w * m), total[-1]))
    both = (total[0] > 0) & (total[1] > 0)
    least, most = torch.minimum(*covered) * both, torch.maximum(*covered) * both
    stacked = torch.stack([least, most, both.to(least.dtype)], dim=2)[:, 1:]
    return list(stacked.flatten(1).unbind(dim=1))


def _share(part: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
    return part / whole.clamp(min=1e-6)
