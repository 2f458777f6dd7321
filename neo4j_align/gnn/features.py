"""Level 0: what an entity is by itself, as dense arrays, and its sampled neighbours beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse

from neo4j_align.config import Config
from neo4j_align.records import Anchors, FloatArray, Neighbourhood, Nodes
from neo4j_align.views import Views

SKETCH = 128  # width of a projected view; cosines keep an error of about 1 / sqrt(128)
_BUCKETS = 2**16


@dataclass(frozen=True)
class Entities:
    """All entities as tensors; the only form in which the network sees the graph.

    Attributes:
        name: (N, SKETCH), record: (N, SKETCH), random projections of the views, rows of length 1 or 0; the records only
            where the network is to encode these entities, else (0, SKETCH).
        type: (N,), index of the type.
        neighbours: (N, K), -1 where there is none.
        relations: (N, K), index of the relation map; 0 where there is none.
        rarity: (N,), what it tells to share this entity as a neighbour: 1 / log2(2 + degree), the degree rounded.
        identity: (N,), equal for those that are taken to be one: sure counterparts, else entities of one name;
            negative and unique where there is neither.
        sure: (N,), whether an entity has a sure counterpart, so that it is no other.
    """

    name: torch.Tensor
    record: torch.Tensor
    type: torch.Tensor
    neighbours: torch.Tensor
    relations: torch.Tensor
    rarity: torch.Tensor
    identity: torch.Tensor
    sure: torch.Tensor

    def __len__(self) -> int:
        return len(self.type)

    @property
    def device(self) -> torch.device:
        """Where they are; what is computed from them is computed there."""
        return self.type.device

    def with_records(self, views: Views) -> Entities:
        """Return them with what their records say, so that they can be encoded."""
        return replace(self, record=torch.from_numpy(sketch(views.record)))

    @property
    def encoded(self) -> Entities:
        """Return them without the records, which nothing reads once they are encoded."""
        return replace(self, record=self.record[:0].clone())

    def to(self, device: torch.device) -> Entities:
        """Return them on another device."""
        return Entities(**{name: column.to(device) for name, column in vars(self).items()})


def entities(config: Config, nodes: Nodes, neighbourhood: Neighbourhood, views: Views, anchors: Anchors) -> Entities:
    """Project the names, and number relations and identities."""
    _, identity = np.unique(views.signatures, return_inverse=True)
    nameless = views.signatures == ""
    identity[nameless] = -1 - np.arange(np.count_nonzero(nameless))
    identity = np.where(anchors.sure, len(nodes) + anchors.identity, identity)
    return Entities(
        name=torch.from_numpy(sketch(views.name)),
        record=torch.zeros(0, SKETCH),
        type=torch.from_numpy(nodes.type.astype(np.int64)),
        neighbours=torch.from_numpy(neighbourhood.neighbours.astype(np.int64)),
        relations=torch.from_numpy(relation_maps(config)[neighbourhood.relations]),
        rarity=torch.from_numpy((1 / np.log2(2.0 + neighbourhood.about)).astype(np.float32)),
        identity=torch.from_numpy(identity.astype(np.int64)),
        sure=torch.from_numpy(anchors.sure),
    )


def relation_maps(config: Config) -> npt.NDArray[Any]:
    """Return the map of each relation code, (2R + 1,); negative codes count from the end.

    0 is "no neighbour", 1 and 2 are the two directions of all relations that only one side has, then come two
    for each relation that both sides have.
    """
    maps = np.zeros(2 * len(config.relations) + 1, np.int64)
    shared = 3
    for index, relation in enumerate(config.relations):
        if relation.left is not None and relation.right is not None:
            maps[index + 1], maps[-(index + 1)] = shared, shared + 1
            shared += 2
        else:
            maps[index + 1], maps[-(index + 1)] = 1, 2
    return maps


def map_count(config: Config) -> int:
    """Return the number of relation maps, "no neighbour" included."""
    return max(3, int(relation_maps(config).max()) + 1)


@cache
def _signs() -> FloatArray:
    drawn: FloatArray = np.random.RandomState(0).randint(0, 2, (_BUCKETS, SKETCH), dtype=np.int8).astype(np.float32)
    return drawn * 2 - 1


def sketch(view: sparse.csr_matrix) -> FloatArray:
    """Project sparse rows on random signs; (N, SKETCH), float32, rows of length 1, or 0 where empty.

    The signs come from the legacy generator, whose stream numpy keeps for ever: a saved model depends on them.
    """
    indices = view.indices % _BUCKETS
    folded = sparse.csr_matrix((view.data, indices, view.indptr), shape=(view.shape[0], _BUCKETS))
    dense: FloatArray = folded @ _signs()
    length = np.linalg.norm(dense, axis=1, keepdims=True)
    length[length == 0] = 1
    dense /= length
    return dense
