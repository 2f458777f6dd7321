"""`neo4j-align server`: the embedded Neo4j from the command line."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neo4j_align.cli.options import Common, common

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from neo4j_align.store.embedded import Status

_home = click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="The server's folder; default NEO4J_ALIGN_HOME, else in your data folder.",
)


@click.group()
def server() -> None:
    """Run a private Neo4j on this machine, without Docker and without Java of your own.

    Example: eval "$(neo4j-align server start --env)" && neo4j-align check

    It listens on the loopback address only, asks for a password that it made itself, has APOC, and keeps its
    data when it is stopped.
    """


@server.command()
@_home
@click.option("--port", type=click.IntRange(1, 65535), help="Bolt port; default the last one, else a free one.")
@click.option("--env", is_flag=True, help="Print shell exports of NEO4J_URI, NEO4J_USERNAME, NEO4J_PASSWORD_FILE.")
@common
def start(common: Common, home: Path | None, port: int | None, env: bool) -> None:
    """Start the server, or find it running, and print how to connect.

    The first start fetches Neo4j (about 130 MB) into your cache. A server that was killed, or whose start
    was, is mended.

    Example: eval "$(neo4j-align server start --env)"
    """
    from neo4j_align.store.embedded import EmbeddedServer

    embedded = EmbeddedServer(home)
    with common.progress() as progress:
        embedded.start(port, reporter(progress))
    status = embedded.status()
    common.result(_document(status), _exports(status) if env else _sentence(status, home))


@server.command()
@_home
@common
def stop(common: Common, home: Path | None) -> None:
    """Stop the server; its data stays.

    Example: neo4j-align server stop
    """
    from neo4j_align.store.embedded import EmbeddedServer

    embedded = EmbeddedServer(home)
    stopped = embedded.stop()
    text = "Stopped." if stopped else "No server was running."
    common.result({**_document(embedded.status()), "stopped": stopped}, text)


@server.command()
@_home
@common
def status(common: Common, home: Path | None) -> None:
    """Tell whether the server runs, and how to connect.

    Example: neo4j-align server status --json
    """
    from neo4j_align.store.embedded import EmbeddedServer

    found = EmbeddedServer(home).status()
    common.result(_document(found), _sentence(found, home))


@server.command()
@_home
@click.option("--lines", type=click.IntRange(min=1), default=50, show_default=True, help="How many, from the end.")
@common
def logs(common: Common, home: Path | None, lines: int) -> None:
    """Print the last lines of the server's log.

    Example: neo4j-align server logs --lines 20
    """
    from neo4j_align.store.embedded import EmbeddedServer

    found = EmbeddedServer(home).logs(lines)
    common.result({"lines": found}, "\n".join(found))


def reporter(progress: Progress) -> Callable[[str, int, int], None]:
    """Return what shows the steps of a server's start as progress bars."""
    tasks: dict[str, TaskID] = {}

    def report(what: str, done: int, of: int) -> None:
        if what not in tasks:
            tasks[what] = progress.add_task(what, total=of)
        progress.update(tasks[what], completed=done)

    return report


def _document(status: Status) -> dict[str, Any]:
    return {
        "uri": status.uri,
        "username": status.username,
        "password_file": str(status.password_file),
        "running": status.running,
    }


def _sentence(status: Status, home: Path | None) -> str:
    start = "neo4j-align server start" + (f" --home {shlex.quote(str(home))}" if home else "")
    if not status.running:
        return f"Not running. Start it with: {start}"
    return (
        f"Neo4j runs at {status.uri}, user {status.username}, password in {status.password_file}\n"
        f'To use it in this shell: eval "$({start} --env)"'
    )


def _exports(status: Status) -> str:
    values = {
        "NEO4J_URI": str(status.uri),
        "NEO4J_USERNAME": status.username,
        "NEO4J_PASSWORD_FILE": str(status.password_file),
    }
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in values.items())
