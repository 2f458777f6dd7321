"""Labels: what is read, who belongs to which split, and what is not known."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neo4j_align.errors import DataError
from neo4j_align.records import Anchors, Nodes, Verdicts
from neo4j_align.resolve import guesses, labels, splits, strangers, verdicts
from tests.unit.builders import anchors, nodes, pairs

Table = dict[str, list[Any]]
TYPES = ("T0", "T1")
COUNT = 10  # entities a side; the first half is of the first type


def graph() -> Nodes:
    types = [0] * 5 + [1] * 5
    return nodes([f"a{i}" for i in range(COUNT)], [f"b{i}" for i in range(COUNT)], types=types * 2)


def read(table: Table, seed: int = 13) -> labels.Labels:
    return labels.read(pd.DataFrame(table), graph(), TYPES, seed)


def rows(known: labels.Labels) -> list[tuple[int, int, bool, str, str]]:
    columns = (known.left, known.right, known.same, known.split, known.kind)
    return list(zip(*(column.tolist() for column in columns), strict=True))


# read


def test_reads_links_with_splits() -> None:
    known = read({"left": ["l0", "l7"], "right": ["r1", "r8"], "split": ["train", " Test "]})
    assert rows(known) == [(0, 11, True, "train", "T0"), (7, 18, True, "test", "T1")]
    assert known.listed
    assert known.links.tolist() == [[0, 11], [7, 18]]


def test_reads_labelled_pairs() -> None:
    values = ["1", "0", " True", "no", 1.0, 0, True, "yes"]
    count = len(values)
    known = read({
        "left": ["l0"] * count,
        "right": ["r0"] * count,
        "label": values,
        "type": ["film"] * count,
        "split": ["valid"] * count,
    })  # fmt: skip
    assert known.same.tolist() == [True, False, True, False, True, False, True, True]
    assert set(known.kind) == {"film"}
    assert not known.listed
    assert len(known.links) == 5


def test_numbers_match_keys_that_are_numbers() -> None:
    """A CSV has text, Neo4j whole numbers; a frame may have either."""
    entities = nodes(["a", "b"], ["c", "d"])
    entities.keys[:] = [1, "2", 10, "20"]
    for left, right in ((["1", "2"], ["10", "20"]), ([1, 2], [10, 20])):
        known = labels.read(pd.DataFrame({"left": left, "right": right}), entities, ("T0",), 13)
        assert known.links.tolist() == [[0, 2], [1, 3]]


def test_pairs_that_the_graph_lacks_are_left_out() -> None:
    known = read({"left": ["l0", "gone", "l1"], "right": ["r0", "r1", "gone"], "split": ["train"] * 3})
    assert known.links.tolist() == [[0, 10]]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"left": ["l0"]}, "lack the column right"),
        ({"a": ["l0"]}, "lack the column left and right"),
        ({"left": ["l0", None], "right": ["r0", "r1"]}, "Row 2 of the labels lacks left or right"),
        ({"left": ["l0"], "right": [""]}, "Row 1 of the labels lacks left or right"),
        ({"left": [], "right": []}, "No labelled pair has both its keys"),
        ({"left": ["r0"], "right": ["l0"]}, "No labelled pair has both its keys"),
        ({"left": ["l0"], "right": ["r9"]}, "l0, r9 joins entities of different types, T0 and T1"),
        ({"left": ["l0"], "right": ["r0"], "label": ["maybe"]}, "must hold 1 or 0, not 'maybe'"),
        ({"left": ["l0"], "right": ["r0"], "label": [None]}, "must hold 1 or 0"),
        ({"left": ["l0"], "right": ["r0"], "label": [2]}, "must hold 1 or 0, not '2'"),
        ({"left": ["l0"], "right": ["r0"], "split": ["dev"]}, "must hold train, valid, test, not 'dev'"),
        ({"left": ["l0"], "right": ["r0"], "split": [None]}, "must hold train, valid, test"),
    ],
)
def test_what_cannot_be_read_is_said(table: Table, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(table)


def test_seeded_splits_are_a_function_of_the_left_key() -> None:
    left = [f"l{i}" for i in range(5)] * 2
    table: Table = {"left": left, "right": ["r0"] * 5 + ["r1"] * 5}
    known = read(table)
    assert known.split[:5].tolist() == known.split[5:].tolist()  # one entity's pairs are not torn apart
    turned = read({name: column[::-1] for name, column in table.items()})
    assert turned.split[::-1].tolist() == known.split.tolist()
    alone = [read({"left": [key], "right": ["r0"]}).split[0] for key in left[:5]]
    assert alone == known.split[:5].tolist()


def test_seeded_splits_have_their_shares_and_change_with_the_seed() -> None:
    entities = nodes([f"a{i}" for i in range(4_000)], ["b"])
    table = pd.DataFrame({"left": entities.keys[:-1], "right": "r0"})
    split, other = (labels.read(table, entities, ("T0",), seed).split for seed in (1, 2))
    count = pd.Series(split).value_counts()
    assert abs(count["train"] / 4_000 - 0.7) < 0.03
    assert abs(count["valid"] / 4_000 - 0.15) < 0.03
    assert abs((split == other).mean() - (0.7**2 + 2 * 0.15**2)) < 0.04


# judge


def judged(table: Table, chosen: list[tuple[int, int]], **more: Any) -> list[tuple[int, str]]:
    same, split = labels.judge(read(table), graph(), pairs(chosen), 13, **more)
    return list(zip(same.tolist(), split.tolist(), strict=True))


@pytest.mark.parametrize(("exclusive", "rival"), [(True, (0, "valid")), (False, (-1, ""))])
def test_where_links_are_one_to_one_a_true_pair_says_that_its_rivals_are_wrong(
    exclusive: bool, rival: tuple[int, str]
) -> None:
    """But what was said of a pair itself comes first, and an entity that is tested is not learned from."""
    table: Table = {
        "left": ["l0", "l1", "l2", "l3"],
        "right": ["r0", "r1", "r2", "r3"],
        "label": [1, 0, 1, 1],
        "split": ["valid", "train", "test", "train"],
    }
    chosen = [(0, 10), (0, 11), (1, 11), (1, 14), (2, 14), (3, 14), (4, 10)]
    same, split = labels.learnt(read(table), graph(), pairs(chosen), 13, [exclusive, True])
    found = list(zip(same.tolist(), split.tolist(), strict=True))
    assert found[:4] == [(1, "valid"), rival, (0, "train"), (-1, "")]
    assert found[6] == rival
    assert found[4:6] == ([(0, "test"), (0, "train")] if exclusive else [(-1, "")] * 2)


def test_labelled_pairs_say_nothing_of_others() -> None:
    table: Table = {
        "left": ["l0", "l0", "l1"],
        "right": ["r0", "r1", "r1"],
        "label": [1, 0, 1],
        "split": ["train", "valid", "test"],
    }
    chosen = [(0, 10), (0, 11), (0, 12), (1, 10), (1, 11)]
    expected = [(1, "train"), (0, "valid"), (-1, ""), (-1, ""), (1, "test")]
    assert judged(table, chosen) == expected
    assert judged(table, chosen, complete=True) == expected


def test_of_two_verdicts_about_a_pair_the_last_counts(caplog: pytest.LogCaptureFixture) -> None:
    table: Table = {"left": ["l0", "l0"], "right": ["r0", "r0"], "label": [1, 0], "split": ["train", "test"]}
    assert judged(table, [(0, 10)]) == [(0, "test")]
    said = "2 of 2 labels say both that a pair is the same and that it is not, for example l0, r0; the last counts"
    assert caplog.messages == [said]


def test_a_list_says_no_of_other_pairs_of_its_entities() -> None:
    table: Table = {"left": ["l0", "l1"], "right": ["r0", "r1"], "split": ["train", "test"]}
    chosen = [(0, 10), (0, 11), (0, 14), (4, 10), (4, 11), (4, 14)]
    # By the left entity's split, else by the right one's; a pair of which neither is listed is not known.
    assert judged(table, chosen, complete=False) == [
        (1, "train"),
        (0, "train"),
        (0, "train"),
        (0, "train"),
        (0, "test"),
        (-1, ""),
    ]


def test_a_complete_list_says_no_of_unlisted_entities_of_its_types_too() -> None:
    table: Table = {"left": ["l0", "l1"], "right": ["r0", "r1"], "split": ["test", "test"]}
    found = judged(table, [(4, 14), (9, 19)], complete=True)
    assert found == [(0, "test"), (-1, "")]  # the second type is not covered


def test_a_list_that_covers_half_of_a_type_is_taken_to_be_complete() -> None:
    half: Table = {"left": ["l0", "l1", "l2"], "right": ["r0", "r1", "r2"], "split": ["test"] * 3}
    fewer = {name: column[:2] for name, column in half.items()}
    assert judged(half, [(4, 14)]) == [(0, "test")]
    assert judged(fewer, [(4, 14)]) == [(-1, "")]


all_pairs = [(left, COUNT + right) for left in range(COUNT) for right in range(COUNT)]
tables = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.booleans()), min_size=1, max_size=8)


@settings(max_examples=25, deadline=None)
@given(tables, st.booleans(), st.sampled_from([None, True, False]), st.sets(st.sampled_from(all_pairs), min_size=1))
def test_a_verdict_does_not_depend_on_the_other_pairs_or_the_order_of_the_labels(
    listed: list[tuple[int, int, bool]], with_label: bool, complete: bool | None, chosen: set[tuple[int, int]]
) -> None:
    table = pd.DataFrame({"left": [f"l{i}" for i, _, _ in listed], "right": [f"r{i}" for _, i, _ in listed]})
    if with_label:
        table = table.assign(label=[int(same) for _, _, same in listed]).drop_duplicates(["left", "right"])
    else:
        table = table.drop_duplicates("left").drop_duplicates("right")
    entities = graph()
    known, turned = (labels.read(frame, entities, TYPES, 13) for frame in (table, table.iloc[::-1]))
    same, split = labels.judge(known, entities, pairs(all_pairs), 13, complete)
    at = [all_pairs.index(pair) for pair in sorted(chosen)]
    for of in (known, turned):
        part, part_split = labels.judge(of, entities, pairs(sorted(chosen)), 13, complete)
        assert part.tolist() == same[at].tolist()
        assert part_split.tolist() == split[at].tolist()
    links = {tuple(link) for link in known.links.tolist()}
    assert {pair for pair, verdict in zip(all_pairs, same, strict=True) if verdict == 1} == links
    assert ((same == -1) == (split == "")).all()


# with_validation, exclusive


def test_a_fifth_of_train_becomes_valid_and_nothing_else_moves() -> None:
    entities = nodes([f"a{i}" for i in range(1_000)], ["b"])
    split = ["train"] * 900 + ["test"] * 100
    known = labels.read(pd.DataFrame({"left": entities.keys[:-1], "right": "r0", "split": split}), entities, ("T0",), 1)
    made = labels.with_validation(known, entities, 1)
    assert 0.15 < (made.split[:900] == "valid").mean() < 0.25
    assert set(made.split[:900]) == {"train", "valid"}
    assert set(made.split[900:]) == {"test"}
    assert known.split.tolist() == split  # a new one is returned
    assert labels.with_validation(made, entities, 2) is made


@pytest.mark.parametrize("seed", range(20))
def test_ten_true_pairs_suffice_whatever_the_seed(seed: int) -> None:
    """Seeded splits left none to validate with in every fifth case."""
    entities = nodes(["a"] * 10, ["b"] * 10)
    table = pd.DataFrame({"left": entities.keys[:10], "right": entities.keys[10:]})
    labels.require_links(labels.with_validation(labels.read(table, entities, ("T0",), seed), entities, seed))


@pytest.mark.parametrize("split", ["test", "valid"])
def test_labels_without_a_true_pair_to_learn_from_are_refused(split: str) -> None:
    known = read({"left": ["l0"], "right": ["r0"], "split": [split]})
    with pytest.raises(DataError, match="no true pair in the split 'train'"):
        labels.require_links(labels.with_validation(known, graph(), 13))


def test_labels_without_a_true_pair_to_validate_with_are_refused() -> None:
    table: Table = {"left": ["l0", "l1"], "right": ["r0", "r1"], "label": [1, 0], "split": ["train", "valid"]}
    with pytest.raises(DataError, match="no true pair in the split 'valid'"):
        labels.require_links(labels.with_validation(read(table), graph(), 13))


@pytest.mark.parametrize("repeated", [0, 2, 3])
def test_links_are_one_to_one_where_at_most_two_in_a_hundred_are_not(repeated: int) -> None:
    """100 linked entities of the left side, some of which have two links; and the same turned around."""
    count = 100
    entities = nodes([f"a{i}" for i in range(2 * count)], [f"b{i}" for i in range(2 * count)])
    links = [(i, i) for i in range(count)] + [(i, count + i) for i in range(repeated)]
    for one, other in (("left", "right"), ("right", "left")):
        table = pd.DataFrame({one: [f"{one[0]}{a}" for a, _ in links], other: [f"{other[0]}{b}" for _, b in links]})
        table["split"] = "train"
        known = labels.read(table, entities, ("T0",), 13)
        assert labels.exclusive(1, known, entities) == [repeated <= 2]


@pytest.mark.parametrize(
    ("twice", "looked", "one"),
    [(0, 0, True), (1, 0, True), (2, 0, False), (2, 17, False), (2, 18, True), (0, 50, True)],
)
@pytest.mark.parametrize("turned", [False, True])
def test_single_pairs_show_one_to_one_links_where_several_of_an_entity_are_labelled(
    twice: int, looked: int, one: bool, turned: bool
) -> None:
    """Of a hundred songs two had two links, and of hardly any other a second pair was looked at."""
    entities = nodes(["a"] * 200, ["b"] * 200)
    ends = [(at, at) for at in range(100)] + [(at, 100 + at) for at in range(twice + looked)]
    left, right = np.array([pair[::-1] if turned else pair for pair in ends]).T
    same, split = np.arange(len(ends)) < 100 + twice, np.full(len(ends), "train", dtype=object)
    known = labels.Labels(left, 200 + right, same, split, split, listed=False)
    assert labels.exclusive(1, known, entities) == [one]


def test_repeats_of_a_link_and_pairs_that_differ_are_no_second_link() -> None:
    table: Table = {"left": ["l0", "l0", "l0"], "right": ["r0", "r0", "r1"], "label": [1, 1, 0]}
    assert labels.exclusive(2, read(table), graph()) == [True, True]


def test_the_test_split_does_not_tell_whether_links_are_one_to_one() -> None:
    many: Table = {"left": ["l5", "l5"], "right": ["r5", "r6"], "split": ["train", "test"]}
    assert labels.exclusive(2, read(many), graph()) == [True, True]
    many["split"] = ["train", "valid"]
    assert labels.exclusive(2, read(many), graph()) == [True, False]


def test_the_digest_of_labels_is_that_of_their_rows_whatever_the_order() -> None:
    table = pd.DataFrame({"left": ["l0", "l1"], "right": ["r0", "r1"]})
    assert labels.digest(table) == labels.digest(table[::-1]) == labels.digest(table.assign(note="x"))
    assert labels.digest(table) != labels.digest(table.assign(right=["r1", "r0"]))


@pytest.mark.parametrize("turned", [False, True])
def test_a_link_keeps_its_own_split_and_the_rest_goes_to_the_last_of_the_entitys(turned: bool) -> None:
    rows = [("l0", "r0", "train"), ("l0", "r1", "test")]
    table = pd.DataFrame(rows[::-1] if turned else rows, columns=["left", "right", "split"])
    known = labels.read(table, graph(), TYPES, seed=0)

    same, split = labels.judge(known, graph(), pairs([(0, COUNT), (0, COUNT + 1), (0, COUNT + 2)]), seed=0)
    assert same.tolist() == [1, 1, 0]
    assert split.tolist() == ["train", "test", "test"]


@pytest.mark.parametrize(
    ("same", "split", "message"),
    [
        ([0, 0], ["train", "valid"], "'train' is known to be true"),
        ([1, 0, 0], ["train", "train", "valid"], "'valid' is known to be true"),
        ([1, 1, 0], ["train", "valid", "valid"], "'train' is known to be false"),
        ([], [], "'train' is known to be true"),
    ],
)
def test_training_requires_both_kinds_of_pairs_in_both_splits(same: list[int], split: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        labels.require(np.array(same), np.array(split, dtype=object))


NONE = np.zeros((0, 2), np.int64)
ALL = np.ones(1, bool)
NOBODY = np.zeros(0, object)
UNTOLD = labels.Labels(NONE[:, 0], NONE[:, 1], np.zeros(0, bool), NOBODY, NOBODY, listed=False)


def test_anchors_as_labels_say_nothing_of_what_they_leave_out() -> None:
    entities = nodes(["a", "b", "c", "d"], ["a", "b", "c", "d"])
    found = guesses.of_anchors(anchors(8, {(0, 4): 1.0, (1, 5): 0.95, (2, 6): 0.5}), NONE, entities, ("T0",), 13, ALL)
    assert found.links.tolist() == [[0, 4], [1, 5]]
    assert found.guessed == {0}
    same, split = labels.judge(found, entities, pairs([(0, 4), (0, 5), (2, 5), (2, 6), (3, 7)]), 13)
    assert same.tolist() == [1, 0, 0, -1, -1]
    assert (split == "").tolist() == [False, False, False, True, True]


def test_anchors_as_labels_are_held_out_always_the_same() -> None:
    entities = nodes(["a"] * 200, ["a"] * 200)
    every = guesses.of_anchors(anchors(400, {(i, 200 + i): 1.0 for i in range(200)}), NONE, entities, ("T0",), 13, ALL)
    some = guesses.of_anchors(anchors(400, {(i, 399 - i): 1.0 for i in range(100)}), NONE, entities, ("T0",), 13, ALL)
    assert some.split.tolist() == every.split[:100].tolist()
    assert 20 <= (every.split == "valid").sum() <= 60
    assert set(every.split) == {"train", "valid"}


@pytest.mark.parametrize("count", [15, 99])
def test_of_few_anchors_exactly_a_fifth_is_held_out(count: int) -> None:
    entities = nodes(["a"] * 200, ["a"] * 200)
    few = guesses.of_anchors(anchors(400, {(i, 200 + i): 1.0 for i in range(count)}), NONE, entities, ("T0",), 13, ALL)
    assert (few.split == "valid").sum() == -(-count // 5)


@given(st.sets(st.text(max_size=3), max_size=40), st.randoms())
def test_a_fifth_is_the_same_in_any_order(keys: set[str], luck: Random) -> None:
    one = sorted(keys)
    other = luck.sample(one, len(one))
    split, again = (splits.fifth(np.array(order, dtype=object), 13) for order in (one, other))
    assert dict(zip(one, split, strict=True)) == dict(zip(other, again, strict=True))
    assert abs((split == "valid").sum() - len(one) / 5) < 1
    assert len(one) < 2 or set(split) == {"train", "valid"}


@given(st.data())
def test_every_other_link_without_a_wrong_candidate_gets_one(data: st.DataObject) -> None:
    types = np.array([0, 0, 0, 1, 1, 0, 0, 0, 1, 1])
    linked = data.draw(st.lists(st.booleans(), min_size=5, max_size=5).map(np.flatnonzero))
    split = data.draw(st.lists(st.sampled_from(splits.SPLITS), min_size=len(linked), max_size=len(linked)))
    found = data.draw(st.sets(st.tuples(st.integers(0, 4), st.integers(5, 9))))
    same = np.ones(len(linked), bool)
    known = labels.Labels(linked, linked + 5, same, np.array(split, dtype=object), types[linked], listed=True)
    left, right = np.array(sorted(found), np.int64).reshape(-1, 2).T
    wrong = strangers.of_unrivalled(known, types, left, right).tolist()
    of = dict(zip(linked.tolist(), split, strict=True))
    lonely = {one for one in of if of[one] != "test" and not {end for one_, end in found if one_ == one} - {one + 5}}
    groups = [
        {one for one in lonely if types[one] == kind and of[one] == name} for kind in (0, 1) for name in of.values()
    ]
    for one, end in wrong:
        assert one in lonely
        assert end - 5 in lonely
        assert types[one] == types[end]
        assert of[one] == of[end - 5]
    for group in groups:
        mine = [(one, end) for one, end in wrong if one in group]
        assert len(mine) == (len(group) + 1) // 2
        assert len(group) < 2 or all(end != one + 5 for one, end in mine)


def test_orphans_are_parted_and_their_left_ends_have_no_counterpart() -> None:
    entities = nodes(["a"] * 200, ["a"] * 200)
    every = anchors(400, {(i, 200 + i): 1.0 for i in range(200)})
    kept, orphans = guesses.part(every, UNTOLD, entities, 13, ALL)
    assert 30 <= len(orphans) <= 70
    assert (orphans[:, 1] == orphans[:, 0] + 200).all()
    assert not kept.sure[orphans].any()
    assert kept.sure.sum() == 2 * (200 - len(orphans))
    assert every.sure.all()  # the anchors that were given are as they were

    known = guesses.of_anchors(kept, orphans, entities, ("T0",), 13, ALL)
    orphan, other = int(orphans[0, 0]), int(known.right[0])
    same, split = labels.judge(known, entities, pairs([(orphan, other)]), 13)
    assert same.tolist() == [0]
    assert split.tolist() != [""]


def _single(same: list[bool]) -> labels.Labels:
    """Return labels of pairs of 200 entities a side, of which the first left one goes with the last right one."""
    left, split = np.arange(len(same)), np.full(len(same), "train", dtype=object)
    return labels.Labels(left, 399 - left, np.array(same), split, split, listed=False)


@pytest.mark.parametrize(
    ("same", "free"), [([True] * 80, range(80, 200)), ([False] * 80, range(200)), ([True] * 190, range(200))]
)
def test_what_a_person_found_to_be_the_same_is_no_orphan_if_others_can_be(same: list[bool], free: range) -> None:
    entities = nodes(["a"] * 200, ["a"] * 200)
    names = anchors(400, {(i, 399 - i): 1.0 for i in range(200)})
    orphans = guesses.part(names, _single(same), entities, 13, ALL)[1]
    every = guesses.part(names, UNTOLD, entities, 13, ALL)[1]
    assert orphans.tolist() == [pair for pair in every.tolist() if pair[0] in free]
    assert len(orphans) >= 10


def test_verdicts_on_what_is_tested_stay_where_it_is_guessed() -> None:
    """A person's no keeps the guess away that names would make."""
    entities = nodes(["a"] * 200, ["a"] * 200)
    listed = replace(_single([True] * 40), listed=True, split=np.array(["train"] * 20 + ["test"] * 20, dtype=object))
    decided = Verdicts(rejected=frozenset({(30, 368), (150, 249)}))
    given = verdicts.added(listed, verdicts.as_labels(decided, entities, ("T0",), 13))
    assert guesses.untested(given, decided, np.zeros(400, bool)).links.tolist() == given.links.tolist()
    left = guesses.untested(given, decided, np.ones(400, bool))
    assert left.left.tolist() == [*range(20), 30, 150]
    assert left.split[20] == "test"
    names = anchors(400, {(i, (368 if i == 30 else 249 if i == 150 else 399 - i)): 1.0 for i in (30, 60, 150)})
    known = verdicts.added(guesses.of_anchors(names, NONE, entities, ("T0",), 13, ALL), left)
    assert known.links.tolist() == [[60, 339], *listed.links[:20].tolist()]


