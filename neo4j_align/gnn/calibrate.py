"""Scores to probabilities, fitted on validation (Platt scaling), per type where there is enough to fit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict
from sklearn.linear_model import LogisticRegression

from neo4j_align.records import DIGITS, BoolArray

FEWEST = 20  # labelled pairs of each kind that a curve of its own takes


class Curve(BaseModel):
    """confidence = 1 / (1 + exp(-(slope · logit + offset)))."""

    model_config = ConfigDict(frozen=True)

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the confidences of logits, (P,), rounded to DIGITS."""
        bounded = np.clip(self.slope * logits + self.offset, -50, 50)
        confidence: npt.NDArray[np.float64] = np.round(1 / (1 + np.exp(-bounded)), DIGITS)
        return confidence


def fit(
    logits: npt.NDArray[np.float64], same: BoolArray, types: npt.NDArray[np.int16], count: int
) -> tuple[Curve, ...]:
    """Fit a curve for each of `count` types on validation pairs, (P,); types with few labels share one.

    A curve never turns the order of the scores around: where the fit would, the scores are taken as they are.
    """
    shared = _fit(logits, same) or Curve()
    return tuple(_fit(logits[types == kind], same[types == kind]) or shared for kind in range(count))


def _fit(logits: npt.NDArray[np.float64], same: BoolArray) -> Curve | None:
    if min(same.sum(), (~same).sum()) < FEWEST:
        return None
    # The usual ridge keeps a curve finite where validation is separable.
    line = LogisticRegression().fit(logits[:, None], same)
    slope = float(line.coef_[0, 0])
    return Curve(slope=slope, offset=float(line.intercept_[0])) if slope > 0 else None


def apply(
    curves: tuple[Curve, ...], logits: npt.NDArray[np.float64], types: npt.NDArray[np.int16]
) -> npt.NDArray[np.float64]:
    """Return the confidence of each pair by the curve of its type, (P,)."""
    confidence = np.zeros(len(logits))
    for kind, curve in enumerate(curves):
        confidence[types == kind] = curve(logits[types == kind])
    return confidence
