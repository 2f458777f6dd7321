from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from neo4j_align.review import shown
from tests.unit.builders import anchors, config, neighbourhood, nodes

TEXTS = st.one_of(st.none(), st.text(max_size=50), st.text(alphabet="ab -", max_size=1_000))


@given(TEXTS, TEXTS)
def test_what_is_shown_is_the_beginning_of_the_value(left: str | None, right: str | None) -> None:
    found = shown.fields(config(), nodes([left], [right]), 0, 1)
    assert bool(found) == ((left, right) != (None, None))
    for field in found:
        assert (field.mark == "same") == (left == right)
        assert (field.mark == "missing") == (left is None or right is None)
        for value, text in ((field.left, left), (field.right, right)):
            assert (value is None) == (text is None)
            if value is not None and text is not None:
                assert "".join(part for part, _ in value.parts) == text[: shown.LONGEST]
                assert value.cut == max(len(text) - shown.LONGEST, 0)
        if left is not None and right is not None and left.casefold() == right.casefold():
            assert not any(marked for value in (field.left, field.right) if value for _, marked in value.parts)


def test_the_words_that_the_other_lacks_are_marked() -> None:
    (field,) = shown.fields(config(), nodes(["Yojimbo, the Bodyguard"], ["yojimbo"]), 0, 1)
    assert field.left == shown.Value((("Yojimbo", False), (", the Bodyguard", True)))
    assert field.right == shown.Value((("yojimbo", False),))


def test_a_megabyte_is_cut() -> None:
    (field,) = shown.fields(config(), nodes(["m" * 1_000_000], ["m" * 1_000_001]), 0, 1)
    assert field.left == shown.Value((("m" * shown.LONGEST, False),), 1_000_000 - shown.LONGEST)
    assert field.mark == "different"


def test_neighbours_that_are_the_same_stand_at_one_height() -> None:
    # Films 0 and 4 with people 1, 2, 3 and 5, 6; 2 and 6 are known to be one; 1 is a neighbour by two relations.
    mapping, people = config(relations=2), nodes(["f", "ana", "bob", "cem"], ["g", "dan", "Bob"])
    around = neighbourhood([[(1, 1), (2, 1), (3, -2), (1, 2)], [], [], [], [(5, 1), (6, 1)], [], []])
    rows = shown.picture(mapping, people, around, anchors(7, {(2, 6): 0.95}), (0, 4))
    assert rows == [
        shown.Row(shown.Label("R0", "bob"), shown.Label("R0", "Bob"), joined=True),
        shown.Row(shown.Label("R0, R1", "ana"), shown.Label("R0", "dan"), joined=False),
        shown.Row(shown.Label("← R1", "cem"), None, joined=False),
    ]
    assert shown.picture(mapping, people, around, anchors(7), (1, 5)) == []
