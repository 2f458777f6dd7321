"""Two plain graphs and links between them, for tests of what is written and by whom: no model, no training."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from neo4j_align.config import load_config
from neo4j_align.records import LEFT, RIGHT, Nodes
from neo4j_align.store import entities, links, runs
from neo4j_align.store.database import Database

SETTINGS = Path(__file__).with_name("plain.toml")
CONFIG = load_config(SETTINGS)
ALL = "MATCH (l)-[s:SAME_AS]->(r) RETURN l.uid AS left, r.uid AS right, properties(s) AS link ORDER BY s.pair"
Wanted = dict[tuple[str, str], float]  # (left, right) → confidence


def load(database: Database, count: int) -> Nodes:
    """Put `count` entities l0, l1 … and r0, r1 … on either side, with the indexes that `check` would make."""
    database.write("CREATE CONSTRAINT IF NOT EXISTS FOR (n:L) REQUIRE n.uid IS UNIQUE")
    database.write("CREATE CONSTRAINT IF NOT EXISTS FOR (n:R) REQUIRE n.uid IS UNIQUE")
    database.write(
        "UNWIND range(0, $count - 1) AS i "
        "CREATE (:L:T0 {uid: 'l' + i, name: 'name ' + i}), (:R:T0 {uid: 'r' + i, title: 'name ' + i})",
        count=count,
    )
    return entities.pull(database, CONFIG)


def write(
    database: Database,
    nodes: Nodes,
    wanted: Wanted,
    model: str = "m",
    kind: str = "align",
    advance: Callable[[int], None] = lambda _: None,
) -> str:
    """Bring the links to what is wanted, as `align` would, and return the run's id."""
    with runs.running(database, kind, CONFIG, model=model) as run:
        changes = links.difference(CONFIG, links.read(database, CONFIG, nodes), frame(nodes, wanted), model)
        changes = dataclasses.replace(changes, create=links.with_ids(database, nodes, changes.create))
        links.write(run, CONFIG, changes, model, advance)
    return run.id


def frame(nodes: Nodes, wanted: Wanted) -> pd.DataFrame:
    """Return links as the pipeline chooses them."""
    left, right = (nodes.index(side) for side in (LEFT, RIGHT))
    rows = [
        (left[one], right[other], one, other, True, confidence, 2 * confidence)
        for (one, other), confidence in wanted.items()
    ]
    return pd.DataFrame(rows, columns=[*links.AT, "left", "right", "alone", "confidence", "score"])


def snapshot(database: Database) -> list[dict[str, Any]]:
    """Return all links with all their properties."""
    rows: list[dict[str, Any]] = database.read(ALL)
    return rows


def pairs(database: Database) -> Wanted:
    """Return the links and their confidences."""
    return {(row["left"], row["right"]): row["link"]["confidence"] for row in snapshot(database)}
