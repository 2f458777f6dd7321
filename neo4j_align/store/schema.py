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


def literal(value: Any) -> str:
    """Write a value as a Cypher literal: null, a truth value, a whole number, text, a list or a map of these.

    Raises:
        ConfigError: Text holds a backslash, which the server may read as the beginning of any character.
    """
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quote(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    if "\\" in value:
        raise ConfigError(f"{value!r} cannot be written into a stored procedure. Rename it without the backslash.")
    return "'" + str(value).replace("'", "\\'") + "'"


def key_index(label: str, key: str) -> dict[str, str]:
    """Return the identifiers for an index of a key; its name tells `uninstall` that it is not the user's."""
    return {"name": quote(f"align_key_{label}_{key}"), "label": quote(label), "key": quote(key)}


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


def identifiers(config: Config) -> dict[str, str]:
    """Return what stands for the identifiers of the procedures: how either side's entities and keys are found.

    `left` and `right` are label expressions, for example `IMDb`&(`Film`|`Person`), of which the server makes one
    index seek a label.
    """
    found = {}
    for name, side in (("left", LEFT), ("right", RIGHT)):
        of = side_of(config, side)
        labels = any_of(dict.fromkeys(_labels(config, side).values()))
        found[name] = labels if of.label is None else f"{quote(of.label)}&({labels})"
        found[f"{name}_key"] = quote(of.key)
    return found


def constants(config: Config) -> dict[str, Any]:
    """Return what the procedures know of the mapping: of either side the property that tells it apart and its value,
    how its keys begin in `pair`, the label of each type, and by label the property of each attribute.
    """  # noqa: D205
    found: dict[str, Any] = {"alignment": alignment(config)}
    for name, side in (("left", LEFT), ("right", RIGHT)):
        of = side_of(config, side)
        labels = _labels(config, side)
        found[f"{name}_property"], found[f"{name}_value"] = of.property, of.value
        found[f"{name}_key_name"] = of.key
        found[f"{name}_prefix"] = f"{side_name(config, side)}:"
        found[f"{name}_types"] = labels
        found[f"{name}_attributes"] = {
            labels[kind.name]: {
                attribute.name: mapped
                for attribute in kind.attributes
                if (mapped := attribute.right if side == RIGHT else attribute.left) is not None
            }
            for kind in config.types
            if kind.name in labels
        }
    return found


def side_name(config: Config, side: int) -> str:
    """Return how a side is called in `pair`."""
    of = side_of(config, side)
    return escaped(of.label or of.value)


def alignment(config: Config) -> str:
    """Return what tells this alignment from others in the same database: the names of its two sides."""
    return f"{side_name(config, LEFT)}|{side_name(config, RIGHT)}"


def _labels(config: Config, side: int) -> dict[str, str]:
    """Return the label of each type that a side has."""
    pairs = ((kind.name, kind.right if side == RIGHT else kind.left) for kind in config.types)
    return {name: label for name, label in pairs if label is not None}


def escaped(part: object) -> str:
    """Return a side's name or a key as it stands in `pair`: with `~` before each `:`, `|` and `~`."""
    # Seven times as fast as str.translate, and a million links have two million keys.
    return str(part).replace("~", "~~").replace(":", "~:").replace("|", "~|")
