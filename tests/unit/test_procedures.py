"""Stored procedures before they meet a server: signatures, literals, what is filled in and what is left."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from neo4j_align.cli import main
from neo4j_align.config import Config, parse_config
from neo4j_align.errors import ConfigError, DatabaseError
from neo4j_align.store import procedures, queries, schema
from neo4j_align.store.database import Database
from neo4j_align.store.procedures import GROUPS, Procedure, document, names
from tests.unit.builders import config
from tests.unit.test_queries import without_strings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", names())
def test_every_procedure_loads(name: str) -> None:
    procedure = Procedure.load(name)
    assert procedure.name == name
    assert procedure.mode == (
        "WRITE" if re.search(r"\b(SET|CREATE|MERGE|DELETE)\b", without_strings(procedure.query.text)) else "READ"
    )
    _, _, text = procedure.query.text.partition("\n")
    columns = re.findall(r"(?:\(|, )(\w+) ::", procedure.head.partition(") :: ")[2])
    assert columns
    assert all(re.search(rf"\b{column}\b", text) for column in columns)


def test_a_procedure_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(DatabaseError, match=r"no procedure nothing\. There are: cancel, .*same_as"):
        Procedure.load("nothing")


def procedure(signature: str, declared: str = "a, b, c", name: str = "one") -> Procedure:
    used = ", ".join(f"${part}" for part in re.findall(r"\w+", declared))
    return Procedure.of(queries.parse(f"// {name}({declared}): counts\n{signature}\nRETURN [{used}] AS x"))


@pytest.mark.parametrize(
    ("signature", "arguments", "optional"),
    [
        ("// READ one() :: (x :: ANY)", {}, ""),
        ("// READ one(a :: ANY) :: (x :: LIST OF ANY)", {"a": None}, ""),
        ("// WRITE one(a :: STRING, b = null :: STRING) :: (x :: ANY, y :: INTEGER)", {"a": None, "b": None}, "b"),
        ("// READ one(a = 0.9 :: FLOAT, b = 25 :: INTEGER) :: (x :: ANY)", {"a": 0.9, "b": 25}, "ab"),
        ("// READ one(a = {} :: MAP, b = true :: BOOLEAN) :: (x :: ANY)", {"a": {}, "b": True}, "ab"),
        ("// READ one(a :: LIST OF ANY, b = -1 :: INTEGER) :: (x :: ANY)", {"a": None, "b": -1}, "b"),
    ],
)  # fmt: skip
def test_signatures(signature: str, arguments: dict[str, Any], optional: str) -> None:
    found = procedure(signature)
    assert found.arguments == arguments
    assert found.optional == set(optional)
    assert found.mode == signature.split()[1]
    assert found.head == signature.partition("E ")[2] or signature.endswith(found.head)


@pytest.mark.parametrize(
    "signature",
    [
        "RETURN 1",
        "// one() :: (x :: ANY)",
        "// BOTH one() :: (x :: ANY)",
        "// READ other() :: (x :: ANY)",
        "// READ one()",
        "// READ one() :: ()",
        "// READ one(a) :: (x :: ANY)",
        "// READ one(a :: ANY,b :: ANY) :: (x :: ANY)",
        "// READ one(a = :: ANY) :: (x :: ANY)",
        "// READ one(a = b :: ANY) :: (x :: ANY)",
        "// READ one(a :: ANY, a :: ANY) :: (x :: ANY)",
        "// READ one(undeclared :: ANY) :: (x :: ANY)",
    ],
)
def test_a_broken_signature_is_refused(signature: str) -> None:
    with pytest.raises(DatabaseError, match=r"procedures/one\.cypher"):
        procedure(signature)


texts = st.text(st.one_of(st.sampled_from("'\"`{}[]$,: \n\t/*"), st.characters(exclude_categories=["Cs"])), max_size=8)
words = texts.filter(lambda text: "\\" not in text)
labels = words.filter(lambda text: bool(text) and "\0" not in text)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(labels, inner, max_size=3),
    max_leaves=8,
)
TOKENS = re.compile(r"'(?:[^'\\]|\\')*'|`(?:[^`]|``)*`|-?\d+|null|true|false|[\[\]{},:]", re.DOTALL)


def read(source: str) -> Any:
    """Read a literal as Cypher's grammar does, by way of JSON; fails where anything is left over."""
    tokens = TOKENS.findall(source)
    assert re.sub(r"(?<=[,:]) ", "", TOKENS.sub("", source)).strip() == ""
    unquoted = {"'": lambda text: text[1:-1].replace("\\'", "'"), "`": lambda text: text[1:-1].replace("``", "`")}
    return json.loads("".join(json.dumps(unquoted[t[0]](t)) if t[0] in unquoted else t for t in tokens))


@settings(max_examples=300, deadline=None)
@given(values)
def test_a_literal_is_read_back_as_it_was(value: Any) -> None:
    assert read(schema.literal(value)) == value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "null"),
        (True, "true"),
        (-7, "-7"),
        ("it's", r"'it\'s'"),
        ("a\nb", "'a\nb'"),
        (["a", [1]], "['a', [1]]"),
        (("a",), "['a']"),
        ({"a`b": {"c": "😀"}}, "{`a``b`: {`c`: '😀'}}"),
    ],
)
def test_literals(value: Any, written: str) -> None:
    assert schema.literal(value) == written