def test_whoever_an_orphan_is_taken_for_is_no_label() -> None:
    entities = nodes(["a"] * 4, ["a"] * 4)
    orphans, found = np.array([[1, 5]]), anchors(8, {(0, 4): 1.0, (1, 6): 0.95})
    known = guesses.of_anchors(found, orphans, entities, ("T0",), 13, ALL)
    assert known.links.tolist() == [[0, 4]]


def test_strangers_are_parted_from_whoever_they_were_taken_for() -> None:
    entities = nodes(["a"] * 400, ["a"] * 400)
    names = anchors(800, {(i, 400 + i): 1.0 for i in range(100)})
    kept, orphans = guesses.part(names, UNTOLD, entities, 13, ALL)
    known = guesses.of_anchors(kept, orphans, entities, ("T0",), 13, ALL)
    taken = {(i, 799 - i): 0.95 for i in range(60, 399)}  # 100 to 299 are free on both sides
    taken |= {pair: 0.5 for pair in taken if pair[0] % 3 == 0}
    found = guesses.with_strangers(orphans, anchors(800, taken), known, entities, 13, ALL)
    assert found[: len(orphans)].tolist() == orphans.tolist()
    strangers = found[len(orphans) :]
    assert {(left, right) for left, right in strangers.tolist()} <= set(taken)
    assert 20 <= len(strangers) <= 50
    assert (strangers[:, 0] % 3 > 0).all()  # those that it is sure of
    assert not np.isin(strangers[:, 0], np.r_[known.left, orphans[:, 0]]).any()
    assert not np.isin(strangers[:, 1], np.r_[known.right, orphans[:, 1]]).any()

    parted = guesses.of_anchors(kept, found, entities, ("T0",), 13, ALL)
    assert parted.links.tolist() == known.links.tolist()
    same, split = labels.judge(parted, entities, pairs([(int(strangers[0, 0]), 400)]), 13)
    assert same.tolist() == [0]
    assert split.tolist() != [""]


