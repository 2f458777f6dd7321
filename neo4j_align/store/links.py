"""SAME_AS in the database: what is there, what changed, and the run that wrote it. No thresholds."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from neo4j_align.config import Config
from neo4j_align.records import LEFT, RIGHT, BoolArray, Links, Nodes, Verdicts, taken
from neo4j_align.store import queries, schema
from neo4j_align.store.database import Database
from neo4j_align.store.runs import Run

log = logging.getLogger(__name__)
COLUMNS = ["pair", "left", "right", "confidence", "score"]
AT = ["left_at", "right_at"]  # of both ends, where they stand among the entities, -1 where they do not
_VALUES = ["confidence", "score", "run", "model", "created_at", "updated_at"]


@dataclass(frozen=True)
class Existing:
    """What stands between the two sides.

    Attributes:
        predicted: a model's links: columns AT, left, right (keys), confidence, score, model.
        stale: names of predicted links of which an end has another key by now.
        verdicts: a person's.
    """

    predicted: pd.DataFrame
    stale: list[str]
    verdicts: Verdicts


NO_ROWS = pd.DataFrame(columns=["pair"])
_NO_LINKS = pd.DataFrame(columns=[*AT, "left", "right", "confidence", "score", "model"])
NOTHING = Existing(_NO_LINKS.astype(dict.fromkeys(AT, np.int64)), [], Verdicts())


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


NO_CHANGES = Changes(NO_ROWS, NO_ROWS, NO_ROWS)


def pair_name(config: Config, left: object, right: object) -> str:
    """Join the sides and keys of two entities: `IMDb:1|Freebase:7`.

    A `~` stands before each `:`, `|` and `~` of a side or key, so that no two pairs of any two graphs share a name.
    """
    return pair_names(config, [left], [right])[0]


def pair_names(config: Config, left: Iterable[object], right: Iterable[object]) -> list[str]:
    """Name pairs as `pair_name` does."""
    one, other = (schema.side_name(config, side) for side in (LEFT, RIGHT))
    escaped = (map(schema.escaped, keys) for keys in (left, right))
    return [f"{one}:{mine}|{other}:{theirs}" for mine, theirs in zip(*escaped, strict=True)]


def read(database: Database, config: Config, nodes: Nodes) -> Existing:
    """Read the links and verdicts of this alignment, by their names: an end may have left its graph."""
    table = stored(database, config)
    predicted = _placed(table[table["same"].astype(bool) & (table["status"] == "predicted")], nodes)
    current = _current(config, nodes, predicted)
    return Existing(predicted[current], predicted.loc[~current, "pair"].tolist(), _verdicts(table, nodes))


def recalled(config: Config, nodes: Nodes, before: Nodes, kept: Links, model: str) -> Existing:
    """Return what `read` would, where nobody changed links or verdicts since a run left them.

    Args:
        before: the entities of that run, to which `kept` points.
    """
    mine, theirs = (some.ids * 2 + some.side for some in (nodes, before))  # a node may have gone over to the other side
    order = np.argsort(mine)
    found = order[np.searchsorted(mine, theirs, sorter=order).clip(max=len(order) - 1)]
    now = np.where(mine[found] == theirs, found, -1)  # of each entity of that run, where it is today
    keys, at = before.keys[kept.ends], now[kept.ends]
    columns = dict(zip([*AT, "left", "right"], [*at.T, *keys.T], strict=True))
    predicted = pd.DataFrame({**columns, "confidence": kept.confidence, "score": kept.score, "model": model})
    current = (at >= 0).all(axis=1) & (nodes.keys[at] == keys).all(axis=1)
    confirmed, rejected = (
        frozenset((int(one), int(other)) for one, other in now[pairs] if one >= 0 and other >= 0)
        for pairs in (kept.confirmed, kept.rejected)
    )
    stale = pair_names(config, *keys[~current].T)
    return Existing(predicted[current], stale, _told_disputed(Verdicts(confirmed, rejected)))


def stored(database: Database, config: Config) -> pd.DataFrame:
    """Return the links and verdicts of this alignment as they are stored.

    Returns:
        COLUMNS, `same` (a link, or a rejection), `status`, `thought` (what a model's link that a person judged had as
        confidence; else missing), `model`, `ends` (Neo4j's numbers of both).
    """
    rows = database.read(queries.load("links/read").text, None, **_keys(config), **_prefixes(config))
    # As objects: whole numbers among missing ones would become fractions.
    return pd.DataFrame(rows, columns=[*COLUMNS, "same", "status", "thought", "model", "ends"], dtype=object)


def _placed(table: pd.DataFrame, nodes: Nodes) -> pd.DataFrame:
    """Add the columns AT, by the keys `left` and `right`."""
    here = (nodes.index(side).to_dict() for side in (LEFT, RIGHT))
    keys = (table[side] for side in ("left", "right"))
    at = [np.array([index.get(key, -1) for key in some], np.int64) for index, some in zip(here, keys, strict=True)]
    return table.assign(**dict(zip(AT, at, strict=True)))


def _current(config: Config, nodes: Nodes, predicted: pd.DataFrame) -> BoolArray:
    """Tell which links have their name from their ends' keys, and these keys from no other node by now."""
    named = predicted["pair"].to_numpy() == np.array(pair_names(config, predicted["left"], predicted["right"]), object)
    at = predicted[AT].to_numpy(np.int64)
    ends = np.array(predicted["ends"].tolist(), np.int64).reshape(-1, 2)
    return np.asarray(named & ((at < 0) | (taken(nodes.ids, at, -1) == ends)).all(axis=1))


def _verdicts(table: pd.DataFrame, nodes: Nodes) -> Verdicts:
    judged = _placed(table[(table["status"] == "confirmed") | ~table["same"].astype(bool)], nodes)
    judged = judged[(judged[AT] >= 0).all(axis=1)]
    same = judged["same"].astype(bool)
    confirmed, rejected = (
        frozenset(some[AT].itertuples(index=False, name=None)) for some in (judged[same], judged[~same])
    )
    return _told_disputed(Verdicts(confirmed, rejected))


def _told_disputed(verdicts: Verdicts) -> Verdicts:
    """Warn of verdicts that contradict each other."""
    if disputed := verdicts.confirmed & verdicts.rejected:
        log.warning(
            "%d pairs are both confirmed and rejected: the procedure `conflicts` names them, and until one of the two "
            "is withdrawn no model learns from them", len(disputed),
        )  # fmt: skip
    return verdicts


def difference(config: Config, existing: Existing, links: pd.DataFrame, model: str) -> Changes:
    """Compare the links that should be, columns AT, left, right, confidence, score and others, with those that are.

    By places, since a name takes as long to make as a hundred comparisons.
    """
    both = links.merge(existing.predicted, on=AT, how="outer", suffixes=("", "_old"), indicator="where")
    moved = (both["confidence"] != both["confidence_old"]) | (both["score"] != both["score_old"])
    moved |= both["model"] != model
    create, update, retire = (
        both[both["where"] == "left_only"], both[(both["where"] == "both") & moved], both[both["where"] == "right_only"]
    )  # fmt: skip
    gone = [*pair_names(config, retire["left_old"], retire["right_old"]), *existing.stale]
    return Changes(
        create=_named(config, create[links.columns]),
        update=_named(config, update)[["pair", "confidence", "score"]],
        retire=pd.DataFrame({"pair": np.array(gone, dtype=object)}),
    )


def _named(config: Config, links: pd.DataFrame) -> pd.DataFrame:
    return links.assign(pair=np.array(pair_names(config, links["left"], links["right"]), dtype=object))


def write(
    run: Run,
    config: Config,
    changes: Changes,
    model: str | None,
    advance: Callable[[int], None] = lambda _: None,
) -> None:
    """Write the changes, each batch in a transaction of its own with the record of what it changed.

    A process killed in the middle leaves some batches undone; the next run finds the difference and writes the rest.

    Args:
        changes: those to create with `alone`, whether their ends have at most one link, and as `with_ids` gives them;
            columns run, model, created_at and updated_at, where given, come before what is true of this run.

    Raises:
        LeaseError: Another process has taken over.
    """
    keys: dict[str, Any] = {**_keys(config), "model": model}
    free = functools.partial(_free, run.database)
    # What goes, goes first: an entity never has two links in between.
    run.write("links/retire", changes.retire["pair"].tolist(), advance, **_keys(config))
    run.write("links/update", _rows(changes.update, ["pair", *_VALUES]), advance, **keys)
    rows = _rows(changes.create, ["pair", *_VALUES, "left", "right", "left_id", "right_id", "alone"])
    run.write("links/create", rows, advance, free, **keys, **_prefixes(config))


def _free(database: Database, rows: Sequence[list[Any]]) -> list[list[Any]]:
    """Return the rows whose name no link has; as a write, since a follower of a cluster may not know of it yet."""
    named = database.write(queries.load("links/taken").text, pairs=[pair for pair, *_ in rows])
    gone = {row["pair"] for row in named}
    return [row for row in rows if row[0] not in gone]


def _keys(config: Config) -> dict[str, Any]:
    return {"left_key": config.left.key, "right_key": config.right.key}


def _prefixes(config: Config) -> dict[str, str]:
    """Return how the names of this alignment's pairs begin, and how their second half does."""
    given = schema.constants(config)
    return {name: given[name] for name in ("left_prefix", "right_prefix")}


def _rows(table: pd.DataFrame, columns: list[str]) -> list[list[Any]]:
    """Return the columns, in their order, of each row: the server reads lists sooner than maps."""
    nothing = [None] * len(table)
    values = (table[name].tolist() if name in table else nothing for name in columns)
    return [list(row) for row in zip(*values, strict=True)]


def with_ids(database: Database, nodes: Nodes, links: pd.DataFrame) -> pd.DataFrame:
    """Add the elementIds of both ends, by which the server finds them without an index."""
    ids = {
        f"{name}_id": database.id_prefix + pd.Series(nodes.ids[nodes.index(side)[links[name]].to_numpy()]).astype(str)
        for name, side in (("left", LEFT), ("right", RIGHT))
    }
    return links.reset_index(drop=True).assign(**ids)
