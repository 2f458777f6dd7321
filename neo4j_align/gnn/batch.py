"""Sampled neighbourhoods as graph batches; the only import of DGL.

The two operations that the network takes from a graph engine exist twice: in plain PyTorch, which is faster, and as
DGL's kernels, which serve where NEO4J_ALIGN_KERNELS asks for them. A test holds them equal.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch.nn import functional

from neo4j_align import config
from neo4j_align.errors import ConfigError
from neo4j_align.gnn.features import Entities

os.environ.setdefault("DGLBACKEND", "pytorch")  # else DGL writes a file into the user's home at its import


class Kernels(Protocol):
    """Edge softmax and weighted sum over the incoming edges of a bipartite graph's destinations.

    The edges come in the order of their destinations.
    """

    def softmax(self, logits: torch.Tensor) -> torch.Tensor:
        """Normalise edge logits (E,) over the edges of each destination; (E,)."""

    def sum(self, sources: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Sum source rows (S, d), weighted by edge (E,), at each destination; (D, d)."""


class TorchKernels:
    """The kernels in plain PyTorch."""

    def __init__(self, source: torch.Tensor, destination: torch.Tensor, sources: int, destinations: int) -> None:
        self._source, self._destination = source, destination
        self._sizes = torch.bincount(destination, minlength=destinations)
        self._begin = self._sizes.cumsum(0) - self._sizes

    def softmax(self, logits: torch.Tensor) -> torch.Tensor:
        """Normalise edge logits (E,) over the edges of each destination; (E,)."""
        most = torch.full_like(self._sizes, -torch.inf, dtype=logits.dtype)
        most = most.scatter_reduce(0, self._destination, logits.detach(), "amax")
        power = (logits - most[self._destination]).exp()
        total = torch.zeros_like(most).index_add(0, self._destination, power)
        return power / total[self._destination]

    def sum(self, sources: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Sum source rows (S, d), weighted by edge (E,), at each destination; (D, d)."""
        found: torch.Tensor = functional.embedding_bag(
            self._source, sources, self._begin, mode="sum", per_sample_weights=weights
        )
        return found


class DglKernels:
    """The kernels of DGL.

    Raises:
        ConfigError: It is not installed, or does not import.
    """

    def __init__(self, source: torch.Tensor, destination: torch.Tensor, sources: int, destinations: int) -> None:
        try:
            import dgl
        except (ImportError, OSError) as error:  # DGL 2 looks for a library built for this very PyTorch
            remedy = "Install dgl 1.1.3 (Python 3.10 or 3.11), or unset NEO4J_ALIGN_KERNELS."
            raise ConfigError(f"DGL does not import: {error}. {remedy}") from error
        self._ops = dgl.ops
        nodes = {"source": sources, "destination": destinations}
        self._graph: Any = dgl.heterograph({("source", "to", "destination"): (source, destination)}, nodes)

    def softmax(self, logits: torch.Tensor) -> torch.Tensor:
        """Normalise edge logits (E,) over the edges of each destination; (E,)."""
        weights: torch.Tensor = self._ops.edge_softmax(self._graph, logits)
        return weights

    def sum(self, sources: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Sum source rows (S, d), weighted by edge (E,), at each destination; (D, d)."""
        total: torch.Tensor = self._ops.u_mul_e_sum(self._graph, sources, weights.unsqueeze(1))
        return total


_KINDS: dict[str, type[TorchKernels] | type[DglKernels]] = {"torch": TorchKernels, "dgl": DglKernels}


def kernels(source: torch.Tensor, destination: torch.Tensor, sources: int, destinations: int) -> Kernels:
    """Return the kernels that NEO4J_ALIGN_KERNELS asks for, and PyTorch's by default and on a GPU.

    Raises:
        ConfigError: It asks for others.
    """
    if (asked := config.kernels()) not in _KINDS:
        raise ConfigError(f"NEO4J_ALIGN_KERNELS is {asked!r}. Set it to {' or '.join(_KINDS)}, or unset it.")
    return _KINDS[asked if source.device.type == "cpu" else "torch"](source, destination, sources, destinations)


def weighed(rows: torch.Tensor, sources: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Sum K of some rows (S, d) at each destination, sources and weights (D, K); (D, d)."""
    destination = torch.arange(len(sources), device=rows.device).repeat_interleave(sources.shape[1])
    return kernels(sources.flatten(), destination, len(rows), len(sources)).sum(rows, weights.flatten())


@dataclass(frozen=True)
class Groups:
    """Edges grouped by relation and destination, in the order of the relations.

    Attributes:
        order: (E,), of the edges by group; to_group: sums over the edges of a group, in that order.
        destination, sizes: of each group, (G,), and how many groups each relation has, (maps,).
        count: of destinations.
    """

    order: torch.Tensor
    to_group: Kernels
    destination: torch.Tensor
    sizes: list[int]
    count: int

    def sum(self, rows: torch.Tensor, weights: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
        """Sum source rows (S, d), weighted by edge (E,) and mapped by relation (maps, d, d), at destinations; (D, d).

        The sum over a relation's edges comes before the map, so that each map runs once a destination.
        """
        parts = self.to_group.sum(rows, weights[self.order]).split(self.sizes)
        mapped = torch.cat([part @ one for part, one in zip(parts, maps.unbind(), strict=True)])
        return mapped.new_zeros(self.count, mapped.shape[1]).index_add(0, self.destination, mapped)


def grouped(
    source: torch.Tensor, destination: torch.Tensor, relation: torch.Tensor, sizes: tuple[int, int, int]
) -> Groups:
    """Group edges, (E,) each, among so many sources, destinations and relation maps."""
    sources, destinations, maps = sizes
    group, order = (relation * destinations + destination).sort(stable=True)
    groups, place = torch.unique_consecutive(group, return_inverse=True)
    return Groups(
        order,
        kernels(source[order], place, sources, len(groups)),
        groups % max(destinations, 1),
        torch.bincount(groups // max(destinations, 1), minlength=maps).tolist(),
        destinations,
    )


@dataclass(frozen=True)
class Hop:
    """One hop: some entities as destinations, they and their sampled neighbours as sources.

    Attributes:
        sources: (S,), entities; own: (D,), where each destination stands among them.
        source, destination, relation: (E,), the edges and their relation maps.
        to_destination: sums over a destination's edges; groups: over its edges of one relation.
    """

    sources: torch.Tensor
    own: torch.Tensor
    source: torch.Tensor
    destination: torch.Tensor
    relation: torch.Tensor
    to_destination: Kernels
    groups: Groups


def hop(entities: Entities, ids: torch.Tensor, maps: int) -> Hop:
    """Build the hop into the entities `ids`, (D,)."""
    neighbours = entities.neighbours[ids]
    destination, place = (neighbours >= 0).nonzero(as_tuple=True)
    relation = entities.relations[ids][destination, place]
    sources, places = torch.unique(torch.cat([ids, neighbours[destination, place]]), return_inverse=True)
    own, source = places[: len(ids)], places[len(ids) :]
    return Hop(
        sources,
        own,
        source,
        destination,
        relation,
        kernels(source, destination, len(sources), len(ids)),
        grouped(source, destination, relation, (len(sources), len(ids), maps)),
    )
