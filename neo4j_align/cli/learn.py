"""`train`, `align`, `evaluate`: from labels to a model, from a model to links, from links to figures."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neo4j_align.cli.options import MODEL, Common, common, engine, model
from neo4j_align.engine import named
from neo4j_align.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_precision = click.option(
    "--precision", type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Choose each type's threshold so that its links have this precision, and say what recall that leaves.",
)  # fmt: skip
_FIGURES = ("precision", "recall", "f1", "prauc", "hits_at_1", "pair_completeness", "ece", "ece_links")


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV of labels, keys as text.

    Raises:
        DataError: It cannot be read as a table.
    """
    import pandas as pd

    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8. Save the file as UTF-8.") from error
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path} is empty. Its first line names the columns, at least left,right.") from error
    except (OSError, ValueError) as error:
        raise DataError(f"Cannot read {path} as CSV: {str(error).splitlines()[0]}") from error
    if not isinstance(table.index, pd.RangeIndex):  # pandas took the first values for names of the rows
        raise DataError(
            f"{path} has {len(table.columns)} columns by its first line and more values in the others: see whether a "
            "comma is missing there, or too many here; a value with a comma in it stands in double quotes."
        )
    return table


@click.command()
@click.option("--labels", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="CSV: left,right[,label][,split][,type]; left and right are keys.")  # fmt: skip
@model
@engine
@common
def train(common: Common, path: Path | None, folder: Path, engine: str) -> None:
    """Train a model on labelled pairs, or on none, and save it.

    Without --labels the model teaches itself: it starts from entities that alone bear a name on both sides, and adds
    what it is sure of by then. With fewer than a hundred true pairs it does so too, and keeps to these; and for types
    that the labels leave out, or of which such names tell far more pairs and nearly those of the labels. Its
    figures are measured on such labels of its own, so they say little.

    Without a `label` column the file lists links: what is not listed is not a link among the listed entities. With
    it, 1 and 0 say which pairs are the same. Without a `split` column (train, valid, test) seeded splits are made;
    the test split is never looked at.

    \b
    Examples:
      neo4j-align train --labels labels.csv --model models/films
      neo4j-align train
    """
    from neo4j_align.pipeline import Aligner
    from neo4j_align.progress import Stages

    config, table = common.config(), None if path is None else read_table(path)
    with common.connect() as database, common.progress() as progress:
        trained = Aligner(config, database, Stages(progress), engine=named(engine)).train(table, folder)
    training = trained.about.training
    own = training["labels"]["guessed"]
    judged = f"validation, of {' and '.join(own)} with labels of its own" if own else "validation"
    judged = "labels of its own" if len(own) == len(config.types) else judged
    document = {"model": trained.about.id, "folder": str(folder), **training}
    option = "" if folder == MODEL else f" --model {shlex.quote(str(folder))}"
    text = (
        f"Model {trained.about.id} saved in {folder} after {training['seconds']:.0f} s.\n"
        f"On {judged}:\n{figures(training['validation'])}\nNext: neo4j-align align{option}"
    )
    common.result(document, text)


@click.command()
@model
@_precision
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@click.option("--profile", is_flag=True, help="Say where the time went, by stage, with throughput and memory.")
@engine
@common
def align(common: Common, folder: Path, precision: float | None, dry_run: bool, profile: bool, engine: str) -> None:
    """Align the two graphs: write SAME_AS relationships with confidences.

    Links that are no longer found are retired, links that are there already stay as they are: running it twice
    changes nothing. A person's verdicts are never touched.

    With --precision a type whose validation links never reach it gets no links; a `threshold` in the configuration
    comes first. A warning says where there are too few labels to promise it, and how many more it takes.

    \b
    Examples:
      neo4j-align align --dry-run
      neo4j-align align --precision 0.95
      neo4j-align align --model models/films --json
      RAY_ADDRESS=10.0.0.1:6379 neo4j-align align --engine ray
    """
    from neo4j_align.gnn import saved
    from neo4j_align.pipeline import Aligner
    from neo4j_align.progress import Stages
    from neo4j_align.recall import beside

    config, trained = common.config(), saved.load(folder)
    with common.connect() as database, common.progress() as progress:
        aligner = Aligner(config, database, Stages(progress), beside(folder), named(engine))
        found = aligner.align(trained, dry_run, precision)
    stages = aligner.stages
    document: dict[str, Any] = {
        "run": found.run,
        "model": trained.about.id,
        "dry_run": dry_run,
        "candidates": found.candidates,
        "links": len(found.links),
        **found.changes,
        "drift": found.drift,
        "seconds": stages.seconds,
    }
    lines = [
        f"{len(found.links):,} links among {found.candidates:,} candidates: "
        + ", ".join(f"{count:,} {'to be ' * dry_run}{what}" for what, count in found.changes.items())
        + f" ({stages.seconds:.0f} s).",
        *(f"  {kind}: {count:,}" for kind, count in found.links["type"].value_counts().items()),
    ]
    if found.target:
        document["target"] = found.target.document()
        lines += _expected(document["target"])
    if profile:
        document["stages"] = stages.done
        lines += stages.lines()
    common.result(document, "\n".join(lines))


@click.command()
@click.option("--gold", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True,
              help="CSV: left,right[,label][,split][,type]; left and right are keys.")  # fmt: skip
@click.option("--split", type=click.Choice(["train", "valid", "test", "all"]), default="test", show_default=True,
              help="Which rows to judge. A file without splits is judged whole, unless it was trained on.")  # fmt: skip
@model
@_precision
@engine
@common
def evaluate(common: Common, path: Path, split: str, folder: Path, precision: float | None, engine: str) -> None:
    """Measure the links of a model against gold labels; nothing is written.

    Without a `label` column the file lists all links of the types that it covers, so every other link is wrong. With
    it, exactly the labelled pairs are judged, and a pair that blocking missed counts as a "no".

    \b
    Examples:
      neo4j-align evaluate --gold gold.csv --split test
      neo4j-align evaluate --gold gold.csv --precision 0.95
    """
    from neo4j_align.gnn import saved
    from neo4j_align.pipeline import Aligner
    from neo4j_align.progress import Stages

    config, trained, table = common.config(), saved.load(folder), read_table(path)
    with common.connect() as database, common.progress() as progress:
        aligner = Aligner(config, database, Stages(progress), engine=named(engine))
        result = aligner.evaluate(trained, table, None if split == "all" else split, precision)
    common.result(result, "\n".join([figures(result), *_expected(result.get("target", {"types": {}}))]))


def _expected(target: dict[str, Any]) -> list[str]:
    """Say of each type what its threshold gives, as far as validation knows."""
    return [
        f"  {kind}: precision {point['precision']:.3f}, recall {point['recall']:.3f} are expected at threshold "
        f"{point['threshold']:.3f} ({point['links']:,} validation links)"
        for kind, point in target["types"].items()
        if point["threshold"] is not None and point["precision"] is not None
    ]


def figures(result: dict[str, Any]) -> str:
    """Lay out figures as a table, one line a type."""
    rows = {"all": result, **result["types"]} if len(result["types"]) > 1 else result["types"]
    lines = [f"{'':<12}" + "".join(f"{name:>{len(name) + 6}}" for name in _FIGURES)]
    lines += [
        f"{kind:<12}" + "".join(f"{row[name]:>{len(name) + 6}.4f}" for name in _FIGURES) for kind, row in rows.items()
    ]
    return "\n".join(lines)
