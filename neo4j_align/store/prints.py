"""Fingerprints of all entities as the model sees them, kept in the database in a few packed nodes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from neo4j_align.records import LEFT, BoolArray, IntArray, Neighbourhood, Nodes, taken
from neo4j_align.store import queries
from neo4j_align.store.database import Database

Hashes = npt.NDArray[np.uint64]
_BUCKETS = 256  # nodes that hold the fingerprints, by the first byte of the key's hash
_ODD = np.uint64(0x9E3779B97F4A7C15)  # spreads hashes before they are added up


@dataclass(frozen=True)
class Prints:
    """Fingerprints of N entities.

    Attributes:
        keys: hash of side and key, (N,); contents: hash of all else that the model sees, (N,).
    """

    keys: Hashes
    contents: Hashes

    def changed_since(self, before: Prints) -> int:
        """Count the entities that are new, gone, or other than before."""
        both, mine, theirs = np.intersect1d(self.keys, before.keys, assume_unique=True, return_indices=True)
        moved = int(np.count_nonzero(self.contents[mine] != before.contents[theirs]))
        return len(self.keys) + len(before.keys) - 2 * len(both) + moved

    def digest(self) -> str:
        """Return 16 hex digits for the whole graph."""
        ordered = self.ordered
        return hashlib.sha256(ordered.keys.tobytes() + ordered.contents.tobytes()).hexdigest()[:16]

    @property
    def ordered(self) -> Prints:
        """The same, ascending by the hashes of keys."""
        order = np.argsort(self.keys, kind="stable")
        return Prints(self.keys[order], self.contents[order])

    def packed(self, before: Prints, alignment: str) -> list[dict[str, Any]]:
        """Return the buckets, as the database keeps them, in which something is other than before."""
        rows, mine, theirs = [], self.ordered, before.ordered
        for bucket in range(_BUCKETS):
            new, old = _bucket(mine, bucket), _bucket(theirs, bucket)
            if not (np.array_equal(new.keys, old.keys) and np.array_equal(new.contents, old.contents)):
                numbers = {"keys": new.keys.view(np.int64).tolist(), "contents": new.contents.view(np.int64).tolist()}
                rows.append({"name": f"{alignment}/prints/{bucket:02x}", **numbers})
        return rows


NO_PRINTS = Prints(np.zeros(0, np.uint64), np.zeros(0, np.uint64))


def _bucket(prints: Prints, bucket: int) -> Prints:
    start = int(np.searchsorted(prints.keys, np.uint64(bucket << 56)))
    end = int(np.searchsorted(prints.keys, np.uint64((bucket + 1 << 56) - 1), side="right"))
    return Prints(prints.keys[start:end], prints.contents[start:end])


def take(nodes: Nodes, neighbourhood: Neighbourhood) -> Prints:
    """Take the fingerprints of a graph, in the order of its entities; Neo4j's own ids leave no trace in them."""
    keys = _keys(nodes)
    return Prints(keys, _contents(nodes, neighbourhood, keys))


def retake(before: Prints, old: IntArray, fresh: BoolArray, nodes: Nodes, neighbourhood: Neighbourhood) -> Prints:
    """Take them again for some entities.

    Args:
        old: (N,), where each stood before, -1 where it is new.
        fresh: (N,), which are new, or have other values, or drew otherwise.
    """
    keys, contents = (taken(column, old, 0) for column in (before.keys, before.contents))
    rows = np.flatnonzero(fresh)
    part = nodes.take(rows)
    keys[rows] = _keys(part)
    contents[rows] = _contents(part, Neighbourhood(*(column[rows] for column in vars(neighbourhood).values())), keys)
    return Prints(keys, contents)


def _keys(nodes: Nodes) -> Hashes:
    ends = zip(nodes.side, nodes.keys, strict=True)
    return _hash(np.array([f"{'l' if side == LEFT else 'r'}:{key}" for side, key in ends], dtype=object))


def _contents(nodes: Nodes, neighbourhood: Neighbourhood, keys: Hashes) -> Hashes:
    """Hash what the model sees of entities but for their keys; `keys` are of all that they may draw."""
    contents = _mixed(_mixed(nodes.type.astype(np.uint64) + np.uint64(1)) + neighbourhood.degree.astype(np.uint64))
    for place, name in enumerate(sorted(nodes.attributes), start=2):
        contents = _mixed(contents ^ (_hash(nodes.attributes[name]) * np.uint64(2 * place + 1)))
    drawn = neighbourhood.neighbours >= 0
    around = keys[np.where(drawn, neighbourhood.neighbours, 0)] ^ _mixed(neighbourhood.relations.astype(np.uint64))
    return _mixed(contents + np.where(drawn, _mixed(around), np.uint64(0)).sum(axis=1, dtype=np.uint64))


def _hash(values: npt.NDArray[np.object_]) -> Hashes:
    """Hash texts; a missing one has a hash of its own, which pandas would give to the text "None"."""
    missing = np.array([value is None for value in values], bool)
    hashed: Hashes = pd.util.hash_array(values, categorize=False)
    return np.where(missing, _ODD, hashed)


def _mixed(values: Hashes) -> Hashes:
    mixed = values * _ODD
    return mixed ^ (mixed >> np.uint64(29))


def read(database: Database, alignment: str) -> Prints:
    """Return the fingerprints that the last run of an alignment left."""
    rows = database.read(queries.load("changes/prints").text, prefix=f"{alignment}/prints/")
    if not rows:
        return NO_PRINTS
    keys, contents = (
        np.concatenate([np.array(row[name], np.int64) for row in rows]).view(np.uint64) for name in ("keys", "contents")
    )
    return Prints(keys, contents)
