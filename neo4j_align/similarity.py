"""How alike two names of a schema are, two columns of sampled values, and the ends of two relations."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz
from rapidfuzz.process import cdist
from sklearn.feature_extraction import DictVectorizer

from neo4j_align.config import Kind
from neo4j_align.profile import Property, RelationType, words
from neo4j_align.text import fold, signature

Matrix = npt.NDArray[np.float64]

_EMPTY_WORDS = frozenset({"has", "have", "is", "was", "are", "the", "a", "of", "by", "in", "on", "at", "to", "from"})
_YEAR = re.compile(r"\d{4}")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
FEWEST_SHARED = 5  # relationships between the same names on both sides that are no accident
_FEWEST = 3  # equal values that are no accident
_FEWEST_NAMED = 8  # nodes of one name whose values are worth a comparison


def name_similarity(left: Sequence[str], right: Sequence[str], context: Iterable[str] = ()) -> Matrix:
    """Compare labels, property names or relationship types, 0 to 1, (L, R); words of `context` say nothing.

    Names without a word of two letters (`R18`, `P31`) are like nothing, not even each other: two vocabularies
    may use one number for different things.
    """
    ignored = _EMPTY_WORDS.union(context)
    texts = [[_telling(name, ignored) for name in side] for side in (left, right)]
    ratios = cdist(*texts, scorer=fuzz.token_sort_ratio, dtype=np.float64) / 100
    within = cdist(*texts, scorer=fuzz.token_set_ratio) == 100
    # Unrelated words of one language reach ratios of 0.3 to 0.5.
    similar: Matrix = np.maximum(np.maximum(2 * ratios - 1, 0.85 * within), 0)
    telling = [np.array([bool(text) for text in side], dtype=bool) for side in texts]
    similar[~np.outer(*telling)] = 0
    return similar


def _telling(name: str, ignored: frozenset[str]) -> str:
    found = words(name)
    if not any(len(word) > 1 and word.isalpha() for word in found):
        return ""
    return " ".join([word for word in found if word not in ignored] or found)


@dataclass(frozen=True)
class Column:
    """Sampled values of a property, and the share of its nodes that were sampled."""

    values: tuple[str, ...]
    share: float

    @cached_property
    def words(self) -> Counter[str]:
        """In how many distinct values each word occurs."""
        return Counter(word for value in set(self.values) for word in set(fold(value).split()))

    @cached_property
    def names(self) -> Counter[str]:
        """The distinct values, whatever the order of their words."""
        return Counter(set(filter(None, map(signature, set(self.values)))))


def text_overlap(left: Sequence[Column], right: Sequence[Column]) -> Matrix:
    """Compare columns of texts, 0 to 1, (L, R): by the words they use, and by the values they share.

    The words of two independent samples are alike where the columns are, though hardly a value may be in
    both; the number of equal values is scaled up by the shares that were sampled.
    """
    used = _products([c.words for c in left], [c.words for c in right])
    lengths = [np.sqrt([c.words.total() or 1 for c in side]) for side in (left, right)]
    equal = _products([c.names for c in left], [c.names for c in right])
    sizes = [np.array([max(len(c.names), 1) / c.share for c in side]) for side in (left, right)]
    shares = [np.array([c.share for c in side]) for side in (left, right)]
    estimated = equal / np.outer(*shares) / np.minimum.outer(*sizes)
    shared = np.where(equal >= _FEWEST, np.minimum(estimated, 1), 0)
    overlap: Matrix = np.maximum(used / np.outer(*lengths), shared)
    return overlap


def _products(left: Sequence[Counter[str]], right: Sequence[Counter[str]]) -> Matrix:
    """Return for every left and right bag the sum of sqrt(count in the one · count in the other), (L, R)."""
    counts = DictVectorizer().fit_transform([{"": 0}, *left, *right])  # the first lets all others be empty
    counts.data = np.sqrt(counts.data)
    product: Matrix = (counts[1 : len(left) + 1] @ counts[len(left) + 1 :].T).toarray()
    return product


def year_overlap(left: Column, right: Column) -> float:
    """Compare columns of dates by the decades that they fall into, 0 to 1."""
    one, other = (Counter(year // 10 for v in c.values if (year := _year(v)) is not None) for c in (left, right))
    total = one.total() * other.total()
    return sum(min(one[d] * other.total(), other[d] * one.total()) for d in one) / total if total else 0.0


def range_overlap(left: Column, right: Column) -> float:
    """Compare columns of numbers by the ranges that hold the middle nine tenths of each, 0 to 1."""
    columns = [[number for v in c.values if (number := _number(v)) is not None] for c in (left, right)]
    if not all(columns):
        return 0.0
    (low, high), (other_low, other_high) = (np.quantile(column, (0.05, 0.95)) for column in columns)
    union = max(high, other_high) - min(low, other_low)
    return float(max(0.0, min(high, other_high) - max(low, other_low)) / union) if union else 1.0


def same_named(left: Property, right: Property) -> list[tuple[int, int]]:
    """Pair the nodes whose names are equal, where only one node of either side has the name."""
    owners = []
    for side in (left, right):
        names = {owner: signature(value) for owner, value in side.owned}
        count = Counter(names.values())
        owners.append({name: owner for owner, name in names.items() if name and count[name] == 1})
    return [(owner, owners[1][name]) for name, owner in owners[0].items() if name in owners[1]]


def value_agreement(left: Property, right: Property, kind: Kind, pairs: Sequence[tuple[int, int]]) -> float | None:
    """Say how much oftener values agree on nodes of one name than on others, 0 to 1; None for too few."""
    values = [dict(side.owned) for side in (left, right)]
    both = [(values[0][one], values[1][other]) for one, other in pairs if one in values[0] and other in values[1]]
    if len(both) < _FEWEST_NAMED:
        return None
    ones, others = zip(*both, strict=True)
    found = _share_equal(ones, others, kind)
    chance = _share_equal(ones, others[1:] + others[:1], kind)
    return max(0.0, (found - chance) / (1 - chance)) if chance < 1 else 0.0


def _share_equal(ones: Sequence[str], others: Sequence[str], kind: Kind) -> float:
    return sum(map(_EQUAL[kind], ones, others)) / len(ones)


def _equal_years(one: str, other: str) -> bool:
    year, other_year = _year(one), _year(other)
    return year is not None and other_year is not None and abs(year - other_year) <= 1


def _equal_numbers(one: str, other: str) -> bool:
    number, other_number = _number(one), _number(other)
    return number is not None and other_number is not None and math.isclose(number, other_number, rel_tol=0.03)


def _equal_texts(one: str, other: str) -> bool:
    return signature(one) == signature(other)


_EQUAL: dict[Kind, Callable[[str, str], bool]] = {
    "date": _equal_years,
    "number": _equal_numbers,
    "text": _equal_texts,
    "name": _equal_texts,
}


def _year(text: str) -> int | None:
    found = _YEAR.search(text)
    return int(found[0]) if found else None


def _number(text: str) -> float | None:
    found = _NUMBER.search(text.replace(",", ""))
    return float(found[0]) if found else None


@dataclass(frozen=True)
class Ends:
    """The names at both ends of the sampled relationships of one type, and the share that was sampled."""

    pairs: frozenset[tuple[str, str]]
    share: float

    @classmethod
    def of(cls, relation: RelationType, memo: dict[str, str]) -> Ends:
        """Read the names of a relation whatever the order of their words; `memo` spares repeated names."""
        for name in {name for pair in relation.pairs for name in pair} - memo.keys():
            memo[name] = signature(name)
        pairs = ((memo[start], memo[end]) for start, end in relation.pairs)
        return cls(frozenset(pair for pair in pairs if all(pair)), relation.share)

    @cached_property
    def starts(self) -> frozenset[str]:
        """The names at the start."""
        return frozenset(start for start, _ in self.pairs)

    @cached_property
    def ends(self) -> frozenset[str]:
        """The names at the end."""
        return frozenset(end for _, end in self.pairs)

    @cached_property
    def worded(self) -> list[list[tuple[str, str]]]:
        """Of each pair of names the pairs of words that tell it best: the two rarest of either end."""
        rare = [_rarest_words(names) for names in (self.starts, self.ends)]
        return [[(one, other) for one in rare[0][start] for other in rare[1][end]] for start, end in self.pairs]

    @cached_property
    def inverse(self) -> Ends:
        """The same, seen from the other end."""
        return Ends(frozenset((end, start) for start, end in self.pairs), self.share)


def _rarest_words(names: frozenset[str]) -> dict[str, list[str]]:
    """Of each name the two rarest of its words that a tenth of the names have at most, or two of few."""
    counts = Counter(word for name in names for word in set(name.split()))
    most = max(2, len(names) / 10)
    return {
        name: sorted({word for word in name.split() if counts[word] <= most}, key=lambda word: (counts[word], word))[:2]
        for name in names
    }


def shared_ends(left: Mapping[str, Ends], right: Mapping[str, Ends]) -> Counter[tuple[str, str, bool]]:
    """Count the pairs of names that a left and a right relation both join; True where inversely."""
    owners: dict[tuple[str, str], list[tuple[str, bool]]] = {}
    for name, relation in right.items():
        for start, end in relation.pairs:
            owners.setdefault((start, end), []).append((name, False))
            owners.setdefault((end, start), []).append((name, True))
    return Counter(
        (name, other, inverse)
        for name, relation in left.items()
        for pair in relation.pairs
        for other, inverse in owners.get(pair, ())
    )


def closeness(left: Ends, right: Ends, shared: int) -> float:
    """Say how specific the shared pairs are to two relations: their cosine, made up for sampling."""
    sizes = len(left.pairs) * len(right.pairs) * left.share * right.share
    return shared / math.sqrt(sizes) if sizes else 0.0


def word_closeness(left: Mapping[str, Ends], right: Mapping[str, Ends]) -> dict[tuple[str, str, bool], float]:
    """Say which part of two relations joins names that have a word in common at both ends; True where inversely.

    The root of the product of both sides' parts; only where there are FEWEST_SHARED such relationships on either side.
    Made for no sampling: words are shared by accident too, and that does not grow with the sample.
    """
    back = _agreeing(right, left)
    return {
        (one, other, inverse): math.sqrt(
            count * back[other, one, inverse] / len(left[one].pairs) / len(right[other].pairs)
        )
        for (one, other, inverse), count in _agreeing(left, right).items()
        if min(count, back[other, one, inverse]) >= FEWEST_SHARED
    }


def _agreeing(ones: Mapping[str, Ends], others: Mapping[str, Ends]) -> Counter[tuple[str, str, bool]]:
    """Count the relationships of the ones that have words in common with some of the others."""
    owners: dict[tuple[str, str], set[tuple[str, bool]]] = {}
    for name, relation in others.items():
        for one, other in {pair for pairs in relation.worded for pair in pairs}:
            owners.setdefault((one, other), set()).add((name, False))
            owners.setdefault((other, one), set()).add((name, True))
    return Counter(
        (name, *found)
        for name, relation in ones.items()
        for pairs in relation.worded
        for found in {found for pair in pairs for found in owners.get(pair, ())}
    )


def agreement(left: Ends, right: Ends, shared: int) -> float | None:
    """Say which share of the pairs that could be shared is: those whose names both sides have at these ends.

    None where hardly any could be.
    """
    possible = sum(start in right.starts and end in right.ends for start, end in left.pairs)
    possible *= sum(start in left.starts and end in left.ends for start, end in right.pairs)
    return min(1.0, shared / math.sqrt(possible * left.share * right.share)) if possible >= 25 else None


def best_pairs(scores: Matrix, least: float) -> list[tuple[int, int]]:
    """Pick pairs of a row and a column, best first, each row and column once, down to a least score."""
    pairs: list[tuple[int, int]] = []
    rows, columns = set(range(scores.shape[0])), set(range(scores.shape[1]))
    for place in np.argsort(-scores, axis=None, kind="stable"):
        row, column = divmod(int(place), scores.shape[1])
        if scores[row, column] < least:
            break
        if row in rows and column in columns:
            pairs.append((row, column))
            rows.remove(row)
            columns.remove(column)
    return pairs
