"""What neighbourhoods share, against the same in plain Python on random neighbourhoods."""

from __future__ import annotations

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neo4j_align.gnn import features, overlap
from neo4j_align.gnn.features import SKETCH, Entities
from tests.unit.builders import config, entities, neighbourhood, pairs

COUNT, SIZE = 8, 4
MAPPING = config(relations=2)
MAPS = features.map_count(MAPPING)
ALL = [(left, right) for left in range(4) for right in range(4, 8)]
lists = st.lists(
    st.lists(st.tuples(st.integers(0, COUNT - 1), st.sampled_from([1, 2, -1, -2])), unique=True, max_size=SIZE),
    min_size=COUNT,
    max_size=COUNT,
)


def graph(
    drawn: list[list[tuple[int, int]]],
    directions: list[float] | None = None,
    identity: list[int] | None = None,
    sure: list[bool] | None = None,
) -> Entities:
    """Names are unit vectors of a plane, so that their cosines are all between -1 and 1."""
    names = torch.zeros(COUNT, SKETCH, dtype=torch.float64)
    angles = torch.tensor(directions or [1.0] * COUNT, dtype=torch.float64)
    names[:, 0], names[:, 1] = angles.cos(), angles.sin()
    return entities(MAPPING, neighbourhood(drawn, SIZE), identity=identity, sure=sure, names=names)


def oracle(seen: Entities, left: int, right: int) -> dict[str, float]:
    around = {
        at: [
            (neighbour, relation)
            for neighbour, relation in zip(seen.neighbours[at].tolist(), seen.relations[at].tolist(), strict=True)
            if neighbour >= 0
        ]
        for at in (left, right)
    }

    def weight(at: int) -> float:
        return float(seen.rarity[at])

    def alike(one: int, other: int) -> float:
        if seen.identity[one] == seen.identity[other]:
            return 1.0
        if seen.sure[one] or seen.sure[other]:
            return 0.0
        return min(max(2 * (float(seen.name[one] @ seen.name[other]) - 0.5), 0), 1) ** 2

    def met(mine: int, other: int, same: bool) -> list[float]:
        """For each neighbour of one, how surely the best of the other's is the same thing."""
        return [
            max((alike(n, m) for m, q in around[other] if not same or r == q), default=0.0) for n, r in around[mine]
        ]

    def covered(mine: int, other: int, same: bool, relation: int | None = None) -> float:
        rows = [
            (weight(n), value)
            for (n, r), value in zip(around[mine], met(mine, other, same), strict=True)
            if relation in (None, r)
        ]
        total = sum(w for w, _ in rows)
        return sum(w * value for w, value in rows) / total if total else 0.0

    found = {}
    for kind, same in (("any", False), ("same", True)):
        shares = [covered(left, right, same), covered(right, left, same)]
        found[f"{kind} least"], found[f"{kind} most"] = min(shares), max(shares)
        found[f"{kind} count"] = math.log1p(min(sum(met(left, right, same)), sum(met(right, left, same))))
        rare = [
            sum(weight(n) * value for (n, _), value in zip(around[a], met(a, b, same), strict=True))
            for a, b in ((left, right), (right, left))
        ]
        found[f"{kind} rarity"] = math.log1p(min(rare))
    for r in range(1, MAPS):
        both = all(any(q == r for _, q in around[at]) for at in (left, right))
        shares = [covered(a, b, True, r) * both for a, b in ((left, right), (right, left))]
        found[f"relation {r} least"], found[f"relation {r} most"] = min(shares), max(shares)
        found[f"relation {r} on both"] = float(both)
    degrees = [1 / weight(left), 1 / weight(right)]
    found["degree least"], found["degree most"] = min(degrees), max(degrees)
    return found


def run(seen: Entities, rows: list[tuple[int, int]]) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    return overlap.overlap(seen, pairs(rows), MAPS)


