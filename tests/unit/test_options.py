"""What all commands share: errors and Ctrl-C as exit codes and one line on standard error."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from neo4j_align.cli.options import STOPPED, Common, common
from neo4j_align.errors import DataError


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (DataError("The graph is empty."), 1, "Error: The graph is empty.\n"),
        (KeyboardInterrupt(), STOPPED, "Stopped. What was written stays, and the same command does the rest.\n"),
    ],
    ids=["error", "Ctrl-C"],
)
def test_how_a_command_ends(error: BaseException, code: int, said: str) -> None:
    @click.command()
    @common
    def failing(common: Common) -> None:
        raise error

    ended = CliRunner().invoke(failing)
    assert (ended.exit_code, ended.stderr, ended.stdout) == (code, said, "")
