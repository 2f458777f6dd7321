"""Matching against its definition, played out on small random problems."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from random import Random

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from neo4j_align.records import Pairs
from neo4j_align.resolve.match import match
from tests.unit.builders import pairs as make_pairs

Pair = tuple[int, int]


@dataclass(frozen=True)
class Problem:
    """Pairs with confidence and threshold; `alone` says of a left entity's type whether its links are one-to-one."""

    confidence: dict[Pair, float]
    threshold: dict[Pair, float]
    alone: dict[Pair, bool]
    confirmed: frozenset[Pair]
    rejected: frozenset[Pair]

    def solve(self) -> set[Pair]:
        rows = sorted(self.confidence)
        chosen = match(
            make_pairs(rows),
            np.array([self.confidence[row] for row in rows]),
            np.zeros(len(rows)),
            np.array([self.threshold[row] for row in rows]),
            np.array([self.alone[row] for row in rows], dtype=bool),
            self.confirmed,
            self.rejected,
        )
        assert chosen.dtype == np.int64
        assert chosen.tolist() == sorted(set(chosen.tolist()))
        return {rows[row] for row in chosen}


LEFTS, RIGHTS = 6, 6


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Two types: lefts and rights below 3 are of the first, the others of the second; few distinct confidences."""
    cells = [(left, right) for left in range(LEFTS) for right in range(RIGHTS) if (left < 3) == (right < 3)]
    rows = draw(st.lists(st.sampled_from(cells), unique=True, max_size=len(cells)))
    levels = st.sampled_from([0.0, 0.25, 0.5, 0.500001, 0.75, 1.0])
    threshold, alone = draw(st.tuples(levels, levels)), draw(st.tuples(st.booleans(), st.booleans()))
    # Verdicts may also be about pairs that blocking did not find.
    verdicts = draw(st.lists(st.tuples(st.sampled_from(cells), st.booleans()), unique_by=lambda v: v[0], max_size=5))
    return Problem(
        {row: draw(levels) for row in rows},
        {row: threshold[row[0] >= 3] for row in rows},
        {row: alone[row[0] >= 3] for row in rows},
        frozenset(pair for pair, same in verdicts if same),
        frozenset(pair for pair, same in verdicts if not same),
    )


def greedy(problem: Problem) -> set[Pair]:
    """The definition: again and again, link the best pair that may still be linked."""
    links: set[Pair] = set()

    def may(pair: Pair) -> bool:
        others = [other for other in links | problem.confirmed if other[0] == pair[0] or other[1] == pair[1]]
        return (
            pair not in links | problem.confirmed | problem.rejected
            and problem.confidence[pair] >= problem.threshold[pair]
            and not (problem.alone[pair] and others)
        )

    while open_pairs := [pair for pair in problem.confidence if may(pair)]:
        links.add(min(open_pairs, key=lambda pair: (-problem.confidence[pair], pair)))
    return links


@settings(max_examples=300, deadline=None)
@given(problems())
def test_is_greedy_by_confidence(problem: Problem) -> None:
    assert problem.solve() == greedy(problem)


@settings(max_examples=150, deadline=None)
@given(problems())
def test_what_holds_of_every_result(problem: Problem) -> None:
    links = problem.solve()
    assert all(problem.confidence[pair] >= problem.threshold[pair] for pair in links)
    assert links.isdisjoint(problem.confirmed | problem.rejected)
    for one, other in itertools.combinations(links | problem.confirmed, 2):
        # Two of a person's own links may share an entity; none that the machine adds does.
        if {one, other} <= problem.confirmed:
            continue
        ours = one if one in links else other
        assert not problem.alone[ours] or (one[0] != other[0] and one[1] != other[1])
    # Nothing is left out without a reason: every pair that is not linked is undecidable, unsure or taken.
    for pair in set(problem.confidence) - links - problem.confirmed - problem.rejected:
        better = [
            other
            for other in links | problem.confirmed
            if (other[0] == pair[0] or other[1] == pair[1])
            and (other in problem.confirmed or problem.confidence[other] >= problem.confidence[pair])
        ]
        assert problem.confidence[pair] < problem.threshold[pair] or (problem.alone[pair] and better)


@settings(max_examples=150, deadline=None)
@given(problems(), st.randoms(use_true_random=False))
@example(
    Problem(
        dict.fromkeys([(0, 0), (0, 1), (1, 0), (1, 1)], 0.5),
        dict.fromkeys([(0, 0), (0, 1), (1, 0), (1, 1)], 0.5),
        dict.fromkeys([(0, 0), (0, 1), (1, 0), (1, 1)], True),
        frozenset(),
        frozenset(),
    ),
    None,
)
def test_the_order_of_the_pairs_is_no_matter(problem: Problem, random: Random | None) -> None:
    rows = sorted(problem.confidence)
    if random is None:
        rows = rows[::-1]
    else:
        random.shuffle(rows)
    columns = np.array(rows, dtype=np.int32).reshape(-1, 2)
    shuffled = Pairs(columns[:, 0], columns[:, 1], np.zeros((len(rows), 3), np.float32))
    chosen = match(
        shuffled,
        np.array([problem.confidence[row] for row in rows]),
        np.zeros(len(rows)),
        np.array([problem.threshold[row] for row in rows]),
        np.array([problem.alone[row] for row in rows], dtype=bool),
        problem.confirmed,
        problem.rejected,
    )
    assert {rows[row] for row in chosen} == problem.solve()


@settings(max_examples=100, deadline=None)
@given(problems())
def test_abstaining_more_never_links_what_was_not_linked_before(problem: Problem) -> None:
    """A higher threshold cuts the list of links off at its end and changes nothing before."""
    higher = dict.fromkeys(problem.confidence, 0.75)
    lower = dict.fromkeys(problem.confidence, 0.25)
    one = Problem(problem.confidence, lower, problem.alone, problem.confirmed, problem.rejected).solve()
    other = Problem(problem.confidence, higher, problem.alone, problem.confirmed, problem.rejected).solve()
    assert other == {pair for pair in one if problem.confidence[pair] >= 0.75}


def _solve(
    confidence: dict[Pair, float],
    alone: bool = True,
    confirmed: frozenset[Pair] = frozenset(),
    rejected: frozenset[Pair] = frozenset(),
) -> set[Pair]:
    thresholds = dict.fromkeys(confidence, 0.5)
    return Problem(confidence, thresholds, dict.fromkeys(confidence, alone), confirmed, rejected).solve()


def test_the_best_of_an_entity_wins_and_the_loser_takes_its_next_best() -> None:
    assert _solve({(0, 0): 0.9, (1, 0): 0.95, (0, 1): 0.6}) == {(1, 0), (0, 1)}


def test_a_tie_goes_to_the_smaller_left_then_right() -> None:
    assert _solve({(0, 1): 0.9, (1, 1): 0.9}) == {(0, 1)}
    assert _solve({(0, 0): 0.9, (0, 1): 0.9}) == {(0, 0)}


def test_the_threshold_itself_is_enough() -> None:
    assert _solve({(0, 0): 0.5, (1, 1): np.nextafter(0.5, 0)}) == {(0, 0)}


def test_many_to_many_keeps_all() -> None:
    assert _solve({(0, 0): 0.9, (0, 1): 0.6, (1, 1): 0.4}, alone=False) == {(0, 0), (0, 1)}


def test_a_confirmed_pair_takes_its_entities_even_where_its_own_confidence_is_low() -> None:
    assert _solve({(0, 0): 0.1, (0, 1): 0.9, (1, 0): 0.9, (1, 1): 0.6}, confirmed=frozenset({(0, 0)})) == {(1, 1)}


def test_a_rejected_pair_frees_its_entities() -> None:
    assert _solve({(0, 0): 0.99, (0, 1): 0.6}, rejected=frozenset({(0, 0)})) == {(0, 1)}


def test_a_confidence_that_is_no_number_is_no_link() -> None:
    assert _solve({(0, 0): float("nan"), (1, 1): 0.7}) == {(1, 1)}


def test_no_pairs() -> None:
    assert _solve({}) == set()


def test_the_higher_score_decides_between_equal_confidences() -> None:
    rows = [(0, 0), (0, 1)]
    ones = np.ones(2)
    chosen = match(make_pairs(rows), ones, np.array([16.0, 25.0]), ones / 2, np.ones(2, dtype=bool))
    assert [rows[row] for row in chosen] == [(0, 1)]
