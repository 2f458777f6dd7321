"""The same network as the reference code of the paper writes it: a message for every edge, dense cross edges.

Nothing is shared: both ends of every pair carry their own two-hop neighbourhood, the map of its relation is gathered
for every edge, and every neighbour of the one is compared with every neighbour of the other. Slow, and to be read.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from neo4j_align.gnn.features import SKETCH, Entities
from neo4j_align.gnn.model import BINS, Comparison, Network


def forward(network: Network, entities: Entities, pairs: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """Judge pairs (B, 2) with features (B, F); logits, (B,)."""
    sides = [_side(network, entities, ids) for ids in pairs.unbind(1)]
    near = _near(network, entities, *pairs.unbind(1))
    vectors = []
    for (own, messages, beta), total, ids in zip(sides, (near.sum(2), near.sum(1)), pairs.unbind(1), strict=True):
        neighbours = entities.neighbours[ids]
        weight = total * entities.rarity[neighbours.clamp(min=0)] * beta
        weight = weight / weight.sum(1, keepdim=True).clamp(min=1e-9)
        combined = (weight.unsqueeze(2) * messages).sum(1)
        vectors.append(functional.relu(torch.cat([own, combined], dim=1)))
    left, right = vectors
    added = network.head(torch.cat([(left - right).abs(), left * right], dim=1)).squeeze(1)
    known = _known(network.comparison, features, entities.type[pairs[:, 0]])
    heads = torch.stack([head(known).squeeze(1) for head in network.comparison.heads], dim=1)
    compared = (heads + network.comparison.direct(known)).mean(1)
    judged: torch.Tensor = compared + network.gate(known).squeeze(1).sigmoid() * added
    return judged


def _side(network: Network, entities: Entities, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return an end's own part (B, d), its neighbours' messages (B, K, d), and how it attends to them (B, K)."""
    neighbours, relation = entities.neighbours[ids], entities.relations[ids]
    valid = neighbours >= 0
    hidden = _layer1(network, entities, ids)
    inside = network.widen(hidden)
    theirs = network.widen(_layer1(network, entities, neighbours.clamp(min=0).flatten()))
    messages = _messages(theirs.view(*neighbours.shape, -1), relation, network.relation2) * valid.unsqueeze(2)
    return network.own2(hidden), messages, _attention(network.attend2, inside, messages, relation, valid)


def _layer1(network: Network, entities: Entities, ids: torch.Tensor) -> torch.Tensor:
    neighbours, relation = entities.neighbours[ids], entities.relations[ids]
    valid = neighbours >= 0
    mine = _level0(network, entities, ids)
    theirs = _level0(network, entities, neighbours.clamp(min=0).flatten()).view(*neighbours.shape, -1)
    messages = _messages(theirs, relation, network.relation1) * valid.unsqueeze(2)
    weights = _attention(network.attend1, mine, messages, relation, valid)
    summed = (weights.unsqueeze(2) * messages).sum(1)
    return functional.relu(torch.cat([network.own(mine), summed], dim=1))


def _level0(network: Network, entities: Entities, ids: torch.Tensor) -> torch.Tensor:
    words = torch.cat([entities.name[ids], entities.record[ids]], dim=1).to(network.text.weight.dtype)
    return functional.relu(network.text(words * SKETCH**0.5) + network.kind(entities.type[ids]))


def _messages(vectors: torch.Tensor, relation: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    """Map the vector of each edge, (D, K, d), by its own copy of its relation's map."""
    flat = vectors.flatten(0, 1).unsqueeze(1)
    return torch.bmm(flat, maps[relation.flatten()]).view_as(vectors)


def _attention(
    attend: torch.Tensor, mine: torch.Tensor, messages: torch.Tensor, relation: torch.Tensor, valid: torch.Tensor
) -> torch.Tensor:
    both = (attend[relation, 0] * mine.unsqueeze(1)).sum(2) + (attend[relation, 1] * messages).sum(2)
    logits = functional.leaky_relu(both, 0.2).masked_fill(~valid, -1e9)
    return logits.softmax(1) * valid


def _near(network: Network, entities: Entities, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Compare every neighbour of the one with every one of the other, an edge with a distance each; (B, K, K)."""
    one, other = entities.neighbours[left], entities.neighbours[right]
    valid = (one >= 0).unsqueeze(2) & (other >= 0).unsqueeze(1)
    one, other = one.clamp(min=0), other.clamp(min=0)
    keys = [entities.name[ids].to(network.sharpness.dtype) for ids in (one, other)]
    # Names have length 1, or 0 where there is none, which is then far from all by the cosine.
    apart = (2 - 2 * (keys[0].unsqueeze(2) * keys[1].unsqueeze(1)).sum(3)).clamp(min=1e-12).sqrt()
    near = (-network.sharpness * apart).exp()
    equal = entities.identity[one].unsqueeze(2) == entities.identity[other].unsqueeze(1)
    known = entities.sure[one].unsqueeze(2) | entities.sure[other].unsqueeze(1)
    return near.masked_fill(known & ~equal, 0).masked_fill(equal, 1) * valid


def _known(comparison: Comparison, features: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
    """Encode features for the heads, with what is always zero; (B, width)."""
    low, high = comparison.edges[:, :-1], comparison.edges[:, 1:]
    bins = ((features.unsqueeze(2) - low) / (high - low).clamp(min=1e-6)).clamp(0, 1) * (high - low > 1e-6)
    plain = ((features - comparison.mean) * comparison.scale).clamp(-6, 6)
    kind = functional.one_hot(types, comparison.shape.types).to(features.dtype)
    assert bins.shape[2] == BINS
    return torch.cat([plain, bins.flatten(1), kind], dim=1)
