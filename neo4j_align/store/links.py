"""SAME_AS in the database: what is there, what changed, and the run that wrote it. No thresholds."""

from __future__ import annotations

import datetime
import re
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
        stale: predicted links of which an end has another key by now.
        confirmed, rejected: index pairs (left, right) of a person's verdicts.
    """

    predicted: pd.DataFrame
    stale: pd.DataFrame
    confirmed: frozenset[tuple[int, int]]
    rejected: frozenset[tuple[int, int]]


NOTHING = Existing(pd.DataFrame(columns=COLUMNS), pd.DataFrame(columns=COLUMNS), frozenset(), frozenset())


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


def pair_name(config: Config, left: object, right: object) -> str:
    """Join the sides and keys of two entities: `IMDb:1|Freebase:7`.

    A `~` stands before each `:`, `|` and `~` of a side or key, so that no two pairs of any two graphs share a name.
    """

    def escaped(part: object) -> str:
        return re.sub(r"[~:|]", r"~\g<0>", str(part))

    ends = ((config.left, left), (config.right, right))
    return "|".join(f"{escaped(side.label or side.value)}:{escaped(key)}" for side, key in ends)


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
    predicted = table[table["same"].astype(bool) & (table["status"] == "predicted")]
    ends = zip(predicted["left"], predicted["right"], strict=True)
    current = predicted["pair"] == [pair_name(config, left, right) for left, right in ends]
    return Existing(
        predicted[current],
        predicted[~current],
        frozenset((left, right) for left, right, same in verdicts if same),
        frozenset((left, right) for left, right, same in verdicts if not same),
    )


def difference(existing: Existing, links: pd.DataFrame, model: str) -> Changes:
    """Compare the links that should be, columns COLUMNS, with those that are."""
    both = links.merge(existing.predicted, on="pair", how="outer", suffixes=("", "_old"), indicator="where")
    moved = (both["confidence"] != both["confidence_old"]) | (both["score"] != both["score_old"])
    moved |= both["model"] != model
    return Changes(
        create=both[both["where"] == "left_only"],
        update=both[(both["where"] == "both") & moved],
        retire=pd.concat([both[both["where"] == "right_only"], existing.stale]),
    )


def prepare(database: Database) -> None:
    """Create the constraints that keep a pair from being linked twice, where they are missing."""
    for constraint in ("link", "rejection", "run"):
        database.write(queries.load(f"schema/ensure_{constraint}_constraint").text)


def write(
    database: Database,
    config: Config,
    nodes: Nodes,
    changes: Changes,
    model: str,
    precision: float | None = None,
    kind: str = "align",
    advance: Callable[[int], None] = lambda _: None,
) -> str:
    """Write the changes in batches, each in its own transaction, and record the run.

    Args:
        precision: what the run was asked for, if it was.

    A process killed in the middle leaves some batches undone; the next run finds the difference and writes the rest.

    Returns:
        The id of the run.
    """
    run = f"{datetime.datetime.now(datetime.timezone.utc):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    asked = {"kind": kind, "model": model, "config_hash": config.digest(), "precision": precision}
    database.write(queries.load("runs/start").text, run=run, **asked)
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
