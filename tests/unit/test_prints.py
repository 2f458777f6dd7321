"""Fingerprints: equal where the model sees the same, other where it sees anything else."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neo4j_align.records import Neighbourhood, Nodes
from neo4j_align.store import prints
from tests.unit import builders

Edges = list[list[tuple[int, int]]]
NODES = builders.nodes(["a", "b", None], ["a", "b"])
EDGES: Edges = [[(1, 1), (2, -1)], [(0, -1)], [], [(4, 1)], []]


def taken(nodes: Nodes = NODES, edges: Edges = EDGES) -> prints.Prints:
    return prints.take(nodes, builders.neighbourhood(edges))


def test_ids_of_neo4j_leave_no_trace() -> None:
    other = dataclasses.replace(NODES, ids=NODES.ids + 77)
    assert taken(other).digest() == taken().digest()
    assert taken(other).changed_since(taken()) == 0


@pytest.mark.parametrize(
    ("edges", "changed"),
    [
        ([[(1, 1), (2, 1)], *EDGES[1:]], 1),  # another direction
        ([[(1, 2), (2, -1)], *EDGES[1:]], 1),  # another relation
        ([[(1, 1)], *EDGES[1:]], 1),
        ([*EDGES[:3], [(3, 1)], []], 1),  # another neighbour
        ([*EDGES[:4], [(3, 1)]], 1),
        ([[(2, -1), (1, 1)], *EDGES[1:]], 0),  # the order of drawing says nothing
    ],
)
def test_each_thing_that_the_model_sees_counts(edges: Edges, changed: int) -> None:
    assert taken(edges=edges).changed_since(taken()) == changed
    assert (taken(edges=edges).digest() != taken().digest()) == (changed > 0)


def test_an_attribute_a_type_and_a_missing_value_count() -> None:
    names = builders.nodes(["a", "c", None], ["a", "b"])
    assert taken(names).changed_since(taken()) == 1
    nothing = builders.nodes(["a", "b", ""], ["a", "b"])
    assert taken(nothing).changed_since(taken()) == 1
    types = builders.nodes(["a", "b", None], ["a", "b"], types=[0, 1, 0, 0, 0])
    assert taken(types).changed_since(taken()) == 1
    two = {"x": ["1", "2", "3", "4", "5"], "y": ["6", "7", "8", "9", "0"]}
    swapped = {"x": two["y"], "y": two["x"]}
    one, other = (builders.nodes(["a", "b", None], ["a", "b"], attributes=values) for values in (two, swapped))
    assert taken(one).changed_since(taken(other)) == 5


def test_a_missing_value_is_not_the_text_none() -> None:
    said = builders.nodes(["a", "b", "None"], ["a", "b"])
    assert taken(said).changed_since(taken()) == 1


def made(content: dict[int, int]) -> prints.Prints:
    keys = np.array(sorted(content), dtype=np.uint64)
    return prints.Prints(keys, np.array([content[int(key)] for key in keys], dtype=np.uint64))


contents = st.dictionaries(st.integers(0, 2**64 - 1) | st.integers(0, 3), st.integers(0, 3), max_size=8)


@given(contents, contents)
def test_changes_are_counted_as_in_a_dictionary(before: dict[int, int], after: dict[int, int]) -> None:
    changed = sum(before.get(key) != after.get(key) for key in before.keys() | after.keys())
    assert made(after).changed_since(made(before)) == changed


@given(contents, contents)
def test_what_is_packed_and_unpacked_is_what_was(before: dict[int, int], after: dict[int, int]) -> None:
    """Played on a dictionary of buckets: only those that changed are written, and together they hold all."""
    kept: dict[str, dict[str, list[int]]] = {}
    for state, last in ((before, {}), (after, before)):
        rows = made(state).packed(made(last), "L|R")
        assert bool(rows) == (state != last)
        kept |= {row["name"]: row for row in rows}
        flat: dict[int, int] = {}
        for row in kept.values():
            numbers = [np.array(row[name], np.int64).view(np.uint64).tolist() for name in ("keys", "contents")]
            flat |= dict(zip(*numbers, strict=True))
        assert flat == state


def test_nothing_at_all() -> None:
    empty = builders.nodes([], [])
    nowhere = Neighbourhood(np.zeros((0, 10), np.int32), np.zeros((0, 10), np.int16), np.zeros(0, np.int32))
    assert prints.take(empty, nowhere).changed_since(prints.NO_PRINTS) == 0


edges_of_five = st.lists(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from([1, -1, 2])), max_size=3), min_size=5, max_size=5
)


@given(edges_of_five, edges_of_five, st.lists(st.sampled_from(["a", "b", None]), min_size=5, max_size=5))
def test_taken_again_where_something_changed_they_are_those_of_the_whole(
    before: Edges, now: Edges, names: list[str | None]
) -> None:
    """The third entity is new: its key is, and whoever drew it has drawn otherwise."""
    after = builders.nodes(names[:3], names[3:])
    after.keys[2] = "new"
    fresh = np.array(
        [one != other or NODES.names[at] != names[at] for at, (one, other) in enumerate(zip(before, now, strict=True))]
    )
    fresh |= np.array([any(end == 2 for end, _ in drawn) for drawn in now])
    fresh[2] = True
    found = prints.retake(
        prints.take(NODES, builders.neighbourhood(before)), np.array([0, 1, -1, 3, 4]), fresh, after,
        builders.neighbourhood(now),
    )  # fmt: skip
    whole = prints.take(after, builders.neighbourhood(now))
    assert (found.keys == whole.keys).all()
    assert (found.contents == whole.contents).all()
