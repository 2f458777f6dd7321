"""Every command and query of the documentation, run page by page in the order of the navigation.

One sandbox folder and one database serve all pages: each goes on where the one before it ended, as a reader does.
Besides what the pages make, the folder holds what a reader brings: labels.csv.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from neo4j_align.cli.options import table
from neo4j_align.config import Connection
from neo4j_align.errors import DatabaseError
from neo4j_align.store import procedures
from neo4j_align.store.database import Database
from tests.conftest import empty
from tests.docs.blocks import ROOT, RUN, Block, blocks
from tests.integration.conftest import EXAMPLE

DOCS = ROOT / "docs"
NAVIGATION = (ROOT / "zensical.toml").read_text(encoding="utf-8")
PAGES = [*re.findall(r'= "(\S+\.md)"', NAVIGATION), "../README.md"]
NAMESPACES = ("align", "films")
LONGEST = 600  # seconds of a block
whole = pytest.mark.skipif("ALIGN_DOCS" not in os.environ, reason="trains ten times, twenty minutes: ALIGN_DOCS=1")


@dataclass(frozen=True)
class Sandbox:
    """A folder, a database, and the environment of who works there."""

    folder: Path
    database: Database
    environment: dict[str, str]

    def run(self, block: Block) -> str:
        """Run a block and return what it prints."""
        if block.language == "cypher":
            statements = filter(None, map(str.strip, block.text.split(";\n")))
            return "\n".join(table(self.database.write(statement)) for statement in statements)
        command = ["bash", "-euo", "pipefail", "-c"] if block.language == "bash" else [sys.executable, "-c"]
        done = subprocess.run(
            [*command, block.text],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=LONGEST,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def sandbox(neo4j_connection: Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("reader")
    shutil.copy(EXAMPLE / "gold.csv", folder / "labels.csv")
    (folder / "password").write_text(neo4j_connection.password.get_secret_value(), encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEO4J_")}
    environment = {
        **kept,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
        "NEO4J_URI": neo4j_connection.uri,
        "NEO4J_USERNAME": neo4j_connection.username,
        "NEO4J_PASSWORD_FILE": str(folder / "password"),
    }
    with Database.open(neo4j_connection) as database:
        empty(database)
        yield Sandbox(folder, database, environment)
        for namespace in NAMESPACES:
            procedures.remove(database, namespace)


@whole
@pytest.mark.parametrize("page", PAGES)
def test_everything_on_a_page_works(sandbox: Sandbox, page: str) -> None:
    for block in blocks(DOCS / page):
        if block.language in RUN and block.reason is None:
            try:
                assert_printed(sandbox.run(block), block.output)
            except (AssertionError, DatabaseError) as error:
                raise AssertionError(f"docs/{page}, line {block.line}: {error}") from error
        elif block.language == "cypher":
            assert_is_cypher(sandbox.database, block.text)


def assert_printed(found: str, expected: str | None) -> None:
    """Compare with what a page shows, in which … is anything."""
    if expected is None:
        return
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.OutputChecker().check_output(expected.replace("…", "..."), found, flags), found


def assert_is_cypher(database: Database, text: str) -> None:
    """See that the server takes a statement's grammar, where this edition cannot carry it out."""
    for statement in filter(None, map(str.strip, text.split(";\n"))):
        try:
            database.write(f"EXPLAIN {statement.removesuffix(';')}")
        except DatabaseError as error:
            if "UnsupportedAdministrationCommand" not in str(error):
                raise


def test_what_fails_is_seen(sandbox: Sandbox) -> None:
    with pytest.raises(AssertionError):
        sandbox.run(Block("bash", "neo4j-align runs show nothing | cat", 1))
    with pytest.raises(AssertionError):
        assert_printed("Not ready", "Ready …")
    with pytest.raises(DatabaseError, match="SyntaxError"):
        assert_is_cypher(sandbox.database, "GRANT ACESS ON DATABASE neo4j TO align_reader;")


@whole
def test_all_that_is_ours_in_the_database_is_described(sandbox: Sandbox) -> None:
    """After all pages: their runs, verdicts, jobs, syncs and an undo have written what there is to write."""
    text = (DOCS / "reference" / "database.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    found = sandbox.database.write(
        "MATCH (n) WHERE any(label IN labels(n) WHERE label STARTS WITH 'Align') AND NOT n:AlignState "
        "UNWIND keys(n) AS key RETURN DISTINCT labels(n)[0] AS name, key "
        "UNION MATCH ()-[r:SAME_AS|NOT_SAME_AS]->() UNWIND keys(r) AS key RETURN DISTINCT type(r) AS name, key"
    )
    assert {row["name"] for row in found} >= {"AlignRun", "AlignChange", "AlignJob", "SAME_AS", "NOT_SAME_AS"}
    described = {row["name"]: next(line for line in rows if row["name"] in line.split("|")[1]) for row in found}
    assert [row for row in found if f"`{row['key']}`" not in described[row["name"]]] == []
