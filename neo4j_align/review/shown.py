"""A pair as a person sees it: values side by side with what differs, and the two neighbourhoods. Nothing is markup."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from neo4j_align.config import Config
from neo4j_align.records import Anchors, Neighbourhood, Nodes

LONGEST = 400  # characters of a value that a page shows
ROWS = 12  # of neighbours in the picture
_WORDS = re.compile(r"\s+|[^\W_]+|.", re.DOTALL)


@dataclass(frozen=True)
class Value:
    """A value in parts.

    Attributes:
        parts: text, and whether the other side lacks it; cut: how many characters are not shown.
    """

    parts: tuple[tuple[str, bool], ...]
    cut: int = 0


@dataclass(frozen=True)
class Field:
    """An attribute of both; None where it is missing. `mark`: same, different, or missing."""

    name: str
    left: Value | None
    right: Value | None
    mark: str


@dataclass(frozen=True)
class Label:
    """A neighbour in the picture: how it is related, and its name or key."""

    relations: str
    text: str


@dataclass(frozen=True)
class Row:
    """A left and a right neighbour at one height; joined where they are taken to be the same."""

    left: Label | None
    right: Label | None
    joined: bool


def fields(config: Config, nodes: Nodes, left: int, right: int) -> list[Field]:
    """Return the attributes that either of two entities has, those that differ marked word by word."""
    found = []
    for attribute in config.types[nodes.type[left]].attributes:
        values = [nodes.attributes[attribute.name][end] for end in (left, right)]
        if values != [None, None]:
            found.append(_field(attribute.name, *values))
    return found


def _field(name: str, left: str | None, right: str | None) -> Field:
    if left is None or right is None:
        one, other = (None if value is None else _value(value, ()) for value in (left, right))
        return Field(name, one, other, "missing")
    mark = "same" if left == right else "different"
    return Field(name, _value(left, _folded(right)), _value(right, _folded(left)), mark)


def _folded(value: str) -> tuple[str, ...]:
    return tuple(word.casefold() for word in _WORDS.findall(value[:LONGEST]))


def _value(value: str, other: tuple[str, ...]) -> Value:
    """Cut a value, and mark what another lacks; nothing where there is no other."""
    words = _WORDS.findall(value[:LONGEST])
    if not other:
        return Value((("".join(words), False),), max(len(value) - LONGEST, 0))
    matcher = SequenceMatcher(None, [word.casefold() for word in words], other, autojunk=False)
    steps = (step for step in matcher.get_opcodes() if step[1] < step[2])
    parts = tuple(("".join(words[start:end]), kind != "equal") for kind, start, end, _, _ in steps)
    return Value(parts, max(len(value) - LONGEST, 0))


def picture(config: Config, nodes: Nodes, drawn: Neighbourhood, known: Anchors, pair: tuple[int, int]) -> list[Row]:
    """Return the sampled neighbours of both entities, those taken to be the same at one height and first."""
    left, right = (_around(config, drawn, end) for end in pair)
    twins = [(one, int(known.twin[one])) for one in left if int(known.twin[one]) in right]
    joined = {end for twin in twins for end in twin}
    rest = [[_label(nodes, one, side[one]) for one in side if one not in joined] for side in (left, right)]
    rows = [Row(_label(nodes, one, left[one]), _label(nodes, other, right[other]), joined=True) for one, other in twins]
    for at in range(max(map(len, rest))):
        one, other = (side[at] if at < len(side) else None for side in rest)
        rows.append(Row(one, other, joined=False))
    return rows[:ROWS]


def _around(config: Config, drawn: Neighbourhood, entity: int) -> dict[int, list[str]]:
    """Return the neighbours of an entity, and by which relations they are."""
    found: dict[int, list[str]] = {}
    for place in np.flatnonzero(drawn.neighbours[entity] >= 0):
        code = int(drawn.relations[entity, place])
        name = config.relations[abs(code) - 1].name
        found.setdefault(int(drawn.neighbours[entity, place]), []).append(name if code > 0 else f"← {name}")
    return found


def _label(nodes: Nodes, entity: int, relations: list[str]) -> Label:
    return Label(short(", ".join(relations), 40), short(called(nodes, entity), 60))


def called(nodes: Nodes, entity: int) -> str:
    """Return an entity's name, or its key where it has none."""
    return str(nodes.names[entity] or nodes.keys[entity])


def short(text: str, most: int) -> str:
    """Cut a text, and show that it was cut."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
