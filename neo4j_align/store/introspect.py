"""A read-only profile of the database, for `init`: the server aggregates and samples, nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from neo4j_align.config import OWN_LABELS, OWN_RELATIONS, Side
from neo4j_align.errors import ConfigError
from neo4j_align.profile import (
    Graph,
    LabelSet,
    NodeType,
    Property,
    RelationType,
    find_sides,
    find_types,
    name_property,
    order_keys,
)
from neo4j_align.store import queries
from neo4j_align.store.database import Database
from neo4j_align.store.schema import any_of, quote

NODES = 4_000  # looked at for each type
RELATIONSHIPS = 50_000  # looked at for each relationship type
LONGEST = 120  # characters of a value
_ANY_LABEL = "%"
_NOT_COMPARABLE = ("POINT", "VECTOR", "LIST<FLOAT", "LIST<POINT")
_OF_KEYS = frozenset({"STRING", "INTEGER"})


@dataclass(frozen=True)
class Scope:
    """Which nodes are of a side: those with a label, or with a value of a property."""

    label: str | None = None
    property_name: str | None = None
    value: str | int | bool | None = None

    @classmethod
    def of(cls, side: Side) -> Scope:
        """Take the scope of a configured side."""
        return cls(side.label, side.property, side.value)

    @property
    def parameters(self) -> dict[str, Any]:
        """What the queries take to keep to the side."""
        return {"side_property": self.property_name, "side_value": self.value}

    def entity(self, labels: Iterable[str] = ()) -> str:
        """Return the label expression of the side's nodes, or of those that also have one of some labels."""
        own = quote(self.label) if self.label is not None else _ANY_LABEL
        further = any_of(labels)
        return f"{own}&({further})" if further else own

    def __str__(self) -> str:
        return f":{self.label}" if self.label else f"{self.property_name} = {self.value!r}"


def profile(
    database: Database,
    left_label: str | None = None,
    right_label: str | None = None,
    side_property: str | None = None,
) -> tuple[Graph, Graph]:
    """Look at the two sides: given by their labels, by a property with two values, or found.

    Raises:
        ConfigError: The sides cannot be told apart, are empty, or their nodes have no key.
    """
    sets = _label_sets(database, side_property)
    if not sets:
        raise ConfigError("The database holds no nodes. Load your graphs first, for example: neo4j-align load")
    scopes = _scopes(database, sets, left_label, right_label, side_property)
    labels = [scope.label for scope in scopes]
    left, right = (_graph(database, scope, _within(sets, scope), labels) for scope in scopes)
    return left, right


def _label_sets(database: Database, side_property: str | None) -> list[LabelSet]:
    rows = database.read(queries.load("schema/count_label_sets").render(), side_property=side_property)
    if any(not isinstance(row["value"], str | int | None) for row in rows):
        raise ConfigError(f"The property {side_property} holds values that are neither text nor whole numbers.")
    sets = [LabelSet(frozenset(row["labels"]), row["nodes"], row["value"]) for row in rows]
    return [one for one in sets if one.labels and not one.labels & OWN_LABELS]


def _within(sets: Sequence[LabelSet], scope: Scope) -> list[LabelSet]:
    if scope.label is not None:
        return [one for one in sets if scope.label in one.labels]
    return [one for one in sets if one.value == scope.value]


def _scopes(
    database: Database,
    sets: Sequence[LabelSet],
    left: str | None,
    right: str | None,
    side_property: str | None,
) -> tuple[Scope, Scope]:
    if side_property is not None:
        return _by_property(sets, side_property)
    if left is None or right is None:
        left, right = _guess_labels(database, sets, left, right)
    for label in (left, right):
        if not any(label in one.labels for one in sets):
            known = ", ".join(sorted({label for one in sets for label in one.labels})[:20])
            raise ConfigError(f"No node has the label {label}. The database has: {known}")
    if any({left, right} <= one.labels for one in sets):
        raise ConfigError(f"Some nodes have both labels, {left} and {right}. Give two labels that no node shares.")
    return Scope(left), Scope(right)


def _by_property(sets: Sequence[LabelSet], name: str) -> tuple[Scope, Scope]:
    values = sorted({one.value for one in sets if one.value is not None}, key=str)
    if len(values) != 2:
        shown = ", ".join(map(repr, values[:5])) or "none"
        raise ConfigError(
            f"The property {name} must have two values, one for each side, and has {len(values)}: {shown}. "
            "Choose another property, or give --left-label and --right-label."
        )
    left, right = (Scope(property_name=name, value=value) for value in values)
    return left, right


