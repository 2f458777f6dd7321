"""Crash safety: a writer is killed, its connection cut, its server taken away; what it left is whole, and is finished.

ALIGN_CRASHES is the least number of kills, 60 by default.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from neo4j_align.config import Connection
from neo4j_align.records import Nodes
from neo4j_align.store import entities, runs
from neo4j_align.store import process as java
from neo4j_align.store.database import Database
from neo4j_align.store.embedded import EmbeddedServer
from tests.conftest import PATIENCE, stopped_with_us
from tests.integration import plain
from tests.integration.crash_writer import DONE, Goal, Writer
from tests.integration.wire import Wire

CRASHES = int(os.environ.get("ALIGN_CRASHES", "60"))
ENTITIES = 600  # of either side: some 130 batches a write
KILLS = 12  # a write
CUTS = 6
UNCOMPARED = ("link", "pair", "created_at", "updated_at")
WAS = ("confidence", "score", "run", "model")
State = dict[str, dict[str, Any]]  # pair → what its link holds


def goals(rng: random.Random) -> tuple[Goal, Goal]:
    """Draw two states of links; from one to the other many go, change, move to another entity, and come."""
    linked = range(ENTITIES * 2 // 3)
    first = {(f"l{i}", f"r{i}"): rng.random() for i in linked}
    fates = [rng.choice(("kept", "changed", "gone", "moved")) for _ in linked]
    moved = [i for i in linked if fates[i] == "moved"]
    second = {(f"l{i}", f"r{i}"): first[f"l{i}", f"r{i}"] for i in linked if fates[i] == "kept"}
    second |= {(f"l{i}", f"r{i}"): rng.random() for i in linked if fates[i] == "changed"}
    second |= {(f"l{i}", f"r{j}"): rng.random() for i, j in itertools.pairwise(moved)}
    second |= {(f"l{i}", f"r{i}"): rng.random() for i in range(len(linked), ENTITIES)}
    return Goal(first, "m"), Goal(second, rng.choice(("m", "n")))


def prepare(database: Database, nodes: Nodes, rng: random.Random) -> tuple[Goal, State]:
    """Bring the database to the first of two states; return the second, and what an undisturbed run makes of it."""
    first, second = goals(rng)
    forget(database)
    plain.write(database, nodes, first.wanted, first.model)
    plain.write(database, nodes, second.wanted, second.model)
    undisturbed = links(database)
    forget(database)
    plain.write(database, nodes, first.wanted, first.model)
    return second, undisturbed


def forget(database: Database) -> None:
    database.write("MATCH ()-[same:SAME_AS]->() DELETE same")
    database.write("MATCH (n:AlignRun|AlignChange) DETACH DELETE n")


def links(database: Database) -> State:
    """Return the links with all that they hold but the times."""
    rows = plain.snapshot(database)
    found = {
        row["link"]["pair"]: {key: value for key, value in (row | row["link"]).items() if key not in UNCOMPARED}
        for row in rows
    }
    assert len(found) == len(rows), "links are doubled"
    return found


def without_run(state: State) -> State:
    return {pair: {key: value for key, value in link.items() if key != "run"} for pair, link in state.items()}


def audit(database: Database) -> list[dict[str, Any]]:
    """See that the changes on record give the links that are there and the runs' counts; return the runs in order."""
    # The last words of a process that was killed may still be under way: they hold the lease's lock.
    database.write("MATCH (lease:AlignLease) SET lease.locked_at = datetime.realtime()")
    found = [row["run"] for row in database.read("MATCH (run:AlignRun) RETURN run {.*} AS run ORDER BY run.started_at")]
    state: State = {}
    for run in found:
        changes = database.read(
            "MATCH (c:AlignChange)-[:IN_RUN]->(:AlignRun {id: $run}) RETURN c {.*} AS change ORDER BY c.number",
            run=run["id"],
        )
        counts = Counter(created=0, updated=0, retired=0)
        for number, change in enumerate((row["change"] for row in changes), start=1):
            assert change["number"] == number
            counts[change["kind"]] += len(change["pairs"])
            replay(state, change, run)
        assert counts == {kind: run[kind] for kind in counts}
    assert state == links(database)
    return found


def replay(state: State, change: dict[str, Any], run: dict[str, Any]) -> None:
    """Do to the state what a change says was done; it must be as the change says it was before."""
    kind = change["kind"]
    for place, pair in enumerate(change["pairs"]):
        ends = {side: change[side][place] for side in ("left", "right")}
        if kind == "created":
            assert pair not in state
        else:
            assert state.pop(pair) == ends | {
                "status": "predicted", **{name: change[f"was_{name}"][place] for name in WAS}
            }  # fmt: skip
        if kind != "retired":
            confidence = change["confidence"][place]
            values = {"confidence": confidence, "score": 2 * confidence, "run": run["id"], "model": run["model"]}
            state[pair] = ends | values | {"status": "predicted"}


