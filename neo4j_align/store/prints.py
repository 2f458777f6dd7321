"""Fingerprints of all entities as the model sees them, kept in the database in a few packed nodes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from neo4j_align.records import LEFT, Neighbourhood, Nodes
from neo4j_align.store import queries
from neo4j_align.store.database import Database

Hashes = npt.NDArray[np.uint64]
_BUCKETS = 256  # nodes that hold the fingerprints, by the first byte of the key's hash
_ODD = np.uint64(0x9E3779B97F4A7C15)  # spreads hashes before they are added up


@dataclass(frozen=True)
class Prints:
    """Fingerprints in the order of their keys.

    Attributes:
        keys: hash of side and key, (N,), ascending; contents: hash of all else that the model sees, (N,).
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
        return hashlib.sha256(self.keys.tobytes() + self.contents.tobytes()).hexdigest()[:16]

    def packed(self, before: Prints, alignment: str) -> list[dict[str, Any]]:
        """Return the buckets, as the database keeps them, in which something is other than before."""
        rows = []
        for bucket in range(_BUCKETS):
            new, old = _bucket(self, bucket), _bucket(before, bucket)
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
    """Take the fingerprints of a graph; Neo4j's own ids leave no trace in them."""
    ends = zip(nodes.side, nodes.keys, strict=True)
    keys = _hash(np.array([f"{'l' if side == LEFT else 'r'}:{key}" for side, key in ends], dtype=object))
    contents = _mixed(_mixed(nodes.type.astype(np.uint64) + np.uint64(1)) + neighbourhood.degree.astype(np.uint64))
    for place, name in enumerate(sorted(nodes.attributes), start=2):
        contents = _mixed(contents ^ (_hash(nodes.attributes[name]) * np.uint64(2 * place + 1)))
    drawn = neighbourhood.neighbours >= 0
    around = keys[np.where(drawn, neighbourhood.neighbours, 0)] ^ _mixed(neighbourhood.relations.astype(np.uint64))
    contents = _mixed(contents + np.where(drawn, _mixed(around), np.uint64(0)).sum(axis=1, dtype=np.uint64))
    order = np.argsort(keys, kind="stable")
    return Prints(keys[order], contents[order])


def changed(database: Database, alignment: str, nodes: Nodes, neighbourhood: Neighbourhood) -> int:
    """Count the entities that are other than the last run of an alignment saw them."""
    return take(nodes, neighbourhood).changed_since(read(database, alignment))


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
    order = np.argsort(keys, kind="stable")
    return Prints(keys[order], contents[order])
