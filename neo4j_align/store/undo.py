"""Undo a run: from its records to the changes that take it back, and what stands in the way."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from neo4j_align.config import Config
from neo4j_align.errors import DataError
from neo4j_align.store import database as gate
from neo4j_align.store import links, queries, runs, schema
from neo4j_align.store.database import Database

VALUES = ("confidence", "score", "run", "model", "created_at", "updated_at")


@dataclass(frozen=True)
class Change:
    """What a run did to a link, in one of its batches; `before` are the VALUES it had, None where it was not there."""

    kind: str
    pair: str
    left: str
    right: str
    before: dict[str, Any] | None
    confidence: float | None
    run: str


@dataclass(frozen=True)
class Obstacle:
    """Why a link cannot be set back as it is; `forceable` where only later runs stand in the way, and no person."""

    pair: str
    why: str
    forceable: bool


@dataclass(frozen=True)
class Undo:
    """What takes a run back: changes as `links.write` takes them, and what is left out of them."""

    changes: links.Changes
    obstacles: list[Obstacle]


@dataclass(frozen=True)
class _Net:
    """What a run did to a link in all, and what stands there now (a row of `links/find`)."""

    first: Change
    last: Change
    now: dict[str, Any]

    @property
    def before(self) -> dict[str, Any] | None:
        return self.first.before

    @property
    def left_behind(self) -> str | None:
        """The run that the link named when this run was done with it; None where it left no link."""
        return None if self.last.kind == "retired" else self.last.run


def changes(database: Database, run: str) -> Iterator[Change]:
    """Yield all that a run changed, in the order of writing."""
    for row in database.read(queries.load("runs/changes").text, run=run):
        batch = row["change"]
        for at, pair in enumerate(batch["pairs"]):
            yield Change(
                kind=batch["kind"],
                pair=pair,
                left=batch["left"][at],
                right=batch["right"][at],
                before=None if batch["kind"] == "created" else {name: batch[f"was_{name}"][at] for name in VALUES},
                confidence=batch["confidence"][at] if "confidence" in batch else None,
                run=batch["runs"][at] if "runs" in batch else run,
            )


def plan(database: Database, config: Config, run: dict[str, Any], force: bool = False) -> Undo:
    """Compare what a run left behind with what is there now.

    Args:
        run: as `runs.show` gives it.
        force: set back, too, what later runs changed.

    Raises:
        DataError: The run's changes were forgotten, or there are none.
    """
    if run.get("alignment") != schema.alignment(config):
        raise DataError(
            f"Run {run['id']} is of the alignment {run.get('alignment')}. Give its configuration (--config)."
        )
    if not any(run.get(what) for what in ("created", "updated", "retired")):
        raise DataError(f"Run {run['id']} changed no links. `neo4j-align runs list` says which did: give its id.")
    if run.get("pruned"):
        raise DataError(
            f"The changes of run {run['id']} were forgotten: they are kept for {config.history.days} days and for "
            f"the last {config.history.runs} runs at least ([history] in the configuration)."
        )
    later = {
        pair: row["run"]
        for row in database.read(queries.load("runs/pairs_since").text, run=run["id"])
        for pair in row["pairs"]
    }
    nets = _nets(database, config, run)
    changed = {net.first.pair: _changed_since(net, later) for net in nets}
    going = {
        net.first.pair
        for net in nets
        if net.before is None and ((why := changed[net.first.pair]) is None or (force and why.forceable))
    }
    kept, obstacles = [], []
    for net in nets:
        found = [changed[net.first.pair], _hindered(net, going)]
        obstacles += [obstacle for obstacle in found if obstacle]
        if all(obstacle is None or (force and obstacle.forceable) for obstacle in found):
            kept.append(net)
    return Undo(_back(kept), obstacles)


def _nets(database: Database, config: Config, run: dict[str, Any]) -> list[_Net]:
    """Put together what a run did to each pair: it may retire the link of a node that gave its key to another, and
    create that of the new owner.
    """  # noqa: D205
    first: dict[str, Change] = {}
    last: dict[str, Change] = {}
    for change in changes(database, run["id"]):
        first.setdefault(change.pair, change)
        last[change.pair] = change
    rows = [{"pair": change.pair, "left": change.left, "right": change.right} for change in first.values()]
    query, given = queries.load("links/find"), schema.constants(config)
    text = query.render(**schema.identifiers(config))
    mapping = {name: given[name] for name in query.parameters - {"rows", "many"}}
    return [
        _Net(first[now["pair"]], last[now["pair"]], now)
        for start in range(0, len(rows), gate.BATCH)
        for now in database.read(text, rows=rows[start : start + gate.BATCH], many=run.get("many") or [], **mapping)
    ]


def _changed_since(net: _Net, later: dict[str, str]) -> Obstacle | None:
    """Say whether the link is no longer as the run left it."""
    now, pair = net.now, net.first.pair
    by = f"run {later[pair]}" if pair in later else "nobody who left a record"
    if now["status"] == "confirmed":
        return Obstacle(pair, f"confirmed by {now['confirmed_by'] or 'somebody'} since", False)
    if now["status"] is None and (net.left_behind is None or net.before is None):
        return None  # as the run left it, or gone as it would be
    if now["status"] is None:
        return Obstacle(pair, f"retired by {by} since", True)
    if net.left_behind is None:
        return Obstacle(pair, f"linked again by {by} since", True)
    return None if now["run"] == net.left_behind else Obstacle(pair, f"updated by {by} since", True)


def _hindered(net: _Net, going: Collection[str]) -> Obstacle | None:
    """Say what keeps a link that is not there from being there again."""
    now, pair = net.now, net.first.pair
    if net.before is None or now["status"] is not None:
        return None
    if now["left_id"] is None or now["right_id"] is None:
        return Obstacle(pair, "an end is gone, or has another key by now", False)
    if now["rejected_by"] is not None:
        return Obstacle(pair, f"rejected by {now['rejected_by']} since", False)
    others = [] if now["many"] else [other for other in now["others"] if other not in going]
    return Obstacle(pair, f"an end is linked otherwise by now: {', '.join(others)}", False) if others else None


def _back(nets: list[_Net]) -> links.Changes:
    """Return what sets these links back."""
    create, update, retire = [], [], []
    for net in nets:
        row = {"pair": net.first.pair, **(net.before or {})}
        moved = net.now["status"] is not None and net.first.kind == "retired"
        if net.now["status"] is not None and (net.before is None or moved):
            retire.append(row)
        if net.before is not None and (net.now["status"] is None or moved):
            ends = {name: net.now[name] for name in ("left", "right", "left_id", "right_id")}
            create.append({**row, **ends, "alone": not net.now["many"]})
        elif net.before is not None:
            update.append(row)
    return links.Changes(
        *(pd.DataFrame(rows, dtype=object) if rows else links.NO_ROWS for rows in (create, update, retire))
    )


def undo(database: Database, config: Config, name: str, force: bool = False) -> tuple[str, Undo]:
    """Set the links back to what they were before a run, in a run of its own, which can be undone in turn.

    Raises:
        DataError: There is no such run, its changes were forgotten, or something stands in the way: without `force`
            nothing is written then.
        LeaseError: Another run is writing.
    """
    undone = runs.show(database, name, config)
    with runs.running(database, "undo", config, undoes=undone["id"], many=undone.get("many")) as run:
        found = plan(database, config, undone, force)
        if found.obstacles and not force:
            raise DataError(
                f"{len(found.obstacles)} links are not as run {undone['id']} left them; nothing was undone."
            )
        links.write(run, config, found.changes, None)
        return run.id, found
