"""What passes between the stages: small frozen records that hold columns, never an object per pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

IntArray = npt.NDArray[np.int64]
SmallArray = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]

LEFT, RIGHT = 0, 1
SURE = 0.9  # confidence from which an entity's counterpart is evidence for its neighbours
DIGITS = 6  # of a score or confidence: what comes after them differs with batches and threads


VIEWS = ("name", "record", "neighbours", "anchors", "circle")  # of an entity, as rows; see views.py


def taken(column: npt.NDArray[Any], rows: npt.NDArray[Any], missing: object) -> npt.NDArray[Any]:
    """Take rows of a column, (N, ...), and `missing` where a row is -1."""
    found = column[np.maximum(rows, 0)] if len(column) else np.empty((len(rows), *column.shape[1:]), column.dtype)
    found[rows < 0] = missing
    return found


def rounded(counts: npt.ArrayLike) -> IntArray:
    """Return whole numbers to three significant bits, at most an eighth away."""
    step = np.int64(1) << np.maximum(np.frexp(counts)[1] - 3, 0)
    return np.asarray((counts + step // 2) // step * step)


@dataclass(frozen=True)
class Nodes:
    """All entities of both graphs, in the order (side, type, key): an entity's index is its place here.

    Attributes:
        keys: the user's key of each entity, (N,).
        side: LEFT or RIGHT, (N,).
        type: index into `config.types`, (N,).
        ids: Neo4j's internal number, good for this run only, (N,).
        names: what names each entity, as text, None where missing, (N,).
        attributes: for each slot of the configuration its values as text, None where missing, (N,) each.
    """

    keys: Objects
    side: npt.NDArray[np.int8]
    type: npt.NDArray[np.int16]
    ids: IntArray
    names: Objects
    attributes: dict[str, Objects]

    def __len__(self) -> int:
        return len(self.keys)

    def take(self, rows: IntArray) -> Nodes:
        """Return the entities at these rows."""
        attributes = {name: column[rows] for name, column in self.attributes.items()}
        own = self.keys[rows], self.side[rows], self.type[rows], self.ids[rows], self.names[rows]
        return Nodes(*own, attributes)

    def of(self, side: int, type_index: int) -> slice:
        """Return where the entities of a side and type are: they stand together."""
        before = (self.side < side) | ((self.side == side) & (self.type < type_index))
        start = int(np.count_nonzero(before))
        return slice(start, start + int(np.count_nonzero((self.side == side) & (self.type == type_index))))

    def index(self, side: int) -> pd.Series[Any]:
        """Return the index of each entity of a side, by key."""
        places = np.flatnonzero(self.side == side)
        return pd.Series(places, index=pd.Index(self.keys[places], dtype=object))


@dataclass(frozen=True)
class Neighbourhood:
    """The sampled neighbours of every entity, by index into Nodes.

    Attributes:
        neighbours: (N, K), -1 where there are fewer than K.
        relations: (N, K), the code of the relation: index into `config.relations` + 1, negative when it is
            followed from its end to its start, 0 where there is no neighbour.
        degree: (N,), how many neighbours there are in all, by any mapped relation.
    """

    neighbours: SmallArray
    relations: SmallArray
    degree: SmallArray

    @property
    def about(self) -> IntArray:
        """The degrees as `rounded` gives them, (N,): one more edge of a hub moves little that hangs on its degree."""
        return rounded(self.degree)

    def take(self, rows: IntArray) -> Neighbourhood:
        """Return those of the entities at these rows among each other, in their indices."""
        place = np.full(len(self.degree), -1, np.int32)
        place[rows] = np.arange(len(rows))
        neighbours = taken(place, self.neighbours[rows], -1)
        return Neighbourhood(neighbours, np.where(neighbours < 0, 0, self.relations[rows]), self.degree[rows])

    def near(self, who: BoolArray) -> BoolArray:
        """Tell which entities have any of these, (N,), among their sampled neighbours; (N,)."""
        found = who[np.maximum(self.neighbours, 0)] & (self.neighbours >= 0)
        return np.asarray(found.any(axis=1))


@dataclass(frozen=True)
class Anchors:
    """What the last look took to be the same: evidence for the neighbours of both, never for themselves.

    Attributes:
        twin: (N,), index of an entity's counterpart, -1 where it has none; one-to-one.
        confidence: (N,), how sure that is.
    """

    twin: IntArray
    confidence: FloatArray

    @property
    def sure(self) -> BoolArray:
        """Which entities have a counterpart beyond doubt, (N,)."""
        return (self.twin >= 0) & (self.confidence >= SURE)

    @property
    def identity(self) -> IntArray:
        """A number that an entity shares with its sure counterpart and with no other, -1 without one; (N,)."""
        return np.where(self.sure, np.minimum(self.twin, np.arange(len(self.twin))), -1)


@dataclass(frozen=True)
class Verdicts:
    """What persons decided: index pairs (left, right) that are the same, and that are not."""

    confirmed: frozenset[tuple[int, int]] = frozenset()
    rejected: frozenset[tuple[int, int]] = frozenset()

    @property
    def undisputed(self) -> Verdicts:
        """These verdicts without the pairs of which both was said."""
        return Verdicts(self.confirmed - self.rejected, self.rejected - self.confirmed)


@dataclass(frozen=True)
class Links:
    """Links and verdicts as a run left them, by index into Nodes.

    Attributes:
        ends: (L, 2); confidence, score: (L,).
        confirmed, rejected: (C, 2).
    """

    ends: IntArray
    confidence: npt.NDArray[np.float64]
    score: npt.NDArray[np.float64]
    confirmed: IntArray
    rejected: IntArray


NO_LINKS = Links(np.zeros((0, 2), np.int64), *np.zeros((2, 0)), *np.zeros((2, 0, 2), np.int64))


@dataclass(frozen=True)
class Pairs:
    """Pairs of entities to compare, by index into Nodes, sorted by (left, right), without repeats.

    Attributes:
        left, right: (P,).
        scores: (P, S), what blocking found: one similarity a view, named by `views`.
    """

    left: SmallArray
    right: SmallArray
    scores: FloatArray
    views: tuple[str, ...] = VIEWS

    def __len__(self) -> int:
        return len(self.left)

    def take(self, rows: npt.NDArray[Any]) -> Pairs:
        """Return the pairs at these rows, or where this mask holds."""
        return Pairs(self.left[rows], self.right[rows], self.scores[rows], self.views)

    def followed_by(self, others: Pairs) -> Pairs:
        """Return these pairs with others behind them, whose left indices are all larger."""
        left, right = np.append(self.left, others.left), np.append(self.right, others.right)
        return Pairs(left, right, np.concatenate([self.scores, others.scores]), self.views)
