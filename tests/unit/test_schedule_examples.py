"""The examples of schedules: each is valid for what reads it, and calls a command that there is."""

from __future__ import annotations

import datetime
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner

from neo4j_align.cli import main
from neo4j_align.config import Connection
from neo4j_align.schedule import cron

FOLDER = Path(__file__).parents[2] / "examples" / "schedule"
NOON = datetime.datetime(2026, 1, 31, 12, 1, tzinfo=datetime.timezone.utc)


def read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def assert_is_a_command(arguments: list[str]) -> None:
    """See that all options are known: one too many ends with 2, and here the configuration is what is missing."""
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1, result.output
    assert "align.toml does not exist" in result.stderr


def cronjob() -> dict[str, object]:
    document: dict[str, object] = yaml.safe_load(read("cronjob.yaml"))
    return document


def test_the_cron_job_is_valid_and_calls_a_command() -> None:
    document = cronjob()
    kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
    text = read("cronjob.yaml")
    arguments = re.search(r"args: \[(.*)\]", text)
    assert arguments is not None
    assert_is_a_command([word.strip() for word in arguments[1].split(",")])
    schedule = re.search(r'schedule: "(.*)"', text)
    assert schedule is not None
    assert cron(schedule[1])(NOON) == NOON.replace(minute=15)


def test_an_invalid_cron_job_is_seen() -> None:
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(
            {**cronjob(), "spec": {"schedul": "* * * * *"}}, kubernetes_validate.latest_version(), strict=True
        )


def test_the_crontab_is_valid_and_calls_a_command() -> None:
    settings, line = read("crontab").strip().rsplit("\n", 1)
    fields = line.split(maxsplit=5)
    assert cron(" ".join(fields[:5]))(NOON) == NOON.replace(minute=15)
    command = shlex.split(fields[5])
    assert command[0] == "neo4j-align"
    assert_is_a_command(command[1:])
    assert_are_read(re.findall(r"^(\w+)=", settings, re.MULTILINE))


def assert_are_read(variables: list[str]) -> None:
    known = {f"NEO4J_{field.upper()}" for field in Connection.model_fields} | {"NEO4J_PASSWORD_FILE"}
    assert variables
    assert set(variables) <= known


def test_the_systemd_units_are_valid_and_call_a_command() -> None:
    service = read("neo4j-align-sync.service")
    start = re.search(r"^ExecStart=/usr/bin/env neo4j-align (.*)$", service, re.MULTILINE)
    assert start is not None
    assert_is_a_command(shlex.split(start[1]))
    assert_are_read(re.findall(r"^Environment=(\w+)=", service, re.MULTILINE))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_units() -> None:
    units = [str(FOLDER / f"neo4j-align-sync.{kind}") for kind in ("service", "timer")]
    found = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, timeout=300)
    ours = [line for line in found.stderr.splitlines() if "neo4j-align" in line]
    assert ours == []
