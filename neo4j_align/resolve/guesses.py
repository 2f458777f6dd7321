"""Labels that a model makes for itself, of names that one entity of either side alone bears. Pure."""

from __future__ import annotations

import logging

import numpy as np
import numpy.typing as npt

from neo4j_align.records import LEFT, Anchors, BoolArray, Nodes, Verdicts
from neo4j_align.resolve.labels import Labels, exclusive
from neo4j_align.resolve.splits import HELD_OUT, fifth, seeded

log = logging.getLogger(__name__)
FEWEST = 20  # entities a side that bear a name alone, to teach oneself from
FEW = 100  # true pairs from persons, below which a model also teaches itself
MORE = 4  # times as many pairs of a type as persons gave, that names tell where it does so too
TOLD = 2 / 3  # of persons' pairs, at least, that names tell there, so that these speak for most entities
WRONG = 0.01  # of persons' pairs, at most, that names contradict there
_ORPHANED = np.array([0.75, 1.0, 1.0])  # bounds: a quarter


def wanted(given: Labels | None, names: Anchors, nodes: Nodes, type_names: tuple[str, ...]) -> BoolArray:
    """Tell of which types a model teaches itself, (T,): of all while persons' labels are few or none.

    Later of those that nobody labelled; of those of which names tell MORE, and nearly what persons said; and where
    single pairs were labelled of those of which few were true: a list of links holds few because there are no more.
    Where labels are few it warns.

    Args:
        names: what alone bears a name; of no type where FEWEST entities a side do not.
    """
    count = len(type_names)
    named = np.bincount(nodes.type[names.sure], minlength=count) // 2
    every = np.full(count, named.sum() >= FEWEST)
    if given is None:
        return every
    given = given.of(given.split != "test")
    true = np.bincount(nodes.type[given.left[given.same]], minlength=count)
    few = every
    if true.sum() < FEW and not every.any():
        log.warning(
            "%d true pairs are few, and the model cannot teach itself besides: %d names are borne by one entity of "
            "either side alone, and it takes %d; look at its links before you rely on them",
            true.sum(), named.sum(), FEWEST,
        )  # fmt: skip
    if true.sum() >= FEW:
        unlisted = (true < FEW) & (not given.listed)
        few = (named >= FEWEST) & ((true == 0) | unlisted | (named >= MORE * true) & _agree(given, names, nodes, true))
    if few.any():
        told = log.warning if ((true[few] > 0) & (true[few] < FEW)).any() else log.info
        told(
            "%d true pairs%s are few, so the model also teaches itself, from names that one entity of either side "
            "alone bears",
            true[few].sum(), "" if few.all() else f" of {' and '.join(np.array(type_names)[few])}",
        )  # fmt: skip
    return few


def _agree(given: Labels, names: Anchors, nodes: Nodes, true: npt.NDArray[np.int64]) -> BoolArray:
    """Tell of which types, (T,), names say nearly what persons do, who gave enough pairs, and one link an entity.

    Args:
        true: (T,), how many of the given pairs are.
    """
    count, pairs = len(true), np.stack([given.left, given.right], axis=1)
    told = names.sure[pairs] & (names.twin[pairs] == pairs[:, ::-1])
    against = np.where(given.same, (names.sure[pairs] & ~told).any(axis=1), told[:, 0])
    alike, wrong = (
        np.bincount(nodes.type[given.left[rows]], minlength=count) for rows in (told[:, 0] & given.same, against)
    )
    one_to_one = np.array(exclusive(count, given, nodes))
    return np.asarray((true >= FEWEST) & (alike >= TOLD * true) & (wrong <= WRONG * true) & one_to_one)


