"""Figures against scikit-learn, against their definitions, and against small cases done by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from neo4j_align.errors import DataError
from neo4j_align.resolve import evaluate, labels
from neo4j_align.resolve.splits import SPLITS
from tests.unit.builders import nodes, pairs

Table = dict[str, list[Any]]
Pair = tuple[int, int]
scored = st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.7, 0.9, 1.0]), st.booleans()), min_size=1, max_size=30)


def columns(rows: list[tuple[float, bool]]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    return np.array([value for value, _ in rows]), np.array([same for _, same in rows], dtype=bool)


# ranking


@settings(max_examples=100, deadline=None)
@given(scored, st.integers(0, 5))
def test_ranking_by_its_definition(rows: list[tuple[float, bool]], missed: int) -> None:
    """Go down the confidences: precision and recall of all pairs at least as confident; missed pairs never come."""
    confidence, same = columns(rows)
    area, best, before = 0.0, 0.0, 0.0
    for level in sorted(set(confidence), reverse=True):
        above = confidence >= level
        precision = same[above].mean()
        recall = same[above].sum() / max(same.sum() + missed, 1)
        area += precision * (recall - before)
        best = max(best, recall if precision >= 0.95 else 0.0)
        before = recall
    found = evaluate.ranking(same, confidence, missed)
    assert found == pytest.approx({"prauc": area, "recall_at_precision_95": best})


@settings(max_examples=50, deadline=None)
@given(scored)
def test_with_nothing_missed_the_area_is_that_of_scikit_learn(rows: list[tuple[float, bool]]) -> None:
    confidence, same = columns([*rows, (0.5, True)])
    found = evaluate.ranking(same, confidence, 0)
    assert found["prauc"] == pytest.approx(average_precision_score(same, confidence))


def test_without_a_true_pair_nothing_is_ranked() -> None:
    none = {"prauc": 0.0, "recall_at_precision_95": 0.0}
    assert evaluate.ranking(np.zeros(3, bool), np.array([0.1, 0.5, 0.9]), 2) == none
    assert evaluate.ranking(np.zeros(0, bool), np.zeros(0), 0) == none


# calibration_error


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_calibration_error_by_its_definition(rows: list[tuple[float, bool]]) -> None:
    confidence, same = columns(rows)
    total = 0.0
    for index in range(15):
        mine = (confidence * 15 >= index) & ((confidence * 15 < index + 1) | (index == 14))
        if mine.any():
            total += mine.mean() * abs(confidence[mine].mean() - same[mine].mean())
    assert evaluate.calibration_error(same, confidence) == pytest.approx(total, abs=1e-12)


def test_a_perfect_and_a_perverse_calibration() -> None:
    same = np.array([True, False])
    assert evaluate.calibration_error(same, np.array([1.0, 0.0])) == 0
    assert evaluate.calibration_error(same, np.array([0.0, 1.0])) == 1
    assert evaluate.calibration_error(np.zeros(0, bool), np.zeros(0)) == 0


# ranks_of


def test_ranks_are_among_the_left_entitys_candidates_and_ties_share_theirs() -> None:
    chosen = pairs([(0, 4), (0, 5), (0, 6), (1, 4), (1, 5), (2, 6)])
    confidence = np.array([0.9, 0.5, 0.5, 0.3, 0.3, 0.1])
    gold = pd.DataFrame({"left": [0, 0, 1, 2, 2, 3], "right": [4, 6, 5, 6, 4, 7]})
    assert evaluate.ranks_of(gold, chosen, confidence).tolist() == [1, 2.5, 1.5, 1, np.inf, np.inf]


# best_threshold


def f1_at(threshold: float, confidence: npt.NDArray[Any], same: npt.NDArray[Any], gold: float) -> float:
    kept = confidence >= threshold
    return float(2 * same[kept].sum() / max(kept.sum() + gold, 1))


@settings(max_examples=150, deadline=None)
@given(scored, st.integers(0, 10))
def test_no_threshold_is_better_than_the_best(rows: list[tuple[float, bool]], missed: int) -> None:
    confidence, same = columns(rows)
    gold = int(same.sum()) + missed
    threshold = evaluate.best_threshold(confidence, same, gold, fewest=0)
    best = max(f1_at(level, confidence, same, gold) for level in [*confidence, 0.0])
    assert f1_at(threshold, confidence, same, gold) == pytest.approx(best)
    assert 0 <= threshold <= 1


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0.001, 1).map(lambda value: round(value, 6)), min_size=1, max_size=30))
def test_where_confidences_are_honest_the_best_threshold_is_half_the_best_f1(confidences: list[float]) -> None:
    """Lipton et al., Thresholding classifiers to maximize F1 score, 2014."""
    confidence = np.array(confidences)
    threshold = evaluate.best_threshold(confidence, confidence, float(confidence.sum()), fewest=0)
    best = f1_at(threshold, confidence, confidence, float(confidence.sum()))
    assert best == pytest.approx(max(f1_at(t, confidence, confidence, float(confidence.sum())) for t in confidences))
    assert (confidence[confidence >= threshold] >= best / 2 - 1e-9).all()
    assert (confidence[confidence < threshold] <= best / 2 + 1e-9).all()


def test_the_threshold_stands_between_two_links() -> None:
    confidence, same = np.array([0.2, 0.9, 0.4, 0.8]), np.array([False, True, False, True])
    assert evaluate.best_threshold(confidence, same, gold=2, fewest=2) == pytest.approx(0.6)
    assert evaluate.best_threshold(confidence, same, gold=2, fewest=3) == 0.5
    assert evaluate.best_threshold(confidence, np.ones(4, bool), gold=4, fewest=2) == pytest.approx(0.1)


def test_links_of_one_confidence_are_kept_or_left_together() -> None:
    confidence, same = np.array([0.8, 0.8, 0.8]), np.array([True, False, False])
    assert evaluate.best_threshold(confidence, same, gold=1, fewest=1) == pytest.approx(0.4)


# chance


def test_the_calibration_error_that_chance_makes_is_that_of_labels_drawn_from_the_confidences() -> None:
    random = np.random.default_rng(0)
    confidence = random.beta(0.5, 0.5, 400)
    drawn = [evaluate.calibration_error(random.random(400) < confidence, confidence) for _ in range(300)]
    assert evaluate.chance(confidence) == pytest.approx(np.mean(drawn), rel=0.05)
    assert evaluate.chance(np.array([0.0, 1.0])) == evaluate.chance(np.zeros(0)) == 0


# evaluate


def graph_of(count: int) -> Any:
    """As many entities a side; the first half is of the first type, the second of the second."""
    types = [0] * (count // 2) + [1] * (count - count // 2)
    return nodes([f"a{i}" for i in range(count)], [f"b{i}" for i in range(count)], types=types * 2)


def run(
    table: Table, candidates: dict[Pair, tuple[float, bool]], split: str | None, count: int = 4, **more: Any
) -> dict[str, Any]:
    """Evaluate candidates, given with confidence and whether they became links; rights count from `count`."""
    graph, rows = graph_of(count), sorted(candidates)
    known = labels.read(pd.DataFrame(table), graph, ("T0", "T1"), 13)
    confidence, linked = columns([candidates[row] for row in rows])
    return evaluate.evaluate(graph, pairs(rows), confidence, linked, known, split, 13, **more)


def test_a_list_by_hand() -> None:
    """Two links of the first type, of which one is found and one was missed by blocking; one wrong link."""
    table: Table = {"left": ["l0", "l1"], "right": ["r0", "r1"], "split": ["test", "test"], "type": ["film", "film"]}
    found = run(table, {(0, 4): (0.9, True), (0, 5): (0.2, False), (1, 4): (0.6, True)}, "test", complete=True)
    expected = {
        "links": 2,
        "gold": 2,
        "precision": 0.5,
        "recall": 0.5,
        "f1": 0.5,
        "prauc": 0.5,
        "recall_at_precision_95": 0.5,
        "hits_at_1": 0.5,
        "hits_at_10": 0.5,
        "pair_completeness": 0.5,
        "reduction_ratio": 1 - 3 / 4,
        "ece": pytest.approx((0.1 + 0.2 + 0.6) / 3),
        "ece_links": pytest.approx((0.1 + 0.6) / 2),
        "ece_chance": pytest.approx(sum(np.sqrt(2 / np.pi * p * (1 - p)) for p in (0.9, 0.2, 0.6)) / 3),
        "curve": [[0.9, 1.0, 0.5]],
        "reliability": [[0.2, 0.0, 1], [0.6, 0.0, 1], [0.9, 1.0, 1]],
    }
    assert found.pop("split") == "test"
    assert found.pop("types") == {"film": expected}
    assert found == expected


@pytest.mark.parametrize(("listed", "warned"), [(1, True), (2, False)])
def test_a_list_of_few_links_is_warned_of(listed: int, warned: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Of four entities of either side half are one type: links of those that a sample leaves out count as wrong."""
    table: Table = {"left": ["l0", "l1", "l2"][:listed], "right": ["r0", "r1", "r2"][:listed]}
    table["split"] = ["test"] * listed
    run(table, {(0, 8): (0.9, True)}, "test", count=8, complete=True)
    assert (f"T0: {listed} of 4 are listed, and links of others count as wrong" in caplog.text) == warned