def test_a_part_of_the_types_has_strangers_where_a_part_teaches_itself() -> None:
    entities, _ = single((60, 60))
    half, some = len(entities) // 2, np.array([False, True])
    every = anchors(2 * half, {(i, half + i): 0.95 for i in range(half)})
    known = guesses.of_anchors(anchors(2 * half, {}), NONE, entities, ("T0", "T1"), 13, some)
    found = guesses.with_strangers(NONE, every, known, entities, 13, some)
    assert len(found)
    assert set(entities.type[found].ravel()) == {1}


def single(true: tuple[int, int], listed: bool = False) -> tuple[Nodes, labels.Labels]:
    """Return entities of two types, and that so many pairs of each type are the same, and one of the second is not."""
    half = sum(true) + 1
    entities = nodes(["a"] * half, ["b"] * half, types=[*[0] * true[0], *[1] * (true[1] + 1)] * 2)
    left, same = np.arange(half), np.r_[np.ones(half - 1, bool), False]
    split = np.array(["train"] * half, dtype=object)
    return entities, labels.Labels(left, half + left, same, split, split, listed)


def alone(entities: Nodes, *kinds: int) -> Anchors:
    """Return sure anchors of all pairs of some types."""
    half = len(entities) // 2
    return anchors(2 * half, {(i, half + i): 1.0 for i in range(half) if entities.type[i] in kinds})


