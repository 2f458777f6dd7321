"""Names of pairs, and what has to be written so that the database holds the links that should be."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neo4j_align.config import Config, parse_config
from neo4j_align.records import Links, Verdicts
from neo4j_align.store import links
from tests.unit import builders
from tests.unit.builders import config

keys = st.text(st.sampled_from("|~:a "), max_size=4) | st.text(max_size=6)
LEFT = config()


def graphs(left: str, right: str) -> Config:
    """A configuration of these two graphs."""
    sides = {"left": {"label": left, "key": "uid"}, "right": {"property": "source", "value": right, "key": "uid"}}
    return parse_config(LEFT.model_dump(mode="json") | sides)


@settings(max_examples=300, deadline=None)
@given(st.tuples(keys, keys, keys, keys), st.tuples(keys, keys, keys, keys))
def test_no_two_pairs_of_any_graphs_share_a_name(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    names = {links.pair_name(graphs(left, right), *ends) for left, right, *ends in (one, other)}
    assert len(names) == len({one, other})


def test_no_two_of_all_short_pairs_share_a_name() -> None:
    texts = ["".join(letters) for size in range(4) for letters in itertools.product("|~a", repeat=size)]
    names = {links.pair_name(LEFT, left, right) for left in texts for right in texts}
    assert len(names) == len(texts) ** 2


def test_the_name_of_a_usual_pair_is_readable() -> None:
    mapping = graphs("IMDb", "freebase")
    assert links.pair_name(mapping, "tt0133093", "/m/01") == "IMDb:tt0133093|freebase:/m/01"
    assert links.pair_name(mapping, "a|b:c", "~") == "IMDb:a~|b~:c|freebase:~~"
    assert links.pair_name(mapping, 7, "x") == "IMDb:7|freebase:x"


def existing(rows: list[tuple[str, float, str]], stale: list[str] | None = None) -> links.Existing:
    table = pd.DataFrame(rows, columns=["pair", "confidence", "model"]).assign(left=None, right=None, score=1.0)
    return links.Existing(table, pd.DataFrame({"pair": stale or []}, dtype=object), Verdicts())


def wanted(rows: list[tuple[str, float]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["pair", "confidence"])
    ends = table["pair"].str.split("|", expand=True) if rows else pd.DataFrame({0: [], 1: []})
    return table.assign(left=ends[0], right=ends[1], score=1.0)


def test_difference_by_hand() -> None:
    changes = links.difference(
        existing([("a|1", 0.9, "m"), ("b|2", 0.9, "m"), ("c|3", 0.9, "old"), ("d|4", 0.9, "m")]),
        wanted([("a|1", 0.9), ("b|2", 0.8), ("c|3", 0.9), ("e|5", 0.7)]),
        "m",
    )
    assert changes.create[[*links.COLUMNS]].values.tolist() == [["e|5", "e", "5", 0.7, 1.0]]
    assert sorted(changes.update["pair"]) == ["b|2", "c|3"]
    assert changes.update.set_index("pair")["confidence"].to_dict() == {"b|2": 0.8, "c|3": 0.9}
    assert changes.update["score"].tolist() == [1.0, 1.0]
    assert changes.retire["pair"].tolist() == ["d|4"]
    assert changes.counts == {"created": 1, "updated": 2, "retired": 1}


def test_a_link_whose_score_moved_is_updated_and_one_on_a_renamed_entity_goes() -> None:
    there = existing([("a|1", 0.9, "m")], stale=["old|1"])
    there.predicted["score"] = 0.5
    changes = links.difference(there, wanted([("a|1", 0.9)]), "m")
    assert changes.update["pair"].tolist() == ["a|1"]
    assert changes.retire["pair"].tolist() == ["old|1"]


PAIRS = st.sampled_from([f"{a}|{b}" for a in "abc" for b in "12"])
states = st.dictionaries(
    PAIRS,
    st.tuples(st.sampled_from([0.25, 0.5, 1.0]), st.sampled_from(["m", "old"])),
)


@settings(max_examples=100, deadline=None)
@given(
    states, st.dictionaries(st.sampled_from([f"{a}|{b}" for a in "abc" for b in "12"]), st.sampled_from([0.25, 1.0]))
)
def test_what_is_written_leaves_what_should_be(before: dict[str, tuple[float, str]], after: dict[str, float]) -> None:
    """Played on a dictionary; and a second time there is nothing to do."""
    state = dict(before)
    for turn in range(2):
        there = existing([(pair, confidence, model) for pair, (confidence, model) in state.items()])
        changes = links.difference(there, wanted(list(after.items())), "m")
        assert turn == 0 or changes.counts == {"created": 0, "updated": 0, "retired": 0}
        for pair in changes.retire["pair"]:
            del state[pair]
        for rows, known in ((changes.update, True), (changes.create, False)):
            for pair, confidence in rows[["pair", "confidence"]].itertuples(index=False):
                assert (pair in state) == known
                assert state.get(pair) != (confidence, "m")
                state[pair] = (confidence, "m")
    assert state == {pair: (confidence, "m") for pair, confidence in after.items()}


@pytest.mark.parametrize("there", [[], [("a|1", 0.5, "m")]])
def test_nothing_wanted(there: list[tuple[str, float, str]]) -> None:
    changes = links.difference(existing(there), wanted([]), "m")
    assert changes.counts == {"created": 0, "updated": 0, "retired": len(there)}


def test_an_entity_that_went_over_to_the_other_side_has_no_verdict_and_no_link_there() -> None:
    """As where links are read, which are looked for by the keys of each side."""
    before = builders.nodes(["a", "b"], ["c", "d"])
    after = dataclasses.replace(before, side=np.array([0, 1, 1, 1], before.side.dtype))
    pairs = np.array([[0, 2], [1, 3]])
    kept = Links(pairs, np.ones(2), np.ones(2), pairs, pairs[:0])
    stay, went = (links.recalled(LEFT, nodes, before, kept, "m") for nodes in (before, after))
    assert stay.verdicts.confirmed == {(0, 2), (1, 3)}
    assert went.verdicts.confirmed == {(0, 2)}
    assert (len(stay.stale), went.stale["left"].tolist()) == (0, [before.keys[1]])
