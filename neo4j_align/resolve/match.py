"""Probabilities to links: one-to-one by confidence, abstaining below the threshold. Pure and deterministic."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from neo4j_align.records import DIGITS, BoolArray, Pairs


def match(
    pairs: Pairs,
    confidence: npt.NDArray[np.float64],
    score: npt.NDArray[np.float64],
    threshold: npt.NDArray[np.float64],
    exclusive: BoolArray,
    confirmed: Collection[tuple[int, int]] = (),
    rejected: Collection[tuple[int, int]] = (),
) -> npt.NDArray[np.int64]:
    """Choose the pairs to link, most confident first.

    Between equal confidences, which are rounded, the higher score decides; then the smaller left, then right index,
    which is the order of the keys. A person's verdicts come first: a rejected pair is never chosen, a confirmed one is
    never chosen again but takes its two entities.

    Args:
        confidence: (P,), score: (P,), threshold: (P,), the least confidence of a link of that pair's type.
        exclusive: (P,), whether an entity of that pair's type has at most one link.

    Returns:
        Rows of the chosen pairs, in the order of the pairs.
    """
    decided = {*confirmed, *rejected}
    taken_left = {left for left, _ in confirmed}
    taken_right = {right for _, right in confirmed}
    eligible = np.flatnonzero(confidence >= threshold)
    keys = pairs.right, pairs.left, -np.round(score, DIGITS), -confidence
    order = eligible[np.lexsort([key[eligible] for key in keys])]
    chosen = []
    columns = pairs.left[order].tolist(), pairs.right[order].tolist(), exclusive[order].tolist()
    for row, left, right, alone in zip(order.tolist(), *columns, strict=True):
        if (left, right) in decided or (alone and (left in taken_left or right in taken_right)):
            continue
        chosen.append(row)
        if alone:
            taken_left.add(left)
            taken_right.add(right)
    return np.sort(np.array(chosen, dtype=np.int64))
