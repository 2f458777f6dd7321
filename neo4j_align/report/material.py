"""What a report is made of, and what it becomes: sections of a page. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from neo4j_align.config import Config
from neo4j_align.records import Nodes
from neo4j_align.report import lists
from neo4j_align.report.charts import Picture

if TYPE_CHECKING:
    from neo4j_align.outcome import Examined

RECORD = "the run's own record"
NOW = "the database as it stands now"
ANEW = "a new judgement of the graph as it stands now, by the run's model"
VALIDATION = "the model's validation links"


@dataclass(frozen=True)
class Material:
    """All that a report is made of.

    Attributes:
        run: the AlignRun; latest: id of the alignment's last run.
        stored: links and verdicts as `store.links.stored` gives them; conflicts: rows of the procedure.
        examined: the graph judged anew, where a model was given; gold: figures of `evaluate`, where labels were.
    """

    config: Config
    run: dict[str, Any]
    latest: str
    nodes: Nodes
    stored: pd.DataFrame
    conflicts: list[dict[str, Any]]
    examined: Examined | None = None
    gold: dict[str, Any] | None = None

    @property
    def account(self) -> dict[str, Any]:
        """The tables of `resolve.account`, judged anew or as the run kept them; empty where it kept none."""
        return self.examined.account if self.examined else self.noted("account")

    @property
    def source(self) -> str:
        """Where the account is from."""
        return ANEW if self.examined else RECORD

    @property
    def predicted(self) -> pd.DataFrame:
        """The links that stand now and that no person judged, with the places of their ends."""
        same = self.stored["same"].astype(bool) & (self.stored["status"] == "predicted")
        return lists.placed(self.nodes, self.stored[same])

    def noted(self, name: str) -> dict[str, Any]:
        """Return what the run noted as JSON."""
        found: dict[str, Any] = json.loads(self.run.get(name) or "{}")
        return found


@dataclass(frozen=True)
class Table:
    """A table: `prose` where its columns are text."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    prose: bool = False


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    name: str
    title: str
    source: str
    notes: Sequence[str] = ()
    picture: Picture | None = None
    table: Table | None = None
    links: Sequence[lists.Pair] = ()


def count(value: int | None) -> str:
    """Write a number; nothing for none."""
    return "" if value is None else f"{value:,}"


def percent(value: float | None) -> str:
    """Write a share."""
    return "unknown" if value is None else f"{100 * value:.1f} %"
