"""Shell completion, as docs/tutorial.md sets it up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from neo4j_align.cli import main

VARIABLE = "_NEO4J_ALIGN_COMPLETE"


@pytest.mark.parametrize(
    ("words", "begun", "offered"),
    [
        ([], "al", ["align"]),
        ([], "r", ["reject", "runs"]),
        (["runs"], "u", ["undo"]),
        (["align"], "--prec", ["--precision"]),
        (["evaluate", "--split"], "v", ["valid"]),
        (["nothing"], "x", []),
    ],
)
def test_words_are_completed(words: list[str], begun: str, offered: list[str]) -> None:
    completion = BashComplete(main, {}, "neo4j-align", VARIABLE)
    found = [item.value for item in completion.get_completions(words, begun)]
    assert set(offered) <= set(found)
    assert all(word.startswith(begun) for word in found)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script_at_once(shell: str) -> None:
    command = Path(sys.executable).parent / "neo4j-align"
    environment = {**os.environ, VARIABLE: f"{shell}_source"}
    done = subprocess.run([command], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert f"{VARIABLE}={shell}_complete" in done.stdout
