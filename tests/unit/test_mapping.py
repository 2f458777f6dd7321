"""Guessing a mapping from two profiles, and writing it as TOML: pure, so small made-up graphs serve."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from neo4j_align.config import OWN_LABELS, OWN_RELATIONS, Config, EntityType, Kind, Relation, Side, parse_config
from neo4j_align.mapping import guess
from neo4j_align.profile import (
    Graph,
    LabelSet,
    NodeType,
    Property,
    RelationType,
    find_sides,
    find_types,
    kind_of,
    name_property,
    order_keys,
    words,
)
from neo4j_align.relating import MOST
from neo4j_align.similarity import FEWEST_SHARED, Ends, best_pairs, name_similarity, word_closeness
from neo4j_align.toml_text import mapping_text, toml_value

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILMS = [f"{color} {animal}" for color in ("Red", "Blue", "Last", "Lost") for animal in ("Dragon", "Heron", "Wolf")]
PEOPLE = [f"{first} {last}" for first in ("Ada", "Ben", "Cleo") for last in ("Moreau", "Ito", "Kaya", "Olsen")]
TYPES = {"Film": FILMS, "Movie": FILMS, "Person": PEOPLE, "Star": PEOPLE}


def column(name: str, values: Iterable[object], storage: str = "STRING", filled: float = 1.0) -> Property:
    return Property(
        name, filled, tuple((owner, str(value)) for owner, value in enumerate(values)), frozenset({storage})
    )


def node_type(label: str, *properties: Property) -> NodeType:
    count = max((len(found.owned) for found in properties), default=1)
    return NodeType(label, count, count, (column("uid", range(count)), *properties))


def relation(name: str, start: str, end: str, shift: int = 0, names: bool = True) -> RelationType:
    """Every start is joined to two ends, which `shift` chooses."""
    starts, ends = TYPES.get(start, FILMS), TYPES.get(end, FILMS)
    pairs = [(s, ends[(i + shift + k) % len(ends)]) for i, s in enumerate(starts) for k in (0, 1)]
    return RelationType(name, {(start, end): len(pairs)}, tuple(pairs) if names else ())


def graph(label: str, types: Iterable[NodeType], relations: Iterable[RelationType] = ()) -> Graph:
    types = tuple(types)
    return Graph(Side(label=label, key="uid"), sum(t.nodes for t in types), types, tuple(relations))


def left(*relations: RelationType) -> Graph:
    film = node_type("Film", column("title", FILMS), column("year", range(1950, 1962), "INTEGER"))
    return graph("L", [film, node_type("Person", column("name", PEOPLE))], relations)


def right(*relations: RelationType) -> Graph:
    reversed_names = [", ".join(reversed(name.split())) for name in PEOPLE]
    dates = [f"{year}-05-01" for year in range(1950, 1962)]
    movie = node_type("Movie", column("name", FILMS), column("released", dates), column("plot", ["long " * 50] * 12))
    return graph("R", [node_type("Star", column("label", reversed_names)), movie], relations)


def paired(entries: Iterable[EntityType | Relation]) -> set[tuple[str | None, str | None]]:
    return {(entry.left, entry.right) for entry in entries}


def guessed(left: Graph, right: Graph) -> Config:
    """Guess, and see that the written file holds just that guess."""
    mapping = guess(left, right)
    assert parse_config(tomllib.loads(mapping_text(mapping, left, right))) == mapping.config
    return mapping.config


def test_pairs_types_and_attributes_by_values_where_no_name_is_alike() -> None:
    config = guessed(left(), right())

    assert paired(config.types) == {("Film", "Movie"), ("Person", "Star")}
    film = next(entry for entry in config.types if entry.left == "Film")
    assert [(a.name, a.left, a.right, a.kind) for a in film.attributes] == [
        ("name", "title", "name", "name"),
        ("year", "year", "released", "date"),
        ("plot", None, "plot", "text"),
    ]


def test_what_has_no_counterpart_is_listed_alone() -> None:
    genre = node_type("Genre", column("name", ["drama", "comedy"]))
    config = guessed(
        left(), graph("R", [*right().types, genre], [relation("HAS_GENRE", "Movie", "Genre", names=False)])
    )

    assert (None, "Genre") in paired(config.types)
    assert paired(config.relations) == {(None, "HAS_GENRE")}


def test_relations_that_join_the_same_entities_are_the_same_whatever_they_are_called() -> None:
    config = guessed(
        left(relation("STARRING", "Film", "Person"), relation("MADE_BY", "Film", "Person", shift=5)),
        right(relation("CREW", "Movie", "Star", shift=5), relation("CAST", "Movie", "Star")),
    )
    assert paired(config.relations) == {("STARRING", "CAST"), ("MADE_BY", "CREW")}
    assert not any(entry.inverse for entry in config.relations)


def test_an_inverse_direction_is_seen() -> None:
    starring = relation("STARRING", "Film", "Person")
    plays = RelationType("PLAYS_IN", {("Star", "Movie"): 24}, tuple((end, start) for start, end in starring.pairs))
    config = guessed(left(starring), right(plays))
    assert [(r.left, r.right, r.inverse) for r in config.relations] == [("STARRING", "PLAYS_IN", True)]


@pytest.mark.parametrize(
    ("one", "other", "inverse"), [("DIRECTED_BY", "IS_DIRECTED_BY", False), ("PARENT_OF", "HAS_PARENT", True)]
)
def test_names_pair_relations_and_tell_their_direction_where_nothing_else_does(
    one: str, other: str, inverse: bool
) -> None:
    config = guessed(
        left(relation(one, "Film", "Film", names=False), relation("A", "Film", "Film", names=False)),
        right(relation(other, "Movie", "Movie", names=False), relation("B", "Movie", "Movie", names=False)),
    )
    assert (one, other, inverse) in {(r.left, r.right, r.inverse) for r in config.relations}


def test_equal_names_that_mean_nothing_pair_no_relations() -> None:
    """R1 and R2 of one side are joined to other entities than R1 and R2 of the other."""
    config = guessed(
        left(relation("R1", "Film", "Person"), relation("R2", "Film", "Person", shift=4)),
        right(relation("R1", "Movie", "Star", shift=4), relation("R2", "Movie", "Star", shift=8)),
    )
    assert paired(config.relations) == {("R2", "R1"), ("R1", None), (None, "R2")}


def test_words_of_names_pair_relations_where_no_name_is_spelled_the_same() -> None:
    """A tester's companies and persons: two relations from person to company, and two back with other names."""
    joined = [[(f"Person{i} Kaya", f"Firm{i * step % 16} Works") for i in range(16)] for step in (1, 3)]
    turned = [[(f"{firm} Limited", f"{person} jr.") for person, firm in pairs] for pairs in joined]
    config = guessed(
        left(*(RelationType(n, {("Person", "Film"): 16}, tuple(p)) for n, p in zip("AB", joined, strict=True))),
        right(*(RelationType(n, {("Movie", "Star"): 16}, tuple(p)) for n, p in zip("YX", turned, strict=True))),
    )
    assert {(r.left, r.right, r.inverse) for r in config.relations} == {("A", "Y", True), ("B", "X", True)}


