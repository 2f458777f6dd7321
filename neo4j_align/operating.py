"""What validation says of each threshold: the links it keeps, their precision, their recall."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from neo4j_align.config import Config
from neo4j_align.records import DIGITS

log = logging.getLogger(__name__)
POINTS = 100  # of a curve, at most
SHOWN = 25  # of them in a run's account, at most
FEWEST = 10  # true links that a curve takes: with fewer it says nothing
TRUSTED = 300  # links that the mean confidence counts for; see CONTRIBUTING
SLACK = 0.01  # "within a point": how far below what was asked for a promise may fall
_SURE = 1.645  # standard deviations of a one-sided 95 %
BOTH_SIDES = 1.96  # and of a two-sided


def wilson(share: float, count: int, deviations: float = BOTH_SIDES) -> tuple[float, float]:
    """Return the ends of Wilson's interval of a share that was seen in `count` cases, at least one."""
    z2 = deviations**2
    middle = share + z2 / (2 * count)
    spread = deviations * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    return max((middle - spread) / (1 + z2 / count), 0.0), min((middle + spread) / (1 + z2 / count), 1.0)


@dataclass(frozen=True)
class Point:
    """A threshold and what to expect of it.

    Attributes:
        threshold: least confidence of a link; None where no threshold reaches what was asked, so nothing is linked.
        links: validation links that it keeps.
        precision, recall: expected of its links; None where validation has too few labels to say.
    """

    threshold: float | None
    links: int = 0
    precision: float | None = None
    recall: float | None = None

    @property
    def at_least(self) -> float:
        """What the precision is at least, with 95 % certainty: the lower end of Wilson's interval."""
        if self.precision is None or not self.links:
            return 0.0
        return wilson(self.precision, self.links, _SURE)[0]

    def missing(self, target: float) -> int:
        """Return how many more validation links it takes to promise `target` within SLACK.

        That is where Wilson's lower end is the promise, if the precision stays as it is and is no less than `target`.
        """
        least = max(target - SLACK, 0.0)
        precision = max(self.precision or 0.0, target)
        needed = _SURE**2 * least * (1 - least) / (precision - least) ** 2
        return max(math.ceil(needed) - self.links, 0)


@dataclass(frozen=True)
class Target:
    """A precision that was asked for, and the point that it puts each type at, by the type's name."""

    precision: float
    points: dict[str, Point]

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        types = {
            kind: {
                **asdict(point),
                "at_least": point.at_least,
                "promised": point.at_least >= self.precision - SLACK,
                "missing": point.missing(self.precision),
            }
            for kind, point in self.points.items()
        }
        return {"precision": self.precision, "types": types}

    def warnings(self) -> list[str]:
        """Say where validation does not promise the precision, and how many labels it would take."""
        texts = ((kind, self._warning(point)) for kind, point in self.points.items())
        return [f"{kind}: {text}" for kind, text in texts if text]

    def _warning(self, point: Point) -> str:
        asked, missing = f"precision {self.precision:g}", point.missing(self.precision)
        if point.threshold is None:
            return f"no threshold reaches {asked} on validation, so there are no links. Ask for less, or add labels."
        labels = f"It takes about {missing:,} more true links in the split valid."
        if point.precision is None:
            start = f"validation has too few links to promise {asked}"
            return f"{start}; those of confidence {point.threshold:g} and more are taken. {labels}"
        if point.precision < self.precision:
            return f"threshold {point.threshold:g} of the configuration gives {point.precision:.3f}, not {asked}."
        if missing:
            return (
                f"{point.links:,} validation links are too few to promise {asked}: {point.precision:.3f} is expected, "
                f"{point.at_least:.3f} is certain (95 %). {labels}"
            )
        return ""


class Operating(BaseModel):
    """The operating curve of a type's links, from the strictest threshold to the laxest; empty with few labels.

    Attributes:
        thresholds, links, precision, recall: of each point: see Point; (K,), K at most POINTS.
    """

    model_config = ConfigDict(frozen=True)

    thresholds: tuple[float, ...] = ()
    links: tuple[int, ...] = ()
    precision: tuple[float, ...] = ()
    recall: tuple[float, ...] = ()

    def threshold(self, target: float) -> float:
        """Return the least confidence at which the links reach a precision; infinity where none does.

        Without a curve it is the precision itself: links of which each is that probable.
        """
        if not self.thresholds:
            return target
        reached = [t for t, precision in zip(self.thresholds, self.precision, strict=True) if precision >= target]
        return reached[-1] if reached else math.inf

    def at(self, threshold: float) -> Point:
        """Return what to expect of a threshold: the laxest point that is no laxer."""
        shown = threshold if math.isfinite(threshold) else None
        place = sum(t >= threshold for t in self.thresholds) - 1
        if place < 0:
            return Point(shown)
        return Point(shown, self.links[place], self.precision[place], self.recall[place])

    def document(self, threshold: float) -> dict[str, Any]:
        """Return for JSON the `chosen` point, and a `curve` of at most SHOWN: threshold, links, precision, recall."""
        rows = list(zip(self.thresholds, self.links, self.precision, self.recall, strict=True))
        places = np.unique(np.linspace(0, len(rows) - 1, min(SHOWN, len(rows))).round().astype(int))
        return {"chosen": astuple(self.at(threshold)), "curve": [[round(v, 4) for v in rows[at]] for at in places]}


def aim(precision: float, config: Config, curves: Sequence[Operating], thresholds: Sequence[float]) -> Target:
    """Say of each aligned type what validation expects at its threshold; warn where that is no promise."""
    rows = zip(config.types, curves, thresholds, strict=True)
    target = Target(precision, {kind.name: curve.at(least) for kind, curve, least in rows if kind.aligned})
    for warning in target.warnings():
        log.warning("%s", warning)
    return target


def trace(confidence: npt.NDArray[np.float64], same: npt.NDArray[Any], gold: float) -> Operating:
    """Draw the operating curve of the validation links that matching takes at threshold 0.

    The precision expected above a threshold is the share of true links, drawn to the mean confidence as if that were
    TRUSTED links more: the lowest cut of a noisy curve that reaches a precision is a lucky one, and with few links it
    is luck alone; the confidences, which all labels went into, are not.

    Args:
        confidence: (L,); same: (L,), whether each is true, or how likely; gold: number of true links, found or not.
    """
    if same.sum() < FEWEST:
        return Operating()
    order = np.argsort(-confidence, kind="stable")
    values, count = confidence[order], np.arange(1, len(order) + 1)
    true = np.cumsum(same[order])
    precision = (true + TRUSTED * np.cumsum(values) / count) / (count + TRUSTED)
    after = np.append(values[1:], 0.0)
    cuts = np.flatnonzero(values > after)  # a cut between equal confidences is none
    cuts = cuts[np.unique(np.linspace(0, len(cuts) - 1, POINTS).round().astype(int))]
    between = (values + after) / 2  # nothing hangs on one link

    def column(values: npt.NDArray[np.float64]) -> tuple[float, ...]:
        return tuple(np.round(values[cuts], DIGITS).tolist())

    return Operating(
        thresholds=tuple(between[cuts].tolist()),
        links=tuple(count[cuts].tolist()),
        precision=column(precision),
        recall=column(true / max(gold, 1)),
    )
