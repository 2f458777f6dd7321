"""`report`: what a run found and how good it is, as one page that needs no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neo4j_align.cli.options import Common, common
from neo4j_align.errors import DataError, ModelError

if TYPE_CHECKING:
    from neo4j_align.config import Config
    from neo4j_align.gnn.saved import Model
    from neo4j_align.progress import Stages
    from neo4j_align.report.charts import Picture
    from neo4j_align.report.material import Material
    from neo4j_align.store.database import Database


@click.command()
@click.argument("run", default="last")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("report.html"), show_default=True,
              help="The page.")  # fmt: skip
@click.option("--figures", "pictures", type=click.Path(file_okay=False, path_type=Path),
              help="Folder for the pictures, each as SVG and PNG.")  # fmt: skip
@click.option("--model", "folder", type=click.Path(path_type=Path),
              help="Folder of the run's model: judge the graph anew, instead of showing the run's record.")  # fmt: skip
@click.option("--gold", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="CSV of labels, as for evaluate: measure the model. Takes --model.")  # fmt: skip
@click.option("--split", type=click.Choice(["train", "valid", "test", "all"]), default="test", show_default=True,
              help="Which rows of --gold to judge.")  # fmt: skip
@common
def report(
    common: Common, run: str, out: Path, pictures: Path | None, folder: Path | None, gold: Path | None, split: str
) -> None:
    """Write a report of a run: one HTML file without any network access.

    RUN is a run's id or its beginning; without it, the last run of this alignment. Nothing is written to the
    database.

    From the database alone come what was linked, the scores, the blocking funnel, confidence by number of neighbours,
    drift, timings, the most uncertain and the most surprising links, conflicts, and the precision estimated from
    verdicts. With --model the graph is judged anew, which adds the nearest misses; with --gold the model is measured.
    The page says of each part where it comes from, and what cannot be known. Takes the extra `report`.

    \b
    Examples:
      neo4j-align report
      neo4j-align report 20260131T0815 --out run.html --figures pictures
      neo4j-align report --model models/align --gold gold.csv
    """
    if gold and not folder:
        raise click.UsageError("--gold measures a model: give --model too.")
    from neo4j_align import web
    from neo4j_align.progress import Stages
    from neo4j_align.report import contents, known
    from neo4j_align.store import runs

    config = common.config()
    with common.connect() as database, common.progress() as progress:
        shown = runs.show(database, run, config)
        material = _gather(database, config, shown, Stages(progress), folder, gold, split)
    sections = contents.sections(material)
    drawn = [section.picture for section in sections if section.picture]
    page = web.page("report.html", title=contents.title(material), sections=sections)
    files = [_save(out, page.encode())]
    files += [file for picture in drawn if pictures for file in _draw(pictures, picture)]
    document: dict[str, Any] = {
        "run": shown["id"],
        "files": [str(file) for file in files],
        "verdicts": known.verdicts(material),
        "gold": material.gold,
    }
    notes = known.section(material).notes
    common.result(document, "\n".join([f"Report of run {shown['id']} in {out}.", *notes]))


def _gather(
    database: Database,
    config: Config,
    run: dict[str, Any],
    stages: Stages,
    folder: Path | None,
    gold: Path | None,
    split: str,
) -> Material:
    """Read what stands in the database, and with a model judge and measure anew."""
    from neo4j_align.cli.learn import read_table
    from neo4j_align.report.material import Material
    from neo4j_align.store import entities, links, procedures, runs

    examined = figures = None
    if folder:
        from neo4j_align.pipeline import Aligner

        model, aligner = _model(folder, run), Aligner(config, database, stages)
        examined = aligner.examine(model, run.get("precision"))
        if gold:
            table = read_table(gold)
            figures = aligner.evaluate(model, table, None if split == "all" else split, run.get("precision"))
    return Material(
        config=config,
        run=run,
        latest=runs.show(database, "last", config)["id"],
        nodes=examined.nodes if examined else entities.pull(database, config),
        stored=links.stored(database, config),
        conflicts=procedures.call(database, config, "conflicts"),
        examined=examined,
        gold=figures,
    )


def _model(folder: Path, run: dict[str, Any]) -> Model:
    """Load the run's model.

    Raises:
        ModelError: The folder holds another, or no complete one.
    """
    from neo4j_align.gnn import saved

    model = saved.load(folder)
    if model.about.id != run.get("model"):
        raise ModelError(
            f"Run {run['id']} was made by model {run.get('model')}, and {folder} holds {model.about.id}. Give the "
            "folder of the run's model, or leave --model out: the run's own record is shown then."
        )
    return model


def _draw(folder: Path, picture: Picture) -> list[Path]:
    return [
        _save(folder / f"{picture.name}.svg", picture.svg.encode()),
        _save(folder / f"{picture.name}.png", picture.png()),
    ]


def _save(path: Path, content: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise DataError(f"Cannot write {path}: {error.strerror}. Choose another place.") from error
    return path
