"""Names of the user's schema in Cypher: quoted so that they cannot be anything but names."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neo4j_align.config import Config, parse_config
from neo4j_align.errors import ConfigError
from neo4j_align.records import LEFT, RIGHT
from neo4j_align.store import schema
from tests.unit.builders import config

hostile = st.text(
    st.one_of(st.sampled_from("`'\"{}$[]()|&!%:;/* \n\t."), st.characters(exclude_categories=["Cs"])), min_size=1
)


def usable(name: str) -> bool:
    return bool(name) and "\\" not in name and "\0" not in name


def unquote(quoted: str) -> str:
    """Read a quoted name as Cypher's grammar does; fails where the name ends too early or not at all."""
    match = re.fullmatch(r"`((?:[^`]|``)*)`", quoted, re.DOTALL)
    assert match is not None
    return match[1].replace("``", "`")


@settings(max_examples=200, deadline=None)
@given(hostile.filter(usable))
def test_a_quoted_name_is_one_name(name: str) -> None:
    assert unquote(schema.quote(name)) == name


@settings(max_examples=100, deadline=None)
@given(st.lists(hostile.filter(usable), min_size=1, max_size=4))
def test_expressions_are_names_and_their_operator(names: list[str]) -> None:
    for expression, operator in ((schema.all_of(names), "&"), (schema.any_of(names), "|")):
        found = re.findall(r"`(?:[^`]|``)*`", expression, re.DOTALL)
        assert [unquote(quoted) for quoted in found] == names
        assert operator.join(found) == expression


@pytest.mark.parametrize("name", ["", "\0", "a\0b", "\\", "a\\u0060b"])
def test_a_name_that_no_quoting_makes_safe_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be used"):
        schema.quote(name)


def with_sides(left: dict[str, Any], right: dict[str, Any]) -> Config:
    document = config(types=2).model_dump(mode="json")
    document["types"][1]["left"] = None
    return parse_config(document | {"left": {"key": "uid", **left}, "right": {"key": "id", **right}})


def test_a_side_by_label_is_the_label_and_the_types() -> None:
    mapping = with_sides({"label": "Left Side"}, {"label": "R"})
    found = schema.scope(mapping, LEFT, mapping.types[0])
    assert found == schema.Scope(
        "`Left Side`&`T0`", {"side_property": None, "side_value": None}, "the labels Left Side and T0"
    )
    assert schema.scope(mapping, LEFT, mapping.types[1]) is None
    right = schema.scope(mapping, RIGHT, mapping.types[1])
    assert right is not None
    assert right.labels == "`R`&`T1`"


@pytest.mark.parametrize("value", ["imdb", 1, False])
def test_a_side_by_property_is_the_types_label_and_a_parameter(value: object) -> None:
    mapping = with_sides({"property": "sou`rce", "value": value}, {"label": "T0"})
    found = schema.scope(mapping, LEFT, mapping.types[0])
    assert found == schema.Scope(
        "`T0`", {"side_property": "sou`rce", "side_value": value}, f"the label T0 and sou`rce = {value!r}"
    )
    # A type whose label is the side's own is named once.
    right = schema.scope(mapping, RIGHT, mapping.types[0])
    assert right is not None
    assert right.labels == "`T0`"


def test_counterparts_have_one_code_whichever_way_they_point() -> None:
    relations: list[dict[str, Any]] = [
        {"name": "a", "left": "A", "right": "X"},
        {"name": "b", "left": "B", "right": "Y", "inverse": True},
        {"name": "c", "left": "C"},
        {"name": "d", "right": "Z", "inverse": True},
    ]
    mapping = config(relations=relations)
    assert schema.relation_codes(mapping, LEFT) == {"A": 1, "B": -2, "C": 3}
    assert schema.relation_codes(mapping, RIGHT) == {"X": 1, "Y": 2, "Z": 4}
