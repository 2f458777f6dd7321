"""The compose file and the Dockerfile, as far as no container is needed to judge them."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from neo4j_align import __version__
from neo4j_align.cli import COMMANDS
from neo4j_align.store.embedded import APOC_CONFIGURATION
from neo4j_align.store.jars import APOC, SERVER
from tests.docs.blocks import assert_parses
from tests.unit.test_schedule_examples import assert_are_read

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docker"
BIN = Path(sys.executable).parent
# Linters are wheels of x86-64 Linux; the rest of this file needs nothing.
linux = pytest.mark.skipif(sys.platform != "linux", reason="hadolint and docker-compose come as wheels for Linux")


def document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yml").read_text(encoding="utf-8"))
    return found


def dockerfile() -> str:
    return (FOLDER / "Dockerfile").read_text(encoding="utf-8")


SERVICES = document()["services"]
OURS = sorted(name for name in SERVICES if name != "neo4j")


def test_an_unknown_option_is_seen() -> None:
    with pytest.raises(click.UsageError):
        assert_parses(["sync", "--evry", "15m"])
    with pytest.raises(click.UsageError):
        assert_parses(["syncs"])


@pytest.mark.parametrize("name", OURS)
def test_each_command_is_one_of_this_version(name: str) -> None:
    command = SERVICES[name].get("command")
    if command is not None and command[0] not in COMMANDS:
        pytest.skip(f"`{command[0]}` is not in this version yet")
    check = SERVICES[name].get("healthcheck")
    assert check is not None or name == "cli"
    for line in filter(None, (command, check and check["test"][2:])):
        assert_parses(line)
    assert check is None or check["test"][:2] == ["CMD", "neo4j-align"]


@pytest.mark.parametrize("name", OURS)
def test_each_variable_is_read(name: str) -> None:
    assert_are_read(list(SERVICES[name]["environment"]))


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_service_is_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not re.match(r"(0|root)\b", service["user"])
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert service["secrets"]
    assert not [name for name in service["environment"] if name in ("NEO4J_PASSWORD", "NEO4J_AUTH")]


def test_what_starts_by_itself() -> None:
    assert {name for name, service in SERVICES.items() if "profiles" not in service} == {"neo4j", "worker", "sync"}
    assert SERVICES["review"]["profiles"] == ["review"]


def test_secrets_are_files_and_volumes_are_named() -> None:
    found = document()
    assert all(list(secret) == ["file"] for secret in found["secrets"].values())
    assert {volume.split(":")[0] for volume in SERVICES["neo4j"]["volumes"]} == set(found["volumes"])


def test_versions_are_pinned_to_what_the_tests_run_on() -> None:
    text = dockerfile()
    images = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert all(re.search(r":\d+\.\d+\.\d+", image) for image in images)
    server = SERVER[0].rpartition(":")[2]
    assert f"neo4j:{server}-community" in images
    extended = next(coordinate for coordinate in APOC if "apoc-extended" in coordinate)
    assert f"APOC_EXTENDED={extended.rpartition(':')[2]}\n" in text
    assert SERVICES["neo4j"]["image"] == f"neo4j-align-neo4j:{server}"
    assert {SERVICES[name]["image"] for name in OURS} == {f"neo4j-align:{__version__}"}
    assert re.search(r"uv==\d", text)


def test_apoc_has_the_settings_of_the_embedded_server() -> None:
    given = {
        name.removeprefix("NEO4J_").replace("_", "."): value
        for name, value in SERVICES["neo4j"]["environment"].items()
        if name.startswith("NEO4J_apoc")
    }
    lines = [line.split("=") for line in APOC_CONFIGURATION.splitlines() if "=" in line]
    assert given == dict(lines)


def test_what_is_copied_is_there_and_sent() -> None:
    copied = re.findall(r"^COPY (?!--)(.*) \S+$", dockerfile(), re.MULTILINE)
    named = {name for line in copied for name in line.split()}
    assert named
    assert all((ROOT / name).exists() for name in named)
    sent = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert {line[1:] for line in sent if line.startswith("!")} == named


def test_the_extras_exist() -> None:
    extras = re.search(r"'\.\[(.*)\]'", dockerfile())
    assert extras is not None
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert all(re.search(rf"^{extra} = \[", declared, re.MULTILINE) for extra in extras[1].split(","))


@linux
def test_hadolint_finds_nothing() -> None:
    found = subprocess.run([BIN / "hadolint", FOLDER / "Dockerfile"], capture_output=True, text=True, timeout=300)
    assert (found.returncode, found.stdout) == (0, "")


@linux
def test_compose_takes_the_file(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "docker")
    profiles = [["--profile", name] for service in SERVICES.values() for name in service.get("profiles", [])]
    # The wheel's own command swallows the exit code.
    compose = next((BIN.parent / "lib").glob("python*/site-packages/compose/docker-compose"))
    command = [compose, "--file", tmp_path / "docker/compose.yml", *itertools.chain(*profiles), "config"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (found.returncode, found.stderr) == (0, "")
    assert yaml.safe_load(found.stdout)["services"].keys() == SERVICES.keys()
