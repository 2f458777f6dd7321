"""Pulling: the sampled neighbourhoods of a whole graph, with attributes, against streaming all of it out once."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from neo4j_align.config import Config
from neo4j_align.records import LEFT, Neighbourhood, Nodes
from neo4j_align.store import entities, queries, sampling, schema
from neo4j_align.store.database import Database
from tests.benchmarks.speed import graphs
from tests.benchmarks.speed.timing import side_by_side

SPARSE = graphs.Size(films=10_000, people=15_000, edges=75_000)  # average degree 6
DENSE = graphs.Size(films=10_000, people=15_000, edges=325_000)  # average degree 26
HUB = 1_000_000
NESTED = 200  # nodes of the nested query, the rest by proportion
WITHOUT_RUST = """
import sys
sys.modules["neo4j._rust"] = None
from tests.benchmarks.speed import pull
from neo4j_align.config import Connection
from neo4j_align.store.database import Database
assert not any(name.startswith("neo4j._rust.") for name in sys.modules)
with Database.open(Connection.from_environment()) as database:
    pull.repeat(database, {rounds})
"""

NODE_ROWS = "MATCH (n:`{label}`) RETURN toInteger(split(elementId(n), ':')[2]), n.uid, [p IN $properties | n[p]]"
EDGE_ROWS = """
MATCH (n:`{label}`)-[r]->(m)
RETURN toInteger(split(elementId(n), ':')[2]), type(r), toInteger(split(elementId(m), ':')[2])
"""
EDGE_LISTS = """
UNWIND $ids AS id MATCH (n) WHERE elementId(n) = $database + toString(id)
MATCH (n)-[r]->(m) WITH id, m, $codes[type(r)] AS relation WHERE relation IS NOT NULL
RETURN collect(id), collect(relation), collect(toInteger(split(elementId(m), ':')[2]))
"""
ROW_A_NODE = """
UNWIND $ids AS id MATCH (n) WHERE elementId(n) = $database + toString(id)
MATCH (n)-[r]-(m)
WITH id, m, $codes[type(r)] * CASE WHEN startNode(r) = n THEN 1 ELSE -1 END AS relation WHERE relation IS NOT NULL
RETURN id, collect(relation), collect(toInteger(split(elementId(m), ':')[2]))
"""
NESTED_QUERY = """
UNWIND $ids AS id MATCH (n) WHERE elementId(n) = $database + toString(id)
RETURN id, [(n)-[r]-(m) WHERE $codes[type(r)] IS NOT NULL | [
  $codes[type(r)], toInteger(split(elementId(m), ':')[2]),
  [(m)-[s]-(o) WHERE $codes[type(s)] IS NOT NULL | [$codes[type(s)], toInteger(split(elementId(o), ':')[2])]]]]