def finish(database: Database, nodes: Nodes, goal: Goal, undisturbed: State) -> list[dict[str, Any]]:
    """Let a run end in peace; see that nobody can tell that others did not, and return the runs."""
    plain.write(database, nodes, goal.wanted, goal.model)
    found = audit(database)
    assert without_run(links(database)) == without_run(undisturbed)
    assert "running" not in {run["status"] for run in found}
    assert found[-1]["status"] == "done"
    return found


def crash(database: Database, connection: Connection, nodes: Nodes, goal: Goal, rng: random.Random) -> str:
    """Kill a writer somewhere; tell where that was: before, amid or after its writing."""
    batches, delay = rng.randrange(12), rng.uniform(0, 0.02)
    print(f"kill {delay * 1000:.1f} ms after batch {batches}")
    known = len(runs.listed(database, 1000))
    writer = Writer(connection, nodes, goal)
    writer.wrote(batches)
    time.sleep(delay)
    writer.kill()
    found = audit(database)
    assert [run["status"] for run in found[:known]].count("running") == 0 or len(found) == known
    if len(found) == known or not sum(found[-1][kind] for kind in ("created", "updated", "retired")):
        return "before"
    return "amid" if found[-1]["status"] == "running" and plain.pairs(database) != goal.wanted else "after"


@pytest.mark.timeout(600 + 10 * CRASHES)
def test_a_writer_that_is_killed_leaves_whole_batches_and_the_next_goes_on(
    database: Database, neo4j_connection: Connection
) -> None:
    nodes = plain.load(database, ENTITIES)
    fell: Counter[str] = Counter()
    for seed in range(-(-CRASHES // KILLS)):
        print(f"seed {seed}")
        rng = random.Random(seed)
        goal, undisturbed = prepare(database, nodes, rng)
        where = [crash(database, neo4j_connection, nodes, goal, rng) for _ in range(KILLS)]
        found = finish(database, nodes, goal, undisturbed)
        assert [run["status"] for run in found].count("died") >= where.count("amid")
        fell.update(where)
    print(dict(fell))
    assert fell["amid"] >= fell.total() / 2, "too few kills fell amid the writing to prove anything"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("harm", [Wire.cut, Wire.lose_answer])
def test_a_connection_that_is_cut_is_opened_again(
    database: Database, neo4j_connection: Connection, harm: Callable[[Wire], None]
) -> None:
    rng = random.Random(harm.__name__)
    nodes = plain.load(database, ENTITIES)
    goal, undisturbed = prepare(database, nodes, rng)
    address = urlsplit(neo4j_connection.uri)
    with Wire((address.hostname or "", address.port or 7687)) as wire:
        writer = Writer(neo4j_connection.model_copy(update={"uri": wire.uri}), nodes, goal)
        for _ in range(CUTS):
            assert writer.wrote(rng.randrange(8, 18)), writer.end()
            time.sleep(rng.uniform(0, 0.02))
            harm(wire)
        assert writer.end() == DONE
    finish(database, nodes, goal, undisturbed)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A server that may be taken away, with the entities in it."""
    own = EmbeddedServer(home=tmp_path_factory.mktemp("fallible"), patience=PATIENCE)
    with stopped_with_us(own.home):
        try:
            with Database.open(own.start()) as database:
                plain.load(database, ENTITIES)
            yield own
        finally:
            own.stop()


def stop(server: EmbeddedServer) -> None:
    assert server.stop()


def kill(server: EmbeddedServer) -> None:
    process = java.find(server.home)
    assert process is not None
    process.kill()
    process.wait(60)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("fall", [stop, kill])
def test_a_server_that_goes_down_amid_a_write_loses_nothing(
    server: EmbeddedServer, fall: Callable[[EmbeddedServer], None]
) -> None:
    rng = random.Random(fall.__name__)
    connection = server.connection()
    with Database.open(connection) as database:
        nodes = entities.pull(database, plain.CONFIG)
        goal, undisturbed = prepare(database, nodes, rng)
    writer = Writer(connection, nodes, goal)
    assert writer.wrote(rng.randrange(10, 60))
    fall(server)
    assert server.start() == connection
    ended = writer.end()
    print(ended)
    assert ended == DONE or ended.startswith("DatabaseError: Cannot reach")
    with Database.open(connection) as database:
        finish(database, nodes, goal, undisturbed)
