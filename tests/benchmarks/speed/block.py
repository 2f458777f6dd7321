"""Blocking: many generated names against as many, timed once, and a sample of them against the exact nearest."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from neo4j_align.config import Config
from neo4j_align.progress import peak_bytes
from neo4j_align.records import LEFT, RIGHT, Anchors, Neighbourhood, Nodes, Objects, Pairs
from neo4j_align.store import candidates, nearest
from neo4j_align.views import Views, view
from tests.benchmarks.common import table
from tests.benchmarks.speed import graphs

SAMPLE = 1_000  # left entities whose nearest are looked for among all
AT_ONCE = 50  # of them


def run(names: int) -> dict[str, Any]:
    """Block `names` left against as many right names of films, without neighbours and anchors."""
    mapping = graphs.config()
    nodes = _nodes(mapping, names)
    around = Neighbourhood(
        np.full((len(nodes), 1), -1, np.int32), np.zeros((len(nodes), 1), np.int16), np.zeros(len(nodes), np.int32)
    )
    nobody = Anchors(np.full(len(nodes), -1, np.int64), np.zeros(len(nodes), np.float32))
    begin, before = time.perf_counter(), _peak()
    views, _ = view(mapping, nodes, around, None)
    seen, views_peak = time.perf_counter() - begin, _peak()
    begin, busy = time.perf_counter(), time.process_time()
    near = candidates.candidates(mapping, nodes, views, nobody, [True] * len(mapping.types))
    found = candidates.pairs(views, near.left, near.right)
    blocked, busy = time.perf_counter() - begin, time.process_time() - busy
    recall, mine, exact = _recall(views, found, names, mapping.candidates.per_entity)
    figures = {
        "names a side": names,
        "views, s": seen,
        "blocking, s": blocked,
        "blocking, processor's s": busy,
        "pairs": len(found),
        "peak of names, GiB": before,
        "peak of views, GiB": views_peak,
        "peak of blocking, GiB": _peak(),
        f"exact top {mapping.candidates.per_entity} found, %": 100 * recall,
        "counterparts found, %": 100 * mine,
        "counterparts in the exact top, %": 100 * exact,
    }
    print(table(["what", "figure"], [[what, f"{figure:,.2f}"] for what, figure in figures.items()]))
    return figures


def _nodes(mapping: Config, count: int) -> Nodes:
    """Make `count` films a side, the right ones noisy copies."""
    draw = np.random.default_rng(13)
    called = graphs.names(count, draw, graphs.words(min(50_000, count), draw))
    names: Objects = np.concatenate([called, graphs.noisy(called, draw)])
    sides = np.repeat([LEFT, RIGHT], count).astype(np.int8)
    nothing = np.full(2 * count, None, dtype=object)
    return Nodes(
        keys=np.arange(2 * count).astype(object),
        side=sides,
        type=np.zeros(2 * count, np.int16),
        ids=np.arange(2 * count),
        names=names,
        attributes={slot.name: names if slot.kind == "name" else nothing for slot in mapping.slots},
    )


def _recall(views: Views, found: Pairs, count: int, k: int) -> tuple[float, float, float]:
    """Compare with the exact nearest of some left entities by the sum of the cosines of what texts say.

    Returns:
        The share of the exact k nearest that were found, of counterparts found, and of those among the exact k.
    """
    sample = np.random.default_rng(17).choice(count, min(SAMPLE, count), replace=False)
    right = [rows[count:].T.tocsr() for rows in (views.name, views.record)]
    hit = total = exact = 0
    for rows in np.array_split(sample, max(1, len(sample) // AT_ONCE)):
        near = sum((own[rows] @ other).toarray() for own, other in zip((views.name, views.record), right, strict=True))
        best = _best(near, k)
        for row, first_k in zip(rows.tolist(), best, strict=True):
            first, last = np.searchsorted(found.left, [row, row + 1])
            hit += len(np.intersect1d(found.right[first:last] - count, first_k))
            total += len(first_k)
            exact += row in first_k
    pairs = found.left.astype(np.int64) * 2 * count + found.right
    mine = np.isin(sample.astype(np.int64) * 2 * count + count + sample, pairs)
    return hit / total, float(mine.mean()), exact / len(sample)


def _best(near: npt.NDArray[Any], k: int) -> list[npt.NDArray[np.int64]]:
    """Return the k largest of each row that are above nothing."""
    top = np.argpartition(-near, min(k, near.shape[1] - 1), axis=1)[:, :k]
    return [row[values[row] > nearest.LEAST] for row, values in zip(top, near, strict=True)]


def _peak() -> float:
    return peak_bytes() / 2**30
