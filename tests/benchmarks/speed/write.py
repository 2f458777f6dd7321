"""Writing: links with the record of every change, against a bare MERGE of the same pairs under the same constraint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from neo4j_align.config import Config
from neo4j_align.records import Nodes
from neo4j_align.store import entities, links, runs
from neo4j_align.store.database import Database
from tests.benchmarks.speed import graphs
from tests.benchmarks.speed.timing import side_by_side

BARE = """
UNWIND $rows AS row
MATCH (l) WHERE elementId(l) = row.left_id
MATCH (r) WHERE elementId(r) = row.right_id
MERGE (l)-[s:SAME_AS {pair: row.pair}]->(r)
SET s.confidence = row.confidence, s.score = row.score
"""
BARE_ALL = BARE + ", s.status = 'predicted', s.run = $run, s.model = $model, s.created_at = datetime()"
EMPTY = "MATCH ()-[s:SAME_AS]->() WITH s LIMIT 20000 DELETE s RETURN count(*) AS gone"


def run(database: Database, rounds: int, count: int) -> dict[str, Any]:
    """Measure links created through the product and by statements of two sizes, all in batches of one size."""
    graphs.load(database, graphs.Size(films=count // 2, people=count // 2, edges=10))
    mapping = graphs.config()
    nodes = entities.pull(database, mapping)
    table = links.with_ids(database, nodes, _links(mapping, nodes))
    rows = table.to_dict("records")
    with runs.running(database, "align", mapping):  # makes the constraints
        pass

    def empty() -> None:
        while database.write(EMPTY)[0]["gone"]:
            pass

    def ours() -> None:
        nothing = links.NO_ROWS
        with runs.running(database, "align", mapping) as written:
            links.write(written, mapping, links.Changes(table, nothing, nothing), "model")
            assert written.counts()["created"] == count

    ways = {
        "bare MERGE": lambda: database.write_batches(BARE, rows),
        "bare MERGE, all our properties": lambda: database.write_batches(BARE_ALL, rows, run="run", model="model"),
        "ours, with change records": ours,
    }
    timed = side_by_side(ways, rounds, empty)
    print(f"\n{count:,} links\n\n{timed.lines(dict.fromkeys(ways, (count, 'links')))}")
    return timed.document()


def _links(mapping: Config, nodes: Nodes) -> pd.DataFrame:
    draw = np.random.default_rng(13)
    rows: Iterator[tuple[str, str]] = (
        (str(key), str(key).replace("Left", "Right")) for key in nodes.keys[nodes.side == 0]
    )
    table = pd.DataFrame(rows, columns=["left", "right"])
    return table.assign(
        pair=links.pair_names(mapping, table["left"], table["right"]),
        confidence=draw.random(len(table)).round(6),
        score=draw.normal(size=len(table)).round(6),
        alone=True,
    )
