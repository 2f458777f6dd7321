"""Two graphs from files into the database: all is checked before the first write, and MERGE repeats safely.

A folder holds, for each side, `<side>.nodes.jsonl` (one node a line: `uid`, `type`, then its attributes) and
`<side>.edges.csv` (`source,relation,target`, by `uid`).
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from neo4j_align.config import OWN_LABELS, OWN_RELATIONS
from neo4j_align.errors import ConfigError, DataError
from neo4j_align.store import queries
from neo4j_align.store.database import Database
from neo4j_align.store.schema import key_index, quote

SIDES = ("left", "right")
HEADER = ["source", "relation", "target"]
Row = dict[str, Any]
Edge = tuple[str, str]
_SURROGATE = re.compile("[\ud800-\udfff]")
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1  # what Neo4j's integers hold


@dataclass(frozen=True)
class Graph:
    """The checked content of one side's files: rows for Neo4j by type, and uid pairs by relation."""

    label: str
    nodes: dict[str, list[Row]] = field(default_factory=dict)
    relationships: dict[str, list[Edge]] = field(default_factory=dict)

    @property
    def counts(self) -> tuple[int, int]:
        """How many nodes and distinct relationships the files hold."""
        nodes, relationships = (sum(map(len, rows.values())) for rows in (self.nodes, self.relationships))
        return nodes, relationships


def read_folder(folder: Path, left_label: str, right_label: str) -> tuple[Graph, Graph]:
    """Read and check the four files of a folder.

    A missing attribute is absent or null; an edge given twice counts once.

    Raises:
        DataError: A label cannot be used, or a file is missing or malformed; the message names file and line.
    """
    if left_label == right_label:
        raise DataError(f"Both sides have the label {left_label}. Give two different labels.")
    for option, label in (("--left-label", left_label), ("--right-label", right_label)):
        if problem := _label_problem(label):
            raise DataError(f"{option}: {problem}")
    missing = [
        name for side in SIDES for name in (f"{side}.nodes.jsonl", f"{side}.edges.csv")
        if not (folder / name).is_file()
    ]  # fmt: skip
    if missing:
        raise DataError(f"{folder} lacks {', '.join(missing)}. Give the folder that holds all four files.")
    return _read_side(folder, "left", left_label, right_label), _read_side(folder, "right", right_label, left_label)


def write_graph(database: Database, graph: Graph, advance: Callable[[int], None] | None = None) -> None:
    """Create the key constraint of a side, then its missing nodes and relationships, batch by batch."""
    side = quote(graph.label)
    database.write(queries.load("schema/create_key_constraint").render(**key_index(graph.label, "uid")))
    merge_nodes = queries.load("schema/merge_nodes")
    for name, nodes in graph.nodes.items():
        database.write_batches(merge_nodes.render(side=side, type=quote(name)), nodes, advance)
    merge_relationships = queries.load("schema/merge_relationships")
    for name, pairs in graph.relationships.items():
        database.write_batches(merge_relationships.render(side=side, type=quote(name)), pairs, advance)


@dataclass
class _Place:
    """Where the reader is, for messages."""

    path: Path
    line: int = 1

    def fail(self, problem: str) -> NoReturn:
        raise DataError(f"{self.path}, line {self.line}: {problem}")


def _lines(place: _Place) -> Iterator[str]:
    try:
        with place.path.open("rb") as file:
            for place.line, raw in enumerate(file, start=1):
                yield raw.decode("utf-8-sig" if place.line == 1 else "utf-8")
    except UnicodeDecodeError:
        place.fail("not UTF-8. Save the file as UTF-8.")
    except OSError as error:
        raise DataError(f"Cannot read {place.path}: {error.strerror}. Check its rights.") from error


