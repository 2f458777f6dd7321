"""The kernels of DGL and of plain PyTorch are one; a hop is the graph that was sampled."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neo4j_align.errors import ConfigError
from neo4j_align.gnn import batch, features
from neo4j_align.gnn.batch import DglKernels, Kernels, TorchKernels
from tests.unit.builders import config, entities, neighbourhood

SIZES = (5, 4)  # sources, destinations
HAS_DGL = importlib.util.find_spec("dgl") is not None
needs_dgl = pytest.mark.skipif(not HAS_DGL, reason="there is no DGL here")
KINDS = [TorchKernels, pytest.param(DglKernels, marks=needs_dgl)]
edge_lists = st.lists(st.tuples(st.integers(0, SIZES[0] - 1), st.integers(0, SIZES[1] - 1)), max_size=25).map(
    lambda edges: sorted(edges, key=lambda edge: edge[1])  # as kernels want them
)


def columns(edges: list[tuple[int, int]]) -> tuple[torch.Tensor, torch.Tensor]:
    table = torch.tensor(edges, dtype=torch.long).reshape(-1, 2)
    return table[:, 0].contiguous(), table[:, 1].contiguous()


def run(kernels: Kernels, edges: int, seed: int, dtype: torch.dtype) -> list[torch.Tensor]:
    """Return softmax, sum, and the gradients of a function of both for logits, rows and weights."""
    generator = torch.Generator().manual_seed(seed)

    def between(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=generator, dtype=dtype) * 2 - 1

    logits, weights, rows = (between(*shape).requires_grad_() for shape in ((edges,), (edges,), (SIZES[0], 3)))
    after = between(SIZES[1], 3)
    share = kernels.softmax(logits)
    total = kernels.sum(rows, share * weights)
    (total * after).sum().backward()
    gradients = [value.grad for value in (logits, weights, rows) if value.grad is not None]
    return [share.detach(), total.detach(), *gradients]


def oracle(
    edges: list[tuple[int, int]], logits: npt.NDArray[Any], rows: npt.NDArray[Any]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Softmax over the edges of each destination, and the sum of the sources weighted by it."""
    share, total = np.zeros(len(edges)), np.zeros((SIZES[1], rows.shape[1]))
    for destination in range(SIZES[1]):
        mine = [i for i, edge in enumerate(edges) if edge[1] == destination]
        power = np.exp(logits[mine] - max(logits[mine], default=0))
        share[mine] = power / power.sum()
        for i in mine:
            total[destination] += share[i] * rows[edges[i][0]]
    return share, total


