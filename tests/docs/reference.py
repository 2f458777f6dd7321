"""Writes the pages of docs/reference that the code says: `python -m tests.docs.reference`."""

from __future__ import annotations

import copy
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel

from neo4j_align import cli, config, settings
from neo4j_align.outcome import Alignment
from neo4j_align.pipeline import Aligner
from neo4j_align.store import procedures, queries
from neo4j_align.store.database import Database
from neo4j_align.toml_text import toml_value

DOCS = Path(__file__).parents[2] / "docs"
WIDTH = 100
COMMON = ("config_path", "uri", "user", "database", "json", "verbose", "quiet")
SECTIONS: dict[str, type[BaseModel]] = {
    "`[left]` and `[right]`": config.Side,
    "`[[types]]`": config.EntityType,
    "`attributes` of a type": config.Attribute,
    "`[[relations]]`": config.Relation,
    "`[sampling]`": settings.Sampling,
    "`[candidates]`": settings.Candidates,
    "`[training]`": settings.Training,
    "`[history]`": settings.History,
    "`[sync]`": settings.Sync,
}
PYTHON = (
    config.load_config,
    config.Connection.from_environment,
    Database.open,
    Aligner,
    Aligner.train,
    Aligner.align,
    Aligner.sync,
    Aligner.evaluate,
    Aligner.score,
    Aligner.neighbourhood,
    Alignment,
    importlib.import_module("neo4j_align.gnn.saved").load,
    procedures.call,
    procedures.install,
)
EXAMPLE = """\
from pathlib import Path

from neo4j_align import Aligner
from neo4j_align.config import Connection, load_config
from neo4j_align.gnn.saved import load
from neo4j_align.store.database import Database
from neo4j_align.toml_text import toml_value

with Database.open(Connection.from_environment()) as database:
    aligner = Aligner(load_config(Path("align.toml")), database)
    found = aligner.align(load(Path("models/align")), dry_run=True)
print(found.links.sort_values("confidence").head())  # left, right, type, confidence, score
"""


def commands(group: click.Group = cli.main, path: str = "neo4j-align") -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its full name; groups before what is in them."""
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield f"{path} {name}", command
            if isinstance(command, click.Group):
                yield from commands(command, f"{path} {name}")


def commands_page() -> str:
    """Return docs/reference/commands.md."""
    first = next(command for name, command in commands() if name == "neo4j-align check")
    shared = click.Command("", params=[one for one in first.params if one.name in COMMON], add_help_option=False)
    parts = [
        "# Commands\n",
        "Every command says this with `--help`. Exit codes: 0 done; 1 could not, and the message says the remedy; "
        "2 wrong usage; 130 stopped by Ctrl-C. Results go to standard output, everything else to standard error.\n",
        f"These options go with every command:\n\n```text\n{_help(shared, '').partition('Options:')[2].strip(chr(10))}"
        "\n```\n",
    ]
    for name, command in commands():
        own = copy.copy(command)
        own.params = [one for one in command.params if one.name not in COMMON]
        own._help_option = None  # click keeps that of the first context, which need not have been one of `main`
        parts.append(f"## {name}\n\n```text\n{_help(own, name)}\n```\n")
    return "\n".join(parts)


def _help(command: click.Command, name: str) -> str:
    context = {**cli.main.context_settings, "max_content_width": WIDTH}
    return command.get_help(click.Context(command, info_name=name, terminal_width=WIDTH, **context))


def configuration_page() -> str:
    """Return docs/reference/configuration.md."""
    parts = [
        "# align.toml and environment\n",
        "`neo4j-align init` writes the mapping with its reasons. What is not in the file has the default below; a name "
        "that is not below is refused.\n",
    ]
    parts += [f"## {title}\n\n{_first(model)}\n\n{_fields(model)}\n" for title, model in SECTIONS.items()]
    rows = [
        (f"`NEO4J_{name.upper()}`", _default(one).replace('"', ""), one.description)
        for name, one in config.Connection.model_fields.items()
    ]
    rows += [
        ("`NEO4J_PASSWORD_FILE`", "", "A file that holds the password alone."),
        ("`NEO4J_CREDENTIALS_FILE`", "", "A file with lines `NEO4J_URI=…`, as Aura gives it; fills what is not set."),
        ("`NEO4J_ALIGN_HOME`", "in your data folder", "Folder of the embedded server."),
        ("`NEO4J_ALIGN_KERNELS`", "`torch`", "`dgl`: the network runs DGL's kernels on a processor, slower."),
    ]
    return "\n".join([*parts, "## Environment\n", _table(("variable", "default", "what"), rows), ""])


def _first(of: Any) -> str:
    return (inspect.getdoc(of) or "").partition("\n\n")[0].replace("\n", " ")


def _fields(model: type[BaseModel]) -> str:
    rows = [
        (f"`{name}`", _type(model, name), _default(one), (one.description or "").replace("\n", " "))
        for name, one in model.model_fields.items()
    ]
    return _table(("name", "values", "default", "what"), rows)


def _type(model: type[BaseModel], name: str) -> str:
    """Say which values a field takes, from its JSON schema."""
    schema = model.model_json_schema()["properties"][name]
    limits = {"exclusiveMinimum": "> {}", "minimum": "≥ {}", "maximum": "≤ {}", "exclusiveMaximum": "< {}"}

    def one(part: dict[str, Any]) -> str:
        if "enum" in part:
            return ", ".join(f'`"{value}"`' for value in part["enum"])
        bounds = [text.format(part[key]) for key, text in limits.items() if key in part]
        return " ".join([{"array": "list"}.get(part["type"], part["type"]), ", ".join(bounds)]).strip()

    kinds = [one(part) for part in schema.get("anyOf", [schema]) if part.get("type") != "null"]
    return " or ".join(kinds)


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.default
    return "" if value in (None, ()) or str(value) == "" else f"`{toml_value(value)}`"


def _table(head: tuple[str, ...], rows: list[Any]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def python_page() -> str:
    """Return docs/reference/python.md."""
    parts = [
        "# Python\n",
        "What commands do, with pandas frames in and out. Everything here raises an `AlignError` "
        "(`neo4j_align.errors`) whose message says the remedy.\n",
        f"```python\n{EXAMPLE}```\n",
    ]
    for one in PYTHON:
        head = f"{one.__qualname__}{_signature(one)}"
        if one.__module__ != Aligner.__module__:
            head = f"# {one.__module__}\n{head}"
        parts.append(f"## {one.__qualname__}\n\n```text\n{head}\n\n{inspect.getdoc(one)}\n```\n")
    return "\n".join(parts)


def _signature(one: Any) -> str:
    """Return a signature as it is called: without self, and without the modules of its types."""
    shown = inspect.signature(one)
    kept = [value for name, value in shown.parameters.items() if name not in ("self", "cls")]
    text = str(shown.replace(parameters=kept)).replace("'", "").removesuffix(" -> None")
    return re.sub(r"\b(?:\w+\.)+(?=[A-Z])", "", text)


def schema_objects() -> dict[str, str]:
    """Return the constraints and indexes that the package makes, each with what it is for."""
    found = {}
    for path in sorted((queries.FOLDER / "schema").glob("ensure_*.cypher")):
        query = queries.load(f"schema/{path.stem}")
        name = re.search(r"(?:CONSTRAINT|INDEX) (align_\w+)", query.text)
        assert name is not None
        found[name[1]] = query.purpose
    return found


PAGES = {
    "reference/commands.md": commands_page,
    "reference/configuration.md": configuration_page,
    "reference/python.md": python_page,
    "procedures.md": procedures.document,
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
