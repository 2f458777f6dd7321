"""Engines: the same order, errors and results here as in Ray's worker processes, of which some die."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import psutil
import pytest
from click.testing import CliRunner

from neo4j_align import cluster, engine
from neo4j_align.cli import main
from neo4j_align.errors import DataError, EngineError
from neo4j_align.gnn import train
from neo4j_align.settings import Training
from tests.benchmarks.speed import made
from tests.unit import work

WORKERS = 2
SHORT_OF_MEMORY = """
from neo4j_align.cluster import Ray
from tests.unit import work
list(Ray(2).map(work.times, 3, range(4)))
"""
pytestmark = pytest.mark.timeout(400)  # what hangs must not use up a whole run's time


@pytest.fixture(scope="session")
def ray() -> cluster.Ray:
    """A Ray of this session's own; what reads this machine's cores gets two workers on any machine."""
    return cluster.Ray(WORKERS)


@pytest.fixture(params=["local", "ray"])
def either(request: pytest.FixtureRequest) -> engine.Engine:
    return request.getfixturevalue("ray") if request.param == "ray" else engine.Local()


def test_results_come_in_the_order_of_the_items(either: engine.Engine) -> None:
    assert list(either.map(work.times, 3, range(20))) == [3 * item for item in range(20)]
    assert list(either.map(work.times, 3, [])) == []


def test_several_processes_work(ray: cluster.Ray) -> None:
    pids = {pid for _, pid in ray.map(work.tell, None, range(40))}
    assert os.getpid() not in pids
    assert len(pids) == WORKERS


def test_one_item_needs_no_other_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster.Ray, "_connect", lambda _: pytest.fail("Ray was started"))
    assert list(cluster.Ray().map(work.tell, None, [7])) == [(7, os.getpid())]


def test_an_error_says_the_same_wherever_it_is_met(either: engine.Engine) -> None:
    with pytest.raises(DataError, match=r"^The third film has no name\. Give it one\.$"):
        list(either.map(work.refuse, None, range(5)))
    with pytest.raises(ZeroDivisionError, match="by zero"):
        list(either.map(work.divide, 1, [2, 1, 0]))


def test_a_partition_whose_worker_was_killed_is_done_again(ray: cluster.Ray, tmp_path: Path) -> None:
    fatal = functools.partial(work.mortal, tmp_path, os.getpid(), work.times)
    assert list(ray.map(fatal, 3, range(8))) == [3 * item for item in range(8)]
    assert (tmp_path / "died").exists()


def lesson() -> train.Lesson:
    world = made.world(200, 5, 501)  # a row more for one of two
    rows = np.arange(len(world.pairs))
    examples = train.Examples(world.pairs, world.features, world.same, rows % 10 != 0, rows % 10 == 0, world.pairs.left)
    shape = made.network(world, 16).shape.model_copy(update={"dropout": 0.0})
    return train.Lesson(Training(epochs=2), shape, world.entities, examples)


@pytest.fixture
def _processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a group learn on processors on any machine."""
    monkeypatch.setattr(cluster, "_resources", lambda kind: WORKERS if kind == "CPU" else 0)


@pytest.mark.usefixtures("_processors")
def test_a_group_learns_as_one_process_does() -> None:
    given = lesson()
    before = signal.getsignal(signal.SIGINT)  # which Ray Train sets anew; where nobody can press Ctrl-C it is ignored
    alone, expected, mine, history = engine.Local().learn(work.learn, given, print)
    several, found, theirs, other = cluster.Ray(WORKERS, learners=2).learn(work.learn, given, print)
    assert (alone, several) == (1, 2)
    assert other == pytest.approx(history, abs=1e-3)
    for one, two in ((expected, found), (mine, theirs)):
        assert one.keys() == two.keys()
        for name in one:
            np.testing.assert_allclose(two[name], one[name], rtol=1e-3, atol=1e-5, err_msg=name)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.usefixtures("_processors")
def test_an_error_of_ours_in_a_group_is_raised_as_it_is() -> None:
    with pytest.raises(DataError, match=r"^The third film has no name\. Give it one\.$"):
        cluster.Ray(WORKERS, learners=2).learn(work.misjudge, None, print)


