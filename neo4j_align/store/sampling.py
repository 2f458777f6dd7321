"""Seeded, weighted neighbour samples; each node is expanded once. No tensors.

For an entity i of type t, a neighbour by relation r has weight 1 / avg_t(|N_r|) (CG-MuAlign, section 4.2), and here
also one over the average number of entities that share such a neighbour: a job says little. The sample without
replacement keeps the smallest exponential keys -ln(u) / weight. Here u is a hash of the neighbour's name, the same on
both sides, so that counterparts tend to be drawn together (a bottom-k sketch).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import numpy as np
import numpy.typing as npt
import pandas as pd

from neo4j_align.config import Config
from neo4j_align.engine import Engine, Local
from neo4j_align.records import LEFT, RIGHT, FloatArray, IntArray, Neighbourhood, Nodes
from neo4j_align.store import queries, schema
from neo4j_align.store.database import Database, only
from neo4j_align.text import map_unique, signature

EXPANDED_AT_ONCE = 2_000  # nodes a query; bounds what one answer holds, save for hubs
# An answer is one record of flat lists: a record costs as much as thirty numbers in a list (docs/speed.md).
# Relation types are filtered by a parameter: a type expression of a thousand names kills the server's planner.
Edges = tuple[IntArray, IntArray, IntArray]  # owner, relation code, neighbour; (E,) each


def averages(database: Database, config: Config) -> FloatArray:
    """Return avg_t(|N_r|) over the entities of both sides that have a neighbour by r.

    Returns:
        (T, 2R + 1), by type and relation code (negative codes count from the end); 1 where there are none.
    """
    counts = np.zeros((2, len(config.types), 2 * len(config.relations) + 1))
    for side in (LEFT, RIGHT):
        codes = schema.relation_codes(config, side)
        for index, entity_type in enumerate(config.types):
            if (scope := schema.scope(config, side, entity_type)) and codes:
                text = queries.load("sampling/averages").render(entity=scope.labels)
                for row in database.read(text, codes=codes, **scope.parameters):
                    counts[:, index, row["relation"]] += row["neighbours"], row["entities"]
    neighbours, entities = counts
    return np.where(entities > 0, neighbours / np.maximum(entities, 1), 1).astype(np.float32)


def sample(
    database: Database,
    config: Config,
    nodes: Nodes,
    means: FloatArray,
    advance: Callable[[int], None] = lambda _: None,
    rows: IntArray | None = None,
    drawn: Neighbourhood | None = None,
    engine: Engine | None = None,
) -> Neighbourhood:
    """Draw at most `config.sampling.neighbours` neighbours of every entity, or of those at some rows.

    The neighbours of a batch of nodes come as lists, and only those drawn are kept.

    Args:
        means: what `averages` returned, (T, 2R + 1).
        advance: is told how many entities are done, after each batch.
        rows: whose samples are drawn again; drawn: all samples, in which they are replaced.
        engine: reads the neighbours, a batch at a time.
    """
    if drawn is None or rows is None:
        rows, drawn = np.arange(len(nodes)), nothing(len(nodes), config.sampling.neighbours)
    drawn.neighbours[rows], drawn.relations[rows], drawn.degree[rows] = -1, 0, 0
    luck = _Luck(nodes, config.sampling.seed)
    for side in (LEFT, RIGHT):
        expansion = Expansion(database, config, nodes, side)
        batches = expansion.batches(rows)
        with closing((engine or Local()).map(Expansion.edges, expansion, batches)) as found:
            for batch, edges in zip(batches, found, strict=True):
                draw(edges, nodes.type, luck(edges[2]), means, drawn)
                advance(len(batch))
    return drawn


def nothing(count: int, size: int) -> Neighbourhood:
    """Return the samples of entities without neighbours."""
    return Neighbourhood(
        np.full((count, size), -1, np.int32), np.zeros((count, size), np.int16), np.zeros(count, np.int32)
    )


class _Luck:
    """The numbers of `uniform`, worked out for those entities alone that are anyone's neighbours."""

    def __init__(self, nodes: Nodes, seed: int) -> None:
        self._nodes, self._seed = nodes, seed
        self._known = np.full(len(nodes), np.nan)

    def __call__(self, needed: IntArray) -> npt.NDArray[np.float64]:
        """Return the numbers of all entities, (N,), in which those of some are filled in."""
        if len(new := np.unique(needed[np.isnan(self._known[needed])])):
            self._known[new] = uniform(self._nodes.take(new), self._seed)
        return self._known


