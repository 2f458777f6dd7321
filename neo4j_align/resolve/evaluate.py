"""How good the links are: precision, recall, F1, PRAUC, hits@k, pair completeness, calibration. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import average_precision_score, precision_recall_curve

from neo4j_align.errors import DataError
from neo4j_align.records import DIGITS, LEFT, RIGHT, BoolArray, Nodes, Pairs
from neo4j_align.resolve.labels import Labels, judge

Scores = npt.NDArray[np.float64]
_BINS = 15
POINTS = 50  # of a precision-recall curve, at most


def evaluate(
    nodes: Nodes,
    pairs: Pairs,
    confidence: Scores,
    linked: BoolArray,
    labels: Labels,
    split: str | None,
    seed: int,
    complete: bool | None = None,
) -> dict[str, Any]:
    """Measure candidate pairs and the links chosen among them against labels.

    Args:
        pairs: all candidates; confidence: (P,); linked: (P,), which of them became links.
        split: one of train, valid, test, or None for all labels.
        seed: of the hash that puts unlisted entities into a split.
        complete: see `labels.judge`.

    Returns:
        The figures over all covered types, with the points of `curve` and `reliability`, and under `types` the same
        for each.

    Raises:
        DataError: The split holds no labels.
    """
    chosen = np.ones(len(labels.left), bool) if split is None else labels.split == split
    if not chosen.any():
        raise DataError(f"The labels have no pair in the split {split!r}. Give another --split.")
    same, of = judge(labels, nodes, pairs, seed, complete)
    judged = (same >= 0) if split is None else (of == split) & (same >= 0)
    kinds = pd.Series(labels.kind, dtype=object)
    by_type = kinds.groupby(nodes.type[labels.left]).agg(lambda names: names.mode()[0])  # how the labels call a type
    kind_of_pair = pd.Series(nodes.type[pairs.left]).map(by_type).fillna("").to_numpy(object)
    tables = {}
    for kind in [None, *sorted(set(by_type))]:
        rows = judged & (kind_of_pair != "") if kind is None else judged & (kind_of_pair == kind)
        mine = chosen if kind is None else chosen & (pd.Series(nodes.type[labels.left]).map(by_type).to_numpy() == kind)
        if not mine.any():
            continue
        tables[kind] = _figures(nodes, pairs, confidence, linked, same == 1, rows, labels, mine)
    return {"split": split or "all", **tables.pop(None), "types": tables}


def _figures(
    nodes: Nodes,
    pairs: Pairs,
    confidence: Scores,
    linked: BoolArray,
    same: BoolArray,
    rows: BoolArray,
    labels: Labels,
    mine: BoolArray,
) -> dict[str, Any]:
    gold = pd.DataFrame({"left": labels.left, "right": labels.right})[mine & labels.same].drop_duplicates()
    hit = rows & linked
    true = int(np.count_nonzero(hit & same))
    missed = len(gold) - int(np.count_nonzero(rows & same))
    precision, recall = true / max(int(hit.sum()), 1), true / max(len(gold), 1)
    ranked = pairs.take(np.isin(pairs.left, gold["left"]))
    ranks = ranks_of(gold, ranked, confidence[np.isin(pairs.left, gold["left"])])
    types = np.unique(nodes.type[labels.left[mine]])
    compared = int(np.isin(nodes.type[pairs.left], types).sum())
    possible = sum(_count(nodes, LEFT, kind) * _count(nodes, RIGHT, kind) for kind in types)
    return {
        "links": int(hit.sum()),
        "gold": len(gold),
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / max(precision + recall, 1e-12),
        **ranking(same[rows], confidence[rows], max(missed, 0)),
        "hits_at_1": float(np.mean(ranks <= 1)) if len(ranks) else 0.0,
        "hits_at_10": float(np.mean(ranks <= 10)) if len(ranks) else 0.0,
        "pair_completeness": float(np.mean(np.isfinite(ranks))) if len(ranks) else 0.0,
        "reduction_ratio": 1 - compared / max(possible, 1),
        "ece": calibration_error(same[rows], confidence[rows]),
        "ece_links": calibration_error(same[hit], confidence[hit]),
        "ece_chance": chance(confidence[rows]),
        "curve": curve(same[rows], confidence[rows], max(missed, 0)),
        "reliability": reliability(same[rows], confidence[rows]),
    }


def _count(nodes: Nodes, side: int, kind: int) -> int:
    return int(np.count_nonzero((nodes.side == side) & (nodes.type == kind)))


def ranking(same: BoolArray, confidence: Scores, missed: int) -> dict[str, float]:
    """Return area under the precision-recall curve, and the recall at precision 0.95; (P,) each.

    Args:
        missed: true pairs that are not among these: they count as never found.
    """
    if not same.any():
        return {"prauc": 0.0, "recall_at_precision_95": 0.0}
    found = same.sum() / (same.sum() + missed)
    precision, recall, _ = precision_recall_curve(same, confidence)
    reached = recall[:-1][precision[:-1] >= 0.95]
    return {
        "prauc": float(average_precision_score(same, confidence) * found),
        "recall_at_precision_95": float(reached.max(initial=0.0) * found),
    }


def curve(same: BoolArray, confidence: Scores, missed: int) -> list[list[float]]:
    """Return at most POINTS points of the precision-recall curve: threshold, precision, recall, the strictest first.

    Args:
        same, confidence: (P,); missed: as in `ranking`.
    """
    if not same.any():
        return []
    precision, recall, threshold = precision_recall_curve(same, confidence)
    found = same.sum() / (same.sum() + missed)
    rows = np.stack([threshold, precision[:-1], recall[:-1] * found], axis=1)[::-1]
    # By recall: most pairs are no links, and their thresholds lie together at its end.
    places = np.searchsorted(rows[:, 2], np.linspace(0, rows[-1, 2], POINTS))
    points: list[list[float]] = np.round(rows[np.unique(places)], DIGITS).tolist()
    return points


def reliability(same: BoolArray, confidence: Scores) -> list[list[float]]:
    """Return of each of the bins of the calibration error that holds pairs: mean confidence, frequency, pairs."""
    if not len(same):
        return []
    bins = _bin(confidence)
    count = np.bincount(bins, minlength=_BINS)
    sums = [np.bincount(bins, values, _BINS)[count > 0] for values in (confidence, same)]
    kept = count[count > 0]
    columns = [np.round(column / kept, DIGITS).tolist() for column in sums]
    return [list(row) for row in zip(*columns, kept.tolist(), strict=True)]


def ranks_of(gold: pd.DataFrame, pairs: Pairs, confidence: Scores) -> Scores:
    """Return the rank of each gold link's right entity among its left entity's candidates; inf where it is none.

    Ties count as half: an entity that all candidates equal has the mean rank.
    """
    table = pd.DataFrame({"left": pairs.left, "right": pairs.right, "confidence": confidence})
    table["rank"] = table.groupby("left")["confidence"].rank(ascending=False, method="average")
    ranks: Scores = gold.merge(table, on=["left", "right"], how="left")["rank"].fillna(np.inf).to_numpy(float)
    return ranks


def calibration_error(same: BoolArray, confidence: Scores) -> float:
    """Return the expected calibration error over 15 bins of equal width: mean |confidence - frequency|."""
    if not len(same):
        return 0.0
    bins = _bin(confidence)
    count = np.bincount(bins, minlength=_BINS)
    gap = np.abs(np.bincount(bins, confidence, _BINS) - np.bincount(bins, same, _BINS))
    return float(gap[count > 0].sum() / len(same))


def chance(confidence: Scores) -> float:
    """Return the calibration error that confidences which are exactly right are expected to show.

    With few pairs it is not near 0: the frequency in a bin differs from its expectation by chance, normally
    distributed, by sqrt(2 / pi) standard deviations on average.
    """
    if not len(confidence):
        return 0.0
    variance = np.bincount(_bin(confidence), confidence * (1 - confidence), _BINS)
    return float(np.sqrt(2 / np.pi * variance).sum() / len(confidence))


def _bin(confidence: Scores) -> npt.NDArray[np.int64]:
    return np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)


def best_threshold(confidence: Scores, same: npt.NDArray[Any], gold: float, fewest: int = 30) -> float:
    """Return the least confidence of a link that gives the best F1 on validation; 0.5 where there are few links.

    Args:
        confidence, same: (L,), the links that matching chose at threshold 0, and whether or how likely each is true.
        gold: number of true links, found or not, or how many to expect.

    Returns:
        The middle between the last link kept and the first left out, so that nothing hangs on one link.
    """
    if gold < fewest or not len(same):
        return 0.5
    if not same.any():
        return 1.0
    order = np.argsort(-confidence, kind="stable")
    values = confidence[order]
    f1 = 2 * np.cumsum(same[order]) / (np.arange(1, len(values) + 1) + gold)
    f1[:-1][values[:-1] == values[1:]] = -1  # a cut between equal confidences is none
    best = int(np.argmax(f1))
    after = values[best + 1] if best + 1 < len(values) else 0.0
    return float((values[best] + after) / 2)