@pytest.mark.usefixtures("_processors")
def test_without_several_gpus_this_process_learns(ray: cluster.Ray) -> None:
    assert ray.learn(work.tell_all, None, print) == os.getpid()


def test_workers_that_always_die_end_the_run(ray: cluster.Ray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_task", cluster._task.options(max_retries=0))
    with pytest.raises(EngineError, match=r"lost a task .* memory"):
        list(ray.map(work.die, None, range(2)))


def test_a_machine_short_of_memory_ends_the_run() -> None:
    """Ray kills workers where the machine lacks memory, whoever has it, and would begin their tasks anew for ever."""
    short = {"RAY_memory_usage_threshold": "0.0", "RAY_memory_monitor_refresh_ms": "50"}
    command = [sys.executable, "-c", SHORT_OF_MEMORY]
    found = subprocess.run(command, env=os.environ | short, capture_output=True, text=True, timeout=350)
    assert re.search(r"EngineError: Ray lost a task 4 times: .*low on memory", found.stderr)


def test_a_signal_is_seen_while_a_task_lasts(ray: cluster.Ray, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: object) -> None:
        raise TimeoutError("too late")

    def wait(*given: Any, **options: Any) -> Any:
        if not limits:
            limits.append(signal.setitimer(signal.ITIMER_REAL, 2))
        return waited(*given, **options)

    list(ray.map(work.times, 3, range(2)))  # no signal is lost while Ray starts
    ray_itself = sys.modules["ray"]  # loaded by cluster.py, after what it sets for it
    limits, waited = list[tuple[float, float]](), ray_itself.wait
    monkeypatch.setattr(ray_itself, "wait", wait)
    before, start = signal.signal(signal.SIGALRM, late), time.monotonic()
    try:
        with pytest.raises((TimeoutError, SystemError), match=r"too late|exception set"):  # in Python, or in Ray
            list(ray.map(work.last, 60, range(2)))
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *limits[0])  # this test's own time limit
    assert time.monotonic() - start < 50


def test_another_version_on_a_worker_is_refused(ray: cluster.Ray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "__version__", "9.9.9")
    with pytest.raises(EngineError, match=r"has neo4j-align .*, and this is 9\.9\.9\. Install the same version"):
        list(ray.map(work.times, 3, range(5)))


def test_a_worker_that_lacks_the_code_is_named(ray: cluster.Ray, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = ModuleType("neo4j_align.newer")
    exec("def work(given, item): return item", vars(newer))  # noqa: S102
    monkeypatch.setitem(sys.modules, "neo4j_align.newer", newer)
    with pytest.raises(EngineError, match=r"cannot run this: .*newer.* Install the same version"):
        list(ray.map(newer.work, None, range(5)))


def test_few_items_are_taken_ahead_and_none_after_the_end(either: engine.Engine, tmp_path: Path) -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for taken in itertools.count(1):  # noqa: UP028 - the last one counts
            yield taken

    made = either.map(work.begin, tmp_path, items())
    assert [next(made) for _ in range(3)] == [1, 2, 3]
    made.close()
    assert taken <= 3 + cluster._AHEAD * WORKERS
    assert len(list(tmp_path.iterdir())) <= taken


def test_a_ray_of_ones_own_listens_on_loopback_and_leaves_sigterm_alone(ray: cluster.Ray) -> None:
    list(ray.map(work.times, 1, range(2)))
    assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler  # as conftest.py set it before Ray was there
    listening = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # a worker that another test killed may be ending
            if "ray" in " ".join([process.name(), *process.cmdline()]):
                found = process.net_connections()
                listening += [one.laddr.ip.removeprefix("::ffff:") for one in found if one.status == psutil.CONN_LISTEN]
    assert len(listening) > WORKERS
    assert {address for address in listening if not address.startswith("127.")} == set()


def test_without_ray_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "neo4j_align.cluster")
    with pytest.raises(EngineError, match=r'`pip install "neo4j-align\[ray\]"`'):
        engine.named("ray")


def test_the_command_line_knows_the_engines() -> None:
    result = CliRunner().invoke(main, ["align", "--engine", "spark"])
    assert result.exit_code == 2
    assert "'local', 'ray'" in result.output
    assert isinstance(engine.named("local"), engine.Local)
    assert isinstance(engine.named("ray"), cluster.Ray)
