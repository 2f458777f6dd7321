"""Anchors: entities taken to be the same, as evidence for their neighbours. Pure and deterministic."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from neo4j_align.records import LEFT, RIGHT, Anchors, BoolArray, IntArray, Nodes, Objects, Pairs
from neo4j_align.resolve.match import match

WORTH = 0.01  # confidence below which a counterpart says nothing


def of_names(nodes: Nodes, signatures: Objects) -> Anchors:
    """Return those that alone bear a name, on both sides, within their type.

    Args:
        signatures: (N,), what identifies a name, "" where there is none.
    """
    named = np.flatnonzero(signatures != "")
    table = pd.DataFrame({"type": nodes.type[named], "name": signatures[named], "side": nodes.side[named], "at": named})
    table = table[~table.duplicated(["type", "name", "side"], keep=False)]
    one, other = (table[table["side"] == side] for side in (LEFT, RIGHT))
    both = one.merge(other, on=["type", "name"], suffixes=("_left", "_right"))
    left, right = both["at_left"].to_numpy(), both["at_right"].to_numpy()
    return _anchors(len(nodes), left, right, np.ones(len(left)))


def of_scores(
    nodes: Nodes, pairs: Pairs, confidence: npt.NDArray[np.float64], logits: npt.NDArray[np.float64],
    judged: BoolArray, names: Anchors,
) -> Anchors:  # fmt: skip
    """Return the best one-to-one pairs of a look, each with its confidence; of types without labels, those of `names`.

    Args:
        confidence: (P,), logits: (P,).
        judged: per type, whether labels taught the look to judge it.
    """
    mine = judged[nodes.type[pairs.left]]
    taken = match(pairs, confidence, logits, np.where(mine, WORTH, np.inf), np.ones(len(pairs), bool))
    named = np.flatnonzero((names.twin >= 0) & (nodes.side == LEFT) & ~judged[nodes.type])
    return _anchors(
        len(nodes),
        np.r_[pairs.left[taken], named],
        np.r_[pairs.right[taken], names.twin[named]],
        np.r_[confidence[taken], names.confidence[named]],
    )


def _anchors(count: int, left: IntArray, right: IntArray, confidence: npt.NDArray[np.float64]) -> Anchors:
    twin, sure = np.full(count, -1, np.int64), np.zeros(count, np.float32)
    twin[left], twin[right] = right, left
    sure[left] = sure[right] = confidence
    return Anchors(twin, sure)
