"""The report's page: whole, without network, the same bytes each time, and no way in for what the data say."""

from __future__ import annotations

import json
import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from neo4j_align import web
from neo4j_align.config import Config, parse_config
from neo4j_align.records import Nodes, Verdicts
from neo4j_align.report import charts, contents, known, lists
from neo4j_align.report.material import Material
from neo4j_align.resolve.account import Outcome, account
from tests.unit import builders

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=http://evil.example/x onerror=alert(1)>',
    "$\\frac{1}{0}$ & ]]> <!-- {{ 7 * 7 }}",
    "\u202egnp.exe\x00\x1b[31m",
    "بِسْمِ ٱللَّهِ",
    "x" * 1_000_000,
)
VOID = {"meta", "br", "img", "input", "hr", "link"}


class Page(HTMLParser):
    """Sees that each element is closed where it must be, and notes elements, addresses and names."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.loads: list[str] = []
        self.names: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        for name, value in attrs:
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "xlink:href", "action", "data", "srcset", "poster"):
                self.loads.append(value or "")
            self.loads += re.findall(r"url\(([^)]*)\)", value or "")
            if name == "id":
                self.names.append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.open and self.open[-1] == "style":
            self.loads += re.findall(r"@import.*|url\(([^)]*)\)", data)


def config(kind: str) -> Config:
    mapping = builders.config().model_dump()
    mapping["types"][0]["name"] = kind
    mapping["types"][0]["attributes"] = [
        {"name": "name", "left": "name", "right": "title", "kind": "name"},
        {"name": kind + "!", "left": "year", "right": "year", "kind": "date"},
    ]
    return parse_config(mapping)


def material(text: str, **changes: Any) -> Material:
    """A run of four links between entities that are called `text`; one confirmed, one rejected."""
    count, mapping = 6, config(text[:50])
    names = [f"{text} {at}" for at in range(count)]
    years = ["1990", "1991", None, text, "1994", "1995"]
    nodes = builders.nodes(names, names, attributes={"name": names * 2, text[:50] + "!": years + years[::-1]})
    judged = [(at, count + at) for at in range(count)]
    confidence = np.array([0.99, 0.97, 0.95, 0.6, 0.3, 0.1])
    outcome = Outcome(builders.pairs(judged), 4 * confidence, confidence, confidence > 0.5, np.array([0.5]), Verdicts())
    point = [0.5, 40, 0.9, 0.8]
    told = account(mapping, nodes, np.arange(2 * count, dtype=np.int32), outcome)
    told |= {"operating": {text[:50]: {"chosen": point, "curve": [[0.9, 20, 0.99, 0.5], point]}}, "reliability": []}
    links: list[tuple[Any, ...]] = [
        (f"L:l{at}|R:r{at}", f"l{at}", f"r{at}", value, 4 * value, True, "predicted", None, "m", [0, 1])
        for at, value in enumerate([0.99, 0.97, 0.95, 0.6])
    ]
    links.append(("L:l4|R:r4", "l4", "r4", 1.0, 2.0, True, "confirmed", 0.6, "m", [0, 1]))
    links.append(("L:l5|R:r5", "l5", "r5", None, None, False, None, 0.55, "m", [0, 1]))
    columns = ["pair", "left", "right", "confidence", "score", "same", "status", "thought", "model", "ends"]
    run = {
        "id": "20260101T000000-abcdef",
        "kind": "align",
        "status": "done",
        "by": text,
        "model": "m",
        "account": json.dumps(told),
        "drift": json.dumps({text[:50]: 0.3, "scores": 0.01}),
        "stages": json.dumps({text[:50]: {"seconds": 1.5, "count": 3}, "match": {"seconds": 0, "count": 0}}),
    }
    given: dict[str, Any] = {
        "config": mapping,
        "run": run,
        "latest": run["id"],
        "nodes": nodes,
        "stored": pd.DataFrame(links, columns=columns, dtype=object),
        "conflicts": [{"kind": "several links", "pairs": [text, text], "persons": [text]}],
    }
    return Material(**{**given, **changes})


def page(text: str, **changes: Any) -> str:
    given = material(text, **changes)
    return web.page("report.html", title=contents.title(given), sections=contents.sections(given))


@pytest.fixture(scope="module")
def plain() -> str:
    return page("plain")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_values_are_text_and_nothing_else(text: str, plain: str) -> None:
    written = page(text)
    parsed = Page(written)
    ticks = {"g", "use", "text", "path", "defs"}  # of pictures: long labels leave room for fewer
    mine, theirs = ({tag: n for tag, n in found.tags.items() if tag not in ticks} for found in (parsed, Page(plain)))
    assert mine == theirs
    assert all(load.startswith("#") for load in parsed.loads)
    assert len(parsed.names) == len(set(parsed.names))
    assert set(written) & {chr(code) for code in range(32)} <= {"\n"}
    assert "\u202e" not in written
    assert text[: lists.LONGEST - 10].translate(dict.fromkeys(map(ord, "\u202e\x00\x1b"))) in parsed.text
    assert len(written.encode()) < 2 * len(plain)


def test_the_page_needs_nothing_from_elsewhere(plain: str) -> None:
    written, parsed = plain, Page(plain)
    assert parsed.tags["svg"] == 7
    assert not parsed.tags.keys() & {"script", "img", "iframe", "link", "object", "embed", "form", "base"}
    assert all(load.startswith("#") for load in parsed.loads)
    # What is left of addresses names an XML vocabulary, which nobody fetches.
    assert set(re.findall(r"https?://[^\"'\s<]*", written)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert "default-src 'none'" in written
    assert 'name="viewport"' in written
    assert "prefers-color-scheme: dark" in written


def test_each_link_within_the_page_has_its_end(plain: str) -> None:
    parsed = Page(plain)
    assert {load[1:] for load in parsed.loads} <= set(parsed.names)


def test_the_same_run_gives_the_same_bytes() -> None:
    one, other = (contents.sections(material("plain")) for _ in range(2))
    pictures = [(section.picture.svg, section.picture.png()) for section in one if section.picture]
    assert pictures == [(section.picture.svg, section.picture.png()) for section in other if section.picture]
    assert web.page("report.html", title="t", sections=one) == web.page("report.html", title="t", sections=other)
    assert "<dc:date>" not in pictures[0][0]


def test_every_picture_is_an_svg_of_its_own() -> None:
    for section in contents.sections(material(HOSTILE[2])):
        if section.picture:
            root = ElementTree.fromstring(section.picture.svg)  # noqa: S314  # our own
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            assert section.picture.png().startswith(b"\x89PNG")


def test_what_cannot_be_known_is_said() -> None:
    said = " ".join(known.section(material("plain")).notes)
    assert "nobody knows the recall" in said
    assert "Of 2 reviewed links of this model 1 are right: 50.0 %" in said
    without = material("plain").stored.iloc[:4]
    said = " ".join(known.section(material("plain", stored=without)).notes)
    assert "No link of this model was reviewed yet" in said
    assert "87.8 % of its links are right" in said  # the mean of .99, .97, .95 and .6


def test_verdicts_on_other_models_links_and_disputed_ones_are_not_counted() -> None:
    stored = material("plain").stored
    other = stored.assign(model=["m"] * 4 + ["older", "m"])
    found = known.verdicts(material("plain", stored=other))
    assert (found["reviewed"], found["right"], found["others"]) == (1, 0, 1)
    disputed = stored.assign(pair=[*stored["pair"][:4], "same", "same"])
    assert known.verdicts(material("plain", stored=disputed))["reviewed"] == 0


def test_a_pair_that_persons_found_is_no_verdict_on_a_link() -> None:
    found = known.verdicts(material("plain", stored=material("plain").stored.assign(thought=np.nan)))
    assert (found["reviewed"], found["found"]) == (0, 1)


def test_an_unreliable_sample_is_called_one() -> None:
    stored = pd.concat([material("plain").stored] * 20, ignore_index=True)
    stored["pair"] = [f"p{at}" for at in range(len(stored))]
    assert "not a random sample" in " ".join(known.section(material("plain", stored=stored)).notes)


def test_a_run_without_an_account_says_so() -> None:
    run = {"id": "r", "kind": "undo", "status": "failed"}
    written = page("plain", run=run, latest="later")
    parsed = Page(written)
    assert parsed.tags["svg"] == 0
    assert "kept no account" in parsed.text
    assert "it is failed" in parsed.text
    assert "Run later came later" in parsed.text


def test_labels_of_the_models_own_are_called_so() -> None:
    given = material("plain")
    for own in (True, False):
        told = {**json.loads(given.run["account"]), "own_labels": own}
        shown = contents.sections(material("plain", run={**given.run, "account": json.dumps(told)}))
        notes = next(section.notes for section in shown if section.name == "precision-recall")
        assert any("without a file of labels" in note for note in notes) == own


def test_nothing_linked_is_drawn_too() -> None:
    given = material("plain")
    told = json.loads(given.run["account"])
    told["degrees"] = {name: [None if name in ("low", "median", "high") else 0] * 9 for name in told["degrees"]}
    told["scores"] = {name: [0] * 22 for name in told["scores"]}
    run = {**given.run, "account": json.dumps(told)}
    parsed = Page(page("plain", run=run, stored=given.stored[:0], conflicts=[]))
    assert "There are none." in parsed.text


def links(rows: list[tuple[int, float]], nodes: Nodes) -> pd.DataFrame:
    """Links of the left entity at a place to the right one at the same, with a confidence."""
    half = len(nodes) // 2
    columns = [(f"p{at}", nodes.keys[at], nodes.keys[half + at], value, 10 * value) for at, value in rows]
    return lists.placed(nodes, pd.DataFrame(columns, columns=["pair", "left", "right", "confidence", "score"]))


def test_the_lists_put_first_what_they_say() -> None:
    names, other = ["Alien", "Solaris", "Stalker", "Ran"], ["Alien", "Solyaris 2002", "Stalker", "Chaos"]
    years = ["1979", "1972", "1979", None, "1979-05-25", "2002", "1980", "1985"]
    mapping = config("film")
    nodes = builders.nodes(names, other, attributes={"name": names + other, "film!": years})
    found = links([(0, 0.99), (1, 0.98), (2, 0.97), (3, 0.96)], nodes)

    assert lists.agreement(mapping, nodes, np.arange(4), np.arange(4, 8)).tolist() == [[1, 1], [0, 0], [1, 0], [0, -1]]
    assert lists.surprising(mapping, nodes, found)["pair"].tolist() == ["p1", "p3", "p2"]
    assert lists.uncertain(links([(0, 0.99), (1, 0.45), (2, 0.52)], nodes))["pair"].tolist() == ["p2", "p1", "p0"]
    shown = lists.shown(mapping, nodes, found[1:2])[0]
    assert [(value.left, value.right, value.agree) for value in shown.attributes] == [
        ("Solaris", "Solyaris 2002", False),
        ("1972", "2002", False),
    ]


def test_a_link_whose_end_is_gone_is_left_out() -> None:
    nodes = builders.nodes(["a"], ["a"])
    table = pd.DataFrame({"pair": ["x", "y"], "left": ["l0", "gone"], "right": ["r0", "r0"]})
    assert lists.placed(nodes, table)["pair"].tolist() == ["x"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        (7, "7"),
        ("a\x00\x1bb\u202ec\ud800", "abc"),
        ("x" * 81, "x" * 80 + "…"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_what_a_page_shows_of_a_value(value: object, text: str) -> None:
    assert lists.clean(value) == text


def test_many_types_and_gold_without_a_hit_can_be_drawn() -> None:
    many = [charts.Line(f"T{at}", [(0.5, 0.9), (0.9, 0.7)], (0.8, 0.8)) for at in range(30)]
    assert charts.precision_recall(many).svg.count("T7") >= 1
    assert charts.precision_recall([charts.Line("none", [], (0.0, 0.0))]).svg.startswith("<?xml")
