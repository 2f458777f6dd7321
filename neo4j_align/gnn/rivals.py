"""What the last look says of a pair's rivals: (P, F) features."""

from __future__ import annotations

import numpy as np

from neo4j_align.records import Anchors, FloatArray, Pairs


def rivals(anchors: Anchors, pairs: Pairs) -> tuple[FloatArray, tuple[str, ...]]:
    """Return how surely the left and the right entity of each pair belong to another one, (P, 2), and the names."""
    taken = [
        np.where(anchors.twin[one] == other, 0, anchors.confidence[one])
        for one, other in ((pairs.left, pairs.right), (pairs.right, pairs.left))
    ]
    return np.stack([np.maximum(*taken), np.minimum(*taken)], axis=1), ("taken most", "taken least")
