"""Work that is done again and again: when it is due, what to do when it fails, and how it fares."""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from neo4j_align.errors import AlignError, ConfigError, LeaseError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST_PAUSE = 900.0  # seconds added after failures, which double from _SHORTEST_PAUSE
_SHORTEST_PAUSE = 10.0


class _Local(datetime.tzinfo):
    """This machine's zone, by the system's own rules: unlike the offset of a moment it knows when the clocks change.

    dateutil's `tzlocal` is an hour off where winter is what is called daylight saving, as in Dublin.
    """

    def utcoffset(self, moment: datetime.datetime | None) -> datetime.timedelta | None:
        return None if moment is None else moment.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, moment: datetime.datetime | None) -> datetime.timedelta | None:
        return None

    def tzname(self, moment: datetime.datetime | None) -> str | None:
        return None if moment is None else moment.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, moment: datetime.datetime) -> datetime.datetime:
        local = moment.replace(tzinfo=datetime.timezone.utc).astimezone()
        first = local.replace(tzinfo=None, fold=0)
        return first.replace(fold=first.astimezone().utcoffset() != local.utcoffset(), tzinfo=self)


_LOCAL = _Local()
Due = Callable[[datetime.datetime], datetime.datetime]  # when work is due next, after a time


def every(text: str) -> Due:
    """Read a duration such as `30s`, `15m`, `2h` or `1d`.

    Raises:
        ConfigError: It is none.
    """
    found = re.fullmatch(r"(\d{1,7})([smhd])", text.strip())
    if found is None or int(found[1]) == 0:
        raise ConfigError(f"{text!r} is no duration. Write for example 30s, 15m, 2h or 1d.")
    step = datetime.timedelta(seconds=int(found[1]) * _UNITS[found[2]])
    return lambda last: last + step


def cron(text: str) -> Due:
    """Read a cron expression such as `*/15 * * * *`, in local time.

    Raises:
        ConfigError: It is none.
    """
    from cronsim import CronSim, CronSimError

    try:
        CronSim(text, datetime.datetime.now(_LOCAL))
    except CronSimError as error:
        raise ConfigError(f"{text!r} is no cron expression ({error}). Write for example '*/15 * * * *'.") from error
    return lambda last: next(at for at in CronSim(text, last.astimezone(_LOCAL)) if at > last)  # an hour comes twice


@dataclass
class Outcome:
    """How one piece of work ended: `done`, `skipped` (another run was writing) or `failed`, with what it says."""

    outcome: str
    started_at: datetime.datetime
    seconds: float
    error: str | None = None
    counts: dict[str, int] = field(default_factory=dict)


def repeat(work: Callable[[], dict[str, int]], due: Due, tell: Callable[[Outcome], None], at_once: bool = True) -> None:
    """Do work when it is due, one after the other, until interrupted.

    What was due while work was under way is done once. After a failure the next attempt waits longer each time.

    Args:
        work: returns counts.
        tell: is told how each piece of work ended.
        at_once: begin now, whenever it is due.
    """
    failures = 0
    if not at_once:
        _sleep_until(due(_now()))
    while True:
        last = _now()
        outcome = _attempt(work, last)
        tell(outcome)
        failures = failures + 1 if outcome.outcome == "failed" else 0
        _sleep_until(max(due(last), _now() + datetime.timedelta(seconds=pause(failures))))


def pause(failures: int) -> float:
    """Return the seconds to wait after so many failures in a row."""
    return min(_SHORTEST_PAUSE * 2 ** (failures - 1), _LONGEST_PAUSE) if failures else 0.0


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def _attempt(work: Callable[[], dict[str, int]], started_at: datetime.datetime) -> Outcome:
    begin = time.monotonic()
    try:
        outcome, error, counts = "done", None, work()
    except LeaseError as busy:
        outcome, error, counts = "skipped", str(busy), {}
    except Exception as problem:  # the next attempt may go better, and an operator reads of this one
        known = isinstance(problem, AlignError)
        outcome, error, counts = "failed", str(problem) if known else f"{type(problem).__name__}: {problem}", {}
    return Outcome(outcome, started_at.astimezone(), round(time.monotonic() - begin, 3), error, counts)


def _sleep_until(when: datetime.datetime) -> None:
    while (left := (when - _now()).total_seconds()) > 0:
        time.sleep(min(left, 60))  # a clock that is set is noticed
