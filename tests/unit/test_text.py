"""Text: what is the same name, what tells two names apart, and how rare words are weighed."""

from __future__ import annotations

import re
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import HashingVectorizer

from neo4j_align import text
from tests.unit.builders import objects

anything = st.text(max_size=40)
words = st.lists(st.text("abc", min_size=1, max_size=4), max_size=5).map(" ".join)


@pytest.mark.parametrize(
    ("one", "folded"),
    [
        ("Amélie", "amelie"),
        ("  The   Matrix\t(1999) ", "the matrix 1999"),
        ("Rock &amp; Roll", "rock and roll"),
        ("Simon & Garfunkel", "simon and garfunkel"),
        ("Don't", "dont"),
        ("Spider-Man: No_Way", "spider man no way"),
        ("Привет", "privet"),
        ("ＦＵＬＬ", "full"),
        ("", ""),
        ("!?", ""),
    ],
)
def test_fold(one: str, folded: str) -> None:
    assert text.fold(one) == folded


@settings(max_examples=150, deadline=None)
@given(anything)
def test_what_is_folded_is_plain_words_and_stays(one: str) -> None:
    folded = text.fold(one)
    assert re.fullmatch(r"([a-z0-9]+( [a-z0-9]+)*)?", folded)
    assert text.fold(folded) == folded
    assert text.fold(f" {one}.") == folded


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(max_codepoint=127, exclude_characters="&"), max_size=40))
def test_case_is_no_matter(one: str) -> None:
    assert text.fold(one.upper()) == text.fold(one)


def test_a_very_long_text_is_cut() -> None:
    assert len(text.fold("a" * 1_000_000)) == text.LONGEST
    assert len(text.signature("a " * 1_000_000)) <= text.LONGEST
    assert text.qualifiers("a" * 1_000_000 + "(live)") == ""


@pytest.mark.parametrize(
    "names",
    [
        ("Beatles, The", "The Beatles", "Beatles (band)", "BEATLES"),
        ("Kapoor, Raj", "Raj Kapoor", "raj kapoor"),
        ("Les Misérables", "Miserables, Les", "Miserables"),
        ("(Untitled)", "Untitled"),
        ("The The", "The"),
    ],
)
def test_names_of_one_signature(names: tuple[str, ...]) -> None:
    assert len({text.signature(name) for name in names}) == 1
    assert text.signature(names[0])


@pytest.mark.parametrize(
    ("one", "other"),
    [("Alien", "Aliens"), ("Aditya Raj", "Aditya Raj Kapoor"), ("Rocky II", "Rocky III"), ("The", "A"), ("A B", "A C")],
)
def test_names_of_different_signatures(one: str, other: str) -> None:
    assert text.signature(one) != text.signature(other)


@settings(max_examples=100, deadline=None)
@given(anything)
def test_only_what_has_no_word_has_no_signature(name: str) -> None:
    assert bool(text.signature(name)) == bool(text.fold(name))
    assert text.signature(text.signature(name)).split() == sorted(text.signature(text.signature(name)).split())


def test_qualifiers() -> None:
    assert text.qualifiers("Radioactive (Remix) [feat. Kendrick Lamar] {live}") == "remix feat kendrick lamar live"
    assert text.qualifiers("Radioactive") == text.qualifiers("Radioactive (") == text.qualifiers("Radioactive ()") == ""


@pytest.mark.parametrize(
    ("folded", "found"),
    [
        ("rocky ii", "2"),
        ("rocky 02 part 3", "2 3"),
        ("i robot v", ""),
        ("000", "0"),
        ("blink182 1999", "blink182 1999"),
        ("", ""),
    ],
)
def test_numbers(folded: str, found: str) -> None:
    assert text.numbers(folded) == found


def test_a_function_is_applied_once_to_each_text() -> None:
    seen: list[str] = []

    def shout(value: str) -> str:
        seen.append(value)
        return value.upper()

    found = text.map_unique(shout, objects(["a", None, "b", "a", None, ""]))
    assert found.tolist() == ["A", "", "B", "A", "", ""]
    assert sorted(seen) == ["", "a", "b"]
    assert text.map_unique(shout, objects([])).tolist() == []
    assert text.map_unique(shout, objects([None])).tolist() == [""]


# Matrices


@settings(max_examples=60, deadline=None)
@given(st.lists(words, max_size=8))
def test_a_bag_has_a_one_for_each_word_of_each_text(texts: list[str]) -> None:
    bag = text.bag(objects(texts))
    assert bag.shape == (len(texts), text.WORD_BUCKETS)
    assert set(bag.data.tolist()) <= {1.0}
    buckets = {word: text.bag(objects([word])).indices[0] for one in texts for word in one.split()}
    for row, one in enumerate(texts):
        assert set(bag[row].indices.tolist()) == {buckets[word] for word in one.split()}


@settings(max_examples=60, deadline=None)
@given(st.lists(words, max_size=8))
def test_trigrams_are_those_of_scikit_learn_however_the_words_stand(texts: list[str]) -> None:
    plain = HashingVectorizer(
        analyzer="char_wb", ngram_range=(3, 3), n_features=text.TRIGRAM_BUCKETS, alternate_sign=False, norm=None
    )
    found = text.trigrams(objects(texts))
    assert found.shape == (len(texts), text.TRIGRAM_BUCKETS)
    if texts:
        assert abs(found - plain.transform(texts)).max() < 1e-6
    turned = text.trigrams(objects([" ".join(reversed(one.split())) for one in texts]))
    assert abs(found - turned).sum() == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(words, min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_a_row_depends_on_its_text_alone(texts: list[str], random: Random) -> None:
    order = list(range(len(texts)))
    random.shuffle(order)
    for rows in (text.bag, text.trigrams):
        whole = rows(objects(texts))
        shuffled = rows(objects([texts[at] for at in order]))
        assert abs(whole[order] - shuffled).sum() == 0
        assert abs(rows(objects(texts[:1])) - whole[:1]).sum() == 0


def test_rarity_is_the_inverse_document_frequency() -> None:
    bag = text.bag(objects(["a b", "a", "a c c", ""]))
    weights = text.rarity(bag)
    assert weights.shape == (text.WORD_BUCKETS,)
    column = {word: text.bag(objects([word])).indices[0] for word in "abc"}
    assert weights[column["a"]] == pytest.approx(np.log(5 / 4))
    assert weights[column["b"]] == weights[column["c"]] == pytest.approx(np.log(5 / 2))
    unseen = np.ones(text.WORD_BUCKETS, bool)
    unseen[list(column.values())] = False
    np.testing.assert_allclose(weights[unseen], np.log(5), rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.lists(words, min_size=1, max_size=6))
def test_weighted_rows_have_length_one_or_are_empty(texts: list[str]) -> None:
    rows = text.bag(objects(texts))
    before = rows.copy()
    weights = text.rarity(rows)
    found = text.weighted(rows, weights)
    assert abs(rows - before).sum() == 0
    length = np.sqrt(np.asarray(found.multiply(found).sum(axis=1))).ravel()
    for one, size in zip(texts, length, strict=True):
        heavy = any(weights[text.bag(objects([word])).indices[0]] > 0 for word in one.split())
        assert size == pytest.approx(1 if heavy else 0, abs=1e-6)
    assert np.isfinite(found.data).all()


def test_join() -> None:
    joined = text.join([objects(["a", None, ""]), objects(["b", "c", None]), objects([None, None, None])])
    assert [" ".join(one.split()) for one in joined] == ["a b", "c", ""]
    assert text.join([objects(["a", None])]).tolist() == ["a", ""]
