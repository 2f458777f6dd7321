"""The worker: jobs asked for from Cypher, one at a time, through deaths and interruptions."""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from neo4j_align.config import Config, Connection
from neo4j_align.errors import DatabaseError
from neo4j_align.gnn.saved import Model, load
from neo4j_align.pipeline import Aligner
from neo4j_align.store import jobs, procedures, schema
from neo4j_align.store.database import Database
from neo4j_align.store.lease import Lease
from neo4j_align.worker import KINDS, Worker
from tests.integration import plain
from tests.integration.conftest import EXAMPLE, Run, document

Result = dict[str, Any]


def submit(database: Database, kind: str, mapping: Config = plain.CONFIG, **options: Any) -> str:
    row = procedures.call(database, mapping, "submit", kind=kind, options=options)[0]
    assert row["status"] == "queued"
    return str(row["id"])


def job(database: Database, id_: str) -> Result:
    found: Result = procedures.call(database, plain.CONFIG, "job", id=id_)[0]
    return found


@pytest.fixture
def worker(database: Database, tmp_path: Path) -> Worker:
    return Worker(plain.CONFIG, database, tmp_path / "model", poll=0.1)


def doing(monkeypatch: pytest.MonkeyPatch, work: Callable[[Aligner], Result]) -> None:
    """Let jobs of the kind `train` do this."""
    monkeypatch.setattr(Worker, "_train", lambda self, aligner: work(aligner))


