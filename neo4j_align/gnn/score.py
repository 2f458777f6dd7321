"""Encode every entity once, then score the pairs."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from neo4j_align.gnn.features import Entities
from neo4j_align.gnn.model import Comparison, Encoded, Network
from neo4j_align.records import FloatArray, Pairs

ENCODED_AT_ONCE = 4_096
SCORED_AT_ONCE = 4_096
_ON_A_GPU = 16  # times as many

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else a GPU's products may differ from run to run


def device() -> torch.device:
    """Return where the network works: the first GPU that CUDA_VISIBLE_DEVICES leaves visible, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextlib.contextmanager
def reproducible() -> Iterator[None]:
    """Let several threads, or a GPU, add in the same order each time: the same examples give one model, bit by bit.

    Without it gradients of rows that are taken several times differ in their last digits from run to run. What PyTorch
    does besides then, filling all memory before its use, would be most of the time where there are many relations.
    """
    filling: Any = torch.utils.deterministic  # its one attribute is not declared
    before = torch.are_deterministic_algorithms_enabled(), filling.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    filling.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        filling.fill_uninitialized_memory = before[1]


def encode(
    network: Network, entities: Entities, pairs: torch.Tensor, advance: Callable[[int], None] = lambda _: None
) -> Encoded:
    """Encode once each entity of some pairs, (B, 2), and their neighbours."""
    pairs, at_once = pairs.to(entities.device), _at_once(ENCODED_AT_ONCE, entities)
    own = torch.unique(pairs)
    ids = _with_neighbours(entities, own)
    read = _with_neighbours(entities, ids)
    place = torch.zeros(len(entities), dtype=torch.long, device=ids.device)
    place[read] = torch.arange(len(read), device=ids.device)

    def parts() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:  # at their end level 0, a vector an entity, may go
        [level0] = _joined(((network.read(entities, batch),) for batch in read.split(at_once)), len(read))
        yield from (network.encode(entities, batch, level0, place) for batch in ids.split(at_once))

    alone, inside = _joined(parts(), len(ids), advance)
    near = entities.neighbours[own]
    edges = (entities.relations[own] * len(ids) + place[near.clamp(min=0)]) * (near >= 0)
    different, heard = torch.unique(edges, return_inverse=True)
    said = (network.messages(inside, some) for some in different.split(at_once))
    messages, told = _joined(said, len(different))
    batches = (column.split(at_once) for column in (inside[: len(own)], told[heard], own))
    attention = [network.attend(entities, *batch) for batch in zip(*batches, strict=True)]
    return Encoded(alone, torch.cat(attention), messages, heard, place)


def _with_neighbours(entities: Entities, ids: torch.Tensor) -> torch.Tensor:
    """Return some entities, (D,), and behind them their sampled neighbours that are none of them."""
    neighbours = torch.unique(entities.neighbours[ids])
    return torch.cat([ids, neighbours[(neighbours >= 0) & ~torch.isin(neighbours, ids)]])


def _joined(
    parts: Iterable[tuple[torch.Tensor, ...]], count: int, advance: Callable[[int], None] = lambda _: None
) -> list[torch.Tensor]:
    """Put columns that come in parts together, (count, …); no part is kept, so that nothing is held twice."""
    whole: list[torch.Tensor] = []
    start = 0
    for part in parts:
        whole = whole or [column.new_empty(count, *column.shape[1:]) for column in part]
        for column, rows in zip(whole, part, strict=True):
            column[start : start + len(rows)] = rows
        start += len(part[0])
        advance(len(part[0]))
    return whole


def _at_once(count: int, entities: Entities) -> int:
    return count if entities.device.type == "cpu" else count * _ON_A_GPU


@torch.no_grad()
def encode_once(network: Network, entities: Entities, pairs: torch.Tensor, advance: Callable[[int], None]) -> Encoded:
    """Encode as `encode` does, to score and not to train."""
    return encode(network, entities, pairs, advance)


@torch.no_grad()
def logits(
    network: Network,
    entities: Entities,
    encoded: Encoded,
    pairs: torch.Tensor,
    features: FloatArray,
    advance: Callable[[int], None] = lambda _: None,
) -> npt.NDArray[np.float64]:
    """Score pairs, (P, 2), with features (P, F); (P,).

    The network's own precision is used. In double precision (see `exact`) a result does not depend, to nine digits, on
    which other pairs are scored with it or on the number of threads.
    """
    found, at_once = [], _at_once(SCORED_AT_ONCE, entities)
    for batch, known in zip(pairs.split(at_once), torch.from_numpy(features).split(at_once), strict=True):
        known = known.to(entities.device).to(network.gate.weight.dtype)
        found.append(network.forward(entities, encoded, batch.to(entities.device), known).double().cpu().numpy())
        advance(len(batch))
    return np.concatenate(found)


@torch.no_grad()
def compare(look: Comparison, features: FloatArray, types: torch.Tensor) -> npt.NDArray[np.float64]:
    """Judge pairs by features (P, F) and types (P,) alone, in double precision; logits of each head, (P, HEADS)."""
    look = copy.deepcopy(look).double()
    parts = zip(torch.from_numpy(features).split(SCORED_AT_ONCE), types.split(SCORED_AT_ONCE), strict=True)
    return np.concatenate([look(look.known(known.double(), kinds)).numpy() for known, kinds in parts])


@torch.no_grad()
def attention(
    network: Network, entities: Entities, encoded: Encoded, pairs: torch.Tensor
) -> list[npt.NDArray[np.float64]]:
    """Return the weights of the neighbours of both ends of pairs, (P, 2); two of (P, K)."""
    found = network.attention(entities, encoded, pairs.to(entities.device))
    return [weights.double().cpu().numpy() for weights in found]


def indices(pairs: Pairs) -> torch.Tensor:
    """Return pairs as a tensor, (P, 2)."""
    return torch.from_numpy(np.stack([pairs.left, pairs.right], axis=1)).long()


def exact(network: Network, entities: Entities) -> tuple[Network, Entities]:
    """Return network and entities in double precision, for scores that batches, threads and a GPU cannot move.

    The large arrays stay as they are: the network widens the rows that it takes. Both are on `device()`.
    """
    entities = dataclasses.replace(entities, rarity=entities.rarity.double())
    return copy.deepcopy(network).to(device()).double(), entities.to(device())
