"""The user's labels, keys and relationship types in Cypher; the only quoting of identifiers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from neo4j_align.config import Config, EntityType, Side
from neo4j_align.errors import ConfigError
from neo4j_align.records import LEFT, RIGHT


def quote(name: str) -> str:
    r"""Quote a label, relationship type or property name for Cypher.

    Backticks are doubled. A backslash is refused: the server reads `\u0060` as a backtick even inside quotes.

    Raises:
        ConfigError: The name is empty or holds a backslash or a NUL, which no quoting makes safe.
    """
    if not name or "\\" in name or "\0" in name:
        raise ConfigError(f"{name!r} cannot be used as a label, relationship type or property name. Rename it.")
    return "`" + name.replace("`", "``") + "`"


def all_of(names: Iterable[str]) -> str:
    """Return a label expression: nodes that have every one of the labels."""
    return "&".join(quote(name) for name in names)


def any_of(names: Iterable[str]) -> str:
    """Return a relationship type expression: relationships of any of the types."""
    return "|".join(quote(name) for name in names)


def side_of(config: Config, side: int) -> Side:
    """Return the left or right side of a configuration."""
    return config.right if side == RIGHT else config.left


@dataclass(frozen=True)
class Scope:
    """Where the entities of a type and side are found.

    Attributes:
        labels: quoted label expression.
        parameters: `side_property` and `side_value`, null where the side is a label.
        description: for people.
    """

    labels: str
    parameters: dict[str, Any]
    description: str


def scope(config: Config, side: int, entity_type: EntityType) -> Scope | None:
    """Return where the entities of a type and side are found, or None where that side lacks the type."""
    label = entity_type.right if side == RIGHT else entity_type.left
    if label is None:
        return None
    of = side_of(config, side)
    labels = list(dict.fromkeys(name for name in (of.label, label) if name is not None))
    description = f"the label{'s' * (len(labels) > 1)} {' and '.join(labels)}"
    if of.property is not None:
        description += f" and {of.property} = {of.value!r}"
    return Scope(all_of(labels), {"side_property": of.property, "side_value": of.value}, description)


def relation_codes(config: Config, side: int) -> dict[str, int]:
    """Return, for each relationship type of a side, its code: index + 1, negative where its direction is turned.

    The code of a relationship seen from its start node is the code itself, from its end node the opposite:
    an `inverse` mapping turns the left side, so that counterparts have one code.
    """
    codes: dict[str, int] = {}
    for index, relation in enumerate(config.relations):
        name = relation.right if side == RIGHT else relation.left
        if name is not None:
            codes[name] = -(index + 1) if relation.inverse and side == LEFT else index + 1
    return codes
