"""How fast the procedures answer on 100,000 nodes with 50,000 links: by key, and those that look at all links.

`python -m tests.benchmarks.lookup` prints a table for sides that are labels with keys that are text, and one for sides
that are a property's values with keys that are whole numbers. It fails where a plan by key reads all of something.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neo4j_align.config import Config
from neo4j_align.store import checks, links, procedures, schema
from neo4j_align.store.database import BATCH, Database
from neo4j_align.store.embedded import EmbeddedServer
from tests.benchmarks.common import table
from tests.integration import plans
from tests.unit.builders import config

LINKS = 50_000
CALLS = 200  # random keys
WARM = 500  # calls before those that are timed: the server compiles what it runs often
REPEATS = 5  # of what looks at all links
GOAL = 5.0  # milliseconds, median of a look-up by key
BY_KEY = ("same_as", "entity", "cluster", "confirm")
WHOLE: dict[str, dict[str, Any]] = {
    "unmatched": {"side": "left", "type": "T0"},
    "conflicts": {},
    "stats": {},
    "review_queue": {},
}
GRAPHS: dict[str, tuple[Config, Callable[[int], Any], Callable[[int], Any]]] = {
    "labels, text": (config(types=2), "l{}".format, "r{}".format),
    "property, whole numbers": (
        config(
            types=2,
            left={"property": "source", "value": "one", "key": "id"},
            right={"property": "source", "value": "other", "key": "id"},
        ),
        int,
        int,
    ),
}
PAIRS = """
UNWIND $rows AS row
CREATE (l:`{left}`:`{type}`), (r:`{right}`:`{type}`), (l)-[s:SAME_AS]->(r)
SET l = row.left, r = row.right, s = row.link
RETURN elementId(l) AS left, elementId(r) AS right
"""
EDGES = "UNWIND $rows AS row MATCH (a), (b) WHERE elementId(a) = row[0] AND elementId(b) = row[1] CREATE (a)-[:R0]->(b)"


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        server = EmbeddedServer(Path(home))
        try:
            with Database.open(server.start()) as database:
                for name, (mapping, left, right) in GRAPHS.items():
                    load(database, mapping, left, right)
                    print(f"\nSides and keys: {name}\n\n{measure(database, mapping, left, right)}")
        finally:
            server.stop()


def load(database: Database, mapping: Config, left: Callable[[int], Any], right: Callable[[int], Any]) -> None:
    """Empty the database and fill it: entities in a chain on either side, each linked to its counterpart."""
    while database.write("MATCH (n) WITH n LIMIT 20000 DETACH DELETE n RETURN count(*) AS gone")[0]["gone"]:
        pass
    for constraint in database.read("SHOW CONSTRAINTS YIELD name"):
        database.write(f"DROP CONSTRAINT `{constraint['name']}`")
    checks.create_indexes(database, mapping)
    confidences, before = np.random.default_rng(13).random(LINKS).round(6).tolist(), None
    for start in range(0, LINKS, BATCH):
        kind = f"T{start // BATCH % 2}"
        rows = [row(mapping, left(i), right(i), i, confidences[i]) for i in range(start, start + BATCH)]
        made = database.write(filled(mapping, kind), rows=rows)
        chain = [before, *made] if before else made
        ends = [[one[side], other[side]] for one, other in itertools.pairwise(chain) for side in one]
        database.write(EDGES, rows=ends)
        before = made[-1]
    database.write("CALL db.awaitIndexes(300)")
    database.write("CALL db.resampleOutdatedIndexes()")


def filled(mapping: Config, kind: str) -> str:
    """Return PAIRS with the labels of the sides; a side that is a property has its type's label alone."""
    labels = {"left": mapping.left.label or kind, "right": mapping.right.label or kind, "type": kind}
    text = PAIRS
    for name, label in labels.items():
        text = text.replace(f"`{{{name}}}`", schema.quote(label))
    return text


def row(mapping: Config, left: Any, right: Any, number: int, confidence: float) -> dict[str, Any]:
    sides = {}
    for name, side, key, attribute in (("left", mapping.left, left, "name"), ("right", mapping.right, right, "title")):
        own = {side.property: side.value} if side.property else {}
        sides[name] = {side.key: key, attribute: f"name {number}", "year": 1950 + number % 70, **own}
    link = {
        "pair": links.pair_name(mapping, left, right),
        "confidence": confidence,
        "score": 0.0,
        "status": "predicted",
        "run": "r",
        "model": "m",
    }
    return {**sides, "link": link}


def measure(database: Database, mapping: Config, left: Callable[[int], Any], right: Callable[[int], Any]) -> str:
    """Time all procedures, look at the plans of those by key, and lay it out."""
    draw, rows = np.random.default_rng(17), [baseline(database)]
    procedures.install(database, mapping)
    for name in BY_KEY:
        keys = draw.integers(LINKS, size=CALLS).tolist()
        calls = [{"key": left(i)} if name != "confirm" else {"left": left(i), "right": right(i)} for i in keys]
        found = plans.plan(database, mapping, name, calls[0], "PROFILE")
        assert not plans.scans(found), f"{name} reads all: {plans.scans(found)}"
        hits = sum(step.get("dbHits", 0) for step in plans.steps(found))
        times = [timed(database, mapping, name, calls), timed(database, mapping, name, calls, installed=True)]
        rows.append([f"`{name}`", *map(shown, times), f"{hits:,}", verdict(name, times)])
    for name, arguments in WHOLE.items():
        calls = [arguments] * REPEATS
        times = [timed(database, mapping, name, calls), timed(database, mapping, name, calls, installed=True)]
        rows.append([f"`{name}`", *map(shown, times), "–", "–"])
    header = ["procedure", "statement: median, p95 ms", "installed: median, p95 ms", "database hits", "goal"]
    return table(header, rows)


def timed(
    database: Database, mapping: Config, name: str, calls: list[dict[str, Any]], installed: bool = False
) -> list[float]:
    """Return the milliseconds of each call through the driver, after others that warm the server up."""
    procedure = procedures.Procedure.load(name)
    text = f"CALL custom.align.{name}({', '.join(f'${argument}' for argument in procedure.arguments)}) YIELD *"
    run = database.read if procedure.mode == "READ" else database.write
    times = []
    warm = [calls[i % len(calls)] for i in range(WARM if len(calls) == CALLS else 2)]
    for arguments in warm + calls:
        begin = time.perf_counter()
        if installed:
            run(text, **procedure.arguments | arguments)
        else:
            procedures.call(database, mapping, name, **arguments)
        times.append(1000 * (time.perf_counter() - begin))
    return times[len(warm) :]


def baseline(database: Database) -> list[str]:
    """Return what the way to the server and back takes."""
    times = []
    for _ in range(WARM + CALLS):
        begin = time.perf_counter()
        database.read("RETURN 1")
        times.append(1000 * (time.perf_counter() - begin))
    return ["`RETURN 1`", shown(times[WARM:]), "–", "–", "–"]


def shown(times: list[float]) -> str:
    return f"{np.median(times):,.1f}, {np.quantile(times, 0.95):,.1f}"


def verdict(name: str, times: list[list[float]]) -> str:
    if name == "confirm":
        return "–"
    return f"{GOAL:.0f}, {'reached' if max(map(np.median, times)) < GOAL else 'missed'}"


if __name__ == "__main__":
    main()
