"""Why two entities are, or are not, taken for the same: a record for people, and as JSON. Nothing is computed here."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["linked", "confirmed", "rejected", "below threshold", "taken", "not a candidate"]

_LONGEST = 80  # characters of a name in a sentence


@dataclass(frozen=True)
class Entity:
    """An entity by its key.

    Attributes:
        side: what its graph is called in the configuration; name: None where it has none.
        degree: how many neighbours it has in all, of which the model sees a sample.
    """

    key: str
    name: str | None
    type: str
    side: str
    degree: int

    def __str__(self) -> str:
        called = self.key if self.name is None else self.name
        return called if len(called) <= _LONGEST else called[: _LONGEST - 1] + "…"


@dataclass(frozen=True)
class Attribute:
    """An attribute of both entities, or whom the first look took them for; and what the score would be without it.

    Attributes:
        left, right: the values as text, or names of the counterparts; None where missing.
        contribution: score minus the score without the values of both: above 0 it speaks for the pair.
        confidence: what it would be without them.
    """

    name: str
    left: str | None
    right: str | None
    contribution: float
    confidence: float

    @property
    def what(self) -> str:
        """What to call this evidence in a sentence."""
        return self.name


@dataclass(frozen=True)
class Neighbour:
    """A neighbour of the left entity and its counterpart around the right one, or one that has no counterpart there.

    Attributes:
        left, right: the neighbours; None where the other has no counterpart in the sample.
        relations: by what they are neighbours, "← name" where the relation points to the entity; of both sides.
        alike: how surely the two are one, 0 to 1; sure: whether they are taken to be one, by an anchor.
        left_weight, right_weight: the cross-graph attention that each gets among the neighbours of its side.
        contribution, confidence: as of an attribute, without the relationships to both.
    """

    left: Entity | None
    right: Entity | None
    relations: tuple[str, ...]
    alike: float
    sure: bool
    left_weight: float
    right_weight: float
    contribution: float
    confidence: float

    @property
    def what(self) -> str:
        """What to call this evidence in a sentence."""
        names = list(dict.fromkeys(str(entity) for entity in (self.left, self.right) if entity is not None))
        return f"{' and '.join(self.relations)}: {' = '.join(names)}"


Evidence = Attribute | Neighbour


@dataclass(frozen=True)
class Rival:
    """Another candidate of one of the two entities."""

    left: Entity
    right: Entity
    confidence: float
    score: float
    linked: bool


@dataclass(frozen=True)
class Path:
    """How the confidence comes about: 1 / (1 + exp(-(slope · (comparison + network) + offset))).

    Attributes:
        comparison: the logit of what attributes and shared neighbours say; network: what the graph network adds.
        slope, offset: the calibration of the type; threshold: the least confidence of a link of the type,
            None where it gets no links.
    """

    comparison: float
    network: float
    slope: float
    offset: float
    threshold: float | None


@dataclass(frozen=True)
class Counterfactual:
    """The strongest single evidence without which the verdict would be another."""

    what: str
    contribution: float
    confidence: float
    linked: bool


@dataclass(frozen=True)
class Explanation:
    """Why a pair is linked or not.

    Attributes:
        reason: the verdict in a sentence or two.
        attributes, neighbours: the evidence, the strongest first.
        taken: as evidence, whom the first look took either for, where it is not the other; None where it is nobody.
        rivals: the other candidates of both entities, the surest first.
        counterfactual: None where no single evidence would change the verdict.
        model: id of the model.
    """

    left: Entity
    right: Entity
    type: str
    status: Status
    reason: str
    score: float
    confidence: float
    path: Path
    attributes: tuple[Attribute, ...]
    neighbours: tuple[Neighbour, ...]
    taken: Attribute | None
    rivals: tuple[Rival, ...]
    counterfactual: Counterfactual | None
    model: str

    @property
    def linked(self) -> bool:
        """Whether the two are linked."""
        return self.status in ("linked", "confirmed")

    @property
    def evidence(self) -> list[Evidence]:
        """All of it, what speaks for the pair first."""
        return sorted([*self.stated, *self.neighbours], key=lambda one: -one.contribution)

    @property
    def stated(self) -> list[Attribute]:
        """The attributes, and behind them whom the first look took either for."""
        return [*self.attributes, *([self.taken] if self.taken else [])]

    def document(self) -> dict[str, Any]:
        """Return all of it for JSON, with `linked`, and `against`: what speaks against it, the strongest first."""
        found = dataclasses.asdict(self)
        for kind in ("attributes", "neighbours"):
            for row, one in zip(found[kind], getattr(self, kind), strict=True):
                row["what"] = one.what
        against = [one for one in reversed(self.evidence) if one.contribution < 0]
        found["against"] = [{"what": one.what, "contribution": one.contribution} for one in against]
        return {**found, "linked": self.linked}
