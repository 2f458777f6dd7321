"""Runs: one writer at a time, what it changed on record, and batches that happen once whatever happens to the run."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import socket
import threading
from typing import Any

import pytest

from neo4j_align.errors import LeaseError, NameTakenError
from neo4j_align.store import database as gate
from neo4j_align.store import entities, lease, links, procedures, runs
from neo4j_align.store.database import Database
from neo4j_align.store.lease import Lease
from tests.integration import plain

FIRST = {("l0", "r0"): 0.9, ("l1", "r1"): 0.8, ("l2", "r2"): 0.7}
SECOND = {("l0", "r0"): 0.9, ("l1", "r1"): 0.5, ("l3", "r3"): 0.6}


def run_of(database: Database, run: str) -> dict[str, Any]:
    return runs.show(database, run)


def test_a_run_records_who_what_and_how_much(database: Database) -> None:
    nodes = plain.load(database, 4)
    plain.write(database, nodes, FIRST)
    run = run_of(database, plain.write(database, nodes, SECOND))

    assert (run["created"], run["updated"], run["retired"]) == (1, 1, 1)
    assert (run["kind"], run["status"], run["model"]) == ("align", "done", "m")
    assert run["config_hash"] == plain.CONFIG.digest()
    assert run["by"].endswith(f"@{socket.gethostname()}")
    assert run["seconds"] > 0
    assert run["finished_at"] >= run["started_at"]
    assert plain.pairs(database) == SECOND


def test_changes_hold_the_values_before(database: Database) -> None:
    nodes = plain.load(database, 4)
    plain.write(database, nodes, FIRST)
    before = {row["link"]["pair"]: row["link"] for row in plain.snapshot(database)}
    run = plain.write(database, nodes, SECOND)

    rows = database.read("MATCH (c:AlignChange)-[:IN_RUN]->({id: $run}) RETURN c {.*} AS change", run=run)
    changes = {row["change"]["kind"]: row["change"] for row in rows}
    for kind, pair in (("updated", "L:l1|R:r1"), ("retired", "L:l2|R:r2")):
        assert changes[kind]["pairs"] == [pair]
        for name in ("confidence", "score", "run", "model", "created_at", "updated_at"):
            assert changes[kind][f"was_{name}"] == [before[pair][name]]
    assert changes["created"]["pairs"] == ["L:l3|R:r3"]
    assert (changes["created"]["left"], changes["created"]["right"]) == (["l3"], ["r3"])


def test_two_runs_at_once_the_second_is_refused(database: Database) -> None:
    nodes = plain.load(database, 4)
    inside, done = threading.Event(), threading.Event()

    def first() -> None:
        with runs.running(database, "align", plain.CONFIG):
            inside.set()
            assert done.wait(600)

    thread = threading.Thread(target=first)
    thread.start()
    try:
        assert inside.wait(600)
        with pytest.raises(LeaseError, match=r"align by .* has been running since"):
            plain.write(database, nodes, FIRST)
    finally:
        done.set()
        thread.join()
    plain.write(database, nodes, FIRST)
    assert plain.pairs(database) == FIRST


@pytest.mark.parametrize("waited", [True, False], ids=["gone", "zombie"])
def test_the_lease_of_a_process_that_ended_is_taken_at_once(database: Database, waited: bool) -> None:
    ended = os.posix_spawnp("true", ["true"], os.environ)
    os.waitid(os.P_PID, ended, os.WEXITED | (0 if waited else os.WNOWAIT))  # WNOWAIT: it has ended, and stays a zombie
    with Lease(database, "writer", "align"):
        database.write(
            "MATCH (lease:AlignLease {name: 'writer'}) SET lease.holder = $holder, lease.token = 'other'",
            holder=f"someone@{socket.gethostname()}:{ended}:abc",
        )
        with Lease(database, "writer", "sync") as second:
            assert database.read("MATCH (lease:AlignLease) RETURN lease.token AS token") == [{"token": second.token}]
    if not waited:
        os.waitpid(ended, 0)


def test_the_lease_of_an_earlier_process_of_the_same_number_is_taken_at_once(database: Database) -> None:
    """As in a container that was killed and started again."""
    with Lease(database, "writer", "align"):
        earlier = f"someone@{socket.gethostname()}:{os.getpid()}:abc"
        database.write("MATCH (l:AlignLease) SET l.holder = $holder, l.token = 'other'", holder=earlier)
        with Lease(database, "writer", "sync"):
            pass


def test_the_lease_of_a_machine_that_went_silent_is_taken_when_it_runs_out(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SECONDS", 2)
    with Lease(database, "writer", "align") as held:
        held._ended.set()  # no more heartbeats
        database.write("MATCH (lease:AlignLease) SET lease.holder = 'someone@elsewhere:1:abc'")
        with Lease(database, "writer", "sync"):
            pass


def test_a_batch_that_takes_longer_than_the_lease_keeps_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """No heartbeat passes while it is written, or none comes, and whoever wants the lease waits for the same lock."""
    monkeypatch.setattr(lease, "SECONDS", 2)
    refused: list[LeaseError] = []

    def wants() -> None:
        try:
            Lease(database, "writer", "sync")._acquire()
        except LeaseError as error:
            refused.append(error)

    with Lease(database, "writer", "align") as held, runs.running(database, "align", plain.CONFIG, held) as run:
        held._ended.set()
        other = threading.Timer(1, wants)
        other.start()
        database.transact(run._once("CALL apoc.util.sleep(5000)", {}))
        other.join()
        assert len(refused) == 1
        database.transact(run._once("RETURN 1", {}))


def test_who_lost_the_lease_before_the_run_began_leaves_the_others_run_alone(database: Database) -> None:
    with Lease(database, "writer", "sync") as stalled:
        database.write("MATCH (lease:AlignLease) REMOVE lease.token")
        with runs.running(database, "align", plain.CONFIG) as run:
            with pytest.raises(LeaseError, match="before the sync began"):
                runs.running(database, "sync", plain.CONFIG, stalled).__enter__()
            assert runs.show(database, run.id)["status"] == "running"
    assert [one["status"] for one in runs.listed(database, 9)] == ["done"]


def test_the_lease_of_another_machine_that_beats_is_respected(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SECONDS", 15)
    with Lease(database, "writer", "align"):
        database.write("MATCH (lease:AlignLease) SET lease.holder = 'someone@elsewhere:1:abc'")
        with pytest.raises(LeaseError, match="align by someone@elsewhere:1"):
            Lease(database, "writer", "sync").__enter__()


def test_a_run_that_lost_its_lease_cannot_write(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = plain.load(database, 4)
    monkeypatch.setattr(gate, "BATCH", 1)

    def robbed(_: int) -> None:
        database.write("MATCH (lease:AlignLease {name: 'writer'}) SET lease.token = 'another'")

    with pytest.raises(LeaseError, match="after 1 batches"):
        plain.write(database, nodes, FIRST, advance=robbed)
    assert len(plain.pairs(database)) == 1
    database.write("MATCH (lease:AlignLease) REMOVE lease.token")
    plain.write(database, nodes, FIRST)
    assert plain.pairs(database) == FIRST


def test_a_batch_of_which_only_the_answer_was_lost_is_not_written_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Played by running each transaction twice, as the driver does when a commit's answer never comes."""
    nodes = plain.load(database, 4)
    transact = Database.transact
    monkeypatch.setattr(Database, "transact", lambda self, work: (transact(self, work), transact(self, work))[1])
    plain.write(database, nodes, FIRST)
    monkeypatch.undo()

    run = plain.write(database, nodes, FIRST)
    assert run_of(database, run)["created"] == 0
    rows = database.read("MATCH (c:AlignChange) RETURN c.kind AS kind, size(c.pairs) AS pairs")
    assert rows == [{"kind": "created", "pairs": 3}]


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt(), "stopped"), (RuntimeError("broken"), "failed")], ids=str
)
def test_a_run_that_ends_early_says_how(database: Database, error: BaseException, status: str) -> None:
    nodes = plain.load(database, 4)

    def fails(_: int) -> None:
        raise error

    with pytest.raises(type(error)):
        plain.write(database, nodes, FIRST, advance=fails)
    run = run_of(database, "last")
    assert (run["status"], run.get("error")) == (status, "broken" if status == "failed" else None)
    plain.write(database, nodes, FIRST)
    assert plain.pairs(database) == FIRST


