"""Guess which relations of two graphs are the same: by what they join, else by their names, else by what is left.

A relation is the same as another where both join entities of the same names; two names alone say less, and
names such as `R18` say nothing. Where entities are spelled differently on both sides, words of their names tell.
A direction may be inverse.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from neo4j_align.config import Relation
from neo4j_align.profile import Graph, RelationType, words
from neo4j_align.similarity import (
    FEWEST_SHARED,
    Ends,
    agreement,
    best_pairs,
    closeness,
    name_similarity,
    shared_ends,
    word_closeness,
)

_Types = tuple[str | None, str | None]  # the right types at start and end

ALONE = "no counterpart found"
LEAST_NAME = 0.75
LEAST_AGREEMENT = 0.2
LEAST_WORDS = 0.1  # by the words of the names: how close two relations must be,
CLEARLY = 2.0  # and how many times closer than any rival
MOST = 12  # relations that are left between two types of a side: of hundreds nobody checks what words say


def match_relations(left: Graph, right: Graph, counterparts: dict[str, str]) -> Iterator[tuple[Relation, str]]:
    """Pair the relations of two graphs, given the right counterparts of left types; each goes with a note."""
    matcher = _Matcher(left, right, counterparts)
    matcher.by_joined_entities()
    matcher.by_name()
    matcher.by_joined_words()
    matcher.by_elimination()
    order = {relation.name: place for place, relation in enumerate(left.relations)}
    yield from sorted(matcher.matches, key=lambda match: order[match[0].name])
    yield from ((Relation(name=name, left=name), ALONE) for name in matcher.left)
    yield from ((Relation(name=name, right=name), ALONE) for name in matcher.right)


class _Matcher:
    """Pairs relations that are still free: from the surest sign to the weakest."""

    def __init__(self, left: Graph, right: Graph, counterparts: dict[str, str]) -> None:
        self.matches: list[tuple[Relation, str]] = []
        self.left = {relation.name: relation for relation in left.relations}
        self.right = {relation.name: relation for relation in right.relations}
        self._counterparts = counterparts
        self._nodes = [{t.name: t.nodes for t in graph.types} for graph in (left, right)]
        memo: dict[str, str] = {}
        self._ends = [{r.name: Ends.of(r, memo) for r in graph.relations} for graph in (left, right)]
        self._shared = shared_ends(*self._ends)

    def by_joined_entities(self) -> None:
        """Pair relations that join entities of the same names."""
        signs = [
            (-closeness(self._ends[0][left], self._ends[1][right], shared), inverse, left, right)
            for (left, right, inverse), shared in self._shared.items()
            if shared >= FEWEST_SHARED
        ]
        for _, inverse, left, right in sorted(signs):
            if left in self.left and right in self.right and self._fits(left, right, inverse):
                agreed = self._agreement(left, right, inverse)
                if agreed is not None and agreed >= LEAST_AGREEMENT:
                    word = "sure" if agreed >= 2 * LEAST_AGREEMENT else "likely"
                    note = f"{word}: they join entities of the same names, {agreed:.0%} of those that they could"
                    self._take(left, right, inverse, note)

    def by_name(self) -> None:
        """Pair relations of like names that join types which are paired."""
        lefts, rights = list(self.left), list(self.right)
        scores = name_similarity(lefts, rights)
        inverse: dict[tuple[int, int], bool] = {}
        for row, column in np.argwhere(scores >= LEAST_NAME):
            direction = self._direction(lefts[row], rights[column])
            if direction is None:
                scores[row, column] = 0
            else:
                inverse[row, column] = direction
        for row, column in best_pairs(scores, LEAST_NAME):
            note = f"likely: names alike {scores[row, column]:.0%}"
            self._take(lefts[row], rights[column], inverse[row, column], note)

    def by_joined_words(self) -> None:
        """Pair relations that join entities of like names, clearly more so than any other relation that is left."""
        free = (
            _few({name: self._translated(r) for name, r in self.left.items()}),
            _few({name: _main_ends(r) for name, r in self.right.items()}),
        )
        ends = [{name: known[name] for name in names} for known, names in zip(self._ends, free, strict=True)]
        scores = {
            found: score
            for found, score in word_closeness(*ends).items()
            if score >= LEAST_WORDS / CLEARLY and self._fits(*found) and self._agrees(*found)
        }
        rivals: defaultdict[tuple[int, str], list[float]] = defaultdict(list)
        for (left, right, _), score in scores.items():
            rivals[0, left].append(score)
            rivals[1, right].append(score)
        for (left, right, inverse), score in sorted(scores.items()):
            others = sorted(rivals[0, left])[:-1] + sorted(rivals[1, right])[:-1]
            if score >= max([LEAST_WORDS, *(CLEARLY * other for other in others)]):
                self._take(left, right, inverse, f"likely: {score:.0%} of them join entities of like names")

    def by_elimination(self) -> None:
        """Pair what is left where only one relation of either side joins two types, about as often."""
        lefts = _by_ends((self._translated(r), name) for name, r in self.left.items())
        rights = _by_ends((_main_ends(r), name) for name, r in self.right.items())
        for ends, names in lefts.items():
            for inverse, place in ((False, ends), (True, ends[::-1])):
                others = [name for name in rights.get(place, ()) if name in self.right]
                if len(names) == len(others) == 1 and self._plausible(names[0], others[0], inverse):
                    self._take(names[0], others[0], inverse, "unsure: the only ones left between these types")
                    break

    def _take(self, left: str, right: str, inverse: bool, note: str) -> None:
        self.matches.append((Relation(name=left, left=left, right=right, inverse=inverse), note))
        del self.left[left], self.right[right]

    def _fits(self, left: str, right: str, inverse: bool) -> bool:
        """Whether half of the relationships of the rarer one join types that the other one joins, too."""
        one, other = self.left[left], self.right[right]
        ends = {(end, start) if inverse else (start, end) for start, end in other.ends}
        fitting = sum(count for pair, count in one.ends.items() if self._translate(pair) in ends)
        return 2 * fitting >= min(one.relationships, other.relationships)

    def _direction(self, left: str, right: str) -> bool | None:
        """Whether the types at the ends, or else the names, say that the direction is inverse; None: no fit."""
        same, turned = (self._fits(left, right, inverse) for inverse in (False, True))
        if same and turned:
            return _is_passive(left) != _is_passive(right)
        return turned if same or turned else None

    def _translate(self, ends: tuple[str, str]) -> _Types:
        return self._counterparts.get(ends[0]), self._counterparts.get(ends[1])

    def _translated(self, relation: RelationType) -> _Types:
        return self._translate(_main_ends(relation))

    def _agreement(self, left: str, right: str, inverse: bool) -> float | None:
        other = self._ends[1][right]
        shared = self._shared[left, right, inverse]
        return agreement(self._ends[0][left], other.inverse if inverse else other, shared)

    def _plausible(self, left: str, right: str, inverse: bool) -> bool:
        """Whether nothing speaks against a pair: they are about as frequent, and join no different entities."""
        rates = [
            relation.relationships / nodes[_main_ends(relation)[turned]]
            for relation, nodes, turned in (
                (self.left[left], self._nodes[0], False),
                (self.right[right], self._nodes[1], inverse),
            )
        ]
        return max(rates) <= 4 * min(rates) and self._agrees(left, right, inverse)

    def _agrees(self, left: str, right: str, inverse: bool) -> bool:
        """Whether entities of the same names do not speak against a pair."""
        agreed = self._agreement(left, right, inverse)
        return agreed is None or agreed >= LEAST_AGREEMENT / 4


def _main_ends(relation: RelationType) -> tuple[str, str]:
    return max(relation.ends, key=lambda ends: (relation.ends[ends], ends))


def _few(ends: Mapping[str, _Types]) -> list[str]:
    """Return those of which at most MOST are left between their two types, either way round."""
    counts = Counter(map(frozenset, ends.values()))
    return [name for name, types in ends.items() if counts[frozenset(types)] <= MOST]


def _by_ends(relations: Iterable[tuple[_Types, str]]) -> dict[_Types, list[str]]:
    groups: dict[_Types, list[str]] = {}
    for ends, name in relations:
        groups.setdefault(ends, []).append(name)
    return groups


def _is_passive(name: str) -> bool:
    return words(name)[-1:] in (["of"], ["by"])
