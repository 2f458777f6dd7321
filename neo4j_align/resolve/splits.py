"""Splits: what is learned from, validated with and tested, by a hash of the key. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from neo4j_align.records import Objects

SPLITS = ("train", "valid", "test")
HELD_OUT = np.array([0.8, 1.0, 1.0])  # bounds of the splits of what has none


def seeded(keys: Objects, bounds: npt.NDArray[np.float64], seed: int) -> Objects:
    """Put each key into a split by its hash, so that order and number of the keys do not matter."""
    return np.array(SPLITS, dtype=object)[np.searchsorted(bounds[:-1], _places(keys, seed), side="right")]


def fifth(keys: Objects, seed: int) -> Objects:
    """Put the fifth of the keys that has the greatest hashes into `valid`, at least one of two, others into `train`.

    Where they are few, `seeded` may leave one of the two empty.
    """
    different, order = np.unique(_places(keys, seed), return_inverse=True)
    return np.where(order < max(len(different) * 4 // 5, 1), *SPLITS[:2]).astype(object)


def _places(keys: Objects, seed: int) -> npt.NDArray[np.float64]:
    """Return a number between 0 and 1 for each key."""
    if not len(keys):
        return np.zeros(0)
    texts = np.array([str(key) for key in keys], dtype=object)
    places: npt.NDArray[np.float64] = (
        pd.util.hash_array(texts, hash_key=f"{seed:016d}"[-16:]).astype(np.float64) / 2.0**64
    )
    return places
