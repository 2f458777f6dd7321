"""`confirm`, `reject`, `withdraw`, `verdicts`: what persons say of pairs, which outranks the machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neo4j_align.cli.options import Common, common, table
from neo4j_align.errors import DataError

if TYPE_CHECKING:
    from neo4j_align.store.verdicts import Kind

_SHOWN = 20


def _pairs(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--csv", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path),
                     help="CSV: left,right[,by][,note]; many pairs instead of one."),
        click.argument("right", required=False),
        click.argument("left", required=False),
    ):  # fmt: skip
        command = option(command)
    return command


def _said(command: Callable[..., None]) -> Callable[..., None]:
    command = click.option("--note", help="Why; kept with the verdict.")(command)
    return click.option("--by", help="Who decides; by default the user of this machine.")(command)


@click.command()
@_pairs
@_said
@common
def confirm(common: Common, **arguments: Any) -> None:
    """Say that two entities are the same: LEFT and RIGHT are their keys.

    The link gets the status `confirmed` and confidence 1; no run changes or retires it, other links of these entities
    give way at the next run where links are one-to-one, and `train` learns from it. A verdict that contradicts another
    stands beside it, and both are reported until one is withdrawn.

    \b
    Examples:
      neo4j-align confirm tt0133093 /m/01 --note "same poster"
      neo4j-align confirm --csv checked.csv --by ana
    """
    _judge(common, "confirm", **arguments)


@click.command()
@_pairs
@_said
@common
def reject(common: Common, **arguments: Any) -> None:
    """Say that two entities are not the same: LEFT and RIGHT are their keys.

    A predicted link between them goes at once, no run links them again, and `train` learns from it. A verdict that
    contradicts another stands beside it, and both are reported until one is withdrawn.

    \b
    Examples:
      neo4j-align reject tt0133093 /m/02
      neo4j-align reject --csv wrong.csv --by ana
    """
    _judge(common, "reject", **arguments)


@click.command()
@_pairs
@click.option("--by", help="Whose verdicts; by default everybody's.")
@common
def withdraw(common: Common, left: str | None, right: str | None, path: Path | None, by: str | None) -> None:
    """Take the verdicts on a pair back: LEFT and RIGHT are the keys.

    What the machine had predicted before stands again, if nothing else took its place.

    \b
    Examples:
      neo4j-align withdraw tt0133093 /m/01
      neo4j-align withdraw --csv checked.csv --by ana
    """
    from neo4j_align.store import verdicts as store

    pairs = [{"by": by, **pair} for pair in _given(left, right, path)]
    config = common.config()
    with common.connect() as database:
        found = store.withdraw(database, config, pairs)
    rows = [row for gone in found for row in gone]
    failed = [
        {**pair, "status": f"no verdict by {pair['by']}" if pair["by"] else "no verdict"}
        for pair, gone in zip(pairs, found, strict=True)
        if not gone
    ]
    lines = [f"{len(rows):,} verdicts withdrawn."]
    lines += [f"  {row['pair']}: {row['withdrawn']}" + ", predicted again" * row["link"] for row in rows[:_SHOWN]]
    common.result({"withdrawn": rows, "failed": failed}, "\n".join(lines))
    _name(failed, len(pairs), "withdrawn")


@click.group()
def verdicts() -> None:
    """List what persons said of pairs; `confirm`, `reject` and `withdraw` say it and take it back.

    \b
    Example: neo4j-align verdicts list
    """


@verdicts.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many, newest first.")
@click.option("--by", help="Whose verdicts; by default everybody's.")
@common
def list_(common: Common, limit: int, by: str | None) -> None:
    """List the latest verdicts on pairs of the two graphs.

    \b
    Examples:
      neo4j-align verdicts list --by ana
      neo4j-align verdicts list --limit 1000000 --json
    """
    from neo4j_align.store import verdicts as store

    config = common.config()
    with common.connect() as database:
        given = store.given(database, config)
    rows = [{"left": left, "right": right, **vars(said)} for (left, right), on in given.items() for said in on]
    rows = [row for row in rows if by in (None, row["by"])]
    more = [f"  … and {len(rows) - limit:,} more; --limit shows them."] if len(rows) > limit else []
    text = "\n".join([table(rows[:limit]), *more]) if rows else "There are no verdicts yet."
    common.result({"verdicts": rows[:limit]}, text)


def _judge(
    common: Common, kind: Kind, left: str | None, right: str | None, path: Path | None, by: str | None, note: str | None
) -> None:
    from neo4j_align.store import verdicts as store
    from neo4j_align.store.lease import actor

    pairs = [{"by": by or actor(), "note": note, **pair} for pair in _given(left, right, path)]
    config = common.config()
    with common.connect() as database:
        rows = store.judge(database, config, kind, pairs)
    failed = [row for row in rows if row["pair"] is None or row["status"] not in ("confirmed", "rejected")]
    disputed = [row for row in rows if row["contradicts"] and row not in failed]
    lines = [f"{len(rows) - len(failed):,} pairs {'confirmed' if kind == 'confirm' else 'rejected'}."]
    lines += [f"  {row['pair']} is contradicted: {'; '.join(row['contradicts'])}" for row in disputed[:_SHOWN]]
    document = {"done": len(rows) - len(failed), "failed": failed, "contradicted": disputed}
    common.result(document, "\n".join(lines))
    _name(failed, len(pairs), "judged")


def _name(failed: list[dict[str, Any]], of: int, what: str) -> None:
    """Raise an error that names pairs with which it could not be done, if there are any."""
    if failed:
        named = "\n".join(f"  {row['left']}, {row['right']}: {row['status']}" for row in failed[:_SHOWN])
        raise DataError(f"{len(failed):,} of {of:,} pairs could not be {what}:\n{named}")


def _given(left: str | None, right: str | None, path: Path | None) -> list[dict[str, Any]]:
    if (path is None) == (left is None) or (left is None) != (right is None):
        raise click.UsageError("Give the keys LEFT and RIGHT, or --csv FILE.")
    return [{"left": left, "right": right}] if path is None else _read(path)


def _read(path: Path) -> list[dict[str, Any]]:
    """Read pairs of a CSV; what is empty in `by` and `note` is left to the options."""
    from neo4j_align.cli.learn import read_table

    found = read_table(path)
    if not {"left", "right"} <= set(found.columns):
        raise DataError(f"{path} needs the columns left,right (and may have by,note), with commas between them.")
    if "label" in found:
        raise DataError(f"{path} has a column label. Give what to confirm and what to reject in two files without it.")
    kept = [column for column in ("left", "right", "by", "note") if column in found]
    rows = [{str(name): value for name, value in row.items() if value != ""} for row in found[kept].to_dict("records")]
    if broken := [at for at, row in enumerate(rows, start=2) if not {"left", "right"} <= row.keys()]:
        raise DataError(f"Line {broken[0]} of {path} lacks left or right. Fill or remove it.")
    return rows
