"""What an earlier run left, and what it spares the next one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from neo4j_align import recall
from neo4j_align.config import Config
from neo4j_align.memory import Memory
from neo4j_align.outcome import Scored
from neo4j_align.progress import Stages
from neo4j_align.records import Nodes
from neo4j_align.sight import Graph
from neo4j_align.store import links, prints, refresh
from neo4j_align.store.changes import Seen
from neo4j_align.store.database import Database
from neo4j_align.store.prints import Prints

ReadLinks = Callable[[Database, Config, Nodes], links.Existing]


@dataclass(frozen=True)
class Known:
    """What a run need not find out.

    Attributes:
        graph: as it is now; memory: of the last judgement; links: what tells those that stand.
        prints: of the graph, and those that the last run left.
    """

    graph: Graph | None = None
    memory: Memory | None = None
    links: ReadLinks = links.read
    prints: tuple[Prints, Prints] | None = None


NOTHING_KNOWN = Known()


@dataclass(frozen=True)
class Past:
    """The memory of runs of one configuration and model.

    Attributes:
        folder: where it lies; None for none.
        model: id of the model.
    """

    config: Config
    database: Database
    stages: Stages
    folder: Path | None
    model: str

    def known(self, known: Known, before: dict[str, Any], seen: Seen, same: bool) -> Known:
        """Return what a sync need not find out.

        Args:
            known: by now.
            before: what the last run left in the database.
            same: whether links and verdicts are as the last run left them.
        """
        last = self._recalled(run=before.get("memory"))
        if last is None:
            return replace(known, memory=self._recalled())
        if seen.ids is not None:
            known = self._refreshed(last, seen)
        known = replace(known, memory=last)
        if not same:
            return known
        was, kept = last.graph.nodes, last.links
        return replace(known, links=lambda _, config, nodes: links.recalled(config, nodes, was, kept, self.model))

    def keep(self, found: Scored, now: Prints, run: str) -> None:
        """Leave what a run made for the next; without a folder, nothing."""
        if self.folder is not None:
            memory = replace(found.judged.memory, links=found.kept, prints=now)
            recall.save(self.folder, memory, {**self._of, "run": run})

    @property
    def _of(self) -> dict[str, str]:
        return {"model": self.model, "config": self.config.digest()}

    def _recalled(self, **of: str | None) -> Memory | None:
        return None if self.folder is None else recall.load(self.folder, {**self._of, **of})

    def _refreshed(self, memory: Memory, seen: Seen) -> Known:
        """Read what changed of a graph alone; nothing is known where that does not do."""
        graph, ids = memory.graph, np.array(sorted(seen.ids or ()), np.int64)
        with self.stages.stage("refresh") as advance:
            given = (graph.nodes, graph.neighbourhood, graph.means, ids, seen.grown)
            found = refresh.refresh(self.database, self.config, *given)
            advance(len(ids))
        if found is None:
            return NOTHING_KNOWN
        now = prints.retake(memory.prints, found.old, found.fresh, found.nodes, found.neighbourhood)
        return Known(Graph(found.nodes, found.neighbourhood, graph.means), prints=(now, memory.prints))
