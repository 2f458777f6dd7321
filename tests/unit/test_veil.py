"""Veiled copies: what they keep, and what they lose."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neo4j_align.config import parse_config
from neo4j_align.records import LEFT
from neo4j_align.veil import _damaged, veil
from neo4j_align.views import around, view
from tests.unit.builders import anchors, config, neighbourhood, nodes, objects

COUNT = 40
AROUND = neighbourhood([[((at + 1) % COUNT, 1)] for at in range(COUNT)] + [[] for _ in range(COUNT)])


def test_copies_have_the_neighbours_of_their_originals_and_names_hidden_or_damaged() -> None:
    names = [f"Great Expectations {at}" for at in range(COUNT)]
    entities, chosen = nodes(names, names), np.arange(0, COUNT, 2)
    hidden = veil(config(), entities, AROUND, anchors(2 * COUNT, {(0, COUNT): 1.0}), chosen, seed=13)

    copies = hidden.copy[chosen]
    assert copies.tolist() == list(range(2 * COUNT, 2 * COUNT + len(chosen)))
    assert (np.delete(hidden.copy, chosen) == -1).all()
    np.testing.assert_array_equal(hidden.neighbourhood.neighbours[copies], AROUND.neighbours[chosen])
    np.testing.assert_array_equal(hidden.neighbourhood.degree[copies], AROUND.degree[chosen])
    assert (hidden.nodes.side[copies] == LEFT).all()
    identity = np.where(chosen == 0, 0, -1)
    np.testing.assert_array_equal(hidden.anchors.identity[copies], identity)
    np.testing.assert_array_equal(hidden.anchors.identity[chosen], identity)
    assert hidden.nodes.names[: 2 * COUNT].tolist() == names * 2
    np.testing.assert_array_equal(hidden.nodes.names, hidden.nodes.attributes["name"])
    veiled = hidden.nodes.names[copies].tolist()
    assert not set(veiled) & set(names)
    assert 5 <= veiled.count(None) <= 15
    assert {len(name.split()) for name in veiled if name is not None} == {2}
    assert set(hidden.unlent) <= set(copies)
    for nameless in (True, False):  # whether anything is lent tells nothing of the name
        mine = copies[[(name is None) == nameless for name in veiled]]
        assert 0 < len(np.intersect1d(mine, hidden.unlent)) < len(mine)


def test_the_same_entity_is_veiled_the_same_way_whoever_else_is() -> None:
    entities, known = nodes(["one two"] * COUNT, []), anchors(COUNT)
    around = neighbourhood([[] for _ in range(COUNT)])
    every = veil(config(), entities, around, known, np.arange(COUNT), seed=13)
    some = veil(config(), entities, around, known, np.arange(10, 20), seed=13)
    assert some.nodes.names[COUNT:].tolist() == every.nodes.names[COUNT + 10 : COUNT + 20].tolist()
    both = [hidden.copy[10:20][np.isin(hidden.copy[10:20], hidden.unlent)] for hidden in (some, every)]
    np.testing.assert_array_equal(both[0] - COUNT, both[1] - COUNT - 10)


def test_a_copy_has_around_it_what_its_original_has() -> None:
    """Its original is a neighbour of its neighbours, and has the number of the counterpart that is to be found."""
    drawn = neighbourhood([[(2, 1)], [(2, 1)], [(0, -1), (1, -1)], *[[]] * 3])
    years = objects([None, None, None, "1999", "1950", None])
    entities = nodes(["A film", "Another", "A star"], ["A film", "Another", "A star"])
    entities.attributes["year"] = years
    mapping = config().model_dump(mode="json")
    mapping["types"][0]["attributes"].append({"name": "year", "right": "year", "kind": "date"})
    known = anchors(6, {(0, 3): 1.0, (1, 4): 1.0})
    hidden = veil(parse_config(mapping), entities, drawn, known, np.arange(3), seed=13)
    views, _ = view(parse_config(mapping), hidden.nodes, hidden.neighbourhood, None)
    views = views.around(hidden.anchors, *around(hidden.neighbourhood, hidden.anchors, 500, np.arange(9)))

    assert views.lent[:3, 1, 0].tolist() == pytest.approx([1950, 1999, np.nan], nan_ok=True)
    np.testing.assert_array_equal(views.lent[hidden.copy[:3]], views.lent[:3])
    assert (views.circle[hidden.copy[:3]] != views.circle[:3]).nnz == 0
    assert (views.anchors[hidden.copy[:3]] != views.anchors[:3]).nnz == 0


@given(st.text(), st.integers(0, 2**63))
def test_a_damaged_name_lacks_one_word_or_one_letter(name: str, number: int) -> None:
    found, words = _damaged(name, number), name.split()
    if len(words) > 1:
        assert any(found.split() == words[:at] + words[at + 1 :] for at in range(len(words)))
    else:
        assert len(found) == max(len(name) - 1, 0)
