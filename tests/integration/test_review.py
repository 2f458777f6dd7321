"""The review's pages over a real database, without a browser."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from starlette.testclient import TestClient

from neo4j_align.config import Config
from neo4j_align.errors import DataError, JudgedError
from neo4j_align.gnn.saved import Model
from neo4j_align.review.desk import Desk, Filter
from neo4j_align.store import verdicts
from neo4j_align.store.database import Database
from tests.integration import plain
from tests.integration.conftest import EXAMPLE, Run
from tests.integration.reviewing import TOKEN, application_of

HERE = "http://127.0.0.1:8765"
OURS = {"Origin": HERE}


class Browser:
    """A browser without a window: what it sends is what a form of the last page would."""

    def __init__(self, app: Any, by: str = "") -> None:
        self.client = TestClient(app, base_url=HERE, headers=OURS)
        self.page = self.client.get("/", params={"token": TOKEN}).text
        if by:
            self.page = self.client.post("/reviewer", data={"csrf": self.hidden("csrf"), "by": by}).text

    def hidden(self, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        assert found is not None
        return found[1]

    def open(self, path: str) -> str:
        self.page = self.client.get(path).text
        return self.page

    def answer(self, row: int, answer: str, note: str = "", query: str = "") -> Any:
        form = {"csrf": self.hidden("csrf"), "seen": self.hidden("seen"), "answer": answer, "note": note}
        return self.client.post(f"/pairs/{row}/verdict{query}", data=form, follow_redirects=False)


@pytest.fixture
def review(example: Database, config: Config, model: Model) -> tuple[Any, Desk]:
    return application_of(config, example, model)


def standing(database: Database, config: Config, desk: Desk, row: int) -> list[tuple[str, str | None, str | None]]:
    return [(one.verdict, one.by, one.note) for one in verdicts.on(database, config, *desk.keys(row))]


def test_a_pair_is_judged_and_the_next_one_comes(review: tuple[Any, Desk], example: Database, config: Config) -> None:
    app, desk = review
    row = desk.next(Filter(), None)
    assert row is not None
    ana = Browser(app)
    assert f"/pairs/{row}" in ana.page
    page = ana.open("/next")
    assert "Are these the same" in page
    assert "contribution" in page  # the explanation
    answer = ana.answer(row, "yes", note="same <poster>")
    assert answer.headers["location"] == f"/next?after={row}"
    assert standing(example, config, desk, row) == [("confirmed", "ana", "same <poster>")]
    following = ana.open(answer.headers["location"])
    assert "Judged the same" in following
    assert desk.next(Filter(), None) not in (row, None)

    shown = ana.open(f"/pairs/{row}")
    assert "same &lt;poster&gt;" in shown
    assert ana.answer(row, "no").status_code == 303  # a change of mind takes the other verdict's place
    assert standing(example, config, desk, row) == [("rejected", "ana", None)]
    ana.open(f"/pairs/{row}")
    assert ana.answer(row, "withdraw").headers["location"] == f"/pairs/{row}"
    assert standing(example, config, desk, row) == []


def test_two_reviewers_do_not_overwrite_each_other(review: tuple[Any, Desk], example: Database, config: Config) -> None:
    app, desk = review
    row = desk.next(Filter(), None) or 0
    ana, bob = Browser(app), Browser(app, "bob")
    for one in (ana, bob):
        one.open(f"/pairs/{row}")
    assert ana.answer(row, "yes").status_code == 303
    late = bob.answer(row, "no", note="other year")
    assert late.status_code == 409
    assert re.search(r'role="alert"[^>]*>In the meantime this pair was judged: confirmed by ana at 20', late.text)
    assert "other year" in late.text  # what bob wrote is not lost
    assert standing(example, config, desk, row) == [("confirmed", "ana", None)]
    bob.page = late.text
    assert bob.answer(row, "no").status_code == 303
    assert standing(example, config, desk, row) == [("rejected", "bob", None)]

    # A verdict from elsewhere counts as well.
    bob.open(f"/pairs/{row}")
    verdicts.withdraw(example, config, [dict(zip(("left", "right"), desk.keys(row), strict=True))])
    late = bob.answer(row, "yes")
    assert late.status_code == 409
    assert "its verdict was withdrawn" in late.text


def test_of_many_at_once_one_decides(database: Database) -> None:
    plain.write(database, plain.load(database, 4), {("l0", "r0"): 0.9})

    def decide(number: int) -> bool:
        kind: verdicts.Kind = "confirm" if number % 2 else "reject"
        try:
            verdicts.decide(database, plain.CONFIG, kind, ("l0", "r0"), {"by": str(number), "note": None}, ())
        except JudgedError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(decide, range(8)))
    assert sum(done) == 1
    assert [one.by for one in verdicts.on(database, plain.CONFIG, "l0", "r0")] == [str(done.index(True))]


def test_a_pair_that_is_gone_is_not_judged(database: Database) -> None:
    plain.load(database, 2)
    with pytest.raises(DataError, match="no such right entity"):
        verdicts.decide(database, plain.CONFIG, "confirm", ("l0", "nix"), {"by": "ana", "note": None}, ())


@pytest.mark.parametrize("what", ["no session", "no csrf", "csrf of another", "another site", "another name"])
def test_what_is_not_of_a_page_of_ours_changes_nothing(
    review: tuple[Any, Desk], example: Database, config: Config, what: str
) -> None:
    app, desk = review
    row = desk.next(Filter(), None) or 0
    ana, other = Browser(app), Browser(app)
    ana.open(f"/pairs/{row}")
    form = {"csrf": ana.hidden("csrf"), "seen": ana.hidden("seen"), "answer": "yes"}
    headers = dict(OURS)
    if what == "no session":
        ana.client.cookies.clear()
    elif what == "no csrf":
        del form["csrf"]
    elif what == "csrf of another":
        form["csrf"] = other.hidden("csrf")
    elif what == "another site":
        headers = {"Origin": "http://evil.example"}
    else:
        headers = {"Origin": "http://evil.example:8765", "Host": "evil.example:8765"}
    answer = ana.client.post(f"/pairs/{row}/verdict", data=form, headers=headers)
    assert answer.status_code == (421 if what == "another name" else 403)
    assert standing(example, config, desk, row) == []
    assert ana.client.get(f"/pairs/{row}/verdict").status_code == 405


def test_filters_choose_pairs(review: tuple[Any, Desk], config: Config) -> None:
    app, desk = review
    songs = desk.select(Filter(type="song", low=0.2, high=0.9, state="all"))
    confidence, kinds = desk.judged.confidence, desk.nodes.type[desk.pairs.left]
    assert set(songs) == set(np.flatnonzero((kinds == 2) & (confidence >= 0.2) & (confidence <= 0.9)))
    assert len(songs)
    named = desk.select(Filter(text="RADIOACTIVE", state="all"))
    assert len(named)
    for row in named:
        ends = desk.pairs.left[row], desk.pairs.right[row]
        assert any("radioactive" in str(desk.nodes.names[end]).casefold() for end in ends)
    assert not len(desk.select(Filter(type="none such")))
    page = Browser(app).open("/?type=song&low=nan&high=7&order=no&state=all&page=99999&text=%3Cb%3E")
    assert "&lt;b&gt;" in page
    assert 'value="song" selected' in page


def test_the_precision_is_estimated_from_random_order_alone(review: tuple[Any, Desk]) -> None:
    _, desk = review
    order = desk.select(Filter(order="random"))
    links = [int(row) for row in order if desk.linked[row]]
    said: dict[str, str | None] = {"by": "ana", "note": None}
    desk.decide(links[5], "reject", said, ())
    assert (desk.estimate().judged, desk.estimate().others) == (0, 1)
    for place, row in enumerate(links[:4]):
        desk.decide(row, "reject" if place == 1 else "confirm", said, ())
    found = desk.estimate()
    assert (found.right, found.judged, found.others) == (3, 4, 1)
    assert (round(found.low, 3), round(found.high, 3)) == (0.301, 0.954)  # Wilson, 3 of 4


def test_nonsense_is_answered_with_what_is_wrong(review: tuple[Any, Desk]) -> None:
    app, desk = review
    ana = Browser(app)
    assert ana.client.get(f"/pairs/{len(desk.pairs)}").status_code == 404
    assert ana.client.get("/pairs/99999999999999999999").status_code == 404
    ana.open("/pairs/0")
    assert ana.answer(0, "maybe").status_code == 400
    assert ana.answer(0, "yes", note="x" * 2_001).status_code == 400
    assert ana.client.get("/static/..%2fpyproject.toml").status_code == 404
    assert Browser(app).client.get("/", params={"token": "wrong"}).status_code == 403


def test_the_command_serves_until_ctrl_c(run: Run, example: Database, model_folder: Path) -> None:
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "neo4j_align",
        "review",
        "--config",
        EXAMPLE / "align.toml",
        "--model",
        model_folder,
    ]
    command += ["--host", "0.0.0.0", "--port", "0", "--no-browser", "--by", "cem", "--json"]  # noqa: S104
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            url = json.loads("".join(process.stdout.readline() for _ in range(3)))["url"]
            with httpx2.Client(follow_redirects=True, timeout=60) as client:
                page = client.get(url).text
            assert "Which of these are the same?" in page
            assert 'value="cem"' in page
            assert httpx2.get(url.partition("?")[0], timeout=60).status_code == 403
        finally:
            process.send_signal(signal.SIGINT)
            told = process.stderr.read()
    assert process.returncode == 0, told
    assert "whoever reaches this machine" in told
    assert "token" not in told


def test_a_port_that_is_taken_is_said_at_once(run: Run, model_folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        given = ("--config", EXAMPLE / "align.toml", "--model", model_folder, "--no-browser")
        result = run("review", *given, "--port", port, code=1)
    assert f"port {port}" in result.stderr
    assert "--port" in result.stderr
