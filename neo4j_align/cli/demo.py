"""`neo4j-align demo`: the main job on the example, and what to do next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neo4j_align.cli.learn import figures, read_table
from neo4j_align.cli.options import Common, common, table

if TYPE_CHECKING:
    import pandas as pd

    from neo4j_align.config import Connection
    from neo4j_align.explain import Explainer
    from neo4j_align.store.database import Database

_LABELS = "Catalogue", "Wiki"
_SHOWN = 12  # links of the table


@click.command()
@click.option("--model", "folder", type=click.Path(path_type=Path), default=Path("models/demo"), show_default=True,
              help="Folder for the trained model.")  # fmt: skip
@common
def demo(common: Common, folder: Path) -> None:
    """Load two example graphs, train, align them, and show the links.

    Uses the Neo4j that NEO4J_URI (or --uri) names, else starts an embedded one, which takes the `server` extra and,
    the first time, a minute to fetch it. The example lies under the labels Catalogue and Wiki.

    \b
    Example: neo4j-align demo
    """
    from neo4j_align.config import load_config
    from neo4j_align.pipeline import Aligner
    from neo4j_align.progress import Stages
    from neo4j_align.resources import folder as resource
    from neo4j_align.store.database import Database

    example = resource("examples/media")
    gold = read_table(example / "gold.csv")
    connection = _connection(common)
    with Database.open(connection) as database, common.progress() as progress:
        _load(database, example)
        aligner = Aligner(load_config(example / "align.toml"), database, Stages(progress))
        model = aligner.train(gold, folder)
        found = aligner.align(model)
        held_out = aligner.evaluate(model, gold, "test")
        links = _named(database, found.links)
        cases = _hard_cases(database, aligner.explainer(model))
        answers = _answers(database, (example / "queries.cypher").read_text(encoding="utf-8"))
    document = {
        "uri": connection.uri,
        "links": len(links),
        **found.changes,
        "seconds": aligner.stages.seconds,
        "held_out": held_out,
        "hard_cases": cases,
        "queries": answers,
    }
    common.result(document, _story(links, held_out, cases, answers, connection.uri))


def _connection(common: Common) -> Connection:
    """Return the connection asked for, else that of the embedded server, started."""
    from neo4j_align.config import has_connection

    if common.uri or has_connection():
        return common.connection()
    from neo4j_align.cli.server import reporter
    from neo4j_align.store.embedded import EmbeddedServer

    with common.progress() as progress:
        return EmbeddedServer().start(None, reporter(progress))


def _load(database: Database, example: Path) -> None:
    from neo4j_align.store.loader import read_folder, write_graph

    for graph in read_folder(example, *_LABELS):
        write_graph(database, graph)


def _named(database: Database, links: pd.DataFrame) -> pd.DataFrame:
    """Add the names of both ends to links, most telling first: those whose names differ, then by confidence."""
    import pandas as pd

    rows = database.read("MATCH (n:Catalogue|Wiki) RETURN n.uid AS uid, coalesce(n.title, n.name) AS name")
    names = pd.DataFrame(rows).set_index("uid")["name"]
    links = links.assign(left_name=links["left"].map(names), right_name=links["right"].map(names))
    differ = links["left_name"].str.casefold() != links["right_name"].str.casefold()
    order = links.assign(differ=differ).sort_values(["differ", "confidence", "left"], ascending=[False, True, True])
    return order.drop(columns="differ")


def _hard_cases(database: Database, explainer: Explainer) -> list[dict[str, Any]]:
    """Look up the two named cases of the example, an actor under two names, a song and its remix, and say why."""
    return [
        {
            **{name: row[name] for name in ("left", "right", "linked", "confidence")},
            "explanation": explainer.explain(row["left_key"], row["right_key"]).document(),
        }
        for left, right in (("Aditya Raj", "Aditya Raj Kapoor"), ("Radioactive", "Radioactive"))
        for row in database.read(
            "MATCH (l:Catalogue) WHERE coalesce(l.title, l.name) = $left MATCH (r:Wiki {name: $right}) "
            "OPTIONAL MATCH (l)-[s:SAME_AS]->(r) "
            "RETURN $left AS left, $right AS right, l.uid AS left_key, r.uid AS right_key, s IS NOT NULL AS linked, "
            "s.confidence AS confidence",
            left=left,
            right=right,
        )
    ]


def _answers(database: Database, source: str) -> list[dict[str, Any]]:
    """Run each query of a file, `// what it shows` before it, once."""
    queries = []
    for statement in filter(None, map(str.strip, source.split(";\n"))):
        title, _, query = statement.removeprefix("//").partition("\n")
        queries.append({"title": title.strip(), "query": query, "rows": database.read(query)})
    return queries


def _story(
    links: pd.DataFrame,
    held_out: dict[str, Any],
    cases: list[dict[str, Any]],
    answers: list[dict[str, Any]],
    uri: str,
) -> str:
    shown = links.head(_SHOWN)[["type", "left_name", "right_name", "confidence"]]
    lines = [f"{len(links)} links written as SAME_AS. Those whose names differ, the least certain first:", ""]
    lines += [
        table([{str(k): v for k, v in row.items()} for row in shown.to_dict("records")]),
        "",
        "Figures on the held-out test split, which training never saw:",
        "",
    ]
    lines += [figures(held_out), "", "Two hard cases:", ""]
    for case in cases:
        verdict = f"linked, confidence {case['confidence']:.2f}" if case["linked"] else "not linked"
        lines += [f"  {case['left']} | {case['right']}: {verdict}", f"    {case['explanation']['reason']}"]
    lines += ["", "Queries to paste into Neo4j Browser or cypher-shell, each with its result:"]
    for answer in answers:
        lines += ["", f"// {answer['title']}", answer["query"] + ";", "", table(answer["rows"])]
    lines += ["", f"The graphs are at {uri}; `neo4j-align server status` tells how to connect to the embedded Neo4j,"]
    lines += ["`neo4j-align server stop` stops it. Next, for your own graphs: neo4j-align init, check, train, align."]
    return "\n".join(lines)
