"""Strangers: wrong pairs to learn from, where the candidates of links hold none. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from neo4j_align.records import IntArray
from neo4j_align.resolve.labels import Labels
from neo4j_align.resolve.splits import SPLITS


def of_unrivalled(labels: Labels, types: npt.NDArray[np.int16], left: IntArray, right: IntArray) -> IntArray:
    """Find wrong pairs for links whose left entities have no other candidate: of every other link's, (n, 2).

    Where no two names resemble each other there would be nothing wrong to learn from. Half of the links stay alone,
    as such entities are when they are judged.

    Args:
        types: (N,), of the entities.
        left, right: (P,), the candidates.
    """
    seen = labels.of(labels.same & (labels.split != "test"))
    alone = ~np.isin(seen.left, left[~np.isin(_pair(left, right), _pair(seen.left, seen.right))])
    found: list[IntArray] = [np.zeros((0, 2), np.int64)]
    for kind in np.unique(types[seen.left]):
        for split in SPLITS:
            links = seen.links[(types[seen.left] == kind) & (seen.split == split) & alone]
            found.append(np.stack([links[:, 0], np.roll(links[:, 1], 1)], axis=1)[::2])
    return np.concatenate(found)


def _pair(left: IntArray, right: IntArray) -> npt.NDArray[np.int64]:
    return left.astype(np.int64) << 32 | right
