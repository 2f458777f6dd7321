"""`sync`: brings the links up to date, once or on a schedule."""

from __future__ import annotations

import json
import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neo4j_align.cli.options import Common, common, engine, model
from neo4j_align.engine import named
from neo4j_align.errors import ConfigError

if TYPE_CHECKING:
    from neo4j_align.schedule import Due, Outcome

log = logging.getLogger(__name__)
_CHANGES = ("created", "updated", "retired")
_NOTHING = dict.fromkeys(("changed_entities", "candidates", *_CHANGES), 0)


@dataclass(frozen=True)
class Synced:
    """What a sync did, as `Alignment` tells it; by default nothing, and that without the packages it would take."""

    counts: dict[str, int] = field(default_factory=_NOTHING.copy)
    run: str | None = None
    drift: dict[str, float] = field(default_factory=dict)
    links: int = 0
    seconds: float = 0.0


@click.command()
@model
@click.option("--every", "interval", help="Run again and again: 30s, 15m, 2h, 1d.")
@click.option("--cron", "expression", help="Run at the times of a cron expression, for example '*/15 * * * *'.")
@click.option("--metrics-port", type=click.IntRange(0, 65535),
              help="With a schedule: counters for Prometheus on this port of 127.0.0.1.")  # fmt: skip
@engine
@common
def sync(
    common: Common,
    folder: Path,
    interval: str | None,
    expression: str | None,
    metrics_port: int | None,
    engine: str,
) -> None:
    """Bring the links up to date: to exactly what `align` with the same model would write now.

    Where nothing has changed since the last run, it ends at once. How changes are found out is the [sync] section of
    the configuration: by a scan of the graph, a last-modified property, APOC triggers, or Neo4j's log of changes.
    Where less than half of a type's links would be left, and more than ten less, it writes nothing and fails:
    `align` does that, when it is meant.

    On a schedule it runs until it is stopped (SIGTERM or Ctrl-C), never two at once: while another run is writing it
    skips. After failures it waits longer each time. One line a run, with --json one JSON document a line.

    \b
    Examples:
      neo4j-align sync
      neo4j-align sync --every 15m --metrics-port 9400
      neo4j-align sync --cron '*/15 * * * *' --json
    """
    due = _due(interval, expression)
    if due is None and metrics_port is not None:
        raise click.UsageError("--metrics-port goes with --every or --cron.")
    if due is None:
        found = _once(common, folder, engine, show=True)
        common.result({**found.counts, "run": found.run, "drift": found.drift, "seconds": found.seconds}, _said(found))
        return
    _scheduled(common, folder, engine, due, metrics_port, at_once=expression is None)


def _due(interval: str | None, expression: str | None) -> Due | None:
    from neo4j_align import schedule

    if interval is not None and expression is not None:
        raise click.UsageError("Give --every or --cron, not both.")
    try:
        if interval is not None:
            return schedule.every(interval)
        return None if expression is None else schedule.cron(expression)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error


def _once(common: Common, folder: Path, engine: str, show: bool = False) -> Synced:
    from neo4j_align.store import quiet

    begun, config = time.perf_counter(), common.config()
    with common.connect() as database:
        if quiet.untouched(database, config, folder):
            return Synced(seconds=round(time.perf_counter() - begun, 3))
        from neo4j_align.gnn import saved
        from neo4j_align.pipeline import Aligner
        from neo4j_align.progress import Stages
        from neo4j_align.recall import beside

        trained = saved.load(folder)
        with common.progress() as progress:
            stages = Stages(progress if show else None)
            found = Aligner(config, database, stages, beside(folder), named(engine)).sync(trained)
    counts = {"changed_entities": found.changed_entities or 0, "candidates": found.candidates, **found.changes}
    return Synced(counts, found.run, found.drift, len(found.links), stages.seconds)


def _scheduled(common: Common, folder: Path, engine: str, due: Due, port: int | None, at_once: bool) -> None:
    from neo4j_align.metrics import Metrics
    from neo4j_align.schedule import repeat

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    metrics = None if port is None else Metrics(port)
    if metrics is not None:
        common.console().print(f"Counters at http://127.0.0.1:{metrics.port}/metrics")

    def tell(outcome: Outcome) -> None:
        if metrics is not None:
            metrics(outcome)
        _print(common, outcome)

    work: Callable[[], dict[str, int]] = lambda: _once(common, folder, engine).counts  # noqa: E731
    try:
        repeat(work, due, tell, at_once)
    except KeyboardInterrupt:
        common.console().print("Stopped.")
    finally:
        if metrics is not None:
            metrics.close()


def _said(found: Synced) -> str:
    if found.run is None:
        return "Nothing has changed since the last run."
    changed = ", ".join(f"{found.counts[what]:,} {what}" for what in _CHANGES)
    return f"{found.counts['changed_entities']:,} entities had changed: {changed} links of {found.links:,}."


def _print(common: Common, outcome: Outcome) -> None:
    """Print a line for people, or a JSON document of one line for machines."""
    started = f"{outcome.started_at:%Y-%m-%dT%H:%M:%S%z}"
    document: dict[str, Any] = {**vars(outcome), "started_at": started}
    numbers = ", ".join(f"{count:,} {what.replace('_', ' ')}" for what, count in outcome.counts.items())
    if common.json:
        click.echo(json.dumps(document))
    elif not common.quiet or outcome.outcome == "failed":
        click.echo(f"{started} {outcome.outcome} in {outcome.seconds:.1f} s: {numbers or outcome.error}")
