"""The stages of a run: their progress bars while they run, their seconds and counts afterwards."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


class Stages:
    """Times each stage, and shows it where there is a `rich` progress display.

    `listener` is told each stage, how much of it is done, and of how much, if that is known.
    """

    def __init__(
        self, display: Progress | None = None, listener: Callable[[str, int, int | None], None] = lambda *_: None
    ) -> None:
        self._display = display
        self._listener = listener
        self._started = time.perf_counter()
        self.done: dict[str, dict[str, float]] = {}

    @contextlib.contextmanager
    def stage(self, name: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """Run a stage; the block gets a function to tell how many more units are done."""
        begin, count = time.perf_counter(), 0
        task = self._display.add_task(name, total=total) if self._display else None
        self._listener(name, 0, total)

        def advance(units: int) -> None:
            nonlocal count
            count += units
            self._listener(name, count, total)
            if self._display and task is not None:
                self._display.update(task, advance=units)

        yield advance
        if self._display and task is not None:
            self._display.update(task, total=count or 1, completed=count or 1)
        earlier = self.done.get(name, {"seconds": 0.0, "count": 0})
        spent = time.perf_counter() - begin
        self.done[name] = {"seconds": round(earlier["seconds"] + spent, 3), "count": earlier["count"] + count}

    @property
    def seconds(self) -> float:
        """Seconds since the first stage could start."""
        return round(time.perf_counter() - self._started, 3)
