"""The engine ray against the local one on the example in a real database, with workers that die."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest

from neo4j_align.cluster import Ray
from neo4j_align.config import Config
from neo4j_align.engine import Advance, Given, Item, Made
from neo4j_align.gnn import partition
from neo4j_align.gnn.saved import Model
from neo4j_align.pipeline import Aligner
from neo4j_align.progress import Stages
from neo4j_align.store import candidates, entities, sampling
from neo4j_align.store.database import Database
from tests.integration.conftest import EXAMPLE, Run, document
from tests.unit import work

PAIRS = 500  # of a partition, so that the example has several
LEFT = 30  # entities whose candidates one task looks for
NODES = 200  # that one task reads
WORKERS = 2


@dataclass
class Mortal:
    """A Ray of which one worker is killed in the middle of its task.

    Attributes:
        notes: an empty folder; works: names of what it was given to do.
    """

    notes: Path
    threads: int = 1
    works: set[str] = field(default_factory=set)

    def map(
        self, do: Callable[[Given, Item], Made], given: Given, items: Iterable[Item]
    ) -> Generator[Made, None, None]:
        self.works.add(do.__name__)
        return Ray(WORKERS).map(functools.partial(work.mortal, self.notes, os.getpid(), do), given, items)

    def learn(self, work: Callable[[Given, Advance], Made], given: Given, advance: Advance) -> Made:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partition, "PAIRS", PAIRS)
    monkeypatch.setattr(candidates, "AT_ONCE", LEFT)
    monkeypatch.setattr(entities, "READ_AT_ONCE", NODES)
    monkeypatch.setattr(sampling, "EXPANDED_AT_ONCE", NODES)


def test_links_and_scores_are_those_of_the_local_engine(
    example: Database, config: Config, model: Model, tmp_path: Path
) -> None:
    expected = Aligner(config, example).score(model)
    engine, told = Mortal(tmp_path), []
    stages = Stages(listener=lambda *step: told.append(step))
    found = Aligner(config, example, stages, engine=engine).score(model)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert found["linked"].sum() > 20
    assert (tmp_path / "died").exists()
    assert engine.works == {"batch", "edges", "nearest", "compared", "judged"}
    scored = [done for stage, done, _ in told if stage == "score"]
    assert scored == [*range(0, len(found), PAIRS), len(found)]  # the bar moves with each partition


def test_train_with_ray_gives_the_model_of_the_local_engine(
    run: Run, example: Database, model: Model, tmp_path: Path
) -> None:
    labels = ["--labels", EXAMPLE / "gold.csv", "--model", tmp_path / "model"]
    found = document(run("train", "--config", EXAMPLE / "align.toml", *labels, "--engine", "ray", "--json"))
    assert found["model"] == model.about.id


def test_align_and_sync_write_with_ray_what_they_write_without(
    run: Run, example: Database, config: Config, model: Model, model_folder: Path
) -> None:
    options = ["--config", EXAMPLE / "align.toml", "--model", model_folder, "--engine", "ray", "--json"]
    written = document(run("align", *options))
    assert written["created"] == written["links"] > 20
    local = Aligner(config, example).align(model)
    assert local.changes == {"created": 0, "updated": 0, "retired": 0}
    example.write("MATCH (n:Catalogue) WHERE n.title IS NOT NULL WITH n LIMIT 30 SET n.title = n.title + ' x'")
    synced = document(run("sync", *options))
    assert synced["changed_entities"] > 0
    assert Aligner(config, example).align(model).changes == {"created": 0, "updated": 0, "retired": 0}
