"""What changed since the last run: by a scan, a last-modified property, APOC's triggers, or Neo4j's log of changes."""

from __future__ import annotations

import contextlib
import datetime
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from neo4j_align.config import Config
from neo4j_align.errors import ConfigError, DatabaseError
from neo4j_align.records import LEFT, RIGHT
from neo4j_align.store import queries, schema
from neo4j_align.store.database import Database, Execute
from neo4j_align.store.lease import renew
from neo4j_align.store.runs import Run

LISTED = 10_000  # nodes of a transaction that a trigger writes down; of more it tells the number alone
TRIGGER = "align_changes"  # its name begins so; the alignment follows


@dataclass(frozen=True)
class Seen:
    """What a feed has seen since the last run.

    Attributes:
        entities: how many entities changed; None where only the graph itself tells.
        ids: Neo4j's numbers of all nodes that were touched, where the feed tells; grown: by how much the number of
            nodes of each label grew, where nodes that are gone were not noted.
        cursor: properties to keep for the next time.
        events: ids of the trigger's notes to delete once the run has written its last link.
    """

    entities: int | None
    cursor: dict[str, Any] = field(default_factory=dict)
    events: tuple[str, ...] = ()
    ids: frozenset[int] | None = None
    grown: dict[str, int] = field(default_factory=dict)


def state_name(config: Config) -> str:
    """Return the name of the AlignState in which a run leaves what the next sync compares with."""
    return f"{schema.alignment(config)}/sync"


def remembered(database: Database, config: Config) -> dict[str, Any]:
    """Return what the last run left for the next sync; nothing where there was none."""
    rows = database.read(queries.load("changes/remembered").text, name=state_name(config))
    return rows[0]["state"] if rows else {}


def standing(database: Database, config: Config) -> dict[str, Any]:
    """Return what tells whether links and verdicts are as the last run left them, without reading them."""
    given = schema.constants(config)
    query = queries.load("changes/standing")
    row: dict[str, Any] = database.read(query.text, None, **{name: given[name] for name in query.parameters})[0]
    return {name: value for name, value in row.items() if value is not None}


def state(
    config: Config, model: str, precision: float | None, standing: dict[str, Any], seen: Seen, run: Run
) -> dict[str, Any]:
    """Return what a run leaves for the next sync, if nobody but it changed anything since `standing`."""
    counts = run.counts()
    return {
        "name": state_name(config),
        "feed": config.sync.feed,
        "config_hash": config.digest(),
        "model": model,
        "precision": precision,
        **seen.cursor,
        **standing,
        "links": standing["links"] + counts["created"] - counts["retired"],
        **({"run": run.id} if any(counts.values()) else {}),
    }


def go_on(database: Database, token: str, before: dict[str, Any], seen: Seen) -> None:
    """Keep the cursor of a sync that found nothing to do, so that the next one need not look back as far."""
    if before and not seen.cursor.items() <= before.items():
        rows = [{**before, **seen.cursor}]

        def work(execute: Execute) -> None:
            if renew(execute, "writer", token):  # else that of whoever followed is newer
                execute(queries.load("changes/remember").text, rows=rows)

        database.transact(work)


def look(database: Database, config: Config, before: dict[str, Any]) -> Seen:
    """Ask the feed of the configuration; to be called before the graph is read, so that nothing is passed over.

    Args:
        before: what `remembered` returned.

    Raises:
        ConfigError, DatabaseError: This database lacks what the feed needs.
    """
    if before.get("feed") != config.sync.feed:
        if before.get("feed") == "trigger":
            remove_triggers(database, config)
        before = {}
    return _FEEDS[config.sync.feed](database, config, before)


def _scan(database: Database, config: Config, before: dict[str, Any]) -> Seen:
    return Seen(None)