@pytest.mark.parametrize("value", ["\\", r"a\u0027b", ["\\"], {"a": "\\"}, {"\\": 1}])
def test_a_backslash_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match="Rename it"):
        schema.literal(value)


def mapped(name: str, by_property: bool = False) -> Config:
    """A mapping of which all names are this one."""
    attribute = {"name": name, "left": name, "right": name, "kind": "name"}
    sides: dict[str, Any] = {
        "left": {"label": name, "key": name},
        "right": {"property": name, "value": name, "key": name},
    }
    if by_property:
        sides["left"] = {"property": name, "value": 7, "key": name}
    kind = {"name": name, "left": name, "right": name, "attributes": [attribute]}
    return parse_config({**sides, "types": [kind]})


def parameters(statement: str) -> set[str]:
    return set(re.findall(r"\$(\w+)", re.sub(r"'(?:\\.|[^'\\])*'|`(?:[^`]|``)*`", "", _bare(statement))))


def _bare(statement: str) -> str:
    return "\n".join(line for line in statement.splitlines() if not line.lstrip().startswith("//"))


HOSTILE = [
    "plain",
    "a`b",
    "it's",
    '"',
    "`",
    "$key",
    "$left_property",
    "{left}",
    "`{left}`",
    "a b: c | d",
    "名",
    r"`)//",
]


@pytest.mark.parametrize("by_property", [False, True])
@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_statement_leaves_its_arguments_alone(hostile: str, by_property: bool) -> None:
    mapping = mapped(hostile, by_property)
    for found in map(Procedure.load, names()):
        statement = found.statement(mapping)
        assert parameters(statement) == found.arguments.keys()
        assert ("left_key" in found.query.identifiers) == (f".{schema.quote(hostile)}" in statement)
        assert found.script(mapping).endswith(";")


def test_names_are_only_names() -> None:
    statement = Procedure.load("same_as").statement(mapped("x` = 1 OR true //"))
    assert "n.`x`` = 1 OR true //` IN keys" in statement
    assert "n:`x`` = 1 OR true //`&(`x`` = 1 OR true //`)" in statement


def test_the_script_says_how_to_call_it() -> None:
    script = Procedure.load("cluster").script(config())
    assert script.startswith("// cluster: all nodes that")
    assert '\n// Give all its parameters: cypher-shell -P "{key: …, confidence: 0.9}"\n' in script
    assert "// Give" not in Procedure.load("stats").script(config())


def test_show_prints_a_statement_without_a_database(tmp_path: Path) -> None:
    path = ROOT / "examples/media/align.toml"
    shown = CliRunner().invoke(main, ["procedures", "show", "same_as", "--config", str(path)])
    assert shown.exit_code == 0
    assert "`Catalogue`&(`Film`|" in shown.stdout
    assert shown.stdout.endswith(";\n")
    parsed = json.loads(CliRunner().invoke(main, ["procedures", "show", "--json"]).stdout)
    assert [one["name"] for one in parsed["procedures"]] == list(names())
    assert {"name", "mode", "signature", "purpose"} == parsed["procedures"][0].keys()
    listed = CliRunner().invoke(main, ["procedures", "show"]).stdout
    assert all(f" {Procedure.load(name).head}\n" in listed for name in names())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["nothing"], "There is no procedure nothing"), (["same_as", "--config", "none.toml"], "does not exist")],
)
def test_show_says_what_is_wrong(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(main, ["procedures", "show", *arguments])
    assert result.exit_code == 1
    assert message in result.stderr


def test_the_documentation_is_what_is_generated() -> None:
    written = (ROOT / "docs" / "procedures.md").read_text(encoding="utf-8")
    assert written == document(), "python -m neo4j_align.store.procedures > docs/procedures.md"


class Deaf:
    """A gate to a server whose APOC misses so many of the announcements that procedures were installed."""

    home = "neo4j"

    def __init__(self, misses: int) -> None:
        self.misses, self.announced, self.mark = misses, 0, ""

    def system(self) -> Deaf:
        return self

    def write(self, text: str, **given: Any) -> None:
        if "installFunction" in text:
            self.announced += 1
            self.mark = given["statement"].split("'")[1] if self.announced > self.misses else ""

    def read(self, text: str, **_: Any) -> list[dict[str, Any]]:
        if text.startswith("SHOW"):
            return [{"name": "apoc.custom.installProcedure"}]
        if "apoc.custom.show" in text:
            return [{"name": "align.same_as", "type": "procedure", "mode": "READ", "description": ""}]
        if not self.mark:
            raise DatabaseError("there is no such function")
        return [{"mark": self.mark}]


def test_an_installation_that_apoc_missed_is_announced_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procedures, "_AGAIN", 0.1)
    server = Deaf(misses=1)
    assert procedures.install(cast(Database, server), config())[0] == "custom.align.cancel"
    assert server.announced == 2


def test_a_removal_that_apoc_missed_is_announced_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procedures, "_AGAIN", 0.1)
    server = Deaf(misses=1)
    assert procedures.remove(cast(Database, server)) == ["custom.align.same_as"]
    assert server.announced == 2


def test_an_installation_that_is_never_taken_over_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procedures, "PATIENCE", 0.5)
    with pytest.raises(DatabaseError, match=r"not taken over .* within 0\.5 s"):
        procedures.install(cast(Database, Deaf(misses=9)), config())


def test_every_procedure_is_in_one_group() -> None:
    assert sorted(name for group in GROUPS.values() for name in group) == list(names())
