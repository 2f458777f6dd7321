"""`explain`: why two entities are linked or not, for people on a terminal, as JSON, and as a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from neo4j_align.cli.options import Common, common, model

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from neo4j_align.explanation import Entity, Explanation

_SHOWN, _LONGEST = 12, 80  # neighbours, characters of a value


@click.command()
@click.argument("left")
@click.argument("right")
@model
@click.option("--html", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write a page of it to FILE.")
@common
def explain(common: Common, left: str, right: str, folder: Path, path: Path | None) -> None:
    """Say why two entities are linked or not: LEFT and RIGHT are their keys.

    Each attribute and each neighbour is taken away from both entities and the pair judged again: what the score loses
    is its contribution. The verdict is that of `align` now, with the precision that it was asked for last.

    \b
    Examples:
      neo4j-align explain tt0133093 /m/01
      neo4j-align explain tt0133093 /m/01 --html why.html
      neo4j-align explain tt0133093 /m/01 --json
    """
    from rich.console import Console

    from neo4j_align.errors import DataError
    from neo4j_align.gnn import saved
    from neo4j_align.pipeline import Aligner
    from neo4j_align.progress import Stages
    from neo4j_align.web import page

    config = common.config()
    with common.connect() as database, common.progress() as progress:
        found = Aligner(config, database, Stages(progress)).explain(saved.load(folder), left, right)
    document = found.document()
    if path is not None:
        try:
            path.write_text(page("explanation_page.html", explanation=document), encoding="utf-8")
        except OSError as error:
            raise DataError(f"Cannot write {path}: {error.strerror}. Give another file.") from error
    if common.json:
        common.result(document, "")
    elif not common.quiet:
        show(Console(highlight=False), found)


def show(console: Console, found: Explanation) -> None:
    """Print an explanation; what stands in the data is text, never markup or an order to the terminal."""
    from rich.text import Text

    both = f"{plain(str(found.left))} | {plain(str(found.right))}"
    verdict = Text.assemble((both, "bold"), f": {found.status}, confidence {found.confidence:.2f}")
    console.print(verdict)
    console.print(Text(plain(found.reason, 1000)))
    if found.counterfactual is not None:
        other = found.counterfactual
        told = f"confidence {other.confidence:.2f}, and {'' if other.linked else 'not '}linked"
        console.print(Text(f"Without {plain(other.what)} it would be {told}."))
    elif found.status in ("linked", "below threshold", "taken"):
        console.print(Text("No single attribute or neighbour, taken away, would change that."))
    console.print(_attributes(found))
    if found.neighbours:
        console.print(_neighbours(found))
        if len(found.neighbours) > _SHOWN:
            console.print(Text(f"{len(found.neighbours) - _SHOWN} weaker neighbours: see --json or --html."))
    if found.rivals:
        console.print(_rivals(found))
    path = found.path
    console.print(
        Text(
            f"Score {found.score:.2f} = comparison {path.comparison:.2f} + network {path.network:.2f}; "
            f"confidence = 1 / (1 + exp(-({path.slope:.2f} · score {path.offset:+.2f}))) = {found.confidence:.2f}"
        )
    )


def plain(value: str | None, longest: int = _LONGEST) -> str:
    """Return a value for one line of a terminal: short, and without characters that steer it."""
    if value is None:
        return "-"
    seen = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in value[: longest + 1])
    return seen if len(seen) <= longest else seen[: longest - 1] + "…"


def _attributes(found: Explanation) -> Table:
    table = _table("Attributes", "attribute", found.left.side, found.right.side, "contribution", "confidence without")
    for one in found.stated:
        left, right = _text(one.left), _text(one.right)
        table.add_row(_text(one.name), left, right, _contribution(one.contribution), _text(f"{one.confidence:.2f}"))
    return table


def _neighbours(found: Explanation) -> Table:
    sides = found.left.side, found.right.side
    table = _table("Neighbours", "relation", *sides, "attention", "contribution", "confidence without")
    for one in found.neighbours[:_SHOWN]:
        table.add_row(
            _text(", ".join(one.relations)),
            _entity(one.left),
            _entity(one.right),
            _text(f"{one.left_weight:.2f} / {one.right_weight:.2f}"),
            _contribution(one.contribution),
            _text(f"{one.confidence:.2f}"),
        )
    return table


def _rivals(found: Explanation) -> Table:
    table = _table("Rivals", found.left.side, found.right.side, "confidence", "linked")
    for one in found.rivals[:3]:
        linked = "yes" if one.linked else "no"
        table.add_row(_entity(one.left), _entity(one.right), _text(f"{one.confidence:.2f}"), _text(linked))
    return table


def _table(title: str, *columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for name in columns:
        numbers = name in ("attention", "contribution", "confidence", "confidence without")
        table.add_column(_text(name), justify="right" if numbers else "left", overflow="fold")
    return table


def _text(value: str | None) -> Text:
    from rich.text import Text

    return Text(plain(value))


def _entity(entity: Entity | None) -> Text:
    return _text(None if entity is None else str(entity))


def _contribution(value: float) -> Text:
    from rich.text import Text

    return Text(f"{value:+.2f}", style="green" if value > 0 else "red" if value < 0 else "")