def uniform(nodes: Nodes, seed: int) -> npt.NDArray[np.float64]:
    """Return a number in (0, 1) for each entity: a hash of seed and name, or of side and key where there is none.

    Returns:
        (N,); equal for entities of one signature, whatever their side.
    """
    names = map_unique(signature, nodes.names)
    nameless = names == ""
    names[nameless] = [f"{side} {key}" for side, key in zip(nodes.side[nameless], nodes.keys[nameless], strict=True)]
    hashes = pd.util.hash_array(names, hash_key=f"{seed:016d}"[-16:])
    return ((hashes >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53


def draw(
    edges: Edges,
    types: npt.NDArray[np.int16],
    luck: npt.NDArray[np.float64],
    means: FloatArray,
    drawn: Neighbourhood,
) -> None:
    """Keep the K neighbours of smallest key of each owner, and write them into `drawn`, and its degree.

    Args:
        edges: all relationships of some owners; parallel ones count once.
        types: (N,), luck: (N,), means: (T, 2R + 1).
    """
    owner, relation, neighbour = edges
    worth = means[types[owner], relation] * means[types[neighbour], -relation]
    key = -np.log(luck[neighbour]) * worth
    order = np.lexsort((neighbour, relation, key, owner))
    owner, relation, neighbour = owner[order], relation[order], neighbour[order]
    fresh = np.ones(len(owner), bool)
    fresh[1:] = (np.diff(owner) != 0) | (np.diff(relation) != 0) | (np.diff(neighbour) != 0)
    owner, relation, neighbour = owner[fresh], relation[fresh], neighbour[fresh]
    owners, degree = np.unique(owner, return_counts=True)
    drawn.degree[owners] = degree
    first = np.r_[True, np.diff(owner) != 0] if len(owner) else np.zeros(0, bool)
    rank = np.arange(len(owner)) - np.maximum.accumulate(np.where(first, np.arange(len(owner)), 0))
    keep = rank < drawn.neighbours.shape[1]
    drawn.neighbours[owner[keep], rank[keep]] = neighbour[keep]
    drawn.relations[owner[keep], rank[keep]] = relation[keep]


class Expansion:
    """Reads all neighbours of a batch of nodes of one side, as indices into Nodes; another process may do so too."""

    def __init__(self, database: Database, config: Config, nodes: Nodes, side: int) -> None:
        self._database, self._prefix, self._ids = database, database.id_prefix, nodes.ids
        self._codes = schema.relation_codes(config, side)
        self._places = np.flatnonzero(nodes.side == side)
        by_id = np.argsort(nodes.ids[self._places])
        self._sorted_ids, self._sorted_places = nodes.ids[self._places][by_id], self._places[by_id]

    def batches(self, rows: IntArray) -> list[IntArray]:
        """Return those rows that are of this side, cut into batches; none where no relation is mapped."""
        mine = rows[np.isin(rows, self._places)]
        if not (self._codes and len(mine)):
            return []
        return np.split(mine, list(range(EXPANDED_AT_ONCE, len(mine), EXPANDED_AT_ONCE)))

    def edges(self, batch: IntArray) -> Edges:
        """Expand a batch; neighbours outside the mapped types of this side are left out."""
        text = queries.load("sampling/neighbours").text
        lists = self._database.read(
            text, consume=only, ids=self._ids[batch].tolist(), database=self._prefix, codes=self._codes
        )
        owners, relation, neighbours = (np.array(column, dtype=np.int64) for column in lists)
        owner, _ = self._find(owners)
        neighbour, known = self._find(neighbours)
        known &= owner != neighbour
        return owner[known], relation[known], neighbour[known]

    def _find(self, ids: IntArray) -> tuple[IntArray, npt.NDArray[np.bool_]]:
        at = np.minimum(np.searchsorted(self._sorted_ids, ids), len(self._sorted_ids) - 1)
        return self._sorted_places[at], self._sorted_ids[at] == ids