def _read_side(folder: Path, side: str, label: str, other_label: str) -> Graph:
    nodes: dict[str, list[Row]] = {}
    uids: set[str] = set()
    place = _Place(folder / f"{side}.nodes.jsonl")
    for text in _lines(place):
        if not text.strip():
            continue
        uid, name, properties = _parse_node(text, place)
        if uid in uids:
            place.fail(f"the uid {uid!r} is there a second time. Give each node of a side its own.")
        if name == other_label:
            place.fail(f"the type {name!r} is also the label of the other side. Choose another side label.")
        if name not in nodes and (problem := _label_problem(name)):
            place.fail(problem)
        uids.add(uid)
        nodes.setdefault(name, []).append({"uid": uid, "properties": properties})
    return Graph(label, nodes, _read_edges(_Place(folder / f"{side}.edges.csv"), uids))


def _parse_node(text: str, place: _Place) -> tuple[str, str, dict[str, Any]]:
    try:
        node = json.loads(text, parse_constant=lambda name: place.fail(f"{name} is not JSON. Leave the value out."))
    except (ValueError, RecursionError) as error:
        place.fail(f"not JSON ({error}). Write one JSON object a line.")
    if not isinstance(node, dict):
        place.fail("not a JSON object. Write one JSON object a line.")
    for name in ("uid", "type"):
        if not isinstance(node.get(name), str) or not node[name]:
            lack = f"its `{name}` is no text, or empty" if name in node else f"the node has no `{name}`"
            place.fail(f"{lack}. Give it one, as text that is not empty.")
    for name, value in node.items():
        if problem := _name_problem(name) or _value_problem(value):
            place.fail(f"attribute {name!r}: {problem}")
    properties = {name: value for name, value in node.items() if name not in ("uid", "type") and value is not None}
    return node["uid"], node["type"], properties


def _read_edges(place: _Place, uids: set[str]) -> dict[str, list[Edge]]:
    edges: dict[str, dict[Edge, None]] = {}  # the inner dictionaries are ordered sets
    rows = csv.reader(_lines(place), strict=True)
    try:
        if next(rows, None) != HEADER:
            place.fail(f"the first line must be {','.join(HEADER)}.")
        for row in filter(None, rows):
            source, name, target = _parse_edge(row, uids, place)
            if name not in edges and (problem := _relation_problem(name)):
                place.fail(problem)
            edges.setdefault(name, {})[source, target] = None
    except csv.Error as error:
        place.fail(f"not CSV ({error}). Put values with commas or quotes in quotes, and double quotes in them.")
    return {name: list(pairs) for name, pairs in edges.items()}


def _parse_edge(row: list[str], uids: set[str], place: _Place) -> tuple[str, str, str]:
    if len(row) != len(HEADER):
        place.fail(f"{len(row)} values where {','.join(HEADER)} are needed.")
    source, name, target = row
    for what, uid in (("source", source), ("target", target)):
        if uid not in uids:
            place.fail(f"the {what} {uid!r} is not a uid of {place.path.name.split('.')[0]}.nodes.jsonl.")
    return source, name, target


def _label_problem(label: str) -> str | None:
    if label in OWN_LABELS:
        return f"{label} belongs to neo4j-align. Choose another name for the label."
    return _name_problem(label)


def _relation_problem(name: str) -> str | None:
    if name in OWN_RELATIONS:
        return f"{name} belongs to neo4j-align. Choose another name for the relation."
    return _name_problem(name)


def _name_problem(name: str) -> str | None:
    try:
        quote(name)
    except ConfigError as error:
        return str(error)
    return _value_problem(name)


def _value_problem(value: Any) -> str | None:
    """Say why Neo4j could not store a value, None if it can: scalars, and lists of scalars of one type."""
    members = value if isinstance(value, list) else [] if value is None else [value]
    if len({type(member) for member in members}) > 1 or not all(isinstance(m, (str, int, float)) for m in members):
        return "Neo4j cannot store this. Make it text, a number, true, false, or a list of one of these."
    for member in members:
        if isinstance(member, int) and not _SMALLEST <= member <= _LARGEST:
            return "the number is too large for Neo4j. Make it text."
        if isinstance(member, str) and not member.isascii() and _SURROGATE.search(member):
            return "half a surrogate pair is not Unicode text. Correct it."
    return None
