"""`jobs`: what became of the work that was asked for from Cypher."""

from __future__ import annotations

import click

from neo4j_align.cli.options import Common, common, listing, table

_COLUMNS = ("id", "kind", "status", "stage", "done", "total", "submitted_at", "error")


@click.group()
def jobs() -> None:
    """List, show and cancel the jobs that were asked for with `CALL custom.align.submit(kind, options)`.

    A worker (`neo4j-align worker`) does them.

    \b
    Example: neo4j-align jobs list
    """


@jobs.command("list")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many, newest first.")
@common
def list_(common: Common, limit: int) -> None:
    """List the latest jobs.

    \b
    Example: neo4j-align jobs list --limit 5
    """
    from neo4j_align.store import jobs as store

    with common.connect() as database:
        found = store.listed(database, limit)
    rows = [{name: job[name] for name in _COLUMNS} for job in found]
    common.result({"jobs": found}, table(rows) if rows else "There are no jobs yet.")


@jobs.command()
@click.argument("job")
@common
def show(common: Common, job: str) -> None:
    """Show all that is known of a job: JOB is its id.

    \b
    Example: neo4j-align jobs show 9c0bbdb8-5cc3-4b6e-8f3a-5e6d5c0a7c11 --json
    """
    from neo4j_align.store import jobs as store

    with common.connect() as database:
        found = store.show(database, job)
    common.result(found, listing(found))


@jobs.command()
@click.argument("job")
@common
def cancel(common: Common, job: str) -> None:
    """Cancel a job: at once where it waits, at its next step where it runs. JOB is its id.

    \b
    Example: neo4j-align jobs cancel 9c0bbdb8-5cc3-4b6e-8f3a-5e6d5c0a7c11
    """
    from neo4j_align.store import jobs as store

    with common.connect() as database:
        status = store.cancel(database, job)
    common.result({"id": job, "status": status}, f"Job {job}: {status}.")
