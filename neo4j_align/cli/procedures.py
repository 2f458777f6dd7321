"""`neo4j-align procedures`: look-ups and verdicts as stored procedures, or as statements for any client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from neo4j_align.cli.options import Common, common

if TYPE_CHECKING:
    from neo4j_align.store.procedures import Procedure

_namespace = click.option(
    "--namespace", default="align", show_default=True, help="They are called as custom.NAMESPACE.same_as and so on."
)


@click.group()
def procedures() -> None:
    """Look links up and judge them in Cypher: as stored procedures, or as plain statements.

    \b
    Examples: neo4j-align procedures install
              neo4j-align procedures show same_as > same_as.cypher
    """


@procedures.command()
@_namespace
@common
def install(common: Common, namespace: str) -> None:
    """Install all procedures through APOC Extended, with the mapping of align.toml filled in.

    Installing again replaces them: do so when the mapping has changed. Two alignments in one database take two
    namespaces. On Aura, which lacks APOC Extended, run what `neo4j-align procedures show NAME` prints.

    \b
    Examples: neo4j-align procedures install
              neo4j-align procedures install --config movies.toml --namespace movies
    """
    from neo4j_align.store import procedures as store

    config = common.config()
    with common.connect() as database:
        names = store.install(database, config, namespace)
    text = f"Installed {len(names)} procedures. Try: CALL {names[0].rpartition('.')[0]}.stats()"
    common.result({"installed": names}, text)


@procedures.command("list")
@_namespace
@common
def list_(common: Common, namespace: str) -> None:
    """List the procedures that are installed in the database.

    Example: neo4j-align procedures list --json
    """
    from neo4j_align.store import procedures as store

    with common.connect() as database:
        found = store.installed(database, namespace)
    lines = [f"{row['name']:<32} {row['mode']:<6} {row['purpose']}" for row in found]
    none = f"Nothing is installed as custom.{namespace}. Install it with: neo4j-align procedures install"
    common.result({"procedures": found}, "\n".join(lines) or none)


@procedures.command()
@_namespace
@common
def remove(common: Common, namespace: str) -> None:
    """Remove the installed procedures; links and verdicts stay.

    Example: neo4j-align procedures remove
    """
    from neo4j_align.store import procedures as store

    with common.connect() as database:
        names = store.remove(database, namespace)
    text = f"Removed {len(names)} procedures." if names else f"Nothing was installed as custom.{namespace}."
    common.result({"removed": names}, text)


@procedures.command()
@click.argument("name", required=False)
@common
def show(common: Common, name: str | None) -> None:
    """Print the statement of a procedure, with the mapping of align.toml filled in; without NAME, list all.

    The statement runs on any Neo4j, Aura too, from cypher-shell or a driver. It takes all its parameters. No database
    is needed to print it.

    \b
    Examples: neo4j-align procedures show
              neo4j-align procedures show same_as > same_as.cypher
              cypher-shell -P "{key: 'tt1'}" -f same_as.cypher
    """
    from neo4j_align.store.procedures import Procedure, names

    if name is None:
        found = [Procedure.load(known) for known in names()]
        lines = [f"{one.mode:<5} {one.head}\n      {one.query.purpose}" for one in found]
        common.result({"procedures": [_document(one) for one in found]}, "\n".join(lines))
        return
    one, config = Procedure.load(name), common.config()
    common.result({**_document(one), "statement": one.statement(config)}, one.script(config))


def _document(procedure: Procedure) -> dict[str, Any]:
    return {
        "name": procedure.name,
        "mode": procedure.mode,
        "signature": procedure.head,
        "purpose": procedure.query.purpose,
    }
