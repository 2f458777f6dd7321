"""`review`: judge pairs in the browser."""

from __future__ import annotations

import contextlib
import importlib.util
import secrets
import socket
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from neo4j_align.cli.options import Common, common, model
from neo4j_align.errors import ConfigError, ServerError

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from neo4j_align.review.desk import Desk
    from neo4j_align.store.database import Database

_PATIENCE = 3  # seconds that open requests get at the end
_OPEN = (
    "[yellow]Listening on {host}: whoever reaches this machine and has the link can judge, and what is sent is not "
    "encrypted. Put it behind a proxy with TLS, or publish it on loopback only.[/]"
)


@click.command()
@model
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes any free one.")
@click.option("--host", default="127.0.0.1", show_default=True,
              help="Address to listen on. Another than loopback lets other machines in: see the warning.")  # fmt: skip
@click.option("--allow-host", "names", multiple=True, metavar="NAME",
              help="Answer to this name too, where browsers reach the server by it.")  # fmt: skip
@click.option("--by", help="Who decides, where nobody gives a name on the page; by default the user of this machine.")
@click.option("--no-browser", is_flag=True, help="Print the link and open nothing.")
@common
def review(
    common: Common, folder: Path, port: int, host: str, names: tuple[str, ...], by: str | None, no_browser: bool
) -> None:
    """Judge pairs in the browser: a queue that puts first what teaches most, with the reasons beside.

    The graph is pulled and judged once, at the start; verdicts go straight into the database, as those of `confirm`
    and `reject` do, and `train` learns from them. Several people can review at once: a verdict is refused where
    somebody else judged the pair in the meantime. It runs until Ctrl-C. The link that it prints holds a token; who
    has it can judge.

    \b
    Examples:
      neo4j-align review
      neo4j-align review --port 0 --no-browser --by ana
      neo4j-align review --host 0.0.0.0 --allow-host review.example.org
    """
    _require_extra()
    from neo4j_align.review.app import application
    from neo4j_align.review.guard import LOOPBACK
    from neo4j_align.store.lease import actor

    with _listen(host, port) as listening, common.connect() as database:
        desk, token = _desk(common, folder, database), secrets.token_urlsafe()
        app = application(desk, token, by or actor(), LOOPBACK | {name.lower() for name in (host, *names)})
        url = f"http://{_shown(host)}:{listening.getsockname()[1]}/?token={token}"
        if host not in LOOPBACK:
            common.console().print(_OPEN.format(host=host))
        listening.listen()  # who follows the link at once waits, instead of being refused
        common.result({"url": url}, f"Review at {url}\nCtrl-C ends it.")
        if not no_browser:
            webbrowser.open(url)
        _serve(app, listening)


def _desk(common: Common, folder: Path, database: Database) -> Desk:
    from neo4j_align.gnn import saved
    from neo4j_align.pipeline import Aligner
    from neo4j_align.progress import Stages
    from neo4j_align.review.desk import Desk

    config, trained = common.config(), saved.load(folder)
    with common.progress() as progress:
        return Desk(database, trained, Aligner(config, database, Stages(progress)).explainer(trained).found)


def _require_extra() -> None:
    """See that the extra is there before the long work begins.

    Raises:
        ConfigError: It is not.
    """
    missing = [name for name in ("starlette", "uvicorn", "python_multipart") if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError("The review takes the extra: pip install 'neo4j-align[review]'")


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before the long work begins.

    Raises:
        ServerError: It is taken, or there is no such address here.
    """
    with contextlib.ExitStack() as unless_bound:
        try:
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            listening = unless_bound.enter_context(socket.socket(family, socket.SOCK_STREAM))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
        except OSError as error:
            raise ServerError(f"Cannot listen on {host} port {port}: {error.strerror}. Give another --port.") from error
        unless_bound.pop_all()
        return listening


def _shown(host: str) -> str:
    """Return how a browser on this machine calls the address."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _serve(app: Starlette, listening: socket.socket) -> None:
    import uvicorn

    settings = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, proxy_headers=False, lifespan="off",
        timeout_graceful_shutdown=_PATIENCE,
    )  # fmt: skip
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(settings).run([listening])