NAMES = st.lists(st.sampled_from("abcdefghijklmnop"), min_size=1, max_size=3, unique=True).map(" ".join)
ENDS = st.frozensets(st.tuples(NAMES, NAMES), min_size=1, max_size=8)


@given(ENDS, ENDS, ENDS)
def test_word_closeness_is_the_part_of_relationships_with_words_in_common(
    one: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]], both: frozenset[tuple[str, str]]
) -> None:
    left, right = Ends(one | both, 1.0), Ends(other | both, 0.5)
    for inverse in (False, True):
        lefts, rights = ([set(pairs) for pairs in ends.worded] for ends in (left, right))
        rights = [{pair[::-1] if inverse else pair for pair in pairs} for pairs in rights]
        counts = (sum(any(a & b for b in rights) for a in lefts), sum(any(a & b for a in lefts) for b in rights))
        expected = (
            np.sqrt(np.prod(counts) / len(left.pairs) / len(right.pairs)) if min(counts) >= FEWEST_SHARED else None
        )
        found = word_closeness({"A": left}, {"B": right}).get(("A", "B", inverse))
        assert found == (None if expected is None else pytest.approx(expected))


def test_a_long_name_in_common_pairs_no_relations() -> None:
    """One relationship of twenty has six words in common at both ends: one is an accident, however long its names."""
    long = ("a long tale of two grey rivers", "the second of seven green hills")
    sides = [[long, *((f"{side}{i} x{side}{i}", f"y{side}{i} z{side}{i}") for i in range(19))] for side in "lr"]
    config = guessed(
        left(*(RelationType(n, {("Person", "Film"): 20}, tuple(sides[0])) for n in "AB")),
        right(*(RelationType(n, {("Star", "Movie"): 20}, tuple(sides[1])) for n in "XY")),
    )
    assert paired(config.relations) == {("A", None), ("B", None), (None, "X"), (None, "Y")}


