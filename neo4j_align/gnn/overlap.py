"""What a pair's neighbourhoods share: (P, F) features, counted exactly on the samples, without parameters.

Two neighbours meet when they are sure counterparts; where neither has one, when their names have one signature, or
nearly: a cosine of the projected names over 0.5. A shared neighbour counts by its rarity, for any relation and for the
same one.
"""

from __future__ import annotations

import torch

from neo4j_align.gnn.features import Entities
from neo4j_align.records import FloatArray, IntArray, Pairs

DETAILED = 35  # relation maps with features of their own: those of the first 16 relations that both sides have
CHUNK = 1_024  # pairs at once; what their neighbours hold, 2 · CHUNK · K · SKETCH floats, stays near the processor


@torch.no_grad()
def overlap(entities: Entities, pairs: Pairs, maps: int) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the overlap features of all pairs, (P, F), and their names.

    Args:
        maps: number of relation maps, "no neighbour" included.
    """
    left, right = torch.from_numpy(pairs.left).long(), torch.from_numpy(pairs.right).long()
    chunks = [
        _overlap(entities, one, other, maps) for one, other in zip(left.split(CHUNK), right.split(CHUNK), strict=True)
    ]
    names = [f"{kind} {what}" for kind in ("any", "same") for what in ("least", "most", "count", "rarity")]
    names += [f"relation {r} {what}" for r in range(1, min(maps, DETAILED)) for what in ("least", "most", "on both")]
    names += ["degree least", "degree most"]
    empty = torch.zeros(0, len(names))
    return torch.cat(chunks or [empty]).numpy(), tuple(names)


@torch.no_grad()
def meetings(entities: Entities, left: IntArray, right: IntArray) -> FloatArray:
    """Return how surely each of some neighbours, (A,), is one with each of others, (B,), in [0, 1]; (A, B)."""
    one, other = (torch.from_numpy(side).long().unsqueeze(0) for side in (left, right))
    return _meet(entities, one, other)[0].numpy()


def _overlap(entities: Entities, left: torch.Tensor, right: torch.Tensor, maps: int) -> torch.Tensor:
    one, other = entities.neighbours[left], entities.neighbours[right]  # (B, K)
    meeting = _meet(entities, one, other)  # (B, K, K)
    relation = entities.relations[left], entities.relations[right]
    same = meeting * (relation[0].unsqueeze(2) == relation[1].unsqueeze(1))
    weight = [entities.rarity[at.clamp(min=0)] * (at >= 0) for at in (one, other)]
    columns: list[torch.Tensor] = []
    for kind in (meeting, same):
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
    valid = (one >= 0).unsqueeze(2) & (other >= 0).unsqueeze(1)
    one, other = one.clamp(min=0), other.clamp(min=0)
    # In double precision, as the scores: a product's last digits depend on what else is in the batch.
    cosine = torch.bmm(entities.name[one].double(), entities.name[other].double().transpose(1, 2)).float()
    near = ((cosine - 0.5) * 2).clamp(0, 1).square()
    return identify(entities, one, other, near) * valid


def identify(entities: Entities, one: torch.Tensor, other: torch.Tensor, near: torch.Tensor) -> torch.Tensor:
    """Put 1 for neighbours, (B, K) each, that are known to be one, 0 for those known to be two, else `near`."""
    equal = entities.identity[one].unsqueeze(2) == entities.identity[other].unsqueeze(1)
    apart = (entities.sure[one].unsqueeze(2) | entities.sure[other].unsqueeze(1)) & ~equal
    return near.masked_fill(apart, 0).masked_fill(equal, 1)


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
