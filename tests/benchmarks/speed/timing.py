"""Side by side: ways of doing one thing, timed in turns so that a busy machine slows them all alike."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.benchmarks.common import table


@dataclass(frozen=True)
class Timed:
    """Seconds of each round by way, those of this process's processors, and the way that all are compared with.

    On a busy machine the processor's seconds say more; what a server does for a way is not in them.
    """

    seconds: dict[str, list[float]]
    cpu: dict[str, list[float]]
    baseline: str

    def median(self, way: str) -> float:
        return statistics.median(self.seconds[way])

    def ratio(self, way: str) -> float:
        """The median over the rounds of a way's time by the baseline's in the same round."""
        return statistics.median(
            mine / theirs for mine, theirs in zip(self.seconds[way], self.seconds[self.baseline], strict=True)
        )

    def lines(self, units: Mapping[str, tuple[float, str]] | None = None) -> str:
        """Lay out medians and ratios; `units` says how many of what a way does in a round."""
        rows = []
        for way, rounds in self.seconds.items():
            count, what = (units or {}).get(way, (0, ""))
            rate = f"{count / self.median(way):,.0f} {what}/s" if count else "–"
            spread = f"{min(rounds):.2f}–{max(rounds):.2f}"
            cpu = f"{statistics.median(self.cpu[way]):.2f}" if way in self.cpu else "–"
            rows.append([way, f"{self.median(way):.2f}", spread, cpu, rate, f"{self.ratio(way):.2f}"])
        header = ["way", "seconds, median", "least–most", "processor's seconds", "throughput", f"by “{self.baseline}”"]
        return table(header, rows)

    def document(self) -> dict[str, dict[str, float]]:
        found = {way: {"seconds": self.median(way), "ratio": self.ratio(way)} for way in self.seconds}
        for way, spent in self.cpu.items():
            found[way]["cpu"] = statistics.median(spent)
        return found


def side_by_side(
    ways: Mapping[str, Callable[[], object]], rounds: int, before: Callable[[], object] = lambda: None
) -> Timed:
    """Time every way once a round, after a round that is not counted; the first is the baseline.

    Args:
        before: is done before each, and not timed.
    """
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    cpu: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(-1, rounds):
        for way, work in ways.items():
            before()
            begin, busy = time.perf_counter(), time.process_time()
            work()
            spent, busy = time.perf_counter() - begin, time.process_time() - busy
            print(f"  {way}, round {number + 1}: {spent:.2f} s", file=sys.stderr, flush=True)
            if number >= 0:
                seconds[way].append(spent)
                cpu[way].append(busy)
    return Timed(seconds, cpu, next(iter(ways)))