@pytest.mark.parametrize(
    ("true", "listed", "wanted"),
    [
        ((60, 39), False, [True, True]),
        ((60, 39), True, [True, True]),
        ((60, 40), False, [True, True]),
        ((100, 40), False, [False, True]),
        ((100, 100), False, [False, False]),
        ((100, 0), False, [False, False]),
        ((100, 40), True, [False, False]),
        ((0, 100), True, [False, False]),  # of the first none bears a name alone
    ],
)
def test_a_model_teaches_itself_the_types_of_which_it_was_told_little(
    true: tuple[int, int], listed: bool, wanted: list[bool]
) -> None:
    entities, given = single(true, listed)
    assert list(guesses.wanted(given, alone(entities, 0, 1), entities, ("T0", "T1"))) == wanted


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, True),
        ({"named": 599}, False),
        ({"wrong": 1}, True),
        ({"wrong": 2}, False),
        ({"no": 1}, True),
        ({"no": 2}, False),
        ({"nameless": 50}, True),
        ({"nameless": 51}, False),
        ({"named": 700, "many": 3}, True),
        ({"named": 700, "many": 4}, False),
    ],
)
def test_names_that_tell_much_more_than_persons_and_nearly_the_same_teach_too(
    listed: bool, change: dict[str, int], wanted: bool
) -> None:
    """Of 150 pairs of the second type; of the first, names tell none."""
    told = {"named": 600, "wrong": 0, "no": 0, "nameless": 0, "many": 0} | change
    half = 10 + told["nameless"] + told["named"]
    entities = nodes(["a"] * half, ["b"] * half, types=[*[0] * 10, *[1] * (half - 10)] * 2)
    left = np.r_[:160, 200 : 200 + told["no"], 10 : 10 + told["many"]]
    right = half + np.r_[left[: 160 + told["no"]], 300 : 300 + told["many"]]
    same, split = ~((left >= 200) & (left < 300)), np.resize(np.array(["train"] * 4 + ["valid"], object), len(left))
    given = labels.Labels(left, right, same, split, split, listed=listed)
    others = np.arange(half)
    for one in range(150, 150 + told["wrong"]):  # takes another's counterpart, and gives it its own
        others[[one, 400 + one]] = others[[400 + one, one]]
    bare = {*range(10 + max(told["nameless"], told["many"])), *range(300, 300 + told["many"])}
    names = anchors(2 * half, {(i, half + int(others[i])): 1.0 for i in range(half) if i not in bare})
    wanted &= listed or told["many"] == 0  # single pairs show it where several of an entity are labelled
    assert guesses.wanted(given, names, entities, ("T0", "T1")).tolist() == [False, wanted]


