"""Entities, pairs and comparison features of any number, made without a database."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from neo4j_align.gnn.features import SKETCH, Entities
from neo4j_align.gnn.model import Network, Shape
from neo4j_align.records import VIEWS, BoolArray, FloatArray, Pairs

FEATURES = 80  # about as many as the public data sets have
MAPS = 9  # of relations: three that both sides have
CANDIDATES = 10  # of a left entity
SURE = 0.7  # of the entities, as of the neighbours in the second look on `screen` and `dbp15k-fr-en`


@dataclass(frozen=True)
class World:
    """Two graphs as the network sees them.

    Attributes:
        features: (P, F); same: (P,), a label for each pair.
    """

    entities: Entities
    pairs: Pairs
    features: FloatArray
    same: BoolArray


def world(count: int, neighbours: int, pairs: int, seed: int = 13) -> World:
    """Make `count` entities with so many neighbours each, and pairs of left ones with CANDIDATES right ones each."""
    draw, torches = np.random.default_rng(seed), torch.Generator().manual_seed(seed)

    def texts() -> torch.Tensor:
        return torch.nn.functional.normalize(torch.randn(count, SKETCH, generator=torches))

    half = count // 2
    left = np.repeat(np.arange(pairs // CANDIDATES) % half, CANDIDATES)
    right = half + draw.integers(half, size=len(left))
    both = np.unique(np.stack([left, right], axis=1), axis=0).astype(np.int32)
    features = draw.normal(size=(len(both), FEATURES)).astype(np.float32)
    seen = Entities(
        name=texts(),
        record=texts(),
        type=torch.zeros(count, dtype=torch.long),
        neighbours=torch.randint(count, (count, neighbours), generator=torches),
        relations=torch.randint(1, MAPS, (count, neighbours), generator=torches),
        rarity=torch.rand(count, generator=torches) * 0.9 + 0.1,
        identity=torch.randint(count, (count,), generator=torches),
        sure=torch.rand(count, generator=torches) < SURE,
    )
    scores = np.zeros((len(both), len(VIEWS)), np.float32)
    return World(seen, Pairs(both[:, 0], both[:, 1], scores), features, features[:, 0] > 1)


def network(made: World, width: int, seed: int = 13) -> Network:
    """Return an untrained network, whose parts all say something."""
    torch.manual_seed(seed)
    found = Network(Shape(width=width, types=1, maps=MAPS, features=FEATURES, dropout=0.1)).eval()
    found.comparison.standardise(torch.from_numpy(made.features))
    for parameter in found.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return found
