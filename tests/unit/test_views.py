"""Views: an entity's rows say what it is called, what its record holds and what its neighbours are called."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from neo4j_align import text, views
from neo4j_align.records import Neighbourhood, Nodes
from tests.unit.builders import anchors, config, neighbourhood, nodes, objects

NAMES = ["The Matrix", "Alien", None, "Keanu Reeves", "", "Sigourney Weaver"]
YEARS = [None, "1999", None, "1999", None, "1999"]


def graph(names: list[str | None] | None = None) -> Nodes:
    used = NAMES if names is None else names
    half = len(used) // 2
    return nodes(used[:half], used[half:], attributes={"name": used, "year": YEARS})


def make(
    entities: Nodes, around: Neighbourhood, weights: views.Weights | None = None, most: int = 500
) -> tuple[views.Views, views.Weights]:
    mapping = config(candidates={"max_frequency": most})
    return views.view(mapping, entities, around, weights)


AROUND = neighbourhood([[(3, 1)], [(5, 1)], [(3, 1), (5, 1)], [(0, -1)], [], [(1, -1)]])


def test_names_and_signatures_are_those_of_the_text() -> None:
    found, _ = make(graph(), AROUND)
    assert found.names.tolist() == [text.fold(name or "") for name in NAMES]
    assert found.signatures.tolist() == [text.signature(name or "") for name in NAMES]


def test_rows_have_length_one_or_are_empty() -> None:
    found, _ = make(graph(), AROUND)
    named = [bool(name) for name in NAMES]
    for rows, filled in (
        (found.name, named),
        (found.record, [True, True, False, True, False, True]),
        (found.neighbours, [True, True, True, True, False, True]),
    ):
        length = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1))).ravel()
        np.testing.assert_allclose(length, np.array(filled, float), atol=1e-6)


def test_words_carry_their_rarity() -> None:
    found, weights = make(graph(), AROUND)
    bag = text.bag(found.names)
    assert abs(found.words - bag.multiply(weights.record)).max() < 1e-6
    assert found.words.sum() > 0


def test_a_neighbour_view_is_of_the_neighbours_words_and_whole_names() -> None:
    found, _ = make(graph(), AROUND)
    keanu = text.bag(objects(["keanu reeves", "keanu_reeves"]))
    assert set(found.neighbours[0].indices.tolist()) == set(keanu.indices.tolist())
    # A neighbour twice, by two relations, says no more than once.
    twice, _ = make(graph(), neighbourhood([[(3, 1), (3, -1)], *[[]] * 5]))
    once, _ = make(graph(), neighbourhood([[(3, 1)], *[[]] * 5]))
    assert abs(twice.neighbours - once.neighbours).sum() == 0


def test_a_word_that_two_neighbours_share_counts_once() -> None:
    entities = graph(["a", "b", "keanu reeves", "anna reeves", "x", "y"])
    found, weights = make(entities, neighbourhood([[(2, 1), (3, 1)], *[[]] * 5]))
    said = text.bag(objects(["keanu reeves keanu_reeves anna anna_reeves"]))
    assert abs(found.neighbours[0] - text.weighted(said, weights.neighbours)).max() < 1e-6
    assert found.neighbours[0].nnz == 5


def test_words_of_too_many_neighbourhoods_say_nothing() -> None:
    entities = graph(["a", "b", "c", "d", "hub", "rare"])
    around = neighbourhood([[(4, 1), (5, 1)], [(4, 1)], [(4, 1)], [], [], []])
    hub, rare = (set(text.bag(objects([word])).indices.tolist()) for word in ("hub", "rare"))
    kept, counted = make(entities, around, most=3)
    assert set(kept.neighbours[0].indices.tolist()) == hub | rare
    assert all(counted.neighbours[list(hub)] > 0)
    cut, weights = make(entities, around, most=2)
    assert all(weights.neighbours[list(hub)] == 0)
    assert cut.neighbours[1].sum() == 0
    assert cut.neighbours[0].sum() == pytest.approx(1)


def test_frozen_weights_are_used_as_they_are() -> None:
    """A new entity with new words moves nobody else's rows."""
    before, weights = make(graph(), AROUND)
    names = [*NAMES[:3], "Matrix Alien", *NAMES[3:], "Reeves"]
    grown = nodes(names[:4], names[4:], attributes={"name": names, "year": [*YEARS[:3], None, *YEARS[3:], "1999"]})
    around = neighbourhood([[(4, 1)], [(6, 1)], [(4, 1), (6, 1)], [(0, 1)], [(0, -1)], [], [(1, -1)], [(4, 1)]])
    after, same = make(grown, around, weights)
    assert same is weights
    for name in ("words", "name", "record", "neighbours"):
        assert abs(getattr(after, name)[[0, 1, 2, 4, 5, 6]] - getattr(before, name)).sum() == 0


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_neighbours_is_no_matter(random: Random) -> None:
    lists = [[(neighbour, 1) for neighbour in range(6) if neighbour != owner] for owner in range(6)]
    before, _ = make(graph(), neighbourhood(lists))
    for drawn in lists:
        random.shuffle(drawn)
    after, _ = make(graph(), neighbourhood(lists))
    assert abs(before.neighbours - after.neighbours).max() < 1e-7