def test_labelled_pairs_by_hand() -> None:
    """Exactly the labelled pairs are judged; a pair that blocking missed counts as a no."""
    table: Table = {
        "left": ["l0", "l0", "l1", "l1", "l2"],
        "right": ["r0", "r1", "r1", "r0", "r2"],
        "label": [1, 0, 1, 0, 1],
        "split": ["test"] * 4 + ["train"],
    }
    candidates = {
        (0, 4): (0.9, True),
        (0, 5): (0.8, True),
        (1, 4): (0.1, False),
        (2, 6): (0.9, True),
        (3, 7): (1, True),
    }
    found = run(table, candidates, "test", complete=True)
    assert (found["links"], found["gold"]) == (2, 2)
    assert (found["precision"], found["recall"]) == (0.5, 0.5)
    assert found["types"]["T0"]["links"] == 2
    everything = run(table, candidates, None, complete=True)
    assert (everything["split"], everything["links"], everything["gold"]) == ("all", 3, 3)
    assert everything["types"]["T1"]["f1"] == 1
    assert everything["types"]["T0"]["precision"] == 0.5


def test_a_split_without_labels_is_said() -> None:
    table: Table = {"left": ["l0"], "right": ["r0"], "split": ["train"]}
    with pytest.raises(DataError, match="no pair in the split 'test'"):
        run(table, {(0, 4): (0.9, True)}, "test")


