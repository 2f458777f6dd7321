"""Encode every entity once, then score the pairs."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from neo4j_align.gnn.features import Entities
from neo4j_align.gnn.model import Network
from neo4j_align.records import FloatArray, Pairs

ENCODED_AT_ONCE = 16_384
SCORED_AT_ONCE = 4_096


@torch.no_grad()
def logits(
    network: Network,
    entities: Entities,
    pairs: Pairs,
    features: FloatArray,
    advance: Callable[[int], None] = lambda _: None,
) -> npt.NDArray[np.float64]:
    """Score pairs, (P,), with features (P, F); (P,).

    The network's own precision is used. In double precision (see `exact`) a result does not depend, to nine digits, on
    which other pairs are scored with it or on the number of threads.
    """
    kind = network.gate.weight.dtype
    both = torch.from_numpy(np.stack([pairs.left, pairs.right], axis=1)).long()
    ids, place = needed(entities, both)
    encoded = [network.encode(entities, part) for part in ids.split(ENCODED_AT_ONCE)]
    table = torch.cat(encoded) if encoded else torch.zeros(0, 2 * network.shape.width, dtype=kind)
    found = []
    for batch, known in zip(both.split(SCORED_AT_ONCE), torch.from_numpy(features).split(SCORED_AT_ONCE), strict=True):
        found.append(network(entities, table, place, batch, known.to(kind)).double().numpy())
        advance(len(batch))
    return np.concatenate(found) if found else np.zeros(0)


def needed(entities: Entities, pairs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the entities that pairs (B, 2) need encoded, their own and neighbours, and the place of each, (N,)."""
    ids = torch.unique(pairs)
    neighbours = entities.neighbours[ids].flatten()
    ids = torch.unique(torch.cat([ids, neighbours[neighbours >= 0]]))
    place = torch.zeros(len(entities), dtype=torch.long)
    place[ids] = torch.arange(len(ids))
    return ids, place


def exact(network: Network, entities: Entities) -> tuple[Network, Entities]:
    """Return network and entities in double precision, for scores that batches and threads cannot move."""
    floats = {
        field.name: value.double()
        for field in dataclasses.fields(entities)
        if (value := getattr(entities, field.name)).is_floating_point()
    }
    return copy.deepcopy(network).double(), dataclasses.replace(entities, **floats)