@pytest.mark.parametrize("true", [guesses.FEWEST - 1, guesses.FEWEST])
def test_a_list_of_next_to_no_pairs_of_a_type_does_not_show_that_names_are_right(true: int) -> None:
    entities = nodes(["a"] * 300, ["b"] * 300, types=[*[0] * 100, *[1] * 200] * 2)
    left = np.arange(100 + true)
    split = np.resize(np.array(["train", "valid"], object), len(left))
    given = labels.Labels(left, 300 + left, np.ones(len(left), bool), split, split, listed=True)
    assert guesses.wanted(given, alone(entities, 1), entities, ("T0", "T1")).tolist() == [False, true >= guesses.FEWEST]


def test_without_labels_a_model_teaches_itself_all_types() -> None:
    entities, _ = single((30, 30))
    assert guesses.wanted(None, alone(entities, 0, 1), entities, ("T0", "T1")).all()


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("named", [guesses.FEWEST - 1, guesses.FEWEST])
def test_a_model_teaches_itself_what_nobody_labelled_if_enough_bears_a_name_alone(listed: bool, named: int) -> None:
    entities, given = single((100, 40), listed)
    mine = entities.type[given.left] == 0
    half = len(entities) // 2
    names = anchors(2 * half, {(i, half + i): 1.0 for i in range(100 + named)})
    found = guesses.wanted(given.of(mine), names, entities, ("T0", "T1"))
    assert found.tolist() == [False, named == guesses.FEWEST]


