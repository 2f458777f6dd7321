"""Where the work is done: in this process, or in those of a cluster (`cluster.py`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from typing import Protocol, TypeVar

ENGINES = ("local", "ray")
Given = TypeVar("Given")
Item = TypeVar("Item")
Made = TypeVar("Made")
Advance = Callable[[int], None]


class Engine(Protocol):
    """Does the same work on many items."""

    @property
    def threads(self) -> int:
        """How many threads one item may keep busy."""

    def map(
        self, work: Callable[[Given, Item], Made], given: Given, items: Iterable[Item]
    ) -> Generator[Made, None, None]:
        """Yield what `work(given, item)` returns for each item, in their order; what is begun ends when this is closed.

        Args:
            work: a function of a module, which another process can import; what it returns holds no tensor.
            given: the same for all items; items: taken one by one, when there is room for another.
        """

    def learn(self, work: Callable[[Given, Advance], Made], given: Given, advance: Advance) -> Made:
        """Return what `work(given, advance)` returns, done by a group of processes where each gets a GPU.

        Args:
            work: a function of a module that trains, by itself or with the others of its group (`gnn/together.py`);
                what it returns holds no tensor.
            advance: is told of each epoch done where this process does the work.
        """


class Local:
    """Works in this process, on one item after the other."""

    @property
    def threads(self) -> int:
        """All cores."""
        return os.cpu_count() or 1

    def map(
        self, work: Callable[[Given, Item], Made], given: Given, items: Iterable[Item]
    ) -> Generator[Made, None, None]:
        """Yield what `work(given, item)` returns for each item, in their order."""
        return (work(given, item) for item in items)

    def learn(self, work: Callable[[Given, Advance], Made], given: Given, advance: Advance) -> Made:
        """Return what `work(given, advance)` returns."""
        return work(given, advance)


def named(name: str) -> Engine:
    """Return an engine by its name, one of ENGINES.

    Raises:
        EngineError: Ray is not installed.
    """
    if name == "ray":
        from neo4j_align.cluster import Ray

        return Ray()
    return Local()
