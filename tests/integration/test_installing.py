"""Procedures in the database: installed, listed, removed, under hostile names, and what they cost by key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from neo4j_align.config import Config, parse_config
from neo4j_align.errors import ConfigError, DatabaseError
from neo4j_align.store import checks, links, procedures
from neo4j_align.store.database import Database
from tests.integration import plain, plans
from tests.integration.conftest import EXAMPLE, Run, document
from tests.integration.test_procedures import NUMBERS, WANTED, caller, keys
from tests.unit.builders import config


@pytest.fixture(autouse=True)
def cleared(database: Database) -> Iterator[None]:
    """Leave nothing installed on a server that outlives the tests."""
    yield
    procedures.remove(database)


def test_install_again_list_and_remove(database: Database) -> None:
    plain.write(database, plain.load(database, 3), WANTED)
    procedures.remove(database)
    assert procedures.installed(database) == []
    assert procedures.remove(database) == []
    other = parse_config(plain.CONFIG.model_dump(mode="json") | {"left": {"label": "L", "key": "name"}})
    text = "CALL custom.align.same_as($key) YIELD other RETURN other"

    expected = [f"custom.align.{name}" for name in procedures.names()]
    assert procedures.install(database, plain.CONFIG) == expected
    assert database.read(text, key="l0") == [{"other": "r0"}]
    procedures.install(database, other)
    assert database.read(text, key="l0") == []
    assert database.read(text, key="name 0") == [{"other": "r0"}]

    found = procedures.installed(database)
    assert [row["name"] for row in found] == expected
    assert {row["mode"] for row in found} == {"read", "write"}
    procedures.install(database, plain.CONFIG, "second")
    assert procedures.remove(database) == expected
    assert procedures.installed(database) == []
    assert len(procedures.remove(database, "second")) == len(expected)


def test_the_commands(run: Run, database: Database) -> None:
    mapping = ("--config", EXAMPLE / "align.toml")
    none = "Nothing is installed as custom.films."
    assert none in run("procedures", "list", "--namespace", "films").stdout
    installed = document(run("procedures", "install", *mapping, "--namespace", "films", "--json"))["installed"]
    listed = document(run("procedures", "list", "--namespace", "films", "--json"))["procedures"]
    assert [one["name"] for one in listed] == installed
    assert "custom.films.same_as" in run("procedures", "list", "--namespace", "films").stdout
    assert database.read("CALL custom.films.stats() YIELD links RETURN links") == []
    assert document(run("procedures", "remove", "--namespace", "films", "--json"))["removed"] == installed
    assert none.replace("is", "was", 1) in run("procedures", "remove", "--namespace", "films").stdout
    assert "is no namespace" in run("procedures", "install", *mapping, "--namespace", "a.b", code=1).stderr
    assert "does not exist" in run("procedures", "install", code=1).stderr


def test_a_server_without_apoc_says_what_to_do(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procedures, "_has_apoc", lambda _: False)
    with pytest.raises(DatabaseError, match=r"lacks APOC Extended.*procedures show NAME"):
        procedures.install(database, plain.CONFIG)
    assert procedures.installed(database) == []
    assert procedures.remove(database) == []
    with pytest.raises(ConfigError, match="is no namespace"):
        procedures.install(database, plain.CONFIG, "a b")


@pytest.mark.parametrize("mapping", [config(types=2), NUMBERS], ids=["labels", "property"])
def test_no_look_up_by_key_reads_all(database: Database, mapping: Config) -> None:
    """Of a graph that is not tiny: there the server may think that reading all is cheaper."""
    checks.create_indexes(database, mapping)
    database.write(
        "UNWIND range(0, 499) AS i CREATE (l:L:T0 {uid: 'l' + i, id: i, source: 'one'})"
        "-[:SAME_AS {pair: 'p' + i, status: 'predicted'}]->(r:R:T0 {uid: 'r' + i, id: i, source: \"it's\"})"
    )
    database.write("CALL db.awaitIndexes(60)")
    database.write("CALL db.resampleOutdatedIndexes()")
    database.write("CALL db.clearQueryCaches()")
    for name in ("same_as", "entity", "cluster"):
        assert plans.scans(plans.plan(database, mapping, name, {"key": "1"}, "EXPLAIN")) == [], name
    for name in ("confirm", "reject", "withdraw"):
        assert plans.scans(plans.plan(database, mapping, name, {"left": 1, "right": 2}, "EXPLAIN")) == [], name
    assert plans.scans(plans.plan(database, mapping, "stats", {}, "EXPLAIN")) != []


def test_hostile_names_in_what_is_installed(database: Database) -> None:
    name = "it's `$key` \" {left} //"
    attribute = {"name": name, "left": name, "right": name, "kind": "name"}
    mapping = parse_config(
        {
            "left": {"property": name, "value": name, "key": name},
            "right": {"label": f"{name}2", "key": name},
            "types": [{"name": name, "left": name, "right": name, "attributes": [attribute]}],
        }
    )
    quoted, label = (f"`{text.replace('`', '``')}`" for text in (name, f"{name}2"))
    database.write(f"CREATE (l:{quoted} {{x: 1}}), (r:{quoted}:{label} {{{quoted}: $key}}) SET l.{quoted} = $name",
                   name=name, key="k")  # fmt: skip
    for how in ("package", "statement", "installed"):
        call = caller(database, how, mapping)
        assert call("confirm", left=name, right="k")[0]["pair"] == links.pair_name(mapping, name, "k")
        assert keys(call("same_as", key="k"), "other") == [(name,)]
        assert call("conflicts") == []