def _property(database: Database, config: Config, before: dict[str, Any]) -> Seen:
    """Compare the entities of the time that changes may still arrive for, and how many there are, with last time.

    Each type of each side has its own latest value: one may be stamped live and another with the times of its source.
    """
    name, labels = config.sync.property or "", _labels(config)
    counts = [database.read(queries.load("changes/count_label").render(label=schema.quote(label)))[0]["nodes"]
              for label in labels]  # fmt: skip
    latest: dict[str, Any] = {
        f"latest_{at}": row["latest"]
        for at, (scope, _) in enumerate(_scopes(config))
        for row in _latest(database, scope, name)
    }
    if not latest:
        raise ConfigError(f"No entity has the property {name} that [sync] names. Correct it, or choose another feed.")
    window = _window(database, config, latest)
    cursor = {"property": name, "labels": labels, "counts": counts, **latest, "window": sorted(window)}
    scanned = before.get("scanned_at")
    hours = datetime.timedelta(hours=config.sync.scan_hours)
    same = all(before.get(field) == cursor[field] for field in ("property", "labels"))
    if not same or scanned is None or _now() - datetime.datetime.fromisoformat(scanned) > hours:
        return Seen(None, {**cursor, "scanned_at": _now().isoformat()})
    known = {field: value for field, value in before.items() if field.startswith("latest_")}
    now = window if known == latest else _window(database, config, known)
    then = set(before["window"])
    changed, gone = ({number >> 32 for number in numbers} for numbers in (now.keys() - then, then - now.keys()))
    grown = {label: now - then for label, now, then in zip(labels, counts, before["counts"], strict=True)}
    first = len(latest.keys() - known.keys())  # types that had no value at all until now
    ids = frozenset(id_ for number, id_ in now.items() if number not in then)
    count = len(changed | gone) + sum(map(abs, grown.values())) + first
    told = gone <= changed and not first  # else something went away
    return Seen(count, {**cursor, "scanned_at": scanned}, ids=ids if told else None, grown=grown)


def _latest(database: Database, scope: schema.Scope, name: str) -> list[dict[str, Any]]:
    """Return the latest value of a scope, of those to come where all are: its clock may be ahead of the server's."""
    text = _filled("latest", scope, name)
    return next((rows for more in (False, True) if (rows := database.read(text, to_come=more, **scope.parameters))), [])


def _window(database: Database, config: Config, latest: dict[str, Any]) -> dict[int, int]:
    """Return a number for each entity that changed since a while before the latest, and Neo4j's own number of it.

    31 bits tell the entity, 32 the time.
    """
    return {
        (_number(f"{side}:{key}") >> 1 << 32) + _number(time): id_
        for at, (scope, side) in enumerate(_scopes(config))
        if f"latest_{at}" in latest
        for row in database.read(
            _filled("since", scope, config.sync.property or "", key=schema.side_of(config, side).key),
            bound=_earlier(database, latest[f"latest_{at}"], config.sync.overlap), **scope.parameters,
        )
        for key, time, id_ in zip(row["keys"], row["times"], row["ids"], strict=True)
    }  # fmt: skip


def _number(text: str) -> int:
    return zlib.crc32(text.encode())


def _earlier(database: Database, latest: Any, overlap: int) -> Any:
    if isinstance(latest, int | float):
        return latest - overlap
    return database.read(queries.load("changes/before").text, latest=latest, overlap=overlap)[0]["bound"]


def _filled(query: str, scope: schema.Scope, name: str, key: str | None = None) -> str:
    more = {} if key is None else {"key": schema.quote(key)}
    return queries.load(f"changes/{query}").render(entity=scope.labels, property=schema.quote(name), **more)


def _scopes(config: Config) -> Iterable[tuple[schema.Scope, int]]:
    return [
        (scope, side)
        for side in (LEFT, RIGHT)
        for kind in config.types
        if (scope := schema.scope(config, side, kind)) is not None
    ]


def _labels(config: Config) -> list[str]:
    """Return the labels that make a node an entity: of types, and of sides."""
    labels = [label for kind in config.types for label in (kind.left, kind.right)]
    return sorted({label for label in (*labels, config.left.label, config.right.label) if label is not None})


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def has_trigger(database: Database) -> bool:
    """Tell whether APOC runs a trigger of ours in this database; where it runs none at all, it does not."""
    shown = "SHOW PROCEDURES YIELD name WHERE name = 'apoc.trigger.show' RETURN name"
    with contextlib.suppress(DatabaseError):  # triggers are switched off, or the system database is not for this user
        return bool(database.read(shown) and _triggers(database))
    return False


def remove_triggers(database: Database, config: Config | None = None) -> None:
    """Let APOC note changes no longer, of one alignment or of all, and forget what it noted.

    It goes on until it looks again (`apoc.trigger.refresh`).
    """
    mine = None if config is None else schema.alignment(config)
    for name in _triggers(database, mine):
        database.system().write("CALL apoc.trigger.drop($home, $name)", home=database.home, name=name)
    database.write(queries.load("changes/forget_all_events").text, alignment=mine)


