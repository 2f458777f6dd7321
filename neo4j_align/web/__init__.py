"""Web pages from the Jinja templates of this folder; every value is escaped."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment() -> Environment:
    """Return the templates; a value that one asks for and does not get is an error."""
    loader = PackageLoader("neo4j_align", "web")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def page(template: str, **values: object) -> str:
    """Return a page from a template and what it shows."""
    return environment().get_template(template).render(**values)
