"""The Cypher files: their headers say what they take, and each is one statement."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neo4j_align.errors import DatabaseError
from neo4j_align.store import queries

FILES = sorted(path.relative_to(queries.FOLDER).with_suffix("").as_posix() for path in queries.FOLDER.rglob("*.cypher"))


def without_strings(text: str) -> str:
    """Return Cypher without comments, and without what stands in quotes or backticks."""
    pieces = r"""//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`[^`]*`"""
    return re.sub(pieces, " ", text, flags=re.DOTALL)


def test_the_files_are_there() -> None:
    assert {"sampling/neighbours", "links/create", "runs/start", "schema/ensure_link_constraint"} <= set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_every_file_loads_under_its_own_name(name: str) -> None:
    query = queries.load(name)
    assert query.name == Path(name).name
    assert len(query.purpose) > 10
    # The header is one line; a procedure has its signature below.
    assert query.text.startswith("//") == name.startswith("procedures/")


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_one_statement(name: str) -> None:
    """Without a semicolon the driver, cypher-shell and a stored procedure all take it."""
    bare = without_strings(queries.load(name).text)
    assert bare.strip()
    assert ";" not in bare


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_readable_as_it_is(name: str) -> None:
    source = (queries.FOLDER / f"{name}.cypher").read_text(encoding="utf-8")
    assert source.isascii()
    assert source.endswith("\n")
    assert not any(line != line.rstrip() for line in source.splitlines())


@pytest.mark.parametrize("name", FILES)
def test_every_file_fills_all_its_identifiers(name: str) -> None:
    query = queries.load(name)
    rendered = query.render(**dict.fromkeys(query.identifiers, "`Filled`"))
    assert not re.search(r"`\{\w+\}`", rendered)
    assert rendered.count("`Filled`") >= len(query.identifiers)


def test_nothing_lies_in_the_folder_but_queries() -> None:
    assert {path.suffix for path in queries.FOLDER.rglob("*") if path.is_file()} == {".cypher"}


@pytest.mark.parametrize(
    ("source", "parameters", "identifiers"),
    [
        ("// one(): counts\nRETURN 1", set(), set()),
        ("// one(a): counts\nRETURN $a", {"a"}, set()),
        ("// one(a, b): counts\nRETURN $a + $b + $a", {"a", "b"}, set()),
        ("// one() [x]: counts\nMATCH (n:`{x}`) RETURN n", set(), {"x"}),
        ("// one(a) [x, y]: counts: both\nMATCH (n:`{x}`)-[:`{y}`]-() RETURN $a", {"a"}, {"x", "y"}),
        ("// one(a): counts\n// $b is no parameter in a comment\nRETURN $a // nor $c", {"a"}, set()),
    ],
)
def test_headers(source: str, parameters: set[str], identifiers: set[str]) -> None:
    query = queries.parse(source)
    assert query.name == "one"
    assert set(query.parameters) == parameters
    assert set(query.identifiers) == identifiers
    assert query.purpose.startswith("counts")
    assert query.text == source.partition("\n")[2]


@pytest.mark.parametrize(
    "first",
    [
        "RETURN 1",
        "// one: counts",
        "// one()",
        "// one():",
        "// one() counts",
        "/* one(): counts */",
        "// (a): counts",
        "// one two(): counts",
        "// one(a: counts",
        "",
    ],
)
def test_a_header_that_is_none_is_refused(first: str) -> None:
    with pytest.raises(DatabaseError, match="begins with"):
        queries.parse(f"{first}\nRETURN 1")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("// one(a): counts\nRETURN 1", r"declares the parameters \['a'\] but uses \[\]"),
        ("// one(): counts\nRETURN $a", r"declares the parameters \[\] but uses \['a'\]"),
        ("// one(a): counts\nRETURN 1 // $a", r"declares the parameters \['a'\] but uses \[\]"),
        ("// one() [x]: counts\nRETURN 1", r"declares the identifiers \['x'\] but uses \[\]"),
        ("// one(): counts\nMATCH (n:`{x}`) RETURN n", r"declares the identifiers \[\] but uses \['x'\]"),
    ],
)
def test_what_is_declared_and_what_is_used_must_agree(source: str, message: str) -> None:
    with pytest.raises(DatabaseError, match=message):
        queries.parse(source)


names = st.from_regex(r"[a-z]\w{0,5}", fullmatch=True).filter(str.isascii)


@settings(max_examples=50, deadline=None)
@given(st.sets(names, max_size=4), st.sets(names, max_size=4))
def test_agreement_is_checked_both_ways(declared: set[str], used: set[str]) -> None:
    source = f"// one({', '.join(declared)}): counts\nRETURN [{', '.join(f'${name}' for name in used)}]"
    if declared == used:
        assert queries.parse(source).parameters == declared
    else:
        with pytest.raises(DatabaseError, match="declares the parameters"):
            queries.parse(source)


def test_render_takes_exactly_the_identifiers() -> None:
    query = queries.parse("// one() [x]: counts\nMATCH (n:`{x}`) WHERE n:`{x}` RETURN n")
    for wrong in ({}, {"y": "`A`"}, {"x": "`A`", "y": "`B`"}):
        with pytest.raises(DatabaseError, match=r"one takes the identifiers \['x'\]"):
            query.render(**wrong)


@pytest.mark.parametrize("quoted", ["`A`", "`a``b`", r"`\1 \g<0>`", "`{y}`", "`$a`"])
def test_a_name_is_filled_in_as_it_is(quoted: str) -> None:
    """No group references, and a name that looks like another identifier is not filled again."""
    query = queries.parse("// one() [x, y]: counts\nMATCH (n:`{x}`)-[:`{y}`]-() RETURN n")
    assert query.render(x=quoted, y="`Y`") == f"MATCH (n:{quoted})-[:`Y`]-() RETURN n"


def test_a_file_that_is_missing_or_misnamed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "one.cypher").write_text("// two(): counts\nRETURN 1\n")
    monkeypatch.setattr(queries, "FOLDER", tmp_path)
    with pytest.raises(DatabaseError, match=r"folder/none\.cypher is missing"):
        queries.load("folder/none")
    with pytest.raises(DatabaseError, match="says in its header that it is two"):
        queries.load("folder/one")
