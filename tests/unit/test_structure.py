"""The rules of the design's section 4, kept by looking at the imports of every module; and a light command line."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from neo4j_align.cli import COMMANDS, main

PACKAGE = Path(__file__).parents[2] / "neo4j_align"
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
JOINERS = ("pipeline.py", "past.py", "outcome.py", "looks.py", "follow.py", "sight.py", "explain.py", "worker.py")
JOINING = f"only {', '.join(JOINERS)}, review/ and cli/ join"
FOLDERS = ("store", "gnn", "resolve")
# What reads a pickle, by itself or on the way: none of it may be imported.
PICKLES = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
HEAVY = ("torch", "dgl", "pandas", "numpy", "scipy", "sklearn", "neo4j", "pydantic", "rich")


def imports(source: str, path: str) -> set[str]:
    """Return the full names of all that a module imports, wherever in it; relative names made absolute."""
    parents = ("neo4j_align", *Path(path).parent.parts)
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (start, node.module) if part)
            found |= {f"{module}.{name.name}" for name in node.names}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute) and node.args:
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            named = node.args[0]
            if called in ("import_module", "__import__") and isinstance(named, ast.Constant):
                found.add(str(named.value))
    return found


def broken(path: str, source: str) -> list[str]:
    """Return the import rules that a module breaks."""
    names = imports(source, path)
    roots = {name.split(".")[0] for name in names}
    own = {name.split(".")[1] for name in names if name.startswith("neo4j_align.")}
    folder = path.split("/")[0]
    rules = {
        "only store/database.py imports neo4j": "neo4j" in roots and path != "store/database.py",
        "only gnn/batch.py imports dgl": "dgl" in roots and path != "gnn/batch.py",
        "only gnn/ imports torch": "torch" in roots and folder != "gnn",
        "store/, gnn/ and resolve/ do not import each other": folder in FOLDERS
        and bool((own & set(FOLDERS)) - {folder}),
        "store/, gnn/ and resolve/ import neither pipeline nor cli": folder in FOLDERS
        and bool(own & {"pipeline", "cli"}),
        JOINING: (len(own & set(FOLDERS)) > 1 and path not in JOINERS and folder not in ("cli", "review")),
        "nothing imports a pickle": bool(roots & PICKLES),
    }
    return [rule for rule, is_broken in rules.items() if is_broken]


def environment_uses(source: str) -> list[str]:
    """Return each use of the process's environment, as source."""
    tree = ast.parse(source)
    uses = [node for node in _statements(tree) if any(map(_is_environment, ast.walk(node)))]
    return [ast.unparse(node) for node in uses]


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the simple statements of a module, and the heads of the compound ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            yield node
        elif isinstance(node, ast.stmt):
            for name, value in ast.iter_fields(node):
                if name not in ("body", "orelse", "handlers", "finalbody", "cases"):
                    yield from (v for v in (value if isinstance(value, list) else [value]) if isinstance(v, ast.AST))


def _is_environment(node: ast.AST) -> bool:
    names = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
    if isinstance(node, ast.alias):
        return node.name in names
    return (isinstance(node, ast.Attribute) and node.attr in names) or (isinstance(node, ast.Name) and node.id in names)