def test_relations_that_are_as_close_as_a_rival_are_not_paired_by_words() -> None:
    pairs = [(f"person{i}", f"firm{i}") for i in range(16)]
    turned = tuple((f"{firm} limited", f"{person} jr") for person, firm in pairs)
    config = guessed(
        left(*(RelationType(n, {("Person", "Film"): 16}, tuple(pairs)) for n in "AB")),
        right(*(RelationType(n, {("Movie", "Star"): 16}, turned) for n in "XY")),
    )
    assert paired(config.relations) == {("A", None), ("B", None), (None, "X"), (None, "Y")}


@pytest.mark.parametrize("count", [MOST, MOST + 1])
def test_words_pair_relations_of_schemas_that_a_person_can_check(count: int) -> None:
    pairs = [(f"person{i}", f"firm{i}") for i in range(16)]
    turned = tuple((f"{firm} limited", f"{person} jr") for person, firm in pairs)
    others = [RelationType(f"B{at}", {("Person", "Film"): 1}) for at in range(count - 1)]
    config = guessed(
        left(RelationType("A", {("Person", "Film"): 16}, tuple(pairs)), *others),
        right(RelationType("X", {("Movie", "Star"): 16}, turned)),
    )
    assert (("A", "X") in paired(config.relations)) == (count == MOST)


def test_the_only_relation_left_between_two_types_is_proposed_as_unsure() -> None:
    one, other = relation("MAKES", "Person", "Film", names=False), relation("CREW", "Movie", "Star", names=False)
    mapping = guess(left(one), right(other))
    assert [(r.left, r.right, r.inverse) for r in mapping.config.relations] == [("MAKES", "CREW", True)]
    assert mapping.notes["relations", "makes"].startswith("unsure")


def test_one_kind_of_value_has_one_name_in_all_types_and_no_name_two_kinds() -> None:
    texts, numbers = column("size", ["big", "small"] * 6), column("size", range(12), "INTEGER")
    sides = [
        graph(
            label,
            [node_type("Film", column("title", FILMS), texts), node_type("Person", column("name", PEOPLE), numbers)],
        )
        for label in ("L", "R")
    ]
    config = guessed(*sides)
    slots = {(a.name, a.kind) for entity_type in config.types for a in entity_type.attributes}
    assert slots == {("name", "name"), ("size", "text"), ("size_number", "number")}


def test_names_that_collide_are_made_different() -> None:
    config = guessed(
        graph("L", [node_type("Film", column("name", FILMS)), node_type("film", column("name", PEOPLE))]),
        graph("R", [node_type("FILM", column("name", FILMS))]),
    )
    assert sorted(entry.name for entry in config.types) == ["film", "film_2"]