@needs_dgl
@settings(max_examples=60, deadline=None)
@given(edge_lists.filter(len), st.integers(0, 2**31))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_kernels_are_equal_and_so_are_their_gradients(
    dtype: torch.dtype, edges: list[tuple[int, int]], seed: int
) -> None:
    found = [run(kind(*columns(edges), *SIZES), len(edges), seed, dtype) for kind in (DglKernels, TorchKernels)]
    assert len(found[0]) == len(found[1]) == 5
    for one, other in zip(*found, strict=True):
        tolerance = 1e-6 if dtype is torch.float32 else 1e-13
        torch.testing.assert_close(one, other, rtol=tolerance, atol=3 * tolerance)  # gradients sum up to 25 values


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(edges=edge_lists.filter(len), seed=st.integers(0, 2**31))
def test_kernels_do_what_they_say(
    kind: type[TorchKernels] | type[DglKernels], edges: list[tuple[int, int]], seed: int
) -> None:
    kernels = kind(*columns(edges), *SIZES)
    random = np.random.default_rng(seed)
    logits, rows = random.normal(0, 5, len(edges)), random.normal(size=(SIZES[0], 3))
    share, total = oracle(edges, logits, rows)
    found = kernels.softmax(torch.from_numpy(logits))
    np.testing.assert_allclose(found.numpy(), share, atol=1e-12)
    np.testing.assert_allclose(kernels.sum(torch.from_numpy(rows), found).numpy(), total, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_destination_without_edges_gets_zero(kind: type[TorchKernels] | type[DglKernels]) -> None:
    kernels = kind(*columns([(0, 1), (4, 1)]), *SIZES)
    total = kernels.sum(torch.ones(SIZES[0], 3), kernels.softmax(torch.tensor([0.0, 0.0])))
    torch.testing.assert_close(total, torch.tensor([[0.0] * 3, [1.0] * 3, [0.0] * 3, [0.0] * 3]))


@pytest.mark.parametrize("kind", KINDS)
def test_no_edges_at_all(kind: type[TorchKernels] | type[DglKernels]) -> None:
    kernels = kind(*columns([]), *SIZES)
    share = kernels.softmax(torch.zeros(0))
    assert share.shape == (0,)
    torch.testing.assert_close(kernels.sum(torch.ones(SIZES[0], 3), share), torch.zeros(SIZES[1], 3))


@pytest.mark.parametrize("kind", KINDS)
def test_no_destinations_at_all(kind: type[TorchKernels] | type[DglKernels]) -> None:
    kernels = kind(*columns([]), 0, 0)
    assert kernels.sum(torch.ones(0, 3), kernels.softmax(torch.zeros(0))).shape == (0, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_softmax_survives_extreme_logits(kind: type[TorchKernels] | type[DglKernels]) -> None:
    kernels = kind(*columns([(0, 0), (1, 0), (2, 1)]), *SIZES)
    share = kernels.softmax(torch.tensor([1e30, -1e30, -1e30]))
    torch.testing.assert_close(share, torch.tensor([1.0, 0.0, 1.0]))


def chosen() -> Kernels:
    return batch.kernels(*columns([(0, 0)]), *SIZES)


@pytest.mark.parametrize("asked", [None, "", "torch"])
def test_the_faster_kernels_are_the_default(monkeypatch: pytest.MonkeyPatch, asked: str | None) -> None:
    monkeypatch.delenv("NEO4J_ALIGN_KERNELS", raising=False)
    if asked is not None:
        monkeypatch.setenv("NEO4J_ALIGN_KERNELS", asked)
    assert isinstance(chosen(), TorchKernels)


@needs_dgl
def test_dgl_runs_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_ALIGN_KERNELS", "dgl")
    assert isinstance(chosen(), DglKernels)


def test_without_dgl_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_ALIGN_KERNELS", "dgl")
    monkeypatch.setitem(sys.modules, "dgl", None)
    with pytest.raises(ConfigError, match=r"DGL does not import.*unset NEO4J_ALIGN_KERNELS"):
        chosen()


def test_kernels_that_nobody_knows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_ALIGN_KERNELS", "jax")
    with pytest.raises(ConfigError, match=r"NEO4J_ALIGN_KERNELS is 'jax'. Set it to torch or dgl"):
        chosen()


sampled = st.lists(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from([1, 2, -1, -2])), unique=True, max_size=4),
    min_size=6,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(sampled, st.lists(st.integers(0, 5), unique=True, max_size=6))
def test_a_hop_holds_the_sampled_edges_and_no_others(lists: list[list[tuple[int, int]]], ids: list[int]) -> None:
    mapping = config(relations=2)
    maps, count = features.relation_maps(mapping), features.map_count(mapping)
    hop = batch.hop(entities(mapping, neighbourhood(lists, 4)), torch.tensor(ids, dtype=torch.long), count)
    found = {
        (ids[destination], int(hop.sources[source]), relation)
        for source, destination, relation in zip(
            *(column.tolist() for column in (hop.source, hop.destination, hop.relation)), strict=True
        )
    }
    assert found == {(i, neighbour, int(maps[code])) for i in ids for neighbour, code in lists[i]}
    assert hop.sources[hop.own].tolist() == ids
    # Groups are the pairs of destination and relation, in the order of the relation.
    edges = [(int(maps[code]), place) for place, i in enumerate(ids) for _, code in lists[i]]
    groups = sorted(set(edges))
    assert hop.groups.destination.tolist() == [place for _, place in groups]
    assert hop.groups.sizes == [sum(r == relation for r, _ in groups) for relation in range(count)]
    # A sum over a group counts each of its edges once: ones over all edges of a group give its size.
    size = hop.groups.to_group.sum(torch.ones(len(hop.sources), 1), torch.ones(len(hop.source)))
    assert size.squeeze(1).tolist() == [float(edges.count(group)) for group in groups]
