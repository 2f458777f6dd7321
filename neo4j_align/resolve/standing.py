"""What a pair has to reach to be linked, everything else as it is. Pure and deterministic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from neo4j_align.records import DIGITS, BoolArray, Pairs, Verdicts
from neo4j_align.resolve.match import match

Outcome = Literal["linked", "confirmed", "rejected", "below threshold", "taken"]
Rank = tuple[float, float, int, int]  # of a pair, as `match` orders them: the smaller comes first
FIRST: Rank = (-np.inf, -np.inf, -1, -1)  # of a confirmed pair


@dataclass(frozen=True)
class Standing:
    """A pair among those that share an entity with it.

    Attributes:
        left, right: the pair; threshold: the least confidence of a link of its type.
        verdict: what a person said of it, None where nobody did.
        link: whether a person's link or one of the matching without this pair takes one of its entities, the first of
            them: left, right, and its rank; None where both are free, or may have several links.
    """

    left: int
    right: int
    threshold: float
    verdict: Literal["confirmed", "rejected"] | None
    link: tuple[int, int, Rank] | None

    def outcome(self, confidence: float, score: float) -> Outcome:
        """Return what becomes of the pair if its confidence and score are these."""
        if self.verdict is not None:
            return self.verdict
        if confidence < self.threshold:
            return "below threshold"
        mine = _rank(confidence, score, self.left, self.right)
        return "taken" if self.link is not None and self.link[2] < mine else "linked"


def stand(
    pairs: Pairs,
    confidence: npt.NDArray[np.float64],
    score: npt.NDArray[np.float64],
    types: npt.NDArray[np.int16],
    thresholds: npt.NDArray[np.float64],
    exclusive: BoolArray,
    verdicts: Verdicts,
    pair: tuple[int, int],
) -> Standing:
    """Return what becomes of a pair, candidate or not, whatever its own score.

    The matching takes pairs in their order, so what comes before a pair does not depend on it: it is linked where no
    pair of the matching without it takes one of its entities before.

    Args:
        confidence, score: as of `match`; types: (N,), of the entities; thresholds, exclusive: per type.
    """
    verdict: Literal["confirmed", "rejected"] | None = None
    if pair in verdicts.confirmed:
        verdict = "confirmed"
    elif pair in verdicts.rejected:
        verdict = "rejected"
    kind, kinds = types[pair[0]], types[pairs.left]
    least = float(thresholds[kind])
    if not exclusive[kind]:
        return Standing(*pair, least, verdict, None)
    others = verdicts.confirmed - {pair}
    rejected = verdicts.rejected | {pair}
    rows = match(pairs, confidence, score, thresholds[kinds], exclusive[kinds], others, rejected)
    ends = np.stack([pairs.left[rows], pairs.right[rows]], axis=1)
    rows = rows[(ends == pair).any(axis=1)]
    found = [(one, FIRST) for one in sorted(others) if one[0] == pair[0] or one[1] == pair[1]]
    for row in rows.tolist():
        one = int(pairs.left[row]), int(pairs.right[row])
        found.append((one, _rank(float(confidence[row]), float(score[row]), *one)))
    link = min(found, key=lambda other: (other[1], other[0]), default=None)
    return Standing(*pair, least, verdict, None if link is None else (*link[0], link[1]))


def _rank(confidence: float, score: float, left: int, right: int) -> Rank:
    return -confidence, -round(score, DIGITS), left, right
