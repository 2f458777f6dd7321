"""What a database holds, as far as guessing a mapping needs it: frozen records, and first readings of them.

Nothing here knows Neo4j: `store.introspect` fills the records, `mapping` guesses from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from neo4j_align.config import Kind, Side

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_NAMING = ("name", "title", "label")
_PART_OF_NAME = frozenset(
    ["first", "last", "given", "family", "middle", "maiden", "short", "nick", "user", "file", "alt", "sub"]
)
_IDENTIFYING = ("uid", "id", "key", "uuid", "guid", "identifier", "uri", "iri", "url", "code")
_DATING = frozenset({
    "year", "date", "day", "born", "birth", "birthday", "dob", "died", "death", "released", "release",
    "published", "publication", "founded", "established", "created", "opened", "closed", "since", "until",
})  # fmt: skip
_YEAR = re.compile(r"1[0-9]{3}|20[0-9]{2}")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE = re.compile(
    r"\d{4}-\d{1,2}(-\d{1,2}([T ].*)?)?|\d{1,2}[./]\d{1,2}[./](\d{2}|\d{4})|\d{4}[./]\d{1,2}[./]\d{1,2}"
    rf"|\d{{1,2}}[ .-]*{_MONTH}[ .,-]*(\d{{2}}|\d{{4}})"
    rf"|{_MONTH}[ .]*\d{{1,2}}[ ,]+\d{{4}}|{_MONTH}[ ,.-]*\d{{4}}",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[$€£¥]? ?[-+]?(\d{1,3}(,\d{3})+|\d+)?([.,]\d+)?([eE][-+]?\d+)? ?[%$€£¥]?")
_CODE = re.compile(r"0\d+|\d{9,}")  # digits that count nothing: postal codes, telephones, ISBN


@dataclass(frozen=True)
class Property:
    """A property of a type: the share of nodes that have it, sampled values as text, and Neo4j's types.

    `owned` holds each value with the number of its node, which brings the values of one node together.
    """

    name: str
    filled: float
    owned: tuple[tuple[int, str], ...]
    storage: frozenset[str] = frozenset({"STRING"})

    @cached_property
    def values(self) -> tuple[str, ...]:
        """The values alone."""
        return tuple(value for _, value in self.owned)


@dataclass(frozen=True)
class NodeType:
    """A label, by name, whose nodes are entities of one type, `sampled` of which were looked at.

    `left_out` names properties that hold nothing to compare: points, vectors, empty lists and texts.
    """

    name: str
    nodes: int
    sampled: int
    properties: tuple[Property, ...]
    left_out: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """The share of nodes that were looked at."""
        return self.sampled / self.nodes if self.nodes else 0.0


@dataclass(frozen=True)
class RelationType:
    """A relationship type of one side: how many join which types, and names of both ends of a share."""

    name: str
    ends: dict[tuple[str, str], int]
    pairs: tuple[tuple[str, str], ...] = ()
    share: float = 1.0

    @property
    def relationships(self) -> int:
        """How many there are."""
        return sum(self.ends.values())


@dataclass(frozen=True)
class Graph:
    """One side: which nodes are its own, their key, types and relations."""

    side: Side
    nodes: int
    types: tuple[NodeType, ...]
    relations: tuple[RelationType, ...]


@dataclass(frozen=True)
class LabelSet:
    """How many nodes have exactly these labels, and this value of the property that may tell sides apart."""

    labels: frozenset[str]
    nodes: int
    value: str | int | bool | None = None


def words(name: str) -> list[str]:
    """Split a name as people write them in schemas: `birthDate`, `BIRTH_DATE` and `birth-date` alike."""
    return [word.lower() for word in _WORDS.findall(name)]


def find_types(sets: Sequence[LabelSet], side_labels: Iterable[str | None]) -> list[str]:
    """Choose labels that tell the entity types of one side apart: no node has two of them.

    A label that other labels divide up completely (`Work` into `Film` and `Book`) gives way to them. Nodes
    may be left over; where these are the majority there are no types, and the list is empty.
    """
    ignored = frozenset(label for label in side_labels if label)
    stripped = [LabelSet(one.labels - ignored, one.nodes) for one in sets]
    chosen = _divide(stripped)
    covered = sum(one.nodes for one in stripped if one.labels & set(chosen))
    return chosen if 2 * covered >= sum(one.nodes for one in stripped) else []


def _divide(sets: Sequence[LabelSet]) -> list[str]:
    counts: dict[str, int] = {}
    for one in sets:
        for label in one.labels:
            counts[label] = counts.get(label, 0) + one.nodes
    chosen: list[str] = []
    taken: set[LabelSet] = set()
    for label in sorted(counts, key=lambda label: (-counts[label], label)):
        own = {one for one in sets if label in one.labels}
        if not own & taken:
            chosen.append(label)
            taken |= own
    return [part for label in chosen for part in _refine(label, sets)]


def _refine(label: str, sets: Sequence[LabelSet]) -> list[str]:
    elsewhere = {other for one in sets if label not in one.labels for other in one.labels}
    own = [LabelSet(one.labels - elsewhere - {label}, one.nodes) for one in sets if label in one.labels]
    parts = _divide(own)
    complete = all(one.labels & set(parts) for one in own)
    return parts if complete and len(parts) > 1 else [label]


def find_sides(sets: Sequence[LabelSet]) -> list[tuple[str, str]]:
    """Return the pairs of labels that divide (almost) all nodes between them, in alphabetical order."""
    counts: dict[str, int] = {}
    for one in sets:
        for label in one.labels:
            counts[label] = counts.get(label, 0) + one.nodes
    total = sum(one.nodes for one in sets)
    together = {frozenset(pair) for one in sets for pair in _pairs(sorted(one.labels))}
    return [
        pair
        for pair in _pairs(sorted(counts))
        if counts[pair[0]] + counts[pair[1]] >= 0.99 * total and frozenset(pair) not in together
    ]


def _pairs(labels: Sequence[str]) -> list[tuple[str, str]]:
    return [(one, other) for place, one in enumerate(labels) for other in labels[place + 1 :]]


def order_keys(properties: Iterable[str], backed: Iterable[str]) -> list[str]:
    """Order properties by how likely they identify a node: those with a constraint, then by their names; names last."""
    backed = frozenset(backed)

    def rank(name: str) -> tuple[bool, bool, int, str]:
        parts = words(name)
        places = [place for place, word in enumerate(_IDENTIFYING) if word in parts]
        # What names an entity changes, and as the key it would not be compared.
        return not places and naming(name) > 0, name not in backed, min(places, default=len(_IDENTIFYING)), name

    return sorted(properties, key=rank)


def naming(name: str) -> float:
    """Say how much a property's name sounds as if it named the entity, 0 to 1."""
    parts = words(name)
    if not parts or parts[-1] not in _NAMING or _PART_OF_NAME & set(parts):
        return 0.0
    return 1.0 - 0.05 * _NAMING.index(parts[-1]) - 0.05 * (len(parts) - 1)


