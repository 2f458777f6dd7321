"""The fenced blocks of a page: what is run, what is only read, and what must come out.

`<!-- not run: WHY -->` stands before a block that cannot be run. A `text` block right after one that is run is what it
prints, `…` standing for anything.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import click
from markdown_it import MarkdownIt

from neo4j_align.cli import main

ROOT = Path(__file__).parents[2]
RUN = ("bash", "cypher", "python")
_REASON = re.compile(r"<!-- not run: (.+) -->")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, text and line, why it is not run, and what it should print."""

    language: str
    text: str
    line: int
    reason: str | None = None
    output: str | None = None


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page, in order."""
    found: list[Block] = []
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type != "fence":
            continue
        reason = _REASON.fullmatch(before.content.strip()) if before and before.type == "html_block" else None
        if token.info == "text" and before and before.type == "fence" and found and found[-1].language in RUN:
            last = found.pop()
            found.append(Block(last.language, last.text, last.line, last.reason, token.content))
            continue
        line = token.map[0] + 1 if token.map else 0
        found.append(Block(token.info, token.content, line, reason and reason[1]))
    return found


def commands(script: str) -> list[list[str]]:
    """Return the arguments of each `neo4j-align` in a script, however it is called there."""
    lines = script.replace("\\\n", " ").splitlines()
    calls = (re.search(r"(?:neo4j-align|\bcli) ([a-z].*)", line) for line in lines if not line.lstrip().startswith("#"))
    return [_until_pipe(call[1]) for call in calls if call]


def _until_pipe(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();<>|&")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if word in (">", "|", "&&", ";", ")"):
            break
        words.append(word.rstrip(")\"'") if word.endswith(')"') else word)
    return words


def assert_parses(arguments: list[str]) -> None:
    """See that click takes a command line, without running it."""
    context = click.Context(main, info_name="neo4j-align")
    command: click.Command = main
    while isinstance(command, click.Group) and arguments:
        _, found, arguments = command.resolve_command(context, arguments)
        assert found is not None
        command = found
    command.make_context(command.name or "", list(arguments), parent=context)