def test_a_graph_without_any_text_has_empty_rows() -> None:
    found, weights = make(nodes([None, ""], ["!"]), neighbourhood([[(1, 1)], [], []]))
    assert found.name.nnz == found.record.nnz == found.neighbours.nnz == found.words.nnz == 0
    assert all(np.isfinite(value).all() for value in vars(weights).values())


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.floats(-1, 1, width=32), min_size=4, max_size=4), min_size=1, max_size=5))
def test_cosine_is_the_dot_product_of_corresponding_rows(values: list[list[float]]) -> None:
    one = np.array(values, np.float32)
    other = one[::-1].copy()
    every = np.arange(len(one))
    found = views.cosine(sparse.csr_matrix(one), sparse.csr_matrix(one), every, every[::-1])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, (one * other).sum(axis=1), atol=1e-6)


def circles(found: tuple[sparse.csr_matrix, sparse.csr_matrix], at: int) -> tuple[set[int], set[int]]:
    return set(found[0][at].indices.tolist()), set(found[1][at].indices.tolist())


def test_what_is_around_an_entity_are_the_identities_one_and_two_steps_away() -> None:
    # Left 0-2, right 3-5: 1 is 4 and 2 is 5 for sure, 0 is 3 perhaps.
    around = neighbourhood([[(1, 1)], [(0, -1), (2, 1)], [(1, -1)], [(4, 1)], [(3, -1), (5, 1)], [(4, -1)]])
    known = anchors(6, {(1, 4): 0.95, (2, 5): 1.0, (0, 3): 0.5})
    found = views.around(around, known, 500, np.arange(6))
    assert circles(found, 0) == circles(found, 3) == ({1}, {2})
    # One's own identity, two steps away, is no evidence; an unsure counterpart is no anchor.
    assert circles(found, 1) == circles(found, 4) == ({2}, set())
    for rows in found:
        length = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1))).ravel()
        assert set(np.round(length, 6).tolist()) <= {0.0, 1.0}


def test_a_hub_may_gain_an_edge_and_nothing_around_it_moves() -> None:
    degree = np.r_[np.arange(5_000), 10**6, 2**31 - 1].astype(np.int32)
    about = Neighbourhood(degree[:, None], degree[:, None], degree).about
    assert about[:9].tolist() == list(range(9))
    assert (np.abs(about - degree.astype(np.int64)) <= degree / 8).all()
    assert (np.diff(about) >= 0).all()
    assert len(np.unique(about[:5_000])) < 50
    known, found = anchors(4, {(1, 3): 1.0}), []
    for number in (40, 41):  # of the edges of 1 and 3, which 0 and 2 drew
        around = neighbourhood([[(1, 1)], [(0, -1)], [(3, 1)], [(2, -1)]])
        around.degree[[1, 3]] = number
        found.append(views.around(around, known, 500, np.arange(4)))
    assert found[0][0].nnz == 2
    assert all((one != other).nnz == 0 for one, other in zip(*found, strict=True))


def test_anchors_with_very_many_neighbours_say_nothing() -> None:
    around = neighbourhood([[(1, 1)], [(0, -1), (2, 1)], [(1, -1)], [(4, 1)], [(3, -1), (5, 1)], [(4, -1)]])
    known = anchors(6, {(1, 4): 0.95})
    assert views.around(around, known, 1, np.arange(6))[0].nnz == 0
    assert views.around(around, known, 2, np.arange(6))[0].nnz == 4


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), st.sampled_from(["", "alien", "solaris"]))))
def test_who_shares_a_name_are_the_entities_of_one_side_and_type(rows: list[tuple[int, int, str]]) -> None:
    rows = sorted(rows)
    left = [name for side, _, name in rows if side == 0]
    right = [name for side, _, name in rows if side == 1]
    entities = nodes(list(left), list(right), [kind for _, kind, _ in rows])
    expected = [1 / rows.count(row) if row[2] else 0 for row in rows]
    assert views.alone(entities, objects(left + right)).tolist() == np.array(expected, np.float32).tolist()
