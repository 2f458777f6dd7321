"""`sync`: brings the links up to date, once or on a schedule."""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neo4j_align.cli.options import Common, common, engine, model
from neo4j_align.engine import named

if TYPE_CHECKING:
    from neo4j_align.outcome import Alignment
    from neo4j_align.schedule import Due, Outcome

log = logging.getLogger(__name__)


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
        found, seconds = _once(common, folder, engine, show=True)
        common.result({**counts(found), "run": found.run, "drift": found.drift, "seconds": seconds}, _said(found))
        return
    _scheduled(common, folder, engine, due, metrics_port, at_once=expression is None)


def _due(interval: str | None, expression: str | None) -> Due | None:
    from neo4j_align import schedule

    if interval is not None and expression is not None:
        raise click.UsageError("Give --every or --cron, not both.")
    if interval is not None:
        return schedule.every(interval)
    return None if expression is None else schedule.cron(expression)


def _once(common: Common, folder: Path, engine: str, show: bool = False) -> tuple[Alignment, float]:
    from neo4j_align.gnn import saved
    from neo4j_align.pipeline import Aligner
    from neo4j_align.progress import Stages
    from neo4j_align.recall import beside

    config, trained = common.config(), saved.load(folder)
    with common.connect() as database, common.progress() as progress:
        aligner = Aligner(config, database, Stages(progress if show else None), beside(folder), named(engine))
        return aligner.sync(trained), aligner.stages.seconds


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

    work: Callable[[], dict[str, int]] = lambda: counts(_once(common, folder, engine)[0])  # noqa: E731
    try:
        repeat(work, due, tell, at_once)
    except KeyboardInterrupt:
        common.console().print("Stopped.")
    finally:
        if metrics is not None:
            metrics.close()


def counts(found: Alignment) -> dict[str, int]:
    """Return what a sync did, in numbers."""
    return {"changed_entities": found.changed_entities or 0, "candidates": found.candidates, **found.changes}


def _said(found: Alignment) -> str:
    if found.run is None:
        return "Nothing has changed since the last run."
    changed = ", ".join(f"{count:,} {what}" for what, count in found.changes.items())
    return f"{found.changed_entities or 0:,} entities had changed: {changed} links of {len(found.links):,}."


def _print(common: Common, outcome: Outcome) -> None:
    """Print a line for people, or a JSON document of one line for machines."""
    started = f"{outcome.started_at:%Y-%m-%dT%H:%M:%S%z}"
    document: dict[str, Any] = {**vars(outcome), "started_at": started}
    numbers = ", ".join(f"{count:,} {what.replace('_', ' ')}" for what, count in outcome.counts.items())
    if common.json:
        click.echo(json.dumps(document))
    elif not common.quiet or outcome.outcome == "failed":
        click.echo(f"{started} {outcome.outcome} in {outcome.seconds:.1f} s: {numbers or outcome.error}")
