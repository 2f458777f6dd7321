"""A person's verdicts: they overrule anchors, and are labels. Pure and deterministic."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd

from neo4j_align.records import Anchors, Nodes, Verdicts
from neo4j_align.resolve import labels
from neo4j_align.resolve.labels import Labels
from neo4j_align.resolve.splits import HELD_OUT, seeded


def overruled(anchors: Anchors, verdicts: Verdicts) -> Anchors:
    """Return anchors that keep to a person's verdicts; where these dispute each other, they say nothing."""
    twin, confidence = anchors.twin.copy(), anchors.confidence.copy()

    def part(entity: int) -> None:
        if twin[entity] >= 0:
            both = [entity, twin[entity]]
            twin[both], confidence[both] = -1, 0

    for left, right in verdicts.undisputed.rejected:
        if twin[left] == right:
            part(left)
    confirmed = verdicts.undisputed.confirmed
    times = Counter(entity for pair in confirmed for entity in pair)
    for left, right in confirmed:
        if times[left] == times[right] == 1:
            part(left)
            part(right)
            twin[left], twin[right] = right, left
            confidence[[left, right]] = 1
    return Anchors(twin, confidence)


def as_labels(verdicts: Verdicts, nodes: Nodes, type_names: tuple[str, ...], seed: int) -> Labels:
    """Return verdicts as labels of single pairs, a fifth of them to validate with; disputed ones say nothing."""
    given = verdicts.undisputed
    rows = sorted([(*pair, True) for pair in given.confirmed] + [(*pair, False) for pair in given.rejected])
    ends = np.array([row[:2] for row in rows], np.int64).reshape(-1, 2)
    return Labels(
        left=ends[:, 0],
        right=ends[:, 1],
        same=np.array([row[2] for row in rows], bool),
        split=seeded(nodes.keys[ends[:, 0]], HELD_OUT, seed),
        kind=np.array(type_names, dtype=object)[nodes.type[ends[:, 0]]],
        listed=False,
    )


def given(
    table: pd.DataFrame | None, verdicts: Verdicts, nodes: Nodes, type_names: tuple[str, ...], seed: int
) -> Labels:
    """Return what persons say: labels, and verdicts, which come before them.

    Raises:
        DataError: The labels cannot be used: no true pair is among them, or as `labels.read` says.
    """
    judged = as_labels(verdicts, nodes, type_names, seed)
    if table is None:
        return judged
    listed = labels.with_validation(labels.read(table, nodes, type_names, seed), nodes, seed)
    if not labels.known(listed):
        labels.require_links(listed)
    return added(listed, judged)


def added(known: Labels, judged: Labels) -> Labels:
    """Return labels with those of verdicts added, which take the place of others on the same pairs.

    What is guessed also gives way where an end was said to belong to another.
    A verdict on an entity of the test split belongs there: what is tested is never trained on.
    """
    tested = known.split == "test"
    held_out = np.isin(judged.left, known.left[tested]) | np.isin(judged.right, known.right[tested])
    decided = set(zip(judged.left.tolist(), judged.right.tolist(), strict=True))
    ends = zip(known.left.tolist(), known.right.tolist(), strict=True)
    kept = np.array([pair not in decided for pair in ends], bool)
    if known.guessed:
        kept &= ~np.isin(known.left, judged.left[judged.same]) & ~np.isin(known.right, judged.right[judged.same])
    judged = replace(judged, split=np.where(held_out, "test", judged.split).astype(object))
    return known.of(kept).followed_by(judged)
