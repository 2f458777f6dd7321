"""Small graphs in the package's own records, for tests that need no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from neo4j_align.config import Config, parse_config
from neo4j_align.gnn.features import SKETCH, Entities, relation_maps
from neo4j_align.records import LEFT, RIGHT, VIEWS, Anchors, Neighbourhood, Nodes, Pairs


def config(types: int = 1, relations: int | list[dict[str, Any]] = 1, **changes: Any) -> Config:
    """A mapping of types T0, T1 … with a name each, and relations R0, R1 …, the same on both sides."""
    attributes = [{"name": "name", "left": "name", "right": "title", "kind": "name"}]
    document: dict[str, Any] = {
        "left": {"label": "L", "key": "uid"},
        "right": {"label": "R", "key": "uid"},
        "types": [{"name": f"T{i}", "left": f"T{i}", "right": f"T{i}", "attributes": attributes} for i in range(types)],
        "relations": (
            [{"name": f"R{i}", "left": f"R{i}", "right": f"R{i}"} for i in range(relations)]
            if isinstance(relations, int)
            else relations
        ),
    }
    return parse_config(document | changes)


def nodes(
    left: Sequence[str | None],
    right: Sequence[str | None],
    types: Sequence[int] | None = None,
    attributes: Mapping[str, Sequence[str | None]] | None = None,
) -> Nodes:
    """Entities by their names, of both sides; keys are l0, l1 … and r0, r1 …; types in order within a side."""
    names = [*left, *right]
    sides = [LEFT] * len(left) + [RIGHT] * len(right)
    keys = [f"l{i}" for i in range(len(left))] + [f"r{i}" for i in range(len(right))]
    columns = {"name": names} if attributes is None else attributes
    return Nodes(
        keys=objects(keys),
        side=np.array(sides, dtype=np.int8),
        type=np.array(types if types is not None else [0] * len(names), dtype=np.int16),
        ids=np.arange(len(names), dtype=np.int64),
        names=objects(names),
        attributes={name: objects(column) for name, column in columns.items()},
    )


def objects(values: Sequence[object]) -> npt.NDArray[Any]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def neighbourhood(lists: Sequence[Sequence[tuple[int, int]]], size: int = 10) -> Neighbourhood:
    """Sampled neighbours of each entity, given as lists of (neighbour, relation code)."""
    degree = np.array([len(drawn) for drawn in lists], dtype=np.int32)
    found = Neighbourhood(np.full((len(lists), size), -1, np.int32), np.zeros((len(lists), size), np.int16), degree)
    for owner, drawn in enumerate(lists):
        for place, (neighbour, relation) in enumerate(drawn):
            found.neighbours[owner, place], found.relations[owner, place] = neighbour, relation
    return found


def pairs(rows: Sequence[tuple[int, int]], scores: Sequence[Sequence[float]] | None = None) -> Pairs:
    """Pairs by index, sorted and distinct as blocking gives them; scores default to zero."""
    assert list(rows) == sorted(set(rows))
    columns = np.array(rows, dtype=np.int32).reshape(-1, 2)
    values = np.zeros((len(rows), len(VIEWS))) if scores is None else np.array(scores).reshape(-1, len(VIEWS))
    return Pairs(columns[:, 0], columns[:, 1], values.astype(np.float32))


def anchors(count: int, links: Mapping[tuple[int, int], float] | None = None) -> Anchors:
    """Counterparts of `count` entities: (left, right) with the confidence."""
    found = Anchors(np.full(count, -1, np.int64), np.zeros(count, np.float32))
    for (left, right), confidence in (links or {}).items():
        found.twin[left], found.twin[right] = right, left
        found.confidence[[left, right]] = confidence
    return found


def entities(
    mapping: Config,
    around: Neighbourhood,
    types: Sequence[int] | None = None,
    identity: Sequence[int] | None = None,
    seed: int = 0,
    names: torch.Tensor | None = None,
    sure: Sequence[bool] | None = None,
) -> Entities:
    """Entities as the network sees them, in float64, with random texts; without identities each is unique."""
    generator = torch.Generator().manual_seed(seed)
    count = len(around.neighbours)

    def texts() -> torch.Tensor:
        return torch.nn.functional.normalize(torch.randn(count, SKETCH, generator=generator, dtype=torch.float64))

    return Entities(
        name=texts() if names is None else names,
        record=texts(),
        type=torch.tensor(types if types is not None else [0] * count),
        neighbours=torch.from_numpy(around.neighbours.astype(np.int64)),
        relations=torch.from_numpy(relation_maps(mapping)[around.relations]),
        rarity=torch.rand(count, generator=generator, dtype=torch.float64) * 0.9 + 0.1,
        identity=torch.tensor(identity if identity is not None else range(count)),
        sure=torch.tensor(sure if sure is not None else [False] * count),
    )
