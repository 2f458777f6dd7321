"""What a pair's rivals say: the other candidates of its two entities, and what the last look took for true."""

from __future__ import annotations

import numpy as np
import pandas as pd

from neo4j_align.records import Anchors, FloatArray, Pairs, SmallArray

Features = tuple[FloatArray, tuple[str, ...]]  # (P, F), and their names
PLACES = ("rank left", "margin left", "rank right", "margin right")


def places(pairs: Pairs) -> FloatArray:
    """Compare each pair with the other candidates of its two entities; (P, 4), named PLACES."""
    return np.hstack([place(pairs.scores, end) for end in (pairs.left, pairs.right)])


def place(scores: FloatArray, end: SmallArray) -> FloatArray:
    """Compare pairs, with scores (P, S), with those of the same entity, (P,): rank, and margin to the best; (P, 2)."""
    total = pd.Series(scores.sum(axis=1))
    grouped = total.groupby(end)
    columns = 1 / grouped.rank(method="min", ascending=False), total - grouped.transform("max")
    return np.stack(columns, axis=1).astype(np.float32)


def taken(anchors: Anchors, pairs: Pairs) -> Features:
    """Return how surely the left and the right entity of each pair belong to another one, (P, 2), and the names."""
    sure = [
        np.where(anchors.twin[one] == other, 0, anchors.confidence[one])
        for one, other in ((pairs.left, pairs.right), (pairs.right, pairs.left))
    ]
    return np.stack([np.maximum(*sure), np.minimum(*sure)], axis=1), ("taken most", "taken least")
