"""Scores to probabilities, fitted on validation (Platt scaling), per type where there is enough to fit."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from neo4j_align.records import DIGITS, BoolArray

FEWEST = 20  # labelled pairs of each kind that a curve takes
_STEPS, _CLOSE = 100, 1e-9  # of Newton's method: how many at most, and how short the last


class Curve(BaseModel):
    """confidence = 1 / (1 + exp(-(slope · logit + offset)))."""

    model_config = ConfigDict(frozen=True)

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the confidences of logits, (P,), rounded to DIGITS."""
        confidence: npt.NDArray[np.float64] = np.round(_sigmoid(self.slope * logits + self.offset), DIGITS)
        return confidence


def fit(
    logits: npt.NDArray[np.float64], same: BoolArray, types: npt.NDArray[np.int16], count: int
) -> tuple[Curve, ...]:
    """Fit a curve for each of `count` types on validation pairs, (P,); types with few labels share one.

    A curve never turns the order of the scores around: where the fit would, the scores are taken as they are.
    """
    shared = _fit(logits, same) or Curve()
    return tuple(_fit(logits[types == kind], same[types == kind]) or shared for kind in range(count))


def centred(curves: tuple[Curve, ...], types: Collection[int]) -> tuple[Curve, ...]:
    """Let the curves of some types cross one half where the logit is 0, as the network learned to.

    Labels that a model made for itself lie far apart, and where between them a curve crosses hangs on a few.
    """
    return tuple(Curve(slope=curve.slope) if kind in types else curve for kind, curve in enumerate(curves))


def _fit(logits: npt.NDArray[np.float64], same: BoolArray) -> Curve | None:
    """Fit a logistic curve with Firth's correction (Bias reduction of maximum likelihood estimates, 1993).

    It is finite where validation is separable, as a ridge is, but takes the scores in any unit: a ridge flattens the
    curve of a network whose logits are small, and no one can say how strong it should be.
    """
    if min(same.sum(), (~same).sum()) < FEWEST or not (spread := float(logits.std())):
        return None
    middle = float(logits.mean())
    columns = np.stack([(logits - middle) / spread, np.ones_like(logits)], axis=1)
    line = np.zeros(2)
    for _ in range(_STEPS):
        likely = _sigmoid(columns @ line)
        weight = likely * (1 - likely)
        covariance = np.linalg.pinv(columns.T @ (columns * weight[:, None]))
        leverage = weight * np.einsum("pi,ij,pj->p", columns, covariance, columns)
        step = covariance @ (columns.T @ (same - likely + leverage * (0.5 - likely)))
        longest = max(1.0, float(np.abs(line).max()))  # a full step from far away overshoots
        line += step * min(1.0, longest / max(float(np.abs(step).max()), _CLOSE))
        if np.abs(step).max() < _CLOSE * longest:
            break
    slope = float(line[0]) / spread
    return Curve(slope=slope, offset=float(line[1]) - slope * middle) if slope > 0 else None


def _sigmoid(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    likely: npt.NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(values, -50, 50)))
    return likely


def apply(
    curves: tuple[Curve, ...], logits: npt.NDArray[np.float64], types: npt.NDArray[np.int16]
) -> npt.NDArray[np.float64]:
    """Return the confidence of each pair by the curve of its type, (P,)."""
    confidence = np.zeros(len(logits))
    for kind, curve in enumerate(curves):
        confidence[types == kind] = curve(logits[types == kind])
    return confidence
