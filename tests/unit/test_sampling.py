"""Neighbour samples: their frequencies against successive weighted draws, and that nothing accidental moves them."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from neo4j_align.records import Neighbourhood, Nodes
from neo4j_align.store import sampling
from neo4j_align.store.database import only
from tests.unit.builders import config, neighbourhood, nodes, objects

Edge = tuple[int, int, int]  # owner, relation code, neighbour
MEANS = np.array([[1.0, 1.0, 2.0, 2.0, 1.0]], np.float32)  # relations 1, 2, and -2, -1 from the end


def draw(
    edges: list[Edge], luck: npt.NDArray[Any], means: npt.NDArray[Any] = MEANS, size: int = 3
) -> list[list[tuple[int, int]]]:
    """Return (neighbour, relation) drawn for each of as many owners as there are lots."""
    drawn = neighbourhood([[]] * len(luck), size)
    columns = np.array(edges, dtype=np.int64).reshape(-1, 3)
    sampling.draw((columns[:, 0], columns[:, 1], columns[:, 2]), np.zeros(len(luck), np.int16), luck, means, drawn)
    return lists(drawn)


def lists(drawn: Neighbourhood) -> list[list[tuple[int, int]]]:
    """Return what was drawn; see that gaps stand at the end and have no relation."""
    found = []
    for neighbours, relations in zip(drawn.neighbours.tolist(), drawn.relations.tolist(), strict=True):
        count = sum(neighbour >= 0 for neighbour in neighbours)
        assert neighbours[count:] == [-1] * (len(neighbours) - count)
        assert all(relations[:count])
        assert not any(relations[count:])
        found.append(list(zip(neighbours[:count], relations[:count], strict=True)))
    return found


def successive(weights: list[float], size: int) -> dict[tuple[int, ...], float]:
    """The probability of each ordered sample, drawn one by one without putting back, by weight."""
    found = {}
    for order in itertools.permutations(range(len(weights)), size):
        left, probability = sum(weights), 1.0
        for item in order:
            probability *= weights[item] / left
            left -= weights[item]
        found[order] = probability
    return found


def test_ordered_samples_are_as_frequent_as_in_successive_weighted_draws() -> None:
    """One owner with 2 neighbours by relation 1 (weight 1) and 3 by relation 2 (weight 1/4), many worlds of names."""
    worlds, size = 20_000, 2
    relation = [1, 1, 2, 2, 2]
    names = [f"name {world} {item}" for world in range(worlds) for item in range(5)]
    luck = sampling.uniform(nodes(names, []), seed=13)
    # All worlds at once: world w's owner is w, its neighbours are 5 w + item.
    edges = [(world, relation[item], 5 * world + item) for world in range(worlds) for item in range(5)]
    drawn = draw(edges, luck, size=size)[:worlds]
    seen = Counter(tuple(neighbour % 5 for neighbour, _ in sample) for sample in drawn)
    expected = successive([1 / (MEANS[0, code] * MEANS[0, -code]) for code in relation], size)
    assert seen.keys() <= expected.keys()
    statistic = sum((seen[order] - worlds * p) ** 2 / (worlds * p) for order, p in expected.items())
    assert statistic < chi2.ppf(0.999, len(expected) - 1)
    # The oracle can tell: uniform draws are far away from what was seen.
    uniform = sum((seen[order] - worlds / 20) ** 2 / (worlds / 20) for order in expected)
    assert uniform > 10 * chi2.ppf(0.999, len(expected) - 1)


def test_luck_is_uniform_and_changes_with_the_seed() -> None:
    entities = nodes([f"name {i}" for i in range(20_000)], [])
    luck = sampling.uniform(entities, seed=1)
    assert ((luck > 0) & (luck < 1)).all()
    count = np.bincount((luck * 20).astype(int), minlength=20)
    assert ((count - 1000) ** 2 / 1000).sum() < chi2.ppf(0.999, 19)
    other = sampling.uniform(entities, seed=2)
    assert abs(np.corrcoef(luck, other)[0, 1]) < 0.05
    np.testing.assert_array_equal(luck, sampling.uniform(entities, seed=1))


def test_luck_is_a_hash_that_no_version_may_change() -> None:
    """A saved model draws the same neighbours tomorrow; written down with numpy 2.4, pandas 3.1."""
    luck = sampling.uniform(nodes(["Aditya Raj"], [None]), seed=13)
    np.testing.assert_allclose(luck, [0.9004835358482497, 0.910032123026062], rtol=0, atol=1e-15)


def test_both_sides_draw_alike() -> None:
    left = ["The Beatles", "Raj Kapoor", "Live (Remastered)", "Привет", "a"]
    right = ["Beatles, The", "Kapoor, Raj", "live", "privet", "A"]
    luck = sampling.uniform(nodes(left, right), seed=13)
    np.testing.assert_array_equal(luck[:5], luck[5:])
    assert len(set(luck[:5])) == 5


def test_without_a_name_side_and_key_decide() -> None:
    entities = nodes([None, "", None, "!?"], [None, ""])
    luck = sampling.uniform(entities, seed=13)
    assert len(set(luck)) == 6
    turned = Nodes(**{**vars(entities), "keys": objects(entities.keys[::-1].tolist())})
    assert (sampling.uniform(turned, seed=13) != luck).all()


def test_counterparts_are_drawn_together() -> None:
    """Two people with the same 300 films, half of them under other names: the samples of 10 share what has one name."""
    films = [f"film {i}" for i in range(300)]
    left, right = ["p", *films], ["q", *(film if i % 2 else f"other {i}" for i, film in enumerate(films))]
    entities = nodes(left, right)
    luck = sampling.uniform(entities, seed=13)
    edges = [(0, 1, i) for i in range(1, 301)] + [(301, 1, 301 + i) for i in range(1, 301)]
    drawn = draw(edges, luck, size=10)
    sampled = [{str(entities.names[neighbour]) for neighbour, _ in drawn[owner]} for owner in (0, 301)]
    assert len(sampled[0] & sampled[1]) >= 3  # of two independent samples, hardly one: 10 · 10 / 600


graphs = st.lists(st.tuples(st.integers(0, 7), st.sampled_from([1, 2, -1, -2]), st.integers(0, 7)), max_size=60)


def key(edge: Edge, luck: npt.NDArray[Any]) -> tuple[float, int, int]:
    _, relation, neighbour = edge
    return (float(-np.log(luck[neighbour]) * MEANS[0, relation] * MEANS[0, -relation]), relation, neighbour)


@settings(max_examples=150, deadline=None)
@given(graphs, st.integers(1, 4), st.lists(st.sampled_from([0.1, 0.2, 0.5, 0.9]), min_size=8, max_size=8))
def test_draws_the_smallest_keys_in_order(edges: list[Edge], size: int, lots: list[float]) -> None:
    """Against the definition, with many equal lots; parallel edges count once, each relation for itself."""
    luck = np.array(lots)
    drawn = draw(edges, luck, size=size)
    for owner in range(8):
        mine = sorted({edge for edge in edges if edge[0] == owner}, key=lambda edge: key(edge, luck))
        assert drawn[owner] == [(neighbour, relation) for _, relation, neighbour in mine[:size]]


@settings(max_examples=100, deadline=None)
@given(graphs, st.randoms(use_true_random=False), st.integers(1, 8))
def test_order_of_edges_and_batches_are_no_matter(edges: list[Edge], random: Any, batch: int) -> None:
    luck = sampling.uniform(nodes([f"n{i}" for i in range(8)], []), seed=13)
    whole = draw(edges, luck)
    shuffled = [*edges, *edges[: len(edges) // 2]]  # some of them twice
    random.shuffle(shuffled)
    assert draw(shuffled, luck) == whole
    drawn = neighbourhood([[]] * 8, 3)
    for start in range(0, 8, batch):
        part = [edge for edge in shuffled if start <= edge[0] < start + batch]
        columns = np.array(part, dtype=np.int64).reshape(-1, 3)
        sampling.draw((columns[:, 0], columns[:, 1], columns[:, 2]), np.zeros(8, np.int16), luck, MEANS, drawn)
    assert lists(drawn) == whole


def test_the_owners_type_decides_about_the_weight() -> None:
    means = np.array([[1, 1, 100, 1, 1], [1, 100, 1, 1, 1]], np.float32)
    drawn = neighbourhood([[]] * 4, 1)
    edges = np.array([(0, 1, 2), (0, 2, 3), (1, 1, 2), (1, 2, 3)], dtype=np.int64)
    luck = np.array([0.5, 0.5, 0.5, 0.5])
    sampling.draw((edges[:, 0], edges[:, 1], edges[:, 2]), np.array([0, 1, 0, 0], np.int16), luck, means, drawn)
    assert lists(drawn)[:2] == [[(2, 1)], [(3, 2)]]


def test_a_neighbour_that_many_share_is_drawn_late() -> None:
    # By relation 2 an entity has one neighbour, as by relation 1, but each of these belongs to a hundred.
    means = np.array([[1, 1, 1, 100, 1]], np.float32)
    drawn = neighbourhood([[]] * 3, 1)
    edges = np.array([(0, 2, 1), (0, 1, 2)], dtype=np.int64)
    sampling.draw((edges[:, 0], edges[:, 1], edges[:, 2]), np.zeros(3, np.int16), np.full(3, 0.5), means, drawn)
    assert lists(drawn)[0] == [(2, 1)]


class FakeDatabase:
    """Answers the two queries of sampling from a list of relationships (start, type, end), by number of node."""

    id_prefix = "4:x:"

    def __init__(self, relationships: list[tuple[int, str, int]]) -> None:
        self.relationships = relationships
        self.batches: list[int] = []

    def read(self, query: str, consume: Any, **parameters: Any) -> list[list[int]]:
        assert consume is only
        assert parameters["database"] == self.id_prefix
        codes = parameters["codes"]
        assert "$codes[type(r)]" in query
        self.batches.append(len(parameters["ids"]))
        found = []
        for node in reversed(parameters["ids"]):
            for start, name, end in self.relationships:
                if name in codes and node in (start, end):
                    code, other = (codes[name], end) if node == start else (-codes[name], start)
                    found.append((node, code, other))
        columns: list[list[int]] = np.array(found, dtype=np.int64).reshape(-1, 3).T.tolist()
        return columns


RELATIONSHIPS = [
    (0, "R0", 1),
    (0, "R0", 1),  # parallel
    (2, "R0", 0),
    (1, "R1", 2),
    (1, "R1", 1),  # to itself
    (0, "R0", 77),  # to a node that is not mapped
    (0, "R0", 3),  # to the other side
    (3, "R0", 4),
    (4, "R9", 5),  # of a type that is not mapped
]


@pytest.mark.parametrize("batch", [1, 2, 2_000])
def test_the_whole_sample_from_a_database(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both directions, no neighbour outside the side's mapped types, no loops; the size of a batch is no matter."""
    monkeypatch.setattr(sampling, "EXPANDED_AT_ONCE", batch)
    entities = nodes(["a", "b", "c"], ["a", "b", "c"])
    database = FakeDatabase(RELATIONSHIPS)
    told: list[int] = []
    means = np.ones((1, 5), np.float32)
    drawn = sampling.sample(database, config(relations=2), entities, means, told.append)  # type: ignore[arg-type]
    assert [sorted(sample) for sample in lists(drawn)] == [
        [(1, 1), (2, -1)],
        [(0, -1), (2, 2)],
        [(0, 1), (1, -2)],
        [(4, 1)],
        [(3, -1)],
        [],
    ]
    assert sum(told) == len(entities)
    assert max(database.batches) <= batch


def test_an_inverse_relation_turns_the_left_side() -> None:
    relations: list[dict[str, Any]] = [{"name": "made", "left": "DIRECTED", "right": "DIRECTED_BY", "inverse": True}]
    entities = nodes(["person", "film"], ["person", "film"])
    database = FakeDatabase([(0, "DIRECTED", 1), (3, "DIRECTED_BY", 2)])
    mapping = config(relations=relations)
    drawn = lists(sampling.sample(database, mapping, entities, np.ones((1, 3), np.float32)))  # type: ignore[arg-type]
    assert [[code for _, code in sample] for sample in drawn] == [[-1], [1], [-1], [1]]


def test_no_mapped_relation_means_no_neighbours_and_no_query() -> None:
    database = FakeDatabase(RELATIONSHIPS)
    entities, means = nodes(["a", "b"], ["a", "b"]), np.ones((1, 1), np.float32)
    drawn = sampling.sample(database, config(relations=0), entities, means)  # type: ignore[arg-type]
    assert lists(drawn) == [[], [], [], []]
    assert database.batches == []