def test_jobs_of_every_kind(example: Database, config: Config, model: Model, model_folder: Path) -> None:
    chosen = Aligner(config, example).align(model, dry_run=True).links.iloc[0]
    ids = {
        "dry": submit(example, "align", config, dry_run=True),
        "align": submit(example, "align", config, precision=0.9),
        "score": submit(example, "score", config, left=[chosen["left"], "nix"], right=[chosen["right"], "nix"]),
        "candidates": submit(example, "candidates", config, key=chosen["left"]),
        "neighbourhood": submit(example, "neighbourhood", config, key=chosen["left"]),
        "wrong option": submit(example, "score", config, left=["a", "b"], right=["c"]),
        "older submit": submit(example, "align", config, precision=0.5),
    }
    # A procedure that was installed before the values were looked at queues what the worker then refuses.
    example.write("MATCH (job:AlignJob {id: $id}) SET job.precision = 'high'", id=ids["older submit"])
    assert Worker(config, example, model_folder).run(once=True) == len(ids)
    done = {name: job(example, id_) for name, id_ in ids.items()}

    assert json.loads(done["dry"]["job"]["result"])["run"] is None
    assert not {"stage", "done", "total", "error"} & done["dry"]["job"].keys()
    result = json.loads(done["align"]["job"]["result"])
    assert result["links"] == result["created"] == len(plain.snapshot(example)) > 300
    scored = json.loads(done["score"]["job"]["result"])
    assert scored["confidence"] == [chosen["confidence"], None]
    assert scored["linked"] == [True, False]
    rows = procedures.call(example, config, "candidates", key=chosen["left"])
    assert (rows[0]["right"], rows[0]["confidence"]) == (chosen["right"], chosen["confidence"])
    around = procedures.call(example, config, "neighbourhood", key=chosen["left"])
    assert {row["hop"] for row in around} == {1, 2}
    assert {row["entity"] for row in around if row["hop"] == 1} == {chosen["left"]}
    assert done["wrong option"]["status"] == "failed"
    assert "one length" in done["wrong option"]["error"]
    assert done["older submit"]["status"] == "failed"
    assert "between 0 and 1" in done["older submit"]["error"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_job_takes_is_known_when_it_is_asked_for(database: Database, kind: str) -> None:
    options = list(inspect.signature(getattr(Worker, f"_{kind}")).parameters.values())[2:]
    needed = {option.name: "x" for option in options if option.default is option.empty}
    taken: dict[str, object] = {option.name: "x" for option in options}
    taken |= {name: value for name, value in {"precision": 0.9, "dry_run": True}.items() if name in taken}

    def status(asked: Mapping[str, object]) -> str:
        return str(procedures.call(database, plain.CONFIG, "submit", kind=kind, options=asked)[0]["status"])

    assert {status(needed), status(taken)} == {"queued"}
    assert status({**needed, "status": "done"}) == f"a job of the kind {kind} has no option status"
    for name in needed:
        others = {other: "x" for other in taken if other != name}
        assert status(others) == f"a job of the kind {kind} needs the option {name}"
    assert len(database.read("MATCH (job:AlignJob {status: 'queued'}) RETURN job")) == 2


@pytest.mark.parametrize(
    ("option", "wrong", "right"),
    [("precision", [0, 1, 7, float("nan"), "high", [0.5], {"at": 0.5}], 0.95), ("dry_run", ["yes", 1, []], False)],
)
def test_a_job_with_a_wrong_value_is_not_queued(
    database: Database, option: str, wrong: list[object], right: object
) -> None:
    for value in [*wrong, right]:
        [row] = procedures.call(database, plain.CONFIG, "submit", kind="align", options={option: value})
        assert (row["id"] is None) == (value != right)
        assert f"the option {option} must be" in row["status"] or value == right
    assert len(database.read("MATCH (job:AlignJob) RETURN job")) == 1


def test_a_job_that_trains_tells_its_figures(database: Database, worker: Worker) -> None:
    """Points of a curve are lists of lists, which no property of a node can hold."""
    rows = [{"uid": str(at), "name": f"{chr(97 + at)}ne work"} for at in range(25)]
    database.write("UNWIND $rows AS row CREATE (:L:T0 {uid: 'l' + row.uid, name: row.name}), "
                   "(:R:T0 {uid: 'r' + row.uid, title: row.name})", rows=rows)  # fmt: skip
    id_ = submit(database, "train")
    assert worker.run(once=True) == 1
    done = job(database, id_)
    assert (done["status"], done["error"]) == ("done", None)
    assert jobs.show(database, id_)["result"]["f1"] > 0.9
    assert jobs.show(database, id_)["result"]["model"] == load(worker.folder).about.id


def test_a_job_that_trains_learns_from_verdicts_alone(
    example: Database, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(Aligner, "train", lambda self, table, folder: seen.append((table, folder)))
    id_ = submit(example, "train", config)
    Worker(config, example, tmp_path).run(once=True)
    assert seen == [(None, tmp_path)]
    assert job(example, id_)["status"] == "failed"  # this train gave no model
    assert "AttributeError" in job(example, id_)["error"]


def test_a_job_that_fails_does_not_stop_the_worker(
    database: Database, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    doing(monkeypatch, lambda _: {"answer": 1 // 0})
    one, other = submit(database, "train"), submit(database, "train")
    assert worker.run(once=True) == 2
    assert job(database, one)["status"] == job(database, other)["status"] == "failed"
    assert "ZeroDivisionError" in job(database, one)["error"]


def test_progress_is_told_and_a_running_job_is_cancelled(
    database: Database, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neo4j_align.worker._TELLING", 0.0)
    id_ = submit(database, "train")

    def work(aligner: Aligner) -> Result:
        with aligner.stages.stage("pull", 10) as advance:
            advance(4)
            shown = job(database, id_)
            assert (shown["status"], shown["stage"], shown["done"], shown["total"]) == ("running", "pull", 4, 10)
            assert procedures.call(database, plain.CONFIG, "cancel", id=id_)[0]["status"] == "cancelling"
            advance(1)
        raise AssertionError("it went on")

    doing(monkeypatch, work)
    worker.run(once=True)
    assert job(database, id_)["status"] == "cancelled"


def test_a_waiting_job_is_cancelled_at_once(database: Database, worker: Worker) -> None:
    id_ = submit(database, "train")
    assert procedures.call(database, plain.CONFIG, "cancel", id=id_)[0]["status"] == "cancelled"
    assert worker.run(once=True) == 0


def test_an_interrupted_job_goes_back_to_the_queue_and_is_done_by_the_next(
    database: Database, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = submit(database, "train")

    def interrupted(_: Aligner) -> Result:
        raise KeyboardInterrupt

    doing(monkeypatch, interrupted)
    with pytest.raises(KeyboardInterrupt):
        worker.run(once=True)
    assert (job(database, id_)["status"], job(database, id_)["job"]["attempts"]) == ("queued", 0)
    doing(monkeypatch, lambda _: {"answer": [1, 2]})
    assert worker.run(once=True) == 1
    assert job(database, id_)["job"]["answer"] == [1, 2]


def test_a_job_at_which_three_workers_died_is_given_up(
    database: Database, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    doing(monkeypatch, lambda _: {})
    id_ = submit(database, "train")
    for _ in range(jobs.ATTEMPTS):
        with Lease(database, "worker", "a job") as held:
            assert jobs.take(database, held.token, schema.alignment(plain.CONFIG)) is not None
    assert worker.run(once=True) == 1
    assert job(database, id_)["status"] == "failed"
    assert "3 workers died" in job(database, id_)["error"]


def test_two_workers_do_one_job_at_a_time(
    database: Database, neo4j_connection: Connection, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, most, guard = 0, 0, threading.Lock()

    def work(_: Aligner) -> Result:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        time.sleep(0.3)
        with guard:
            running -= 1
        return {}

    doing(monkeypatch, work)
    ids = [submit(database, "train") for _ in range(4)]
    with Database.open(neo4j_connection) as second:
        other = Worker(worker.config, second, worker.folder, poll=0.1)
        thread = threading.Thread(target=other.run, kwargs={"once": True})
        thread.start()
        worker.run(once=True)
        thread.join()
    assert most == 1
    assert {job(database, id_)["status"] for id_ in ids} == {"done"}


def test_a_worker_that_lost_its_lease_cannot_say_that_it_is_done(
    database: Database, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def robbed(_: Aligner) -> Result:
        database.write("MATCH (lease:AlignLease {name: 'worker'}) SET lease.token = 'another'")
        return {}

    doing(monkeypatch, robbed)
    id_ = submit(database, "train")
    assert worker._next() is False
    assert job(database, id_)["status"] == "running"  # as the other worker, who has it now, would leave it


def test_a_job_that_is_done_is_not_given_back(
    database: Database, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal between the commit that says so and its answer."""
    doing(monkeypatch, lambda _: {})
    finish = jobs.Job.finish

    def interrupted(job: jobs.Job, result: Result) -> None:
        finish(job, result)
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs.Job, "finish", interrupted)
    id_ = submit(database, "train")
    with pytest.raises(KeyboardInterrupt):
        worker._next()
    assert job(database, id_)["status"] == "done"


def test_a_run_under_way_puts_the_job_off(database: Database, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    doing(monkeypatch, lambda _: {"run": plain.write(database, plain.load(database, 1), {})})
    id_ = submit(database, "train")
    with Lease(database, "writer", "align"):
        assert worker._next() is False
        assert job(database, id_)["status"] == "queued"


def test_a_connection_that_fails_is_tried_three_times(
    database: Database, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drops(_: Aligner) -> Result:
        raise DatabaseError("gone")

    doing(monkeypatch, drops)
    id_ = submit(database, "train")
    worker.run(once=True)
    found = job(database, id_)
    assert (found["status"], found["job"]["attempts"], found["error"]) == ("failed", jobs.ATTEMPTS, "gone")


def test_a_job_of_another_alignment_is_left_to_its_worker(database: Database, worker: Worker) -> None:
    other = plain.CONFIG.model_copy(update={"right": plain.CONFIG.right.model_copy(update={"label": "X"})})
    id_ = procedures.call(database, other, "submit", kind="train", options={})[0]["id"]
    assert worker.run(once=True) == 0
    assert job(database, id_)["status"] == "queued"


@pytest.fixture
def process(
    example: Database, model_folder: Path, neo4j_connection: Connection
) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    environment = {
        **os.environ,
        "NEO4J_URI": neo4j_connection.uri,
        "NEO4J_USERNAME": neo4j_connection.username,
        "NEO4J_PASSWORD": neo4j_connection.password.get_secret_value(),
    }
    command = ["worker", "--config", EXAMPLE / "align.toml", "--model", model_folder, "--poll", "0.2"]

    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-m", "neo4j_align", *map(str, command)], env=environment))
        return started[-1]

    yield start
    for one in started:  # a worker that goes on would take the jobs of other tests
        one.kill()
        one.wait()


def wait_for(database: Database, id_: str, *statuses: str) -> None:
    deadline = time.monotonic() + 600
    while job(database, id_)["status"] not in statuses:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_killed_worker_is_followed_and_a_stopped_one_ends_cleanly(
    example: Database, config: Config, process: Callable[[], subprocess.Popen[bytes]]
) -> None:
    """SIGKILL in the middle of an alignment, then a second worker that does it, and SIGTERM for that one."""
    id_ = submit(example, "align", config)
    first = process()
    wait_for(example, id_, "running")
    first.kill()
    first.wait()
    second = process()
    try:
        wait_for(example, id_, "done", "failed")
    finally:
        second.send_signal(signal.SIGTERM)
        code = second.wait(300)
    assert code == 0
    found = job(example, id_)
    assert (found["status"], found["job"]["attempts"]) == ("done", 2)
    assert len(plain.snapshot(example)) == json.loads(found["job"]["result"])["links"]


def test_the_worker_on_the_command_line(run: Run, example: Database, config: Config, model_folder: Path) -> None:
    submit(example, "align", config, dry_run=True)
    common = ("--config", EXAMPLE / "align.toml", "--model", model_folder)
    assert document(run("worker", "--once", "--json", *common)) == {"jobs": 1}


def test_neo4j_itself_submits_a_sync_every_so_often(database: Database) -> None:
    """The example of a schedule for APOC, with a second in place of its quarter of an hour."""
    text = (EXAMPLE.parent / "schedule" / "periodic.cypher").read_text(encoding="utf-8")
    procedures.install(database, plain.CONFIG)
    try:
        assert database.write(text.replace("900)", "1)"))[0]["name"] == "neo4j-align-sync"
        deadline = time.monotonic() + 300
        while not database.read("MATCH (job:AlignJob {kind: 'sync', status: 'queued'}) RETURN job"):
            assert time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        database.write("CALL apoc.periodic.cancel('neo4j-align-sync')")
        procedures.remove(database)


def test_jobs_are_listed_shown_and_cancelled_from_the_command_line(run: Run, database: Database) -> None:
    assert run("jobs", "list").stdout == "There are no jobs yet.\n"
    first, second = submit(database, "align", precision=0.9), submit(database, "candidates", key="l0")
    database.write("MATCH (job {id: $id}) SET job.left = range(1, 100), job.result = '{\"a\": 1}'", id=second)
    found = document(run("jobs", "list", "--json"))["jobs"]
    assert [(row["id"], row["kind"], row["status"]) for row in found] == [
        (second, "candidates", "queued"),
        (first, "align", "queued"),
    ]
    assert "left" not in found[0]
    assert len(document(run("jobs", "list", "--limit", "1", "--json"))["jobs"]) == 1
    shown = document(run("jobs", "show", second, "--json"))
    assert (shown["key"], shown["options"], len(shown["left"]), shown["result"]) == ("l0", ["key"], 100, {"a": 1})
    assert max(map(len, run("jobs", "show", second).stdout.splitlines())) < 120

    assert run("jobs", "cancel", first).stdout == f"Job {first}: cancelled.\n"
    assert [line.split()[:3] for line in run("jobs", "list").stdout.splitlines()[2:]] == [
        [second, "candidates", "queued"],
        [first, "align", "cancelled"],
    ]
    for command in ("show", "cancel"):
        assert "There is no job nix. `neo4j-align jobs list`" in run("jobs", command, "nix", code=1).stderr