@settings(max_examples=40, deadline=None)
@given(
    lists,
    st.lists(st.floats(0, math.pi), min_size=COUNT, max_size=COUNT),
    st.lists(st.integers(0, 5), min_size=COUNT, max_size=COUNT),
    st.lists(st.booleans(), min_size=COUNT, max_size=COUNT),
)
def test_counts_what_the_definition_says(
    drawn: list[list[tuple[int, int]]], directions: list[float], identity: list[int], sure: list[bool]
) -> None:
    seen = graph(drawn, directions, identity, sure)
    found, names = run(seen, ALL)
    assert found.shape == (len(ALL), len(names))
    assert len(set(names)) == len(names)
    for pair, row in zip(ALL, found, strict=True):
        assert dict(zip(names, row.tolist(), strict=True)) == pytest.approx(oracle(seen, *pair), abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(lists, st.lists(st.integers(0, 5), min_size=COUNT, max_size=COUNT))
def test_left_and_right_are_alike(drawn: list[list[tuple[int, int]]], identity: list[int]) -> None:
    seen = graph(drawn, identity=identity)
    turned = torch.tensor([4, 5, 6, 7, 0, 1, 2, 3])
    neighbours = seen.neighbours[turned]
    swapped = dataclasses.replace(
        Entities(**{name: value[turned] for name, value in vars(seen).items()}),
        neighbours=torch.where(neighbours >= 0, turned[neighbours.clamp(min=0)], -1),
    )
    one, _ = run(seen, [(left, right) for left, right in ALL])
    other, _ = run(swapped, ALL)
    place = {pair: row for row, pair in enumerate(ALL)}
    rows = [place[right - 4, left + 4] for left, right in ALL]
    np.testing.assert_allclose(one, other[rows], atol=1e-9)


def test_chunks_are_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = [[((i + j) % COUNT, 1 + j % 2) for j in range(3)] for i in range(COUNT)]
    whole, _ = run(graph(drawn, identity=[0, 1, 2, 3] * 2), ALL)
    monkeypatch.setattr(overlap, "ROWS", 3 * SIZE)
    part, _ = run(graph(drawn, identity=[0, 1, 2, 3] * 2), ALL)
    np.testing.assert_allclose(part, whole, atol=1e-12)
    assert len(np.unique(whole, axis=0)) > 3


def test_threads_side_by_side_have_none_below_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with a team of its own, 64 threads were 4,000, and a process that may have fewer ended without a word."""
    inside: list[int] = []
    work = overlap._overlap

    def watched(*given: Any) -> torch.Tensor:
        inside.append(torch.get_num_threads())
        return work(*given)

    monkeypatch.setattr(overlap, "ROWS", SIZE)
    monkeypatch.setattr(overlap, "_overlap", watched)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        run(graph([[((i + 1) % COUNT, 1)] * 3 for i in range(COUNT)]), ALL)
        with ThreadPoolExecutor(1) as pool:
            assert [torch.get_num_threads(), pool.submit(torch.get_num_threads).result()] == [3, 3]
    finally:
        torch.set_num_threads(before)
    assert len(inside) > 3
    assert set(inside) == {1}


def test_without_neighbours_nothing_is_shared() -> None:
    found, names = run(graph([[] for _ in range(COUNT)]), ALL)
    degrees = [name.startswith("degree") for name in names]
    assert not found[:, ~np.array(degrees)].any()
    assert (found[:, degrees] > 0).all()


def test_without_pairs_there_are_no_rows_but_all_names() -> None:
    drawn: list[list[tuple[int, int]]] = [[] for _ in range(COUNT)]
    found, names = run(graph(drawn), [])
    assert found.shape == (0, len(names))
    assert names == run(graph(drawn), ALL)[1]


def test_a_neighbour_without_a_name_meets_nobody_but_itself() -> None:
    """Signatures of nameless entities are unique, and their names are zero."""
    drawn: list[list[tuple[int, int]]] = [[] for _ in range(COUNT)]
    drawn[0], drawn[4] = [(1, 1)], [(5, 1)]
    seen = graph(drawn, identity=[0, -1, 0, 0, 0, -2, 0, 0])
    seen.name[[1, 5]] = 0
    found, names = run(seen, [(0, 4)])
    assert found[0, names.index("any most")] == 0
