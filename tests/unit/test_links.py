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
from neo4j_align.store import links, schema
from tests.unit import builders
from tests.unit.builders import config

keys = st.text(st.sampled_from("|~:a "), max_size=4) | st.text(max_size=6)
labels = keys.filter(bool)
LEFT = config()


def graphs(left: str, right: str) -> Config:
    """A configuration of these two graphs."""
    sides = {"left": {"label": left, "key": "uid"}, "right": {"property": "source", "value": right, "key": "uid"}}
    return parse_config(LEFT.model_dump(mode="json") | sides)


@settings(max_examples=300, deadline=None)
@given(st.tuples(labels, keys, keys, keys), st.tuples(labels, keys, keys, keys))
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


def frame(pairs: list[str]) -> pd.DataFrame:
    """Links between the entities a, b … at 0, 1 … and 1, 2 … at 1, 2 …, each written as `a|1`."""
    ends = [pair.split("|") for pair in pairs]
    rows = [(ord(left) - ord("a"), int(right), left, right) for left, right in ends]
    return pd.DataFrame(rows, columns=[*links.AT, "left", "right"]).astype(dict.fromkeys(links.AT, np.int64))


def existing(rows: list[tuple[str, float, str]], stale: list[str] | None = None) -> links.Existing:
    _, confidence, model = zip(*rows, strict=True) if rows else ((), (), ())
    table = frame([pair for pair, *_ in rows]).assign(confidence=list(confidence), model=list(model), score=1.0)
    return links.Existing(table, stale or [], Verdicts())


def wanted(rows: list[tuple[str, float]]) -> pd.DataFrame:
    return frame([pair for pair, _ in rows]).assign(confidence=[confidence for _, confidence in rows], score=1.0)


def short(pairs: pd.Series[str]) -> list[str]:
    """Return names of pairs without the sides."""
    left, right = (f"{schema.side_name(LEFT, side)}:" for side in (0, 1))
    return [pair.replace(left, "").replace(right, "") for pair in pairs]


def test_difference_by_hand() -> None:
    changes = links.difference(
        LEFT,
        existing([("a|1", 0.9, "m"), ("b|2", 0.9, "m"), ("c|3", 0.9, "old"), ("d|4", 0.9, "m")]),
        wanted([("a|1", 0.9), ("b|2", 0.8), ("c|3", 0.9), ("e|5", 0.7)]),
        "m",
    )
    assert changes.create["pair"].tolist() == [links.pair_name(LEFT, "e", "5")]
    assert changes.create[links.COLUMNS[1:]].values.tolist() == [["e", "5", 0.7, 1.0]]
    assert sorted(short(changes.update["pair"])) == ["b|2", "c|3"]
    assert changes.update["confidence"].tolist() == [0.8, 0.9]
    assert changes.update["score"].tolist() == [1.0, 1.0]
    assert short(changes.retire["pair"]) == ["d|4"]
    assert changes.counts == {"created": 1, "updated": 2, "retired": 1}


def test_a_link_whose_score_moved_is_updated_and_one_on_a_renamed_entity_goes() -> None:
    there = existing([("a|1", 0.9, "m")], stale=["old|1"])
    there.predicted["score"] = 0.5
    changes = links.difference(LEFT, there, wanted([("a|1", 0.9)]), "m")
    assert short(changes.update["pair"]) == ["a|1"]
    assert changes.retire["pair"].tolist() == ["old|1"]


def test_links_whose_ends_are_gone_are_retired_each_by_its_own_name() -> None:
    there = existing([("a|1", 0.9, "m"), ("b|2", 0.9, "m"), ("c|3", 0.9, "m")])
    there.predicted[links.AT] = [[-1, -1], [-1, -1], [2, -1]]
    changes = links.difference(LEFT, there, wanted([("c|3", 0.9)]), "m")
    assert short(changes.create["pair"]) == ["c|3"]
    assert sorted(short(changes.retire["pair"])) == ["a|1", "b|2", "c|3"]


PAIRS = st.sampled_from([f"{a}|{b}" for a in "abc" for b in "12"])
states = st.dictionaries(
    PAIRS,
    st.tuples(st.sampled_from([0.25, 0.5, 1.0]), st.sampled_from(["m", "old"])),
)


@settings(max_examples=100, deadline=None)
@given(states, st.dictionaries(PAIRS, st.sampled_from([0.25, 1.0])))
def test_what_is_written_leaves_what_should_be(before: dict[str, tuple[float, str]], after: dict[str, float]) -> None:
    """Played on a dictionary; and a second time there is nothing to do."""
    state = dict(before)
    for turn in range(2):
        there = existing([(pair, confidence, model) for pair, (confidence, model) in state.items()])
        changes = links.difference(LEFT, there, wanted(list(after.items())), "m")
        assert turn == 0 or changes.counts == {"created": 0, "updated": 0, "retired": 0}
        for pair in short(changes.retire["pair"]):
            del state[pair]
        for rows, known in ((changes.update, True), (changes.create, False)):
            for pair, confidence in zip(short(rows["pair"]), rows["confidence"], strict=True):
                assert (pair in state) == known
                assert state.get(pair) != (confidence, "m")
                state[pair] = (confidence, "m")
    assert state == {pair: (confidence, "m") for pair, confidence in after.items()}


@pytest.mark.parametrize("there", [[], [("a|1", 0.5, "m")]])
def test_nothing_wanted(there: list[tuple[str, float, str]]) -> None:
    changes = links.difference(LEFT, existing(there), wanted([]), "m")
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
    assert (stay.stale, went.stale) == ([], [links.pair_name(LEFT, before.keys[1], before.keys[3])])
