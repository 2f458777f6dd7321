"""Drift: whether a graph still looks as it did in training, by the population stability index. Pure.

The index of two distributions p and q over the same bins is Σ (p - q) ln(p / q). By common usage less than 0.1 is no
change, and from 0.25 on the model should be trained again.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import numpy.typing as npt

from neo4j_align.records import LEFT, IntArray, Nodes, Pairs

log = logging.getLogger(__name__)
MOVED = 0.25
SCORES = np.linspace(-10, 10, 21)  # bounds of the bins of scores, which are logits
_CANDIDATES = np.array([1, 2, 3, 5, 8, 12, 20])  # and of the number of candidates of a left entity
Distributions = dict[str, list[float]]


def describe(
    nodes: Nodes,
    first: npt.NDArray[Any],
    pairs: Pairs,
    score: npt.NDArray[np.float64],
    parted: IntArray | tuple[()] = (),
) -> Distributions:
    """Return the distributions of scores, of candidates a left entity, and of what is filled in, as shares.

    Args:
        first: left entities of the first look's candidates, which hang on the graph alone; those of the second hang on
            what the model was sure of, which in training is less.
        score: (P,), of the second look's pairs.
        parted: left entities that are left out: in training their counterparts were kept from them.
    """
    score = score[~np.isin(pairs.left, parted)]
    left = np.setdiff1d(np.flatnonzero(nodes.side == LEFT), parted)
    candidates = np.bincount(first, minlength=len(nodes))[left]
    filled = {
        f"filled {name}": _shares(np.array([value is not None for value in values]).astype(int), np.array([1]))
        for name, values in nodes.attributes.items()
    }
    return {"scores": _shares(score, SCORES), "first candidates": _shares(candidates, _CANDIDATES), **filled}


def _shares(values: npt.NDArray[Any], bounds: npt.NDArray[Any]) -> list[float]:
    counts = np.bincount(np.searchsorted(bounds, values, side="right"), minlength=len(bounds) + 1)
    shares: list[float] = np.round(counts / max(len(values), 1), 6).tolist()
    return shares


def stability(then: Distributions, now: Distributions) -> dict[str, float]:
    """Return the population stability index of each distribution that both have; 0 where nothing moved."""
    return {name: _index(np.array(then[name]), np.array(now[name])) for name in then if name in now}


def since(
    reference: Distributions, nodes: Nodes, first: npt.NDArray[Any], pairs: Pairs, score: npt.NDArray[np.float64]
) -> dict[str, float]:
    """Compare a graph, described as above, with what training saw, warn of what has moved, and return all indices."""
    index = stability(reference, describe(nodes, first, pairs, score))
    if moved := [f"{name} {value:.2f}" for name, value in index.items() if value >= MOVED]:
        log.warning(
            "the graph has moved since training (population stability index, %.2f and more): %s. Look at some links, "
            "and train again", MOVED, ", ".join(moved),
        )  # fmt: skip
    return index


def _index(p: npt.NDArray[np.float64], q: npt.NDArray[np.float64]) -> float:
    p, q = (np.maximum(shares, 1e-4) for shares in (p, q))  # an empty bin would make it infinite
    return round(float(((p - q) * np.log(p / q)).sum()), 4)
