"""The report through the command line, on a real server: from the database alone, with the model, with gold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neo4j_align.config import Config, Connection
from neo4j_align.gnn.saved import Model
from neo4j_align.pipeline import Aligner
from neo4j_align.store import runs, verdicts
from neo4j_align.store.database import Database
from tests.integration.conftest import EXAMPLE, Run, document
from tests.unit.test_report import Page

SETTINGS = ("--config", EXAMPLE / "align.toml")
GOLD = EXAMPLE / "gold.csv"
PICTURES = ("degrees", "drift", "funnel", "precision-recall", "reliability", "scores", "timings")


@pytest.fixture
def aligned(example: Database, config: Config, model: Model) -> str:
    """The id of a run on the example."""
    found = Aligner(config, example).align(model)
    assert found.run
    return found.run


def test_the_database_alone(
    run: Run, example: Database, aligned: str, neo4j_connection: Connection, tmp_path: Path
) -> None:
    said = document(run("report", *SETTINGS, "--out", "one.html", "--figures", "pictures", "--json"))
    run("report", aligned[:-2], *SETTINGS, "--out", "two.html", "--figures", "again")
    one, two = ((tmp_path / name).read_bytes() for name in ("one.html", "two.html"))
    pictures = {f"{name}.{kind}" for name in PICTURES for kind in ("svg", "png")}

    assert one == two
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == pictures
    assert all(
        (tmp_path / "pictures" / name).read_bytes() == (tmp_path / "again" / name).read_bytes() for name in pictures
    )
    assert said["run"] == aligned
    assert len(said["files"]) == 1 + len(pictures)
    parsed = Page(one.decode())
    assert all(load.startswith("#") for load in parsed.loads)
    assert parsed.tags["svg"] == len(PICTURES)
    for text in ("No link of this model was reviewed yet", "nobody knows the recall", "Сергей Эйзенштейн", aligned):
        assert text in parsed.text
    for secret in (neo4j_connection.password.get_secret_value(), neo4j_connection.uri):
        assert secret not in one.decode()


def test_a_run_keeps_a_small_account_that_adds_up(example: Database, config: Config, aligned: str) -> None:
    kept = runs.show(example, aligned, config)
    told = json.loads(kept["account"])
    assert len(kept["account"]) < 8_000
    assert sum(kind["links"] for kind in told["types"].values()) == kept["links"] == sum(told["scores"]["links"])
    assert sum(kind["candidates"] for kind in told["types"].values()) == kept["candidates"]
    assert sum(map(sum, told["scores"].values())) == kept["candidates"]
    assert sum(told["degrees"]["links"]) == kept["links"]
    assert sum(pairs for _, _, pairs in told["reliability"]) > 100
    assert told["operating"]["film"]["chosen"][0] == pytest.approx(told["types"]["film"]["threshold"], abs=1e-5)


def test_the_model_judges_anew_and_is_measured(run: Run, aligned: str, model_folder: Path, tmp_path: Path) -> None:
    given = (*SETTINGS, "--model", model_folder)
    said = document(run("report", *given, "--gold", GOLD, "--json"))
    figures = document(run("evaluate", *given, "--gold", GOLD, "--json"))
    assert said["gold"] == figures
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8")).text
    assert f"recall {100 * figures['recall']:.1f} %" in page
    assert "The nearest misses" in page
    assert "The graph is as the run saw it" in page
    assert "nobody knows the recall" not in page


def test_what_changed_since_is_said(
    run: Run, example: Database, aligned: str, model_folder: Path, tmp_path: Path
) -> None:
    example.write("MATCH (n:Film) WITH n ORDER BY n.uid LIMIT 1 SET n.title = 'Another'")
    later = document(run("align", *SETTINGS, "--model", model_folder, "--json"))["run"]
    run("report", aligned, *SETTINGS, "--model", model_folder)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8")).text
    assert f"Run {later} came later" in page
    assert "The graph has changed since the run" in page


def test_verdicts_estimate_the_precision_and_conflicts_are_named(
    run: Run, example: Database, config: Config, aligned: str, tmp_path: Path
) -> None:
    rows = example.read(
        "MATCH (l)-[s:SAME_AS]->(r) RETURN l.uid AS left, r.uid AS right, s.pair AS pair ORDER BY s.confidence, s.pair"
    )
    judged = [
        {**{side: row[side] for side in ("left", "right")}, "by": "<b>ana</b>", "note": None} for row in rows[:30]
    ]
    verdicts.judge(example, config, "confirm", judged[10:])
    verdicts.judge(example, config, "reject", judged[:11])  # one of them was confirmed too

    found = document(run("report", *SETTINGS, "--json"))["verdicts"]
    assert (found["reviewed"], found["right"]) == (29, 19)
    assert not found["random"]
    assert found["links"] == len(rows) - 1
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "not a random sample" in page.text
    assert "confirmed and rejected" in page.text
    assert "<b>ana</b>" in page.text
    assert not page.tags["b"]


@pytest.mark.parametrize(
    ("arguments", "code", "remedy"),
    [
        (("--gold", GOLD), 2, "give --model"),
        (("nothing",), 1, "neo4j-align runs list"),
        (("--model", "missing"), 1, "holds no complete model"),
        (("--out", "align.toml/report.html"), 1, "Choose another place"),
    ],
    ids=["gold alone", "no such run", "no model", "no such place"],
)
def test_mistakes_are_told(
    run: Run, aligned: str, tmp_path: Path, arguments: tuple[str, ...], code: int, remedy: str
) -> None:
    (tmp_path / "align.toml").write_bytes((EXAMPLE / "align.toml").read_bytes())
    assert remedy in run("report", *arguments, code=code).output


def test_another_model_than_the_runs_is_refused(run: Run, example: Database, aligned: str, model_folder: Path) -> None:
    example.write("MATCH (run:AlignRun) SET run.model = 'older'")
    assert "leave --model out" in run("report", *SETTINGS, "--model", model_folder, code=1).output
