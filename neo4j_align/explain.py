"""Explains judged pairs: each evidence is taken away from both entities, and the pair judged again.

All else stays as it is: anchors, rivals, what other entities' texts say. A contribution is what the score loses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.optimize import linear_sum_assignment

from neo4j_align.ablation import Removal, Rescored, Weights, rescore
from neo4j_align.errors import DataError, gpu_memory
from neo4j_align.explanation import (
    Attribute,
    Counterfactual,
    Entity,
    Evidence,
    Explanation,
    Neighbour,
    Path,
    Rival,
    Status,
)
from neo4j_align.gnn import overlap
from neo4j_align.gnn.saved import Model
from neo4j_align.outcome import Scored
from neo4j_align.progress import Stages
from neo4j_align.records import LEFT, RIGHT
from neo4j_align.resolve.standing import FIRST, Standing, stand
from neo4j_align.sight import Sight

_RIVALS, _NAMED = 10, 3  # rivals that are listed, pieces of evidence that a reason names
_SIDES = ("left", "right")
Ends = tuple[int, int]  # a pair, by index into Nodes
_E = TypeVar("_E", Attribute, Neighbour, Evidence)
_RELATED = 0.1  # more for neighbours by one relation, where several might be the counterpart


@dataclass(frozen=True)
class _Met:
    """Neighbours of both entities that are taken for one, or a neighbour alone; by index, -1 for none."""

    left: int
    right: int
    alike: float = 0.0
    sure: bool = False


class Explainer:
    """Explains pairs of one judgement, candidates or not.

    Attributes:
        found: what was judged and what was made of it.
    """

    def __init__(self, model: Model, found: Scored) -> None:
        self.found, self.judged = found, found.judged
        self._config, self._model = found.config, model
        self._nodes, self._drawn = found.judged.scene.graph.seen
        self._sight = Sight(found.config, Stages())

    @gpu_memory()
    def explain(self, left: object, right: object) -> Explanation:
        """Explain the pair of these keys.

        Raises:
            DataError: A side has no entity of that key, or the two are of different types.
        """
        pair = self._find(left, LEFT), self._find(right, RIGHT)
        kinds = [self._type(end) for end in pair]
        if kinds[0] != kinds[1]:
            raise DataError(
                f"{left} is of the type {kinds[0]} and {right} of the type {kinds[1]}: only entities of one type are "
                "compared. Give two of one type, or map their labels to one in [[types]]."
            )
        return self._explain((pair[0], pair[1]))

    def _find(self, key: object, side: int) -> int:
        places = np.flatnonzero(self._nodes.keys.astype(str) == str(key))
        mine = places[self._nodes.side[places] == side]
        if len(mine):
            return int(mine[0])
        message = f"No {_SIDES[side]} entity of a mapped type has the key {key}."
        if len(places):
            raise DataError(f"{message} It is the key of a {_SIDES[1 - side]} one: give LEFT first, then RIGHT.")
        raise DataError(
            f"{message} Give the value of the key property that [{_SIDES[side]}] of the configuration names."
        )

    def _explain(self, pair: Ends) -> Explanation:
        nodes, judged = self._nodes, self.judged
        slots = [attribute.name for attribute in self._config.types[nodes.type[pair[0]]].attributes]
        slots = [slot for slot in slots if any(nodes.attributes[slot][end] is not None for end in pair)]
        met = self._counterparts(pair)
        removals = [Removal(), *map(Removal, slots), *(Removal(None, one.left, one.right) for one in met)]
        others = self._others(pair)
        removals += [Removal(taken=True)] if any(others) else []
        again = rescore(self._sight, self._model, judged.scene, pair, removals, judged.pairs)
        standing = stand(
            judged.pairs, judged.confidence, judged.logits, nodes.type, self.found.thresholds,
            self.found.exclusive, self.found.existing.verdicts, pair,
        )  # fmt: skip
        attributes = [self._attribute(pair, slot, *again.lost(at)) for at, slot in enumerate(slots, start=1)]
        neighbours = [
            self._neighbour(pair, one, again.weights, *again.lost(at)) for at, one in enumerate(met, 1 + len(slots))
        ]
        taken = Attribute("another counterpart", *others, *again.lost(len(removals) - 1)) if any(others) else None
        return self._told(pair, standing, again, _strongest(attributes), _strongest(neighbours), taken)

    def _counterparts(self, pair: Ends) -> list[_Met]:
        """Return the neighbours of both entities, those that meet as one, at most one of either side with one."""
        ids = [np.unique(drawn[drawn >= 0]) for drawn in self._drawn.neighbours[list(pair)]]
        known = self.judged.scene.known
        meet = overlap.meetings(self.judged.scene.seen, *ids)
        related = [[set(self._codes(end, at)) for at in side] for end, side in zip(pair, ids, strict=True)]
        alike = np.array([[bool(a & b) for b in related[1]] for a in related[0]]).reshape(meet.shape)
        best = linear_sum_assignment(-meet * (1 + _RELATED * alike))
        rows = [row for row in zip(*best, strict=True) if meet[row]]
        left, right = (np.array([row[end] for row in rows], int) for end in (LEFT, RIGHT))
        sure = known.sure[ids[0][left]] & (known.twin[ids[0][left]] == ids[1][right])
        found = [
            _Met(int(ids[0][one]), int(ids[1][other]), float(meet[one, other]), bool(certain))
            for one, other, certain in zip(left, right, sure, strict=True)
        ]
        found += [_Met(int(at), -1) for at in np.delete(ids[0], left)]
        return found + [_Met(-1, int(at)) for at in np.delete(ids[1], right)]

    def _others(self, pair: Ends) -> tuple[str | None, str | None]:
        """Name whom the first look took for the counterpart of either, and how surely, where it is not the other."""
        known = self.judged.scene.known
        left, right = (
            f"{self._entity(int(known.twin[end]))} ({known.confidence[end]:.2f})"
            if known.twin[end] >= 0 and known.twin[end] != other
            else None
            for end, other in (pair, pair[::-1])
        )
        return left, right

    def _codes(self, entity: int, neighbour: int) -> list[int]:
        """Return the codes of the relations by which an entity has a neighbour."""
        codes = self._drawn.relations[entity][self._drawn.neighbours[entity] == neighbour]
        return sorted(map(int, codes), key=abs)

    def _attribute(self, pair: Ends, slot: str, lost: float, confidence: float) -> Attribute:
        values = self._nodes.attributes[slot]
        return Attribute(slot, values[pair[0]], values[pair[1]], lost, confidence)

    def _neighbour(
        self, pair: Ends, met: _Met, weights: tuple[Weights, Weights], lost: float, confidence: float
    ) -> Neighbour:
        ends = (met.left, met.right)
        names = [relation.name for relation in self._config.relations]
        codes = [code for entity, end in zip(pair, ends, strict=True) if end >= 0 for code in self._codes(entity, end)]
        left, right = (
            float(mine[self._drawn.neighbours[entity] == end].sum()) if end >= 0 else 0.0
            for entity, end, mine in zip(pair, ends, weights, strict=True)
        )
        return Neighbour(
            left=self._entity(met.left) if met.left >= 0 else None,
            right=self._entity(met.right) if met.right >= 0 else None,
            relations=tuple(dict.fromkeys("← " * (code < 0) + names[abs(code) - 1] for code in codes)),
            alike=met.alike,
            sure=met.sure,
            left_weight=left,
            right_weight=right,
            contribution=lost,
            confidence=confidence,
        )

    def _entity(self, at: int) -> Entity:
        nodes, side = self._nodes, (self._config.left, self._config.right)[self._nodes.side[at]]
        called = side.label if side.label is not None else str(side.value)
        return Entity(str(nodes.keys[at]), nodes.names[at], self._type(at), called, int(self._drawn.degree[at]))

    def _type(self, at: int) -> str:
        name: str = self._config.type_names[self._nodes.type[at]]
        return name

    def _told(
        self,
        pair: Ends,
        standing: Standing,
        again: Rescored,
        attributes: list[Attribute],
        neighbours: list[Neighbour],
        taken: Attribute | None,
    ) -> Explanation:
        candidates, kind = self.judged.pairs, self._nodes.type[pair[0]]
        found = bool(((candidates.left == pair[0]) & (candidates.right == pair[1])).any())
        scored, confidence = float(again.scores[0]), float(again.confidence[0])
        outcome = standing.outcome(confidence, scored)
        status: Status = outcome if found or standing.verdict else "not a candidate"
        curve, least = self._model.about.curves[kind], standing.threshold
        evidence: list[Evidence] = [*attributes, *neighbours, *([taken] if taken else [])]
        evidence.sort(key=lambda one: one.contribution)
        return Explanation(
            left=self._entity(pair[0]),
            right=self._entity(pair[1]),
            type=self._type(pair[0]),
            status=status,
            reason=self._reason(status, standing, confidence, evidence),
            score=scored,
            confidence=confidence,
            path=Path(
                comparison=again.comparison,
                network=scored - again.comparison,
                slope=curve.slope,
                offset=curve.offset,
                threshold=least if math.isfinite(least) else None,
            ),
            attributes=tuple(attributes),
            neighbours=tuple(neighbours),
            taken=taken,
            rivals=tuple(self._rivals(pair)),
            counterfactual=_counterfactual(status, standing, scored, evidence),
            model=self._model.about.id,
        )

    def _rivals(self, pair: Ends) -> list[Rival]:
        judged = self.judged
        one, other = judged.pairs.left == pair[0], judged.pairs.right == pair[1]
        rows = np.flatnonzero(one ^ other)
        rows = rows[np.lexsort((-judged.logits[rows], -judged.confidence[rows]))][:_RIVALS]
        confirmed = self.found.existing.verdicts.confirmed
        return [
            Rival(
                self._entity(left),
                self._entity(right),
                float(judged.confidence[row]),
                float(judged.logits[row]),
                bool(self.found.linked[row]) or (left, right) in confirmed,
            )
            for row in rows.tolist()
            for left, right in [(int(judged.pairs.left[row]), int(judged.pairs.right[row]))]
        ]

    def _reason(self, status: Status, standing: Standing, confidence: float, evidence: list[Evidence]) -> str:
        """Say in a sentence why; `evidence` begins with what speaks against the pair most."""
        against = _named("against", [one for one in evidence if one.contribution < 0])
        speaks = _named("for", [one for one in reversed(evidence) if one.contribution > 0])
        least = f"the threshold {standing.threshold:.2f}" if math.isfinite(standing.threshold) else "any threshold"
        if status in ("confirmed", "rejected"):
            return f"A person {status} it; the model alone would give it confidence {confidence:.2f}."
        if status == "not a candidate":
            return (
                "Blocking did not take the two for candidates: others look more alike, so they were never compared. "
                f"Compared now, they would have confidence {confidence:.2f}.{against}"
            )
        if status == "below threshold":
            return f"Confidence {confidence:.2f} is below {least}.{against}"
        if status == "taken" and standing.link is not None:
            left, right, rank = standing.link
            by = "a person linked it" if rank == FIRST else f"it is linked with confidence {-rank[0]:.2f}"
            taken, to = (left, right) if left == standing.left else (right, left)
            return f"{self._entity(taken)} has another counterpart, {self._entity(to)}: {by}.{against}"
        return f"Confidence {confidence:.2f} reaches {least}, and neither has a better counterpart.{speaks}"


def _named(side: str, evidence: Sequence[Evidence]) -> str:
    """Name the strongest of some evidence."""
    named = "; ".join(f"{one.what} ({one.contribution:+.2f})" for one in evidence[:_NAMED])
    return f" What speaks {side} it most: {named}." if named else ""


def _strongest(evidence: Sequence[_E]) -> list[_E]:
    return sorted(evidence, key=lambda one: -abs(one.contribution))


def _counterfactual(
    status: Status, standing: Standing, scored: float, evidence: Sequence[Evidence]
) -> Counterfactual | None:
    """Return the strongest evidence without which the pair would be linked and is not, or the other way."""
    if status not in ("linked", "below threshold", "taken"):
        return None
    for one in _strongest(evidence):
        linked = standing.outcome(one.confidence, scored - one.contribution) == "linked"
        if linked != (status == "linked"):
            return Counterfactual(one.what, one.contribution, one.confidence, linked)
    return None
