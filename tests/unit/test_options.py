"""What all commands share: errors and Ctrl-C as exit codes and one line on standard error."""

from __future__ import annotations

import errno
import io
import json
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from neo4j_align.cli.learn import read_table
from neo4j_align.cli.options import STOPPED, Common, common
from neo4j_align.errors import DataError


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (DataError("The graph is empty."), 1, "Error: The graph is empty.\n"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "Error: [Errno 28] No space left on device\n"),
        (TimeoutError(), 1, "Error: TimeoutError\n"),
        (KeyboardInterrupt(), STOPPED, "Stopped. What was written stays, and the same command does the rest.\n"),
    ],
    ids=["error", "full disk", "no text", "Ctrl-C"],
)
def test_how_a_command_ends(error: BaseException, code: int, said: str) -> None:
    @click.command()
    @common
    def failing(common: Common) -> None:
        raise error

    ended = CliRunner().invoke(failing)
    assert (ended.exit_code, ended.stderr, ended.stdout) == (code, said, "")


def test_a_terminal_that_lacks_a_character_gets_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    @common
    def telling(common: Common) -> None:
        click.echo("Броненосец ← Potemkin")

    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin-1"))
    telling([], standalone_mode=False)
    sys.stdout.flush()
    assert written.getvalue().endswith(b"\\u2190 Potemkin\n")


@pytest.mark.parametrize("encoding", ["cp1251", "latin-1", "utf-8"])
def test_json_is_json_on_any_terminal(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    said = {"title": "Amélie 😀 Броненосец"}

    @click.command()
    @common
    def telling(common: Common) -> None:
        common.result(said, "")

    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    telling(["--json"], standalone_mode=False)
    sys.stdout.flush()
    assert json.loads(written.getvalue().decode(encoding)) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"left,right\n7,7,1\n", "2 columns by its first line and more values"),
        (b"left,right\nl,r,\n", "2 columns by its first line and more values"),
        (b"left,right\nl,r\nl,r,1\n", "Expected 2 fields in line 3, saw 3"),
        ("left,right\né,r\n".encode("latin-1"), "is not UTF-8"),
        (b"", "is empty. Its first line names the columns"),
    ],
)
def test_a_table_with_more_values_than_columns_is_refused(tmp_path: Path, text: bytes, said: str) -> None:
    """Its first value would be taken for the name of the row, and the others for the wrong columns."""
    (tmp_path / "labels.csv").write_bytes(text)
    with pytest.raises(DataError, match=said):
        read_table(tmp_path / "labels.csv")
