"""`load`, `init`, `check`: graphs into the database, their mapping, and what is wrong with either."""

from __future__ import annotations

from pathlib import Path

import click

from neo4j_align.cli.options import Common, common


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--left-label", required=True, help="Label for the nodes of the left graph.")
@click.option("--right-label", required=True, help="Label for the nodes of the right graph.")
@common
def load(common: Common, folder: Path, left_label: str, right_label: str) -> None:
    """Load two graphs from files; loading them again changes nothing.

    FOLDER holds left.nodes.jsonl and right.nodes.jsonl (one JSON object a line: `uid`, `type`, attributes),
    left.edges.csv and right.edges.csv (`source,relation,target`, by uid). Each node gets the label of its
    side and its type as label.

    \b
    Example: neo4j-align load my-folder --left-label IMDb --right-label Freebase
    """
    import shlex

    from neo4j_align.store.loader import read_folder, write_graph

    graphs = read_folder(folder, left_label, right_label)
    nodes, relationships = (sum(counts) for counts in zip(*(graph.counts for graph in graphs), strict=True))
    with common.connect() as database, common.progress() as progress:
        task = progress.add_task("Loading", total=nodes + relationships)
        for graph in graphs:
            write_graph(database, graph, lambda count: progress.advance(task, count))
    sides = f"--left-label {shlex.quote(left_label)} --right-label {shlex.quote(right_label)}"
    common.result(
        {"nodes": nodes, "relationships": relationships},
        f"Loaded {nodes:,} nodes and {relationships:,} relationships. Next: neo4j-align init {sides}",
    )


@click.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; default --config.")
@click.option("--left-label", help="Label of the left graph's nodes; guessed where it can be.")
@click.option("--right-label", help="Label of the right graph's nodes; guessed where it can be.")
@click.option("--side-property", help="Property that tells the graphs apart by its two values, instead of labels.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@common
def init(
    common: Common,
    output: Path | None,
    left_label: str | None,
    right_label: str | None,
    side_property: str | None,
    force: bool,
) -> None:
    """Guess how the two graphs map to each other, and write it to align.toml for you to correct.

    Looks at labels, keys, properties and relations, and pairs types, attributes and relations by their names,
    their values and what they join. Nothing is written to the database.

    \b
    Examples: neo4j-align init
              neo4j-align init --left-label IMDb --right-label Freebase
              neo4j-align init --side-property source --output movies.toml
    """
    from neo4j_align.errors import ConfigError
    from neo4j_align.mapping import guess
    from neo4j_align.store.introspect import profile
    from neo4j_align.toml_text import mapping_text

    path = output or common.config_path
    if path.exists() and not force:
        raise ConfigError(f"{path} exists. Overwrite it with --force, or choose another file with --output.")
    if side_property and (left_label or right_label):
        raise click.UsageError("Give either labels or --side-property.")
    with common.connect() as database:
        left, right = profile(database, left_label, right_label, side_property)
    mapping = guess(left, right)
    try:
        path.write_text(mapping_text(mapping, left, right), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"Cannot write {path}: {error.strerror}. Choose another file with --output.") from error
    config = mapping.config
    lines = [f"Wrote {path}. Correct it, then: neo4j-align check"]
    for what, entries in (("types", config.types), ("relations", config.relations)):
        paired = [f"{entry.left} = {entry.right}" for entry in entries if entry.left and entry.right]
        alone = len(entries) - len(paired)
        lines.append(
            f"  {what}: {', '.join(paired[:20])}{' …' if len(paired) > 20 else ''}; {alone} without counterpart"
        )
    common.result(
        {"output": str(path), **config.model_dump(include={"left", "right", "types", "relations"})}, "\n".join(lines)
    )


@click.command()
@click.option("--create-indexes", is_flag=True, help="First create the indexes and constraints that are missing.")
@common
def check(common: Common, create_indexes: bool) -> None:
    """Say what stands in the way of an alignment, each with its remedy.

    Looks at the connection, the server, the rights of the user, the mapping in align.toml against the
    database, indexes and constraints, and torch. The exit code is 1 when something is wrong.

    \b
    Example: neo4j-align check --create-indexes
    """
    from dataclasses import asdict

    from neo4j_align.store import checks

    found = checks.check(common.connect, common.config, create_indexes)
    problems = [asdict(problem) for problem in found.problems]
    lines = [f"{problem['level']}: {problem['what']}\n  {problem['remedy']}" for problem in problems]
    versions = {"server": found.server, **found.packages}
    shown = ", ".join(f"{name} {version or 'missing'}" for name, version in versions.items())
    lines.append(f"{'Ready' if found.ok else 'Not ready'} to align: {shown}")
    lines += ["Next: neo4j-align train --labels labels.csv, or without labels: neo4j-align train"] * found.ok
    common.result({"ok": found.ok, "problems": problems, **versions}, "\n".join(lines))
    if not found.ok:
        if common.quiet and not common.json:
            click.echo("\n".join(lines), err=True)
        click.get_current_context().exit(1)
