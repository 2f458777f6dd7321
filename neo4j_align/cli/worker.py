"""`worker`: does the jobs that applications ask for from Cypher."""

from __future__ import annotations

import logging
import signal
from pathlib import Path

import click

from neo4j_align.cli.options import Common, common, engine, model
from neo4j_align.engine import named


@click.command()
@model
@click.option("--labels", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="CSV of labels for jobs that train; by default verdicts, and what the model finds.")  # fmt: skip
@click.option("--poll", type=click.FloatRange(min=0.1), default=2.0, show_default=True,
              help="Seconds between two looks for jobs.")  # fmt: skip
@click.option("--once", is_flag=True, help="End when no job waits.")
@engine
@common
def worker(common: Common, folder: Path, path: Path | None, poll: float, once: bool, engine: str) -> None:
    """Do the jobs that were asked for with `CALL custom.align.submit(kind, options)`.

    One job at a time, however many workers there are: a second one takes over when the first dies. On SIGTERM or
    Ctrl-C the job goes back to the queue, and the next worker goes on with it.

    \b
    Kinds of jobs, with their options:
      align           precision, dry_run
      sync
      train           replaces the model
      score           left, right: lists of keys
      candidates      key; CALL custom.align.candidates(key) reads them
      neighbourhood   key; CALL custom.align.neighbourhood(key) reads it
      explain         left, right: keys; CALL custom.align.explain(left, right) reads it

    \b
    Examples:
      neo4j-align worker --model models/films
      neo4j-align worker --once
    """
    from neo4j_align.cli.learn import read_table
    from neo4j_align.worker import Worker

    logging.getLogger("neo4j_align.worker").setLevel(logging.ERROR if common.quiet else logging.INFO)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    config, table = common.config(), None if path is None else read_table(path)
    with common.connect() as database:
        try:
            done = Worker(config, database, folder, table, poll, named(engine)).run(once)
        except KeyboardInterrupt:
            common.console().print("Stopped; a job that was under way is back in the queue.")
            return
    common.result({"jobs": done}, f"{done} jobs ended or tried; `neo4j-align jobs list` says how.")
