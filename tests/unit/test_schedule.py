"""When work is due, and what happens when it fails."""

from __future__ import annotations

import datetime
import time
import urllib.request
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from neo4j_align import schedule
from neo4j_align.cli import main
from neo4j_align.errors import ConfigError, DatabaseError, LeaseError
from neo4j_align.metrics import Metrics
from neo4j_align.schedule import Outcome

NOON = datetime.datetime(2026, 1, 31, 12, 0, 30, tzinfo=datetime.timezone.utc)


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("15m", 900), (" 2h ", 7200), ("1d", 86400)])
def test_durations(text: str, seconds: int) -> None:
    assert (schedule.every(text)(NOON) - NOON).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "0m", "15", "m", "-1m", "1.5h", "15 min", "1w", "99999999999999d"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ConfigError, match="is no duration"):
        schedule.every(text)


def test_cron_expressions() -> None:
    due = schedule.cron("*/15 * * * *")
    assert due(NOON) == NOON.replace(minute=15, second=0)
    assert due(due(NOON)) == NOON.replace(minute=30, second=0)


@pytest.fixture
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", getattr(request, "param", "Europe/Berlin"))
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize("_zone", ["Europe/Berlin", "Europe/Dublin", "America/St_Johns"], indirect=True)
@pytest.mark.parametrize("text", ["30 2 * * *", "30 1,2 * * *", "0 1 * * *", "*/30 * * * *", "15 3 * * *"])
@pytest.mark.usefixtures("_zone")
def test_what_is_due_by_cron_is_ahead_in_the_nights_when_the_clocks_change(text: str) -> None:
    due = schedule.cron(text)
    for year, month, day in ((2026, 3, 7), (2026, 3, 28), (2026, 10, 24), (2026, 10, 31)):
        start = datetime.datetime(year, month, day, 20, tzinfo=datetime.timezone.utc)
        for minute in range(0, 16 * 60, 5):
            now = start + datetime.timedelta(minutes=minute)
            assert due(now) > now


@pytest.mark.parametrize(
    ("_zone", "winter", "summer"), [("Europe/Dublin", 0, 1), ("Europe/Berlin", 1, 2)], indirect=["_zone"]
)
@pytest.mark.usefixtures("_zone")
def test_cron_is_in_local_time(winter: int, summer: int) -> None:
    nine = schedule.cron("0 9 * * *")
    for month, offset in ((1, winter), (7, summer), (11, winter)):
        due = nine(datetime.datetime(2026, month, 15, 0, tzinfo=datetime.timezone.utc))
        assert due.astimezone(datetime.timezone.utc).hour == 9 - offset


@pytest.mark.usefixtures("_zone")
def test_cron_follows_the_clocks_when_they_change() -> None:
    noon, half = schedule.cron("0 12 * * *"), schedule.cron("*/30 * * * *")
    for month, day, offset in ((3, 28, 2), (10, 24, 1)):
        before = datetime.datetime(2026, month, day, 12, tzinfo=datetime.timezone.utc)
        due = noon(before)
        assert (due.day, due.hour, due.utcoffset()) == (day + 1, 12, datetime.timedelta(hours=offset))
    at, night = datetime.datetime(2026, 10, 24, 23, 30, tzinfo=datetime.timezone.utc), []
    for _ in range(5):
        at = half(at).astimezone(datetime.timezone.utc)
        night.append((at.hour, at.minute))
    assert night == [(0, 0), (0, 30), (1, 0), (1, 30), (2, 0)]  # two o'clock comes twice


@pytest.mark.parametrize("text", ["", "often", "61 * * * *", "* * * *"])
def test_what_is_no_cron_expression(text: str) -> None:
    with pytest.raises(ConfigError, match="is no cron expression"):
        schedule.cron(text)


@pytest.mark.parametrize(("option", "text"), [("--every", "5"), ("--cron", "often")])
def test_a_wrong_schedule_is_a_wrong_command_line(option: str, text: str) -> None:
    result = CliRunner().invoke(main, ["sync", option, text])
    assert result.exit_code == 2
    assert f"'{text}' is no " in result.output


@given(st.integers(1, 60))
def test_pauses_grow_to_a_quarter_of_an_hour(failures: int) -> None:
    assert schedule.pause(0) == 0
    assert 10 <= schedule.pause(failures) <= schedule.pause(failures + 1) <= 900


class Clock:
    """A clock that sleeping moves on, and that ends the loop after some rounds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOON
        self.slept: list[float] = []
        clock = self

        class Fake(datetime.datetime):
            @classmethod
            def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
                return clock.now

        monkeypatch.setattr("neo4j_align.schedule.datetime.datetime", Fake)
        monkeypatch.setattr("neo4j_align.schedule.time.sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += datetime.timedelta(seconds=seconds)


def test_work_is_repeated_and_failures_make_it_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch)
    results: Iterator[dict[str, int] | Exception] = iter(
        [{"created": 3}, DatabaseError("gone"), DatabaseError("gone"), LeaseError("busy"), {"created": 0}]
    )
    outcomes: list[Outcome] = []

    def work() -> dict[str, int]:
        found = next(results, KeyboardInterrupt())
        if not isinstance(found, dict):
            raise found
        return found

    with pytest.raises(KeyboardInterrupt):
        schedule.repeat(work, schedule.every("5s"), outcomes.append)
    assert [one.outcome for one in outcomes] == ["done", "failed", "failed", "skipped", "done"]
    assert [one.error for one in outcomes] == [None, "gone", "gone", "busy", None]
    starts = [(one.started_at - NOON).total_seconds() for one in outcomes]
    assert starts == [0, 5, 15, 35, 40]


def test_what_was_due_meanwhile_is_done_once_and_cron_waits_for_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    starts = []

    def work() -> dict[str, int]:
        starts.append((clock.now - NOON).total_seconds())
        clock.sleep(200)
        if len(starts) == 3:
            raise KeyboardInterrupt
        return {}

    with pytest.raises(KeyboardInterrupt):
        schedule.repeat(work, schedule.cron("* * * * *"), lambda _: None, at_once=False)
    assert starts == [30, 230, 430]


def test_counters_are_served_on_loopback() -> None:
    metrics = Metrics(0)
    try:
        metrics(Outcome("done", NOON, 2.5, counts={"created": 3, "updated": 1, "candidates": 40, "unknown": 9}))
        metrics(Outcome("failed", NOON, 1.0, "gone"))
        address = f"http://127.0.0.1:{metrics.port}/metrics"
        text = urllib.request.urlopen(address, timeout=10).read().decode()
        with pytest.raises(ConfigError, match="cannot be served"):
            Metrics(metrics.port)
    finally:
        metrics.close()
    for line in (
        'neo4j_align_sync_runs_total{outcome="done"} 1.0',
        'neo4j_align_sync_runs_total{outcome="failed"} 1.0',
        "neo4j_align_sync_seconds_total 3.5",
        "neo4j_align_created_total 3.0",
        "neo4j_align_candidates_total 40.0",
    ):
        assert line in text
    assert "neo4j_align_lag_seconds" in text
    assert "neo4j_align_last_success_timestamp_seconds 1" in text
