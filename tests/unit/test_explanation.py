"""What an explanation shows, on a terminal and as a page, whatever stands in the data."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from neo4j_align.cli.explain import plain, show
from neo4j_align.explanation import Attribute, Counterfactual, Entity, Explanation, Neighbour, Path, Rival
from neo4j_align.web import page

HOSTILE = "</td><script>alert(1)</script>[bold red]loud[/] \x1b]0;title\x07 \u202eevil {{ 7 * 7 }} &amp; \"' `x`"


def explanation(text: str | None, threshold: float | None = 0.5) -> Explanation:
    """An explanation in which every text of the data is this one."""
    mapped = (text or "")[:100]  # as the configuration has it
    entity = Entity(text or "", text, mapped, mapped, 3)
    neighbour = Neighbour(None, entity, (mapped,), 0.0, False, 0.0, 1.0, -1.25, 0.7)
    return Explanation(
        left=entity,
        right=entity,
        type="film",
        status="below threshold",
        reason=f"It says {text}.",
        score=-0.5,
        confidence=0.4,
        path=Path(-0.75, 0.25, 1.0, 0.1, threshold),
        attributes=(Attribute("year", text, None, 0.5, 0.3),),
        neighbours=(neighbour,),
        taken=Attribute("another counterpart", None, text, -0.5, 0.6),
        rivals=(Rival(entity, entity, 0.9, 2.0, True),),
        counterfactual=Counterfactual(neighbour.what, -1.25, 0.7, True),
        model="abc",
    )


def shown(found: Explanation) -> str:
    out = io.StringIO()
    show(Console(file=out, width=100, highlight=False), found)
    return out.getvalue()


def test_a_document_names_what_speaks_against_the_pair() -> None:
    found = explanation("Alien").document()
    assert [(one["what"], one["contribution"]) for one in found["against"]] == [
        ("Alien: Alien", -1.25),
        ("another counterpart", -0.5),
    ]
    assert [row["what"] for row in found["attributes"]] == ["year"]
    assert found["linked"] is False
    assert json.loads(json.dumps(found))["path"]["threshold"] == 0.5


@pytest.mark.parametrize("threshold", [0.5, None])
def test_a_page_escapes_what_stands_in_the_data(threshold: float | None) -> None:
    seen = page("explanation_page.html", explanation=explanation(HOSTILE, threshold).document())
    assert "<script" not in seen
    assert "&lt;script&gt;" in seen
    assert "{{ 7 * 7 }}" in seen
    assert "&amp;amp;" in seen
    assert ("a link takes" in seen) == (threshold is not None)
    assert "-1.25" in seen
    assert "another counterpart" in seen


def test_a_terminal_shows_markup_as_text_and_takes_no_orders() -> None:
    seen = shown(explanation(HOSTILE))
    assert "[bold red]" in seen
    assert not {"\x1b", "\x07", "\u202e"} & set(seen)
    assert "-1.25" in seen
    assert "counterpart" in seen  # a narrow column


def test_long_and_missing_values_are_shown_short() -> None:
    assert len(shown(explanation("x" * 1_000_000))) < 10_000
    assert len(page("explanation_page.html", explanation=explanation("x" * 1_000_000).document())) < 20_000
    assert "missing" in page("explanation_page.html", explanation=explanation(None).document())
    shown(explanation(None))


@given(st.text())
def test_plain_text_is_one_short_printable_line(value: str) -> None:
    seen = plain(value)
    assert seen.isprintable()
    assert len(seen) == min(len(value), 80)
