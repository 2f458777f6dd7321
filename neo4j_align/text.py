"""Text as sparse matrices: folded words and character trigrams, weighted by their rarity.

Everything is a function of the text and of the frozen weights alone, never of the order of the entities.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from anyascii import anyascii
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

from neo4j_align.records import FloatArray, Objects

LONGEST = 1_000  # characters of a value that are looked at; a megabyte string tells no more
WORD_BUCKETS = 2**20
TRIGRAM_BUCKETS = 2**18

_ARTICLES = frozenset(
    [
        "the",
        "a",
        "an",
        "le",
        "la",
        "les",
        "l",
        "un",
        "une",
        "el",
        "los",
        "las",
        "der",
        "die",
        "das",
        "il",
        "lo",
        "gli",
        "de",
        "het",
    ]
)
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "xi": "11"}
_END = "\1"  # of a text among others: no folded text holds it
_MAY_COUNT = re.compile(r"[0-9]|[ivx]{2}")
_BRACKETED = re.compile(r"[(\[{]([^)\]}]*)[)\]}]")
_NOT_WORD = re.compile(r"[^a-z0-9]+")
_trigrams = HashingVectorizer(
    analyzer="char_wb",
    ngram_range=(3, 3),
    n_features=TRIGRAM_BUCKETS,
    alternate_sign=False,
    norm=None,
    lowercase=False,
    dtype=np.float32,
)


def fold(text: str) -> str:
    """Return lower-case ASCII words separated by single spaces; other scripts are transliterated."""
    text = text[:LONGEST]
    if "&" in text:
        text = html.unescape(text).replace("&", " and ")
    if not text.isascii():
        text = anyascii(text)
    return _NOT_WORD.sub(" ", text.lower().replace("'", "")).strip()


def signature(text: str) -> str:
    """Return the words that identify a name: sorted, without brackets and leading or trailing article.

    "Beatles, The", "The Beatles" and "Beatles (band)" have one signature, as have "Last, First" and "First Last".
    """
    words = fold(_BRACKETED.sub(" ", text)).split() or fold(text).split()
    if len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    if len(words) > 1 and words[-1] in _ARTICLES:
        words = words[:-1]
    return " ".join(sorted(words))


def qualifiers(text: str) -> str:
    """Return the words in brackets: what tells a remix, a live take or a part from its original."""
    return fold(" ".join(_BRACKETED.findall(text[:LONGEST])))


def numbers(folded: str) -> str:
    """Return the words that count: with a digit in them, or a Roman numeral of two letters or more."""
    if not _MAY_COUNT.search(folded):  # as most texts do not
        return ""
    found = (_ROMAN.get(word, word) for word in folded.split())
    return " ".join(word.lstrip("0") or "0" for word in found if not word.isalpha())


def map_unique(function: Callable[[str], object], texts: Objects) -> Objects:
    """Apply a function of one text to a column, once per distinct value; None becomes the empty text."""
    codes, distinct = pd.factorize(texts)
    values = np.empty(len(distinct) + 1, dtype=object)
    values[:-1], values[-1] = [function(text) for text in distinct], ""
    return values[codes]


def bag(texts: Sequence[str] | Objects) -> sparse.csr_matrix:
    """Return which words each text has: (n, WORD_BUCKETS), 1 where the text has a word of that hash."""
    rows, words = _cut(texts)
    columns = pd.util.hash_array(words) % WORD_BUCKETS
    return _ones(rows, columns.astype(np.int64), (len(texts), WORD_BUCKETS))


def _cut(texts: Sequence[str] | Objects) -> tuple[npt.NDArray[np.int64], Objects]:
    """Cut folded texts into words, all at once: (n,) whose they are, (n,) the words."""
    words = np.array(f" {_END} ".join(texts).split(), dtype=object)
    ends = words == _END
    return np.cumsum(ends)[~ends], words[~ends]


def _ones(rows: npt.NDArray[Any], columns: npt.NDArray[Any], shape: tuple[int, int]) -> sparse.csr_matrix:
    matrix = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


def trigrams(texts: Sequence[str] | Objects) -> sparse.csr_matrix:
    """Return how often each text has each character trigram of its words: (n, TRIGRAM_BUCKETS).

    The trigrams of a text are those of its words, so only distinct words are cut up, and order is no matter.
    """
    rows, words = _cut(texts)
    codes, distinct = pd.factorize(words)
    shape = (len(texts), len(distinct))
    membership = sparse.csr_matrix((np.ones(len(codes), np.float32), (rows, codes)), shape=shape)
    if not len(distinct):
        return sparse.csr_matrix((len(texts), TRIGRAM_BUCKETS), dtype=np.float32)
    return (membership @ _trigrams.transform(distinct)).tocsr()


def rarity(matrix: sparse.csr_matrix) -> FloatArray:
    """Return the inverse document frequency of each column, ln((1 + n) / (1 + df)); (buckets,)."""
    frequency = np.bincount(matrix.indices, minlength=matrix.shape[1])
    weights: FloatArray = np.log((1 + matrix.shape[0]) / (1 + frequency)).astype(np.float32)
    return weights


def weighted(matrix: sparse.csr_matrix, weights: FloatArray) -> sparse.csr_matrix:
    """Multiply the columns by their weights and give every row the length 1; (n, buckets), sorted."""
    scaled = matrix.copy()
    scaled.sort_indices()  # else a row's last digits would hang on the texts beside it
    scaled.data = np.log1p(scaled.data) * weights[scaled.indices]
    return normalize(scaled, copy=False)


def join(columns: Iterable[Objects]) -> Objects:
    """Join the texts of several columns row by row, with a space; None counts as empty."""
    filled = [pd.Series(column).fillna("") for column in columns]
    joined = filled[0].str.cat(pd.concat(filled[1:], axis=1), sep=" ") if len(filled) > 1 else filled[0]
    return joined.to_numpy(dtype=object)
