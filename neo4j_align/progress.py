"""The stages of a run: their progress bars while they run, their seconds, counts and memory afterwards."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


class Stages:
    """Times each stage, and shows it where there is a `rich` progress display.

    `listener` is told each stage, how much of it is done, and of how much, if that is known.

    Attributes:
        done: for each stage its seconds, how many units it did and how many a second, and the most bytes of memory
            that the process had held by its end; what a stage did twice is added up.
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
        seconds = round(earlier["seconds"] + time.perf_counter() - begin, 3)
        count += int(earlier["count"])
        rate = round(count / seconds, 1) if seconds else 0.0
        self.done[name] = {"seconds": seconds, "count": count, "per_second": rate, "peak_bytes": peak_bytes()}

    def lines(self) -> list[str]:
        """Lay out what is done as a table for people."""
        total = max(sum(stage["seconds"] for stage in self.done.values()), 1e-9)
        return [f"  {'stage':<12} {'seconds':>9} {'share':>6} {'count':>12} {'a second':>12} {'peak MiB':>9}"] + [
            f"  {name:<12} {s['seconds']:9.2f} {s['seconds'] / total:6.0%} {s['count']:12,.0f} "
            f"{s['per_second']:12,.0f} {s['peak_bytes'] / 2**20:9,.0f}"
            for name, s in self.done.items()
        ]

    @property
    def seconds(self) -> float:
        """Seconds since the first stage could start."""
        return round(time.perf_counter() - self._started, 3)


def peak_bytes() -> int:
    """Return the most memory that this process has held so far, 0 on a system that does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
