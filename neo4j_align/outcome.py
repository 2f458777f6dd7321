"""What a run made: judged pairs, those of them that are links, and what it tells of them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from neo4j_align.config import Config
from neo4j_align.errors import DataError
from neo4j_align.looks import Judgement
from neo4j_align.operating import Target
from neo4j_align.records import DIGITS, BoolArray, Links, Nodes
from neo4j_align.resolve import account
from neo4j_align.store import links

log = logging.getLogger(__name__)
_FEW = 10  # retired links that are no loss


@dataclass(frozen=True)
class Scored:
    """Candidate pairs with their calibrated confidence, and which became links.

    Attributes:
        linked: (P,).
        thresholds, exclusive: per type: the least confidence of a link, whether an entity has at most one.
        validated: what validation says of the thresholds, for a run's account.
    """

    config: Config
    judged: Judgement
    linked: BoolArray
    existing: links.Existing
    thresholds: npt.NDArray[np.float64]
    exclusive: BoolArray
    target: Target | None
    drift: dict[str, float]
    validated: dict[str, Any]

    @cached_property
    def links(self) -> pd.DataFrame:
        """The chosen links: what `table` gives but for `linked`."""
        return self.table(np.flatnonzero(self.linked)).drop(columns="linked")

    @property
    def kept(self) -> Links:
        """The links and verdicts, as the next run finds them if nobody else changes any."""
        pairs, rows, decided = self.judged.pairs, np.flatnonzero(self.linked), self.existing.verdicts
        ends = np.stack([pairs.left[rows], pairs.right[rows]], axis=1).astype(np.int64)
        confirmed, rejected = (
            np.array(sorted(verdicts), np.int64).reshape(-1, 2) for verdicts in (decided.confirmed, decided.rejected)
        )
        score = np.round(self.judged.logits[rows], DIGITS)
        return Links(ends, self.judged.confidence[rows], score, confirmed, rejected)

    @property
    def outcome(self) -> account.Outcome:
        """What became of the candidate pairs."""
        judged = self.judged
        return account.Outcome(
            judged.pairs, judged.logits, judged.confidence, self.linked, self.thresholds, self.existing.verdicts
        )

    @property
    def told(self) -> dict[str, Any]:
        """What the report draws: small tables of the pairs, and what validation says."""
        graph = self.judged.scene.graph
        tables = account.account(self.config, graph.nodes, graph.neighbourhood.degree, self.outcome)
        return {**tables, **self.validated}

    def table(self, rows: npt.NDArray[np.int64]) -> pd.DataFrame:
        """Return some pairs: places of the ends (`links.AT`), left, right, type, alone, confidence, score, linked."""
        nodes, judged = self.judged.scene.graph.nodes, self.judged
        left, right = judged.pairs.left[rows], judged.pairs.right[rows]
        keys, types = nodes.keys, nodes.type[left]
        return pd.DataFrame(
            {
                **dict(zip(links.AT, (left, right), strict=True)),
                "left": keys[left],
                "right": keys[right],
                "type": np.array(self.config.type_names, dtype=object)[types],
                "alone": self.exclusive[types],
                "confidence": judged.confidence[rows],
                "score": np.round(judged.logits[rows], DIGITS),
                "linked": self.linked[rows],
            }
        )


@dataclass(frozen=True)
class Examined:
    """A graph judged anew, for the report.

    Attributes:
        graph: fingerprint of what the model saw; a run's `graph` is the same where nothing changed since.
        near: near misses: columns as `links` of Alignment, and `why` no link was made.
        account: as a run keeps it; drift: as in Alignment.
    """

    graph: str
    nodes: Nodes
    near: pd.DataFrame
    account: dict[str, Any]
    drift: dict[str, float]


@dataclass(frozen=True)
class Alignment:
    """What an alignment found and wrote.

    Attributes:
        run: id of the AlignRun; None when nothing was written (dry run).
        links: all predicted links that there should be now: left, right (keys), type, confidence, score.
        candidates: number of pairs compared.
        changes: numbers of links `created`, `updated` and `retired`.
        target: the precision that was asked for, and what validation promises of it; None where none was.
        changed_entities: how many a sync found to have changed.
        drift: population stability index of scores, candidates and attributes against training.
    """

    run: str | None
    links: pd.DataFrame
    candidates: int
    changes: dict[str, int]
    target: Target | None = None
    changed_entities: int | None = None
    drift: dict[str, float] = field(default_factory=dict)


def alignment(found: Scored, run: str | None, counts: dict[str, int], changed: int | None = None) -> Alignment:
    """Return what a run tells of what it made; warn where that is hardly what somebody wanted."""
    kept = int(found.linked.sum()) - counts["created"]
    if not found.linked.any():
        log.warning("no pair is as sure as it takes, so nothing is linked; see the mapping, or give more labels")
    if counts["retired"] > max(kept, _FEW):
        log.warning(
            "more links go (%d) than stay (%d); `neo4j-align runs diff last` names what a run changed, and "
            "`neo4j-align runs undo last` brings them back",
            counts["retired"], kept,
        )  # fmt: skip
    table = found.links.drop(columns=[*links.AT, "alone"])
    return Alignment(run, table, len(found.judged.pairs), counts, found.target, changed, found.drift)


def refuse_loss(found: Scored) -> None:
    """Refuse before it is written what nobody looks at and what leaves less than half of a type's links, or of all.

    A property that was renamed would do so, and whoever reads the links meanwhile finds none. Confirmed links count as
    links. Of those whose end has another key, or left its graph, no type is known: they count among all.

    Raises:
        DataError: It would.
    """
    types, standing, names = found.judged.scene.graph.nodes.type, found.existing, found.config.type_names

    def count(left: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return np.bincount(types[left[left >= 0]], minlength=len(names))

    sure = count(np.array([left for left, _ in standing.verdicts.confirmed], np.int64))
    known = standing.predicted[links.AT[0]].to_numpy(np.int64)
    before, after = count(known) + sure, count(found.judged.pairs.left[found.linked].astype(np.int64)) + sure
    elsewhere = int((known < 0).sum()) + len(standing.stale)
    rows = [(f"the type {name}", *both) for name, *both in zip(names, before, after, strict=True)]
    rows.append(("all types", before.sum() + elsewhere, after.sum()))
    for what, stood, left in rows:
        if stood - left > max(left, _FEW):
            raise DataError(
                f"Of {stood:,} links of {what} this sync would leave {left:,}, so it has written nothing. `neo4j-align "
                "check` finds what the mapping names and the graph lacks; where that is meant, `neo4j-align align`, "
                "with its --precision if it had one, writes it, and --dry-run says what before."
            )
