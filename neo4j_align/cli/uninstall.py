"""`uninstall`: leaves no trace."""

from __future__ import annotations

import click

from neo4j_align.cli.options import Common, common


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--namespace", default="align", show_default=True, help="Of the stored procedures: custom.<namespace>.*")
@common
def uninstall(common: Common, yes: bool, namespace: str) -> None:
    """Remove everything that neo4j-align has put into the database, links and verdicts included.

    It says what that is and asks first. Your nodes, their properties and relationships, and a SAME_AS of your own
    (one without the property `pair`) stay as they are.

    \b
    Examples:
      neo4j-align uninstall
      neo4j-align uninstall --yes --json
    """
    from neo4j_align.store import uninstall as store

    with common.connect() as database:
        found = store.traces(database, namespace)
        named = [f"{number:,} {what}" for what, number in found.counts.items()]
        named += [f"{'constraint' if owned else 'index'} {name}" for name, owned in found.schema.items()]
        named += [f"procedure {name}" for name in found.procedures]
        named += ["the trigger that notes changes"] * found.trigger
        if named and not yes:
            click.echo("This removes:\n" + "\n".join(f"  {line}" for line in named), err=True)
            click.confirm("Remove it?", abort=True, err=True)
        with common.progress() as progress:
            task = progress.add_task("remove", total=sum(found.counts.values()))
            found = store.uninstall(database, namespace, lambda count: progress.update(task, advance=count))
    document = {**vars(found), "schema": list(found.schema)}
    text = "Removed:\n" + "\n".join(f"  {line}" for line in named) if named else "There is nothing to remove."
    common.result(document, text)
