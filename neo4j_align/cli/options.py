"""What all commands share: the common options, output for people and machines, errors to exit codes."""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neo4j_align.engine import ENGINES
from neo4j_align.errors import AlignError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from neo4j_align.config import Config, Connection
    from neo4j_align.store.database import Database

_LONGEST = 80  # characters of a value that are printed for people; --json has all

log = logging.getLogger(__name__)
STOPPED = 130  # exit code after Ctrl-C, as shells have it
MODEL = Path("models/align")  # where commands look for a model that nobody names


@dataclass(frozen=True)
class Common:
    """The common options of a command, and how it speaks: people on stderr, the result on stdout."""

    config_path: Path
    uri: str | None
    user: str | None
    database: str | None
    json: bool
    verbose: bool
    quiet: bool

    def config(self) -> Config:
        """Read the configuration file."""
        from neo4j_align.config import load_config

        return load_config(self.config_path)

    def connection(self) -> Connection:
        """Take the connection from the options, then the environment."""
        from neo4j_align.config import Connection

        return Connection.from_environment(uri=self.uri, username=self.user, database=self.database)

    def connect(self) -> Database:
        """Open the database and see that it answers."""
        from neo4j_align.store.database import Database

        return Database.open(self.connection())

    def console(self) -> Console:
        """Return the console for people: standard error, silent with --quiet."""
        from rich.console import Console

        return Console(stderr=True, quiet=self.quiet, highlight=False)

    @contextlib.contextmanager
    def progress(self) -> Iterator[Progress]:
        """Show progress bars on a terminal's standard error, and nothing elsewhere."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        console = self.console()
        with Progress(*columns, console=console, disable=self.quiet or not console.is_terminal) as progress:
            yield progress

    def result(self, document: dict[str, Any], text: str) -> None:
        """Print the result on standard output: one JSON document with --json, else `text`."""
        if self.json:
            narrow = not (sys.stdout.encoding or "").lower().startswith("utf")
            click.echo(json.dumps(document, indent=2, ensure_ascii=narrow, default=str))
        elif not self.quiet:
            click.echo(text)


model = click.option(
    "--model", "folder", type=click.Path(path_type=Path), default=MODEL, show_default=True,
    help="Folder of the model.",
)  # fmt: skip

engine = click.option(
    "--engine", type=click.Choice(ENGINES), default="local", show_default=True,
    help="Who does the work: this process, or Ray: the cluster of RAY_ADDRESS, else all cores of this machine.",
)  # fmt: skip


def common(command: Callable[..., None]) -> Callable[..., None]:
    """Add the common options; the command gets them as `common`, and AlignError becomes exit code 1, Ctrl-C 130."""

    @click.option("--config", "config_path", type=click.Path(path_type=Path), default=Path("align.toml"),
                  show_default=True, help="The mapping of the two graphs and all settings.")  # fmt: skip
    @click.option("--uri", help="Neo4j URI; default NEO4J_URI, else neo4j://localhost:7687.")
    @click.option("--user", help="User name; default NEO4J_USERNAME, else neo4j.")
    @click.option("--database", help="Database name; default NEO4J_DATABASE, else the user's home database.")
    @click.option("--json", is_flag=True, help="Print one JSON document on standard output.")
    @click.option("-v", "--verbose", is_flag=True, help="Log what happens, with times.")
    @click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors and the --json document.")
    @functools.wraps(command)
    def wrapper(config_path: Path, uri: str | None, user: str | None, database: str | None, json: bool,
                verbose: bool, quiet: bool, **arguments: Any) -> None:  # fmt: skip
        level = logging.INFO if verbose else logging.ERROR if quiet else logging.WARNING
        logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S")
        logging.getLogger("neo4j").setLevel(logging.INFO if verbose else logging.CRITICAL)  # errors say it better
        options = Common(config_path, uri, user, database, json, verbose, quiet)
        for stream in (sys.stdout, sys.stderr):  # a terminal that lacks a character gets its number
            if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
                stream.reconfigure(errors="backslashreplace")
        try:
            command(common=options, **arguments)
        except AlignError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read has enough: click ends quietly
                raise
            log.info("failed", exc_info=True)
            raise click.ClickException(str(error) or type(error).__name__) from error
        except KeyboardInterrupt:
            click.echo("Stopped. What was written stays, and the same command does the rest.", err=True)
            raise SystemExit(STOPPED) from None

    return wrapper


def table(rows: list[dict[str, Any]]) -> str:
    """Lay out rows as a table for people: a row one line, numbers with two decimals."""
    if not rows:
        return "  (no rows)"
    cells = [
        [f"{v:.2f}" if isinstance(v, float) else "" if v is None else " ".join(str(v).split()) for v in row.values()]
        for row in rows
    ]
    table = [list(rows[0]), *cells]
    widths = [min(44, max(map(len, column))) for column in zip(*table, strict=True)]
    lines = ["  " + "  ".join(cell[:44].ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
    return "\n".join([lines[0], "  " + "  ".join("-" * width for width in widths), *lines[1:]])


def listing(found: Mapping[str, object]) -> str:
    """Lay out properties by name, a line each; long ones are cut, as --json has all."""
    width, texts = max(map(len, found)), {name: str(found[name]) for name in sorted(found)}
    shown = {name: text if len(text) <= _LONGEST else text[:_LONGEST] + "…" for name, text in texts.items()}
    return "\n".join(f"{name:<{width}}  {text}" for name, text in shown.items())
