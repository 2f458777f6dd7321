"""How fast each stage is against the naive way or a peer, side by side: `python -m tests.benchmarks.speed STAGE`.

Times are medians of rounds in which all ways take turns, ratios are medians of the ratios within a round. pull and
write run against an embedded server of their own, or the one that NEO4J_URI names, which they empty.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import click
import torch

from neo4j_align.config import Connection, has_connection
from neo4j_align.gnn import score as scoring
from neo4j_align.store.database import Database

STAGES = ("pull", "block", "score", "train", "gpu", "write")
ON_A_SERVER = ("pull", "write")


@click.command()
@click.argument("stage", type=click.Choice(STAGES))
@click.option("--rounds", default=5, show_default=True, help="How often each way is timed.")
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="Keep the figures here too.")
@click.option("--names", default=1_000_000, show_default=True, help="On either side, for block.")
@click.option("--links", default=20_000, show_default=True, help="To write, for write.")
def main(stage: str, rounds: int, path: Path | None, names: int, links: int) -> None:
    """Measure a stage and print a table."""
    if stage in ON_A_SERVER:
        with _database() as database:
            figures = _on_a_server(stage, database, rounds, links)
    else:
        figures = _alone(stage, rounds, names)
    if path:
        kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        path.write_text(json.dumps({**kept, stage: figures}, indent=1), encoding="utf-8")


def _on_a_server(stage: str, database: Database, rounds: int, links: int) -> object:
    from tests.benchmarks.speed import pull, write

    return pull.run(database, rounds) if stage == "pull" else write.run(database, rounds, links)


def _alone(stage: str, rounds: int, names: int) -> object:
    from tests.benchmarks.speed import block, gpu, score, train

    ways = {"score": score.run, "train": train.run}
    if stage == "gpu":
        return gpu.run(rounds)
    with patch.object(scoring, "device", lambda: torch.device("cpu")):
        return block.run(names) if stage == "block" else ways[stage](rounds)


@contextlib.contextmanager
def _database() -> Iterator[Database]:
    """Open the database that the environment names, else one of an embedded server; both serve child processes."""
    if has_connection():
        with Database.open(Connection.from_environment()) as database:
            yield database
        return
    from neo4j_align.store.embedded import EmbeddedServer  # a machine for `gpu` may lack its packages

    with tempfile.TemporaryDirectory() as home:
        server = EmbeddedServer(Path(home))
        try:
            connection = server.start()
            os.environ |= {
                "NEO4J_URI": connection.uri,
                "NEO4J_USERNAME": connection.username,
                "NEO4J_PASSWORD_FILE": str(server.password_file),
            }
            with Database.open(connection) as database:
                yield database
        finally:
            server.stop()


if __name__ == "__main__":
    main()
