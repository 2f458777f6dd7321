"""`runs`: what was changed when, by whom and with which model; and to take a run back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from neo4j_align.cli.options import Common, common, listing, table
from neo4j_align.errors import DataError

if TYPE_CHECKING:
    from neo4j_align.store.undo import Obstacle

_SHOWN = 20  # changes and obstacles that are printed for people; --json has all
_COLUMNS = ("id", "kind", "status", "by", "started_at", "seconds", "created", "updated", "retired", "model")


@click.group()
def runs() -> None:
    """List and show the runs that wrote links, and take one back.

    RUN is a run's id or its beginning, or `last`.

    \b
    Examples:
      neo4j-align runs list
      neo4j-align runs undo last
    """


@runs.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many, newest first.")
@common
def list_(common: Common, limit: int) -> None:
    """List the latest runs.

    \b
    Example: neo4j-align runs list --limit 5
    """
    from neo4j_align.store import runs as store

    with common.connect() as database:
        found = store.listed(database, limit)
    rows = [{name: run.get(name) for name in _COLUMNS} for run in found]
    common.result({"runs": found}, table(rows) if rows else "There are no runs yet.")


@runs.command()
@click.argument("run")
@common
def show(common: Common, run: str) -> None:
    """Show all that is known of a run.

    \b
    Example: neo4j-align runs show last
    """
    from neo4j_align.store import runs as store

    with common.connect() as database:
        found = store.show(database, run)
    common.result(found, listing(found))


@runs.command()
@click.argument("run")
@common
def diff(common: Common, run: str) -> None:
    """Show which links a run created, updated and retired, with the confidence before and after.

    \b
    Example: neo4j-align runs diff last
    """
    from neo4j_align.store import runs as store
    from neo4j_align.store import undo as records

    with common.connect() as database:
        found = store.show(database, run)
        changes = [
            {
                "kind": change.kind,
                "pair": change.pair,
                "before": change.before and change.before["confidence"],
                "after": change.confidence,
            }
            for change in records.changes(database, found["id"])
        ]
    lines = [f"Run {found['id']}: {len(changes):,} changes."]
    lines += [table(changes[:_SHOWN])] if changes else []
    lines += [f"… and {len(changes) - _SHOWN:,} more; --json has all."] if len(changes) > _SHOWN else []
    lines += ["Its changes were forgotten ([history] in the configuration)."] if found.get("pruned") else []
    common.result({"run": found["id"], "changes": changes}, "\n".join(lines))


@runs.command()
@click.argument("run")
@click.option("--force", is_flag=True, help="Set back, too, what later runs changed; never what a person judged.")
@click.option("--dry-run", is_flag=True, help="Say what would be set back and what stands in the way; write nothing.")
@common
def undo(common: Common, run: str, force: bool, dry_run: bool) -> None:
    """Set the links back to what they were before a run.

    Where a later run or a person's verdict stands in the way nothing is written, and each obstacle is named. With
    --force all but these verdicts is set back. An undo is a run itself and can be undone.

    The next `align` or `sync` with the same model finds the same links again: stop the schedule first, and reject
    pairs or change the model or its thresholds before it runs again.

    \b
    Examples:
      neo4j-align runs undo last --dry-run
      neo4j-align runs undo 20260131T0815 --force
    """
    from neo4j_align.store import runs as store
    from neo4j_align.store import undo as undoing

    config = common.config()
    with common.connect() as database:
        undone = store.show(database, run, config)
        planned = undoing.plan(database, config, undone, force)
        if planned.obstacles and not force and not dry_run:
            raise DataError(f"Run {undone['id']} was not undone.\n{_in_the_way(planned.obstacles, force)}")
        done = None
        if not dry_run:
            done, planned = undoing.undo(database, config, undone["id"], force)
    document: dict[str, Any] = {
        "run": done,
        "undoes": undone["id"],
        **planned.changes.counts,
        "obstacles": [vars(obstacle) for obstacle in planned.obstacles],
    }
    counts = ", ".join(f"{count:,} {what}" for what, count in planned.changes.counts.items())
    said = f"Run {undone['id']} {'would be' if dry_run else 'is'} undone: {counts} links."
    common.result(document, "\n".join([said, *([_in_the_way(planned.obstacles, force)] if planned.obstacles else [])]))


def _in_the_way(obstacles: list[Obstacle], force: bool) -> str:
    """Name what stands in the way, and what --force does about it."""
    forceable = sum(obstacle.forceable for obstacle in obstacles)
    lines = [f"{len(obstacles):,} links are not as it left them:"]
    lines += [f"  {obstacle.pair}: {obstacle.why}" for obstacle in obstacles[:_SHOWN]]
    lines += [f"  … and {len(obstacles) - _SHOWN:,} more; --dry-run --json has all."] if len(obstacles) > _SHOWN else []
    others = "" if force else ", what nothing stands in the way of,"
    lines += [f"--force sets back {forceable:,} of them{others} and leaves {len(obstacles) - forceable:,} as they are."]
    return "\n".join(lines)
