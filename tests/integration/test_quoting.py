"""Quoted names on a real server: whatever a label, a relationship type or a property is called, it is only a name."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from neo4j_align.errors import ConfigError, DatabaseError
from neo4j_align.store.database import Database
from neo4j_align.store.schema import all_of, any_of, quote

hostile = st.text(
    st.one_of(st.sampled_from("`'\"{}$[]()|&!%:;/* \n\t.u0060"), st.characters(exclude_categories=["Cs"])),
    min_size=1,
    max_size=20,
).filter(lambda name: "\\" not in name and "\0" not in name)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(label=hostile, type_=hostile, key=hostile)
@example(label="`", type_="``", key="```")
@example(label="A`) DETACH DELETE (n", type_="R]->() //", key="a` = 1 /*")
@example(label=" ", type_="\n", key="\t")
@example(label="$label", type_="{type}", key="'key'")
@example(label="A|B&!C:D", type_="名前", key="👨‍👩‍👧")
def test_names_come_back_as_they_were(database: Database, label: str, type_: str, key: str) -> None:
    created = database.write(
        f"CREATE (a:{quote(label)} {{{quote(key)}: 1}})-[r:{quote(type_)}]->(a) "
        "RETURN elementId(a) AS id, labels(a) AS labels, type(r) AS type, keys(a) AS keys"
    )
    assert [(row["labels"], row["type"], row["keys"]) for row in created] == [([label], type_, [key])]
    found = database.read(
        f"MATCH (a:{all_of([label, label])})-[r:{any_of([type_, 'Other'])}]->() WHERE a.{quote(key)} = 1 "
        "RETURN elementId(a) AS id, a[$key] AS value",
        key=key,
    )
    assert {"id": created[0]["id"], "value": 1} in found


def test_a_name_cannot_do_anything(database: Database) -> None:
    database.write("CREATE (:Keep)")
    name = "X`) DETACH DELETE n //"
    assert database.write(f"MATCH (n:{quote(name)}) RETURN n") == []
    assert database.read("MATCH (n) RETURN labels(n) AS labels") == [{"labels": ["Keep"]}]


def test_why_a_backslash_is_refused(database: Database) -> None:
    r"""The server reads `\u0060` as a backtick before it looks at quotes: doubling backticks does not help."""
    name = r"X\u0060) RETURN 'injected' AS found //"
    with pytest.raises(ConfigError, match="cannot be used"):
        quote(name)
    doubled = "`" + name.replace("`", "``") + "`"
    assert database.read(f"OPTIONAL MATCH (n:{doubled}) RETURN n AS found") == [{"found": "injected"}]


def test_why_a_nul_is_refused(database: Database) -> None:
    with pytest.raises(DatabaseError, match="null-bytes"):
        database.write("CREATE (:`a\0b`)")
