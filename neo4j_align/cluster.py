"""Ray as an engine: partitions are its tasks, on this machine's cores or on a cluster's."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain, islice
from typing import Any

from neo4j_align import __version__
from neo4j_align.config import ray_address
from neo4j_align.engine import Given, Item, Local, Made
from neo4j_align.errors import AlignError, EngineError
from neo4j_align.gnn import tensors

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # of tasks that follow the one whose error is raised
if "ray" not in sys.modules and not ray_address():  # one of this machine's own: on loopback, with a secret of its own
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
try:
    import ray
except ImportError as error:
    raise EngineError('The engine ray needs Ray: `pip install "neo4j-align[ray]"`.') from error

log = logging.getLogger(__name__)
_ANSWER = 10.0  # seconds for a cluster to let itself be reached
_AHEAD = 2  # tasks a core that are begun before the oldest has ended: what bounds the memory they take
_INSTALL = "Install the same version of neo4j-align on all machines of the cluster."
_RETRIES = 3  # of a partition whose worker died


class Ray:
    """Lets the tasks of Ray work: of the cluster that RAY_ADDRESS names, else of one of this machine's own.

    It is started or joined when there is more than one item, and left when this process ends.

    Args:
        processes: of a cluster of this machine's own; by default one a core.

    Raises:
        EngineError: Ray cannot be started or joined, has another version of this package, or lost its workers.
    """

    threads = 1  # a task has a core of its own

    def __init__(self, processes: int | None = None) -> None:
        self._processes = processes

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

    def _connect(self) -> None:
        if not ray.is_initialized():
            address = ray_address()
            try:
                if address and ":" in address.removeprefix("ray://"):
                    _knock(address.removeprefix("ray://"))
                with _own_sigterm():
                    ray.init(
                        address or "local",
                        num_cpus=None if address else self._processes,
                        include_dashboard=False,
                        logging_level=logging.ERROR,
                        log_to_driver=False,
                    )
            except Exception as error:  # Ray raises what its parts raise
                what = f"Ray cannot be joined at {address}" if address else "Ray cannot be started"
                why = str(error.__cause__ or error).strip().splitlines()[-1].rstrip(".")
                raise EngineError(f"{what}: {why}. `--engine local` needs no Ray.") from error
            log.info("Ray has %d cores", _cores())
        ray.util.register_serializer(tensors.Tensor, serializer=tensors.array, deserializer=tensors.tensor)


@ray.remote(num_cpus=1, max_retries=_RETRIES)
def _task(version: str, work: Callable[[Any, Any], Any], given: Any, item: Any) -> Any:
    if version != __version__:
        raise EngineError(f"A Ray worker has neo4j-align {__version__}, and this is {version}. {_INSTALL}")
    return work(given, item)


def _cores() -> int:
    """Return how many cores there are now: a cluster may grow."""
    found: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return max(int(found.get("CPU", 1)), 1)


def _made(task: Any) -> Any:
    """Wait for what a task made.

    Raises:
        EngineError: Its worker died again and again, or could not run it.
        Exception: What the work itself raised.
    """
    try:
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
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")


@contextlib.contextmanager
def _own_sigterm() -> Iterator[None]:
    """Keep what this process does at SIGTERM, which Ray sets anew when it starts."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