def name_property(node_type: NodeType, key: str) -> Property | None:
    """Choose the property that names the entities of a type: by its name, else by its values.

    The key is it only where it sounds like a name, so that names are compared where they are all that tells apart.
    """
    texts = [p for p in node_type.properties if kind_of(p) == "text" and (p.name != key or naming(key))]
    # A title stays one where dirt has got into it.
    candidates = [p for p in texts if _is_short(p) or naming(p.name)]

    def rank(candidate: Property) -> tuple[float, str]:
        distinct = len(set(candidate.values)) / max(len(candidate.values), 1)
        return 3 * naming(candidate.name) + candidate.filled + distinct, candidate.name

    return max(candidates, key=rank, default=None)


def _is_short(candidate: Property) -> bool:
    lettered = sum(any(map(str.isalpha, value)) for value in candidate.values)
    length = sum(map(len, candidate.values)) / max(len(candidate.values), 1)
    return length <= 80 and 2 * lettered >= max(len(candidate.values), 1)


def kind_of(candidate: Property) -> Kind:
    """Tell numbers and dates from texts, by storage, by the shape of nearly all values, and by the name."""
    if candidate.storage and all(_is_temporal(storage) for storage in candidate.storage):
        return "date"
    values = candidate.values
    if not values or "BOOLEAN" in candidate.storage:
        return "text"
    dates, years = _share(_DATE, values), _share(_YEAR, values)
    if dates + years >= 0.9 and (dates > 0.1 or _DATING & set(words(candidate.name))):
        return "date"
    if candidate.storage <= {"INTEGER", "FLOAT"}:
        return "number"
    return "number" if _share(_NUMBER, values) >= 0.9 and _share(_CODE, values) < 0.05 else "text"


def _is_temporal(storage: str) -> bool:
    return storage == "DATE" or storage.endswith("DATETIME")


def _share(shape: re.Pattern[str], values: Sequence[str]) -> float:
    return sum(bool(value) and shape.fullmatch(value.strip()) is not None for value in values) / len(values)