"""
PROPERTIES = ["name", "note", "year"]


def run(database: Database, rounds: int) -> dict[str, Any]:
    """Measure a sparse and a dense graph, and a hub."""
    found: dict[str, Any] = {}
    for name, size in (("sparse", SPARSE), ("dense", DENSE)):
        graphs.load(database, size)
        mapping = graphs.config()
        print(f"\n{name}: {size.nodes:,} nodes, {size.relationships:,} relationships, {rounds} rounds\n")
        ways = {"rows": lambda: stream(database), **_ours(database, mapping), **_others(database, mapping)}
        timed = side_by_side(ways, rounds)
        timed.seconds["ours, without neo4j-rust-ext"] = _without_rust(rounds)
        whole, edges = (size.nodes + size.relationships, "nodes and edges"), (size.relationships, "edges")
        print(timed.lines({way: edges if way.startswith("neighbours") else whole for way in timed.seconds}))
        nested = _nested(database, mapping, size.nodes)
        print(f"one nested two-hop query a batch, from {NESTED} nodes: {nested:,.0f} s for all")
        found[name] = {**timed.document(), "nested": {"seconds": nested, "ratio": nested / timed.median("rows")}}
    return {**found, "hub": _hub(database, rounds)}


def stream(database: Database) -> int:
    """Read every node with its values and every edge once, in rows, as the driver gives them."""
    found = 0
    for label in ("Left", "Right"):
        for text in (NODE_ROWS, EDGE_ROWS):
            rows = database.read(text.replace("{label}", label), consume=list, properties=PROPERTIES)
            found += len(rows)
    return found


def _ours(database: Database, mapping: Config) -> dict[str, Callable[[], object]]:
    means = sampling.averages(database, mapping)
    return {"ours": lambda: sample(database, mapping, means)}


def sample(database: Database, mapping: Config, means: Any) -> Neighbourhood:
    """Pull all entities and draw their neighbours, whose own are drawn too: two hops, each node expanded once."""
    return sampling.sample(database, mapping, entities.pull(database, mapping), means)


def repeat(database: Database, rounds: int) -> None:
    """Print the seconds of as many rounds of ours, after one to warm up; for a process of its own."""
    mapping = graphs.config()
    means = sampling.averages(database, mapping)
    for number in range(rounds + 1):
        begin = time.perf_counter()
        sample(database, mapping, means)
        if number:
            print(time.perf_counter() - begin)


def _without_rust(rounds: int) -> list[float]:
    command = [sys.executable, "-c", WITHOUT_RUST.replace("{rounds}", str(rounds))]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [float(line) for line in printed.split()]


def _others(database: Database, mapping: Config) -> dict[str, Callable[[], object]]:
    """Other ways to expand: neighbours alone, without attributes and without a draw."""
    nodes = entities.pull(database, mapping)
    ways: dict[str, Callable[[], object]] = {
        "neighbours: a row a node": lambda: _expand(database, mapping, nodes, ROW_A_NODE, 1),
        "neighbours: bulk, each edge once": lambda: _expand(database, mapping, nodes, EDGE_LISTS, 1),
    }
    text = queries.load("sampling/neighbours").text
    for sessions in (1, 2, 3, 4):
        name = f"neighbours: lists, {sessions} session{'s' * (sessions > 1)}"
        ways[name] = partial(_expand, database, mapping, nodes, text, sessions)
    return ways


def _expand(database: Database, mapping: Config, nodes: Nodes, text: str, sessions: int) -> int:
    codes = schema.relation_codes(mapping, LEFT)
    given = {"database": database.id_prefix, "codes": codes}
    batches = [
        part.tolist()
        for part in np.split(nodes.ids, range(sampling.EXPANDED_AT_ONCE, len(nodes), sampling.EXPANDED_AT_ONCE))
    ]

    def read(ids: list[int]) -> int:
        return len(database.read(text, consume=lambda result: [row.values() for row in result], ids=ids, **given))

    with ThreadPoolExecutor(sessions) as pool:
        return sum(pool.map(read, batches))


def _nested(database: Database, mapping: Config, count: int) -> float:
    """Seconds that one query over both hops would take for all nodes, from those of some."""
    nodes = entities.pull(database, mapping)
    ids = np.random.default_rng(13).choice(nodes.ids, NESTED, replace=False)
    given = {"database": database.id_prefix, "codes": schema.relation_codes(mapping, LEFT)}
    begin = time.perf_counter()
    for part in np.split(ids, 10):
        database.read(NESTED_QUERY, consume=lambda result: [row.values() for row in result], ids=part.tolist(), **given)
    return (time.perf_counter() - begin) * count / NESTED


def _hub(database: Database, rounds: int) -> dict[str, Any]:
    """Draw the neighbours of one node with a million, against reading its relationships once, in rows."""
    graphs.load(database, graphs.Size(films=10, people=10, edges=20))
    for start in range(0, HUB, graphs.LOADED_AT_ONCE):
        database.write(
            "MATCH (h:Left:Person {uid: 'LeftPerson0'}) UNWIND range($start, $start + $count - 1) AS i "
            "CREATE (h)-[:ACTED_IN]->(:Left:Film {uid: 'hub' + i, name: 'film ' + i, year: 2000})",
            start=start, count=graphs.LOADED_AT_ONCE,
        )  # fmt: skip
    mapping = graphs.config()
    nodes = entities.pull(database, mapping)
    luck, means = sampling.uniform(nodes, 13), sampling.averages(database, mapping)
    hub = np.flatnonzero(nodes.keys == "LeftPerson0")
    expansion = sampling.Expansion(database, mapping, nodes, LEFT)
    drawn = Neighbourhood(
        np.full((len(nodes), 10), -1, np.int32), np.zeros((len(nodes), 10), np.int16), np.zeros(len(nodes), np.int32)
    )
    text = EDGE_ROWS.replace("(n:`{label}`)", "(n:Left {uid: 'LeftPerson0'})")
    ways = {
        "rows": lambda: database.read(text, consume=list),
        "ours": lambda: sampling.draw(expansion.edges(hub), nodes.type, luck, means, drawn),
    }
    timed = side_by_side(ways, rounds)
    assert drawn.degree[hub[0]] >= HUB
    print(f"\na hub with {HUB:,} neighbours\n\n{timed.lines(dict.fromkeys(ways, (HUB, 'relationships')))}")
    return timed.document()
