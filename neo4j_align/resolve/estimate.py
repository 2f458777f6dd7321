"""What a person's verdicts say of how many links are right: with an interval, and for which links it holds. Pure."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import ks_2samp

from neo4j_align.operating import wilson

BANDS = np.array([0.5, 0.8, 0.95])  # bounds of the bands of confidence
_CHANCE = 0.05  # a difference that chance makes less often than this is none of chance
_DIGITS = 6


def precision(verdicts: pd.DataFrame, unjudged: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Estimate the share of right links from those that were judged.

    Args:
        verdicts: of links that the model had made: `thought`, its confidence, and `same`, what the person said.
        unjudged: confidences of its links that nobody judged, (U,).

    Returns:
        `reviewed`, `right`, `precision` with the ends `low` and `high` of Wilson's 95 % interval, all three None
        without verdicts; `chance`, how probable it is that confidences of a random sample differ so much from those of
        the other links, None where one of the two is empty, and `random`, whether they can be one; `bands`, the same
        by confidence, with the mean `confidence` of the judged; `weighted`, the precision if each band counted as often
        as it has links, None where a band with links has no verdict; `expected`, the precision of all links if
        confidences mean what they say.
    """
    thought, same = verdicts["thought"].to_numpy(float), verdicts["same"].to_numpy(bool)
    mine, others = (np.searchsorted(BANDS, values, side="right") for values in (thought, unjudged))
    bands = [
        {
            **_share(same[mine == band]),
            "links": int((mine == band).sum() + (others == band).sum()),
            "confidence": _mean(thought[mine == band]),
        }
        for band in range(len(BANDS) + 1)
    ]
    everything = np.append(thought, unjudged)
    chance = _chance(thought, unjudged)
    return {
        **_share(same),
        "links": len(everything),
        "chance": chance,
        "random": chance is None or chance >= _CHANCE,
        "bands": bands,
        "weighted": _weighted(bands),
        "expected": _mean(everything),
    }


def _mean(values: npt.NDArray[np.float64]) -> float | None:
    return round(float(values.mean()), _DIGITS) if len(values) else None


def _share(same: npt.NDArray[np.bool_]) -> dict[str, Any]:
    right, of = int(same.sum()), len(same)
    if not of:
        return {"reviewed": 0, "right": 0, "precision": None, "low": None, "high": None}
    low, high = wilson(right / of, of)
    found = {"precision": right / of, "low": low, "high": high}
    return {"reviewed": of, "right": right, **{name: round(value, _DIGITS) for name, value in found.items()}}


def _chance(judged: npt.NDArray[np.float64], others: npt.NDArray[np.float64]) -> float | None:
    """Return the probability of so different confidences, by the test of Kolmogorov and Smirnov."""
    if not (len(judged) and len(others)):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # that it approximates, where its exact way exceeds 1 by a bit
        return round(float(ks_2samp(judged, others).pvalue), _DIGITS)


def _weighted(bands: list[dict[str, Any]]) -> float | None:
    filled = [band for band in bands if band["links"]]
    if not filled or not all(band["reviewed"] for band in filled):
        return None
    right: float = sum(band["precision"] * band["links"] for band in filled)
    share: float = right / sum(band["links"] for band in filled)
    return round(share, _DIGITS)
