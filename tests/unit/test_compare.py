"""Comparison features: numbers whatever the values, alike from both sides, and dates and numbers read from text."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neo4j_align.config import Config, parse_config
from neo4j_align.gnn import compare, rivals, said
from neo4j_align.records import Nodes
from neo4j_align.store import candidates
from neo4j_align.views import alone, around, view
from tests.unit.builders import anchors, config, neighbourhood, nodes, pairs

KINDS = {"name": "name", "note": "text", "size": "number", "born": "date"}


def mapping() -> Config:
    attributes = [{"name": name, "left": name, "right": name, "kind": kind} for name, kind in KINDS.items()]
    document = config().model_dump(mode="json")
    document["types"][0]["attributes"] = attributes
    return parse_config(document)


def graph(rows: list[dict[str, str | None]], half: int | None = None) -> Nodes:
    """Entities by their values; the first half is left."""
    half = len(rows) // 2 if half is None else half
    columns = {name: [row.get(name) for row in rows] for name in KINDS}
    return nodes(columns["name"][:half], columns["name"][half:], attributes=columns)


def features(entities: Nodes, found: list[tuple[int, int]] | None = None) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """Compare all pairs, or those given."""
    nobody = neighbourhood([[] for _ in range(len(entities))])
    views, weights = view(mapping(), entities, nobody, None)
    views = views.around(anchors(len(entities)), views.anchors, views.circle)
    count = int(np.count_nonzero(entities.side == 0))
    rows = found or [(left, right) for left in range(count) for right in range(count, len(entities))]
    columns = np.array(rows)
    made = candidates.pairs(views, columns[:, 0], columns[:, 1])
    told = said.said(mapping(), entities, views.names, views.records, weights)
    return compare.compare(mapping(), told, views, made, rivals.places(made), alone(entities, views.signatures))


def one_pair(left: dict[str, str | None], right: dict[str, str | None]) -> dict[str, float]:
    """Compare two entities that do not stand alone, so that words have a rarity."""
    others: list[dict[str, str | None]] = [{"name": f"somebody {i} else", "note": f"of note {i}"} for i in range(20)]
    found, names = features(graph([left, *others[:10], right, *others[10:]]), [(0, 11)])
    return dict(zip(names, found[0].tolist(), strict=True))


NUMBERS = [
    "1e999",
    "-1e999",
    "1e308",
    "-1e308",
    "9" * 400,
    "",
    " ",
    "nan",
    "inf",
    "-inf",
    "1e99",
    "-1e99",
    "9" * 100,
    "0",
    "-0",
    "1e-320",
    "½",
    "1,5",
    "--1",
    "0x1F",
]
DATES = ["2020-02-30", "9999-12-31", "0001-01-01", "-0044-03-15", "1999", "1999-12", "31.12.1999", "99999999999", "٣"]
DATES += ["2262-04-12", "1677-09-20", "12:30:00", "2020-01-01T00:00:00+14:00", "2020-W05", "NaT", "now", "P1Y", "\0"]
hostile = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.sampled_from(NUMBERS + DATES),
)
entities = st.lists(st.fixed_dictionaries(dict.fromkeys(KINDS, hostile)), min_size=2, max_size=8)


@settings(max_examples=60, deadline=None)
@given(entities)
def test_features_are_finite_and_bounded_whatever_the_values(rows: list[dict[str, str | None]]) -> None:
    found, names = features(graph(rows))
    assert found.shape[1] == len(names) == len(set(names))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    unbounded = np.array([name.endswith((" shared", " unshared")) or name.startswith("margin") for name in names])
    assert (found[:, ~unbounded] >= -1e-6).all()
    assert (found[:, ~unbounded] <= 1 + 1e-5).all()


def is_of_a_side(name: str) -> bool:
    return name.endswith((" left", " right"))


@settings(max_examples=30, deadline=None)
@given(entities.filter(lambda rows: len(rows) % 2 == 0))
def test_left_and_right_are_compared_alike(rows: list[dict[str, str | None]]) -> None:
    half = len(rows) // 2
    one, names = features(graph(rows))
    other, _ = features(graph(rows[half:] + rows[:half]))
    # Pair (l, r) of the one is pair (r, l) of the other; what is of a side changes to the other side.
    rows_of_other = np.arange(half * half).reshape(half, half).T.ravel()
    swap = {" left": " right", " right": " left"}
    for column, name in enumerate(names):
        counterpart = name
        for side, opposite in swap.items():
            if name.endswith(side):
                counterpart = name.removesuffix(side) + opposite
        at = names.index(counterpart)
        np.testing.assert_allclose(one[:, column], other[rows_of_other, at], atol=1e-5, err_msg=name)
    assert sum(map(is_of_a_side, names)) == 4


@settings(max_examples=20, deadline=None)
@given(entities, st.data())
def test_a_pair_is_compared_by_itself_but_for_its_rivals(rows: list[dict[str, str | None]], data: Any) -> None:
    whole, names = features(graph(rows))
    half = len(rows) // 2
    everything = [(left, right) for left in range(half) for right in range(half, len(rows))]
    chosen = sorted(data.draw(st.sets(st.sampled_from(everything), min_size=1)))
    part, _ = features(graph(rows), chosen)
    own = [not is_of_a_side(name) for name in names]
    at = [everything.index(pair) for pair in chosen]
    np.testing.assert_allclose(part[:, own], whole[at][:, own], atol=1e-6)


def test_equal_entities() -> None:
    values: dict[str, str | None] = {
        "name": "Blade Runner (Cut) 2",
        "note": "dark",
        "size": "117",
        "born": "1982-06-25",
    }
    found = one_pair(values, dict(values))
    full = [
        "cosine name",
        "sorted words",
        "shared words",
        "jaro-winkler",
        "same signature",
        "name contained",
        "name covered",
    ]
    full += ["qualifiers agree", "numbers agree", "note present", "note cosine", "note equal", "size present"]
    full += ["size equal", "size near", "born present", "born equal", "born same year", "born near"]
    assert {name: found[name] for name in full} == pytest.approx(dict.fromkeys(full, 1), abs=1e-5)
    none = ["name missing", "qualifiers differ", "numbers differ", "name unshared"]
    assert {name: found[name] for name in none} == pytest.approx(dict.fromkeys(none, 0), abs=1e-3)


def test_a_missing_value_is_neither_equal_nor_different() -> None:
    there: dict[str, str | None] = {"name": "Alien", "note": "dark", "size": "117", "born": "1979"}
    for left, right in ((there, {}), ({}, there), ({}, {})):
        found = one_pair(dict(left), dict(right))
        assert found["name missing"] == 1
        silent = [
            name for name in found if name.split()[0] in ("note", "size", "born", "sorted", "shared", "same", "any")
        ]
        assert {found[name] for name in silent if "in document" not in name} == {0}


def test_a_name_within_a_name_is_contained_but_not_covered() -> None:
    found = one_pair({"name": "Aditya Raj"}, {"name": "Aditya Raj Kapoor"})
    assert found["name contained"] == pytest.approx(1, abs=1e-5)
    assert 0 < found["name covered"] < 0.8
    assert found["same signature"] == 0
    assert found["name unshared"] > 0


def test_a_remix_differs_by_its_qualifier() -> None:
    found = one_pair({"name": "Radioactive"}, {"name": "Radioactive (Remix)"})
    assert (found["same signature"], found["qualifiers differ"], found["qualifiers agree"]) == (1, 1, 0)


def test_a_sequel_differs_by_its_number() -> None:
    found = one_pair({"name": "Rocky II"}, {"name": "Rocky III"})
    assert (found["numbers differ"], found["numbers agree"]) == (1, 0)
    assert one_pair({"name": "Rocky II"}, {"name": "Rocky 2"})["numbers agree"] == 1


def test_a_missing_date_is_lent_by_sure_counterparts_around() -> None:
    """Two films of one star, of which one is known on the other side: the other was made some years from that."""
    rows: list[dict[str, str | None]] = [{"name": "Remade"}, {"name": "Known"}, {"name": "Star"}]
    rows += [{"name": "Remade", "born": "1999"}, {"name": "Remade", "born": "1950"}, {"name": "Known", "born": "2001"}]
    told = graph(rows)
    known = anchors(6, {(1, 5): 1.0})
    drawn = neighbourhood([[(2, 1)], [(2, 1)], [(0, -1), (1, -1)], [], [], []])
    views, weights = view(mapping(), told, drawn, None)
    views = views.around(known, *around(drawn, known, 500, np.arange(6)))
    made = candidates.pairs(views, np.array([0, 0, 1, 2]), np.array([3, 4, 5, 5]))
    said_of_all = said.said(mapping(), told, views.names, views.records, weights)
    found = compare.compare(mapping(), said_of_all, views, made, rivals.places(made), alone(told, views.signatures))
    columns = dict(zip(found[1], found[0].T.tolist(), strict=True))

    assert columns["born around present"] == [1, 1, 0, 0]  # nothing is lent by the pair that is to be judged
    assert columns["born around near"] == pytest.approx([10 / 12, 10 / 61, 0, 0])
    assert columns["born nearby present"] == [0, 0, 0, 1]  # the star's own film, and a film
    assert columns["born nearby near"] == pytest.approx([0, 0, 0, 1])


def test_the_rank_is_among_the_rivals() -> None:
    made = pairs([(0, 2), (0, 3), (1, 2)], [[0.9, 0, 0, 0, 0], [0.5, 0, 0, 0, 0], [0.8, 0, 0, 0, 0]])
    columns = dict(zip(rivals.PLACES, rivals.places(made).T, strict=True))
    assert columns["rank left"].tolist() == [1, 0.5, 1]
    assert columns["rank right"].tolist() == [1, 1, 0.5]
    assert columns["margin left"].tolist() == pytest.approx([0, -0.4, 0])
    assert columns["margin right"].tolist() == pytest.approx([0, 0, -0.1])


@settings(max_examples=30, deadline=None)
@given(entities, st.data())
def test_what_is_said_is_the_same_whoever_else_is_asked(rows: list[dict[str, str | None]], data: Any) -> None:
    """Whether it is read at once, behind what was read before, or taken from what was read of all: the same bits."""
    told = graph(rows)
    views, weights = view(mapping(), told, neighbourhood([[] for _ in rows]), None)
    chosen, before, beside = (
        np.array(sorted(data.draw(st.sets(st.integers(0, len(rows) - 1), min_size=1)))) for _ in range(3)
    )
    alone, taken = (
        said.said(mapping(), told.take(at), views.names[at], views.records[at], weights).take(kept)
        for at, kept in ((chosen, np.arange(len(chosen))), (np.arange(len(rows)), chosen))
    )
    sayings = said.Sayings(mapping(), told, views, weights)
    sayings.among(before)
    found = sayings.among(chosen)(chosen)
    part = np.union1d(chosen, beside)
    inside = np.searchsorted(part, chosen)
    for other in (taken, found, said.of_part(sayings.among, part)(inside)(inside)):
        for kind, words in alone.sets.items():
            assert (words != other.sets[kind]).nnz == 0
        for name in ("times", "days", "length"):
            np.testing.assert_array_equal(getattr(alone, name), getattr(other, name))
        for kind, wording in alone.texts.items():
            assert (wording.rows != other.texts[kind].rows).nnz == 0
            assert (wording.words != other.texts[kind].words).nnz == 0
            np.testing.assert_array_equal(wording.codes, other.texts[kind].codes)
