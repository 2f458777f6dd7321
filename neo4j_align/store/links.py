"""SAME_AS in the database: what is there, what changed, and the run that wrote it. No thresholds."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from neo4j_align.config import Config
from neo4j_align.records import LEFT, RIGHT, Nodes
from neo4j_align.store import queries
from neo4j_align.store.database import Database

COLUMNS = ["pair", "left", "right", "confidence", "score"]


@dataclass(frozen=True)
class Existing:
    """What stands between the two sides.

    Attributes:
        predicted: columns pair, confidence, score, model.
        confirmed, rejected: index pairs (left, right) of a person's verdicts.
    """

    predicted: pd.DataFrame
    confirmed: frozenset[tuple[int, int]]
    rejected: frozenset[tuple[int, int]]


@dataclass(frozen=True)
class Changes:
    """What has to be written: new links, links with another score, and pairs whose link goes."""

    create: pd.DataFrame
    update: pd.DataFrame
    retire: pd.DataFrame

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of links created, updated and retired."""
        return {"created": len(self.create), "updated": len(self.update), "retired": len(self.retire)}


def pair_name(left: object, right: object) -> str:
    """Join two keys: `left|right`, with `~` before a `|` or `~` in a key, so that no two pairs share a name."""
    return "|".join(str(key).replace("~", "~~").replace("|", "~|") for key in (left, right))


def read(database: Database, config: Config, nodes: Nodes) -> Existing:
    """Read the links and verdicts between the two sides."""
    parameters: dict[str, Any] = {}
    for name, side in (("left", config.left), ("right", config.right)):
        for field in ("label", "property", "value", "key"):
            parameters[f"{name}_{field}"] = getattr(side, field)
    rows = database.read(queries.load("links/read").text, **parameters)
    table = pd.DataFrame(rows, columns=[*COLUMNS, "same", "status", "model"])
    judged = table[(table["status"] == "confirmed") | ~table["same"].astype(bool)]
    place = [nodes.index(side).to_dict() for side in (LEFT, RIGHT)]
    verdicts = [
        (place[LEFT][row.left], place[RIGHT][row.right], bool(row.same))
        for row in judged.itertuples()
        if row.left in place[LEFT] and row.right in place[RIGHT]
    ]
    return Existing(
        table[table["same"].astype(bool) & (table["status"] == "predicted")],
        frozenset((left, right) for left, right, same in verdicts if same),
        frozenset((left, right) for left, right, same in verdicts if not same),
    )


def difference(existing: Existing, links: pd.DataFrame, model: str) -> Changes:
    """Compare the links that should be, columns COLUMNS, with those that are."""
    both = links.merge(existing.predicted, on="pair", how="outer", suffixes=("", "_old"), indicator="where")
    moved = (both["confidence"] != both["confidence_old"]) | (both["model"] != model)
    return Changes(
        create=both[both["where"] == "left_only"],
        update=both[(both["where"] == "both") & moved],
        retire=both[both["where"] == "right_only"],
    )


def write(
    database: Database,
    config: Config,
    nodes: Nodes,
    changes: Changes,
    model: str,
    kind: str = "align",
    advance: Callable[[int], None] = lambda _: None,
) -> str:
    """Write the changes in batches, each in its own transaction, and record the run.

    A process killed in the middle leaves some batches undone; the next run finds the difference and writes the rest.

    Returns:
        The id of the run.
    """
    for constraint in ("link", "rejection", "run"):
        database.write(queries.load(f"schema/ensure_{constraint}_constraint").text)
    run = f"{datetime.datetime.now(datetime.timezone.utc):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    database.write(queries.load("runs/start").text, run=run, kind=kind, model=model, config_hash=config.digest())
    # What goes, goes first: an entity never has two links in between.
    for name, rows, parameters in (
        ("retire", changes.retire[["pair"]], {}),
        ("update", changes.update[["pair", "confidence", "score"]], {"run": run, "model": model}),
        (
            "create",
            _with_ids(database, nodes, changes.create[COLUMNS]),
            {"run": run, "model": model, "left_key": config.left.key, "right_key": config.right.key},
        ),
    ):
        database.write_batches(queries.load(f"links/{name}").text, rows.to_dict("records"), advance, **parameters)
    database.write(queries.load("runs/finish").text, run=run, counts=changes.counts)
    return run


def _with_ids(database: Database, nodes: Nodes, links: pd.DataFrame) -> pd.DataFrame:
    """Add the elementIds of both ends, by which the server finds them without an index."""
    ids = {
        f"{name}_id": database.id_prefix + pd.Series(nodes.ids[nodes.index(side)[links[name]].to_numpy()]).astype(str)
        for name, side in (("left", LEFT), ("right", RIGHT))
    }
    return links.reset_index(drop=True).assign(**ids)