def of_anchors(
    anchors: Anchors,
    orphans: npt.NDArray[np.int64],
    nodes: Nodes,
    type_names: tuple[str, ...],
    seed: int,
    kinds: BoolArray,
) -> Labels:
    """Take sure anchors of some types, (T,), for labels, and a part of them, always the same, to validate with."""
    left = np.flatnonzero(anchors.sure & (nodes.side == LEFT) & kinds[nodes.type])
    left = np.setdiff1d(left, orphans[:, 0])  # whatever it is sure of by now is wrong: its counterpart is away
    return Labels(
        left=left,
        right=anchors.twin[left],
        same=np.ones(len(left), bool),
        split=seeded(nodes.keys[left], HELD_OUT, seed) if len(left) >= FEW else fifth(nodes.keys[left], seed),
        kind=np.array(type_names, dtype=object)[nodes.type[left]],
        listed=False,
        guessed=frozenset(np.flatnonzero(kinds).tolist()),
        orphans=orphans,
    )


def enough(found: Anchors, names: Anchors, nodes: Nodes, kinds: BoolArray) -> Anchors:
    """Return whom a model found of some types, (T,), or the names' anchors where it is sure of fewer than FEWEST.

    Through few pairs no curve of confidence is drawn (`calibrate.FEWEST`), and without one it may be sure of nobody.
    """
    return found if (found.sure & kinds[nodes.type]).sum() // 2 >= FEWEST else names


def untested(given: Labels, decided: Verdicts, guessed: BoolArray) -> Labels:
    """Return labels without the test split of what is guessed: these entities are guessed like all others.

    Verdicts stay. On an entity that is tested they teach nothing, and nothing is guessed against them.

    Args:
        guessed: (N,), whether an entity's type is.
    """
    judged = decided.confirmed | decided.rejected
    ends = zip(given.left.tolist(), given.right.tolist(), strict=True)
    verdicts = np.array([pair in judged for pair in ends], bool)
    return given.of((given.split != "test") | ~guessed[given.left] | verdicts)


def part(
    anchors: Anchors, known: Labels, nodes: Nodes, seed: int, kinds: BoolArray
) -> tuple[Anchors, npt.NDArray[np.int64]]:
    """Part a quarter of the anchors of some types, (T,), always the same by their left keys.

    Args:
        known: labels; entities that a person found to be the same are left together if enough others are there.

    Returns:
        The anchors that are left, and the orphans, (M, 2).
    """
    left = np.flatnonzero(anchors.sure & (nodes.side == LEFT) & kinds[nodes.type])
    free = left[~np.isin(left, known.links[:, 0]) & ~np.isin(anchors.twin[left], known.links[:, 1])]
    left = free if len(free) >= FEWEST else left
    left = left[seeded(nodes.keys[left], _ORPHANED, seed + 1) == "valid"]
    orphans = np.stack([left, anchors.twin[left]], axis=1)
    twin, confidence = anchors.twin.copy(), anchors.confidence.copy()
    twin[orphans], confidence[orphans] = -1, 0
    return Anchors(twin, confidence), orphans


def with_strangers(
    orphans: npt.NDArray[np.int64], found: Anchors, known: Labels, nodes: Nodes, seed: int, kinds: BoolArray
) -> npt.NDArray[np.int64]:
    """Add to orphans a quarter of the left entities without a label that a model is sure of, parted from whom it found.

    Whether it was right or wrong, their next best candidate is no counterpart: so a model learns how near a stranger
    comes to those that no name identifies, of which the orphans that bore a name alone tell nothing.

    Args:
        found: whom a model takes for whose counterpart. Of those that it is not sure of, the next best may be right.
        known: labels, of which those that are the same are left together.
    """
    left = np.flatnonzero(found.sure & (nodes.side == LEFT) & kinds[nodes.type])
    left = np.setdiff1d(left, np.r_[known.links[:, 0], orphans[:, 0]])
    left = left[~np.isin(found.twin[left], np.r_[known.links[:, 1], orphans[:, 1]])]
    left = left[seeded(nodes.keys[left], _ORPHANED, seed + 2) == "valid"]
    return np.concatenate([orphans, np.stack([left, found.twin[left]], axis=1)])