def test_few_labels_beside_few_names_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    entities, given = single((5, 0), listed=True)
    assert not guesses.wanted(given, anchors(len(entities), {}), entities, ("T0", "T1")).any()
    assert "5 true pairs are few, and the model cannot teach itself besides: 0 names" in caplog.text


def test_guesses_beside_a_list_leave_the_list_what_it_is() -> None:
    """It still says that what it leaves out has no counterpart; the guesses do not."""
    entities, given = single((60, 60), listed=True)
    half, first = len(entities) // 2, np.arange(50)
    given = given.of(first)
    guessed = guesses.of_anchors(anchors(2 * half, {(i, half + i): 1.0 for i in range(60, 100)}), NONE, entities,
                                ("T0", "T1"), 13, np.array([False, True]))  # fmt: skip
    known = verdicts.added(guessed, given)
    assert known.lists(entities.type).all()
    asked = pairs([(0, half), (0, half + 5), (55, half + 55), (60, half + 60), (60, half + 61), (110, half + 110)])
    same, split = labels.judge(known, entities, asked, 13)
    assert same.tolist() == [1, 0, 0, 1, 0, -1]
    before = labels.judge(given, entities, asked.take(np.arange(3)), 13)
    assert before[0].tolist() == same[:3].tolist()
    assert before[1].tolist() == split[:3].tolist()