def test_a_run_that_died_is_seen_by_the_next(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    nodes = plain.load(database, 4)
    dead = plain.write(database, nodes, FIRST)
    database.write("MATCH (run:AlignRun) SET run.status = 'running'")
    plain.write(database, nodes, SECOND)
    assert run_of(database, dead)["status"] == "died"
    assert f"{dead} never ended" in caplog.text


def test_runs_are_listed_by_time_whatever_its_text(database: Database) -> None:
    times = ["2026-01-01T10:00:00Z", "2026-01-01T10:00:01.5Z", "2026-01-01T10:00:01.51Z", "2026-01-01T10:00:01.6Z"]
    query = "UNWIND $times AS time CREATE (:AlignRun {id: time, started_at: datetime(time)})"
    database.write(query, times=times)
    assert [run["id"] for run in runs.listed(database, 3)] == times[:0:-1]


def test_changes_of_old_runs_are_forgotten_and_the_runs_are_not(database: Database) -> None:
    nodes = plain.load(database, 4)
    for turn in range(25):
        plain.write(database, nodes, {("l0", "r0"): turn / 100})
    assert len(database.read("MATCH (c:AlignChange) RETURN c")) == 25
    database.write("MATCH (run:AlignRun) SET run.started_at = run.started_at - duration({days: 31})")
    plain.write(database, nodes, {("l0", "r0"): 0.9})
    assert len(database.read("MATCH (c:AlignChange) RETURN c")) == 20
    assert len(runs.listed(database, 100)) == 26
    assert [run.get("pruned") for run in runs.listed(database, 100)] == [None] * 20 + [True] * 6


def test_a_verdict_given_while_a_run_is_under_way_stands(database: Database) -> None:
    nodes = plain.load(database, 4)
    with runs.running(database, "align", plain.CONFIG) as run:
        changes = links.difference(
            plain.CONFIG, links.read(database, plain.CONFIG, nodes), plain.frame(nodes, FIRST), "m"
        )
        create = links.with_ids(database, nodes, changes.create)
        database.write(
            "MATCH (l {uid: 'l0'}), (r {uid: 'r3'}) CREATE (l)-[:SAME_AS {pair: 'L:l0|R:r3', status: 'confirmed'}]->(r)"
        )
        database.write("MATCH (l {uid: 'l1'}), (r {uid: 'r1'}) CREATE (l)-[:NOT_SAME_AS {pair: 'L:l1|R:r1'}]->(r)")
        links.write(run, plain.CONFIG, links.Changes(create, changes.update, changes.retire), "m")
    rows = database.read("MATCH (l)-[s:SAME_AS]->(r) RETURN l.uid AS left, r.uid AS right ORDER BY left")
    assert rows == [{"left": "l0", "right": "r3"}, {"left": "l2", "right": "r2"}]


def test_a_link_that_somebody_makes_at_the_same_moment_stands(database: Database) -> None:
    """Our batch waits for the other transaction as it takes the name, is refused, and goes without that link."""
    nodes = plain.load(database, 4)
    made, tried = threading.Event(), threading.Event()

    def somebody(execute: gate.Execute) -> None:
        execute(
            "MATCH (l {uid: 'l0'}), (r {uid: 'r0'}) CREATE (l)-[:SAME_AS {pair: 'L:l0|R:r0', status: 'confirmed', "
            "confidence: 1.0}]->(r)"
        )
        made.set()
        assert tried.wait(600)

    with runs.running(database, "align", plain.CONFIG) as run:
        wanted = links.difference(plain.CONFIG, links.NOTHING, plain.frame(nodes, FIRST), "m").create
        changes = dataclasses.replace(links.NO_CHANGES, create=links.with_ids(database, nodes, wanted))
        other = threading.Thread(target=database.transact, args=(somebody,))
        ours = threading.Thread(target=links.write, args=(run, plain.CONFIG, changes, "m"))
        for thread in (other, ours):
            thread.start()
            assert made.wait(600)
        ours.join(2)  # it waits for the other's lock
        assert ours.is_alive()
        tried.set()
        for thread in (other, ours):
            thread.join()
        assert run.counts()["created"] == 2
    assert plain.pairs(database) == {**FIRST, ("l0", "r0"): 1.0}


@pytest.mark.parametrize("goes", [True, False])
def test_a_name_that_is_free_again_is_taken_and_one_that_nobody_can_see_ends_the_run(
    database: Database, monkeypatch: pytest.MonkeyPatch, goes: bool
) -> None:
    nodes = plain.load(database, 4)
    plain.write(database, nodes, {("l0", "r0"): 0.5})
    with runs.running(database, "align", plain.CONFIG) as run:
        wanted = links.difference(plain.CONFIG, links.NOTHING, plain.frame(nodes, FIRST), "m").create
        changes = dataclasses.replace(links.NO_CHANGES, create=links.with_ids(database, nodes, wanted))

        def looked(database: Database, rows: list[Any]) -> list[Any]:
            """Look for names when the link that has one is gone, or overlook it."""
            if goes:
                database.write("MATCH ()-[s:SAME_AS]->() DELETE s")
            return rows

        monkeypatch.setattr(links, "_free", looked)
        with contextlib.nullcontext() if goes else pytest.raises(NameTakenError, match="already exists"):
            links.write(run, plain.CONFIG, changes, "m")
    assert plain.pairs(database) == (FIRST if goes else {("l0", "r0"): 0.5})


def test_whole_numbers_as_keys_stand_a_key_that_is_gone(database: Database) -> None:
    """One link whose end lost its key must not make fractions of all others' keys, and so other links of them."""
    database.write(
        "UNWIND range(0, 2) AS i CREATE (:L:T0 {uid: i, name: 'name ' + i}), (:R:T0 {uid: i, title: 'name ' + i})"
    )
    nodes = entities.pull(database, plain.CONFIG)
    plain.write(database, nodes, {(i, i): 0.9 for i in range(3)})  # type: ignore[misc]
    database.write("MATCH (n:L {uid: 1}) REMOVE n.uid")

    there = links.read(database, plain.CONFIG, entities.pull(database, plain.CONFIG))
    assert sorted(there.predicted["pair"]) == ["L:0|R:0", "L:2|R:2"]
    assert there.stale == ["L:1|R:1"]


def test_a_key_that_another_node_took_over_leaves_no_link_behind(database: Database) -> None:
    plain.write(database, plain.load(database, 2), {("l0", "r0"): 0.9})
    database.write("MATCH (n:L {uid: 'l0'}) REMOVE n:L")
    database.write("CREATE (:L:T0 {uid: 'l0', name: 'name 0'})")
    plain.write(database, entities.pull(database, plain.CONFIG), {("l0", "r0"): 0.9})
    rows = database.read("MATCH (l)-[:SAME_AS]->(r) RETURN labels(l) AS labels, r.uid AS right")
    assert rows == [{"labels": ["L", "T0"], "right": "r0"}]


def test_a_name_that_a_verdict_on_a_renamed_entity_has_ends_no_run(database: Database) -> None:
    """Where several links are allowed it may be wanted; a person outranks the machine, also under an old name."""
    plain.write(database, plain.load(database, 2), {})
    procedures.call(database, plain.CONFIG, "confirm", left="l0", right="r0")
    database.write("MATCH (n {uid: 'l0'}) SET n.uid = 'l9' CREATE (:L:T0 {uid: 'l0', name: 'name 0'})")
    nodes = entities.pull(database, plain.CONFIG)
    wanted = plain.frame(nodes, {("l0", "r0"): 0.9, ("l1", "r1"): 0.8}).assign(alone=False)
    changes = links.difference(plain.CONFIG, links.NOTHING, wanted, "m")
    with runs.running(database, "align", plain.CONFIG) as run:
        changes = dataclasses.replace(changes, create=links.with_ids(database, nodes, changes.create))
        links.write(run, plain.CONFIG, changes, "m")
    assert plain.pairs(database) == {("l9", "r0"): 1.0, ("l1", "r1"): 0.8}
