"""The wheel in an empty environment: what a stranger installs runs, with its Cypher files, on a real server."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from neo4j_align import __version__
from neo4j_align.config import Connection
from neo4j_align.store.database import Database

SOURCE = Path(__file__).parents[2]
UNREACHABLE = re.compile(
    r"dns error|error sending request|failed to fetch|newconnectionerror|name resolution|network is unreachable"
    r"|network was disabled|connection refused|timed out",
    re.IGNORECASE,
)
SCRIPT = """
import json
import neo4j_align
from neo4j_align.config import Connection
from neo4j_align.store import queries, schema
from neo4j_align.store.database import Database

with Database.open(Connection.from_environment()) as database:
    query = queries.load("sampling/nodes")
    text = query.render(entity=schema.all_of(["Film"]))
    ids = [row["id"] for row in database.read("MATCH (n:Film) RETURN toInteger(split(elementId(n), ':')[2]) AS id")]
    rows = database.read(text, side_property=None, side_value=None, ids=ids, database=database.id_prefix, longest=9,
                         key="uid", properties=["title"])
print(json.dumps({"package": neo4j_align.__file__, "queries": str(queries.FOLDER), "rows": rows}))
"""
IMPORTS = """
import importlib, json, pkgutil, sys
import neo4j_align

server = {f"neo4j_align.store.{name}" for name in ("embedded", "jars", "process")}
pages = {f"neo4j_align.review.{name}" for name in ("app", "guard")}
others = {"neo4j_align.cluster", "neo4j_align.__main__"}  # the extra ray, and what runs at once
names = {module.name for module in pkgutil.walk_packages(neo4j_align.__path__, "neo4j_align.")}
modules = [importlib.import_module(name) for name in sorted(names - server - pages - others)]
if sys.version_info < (3, 12):  # DGL has no later wheels
    importlib.import_module("dgl")
print(json.dumps([module.__name__ for module in modules]))
"""


def tool(name: str) -> str | None:
    """Return a program of the running environment, or else of the path."""
    return shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)


def call(*command: str | Path, cwd: Path, fetches: bool = False, **environment: str) -> str:
    """Run a command that knows nothing of this checkout and of the tests' server; return its standard output."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "NEO4J_", "VIRTUAL_"))}
    process = subprocess.run(
        command, cwd=cwd, env=kept | environment, capture_output=True, text=True, timeout=800, check=False
    )
    if fetches and process.returncode and UNREACHABLE.search(process.stderr + process.stdout):
        pytest.skip("no package index can be reached, so no wheel can be installed")
    assert process.returncode == 0, process.stdout[-2000:] + process.stderr[-4000:]
    return process.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    how = ["--no-isolation"] if importlib.util.find_spec("hatchling") else ["--installer", "uv"] if tool("uv") else []
    call(sys.executable, "-m", "build", "--wheel", "--outdir", folder, *how, SOURCE, cwd=folder, fetches=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The scripts' folder of an environment that has the wheel and what it needs, in the versions that run here."""
    folder = tmp_path_factory.mktemp("environment")
    uv = tool("uv")
    venv.create(folder, with_pip=uv is None)
    scripts = folder / "bin"
    versions = {d.name: d.version for d in metadata.distributions() if d.name and d.name != "neo4j-align"}
    (folder / "versions.txt").write_text("".join(f"{name}=={version}\n" for name, version in versions.items()))
    install: list[str | Path] = (
        [uv, "pip", "install", "--python", scripts / "python"] if uv else [scripts / "pip", "install"]
    )
    call(*install, "--quiet", "--constraint", folder / "versions.txt", wheel, cwd=folder, fetches=True)
    yield scripts
    shutil.rmtree(folder)  # some gigabytes, where they are not hard links


def test_the_wheel_holds_what_it_needs_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    folders = {"cypher": "cypher", "examples/media": "*", "neo4j_align": "py"}
    for folder, kind in folders.items():
        files = {path.relative_to(SOURCE) for path in (SOURCE / folder).rglob(f"*.{kind}")}
        own = {file.as_posix() for file in files if not any(part.startswith((".", "__pyc")) for part in file.parts)}
        assert own
        assert {file if folder == "neo4j_align" else f"neo4j_align/{file}" for file in own} <= names
    assert "neo4j_align/py.typed" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"neo4j_align"}
    assert not any(re.search(r"(^|/)\.|__pycache__|\.pyc$", name) for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_help_of_the_installed_command(installed: Path, tmp_path: Path) -> None:
    assert call(installed / "neo4j-align", "--help", cwd=tmp_path).startswith("Usage: neo4j-align")
    assert call(installed / "neo4j-align", "--version", cwd=tmp_path).split()[-1] == __version__
    for command in ("align", "train", "load"):
        assert f"Usage: neo4j-align {command}" in call(installed / "neo4j-align", command, "--help", cwd=tmp_path)


def test_a_query_file_of_the_wheel_runs(
    installed: Path, database: Database, neo4j_connection: Connection, tmp_path: Path
) -> None:
    database.write("CREATE (:Film {uid: 'a', title: 'Alien'})-[:STARS]->(:Person {uid: 'b'})")
    printed = call(
        installed / "python",
        "-c",
        SCRIPT,
        cwd=tmp_path,
        NEO4J_URI=neo4j_connection.uri,
        NEO4J_USERNAME=neo4j_connection.username,
        NEO4J_PASSWORD=neo4j_connection.password.get_secret_value(),
    )
    found = json.loads(printed)
    for place in ("package", "queries"):
        assert Path(found[place]).is_relative_to(installed.parent)
    (row,) = found["rows"]
    assert [entity[1:] for entity in row["entities"]] == [["a", ["Alien"]]]


def test_every_module_imports_with_the_declared_dependencies(installed: Path, tmp_path: Path) -> None:
    """The modules of the embedded server take the extra `server`; DGL takes more than it declares itself."""
    found = json.loads(call(installed / "python", "-c", IMPORTS, cwd=tmp_path).splitlines()[-1])
    assert {"neo4j_align.pipeline", "neo4j_align.gnn.batch", "neo4j_align.cli.learn"} <= set(found)
