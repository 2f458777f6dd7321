"""The entities of both graphs, read once into columns; every kind of property value becomes text or missing."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from neo4j_align.config import Config
from neo4j_align.engine import Engine, Local
from neo4j_align.errors import DataError
from neo4j_align.records import LEFT, RIGHT, IntArray, Nodes, Objects
from neo4j_align.store import queries, schema
from neo4j_align.store.database import Database, only
from neo4j_align.text import LONGEST

log = logging.getLogger(__name__)
Row = tuple[Any, int, list[str | None]]  # key, Neo4j's number, texts of the attributes
READ_AT_ONCE = 2_000  # entities with their values
LISTED_AT_ONCE = 500_000  # entities by their numbers alone
_SIDES = {LEFT: "left", RIGHT: "right"}


def pull(
    database: Database,
    config: Config,
    advance: Callable[[int], None] = lambda _: None,
    ids: IntArray | None = None,
    engine: Engine | None = None,
) -> Nodes:
    """Read all entities of the mapped types, or those among some nodes.

    Args:
        advance: is told how many entities were read, after each type and side.
        ids: Neo4j's numbers of these nodes; some of them may be gone, or no entities.
        engine: reads the entities, a batch at a time.

    Raises:
        DataError: A side or an aligned type has no nodes, or keys are missing, doubled or of no usable type.
    """
    tables = []
    for side in (LEFT, RIGHT):
        for index, entity_type in enumerate(config.types):
            scope = schema.scope(config, side, entity_type)
            if scope is None:
                continue
            properties = [a.left if side == LEFT else a.right for a in entity_type.attributes]
            reading = _Reading(database, database.id_prefix, scope, schema.side_of(config, side).key, tuple(properties))
            rows = reading.all(ids, engine or Local())
            if not rows and ids is None and entity_type.aligned:
                raise DataError(
                    f"No {_SIDES[side]} node has {scope.description}. Correct [[types]] {entity_type.name} or "
                    f"[{_SIDES[side]}] in the configuration, or load the graph; `neo4j-align check` tells more."
                )
            tables.append((side, index, _keyed(rows, scope.description, schema.side_of(config, side).key)))
            advance(len(rows))
    return _columns(config, tables)


@dataclass(frozen=True)
class _Reading:
    """How entities of one type and side are read; another process may do so too.

    Attributes:
        prefix: what stands before a number in their elementId; properties: of the attributes, None where there is none.
    """

    database: Database
    prefix: str
    scope: schema.Scope
    key: str
    properties: tuple[str | None, ...]

    def all(self, ids: IntArray | None, engine: Engine) -> list[Row]:
        """Return key, internal number and texts of each entity, or of those with these numbers."""
        rows: list[Row] = []
        with closing(engine.map(_Reading.batch, self, self._batches(ids))) as found:
            for part in found:
                rows += part
        return rows

    def batch(self, numbers: list[int]) -> list[Row]:
        """Read those with these numbers. They come as one list; rows take three times as long."""
        text = queries.load("sampling/nodes").render(entity=self.scope.labels)
        [found] = self.database.read(
            text,
            consume=only,
            ids=numbers,
            key=self.key,
            properties=[name or "" for name in self.properties],
            longest=2 * LONGEST,  # the server counts in UTF-16, where a character takes up to two
            database=self.prefix,
            **self.scope.parameters,
        )
        return [(key, id_, [to_text(value) for value in values]) for id_, key, values in found]

    def _batches(self, ids: IntArray | None) -> Iterator[list[int]]:
        for numbers in self._ids() if ids is None else [ids.tolist()]:
            for start in range(0, len(numbers), READ_AT_ONCE):
                yield numbers[start : start + READ_AT_ONCE]

    def _ids(self) -> Iterator[list[int]]:
        """Yield the internal numbers of the entities in lists that hold a bounded number of them."""
        count = queries.load("sampling/count").render(entity=self.scope.labels)
        parts = 1 + self.database.read(count, **self.scope.parameters)[0]["entities"] // LISTED_AT_ONCE
        text = queries.load("sampling/ids").render(entity=self.scope.labels)
        for part in range(parts):
            yield from self.database.read(text, consume=only, part=part, parts=parts, **self.scope.parameters)


def to_text(value: object) -> str | None:
    """Return a property value as text, None where it says nothing (null, NaN, bytes, an empty list).

    Lists are joined; temporal values become ISO 8601, points their coordinates; at most LONGEST characters are kept.
    """
    if isinstance(value, str):
        return value[:LONGEST] or None
    if value is None or isinstance(value, bytes | bytearray) or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, list | tuple) and not hasattr(value, "srid"):
        return " | ".join(filter(None, map(to_text, value)))[:LONGEST] or None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)[:LONGEST] or None


def _keyed(rows: list[Row], description: str, key: str) -> list[Row]:
    """Leave out entities without key, and sort the rest by it."""
    present = [row for row in rows if row[0] is not None]
    if rows and not present:
        raise DataError(f"No node with {description} has the key property {key!r}. Correct `key` in the configuration.")
    if len(present) < len(rows):
        log.warning("%d nodes with %s have no %s and are left out", len(rows) - len(present), description, key)
    if odd := next((row[0] for row in present if isinstance(row[0], bool) or not isinstance(row[0], str | int)), None):
        raise DataError(f"The key {key!r} of nodes with {description} must be text or a whole number, not {odd!r}.")
    return sorted(present, key=lambda row: str(row[0]))


def _columns(config: Config, tables: list[tuple[int, int, list[Row]]]) -> Nodes:
    sizes = [len(rows) for _, _, rows in tables]
    rows = [row for _, _, part in tables for row in part]
    keys = np.empty(len(rows), dtype=object)
    keys[:] = [row[0] for row in rows]
    names = np.full(len(rows), None, dtype=object)
    attributes: dict[str, Objects] = {slot.name: np.full(len(rows), None, dtype=object) for slot in config.slots}
    start = 0
    for (_, index, part), size in zip(tables, sizes, strict=True):
        entity_type = config.types[index]
        for place, attribute in enumerate(entity_type.attributes):
            values = [row[2][place] for row in part]
            attributes[attribute.name][start : start + size] = values
            if attribute == entity_type.name_attribute:
                names[start : start + size] = values
        start += size
    sides = np.repeat([side for side, _, _ in tables], sizes).astype(np.int8)
    _refuse_doubles(sides, keys)
    return Nodes(
        keys=keys,
        side=sides,
        type=np.repeat([index for _, index, _ in tables], sizes).astype(np.int16),
        ids=np.array([row[1] for row in rows], dtype=np.int64),
        names=names,
        attributes=attributes,
    )


def _refuse_doubles(sides: npt.NDArray[np.int8], keys: Objects) -> None:
    table = pd.DataFrame({"side": sides, "key": [str(key) for key in keys]})
    for side, key in table[table.duplicated()].head(1).itertuples(index=False):
        raise DataError(
            f"The key {key!r} is on several {_SIDES[side]} nodes. Keys must be unique within a side and a node must "
            "have one of the mapped types: make them so, or choose another `key`; `neo4j-align check` counts them."
        )
