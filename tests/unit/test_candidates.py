"""Blocking against brute force: every cosine of every pair, worked out in the plain way."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from types import ModuleType
from typing import Any
from unittest.mock import Mock

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from neo4j_align.config import Config, parse_config
from neo4j_align.records import LEFT, RIGHT, VIEWS, Anchors, Nodes, Pairs
from neo4j_align.store import candidates, nearest, pools, reach
from neo4j_align.store.nearest import LEAST
from neo4j_align.views import Views, view
from tests.unit.builders import anchors, config, neighbourhood, nodes

TYPES = [0, 0, 0, 0, 1, 1, 1] * 2  # of seven entities a side
ROOM = 12  # columns of a view


def mapping(per_entity: int, types: int = 2) -> Config:
    document = config(types=types).model_dump(mode="json")
    document["candidates"]["per_entity"] = per_entity
    return parse_config(document)


def unit_rows(random: np.random.Generator, count: int) -> sparse.csr_matrix:
    """Random sparse rows of length 1; a fifth of them are empty."""
    dense = random.random((count, ROOM)) * (random.random((count, ROOM)) < 0.3)
    dense[random.random(count) < 0.2] = 0
    length = np.linalg.norm(dense, axis=1, keepdims=True)
    return sparse.csr_matrix((dense / np.where(length > 0, length, 1)).astype(np.float32))


def random_views(seed: int, count: int = len(TYPES)) -> Views:
    random = np.random.default_rng(seed)
    empty = np.full(count, "", dtype=object)
    name, *others = (unit_rows(random, count) for _ in VIEWS)
    rows = dict(zip(VIEWS, (name, *others), strict=True))
    nothing = {"numbers": np.empty((count, 0)), "lent": np.empty((count, 2, 0))}
    return Views(empty, empty, empty, words=name, document=name, **rows, **nothing)


def rearranged(views: Views, order: list[int]) -> Views:
    return replace(views, **{name: getattr(views, name)[order] for name in VIEWS})


def products(rows: sparse.csr_matrix) -> npt.NDArray[Any]:
    dense = rows.toarray().astype(np.float64)
    product: npt.NDArray[Any] = dense @ dense.T
    return product


def sums(views: Views) -> npt.NDArray[Any]:
    total: npt.NDArray[Any] = np.sum([products(rows) for rows in views.rows], axis=0)
    return total


def in_turns(views: Views) -> list[npt.NDArray[Any]]:
    own: npt.NDArray[Any] = np.sum([products(rows) for rows in views.rows[:3]], axis=0)
    return [own, sums(views), products(views.neighbours), products(views.circle)]


def block(mapping: Config, entities: Nodes, views: Views, known: Anchors | None = None) -> Pairs:
    exclusive = [True] * len(mapping.types)
    found = candidates.candidates(mapping, entities, views, known or anchors(len(entities)), exclusive)
    return candidates.pairs(views, found.left, found.right)


def chosen(found: Pairs | pools.Blocked) -> list[tuple[int, int]]:
    return list(zip(found.left.tolist(), found.right.tolist(), strict=True))


def taken_in_turns(lists: list[npt.NDArray[Any]], left: int, pool: list[int], count: int) -> set[int]:
    """The best of each list in turns; of a list, what comes later than `count` or is no better than chance never."""
    ranked = [[at for at in sorted(pool, key=lambda at: -one[left, at]) if one[left, at] > LEAST] for one in lists]
    found: dict[int, None] = {}
    for place in range(count):
        for best in ranked:
            if place < len(best):
                found.setdefault(best[place])
    return set(list(found)[:count])


def check_against_brute_force(found: Pairs, entities: Nodes, views: Views, count: int) -> None:
    lists = in_turns(views)
    pairs = chosen(found)
    assert pairs == sorted(set(pairs))
    for left in np.flatnonzero(entities.side == LEFT).tolist():
        rivals = np.flatnonzero((entities.side == RIGHT) & (entities.type == entities.type[left])).tolist()
        assert {right for one, right in pairs if one == left} == taken_in_turns(lists, left, rivals, count)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_the_nearest_counterparts_of_random_rows(seed: int, per_entity: int) -> None:
    entities, views = nodes([None] * 7, [None] * 7, TYPES), random_views(seed)
    found = block(mapping(per_entity), entities, views)
    check_against_brute_force(found, entities, views, pools.WIDER * per_entity)
    for column, rows in enumerate(views.rows):
        dense = rows.toarray()
        expected = [dense[left] @ dense[right] for left, right in chosen(found)]
        np.testing.assert_allclose(found.scores[:, column], expected, atol=1e-6)
    assert found.scores.dtype == np.float32
    assert found.left.dtype == found.right.dtype == np.int32


words = st.lists(st.sampled_from(["the", "matrix", "alien", "aliens", "reloaded", "two"]), min_size=1, max_size=3)
names = st.lists(st.one_of(st.none(), words.map(" ".join)), min_size=14, max_size=14)


@settings(max_examples=20, deadline=None)
@given(names, st.integers(2, 4))
def test_the_nearest_counterparts_of_random_names(drawn: list[str | None], per_entity: int) -> None:
    """Many are equally near, and of these any will do: each list's first are as near as its nearest."""
    entities = nodes(drawn[:7], drawn[7:], TYPES)
    around = neighbourhood([[((at + 1) % 7 + 7 * (at >= 7), 1)] for at in range(14)])
    views, _ = view(mapping(per_entity), entities, around, None)
    found, count = chosen(block(mapping(per_entity), entities, views)), pools.WIDER * per_entity
    small = replace(views, **{name: getattr(views, name)[:, np.unique(getattr(views, name).indices)] for name in VIEWS})
    for left in range(7):
        pool = [at for at in range(7, 14) if TYPES[at] == TYPES[left]]
        mine = [right for one, right in found if one == left]
        assert set(mine) <= set(pool)
        assert len(mine) <= count
        for values in in_turns(small):
            nearest = sorted((values[left, at] for at in pool if values[left, at] > LEAST), reverse=True)
            sure = min(len(nearest), count // 4)
            first = sorted((values[left, at] for at in mine), reverse=True)
            np.testing.assert_allclose(first[:sure], nearest[:sure], atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_the_order_of_the_entities_is_no_matter_where_none_are_equally_near(seed: int, random: Random) -> None:
    views, entities = random_views(seed), nodes([None] * 7, [None] * 7, [0] * 14)
    order = random.sample(range(7), 7) + random.sample(range(7, 14), 7)
    shuffled = rearranged(views, order)
    one = block(mapping(2, types=1), entities, views)
    other = block(mapping(2, types=1), entities, shuffled)
    assert {(order[left], order[right]) for left, right in chosen(other)} == set(chosen(one))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_sure_entities_keep_a_few_and_leave_the_pool(seed: int) -> None:
    entities, views = nodes([None] * 7, [None] * 7, [0] * 14), random_views(seed)
    found = block(mapping(3, types=1), entities, views, anchors(14, {(0, 9): 0.95, (1, 10): 0.5}))
    lists = in_turns(views)
    of = {left: {right for one, right in chosen(found) if one == left} for left in range(7)}
    assert of[0] == taken_in_turns(lists[:1], 0, list(range(7, 14)), pools.KEPT) | {9}
    for left in range(1, 7):
        free = [7, 8, 10, 11, 12, 13]
        assert of[left] == taken_in_turns(lists, left, free, 3 * pools.WIDER)


def test_where_links_are_not_one_to_one_nothing_leaves_the_pool() -> None:
    entities, views = nodes([None] * 7, [None] * 7, [0] * 14), random_views(3)
    known, settings = anchors(14, {(0, 9): 0.95}), mapping(3, types=1)
    found = candidates.candidates(settings, entities, views, known, [False])
    assert chosen(found) == chosen(block(settings, entities, views))


def test_who_is_absent_is_nobodys_candidate() -> None:
    entities, views, settings = nodes([None] * 7, [None] * 7, [0] * 14), random_views(3), mapping(7, types=1)
    without = candidates.candidates(settings, entities, views, anchors(14), [True], np.array([8, 9]))
    expected = [pair for pair in chosen(block(settings, entities, views)) if pair[1] not in (8, 9)]
    assert chosen(without) == expected != chosen(block(settings, entities, views))


@pytest.mark.parametrize(("budget", "worth"), [(pools.BUDGET, np.inf), (5, np.inf), (5, reach.WORTH)])
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), per_entity=st.integers(1, 3), changes=st.integers(1, 4), types=st.integers(1, 2))
def test_what_follows_a_change_is_what_blocking_from_nothing_finds(
    budget: int, worth: float, seed: int, per_entity: int, changes: int, types: int
) -> None:
    random = np.random.default_rng(seed)
    count = 40
    kinds = [*sorted(random.integers(0, types, 20).tolist()), *sorted(random.integers(0, types, 20).tolist())]
    entities = nodes(["a"] * 20, ["b"] * 20, kinds)
    known = anchors(count, {(left, left + 20): 1.0 for left in range(0, 20, 4) if kinds[left] == kinds[left + 20]})
    views, mapped = random_views(seed, count), mapping(per_entity, types)

    def blocked(**before: Any) -> pools.Blocked:
        return candidates.candidates(mapped, entities, views, known, [True] * types, **before)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pools, "BUDGET", budget)
        patched.setattr(pools, "LITTLE", budget // 2)
        patched.setattr(reach, "WORTH", worth)
        followed = blocked()
        for _ in range(changes):
            moved = random.random((count, len(VIEWS))) < 0.05
            other = random_views(int(random.integers(1_000_000)), count)
            for name, rows in zip(VIEWS, moved.T, strict=True):
                mixed = sparse.vstack([getattr(views, name), getattr(other, name)], format="csr")
                views = replace(views, **{name: mixed[np.arange(count) + count * rows]})
            followed, fresh = blocked(before=followed, moved=moved), blocked()
            assert chosen(followed) == chosen(fresh)
            assert (followed.bars <= fresh.bars + 1e-5).all()


@pytest.mark.parametrize(("moved", "searches"), [(1, True), (8, False)])
def test_where_much_moved_nobody_asks_whom_it_reaches(
    moved: int, searches: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = Mock(wraps=reach._close)
    monkeypatch.setattr(reach, "_close", close)
    entities, views, mapped = nodes([None] * 20, [None] * 20), random_views(3, 40), mapping(2, types=1)
    before = candidates.candidates(mapped, entities, views, anchors(40), [True])
    others = np.zeros((40, len(VIEWS)), bool)
    others[20 : 20 + moved] = True
    candidates.candidates(mapped, entities, views, anchors(40), [True], before=before, moved=others)
    assert close.called == searches


def test_threads_are_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    count = 600
    entities = nodes([None] * count, [None] * count)
    views = random_views(5, 2 * count)
    first = block(mapping(3, types=1), entities, views)
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    for _ in range(3):
        again = block(mapping(3, types=1), entities, views)
        assert chosen(again) == chosen(first)
        np.testing.assert_array_equal(again.scores, first.scores)
    assert len(first) > count


@pytest.mark.parametrize(("module", "size"), [(candidates, "AT_ONCE"), (pools, "WIDE")])
@pytest.mark.parametrize("alike", [False, True])
def test_how_many_are_looked_for_together_is_no_matter(
    module: ModuleType, size: str, alike: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 100
    entities, views = nodes([None] * count, [None] * count), random_views(5, 2 * count)
    if alike:  # many are equally near, so that which of them are taken depends on their order alone
        views = rearranged(views, [at % 9 for at in range(2 * count)])
    whole = block(mapping(3, types=1), entities, views)
    monkeypatch.setattr(module, size, 7)
    parts = block(mapping(3, types=1), entities, views)
    assert chosen(parts) == chosen(whole)
    np.testing.assert_array_equal(parts.scores, whole.scores)


def test_a_type_that_only_one_side_has_is_not_compared() -> None:
    document = config(types=2).model_dump(mode="json")
    document["types"][1]["right"] = None
    # An entity of each type on the left, and on the right two of the first type; all rows are alike.
    entities, one = nodes([None, None], [None, None], [0, 1, 0, 0]), random_views(0)
    found = block(parse_config(document), entities, rearranged(one, [1] * 4))
    assert chosen(found) == [(0, 2), (0, 3)]


def test_nothing_alike_means_no_pairs() -> None:
    entities = nodes(["abc", "def"], ["xyz", None])
    views, _ = view(mapping(3, types=1), entities, neighbourhood([[] for _ in range(4)]), None)
    found = block(mapping(3, types=1), entities, views)
    assert len(found) == 0
    assert found.scores.shape == (0, len(VIEWS))


def test_pairs_are_sorted_without_repeats_and_measured() -> None:
    views = random_views(1)
    found = candidates.pairs(views, np.array([3, 1, 3, 1]), np.array([9, 8, 9, 7]))
    assert chosen(found) == [(1, 7), (1, 8), (3, 9)]
    np.testing.assert_allclose(found.scores.sum(axis=1), [sums(views)[pair] for pair in chosen(found)], atol=1e-6)


def test_a_budget_drops_the_most_frequent_columns_and_keeps_the_rarest() -> None:
    one = sparse.csr_matrix(np.array([[1, 1, 1, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], dtype=np.float32))
    kept = nearest.affordable(one, np.array([0, 1, 2, -1], np.int8), 3).toarray()
    # Columns meet 1, 2, 4 and 0 rows: the first row affords the first two, the third has nothing but the frequent one.
    assert kept.tolist() == [[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


@given(st.integers(0, 10_000), st.integers(1, 300))
def test_a_row_affords_its_rarest_columns_one_after_the_other(seed: int, budget: int) -> None:
    luck = np.random.default_rng(seed)
    one = sparse.csr_matrix((luck.random((6, 12)) * (luck.random((6, 12)) < 0.6)).astype(np.float32))
    costs = luck.integers(-1, 8, 12).astype(np.int8)
    expected = np.zeros(one.shape, np.float32)
    for row, said in enumerate(one.toarray()):
        spent = 0
        for column in sorted(np.flatnonzero(said).tolist(), key=lambda at: (costs[at], at)):
            paid = 0 if costs[column] < 0 else 2 ** int(costs[column])
            if spent == 0 or spent + paid <= budget:
                expected[row, column] = said[column]
            spent += paid
    np.testing.assert_array_equal(nearest.affordable(one, costs, budget).toarray(), expected)