def test_no_true_pair_and_no_link_give_zeros_and_no_warning() -> None:
    table: Table = {"left": ["l0"], "right": ["r0"], "label": [0], "split": ["test"]}
    found = run(table, {(0, 4): (0.3, False)}, "test")
    zero = ("links", "gold", "precision", "recall", "f1", "prauc", "hits_at_1", "hits_at_10", "pair_completeness")
    assert {name: found[name] for name in zero} == dict.fromkeys(zero, 0)
    assert found["ece"] == pytest.approx(0.3)


COUNT = 6
cells = st.sampled_from([(left, COUNT + right) for left in range(3) for right in range(3)])
found_pairs = st.dictionaries(cells, st.tuples(st.sampled_from([0.1, 0.5, 0.9]), st.booleans()), min_size=1)


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(3)), st.integers(1, 3), found_pairs)
def test_figures_of_a_complete_list_are_those_of_scikit_learn(
    order: list[int], size: int, candidates: dict[Pair, tuple[float, bool]]
) -> None:
    """Over all pairs that there are of the covered type: which are links, which were said to be."""
    gold = {(left, COUNT + right) for left, right in list(enumerate(order))[:size]}
    table: Table = {"left": [f"l{left}" for left, _ in gold], "right": [f"r{right - COUNT}" for _, right in gold]}
    found = run(table, candidates, None, COUNT, complete=True)
    universe = [(left, COUNT + right) for left in range(3) for right in range(3)]
    truth = [pair in gold for pair in universe]
    said = [candidates.get(pair, (0, False))[1] for pair in universe]
    expected = precision_recall_fscore_support(truth, said, average="binary", zero_division=0)[:3]
    assert (found["precision"], found["recall"], found["f1"]) == pytest.approx(expected)
    assert found["pair_completeness"] == pytest.approx(len(gold & candidates.keys()) / len(gold))
    assert found["reduction_ratio"] == pytest.approx(1 - len(candidates) / 9)
    assert found["types"]["T0"] == {name: value for name, value in found.items() if name not in ("types", "split")}


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(3)), st.lists(st.sampled_from(SPLITS), min_size=3, max_size=3), found_pairs)
def test_the_splits_of_a_list_share_out_all_links(
    order: list[int], splits: list[str], candidates: dict[Pair, tuple[float, bool]]
) -> None:
    """Each link of the list and each link that was made is judged in one split only, and none is forgotten."""
    table: Table = {"left": [f"l{i}" for i in range(3)], "right": [f"r{i}" for i in order], "split": splits}
    parts = [run(table, candidates, split, COUNT, complete=True) for split in sorted(set(splits))]
    whole = run(table, candidates, None, COUNT, complete=True)
    for name in ("links", "gold"):
        assert sum(part[name] for part in parts) == whole[name]
    true = [part["recall"] * part["gold"] for part in parts]
    assert sum(true) == pytest.approx(whole["recall"] * whole["gold"])
    assert all(0 <= part[name] <= 1 for part in parts for name in ("precision", "recall", "f1", "prauc", "ece"))


def test_a_threshold_abstains_where_no_link_is_true_and_takes_a_half_where_there_are_few() -> None:
    confidence = np.array([0.9, 0.8])
    assert evaluate.best_threshold(confidence, np.zeros(2, bool), gold=100) == 1.0
    assert evaluate.best_threshold(confidence, np.ones(2, bool), gold=2) == 0.5
    assert evaluate.best_threshold(np.zeros(0), np.zeros(0, bool), gold=100) == 0.5
