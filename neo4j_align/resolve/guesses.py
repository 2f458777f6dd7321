"""Labels that a model makes for itself, of names that one entity of either side alone bears. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from neo4j_align.records import LEFT, Anchors, Nodes
from neo4j_align.resolve.labels import HELD_OUT, Labels, seeded

_ORPHANED = np.array([0.75, 1.0, 1.0])  # bounds: a quarter


def of_anchors(
    anchors: Anchors, orphans: npt.NDArray[np.int64], nodes: Nodes, type_names: tuple[str, ...], seed: int
) -> Labels:
    """Take sure anchors for labels, a part of them, always the same by their left keys, to validate with."""
    left = np.flatnonzero(anchors.sure & (nodes.side == LEFT))
    return Labels(
        left=left,
        right=anchors.twin[left],
        same=np.ones(len(left), bool),
        split=seeded(nodes.keys[left], HELD_OUT, seed),
        kind=np.array(type_names, dtype=object)[nodes.type[left]],
        listed=True,
        guessed=True,
        orphans=orphans,
    )


def part(anchors: Anchors, nodes: Nodes, seed: int) -> tuple[Anchors, npt.NDArray[np.int64]]:
    """Part a quarter of the anchors, always the same by their left keys: the anchors left, and the orphans (M, 2)."""
    left = np.flatnonzero(anchors.sure & (nodes.side == LEFT))
    left = left[seeded(nodes.keys[left], _ORPHANED, seed + 1) == "valid"]
    orphans = np.stack([left, anchors.twin[left]], axis=1)
    twin, confidence = anchors.twin.copy(), anchors.confidence.copy()
    twin[orphans], confidence[orphans] = -1, 0
    return Anchors(twin, confidence), orphans
