"""The documentation: built, its links whole, its reference what the code says, its blocks of known kinds."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from neo4j_align.config import Connection, load_config, parse_config
from tests.docs import reference
from tests.docs.blocks import ROOT, RUN, assert_parses, blocks, commands

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
OTHERS = ["README.md", "CONTRIBUTING.md", "examples/media/README.md", "examples/schedule/README.md"]
LANGUAGES = {*RUN, "text", "toml"}
# What commands and examples name, so that click finds it.
FILES = ("labels.csv", "gold.csv", "checked.csv", "wrong.csv")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FILES:
        (tmp_path / name).touch()
    (tmp_path / "my-folder").mkdir()
    monkeypatch.chdir(tmp_path)


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "zensical"), "build", "--strict"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    shutil.copytree(DOCS, tmp_path / "docs")
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    return tmp_path


@pytest.mark.skipif(sys.version_info < (3, 11), reason="zensical takes Python 3.11")
class TestSite:
    def test_it_builds_and_every_link_leads_somewhere(self, site: Path) -> None:
        found = build(site)
        assert found.returncode == 0, click.unstyle(found.stdout)
        assert all((site / "site" / page).with_suffix(".html").exists() for page in PAGES)
        method = (site / "site" / "method.html").read_text(encoding="utf-8")
        assert '<math display="block"' in method
        assert "$$" not in method

    @pytest.mark.parametrize("link", ["missing.md", "tutorial.md#nowhere"])
    def test_a_broken_link_is_seen(self, site: Path, link: str) -> None:
        (site / "docs" / "index.md").write_text(f"# Broken\n\n[there]({link})\n", encoding="utf-8")
        assert build(site).returncode != 0


def test_the_navigation_has_every_page_once() -> None:
    text = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    assert sorted(re.findall(r'= "(\S+\.md)"', text)) == PAGES


@pytest.mark.parametrize("page", OTHERS)
def test_links_between_files_lead_somewhere(page: str) -> None:
    path = ROOT / page
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("page", reference.PAGES)
def test_the_reference_is_what_the_code_says(page: str) -> None:
    written = (DOCS / page).read_text(encoding="utf-8")
    assert written == reference.PAGES[page](), "python -m tests.docs.reference"


def test_every_setting_is_described() -> None:
    models: list[type[BaseModel]] = [*reference.SECTIONS.values(), Connection]
    assert [f"{m.__name__}.{n}" for m in models for n, one in m.model_fields.items() if not one.description] == []
    assert {model.__name__ for model in reference.SECTIONS.values()} >= {
        type(section).__name__ for section in load_config(ROOT / "examples/media/align.toml").__dict__.values()
    } - {"tuple"}


def test_constraints_and_indexes_are_described() -> None:
    page = (DOCS / "reference/database.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` | {purpose} |" in page for name, purpose in reference.schema_objects().items())


@pytest.mark.parametrize("page", PAGES)
def test_blocks_are_of_known_kinds(page: str) -> None:
    assert [f"line {b.line}: {b.language!r}" for b in blocks(DOCS / page) if b.language not in LANGUAGES] == []


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("page", PAGES)
def test_what_is_not_run_is_parsed(page: str) -> None:
    for block in blocks(DOCS / page):
        if block.reason and block.language == "bash":
            checked = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True)
            assert checked.returncode == 0, f"line {block.line}: {checked.stderr}"
            for arguments in commands(block.text):
                assert_parses(arguments)


@pytest.mark.usefixtures("files")
def test_examples_of_the_commands_and_of_the_readme_are_taken() -> None:
    helps = [block.text for block in blocks(DOCS / "reference/commands.md")]
    examples = [
        line for text in helps for line in text.splitlines() if re.match(r"  +(Examples?: +)?\S*neo4j-al", line)
    ]
    readme = [block.text for block in blocks(ROOT / "README.md") if block.language == "sh"]
    found = [arguments for text in [*examples, *readme] for arguments in commands(text)]
    assert len(found) > 50
    for arguments in found:
        assert_parses(arguments)


@pytest.mark.usefixtures("files")
def test_a_command_that_is_none_is_seen() -> None:
    assert commands('eval "$(neo4j-align server start --env)" && x') == [["server", "start", "--env"]]
    assert commands("docker compose run --rm cli train --labels l.csv | x") == [["train", "--labels", "l.csv"]]
    for line in ("alin", "align --dry", "train --labels missing.csv"):
        with pytest.raises(click.UsageError):
            assert_parses(line.split())


@pytest.mark.parametrize("page", PAGES)
def test_settings_are_taken(page: str) -> None:
    example = tomllib.loads((ROOT / "examples/media/align.toml").read_text(encoding="utf-8"))
    for block in blocks(DOCS / page):
        if block.language == "toml":
            parse_config({**example, **tomllib.loads(block.text)})