def _guess_labels(database: Database, sets: Sequence[LabelSet], left: str | None, right: str | None) -> tuple[str, str]:
    given = {label for label in (left, right) if label}
    pairs = [pair for pair in find_sides(sets) if given <= set(pair) and not _connected(database, *pair)]
    if len(pairs) != 1:
        found = "; ".join(" and ".join(pair) for pair in pairs[:5])
        raise ConfigError(
            (f"Several pairs of labels could tell the two graphs apart: {found}. " if pairs
             else "No two labels divide all nodes into two graphs without relationships between them. ")
            + "Give --left-label and --right-label, or --side-property."
        )  # fmt: skip
    one, other = pairs[0]
    return (other, one) if left == other or right == one else (one, other)


def _connected(database: Database, one: str, other: str) -> bool:
    query = queries.load("schema/are_connected").render(one=quote(one), other=quote(other), own=any_of(OWN_RELATIONS))
    return bool(database.read(query)[0]["connected"])


def _graph(database: Database, scope: Scope, sets: Sequence[LabelSet], side_labels: Iterable[str | None]) -> Graph:
    labels = find_types(sets, side_labels) or ([scope.label] if scope.label else [])
    if not labels:
        raise ConfigError(f"Most nodes with {scope} share no label that tells their type. Give them labels.")
    for label in labels:
        quote(label)  # refuse now what the aligner could not ask for later
    counts = {label: sum(one.nodes for one in sets if label in one.labels) for label in labels}
    types = tuple(_node_type(database, scope, label, counts[label]) for label in labels)
    key = _key(database, scope, types)
    side = Side(label=scope.label, property=scope.property_name, value=scope.value, key=key)
    return Graph(side, sum(one.nodes for one in sets), types, _relations(database, scope, types, key))


def _node_type(database: Database, scope: Scope, label: str, nodes: int) -> NodeType:
    query = queries.load("schema/sample_properties").render(entity=scope.entity([label]))
    rows = database.read(query, share=min(1.0, NODES / nodes), longest=LONGEST, **scope.parameters)
    sampled = max((row["nodes"] for row in rows), default=0)
    named = [row for row in rows if row["name"] not in (None, scope.property_name)]
    found = [one for one in (_property(row, sampled) for row in named) if _usable(one.name)]
    kept, empty = (tuple(one for one in found if bool(one.owned) == owned) for owned in (True, False))
    return NodeType(label, nodes, sampled, kept, tuple(one.name for one in empty))


def _property(row: dict[str, Any], sampled: int) -> Property:
    types = row["types"]
    storage = frozenset(name.replace(" NOT NULL", "") for name in types)
    comparable = not any(name.startswith(_NOT_COMPARABLE) for name in types)
    entries = zip(row["owners"], row["values"], strict=True) if comparable else ()
    values = tuple((owner, value) for owner, members in entries for value in members if value)
    return Property(row["name"], row["nodes"] / sampled, values, storage)


def _usable(name: str) -> bool:
    try:
        quote(name)
    except ConfigError:
        return False
    return True


def _key(database: Database, scope: Scope, types: Sequence[NodeType]) -> str:
    """Find the property that every node of the side has, each with another value."""
    everywhere = [{p.name for p in t.properties if p.filled == 1 and p.storage <= _OF_KEYS} for t in types]
    indexes = database.read(queries.load("schema/show_indexes").render())
    labels = {scope.label, *(node_type.name for node_type in types)}
    backed = {row["properties"][0] for row in indexes if row["of_nodes"] and row["unique"] and row["name"] in labels}
    query = queries.load("schema/count_key").render(entity=scope.entity(node_type.name for node_type in types))
    for key in order_keys(set.intersection(*everywhere), backed):
        counts = database.read(query, key=key, **scope.parameters)[0]
        if counts["nodes"] == counts["present"] == counts["different"]:
            return key
    raise ConfigError(
        f"No property identifies the nodes with {scope}: one that each has, with a value of its own. "
        "Give them one, for example `uid`, with a uniqueness constraint."
    )


def _relations(database: Database, scope: Scope, types: Sequence[NodeType], key: str) -> tuple[RelationType, ...]:
    labels = [node_type.name for node_type in types]
    side = scope.entity()
    query = queries.load("schema/count_relationships").render(side=side)
    ends: dict[str, dict[tuple[str, str], int]] = {}
    for row in database.read(query, types=labels, **scope.parameters):
        if row["start"] and row["end"] and row["name"] not in OWN_RELATIONS and _usable(row["name"]):
            ends.setdefault(row["name"], {})[row["start"], row["end"]] = row["relationships"]
    shares = {name: min(1.0, RELATIONSHIPS / sum(counts.values())) for name, counts in ends.items()}
    names = {t.name: found.name for t in types if (found := name_property(t, key))}
    query = queries.load("schema/sample_relationships").render(side=side)
    rows = database.read(query, names=names, shares=shares, longest=LONGEST, **scope.parameters)
    pairs = {row["name"]: tuple((start, end) for start, end in row["pairs"]) for row in rows}
    return tuple(RelationType(name, counts, pairs.get(name, ()), shares[name]) for name, counts in ends.items())
