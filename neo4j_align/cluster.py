"""Ray as an engine: partitions are its tasks, on this machine's cores or on a cluster's."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain, islice
from typing import Any

from neo4j_align import __version__
from neo4j_align.config import ray_address
from neo4j_align.engine import Advance, Given, Item, Local, Made
from neo4j_align.errors import AlignError, EngineError, gpu_memory
from neo4j_align.gnn import tensors

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # of tasks that follow the one whose error is raised
os.environ.setdefault("RAY_worker_niceness", "0")  # 15 otherwise: hardly any time where the machine is busy
os.environ.setdefault("RAY_task_oom_retries", "3")  # as of those whose worker died otherwise; Ray tries for ever
if "ray" not in sys.modules and not ray_address():  # one of this machine's own: on loopback, with a secret of its own
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
_NEEDS = 'needs Ray: `pip install "neo4j-align[ray]"`'
try:
    import ray
except ImportError as error:
    raise EngineError(f"The engine ray {_NEEDS}.") from error

log = logging.getLogger(__name__)
_ANSWER = 10.0  # seconds for a cluster to let itself be reached
_AHEAD = 2  # tasks a core that are begun before the oldest has ended: what bounds the memory they take
_LOCAL = "`--engine local` needs no Ray."
_INSTALL = "Install the same version of neo4j-align on all machines of the cluster."
_RETRIES = 3  # of a partition whose worker died
_SIGNALS = 1.0  # seconds after which what a signal's handler raised is seen


class Ray:
    """Lets the tasks of Ray work: of the cluster that RAY_ADDRESS names, else of one of this machine's own.

    It is started or joined when there is more than one item, or something to learn, and left when this process ends.

    Args:
        processes: of a cluster of this machine's own; by default one a core.
        learners: that train together, each on a GPU where the cluster has that many; by default as many as it has.

    Raises:
        EngineError: Ray cannot be started or joined, has another version of this package, or lost its workers.
    """

    threads = 1  # a task has a core of its own

    def __init__(self, processes: int | None = None, learners: int | None = None) -> None:
        self._processes, self._learners = processes, learners

    def map(
        self, work: Callable[[Given, Item], Made], given: Given, items: Iterable[Item]
    ) -> Generator[Made, None, None]:
        """Yield what `work(given, item)` returns for each item, in their order."""
        items = iter(items)
        first = list(islice(items, 2))
        if len(first) < 2:
            yield from Local().map(work, given, first)
            return
        self._connect()
        shared = ray.put(given)
        begun: deque[Any] = deque()
        try:
            for item in chain(first, items):
                begun.append(_task.remote(__version__, work, shared, item))
                if len(begun) >= _AHEAD * _cores():
                    yield _made(begun.popleft())
            while begun:
                yield _made(begun.popleft())
        finally:
            for task in begun:
                ray.cancel(task)

    def learn(self, work: Callable[[Given, Advance], Made], given: Given, advance: Advance) -> Made:
        """Return what `work(given, advance)` returns, done by Ray Train, in as many processes as there are GPUs.

        Each gets a share of every batch; with fewer than two, this process does the work.
        """
        self._connect()
        gpus = _resources("GPU")
        learners = self._learners or gpus
        if learners < 2:
            return Local().learn(work, given, advance)
        log.info("%d processes train together", learners)
        given_once = {"version": __version__, "work": work, "given": ray.put(given)}
        made: Made = _group(given_once, learners, use_gpu=learners <= gpus)
        return made

    def _connect(self) -> None:
        if not ray.is_initialized():
            address = ray_address()
            try:
                if address and ":" in address.removeprefix("ray://"):
                    _knock(address.removeprefix("ray://"))
                with _own_signal(signal.SIGTERM), _private():
                    ray.init(
                        address or "local",
                        num_cpus=None if address else self._processes,
                        include_dashboard=False,
                        logging_level=logging.ERROR,
                        log_to_driver=False,
                    )
            except Exception as error:  # Ray raises what its parts raise
                what = f"Ray cannot be joined at {address}" if address else "Ray cannot be started"
                raise EngineError(f"{what}: {_last(error.__cause__ or error)}. {_LOCAL}") from error
            log.info("Ray has %d cores", _cores())
        ray.util.register_serializer(tensors.Tensor, serializer=tensors.array, deserializer=tensors.tensor)


@ray.remote(num_cpus=1, max_retries=_RETRIES)
def _task(version: str, work: Callable[[Any, Any], Any], given: Any, item: Any) -> Any:
    _require(version)
    return work(given, item)


def _group(given: dict[str, Any], learners: int, use_gpu: bool) -> Any:
    """Let a group of processes train, and return what the first of them made.

    Raises:
        EngineError: Ray Train is not installed, or failed; an error of ours is raised as it is.
    """
    try:
        from ray import train  # it takes three seconds
        from ray.train.torch import TorchTrainer
    except ImportError as error:
        raise EngineError(f"Training on several GPUs {_NEEDS}.") from error
    with tempfile.TemporaryDirectory() as folder:  # Ray Train asks for one; nothing is left in it
        trainer = TorchTrainer(
            _learnt,
            train_loop_config=given,
            scaling_config=train.ScalingConfig(num_workers=learners, use_gpu=use_gpu),
            run_config=train.RunConfig(storage_path=folder),
        )
        try:
            with _own_signal(signal.SIGINT):
                return trainer.fit().return_value  # type: ignore[attr-defined]  # its stubs are of the first version
        except SystemExit:  # what Ray Train makes of Ctrl-C
            raise KeyboardInterrupt from None
        except train.TrainingFailedError as error:
            causes = [*getattr(error, "worker_failures", {}).values(), error]
            if ours := next((cause for cause in causes if isinstance(cause, AlignError)), None):
                raise ours from None
            raise EngineError(f"Training with Ray failed: {_first(causes[0])}. {_LOCAL}") from error


def _learnt(given: dict[str, Any]) -> Any:
    """Train in one process of a group; what the first returns is taken."""
    _require(given["version"])
    with gpu_memory():
        return given["work"](ray.get(given["given"]), lambda _: None)


def _require(version: str) -> None:
    if version != __version__:
        raise EngineError(f"A Ray worker has neo4j-align {__version__}, and this is {version}. {_INSTALL}")


def _cores() -> int:
    return max(_resources("CPU"), 1)


def _resources(kind: str) -> int:
    """Return how many of a kind there are now: a cluster may grow."""
    found: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return int(found.get(kind, 0))


def _made(task: Any) -> Any:
    """Wait for what a task made.

    Raises:
        EngineError: Its worker died again and again, or could not run it.
        Exception: What the work itself raised.
    """
    try:
        while not ray.wait([task], timeout=_SIGNALS)[0]:
            pass  # ray.get would keep all but Ctrl-C to itself until the task is done
        return ray.get(task)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, ray.exceptions.RayError) or "failed to import on the worker" in str(cause):
            raise EngineError(f"A Ray worker cannot run this: {_first(cause)}. {_INSTALL}") from error
        raise cause from (None if isinstance(cause, AlignError) else error)
    except ray.exceptions.RayError as error:
        raise EngineError(
            f"Ray lost a task {_RETRIES + 1} times: {_first(error)}. A worker that dies again and again lacks "
            "memory most of the time: docs/how-to/several-machines.md says how much it takes."
        ) from error


def _knock(address: str) -> None:
    """See that a cluster's head listens: Ray itself would try for minutes.

    Raises:
        OSError: It does not.
    """
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER).close()


def _first(error: BaseException) -> str:
    return _lines(error)[0].rstrip(".")


def _last(error: BaseException) -> str:
    return _lines(error)[-1].rstrip(".")


def _lines(error: BaseException) -> list[str]:
    return str(error).strip().splitlines() or [type(error).__name__]


@contextlib.contextmanager
def _own_signal(number: int) -> Iterator[None]:
    """Keep what this process does at a signal: Ray sets SIGTERM anew as it starts, and SIGINT as it trains."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(number)
    try:
        yield
    finally:
        signal.signal(number, before)


@contextlib.contextmanager
def _private() -> Iterator[None]:
    """Keep from others of this machine the files of what is started: a full object store spills to them."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