def _triggers(database: Database, alignment: str | None = None) -> list[str]:
    shown = database.system().read("CALL apoc.trigger.show($home) YIELD name RETURN name", home=database.home)
    beginning = TRIGGER if alignment is None else f"{TRIGGER} {alignment} "
    return [row["name"] for row in shown if row["name"].startswith(beginning)]


def _trigger(database: Database, config: Config, before: dict[str, Any]) -> Seen:
    """Read what the trigger wrote down; one not yet in force when the graph was last read has seen too little."""
    mine, wanted = schema.alignment(config), {"labels": _labels(config), "relations": sorted(_relations(config))}
    statement = queries.load("changes/trigger").text
    name = f"{TRIGGER} {mine} {_number(repr(wanted) + statement):08x}"
    try:
        others = [one for one in _triggers(database, mine) if one != name]
        for other in others:
            database.system().write("CALL apoc.trigger.drop($home, $name)", home=database.home, name=other)
        if name not in _triggers(database, mine):
            database.system().write(
                "CALL apoc.trigger.install($home, $name, $statement, {phase: 'before'}, {params: $params})",
                home=database.home, name=name, statement=statement,
                params={"alignment": mine, "most": LISTED, **wanted},
            )  # fmt: skip
        active = bool(database.read("CALL apoc.trigger.list() YIELD name WHERE name = $name RETURN name", name=name))
    except DatabaseError as error:
        raise DatabaseError(
            'feed = "trigger" takes APOC with `apoc.trigger.enabled=true`, and a user who may use the system database. '
            f"Set that up, or choose another feed. ({error})"
        ) from error
    rows = database.read(queries.load("changes/events").text, alignment=mine)
    since = {"trigger": name} if active else {}
    events = tuple(row["id"] for row in rows)
    if before.get("trigger") != name:
        return Seen(None, since, events)
    told = all(row["ids"] is not None for row in rows)
    ids = frozenset(id_ for row in rows for id_ in row["ids"]) if told else None
    return Seen(len(ids) if ids is not None else sum(row["entities"] for row in rows), since, events, ids)


def _relations(config: Config) -> set[str]:
    return {name for relation in config.relations for name in (relation.left, relation.right) if name is not None}


def _cdc(database: Database, config: Config, before: dict[str, Any]) -> Seen:
    """Read Neo4j's log of changes since the cursor; where it no longer reaches back so far, the graph tells."""
    try:
        now = database.read("CALL db.cdc.current() YIELD id RETURN id")[0]["id"]
    except DatabaseError as error:
        raise DatabaseError(
            'feed = "cdc" takes Neo4j Enterprise or Aura with change data capture switched on '
            f"(`ALTER DATABASE … SET OPTION txLogEnrichment 'DIFF'`). Choose another feed. ({error})"
        ) from error
    if before.get("cursor") is None:
        return Seen(None, {"cursor": now})
    try:
        rows = database.read("CALL db.cdc.query($cursor, []) YIELD event RETURN event", cursor=before["cursor"])
    except DatabaseError:  # a cursor that is too old
        return Seen(None, {"cursor": now})
    return Seen(touched((row["event"] for row in rows), set(_labels(config)), _relations(config)), {"cursor": now})


def touched(events: Iterable[dict[str, Any]], labels: set[str], relations: set[str]) -> int:
    """Count the nodes with a mapped label, and the relationships of a mapped type, in events of `db.cdc.query`.

    An event is documented as `{elementId, eventType: "n" | "r", operation, labels, type, state: {before, after}}`; the
    labels of a node are those before and after.
    """
    found = set()
    for event in events:
        states = [state for state in (event.get("state") or {}).values() if state]
        named = {*(event.get("labels") or []), *(label for state in states for label in state.get("labels") or [])}
        if (event.get("eventType") == "n" and named & labels) or (
            event.get("eventType") == "r" and event.get("type") in relations
        ):
            found.add(event["elementId"])
    return len(found)


_FEEDS: dict[str, Callable[[Database, Config, dict[str, Any]], Seen]] = {
    "scan": _scan,
    "property": _property,
    "trigger": _trigger,
    "cdc": _cdc,
}