def unsafe_calls(source: str) -> list[str]:
    """Return calls that would read or write a pickle without importing one."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        allowing = any(word.arg == "allow_pickle" and ast.unparse(word.value) != "False" for word in node.keywords)
        if called in ("torch.load", "torch.save") or called.endswith((".to_pickle", ".read_pickle")) or allowing:
            found.append(called)
    return found


def read(path: str) -> str:
    return (PACKAGE / path).read_text(encoding="utf-8")


def test_all_parts_are_looked_at() -> None:
    assert {"pipeline.py", "config.py", "store/database.py", "gnn/batch.py", "resolve/match.py"} <= set(MODULES)


@pytest.mark.parametrize("path", MODULES)
def test_import_rules(path: str) -> None:
    assert broken(path, read(path)) == []


@pytest.mark.parametrize(
    ("path", "source", "rule"),
    [
        ("store/links.py", "import torch", "only gnn/ imports torch"),
        ("store/links.py", "def f():\n    from neo4j import Driver", "only store/database.py imports neo4j"),
        ("store/links.py", "import neo4j.exceptions as e", "only store/database.py imports neo4j"),
        ("gnn/model.py", "import dgl.ops", "only gnn/batch.py imports dgl"),
        ("gnn/model.py", "import importlib\nimportlib.import_module('neo4j')", "only store/database.py imports neo4j"),
        ("resolve/match.py", "from torch import nn", "only gnn/ imports torch"),
        ("resolve/match.py", "from neo4j_align.gnn import score", "store/, gnn/ and resolve/ do not import each other"),
        ("resolve/match.py", "from ..gnn import score", "store/, gnn/ and resolve/ do not import each other"),
        ("resolve/match.py", "from neo4j_align import gnn", "store/, gnn/ and resolve/ do not import each other"),
        (
            "store/links.py",
            "import neo4j_align.pipeline",
            "store/, gnn/ and resolve/ import neither pipeline nor cli",
        ),
        (
            "mapping.py",
            "from neo4j_align.store import links\nfrom neo4j_align.resolve import match",
            JOINING,
        ),
        ("gnn/saved.py", "import pickle", "nothing imports a pickle"),
    ],
)
def test_import_rules_are_seen_when_broken(path: str, source: str, rule: str) -> None:
    assert broken(path, source) == [rule]


# What libraries read when they load; the user's own setting comes first.
SET_FOR_LIBRARIES = {
    "__init__.py": ["os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')"],
    "cluster.py": [
        "os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')",
        "os.environ.setdefault('RAY_IGNORE_UNHANDLED_ERRORS', '1')",
        "os.environ.setdefault('RAY_worker_niceness', '0')",
        "os.environ.setdefault('RAY_task_oom_retries', '3')",
        "os.environ.setdefault('RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER', '0')",
        "os.environ.setdefault('RAY_AUTH_TOKEN', secrets.token_hex(32))",
    ],
    "gnn/batch.py": ["os.environ.setdefault('DGLBACKEND', 'pytorch')"],
    "gnn/score.py": ["os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')"],
}


@pytest.mark.parametrize("path", [path for path in MODULES if path != "config.py"])
def test_only_config_reads_the_environment(path: str) -> None:
    assert environment_uses(read(path)) == SET_FOR_LIBRARIES.get(path, [])


@pytest.mark.parametrize(
    "source",
    [
        "import os\nx = os.environ['A']",
        "import os\nif os.getenv('A'):\n    pass",
        "from os import environ",
        "import os\nwith open(os.environ.get('A')) as f:\n    pass",
        "import os\ndef f(x=os.environ):\n    return x",
    ],
)
def test_reads_of_the_environment_are_seen(source: str) -> None:
    assert len(environment_uses(source)) == 1


@pytest.mark.parametrize("path", MODULES)
def test_no_pickle_on_any_way(path: str) -> None:
    assert unsafe_calls(read(path)) == []


@pytest.mark.parametrize(
    "source", ["torch.load(f)", "torch.save(m, f)", "np.load(f, allow_pickle=True)", "frame.to_pickle(f)"]
)
def test_pickles_without_an_import_are_seen(source: str) -> None:
    assert len(unsafe_calls(source)) == 1


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import json, sys\n"
        "from neo4j_align.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    assert process.stdout.startswith("Usage:")
    loaded = set(json.loads(process.stderr.splitlines()[-1]))
    assert "click" in loaded
    assert loaded.isdisjoint(HEAVY)


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name in group.list_commands(click.Context(group)):
        yield (*path, name)
        try:
            command = group.get_command(click.Context(group), name)
        except ModuleNotFoundError:
            continue  # said by the test of that command
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))


ALL_COMMANDS = list(_commands(main))


def test_the_walk_finds_the_commands() -> None:
    assert {(name,) for name in COMMANDS} < set(ALL_COMMANDS)
    assert ("server", "start") in ALL_COMMANDS


@pytest.mark.parametrize("command", ALL_COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*command, "--help"])
    assert result.exit_code == 0, result.output
    assert "Example" in result.stdout
    assert f"neo4j-align {' '.join(command)}" in result.stdout
    assert result.stderr == ""
