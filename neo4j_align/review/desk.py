"""What reviewers work on: the judged pairs in memory, their order, and the verdicts in the database."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from neo4j_align.explain import Explainer
from neo4j_align.explanation import Explanation
from neo4j_align.gnn.saved import Model
from neo4j_align.operating import wilson
from neo4j_align.outcome import Scored
from neo4j_align.records import LEFT, RIGHT, BoolArray, IntArray, Verdicts
from neo4j_align.resolve import match, queue
from neo4j_align.store import verdicts
from neo4j_align.store.database import Database

State = Literal["open", "judged", "all"]
Order = Literal["teaching", "random", "sure", "unsure"]
Ends = tuple[Any, Any]  # the keys of a pair, left and right
STATES: tuple[State, ...] = get_args(State)
ORDERS: tuple[Order, ...] = get_args(Order)
_FRESH = 3.0  # seconds for which verdicts given elsewhere may be unknown
_LEAST = 0.005  # confidence from which an open pair is worth a look, if it is no link
_SEARCHED = 500  # characters of a name in which a search looks


@dataclass(frozen=True)
class Filter:
    """Which pairs, in which order.

    Attributes:
        type: name of a type, "" for all; low, high: bounds of the confidence; text: in a name or key of either end.
    """

    type: str = ""
    low: float = 0.0
    high: float = 1.0
    text: str = ""
    state: State = "open"
    order: Order = "teaching"


@dataclass(frozen=True)
class Estimate:
    """How many of the links are right, by those that were judged.

    Attributes:
        right, judged: of the links that come first in random order, without a gap; low, high: Wilson's interval.
        others: judged links that are no part of that, since a reviewer chose them.
    """

    right: int
    judged: int
    low: float
    high: float
    others: int


class Desk:
    """All candidate pairs of one judgement, by row.

    Args:
        found: what `align` with this model would make of the graph.
    """

    def __init__(self, database: Database, model: Model, found: Scored) -> None:
        self.config, self.judged, self.pairs = found.config, found.judged, found.judged.pairs
        self.nodes, self.drawn = found.judged.scene.graph.seen
        self._model, self._found = model, found
        self._database, self._lock, self._explaining = database, threading.Lock(), threading.Lock()
        types = self.nodes.type[self.pairs.left]
        self._exclusive = found.exclusive[types]
        # What the machine would link by itself: links that persons have judged are among them.
        self.linked = np.zeros(len(self.pairs), bool)
        least = found.thresholds[types]
        self.linked[match.match(self.pairs, self.judged.confidence, self.judged.logits, least, self._exclusive)] = True
        self._orders = self._in_orders()
        self._texts = [
            f"{key}\n{name or ''}"[:_SEARCHED].casefold()
            for key, name in zip(self.nodes.keys, self.nodes.names, strict=True)
        ]
        self._index = [self.nodes.index(side).to_dict() for side in (LEFT, RIGHT)]
        self._known: dict[Ends, verdicts.Verdicts] = {}
        self._given = found.existing.verdicts
        self._done: BoolArray = np.zeros(len(self.pairs), bool)
        self._settled: BoolArray = self._done
        self._read_at = -math.inf

    def _in_orders(self) -> dict[str, IntArray]:
        """Return the rows in each order; that of chance is always the same."""
        confidence = self.judged.confidence
        ends = [self.nodes.keys[side].astype(str) for side in (self.pairs.left, self.pairs.right)]
        luck = pd.util.hash_pandas_object(pd.DataFrame(dict(enumerate(ends))), index=False).to_numpy()
        return {
            "teaching": queue.order(self.pairs, queue.worth(self.pairs, confidence, self.drawn)),
            "random": np.argsort(luck, kind="stable"),
            "sure": np.argsort(-confidence, kind="stable"),
            "unsure": np.argsort(confidence, kind="stable"),
        }

    def keys(self, row: int) -> Ends:
        """Return the keys of a pair, left and right."""
        return self.nodes.keys[self.pairs.left[row]], self.nodes.keys[self.pairs.right[row]]

    def select(self, chosen: Filter) -> IntArray:
        """Return the rows that a filter lets through, in its order."""
        confidence = self.judged.confidence
        mine = (confidence >= chosen.low) & (confidence <= chosen.high)
        if chosen.type:
            kind = self.config.type_names.index(chosen.type) if chosen.type in self.config.type_names else -1
            mine &= self.nodes.type[self.pairs.left] == kind
        if chosen.text:
            found = np.array([chosen.text.casefold() in text for text in self._texts], bool)
            mine &= found[self.pairs.left] | found[self.pairs.right]
        self._look()
        if chosen.state == "judged":
            mine &= self._done
        elif chosen.state == "open":
            mine &= ~self._settled & (self.linked | (confidence >= _LEAST))
        rows = self._orders[chosen.order]
        return rows[mine[rows]]

    def next(self, chosen: Filter, after: int | None) -> int | None:
        """Return the row that follows in a filter's order; the first one after None, None at the end."""
        rows = self.select(chosen)
        if after is not None:
            place = np.empty(len(self.pairs), np.int64)
            place[self._orders[chosen.order]] = np.arange(len(self.pairs))
            rows = rows[place[rows] > place[after]]
        return int(rows[0]) if len(rows) else None

    def standing(self, row: int) -> verdicts.Verdicts:
        """Return the verdicts on a pair, as the database has them now."""
        found = verdicts.on(self._database, self.config, *self.keys(row))
        self._remember(row, found)
        return found

    def decide(
        self, row: int, kind: verdicts.Kind | None, said: dict[str, str | None], seen: verdicts.Verdicts
    ) -> list[str]:
        """Judge a pair, or withdraw what stands; return what contradicts that.

        Raises:
            JudgedError: The pair's verdicts are not those that were seen.
        """
        now, contradicts = verdicts.decide(self._database, self.config, kind, self.keys(row), said, seen)
        self._remember(row, now)
        return contradicts

    def explain(self, row: int) -> Explanation:
        """Say why a pair is linked or not, with the verdicts of a moment ago."""
        found = replace(self._found, existing=replace(self._found.existing, verdicts=self._given))
        with self._explaining:  # one at a time: torch has its own threads
            return Explainer(self._model, found).explain(*self.keys(row))

    def known(self, row: int) -> verdicts.Verdicts:
        """Return the verdicts on a pair, as they were a moment ago."""
        return self._known.get(self.keys(row), ())

    def progress(self, chosen: Filter) -> tuple[int, int]:
        """Return how many pairs of a filter are judged, and how many are judged or open."""
        done, left = (len(self.select(replace(chosen, state=state))) for state in ("judged", "open"))
        return done, done + left

    def estimate(self) -> Estimate:
        """Estimate the precision of the machine's links from those judged in random order.

        Whoever judges the uncertain first sees more errors than there are: only what comes first in random order,
        up to the first link that nobody judged, tells of all links.
        """
        self._look()
        rows = self._orders["random"]
        rows = rows[self.linked[rows]]
        gap = np.flatnonzero(~self._done[rows])
        first = rows[: gap[0]] if len(gap) else rows
        right = sum(any(one.verdict == "confirmed" for one in self.known(row)) for row in first.tolist())
        low, high = wilson(right / len(first), len(first)) if len(first) else (0.0, 1.0)
        return Estimate(right, len(first), low, high, int(self._done[rows].sum()) - len(first))

    def _look(self) -> None:
        """Read the verdicts of others, if that was a while ago."""
        with self._lock:
            if time.monotonic() - self._read_at > _FRESH:
                self._known = verdicts.given(self._database, self.config)
                self._read_at = time.monotonic()
                self._count()

    def _remember(self, row: int, found: verdicts.Verdicts) -> None:
        with self._lock:
            if found != self._known.pop(self.keys(row), ()):
                self._read_at = -math.inf
            if found:
                self._known[self.keys(row)] = found

    def _count(self) -> None:
        """Note which pairs have a verdict, and which need none any more."""
        given: dict[str, list[tuple[int, int]]] = {"confirmed": [], "rejected": []}
        for (left, right), said in self._known.items():
            if left in self._index[LEFT] and right in self._index[RIGHT]:
                for one in said:
                    given[one.verdict].append((self._index[LEFT][left], self._index[RIGHT][right]))
        self._given = by_index = Verdicts(frozenset(given["confirmed"]), frozenset(given["rejected"]))
        done = np.zeros(len(self.pairs), bool)
        done[queue.rows_of(self.pairs, by_index.confirmed | by_index.rejected)] = True
        self._done = done  # at once: others read it meanwhile
        self._settled = queue.settled(self.pairs, self._exclusive, by_index)
