"""Guess how two graphs map to each other: types, attributes, relations. Pure: profiles in, Config out.

Every guess goes with a note of what speaks for it, since a person is to correct it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from neo4j_align.config import Attribute, Config, EntityType, Kind, Relation
from neo4j_align.profile import Graph, NodeType, Property, kind_of, name_property, words
from neo4j_align.relating import ALONE, match_relations
from neo4j_align.similarity import (
    Column,
    Matrix,
    best_pairs,
    name_similarity,
    range_overlap,
    same_named,
    text_overlap,
    value_agreement,
    year_overlap,
)

Note = tuple[str, ...]  # ("types", type), ("types", type, attribute) or ("relations", relation)
TypeMatch = tuple[NodeType | None, NodeType | None, str]  # left, right, what speaks for it

NAME_SLOT = "name"
LEAST_TYPE = 0.3
LEAST_ATTRIBUTE = 0.35


@dataclass(frozen=True)
class Mapping:
    """A guessed configuration, and what speaks for each of its entries."""

    config: Config
    notes: dict[Note, str]


def guess(left: Graph, right: Graph) -> Mapping:
    """Guess the mapping of two graphs; at least one pair of types is always proposed."""
    builder = _Builder()
    counterparts: dict[str, str] = {}
    for one, other, note in _match_types(left, right):
        builder.add_type(one, other, note, list(_match_attributes(one, other, left.side.key, right.side.key)))
        if one is not None and other is not None:
            counterparts[one.name] = other.name
    for relation, note in match_relations(left, right, counterparts):
        builder.add_relation(relation, note)
    config = Config(left=left.side, right=right.side, types=tuple(builder.types), relations=tuple(builder.relations))
    return Mapping(config, builder.notes)


@dataclass
class _Builder:
    """Collects entries under names that differ, and their notes."""

    types: list[EntityType] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    notes: dict[Note, str] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=lambda: {NAME_SLOT: "name"})

    def add_type(
        self, left: NodeType | None, right: NodeType | None, note: str, attributes: list[tuple[Attribute, str]]
    ) -> None:
        labels = [found.name if found else None for found in (left, right)]
        name = _unique(_snake(labels[0] or labels[1] or ""), {t.name for t in self.types})
        self.notes["types", name] = note
        slots: list[Attribute] = []
        for attribute, reason in attributes:
            slots.append(self._slot(attribute, {slot.name for slot in slots}))
            self.notes["types", name, slots[-1].name] = reason
        self.types.append(EntityType(name=name, left=labels[0], right=labels[1], attributes=tuple(slots)))

    def add_relation(self, relation: Relation, note: str) -> None:
        name = _unique(_snake(relation.name), {r.name for r in self.relations})
        self.notes["relations", name] = note
        self.relations.append(relation.model_copy(update={"name": name}))

    def _slot(self, attribute: Attribute, taken: set[str]) -> Attribute:
        """Name an attribute like those of other types that are the same: a column holds values of one kind."""
        kind = attribute.kind
        wish = NAME_SLOT if kind == "name" else _snake(attribute.name)
        others = {name for name, found in self.kinds.items() if found != kind}
        name = wish if wish not in others else f"{wish}_{kind}"
        name = _unique(name, taken | others)
        self.kinds[name] = kind
        return attribute.model_copy(update={"name": name})


def _snake(name: str) -> str:
    return re.sub("_(?=[0-9])", "", "_".join(words(name))) or name


def _unique(name: str, taken: set[str]) -> str:
    numbered = (f"{name}_{number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(other for other in numbered if other not in taken)


def certainty(score: float) -> str:
    """Put a score of 0 to 1 into a word."""
    return "sure" if score >= 0.5 else "likely" if score >= 0.35 else "unsure"


def _match_types(left: Graph, right: Graph) -> Iterator[TypeMatch]:
    """Pair types by the names of their entities, their labels, and the words of their schemas."""
    labels = name_similarity([t.name for t in left.types], [t.name for t in right.types])
    names = [[_names(t, graph.side.key) for t in graph.types] for graph in (left, right)]
    named = np.outer(*(np.array([bool(column.values) for column in side]) for side in names))
    alike = text_overlap(*names)
    contexts = _jaccard(*([_context(graph, t) for t in graph.types] for graph in (left, right)))
    scores = np.where(named, 0.65 * alike + 0.25 * labels, 0.75 * labels) + 0.1 * contexts
    pairs = best_pairs(scores, LEAST_TYPE) or best_pairs(scores, 0)[:1]
    for row, column in sorted(pairs):
        reasons = f"names alike {alike[row, column]:.0%}, labels {labels[row, column]:.0%}"
        note = f"{certainty(scores[row, column])}: {reasons}"
        yield left.types[row], right.types[column], note
    paired = [set(side) for side in zip(*pairs, strict=True)]
    yield from ((t, None, ALONE) for place, t in enumerate(left.types) if place not in paired[0])
    yield from ((None, t, ALONE) for place, t in enumerate(right.types) if place not in paired[1])


def _names(node_type: NodeType, key: str) -> Column:
    found = name_property(node_type, key)
    return Column(found.values if found else (), node_type.share)


def _context(graph: Graph, node_type: NodeType) -> set[str]:
    names = [found.name for found in node_type.properties if found.name != graph.side.key]
    names += [r.name for r in graph.relations if any(node_type.name in ends for ends in r.ends)]
    return {word for name in names for word in words(name) if len(word) > 1 and word.isalpha()}


def _jaccard(left: list[set[str]], right: list[set[str]]) -> Matrix:
    return np.array([[len(one & other) / (len(one | other) or 1) for other in right] for one in left])


def _match_attributes(
    left: NodeType | None, right: NodeType | None, left_key: str, right_key: str
) -> Iterator[tuple[Attribute, str]]:
    """Pair what names the entities, then the other properties by their names and values."""
    sides = ((left, left_key), (right, right_key))
    naming = [name_property(t, key) if t else None for t, key in sides]
    if any(naming):
        note = "names the entity" if all(naming) or not (left and right) else ALONE
        yield _attribute(naming[0], naming[1], "name"), note
    ones, others = (
        [p for p in t.properties if p.name != key and p is not found] if t else []
        for (t, key), found in zip(sides, naming, strict=True)
    )
    scores: npt.NDArray[np.float64] = np.zeros((len(ones), len(others)))
    if left and right and ones and others:
        named = same_named(naming[0], naming[1]) if naming[0] and naming[1] else []
        scores = _attribute_scores(left, right, ones, others, named)
    pairs = best_pairs(scores, LEAST_ATTRIBUTE)
    for row, column in sorted(pairs):
        one, other = ones[row], others[column]
        yield _attribute(one, other, _joint_kind(one, other)), certainty(scores[row, column])
    paired = [{pair[side] for pair in pairs} for side in (0, 1)]
    yield from ((_attribute(p, None, kind_of(p)), ALONE) for i, p in enumerate(ones) if i not in paired[0])
    yield from ((_attribute(None, p, kind_of(p)), ALONE) for i, p in enumerate(others) if i not in paired[1])


def _attribute(left: Property | None, right: Property | None, kind: Kind) -> Attribute:
    names = [found.name if found else None for found in (left, right)]
    return Attribute(name=names[0] or names[1] or "", left=names[0], right=names[1], kind=kind)


def _attribute_scores(
    left: NodeType, right: NodeType, ones: list[Property], others: list[Property], named: list[tuple[int, int]]
) -> Matrix:
    """Score pairs of properties by their names and columns, or by the values of nodes that have one name."""
    columns = [[Column(p.values, t.share) for p in found] for t, found in ((left, ones), (right, others))]
    context = words(left.name) + words(right.name)
    by_name = name_similarity([p.name for p in ones], [p.name for p in others], context)
    by_text = text_overlap(*columns)
    scores = np.zeros(by_name.shape)
    for row, one in enumerate(ones):
        for column, other in enumerate(others):
            alike = by_name[row, column]
            kind = _joint_kind(one, other)
            if kind == "text":
                similar = by_text[row, column]
                if kind_of(one) != kind_of(other) and alike < 1:
                    continue  # a text is no number, unless both have one name
            elif kind == "number":
                similar = 0.4 * range_overlap(columns[0][row], columns[1][column])  # many numbers share a range
            else:
                similar = 0.8 * year_overlap(columns[0][row], columns[1][column])
            agreed = value_agreement(one, other, kind, named)
            scores[row, column] = max((alike + similar) / 2, agreed or 0.0)
    return scores


def _joint_kind(one: Property, other: Property) -> Kind:
    kinds = {kind_of(one), kind_of(other)}
    if kinds == {"number", "date"}:
        return "date"
    return kinds.pop() if len(kinds) == 1 else "text"