def test_what_no_entity_alone_is_named_teaches_nothing() -> None:
    entities, given = single((100, 40))
    assert not guesses.wanted(given, alone(entities, 0), entities, ("T0", "T1")).any()
    assert not guesses.wanted(None, alone(entities), entities, ("T0", "T1")).any()


def test_a_model_teaches_itself_some_types_alone() -> None:
    entities, _ = single((20, 20))
    some = np.array([False, True])
    kept, orphans = guesses.part(alone(entities, 0, 1), UNTOLD, entities, 13, some)
    assert len(orphans)
    assert (entities.type[orphans] == 1).all()
    known = guesses.of_anchors(kept, orphans, entities, ("T0", "T1"), 13, some)
    assert set(entities.type[known.left]) == {1}
    assert known.guessed == {1}


@pytest.mark.parametrize("exclusive", [True, False])
def test_guesses_of_one_type_leave_single_pairs_of_another_what_they_are(exclusive: bool) -> None:
    """They still say of no other pair whether it is the same, but where links are one-to-one."""
    entities, given = single((110, 40))
    half = len(entities) // 2
    guessed = guesses.of_anchors(alone(entities, 1), NONE, entities, ("T0", "T1"), 13, np.array([False, True]))
    known = verdicts.added(guessed, given)
    assert known.lists(entities.type[:half]).tolist() == [False] * 110 + [True] * 41
    asked = pairs([(0, half), (0, half + 5), (120, half + 120), (120, half + 121)])
    same, split = labels.learnt(known, entities, asked, 13, [exclusive, True])
    assert same.tolist() == [1, 0 if exclusive else -1, 1, 0]
    assert (split == "").tolist() == [False, not exclusive, False, False]
    before = labels.learnt(given, entities, asked.take(np.arange(2)), 13, [exclusive, True])
    assert before[0].tolist() == same[:2].tolist()
