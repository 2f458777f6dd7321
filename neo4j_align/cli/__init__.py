"""The command line: parse, one call, print. Heavy imports stay inside the commands."""

from __future__ import annotations

import gc
import importlib

import click

from neo4j_align import __version__

# command → module that defines it; a module is imported only when its command runs or is asked for help
COMMANDS = {
    "demo": "demo",
    "server": "server",
    "load": "data",
    "init": "data",
    "check": "data",
    "train": "learn",
    "align": "learn",
    "sync": "sync",
    "evaluate": "learn",
    "explain": "explain",
    "confirm": "verdicts",
    "reject": "verdicts",
    "withdraw": "verdicts",
    "verdicts": "verdicts",
    "review": "review",
    "runs": "runs",
    "report": "report",
    "procedures": "procedures",
    "worker": "worker",
    "jobs": "jobs",
    "uninstall": "uninstall",
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"neo4j_align.cli.{COMMANDS[cmd_name]}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="neo4j-align")
def main() -> None:
    """Find out which nodes of two knowledge graphs in Neo4j are the same thing, and keep it right.

    \b
    Try it:             neo4j-align demo
    Your own graphs:    neo4j-align init      writes align.toml, for you to correct
                        neo4j-align check     says what is wrong, and the remedy
                        neo4j-align train --labels labels.csv
                        neo4j-align align     writes SAME_AS relationships

    The connection comes from NEO4J_URI, NEO4J_USERNAME, NEO4J_PASSWORD and NEO4J_DATABASE, or from an
    Aura credentials file named by NEO4J_CREDENTIALS_FILE.
    """
    gc.set_threshold(100_000)  # at Python's own 700, looking for cycles among millions of texts was a tenth of a run
