"""What a run keeps of how its links came about, as small tables: a funnel by type, scores, degrees. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neo4j_align.config import Config
from neo4j_align.records import LEFT, RIGHT, BoolArray, Nodes, Pairs, SmallArray, Verdicts
from neo4j_align.resolve.drift import SCORES

NEAR = 0.5  # of its type's threshold: from there on a pair that is no link is a near miss
DEGREES = np.array([1, 2, 3, 5, 9, 17, 33, 65])  # bounds of the bins of numbers of neighbours
_DIGITS = 4
Column = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """What became of candidate pairs.

    Attributes:
        logits, confidence: (P,); linked: (P,), chosen by the matching.
        thresholds: of each type, the least confidence of a link; infinity where there are none.
        verdicts: a person's; such pairs are neither links of the machine nor misses.
    """

    pairs: Pairs
    logits: Column
    confidence: Column
    linked: BoolArray
    thresholds: Column
    verdicts: Verdicts

    def kinds(self, nodes: Nodes) -> dict[str, BoolArray]:
        """Part the pairs into `links`, `near` misses, `rejected` by the machine, and `decided` by a person; (P,)."""
        least = np.minimum(self.thresholds, 1)[nodes.type[self.pairs.left]]
        decided = self._decided(len(nodes))
        near = ~self.linked & ~decided & (self.confidence >= NEAR * least)
        return {
            "links": self.linked,
            "near": near,
            "rejected": ~self.linked & ~near & ~decided,
            "decided": decided & ~self.linked,
        }

    def _decided(self, count: int) -> BoolArray:
        ends = np.array(sorted(self.verdicts.confirmed | self.verdicts.rejected), np.int64).reshape(-1, 2)
        return np.isin(self.pairs.left.astype(np.int64) * count + self.pairs.right, ends[:, 0] * count + ends[:, 1])


def account(config: Config, nodes: Nodes, degree: SmallArray, outcome: Outcome) -> dict[str, Any]:
    """Return the tables, for JSON.

    Returns:
        `types`: of each aligned type, the steps from all possible pairs to links; `scores`: how many pairs of each
        kind have a score in each bin of `drift.SCORES`; `degrees`: see `_degrees`.
    """
    kinds = outcome.kinds(nodes)
    bins = np.searchsorted(SCORES, outcome.logits, side="right")
    scores = {
        kind: np.bincount(bins[kinds[kind]], minlength=len(SCORES) + 1).tolist()
        for kind in ("links", "near", "rejected")
    }
    types = {
        kind.name: _funnel(nodes, outcome, kinds, index) for index, kind in enumerate(config.types) if kind.aligned
    }
    return {"types": types, "scores": scores, "degrees": _degrees(config, nodes, degree, outcome)}


def _funnel(nodes: Nodes, outcome: Outcome, kinds: dict[str, BoolArray], index: int) -> dict[str, Any]:
    mine, least = nodes.type[outcome.pairs.left] == index, float(outcome.thresholds[index])
    left, right = ((nodes.side == side) & (nodes.type == index) for side in (LEFT, RIGHT))
    return {
        "left": int(left.sum()),
        "right": int(right.sum()),
        "candidates": int(mine.sum()),
        "compared": len(np.unique(outcome.pairs.left[mine])),
        "near": int((kinds["near"] & mine).sum()),
        "eligible": int((mine & (outcome.confidence >= least)).sum()),
        "links": int((outcome.linked & mine).sum()),
        "decided": int((kinds["decided"] & mine).sum()),
        "threshold": round(least, 6) if math.isfinite(least) else None,
    }


def _degrees(config: Config, nodes: Nodes, degree: SmallArray, outcome: Outcome) -> dict[str, list[Any]]:
    """Return, for each bin of DEGREES, what neighbours do for confidence.

    Returns:
        `links`, whose end with fewer neighbours is in the bin, with the quartiles `low`, `median` and `high` of their
        confidence (None without links); `entities`, left ones of aligned types with so many neighbours, and how many
        of them are `linked`.
    """
    left, right = outcome.pairs.left[outcome.linked], outcome.pairs.right[outcome.linked]
    bins = np.searchsorted(DEGREES, np.minimum(degree[left], degree[right]), side="right")
    confidence = outcome.confidence[outcome.linked]
    quartiles = [_quartiles(confidence[bins == place]) for place in range(len(DEGREES) + 1)]
    aligned = np.array([kind.aligned for kind in config.types])
    entities = np.flatnonzero((nodes.side == LEFT) & aligned[nodes.type])
    own = [np.searchsorted(DEGREES, degree[some], side="right") for some in (entities, np.unique(left))]
    counts = [np.bincount(places, minlength=len(DEGREES) + 1).tolist() for places in (bins, *own)]
    columns = [list(column) for column in zip(*quartiles, strict=True)]
    return dict(zip(("links", "entities", "linked", "low", "median", "high"), [*counts, *columns], strict=True))


def _quartiles(values: Column) -> tuple[float | None, ...]:
    if not len(values):
        return (None,) * 3
    return tuple(float(value) for value in np.round(np.quantile(values, [0.25, 0.5, 0.75]), _DIGITS))
