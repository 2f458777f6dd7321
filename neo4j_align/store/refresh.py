"""Read again, of a graph that is known, what changed: some entities, and the samples of those around them."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

from neo4j_align.config import Config
from neo4j_align.records import LEFT, RIGHT, BoolArray, FloatArray, IntArray, Neighbourhood, Nodes, taken
from neo4j_align.store import entities, queries, sampling, schema
from neo4j_align.store.database import Database


@dataclass(frozen=True)
class Refreshed:
    """A graph of which some was read again.

    Attributes:
        old: (N,), where each entity stood before, -1 where it is new.
        fresh: (N,), whose values or samples may be others.
    """

    nodes: Nodes
    neighbourhood: Neighbourhood
    old: IntArray
    fresh: BoolArray


def refresh(
    database: Database, config: Config, nodes: Nodes, drawn: Neighbourhood, means: FloatArray, ids: IntArray,
    grown: dict[str, int],
) -> Refreshed | None:  # fmt: skip
    """Return a graph as it stands now, of which only the nodes of these ids, and their relationships, changed.

    Args:
        means: with which the neighbours were drawn.
        ids: Neo4j's numbers of the changed nodes, those that are gone included.
        grown: by how much the number of nodes of some labels grew.

    Returns:
        None where the whole graph has to be read: a key stands twice, or the nodes that are new do not explain how the
        labels grew, so that others must have gone.

    Raises:
        DataError: Keys are missing, doubled or of no usable type.
    """
    found = entities.pull(database, config, ids=ids)
    kept = ~np.isin(nodes.ids, ids)
    now, old = _merged(nodes, kept, found)
    if _doubled(now) or _unexplained(database, found.ids[~np.isin(found.ids, nodes.ids)], grown):
        return None
    around = _with_neighbours(database, config, ids)
    place = np.full(len(nodes), -1, np.int32)
    place[old[old >= 0]] = np.flatnonzero(old >= 0)
    neighbours = taken(taken(place, drawn.neighbours, -1), old, -1)
    lost = (neighbours < 0) & (taken(drawn.neighbours, old, -1) >= 0)
    again = np.isin(now.ids, around) | (old < 0) | lost.any(axis=1)
    samples = Neighbourhood(neighbours, taken(drawn.relations, old, 0), taken(drawn.degree, old, 0))
    sampling.sample(database, config, now, means, rows=np.flatnonzero(again), drawn=samples)
    return Refreshed(now, samples, old, again)


def _merged(nodes: Nodes, kept: BoolArray, found: Nodes) -> tuple[Nodes, IntArray]:
    """Put entities found among those kept, in the order of Nodes, and return where each stood; -1 if it is new."""
    rows = np.flatnonzero(kept)
    rest = nodes.take(rows)
    bounds = {(side, kind): rest.of(side, kind) for side, kind in set(zip(found.side, found.type, strict=True))}
    at = []
    for side, kind, key in zip(found.side, found.type, found.keys, strict=True):
        slot = bounds[side, kind]
        at.append(bisect_left(rest.keys, str(key), slot.start, slot.stop, key=str))
    names = ("keys", "side", "type", "ids", "names")
    columns = {name: np.insert(getattr(rest, name), at, getattr(found, name)) for name in names}
    attributes = {name: np.insert(column, at, found.attributes[name]) for name, column in rest.attributes.items()}
    return Nodes(**columns, attributes=attributes), np.insert(rows, at, -1)


def _doubled(nodes: Nodes) -> bool:
    """Tell whether a key stands twice on a side, in one type or in two."""
    return any(nodes.index(side).index.astype(str).has_duplicates for side in (LEFT, RIGHT))


def _unexplained(database: Database, new: IntArray, grown: dict[str, int]) -> bool:
    text = queries.load("changes/count_labels").text
    rows = database.read(text, ids=new.tolist(), database=database.id_prefix) if any(grown.values()) or len(new) else []
    counts = {row["label"]: row["nodes"] for row in rows}
    return any(counts.get(label, 0) != more for label, more in grown.items())


def _with_neighbours(database: Database, config: Config, ids: IntArray) -> IntArray:
    """Return nodes, and all that are related to them by a mapped relation."""
    codes = schema.relation_codes(config, LEFT) | schema.relation_codes(config, RIGHT)
    text, found = queries.load("sampling/neighbours").text, [ids]
    for start in range(0, len(ids), sampling.EXPANDED_AT_ONCE):
        some = ids[start : start + sampling.EXPANDED_AT_ONCE].tolist()
        rows = database.read(text, ids=some, database=database.id_prefix, codes=codes)
        found += [np.array(row["neighbours"], np.int64) for row in rows]
    return np.unique(np.concatenate(found))
