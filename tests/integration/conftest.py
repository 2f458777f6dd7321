"""What the integration tests share: commands run as a user runs them, and a model trained once a session."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from neo4j_align.cli import main
from neo4j_align.cli.learn import read_table
from neo4j_align.config import Config, Connection, load_config
from neo4j_align.gnn.saved import Model
from neo4j_align.pipeline import Aligner
from neo4j_align.store.database import Database
from neo4j_align.store.loader import read_folder, write_graph
from tests.conftest import empty

EXAMPLE = Path(__file__).parents[2] / "examples" / "media"
Run = Callable[..., Result]


@pytest.fixture
def run(database: Database, neo4j_connection: Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command in an empty folder, connected to the emptied database."""
    monkeypatch.chdir(tmp_path)
    for variable in ("NEO4J_DATABASE", "NEO4J_PASSWORD_FILE", "NEO4J_CREDENTIALS_FILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("NEO4J_URI", neo4j_connection.uri)
    monkeypatch.setenv("NEO4J_USERNAME", neo4j_connection.username)
    monkeypatch.setenv("NEO4J_PASSWORD", neo4j_connection.password.get_secret_value())

    def invoke(*arguments: str | Path, code: int = 0) -> Result:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        assert result.exit_code == code, result.output
        return result

    return invoke


@pytest.fixture(scope="session")
def config() -> Config:
    return load_config(EXAMPLE / "align.toml")


@pytest.fixture
def example(database: Database) -> Database:
    """The database with the example graphs in it."""
    load_example(database)
    return database


def load_example(database: Database) -> None:
    """Leave the example graphs in a database, and nothing else."""
    empty(database)
    for graph in read_folder(EXAMPLE, "Catalogue", "Wiki"):
        write_graph(database, graph)


@pytest.fixture(scope="session")
def _models(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Model]:
    return {}


@pytest.fixture
def model(
    example: Database, config: Config, _models: dict[Path, Model], tmp_path_factory: pytest.TempPathFactory
) -> Model:
    """A model of the example; trained once a session."""
    if not _models:
        folder = tmp_path_factory.mktemp("model")
        _models[folder] = Aligner(config, example).train(read_table(EXAMPLE / "gold.csv"), folder)
    return next(iter(_models.values()))


@pytest.fixture
def model_folder(model: Model, _models: dict[Path, Model]) -> Path:
    return next(iter(_models))


def document(result: Result) -> dict[str, Any]:
    """Return the JSON document that a command printed."""
    parsed: dict[str, Any] = json.loads(result.stdout)
    return parsed