def test_types_that_are_nothing_alike_still_give_a_file_to_correct() -> None:
    config = guessed(
        graph("L", [node_type("Film", column("name", FILMS))]), graph("R", [node_type("Gene", column("x", [1.5, 2]))])
    )
    assert paired(config.types) == {("Film", "Gene")}


hostile = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\\"), min_size=1, max_size=8).filter(
    lambda name: name not in OWN_LABELS | OWN_RELATIONS
)


@st.composite
def graphs(draw: st.DrawFn, label: str) -> Graph:
    labels = draw(st.lists(hostile, min_size=1, max_size=3, unique=True))
    types = [
        node_type(
            name, *(column(found, draw(st.lists(hostile, min_size=1))) for found in draw(st.sets(hostile, max_size=3)))
        )
        for name in labels
    ]
    ends = st.tuples(st.sampled_from(labels), st.sampled_from(labels))
    joined = st.lists(st.tuples(hostile, hostile), max_size=8).map(tuple)
    relations = [
        RelationType(name, {draw(ends): draw(st.integers(1, 9))}, draw(joined))
        for name in draw(st.lists(hostile, max_size=3, unique=True))
    ]
    return graph(label + draw(hostile), types, relations)


@given(graphs("L"), graphs("R"))
def test_whatever_the_names_the_file_holds_everything_once(left: Graph, right: Graph) -> None:
    config = guessed(left, right)
    for side, found in (("left", left), ("right", right)):
        for entries, expected in ((config.types, found.types), (config.relations, found.relations)):
            names = [getattr(entry, side) for entry in entries if getattr(entry, side) is not None]
            assert sorted(names) == sorted(entry.name for entry in expected)
        for entity_type in config.types:
            slots = [attribute.name for attribute in entity_type.attributes]
            assert len(slots) == len(set(slots))
            assert [a.kind for a in entity_type.attributes].count("name") <= 1
            mapped = [getattr(a, side) for a in entity_type.attributes if getattr(a, side) is not None]
            properties = next((t.properties for t in found.types if t.name == getattr(entity_type, side)), ())
            assert sorted(mapped) == sorted(p.name for p in properties if p.name != "uid")
    kinds: dict[str, Kind] = {}
    for entity_type in config.types:
        for attribute in entity_type.attributes:
            assert kinds.setdefault(attribute.name, attribute.kind) == attribute.kind


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_strings_survive_toml(text: str) -> None:
    assert tomllib.loads(f"# {toml_value(text)}\nx = {toml_value(text)} # {toml_value(text)}") == {"x": text}


@given(st_numpy.arrays(float, st_numpy.array_shapes(min_dims=2, max_dims=2, max_side=5), elements=st.floats(0, 1)))
def test_best_pairs_are_one_to_one_and_nothing_better_is_left(scores: npt.NDArray[np.float64]) -> None:
    pairs = best_pairs(scores, 0.5)
    rows, columns = ([pair[side] for pair in pairs] for side in (0, 1))
    assert len(set(rows)) == len(set(columns)) == len(pairs)
    for row, column in np.argwhere(scores >= 0.5):
        rivals = [scores[pair] for pair in pairs if pair[0] == row or pair[1] == column]
        assert max(rivals) >= scores[row, column]


label_sets = st.dictionaries(st.frozensets(st.sampled_from("ABCDE"), min_size=1), st.integers(1, 9), min_size=1)


@given(label_sets)
def test_no_node_has_two_types(counts: dict[frozenset[str], int]) -> None:
    sets = [LabelSet(labels, nodes) for labels, nodes in counts.items()]
    chosen = find_types(sets, ["A"])
    assert "A" not in chosen
    assert all(len(one.labels & set(chosen)) <= 1 for one in sets)


