"""Which pairs a person should look at first: those whose verdict teaches most. Pure and deterministic."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pandas as pd

from neo4j_align.records import BoolArray, IntArray, Neighbourhood, Pairs, Verdicts

Worth = npt.NDArray[np.float64]
_AT_ONCE = 20_000  # pairs whose neighbours are paired at once; bounds the memory


def uncertainty(confidence: Worth) -> Worth:
    """Return 4c(1 - c), (P,): 1 where a verdict is a coin's toss, 0 where it is known beforehand."""
    return 4 * confidence * (1 - confidence)


def influence(pairs: Pairs, confidence: Worth, drawn: Neighbourhood) -> Worth:
    """Return for each pair the uncertainty of all candidate pairs that look at it, (P,).

    A pair looks at another if the left ends are neighbours and the right ends are: a verdict on the one is an anchor
    for the other.
    """
    count = len(drawn.neighbours)
    codes = pairs.left.astype(np.int64) * count + pairs.right
    doubt, total = uncertainty(confidence), np.zeros(len(pairs))
    looking = np.flatnonzero(doubt > 0)
    for start in range(0, len(looking), _AT_ONCE):
        rows = looking[start : start + _AT_ONCE]
        left, right = (drawn.neighbours[side[rows]].astype(np.int64) for side in (pairs.left, pairs.right))
        both = left[:, :, None] * count + right[:, None, :]
        both[(left < 0)[:, :, None] | (right < 0)[:, None, :]] = -1
        found = both.reshape(len(rows), -1)
        # Parallel relations name a neighbour twice; it is one neighbour.
        found = np.sort(found, axis=1)
        fresh = np.ones(found.shape, bool)
        fresh[:, 1:] = found[:, 1:] != found[:, :-1]
        row, place = np.nonzero(fresh & (found >= 0))
        at = np.minimum(np.searchsorted(codes, found[row, place]), max(len(codes) - 1, 0))
        hit = codes[at] == found[row, place]
        total += np.bincount(at[hit], doubt[rows[row[hit]]], len(pairs))
    return total


def worth(pairs: Pairs, confidence: Worth, drawn: Neighbourhood) -> Worth:
    """Return what a verdict on each pair teaches, (P,): its uncertainty times log2(2 + its influence)."""
    surroundings: Worth = np.log2(2 + influence(pairs, confidence, drawn))
    return uncertainty(confidence) * surroundings


def order(pairs: Pairs, value: Worth) -> IntArray:
    """Return the rows of the pairs, the most valuable first, in turns: no entity a second time before all were once.

    Two pairs of one entity mostly answer each other. Equal values keep the order of the pairs.
    """
    first: IntArray = np.lexsort((np.arange(len(pairs)), -value))
    table = pd.DataFrame({"left": pairs.left[first], "right": pairs.right[first]})
    turn = np.maximum(*(table.groupby(side).cumcount().to_numpy() for side in ("left", "right")))
    return first[np.argsort(turn, kind="stable")]


def settled(pairs: Pairs, exclusive: BoolArray, verdicts: Verdicts) -> BoolArray:
    """Tell which pairs need no verdict any more, (P,): they have one, or an end of theirs belongs to another.

    Args:
        exclusive: (P,), whether an entity of that pair's type has at most one link.
    """
    judged = np.zeros(len(pairs), bool)
    judged[rows_of(pairs, {*verdicts.confirmed, *verdicts.rejected})] = True
    left, right = (np.array([pair[side] for pair in verdicts.confirmed], np.int64) for side in (0, 1))
    return judged | (exclusive & (np.isin(pairs.left, left) | np.isin(pairs.right, right)))


def rows_of(pairs: Pairs, wanted: Collection[tuple[int, int]]) -> IntArray:
    """Return the rows of these pairs, as far as they are among the pairs."""
    columns = np.array(sorted(wanted), np.int64).reshape(-1, 2)
    width = max(int(pairs.right.max(initial=0)), int(columns[:, 1].max(initial=0))) + 1
    codes = pairs.left.astype(np.int64) * width + pairs.right
    asked = columns[:, 0] * width + columns[:, 1]
    at = np.searchsorted(codes, asked)
    found = at < len(codes)
    found[found] = codes[at[found]] == asked[found]
    return at[found]