@given(label_sets)
def test_two_sides_divide_nearly_all_nodes(counts: dict[frozenset[str], int]) -> None:
    sets = [LabelSet(labels, nodes) for labels, nodes in counts.items()]
    for one, other in find_sides(sets):
        assert sum(s.nodes for s in sets if (one in s.labels) != (other in s.labels)) >= 0.99 * sum(counts.values())


def test_labels_that_others_divide_up_give_way() -> None:
    sets = [
        LabelSet(frozenset({"L", "Thing", "Work", "Film"}), 5),
        LabelSet(frozenset({"L", "Thing", "Work", "Book"}), 4),
        LabelSet(frozenset({"L", "Thing", "Person", "Actor"}), 3),
        LabelSet(frozenset({"L", "Thing", "Person"}), 6),
    ]
    assert sorted(find_types(sets, ["L"])) == ["Book", "Film", "Person"]
    assert find_types([LabelSet(frozenset({"L"}), 9), LabelSet(frozenset({"L", "Checked"}), 2)], ["L"]) == []


@pytest.mark.parametrize(
    ("name", "values", "storage", "kind"),
    [
        ("year", [1987, 2003], "INTEGER", "date"),
        ("released", ["1999", "2003"], "STRING", "date"),
        ("pages", [1999, 2003], "INTEGER", "number"),
        ("born", ["1946-09-11", "1952"], "STRING", "date"),
        ("when", ["7-Jan-11", "17-Nov-14"], "STRING", "date"),
        ("when", ["September 18 , 2015", "June 2004"], "STRING", "date"),
        ("when", ["2020-01-01T10:00:00Z"], "ZONED DATETIME", "date"),
        ("price", ["$ 0.99", "1,299.00"], "STRING", "number"),
        ("time", ["3:18", "4:38"], "STRING", "text"),
        ("zip", ["02139", "90210"], "STRING", "text"),
        ("phone", ["4951234567", "4957654321"], "STRING", "text"),
        ("active", ["true"], "BOOLEAN", "text"),
        ("title", ["1984", "Alien"], "STRING", "text"),
    ],
)
def test_kinds(name: str, values: list[object], storage: str, kind: Kind) -> None:
    assert kind_of(column(name, values, storage)) == kind


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["title", "name"], "name"),
        (["firstName", "fullName"], "fullName"),
        (["nickname", "displayName"], "displayName"),
    ],
)
def test_what_names_an_entity(names: list[str], chosen: str) -> None:
    found = name_property(node_type("Person", *(column(name, PEOPLE) for name in names)), "uid")
    assert found is not None
    assert found.name == chosen


def test_a_key_names_an_entity_where_it_sounds_so() -> None:
    found = [name_property(node_type("Person", column(key, PEOPLE)), key) for key in ("name", "ref")]
    assert [named and named.name for named in found] == ["name", None]


def test_a_title_names_an_entity_even_where_dirt_has_got_into_it() -> None:
    long = [f"{name}, 3:19, released by somebody on some day, copyright of somebody else, all of it" for name in PEOPLE]
    found = name_property(node_type("Song", column("title", long), column("copyright", PEOPLE)), "uid")
    assert found is not None
    assert found.name == "title"


def test_a_key_is_sought_by_constraint_then_by_name() -> None:
    assert order_keys(["name", "email", "imdbId", "uid", "code"], ["code"]) == [
        "code",
        "uid",
        "imdbId",
        "email",
        "name",
    ]
    assert order_keys(["name", "ref"], ["name"]) == ["ref", "name"]


def test_words_of_a_schema() -> None:
    assert words("birthDate") == words("BIRTH_DATE") == words("birth-date") == ["birth", "date"]
    assert words("HTTPServer2Go") == ["http", "server", "2", "go"]


def test_similarity_of_names() -> None:
    scores = name_similarity(["birth_date", "R18", "colour", "PERFORMED_BY"], ["dateOfBirth", "R18", "color", "price"])
    assert scores[0, 0] == 1
    assert scores[1, 1] == 0
    assert scores[2, 2] > 0.75
    assert scores[3].max() < 0.5
