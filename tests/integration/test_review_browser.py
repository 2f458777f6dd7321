"""The review end to end in a real headless browser: keys, hostile values, other sites, two persons, accessibility."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from neo4j_align.config import Config
from neo4j_align.gnn.saved import Model
from neo4j_align.review.desk import Desk, Filter
from neo4j_align.store import verdicts
from neo4j_align.store.database import Database
from tests.integration.conftest import EXAMPLE
from tests.integration.reviewing import TOKEN, application_of, installed, serving

REBOUND = "rebound.example"  # a name of another site that resolves to loopback
MARKUP = "</td><script>document.title = 'broken'</script><img src=x onerror=alert(1)>\"'"
RIGHT_TO_LEFT = "סרגיי אייזנשטיין"
MEGABYTE = "m" * 1_000_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = installed()
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=found.path,
            env=found.environment,
            chromium_sandbox=False,  # root in a container has none
            args=[f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1"],
        )
        expect.set_options(timeout=60_000)  # milliseconds: explanations take seconds on a busy machine
        yield opened
        opened.close()


@pytest.fixture
def hostile(model: Model, example: Database) -> tuple[str, str]:
    """Put hostile values on both ends of a link of a film; its keys."""
    gold = pd.read_csv(EXAMPLE / "gold.csv", dtype=str)
    films = {row["uid"] for row in example.read("MATCH (n:Catalogue:Film) RETURN n.uid AS uid")}
    left, right = gold.loc[gold["left"].isin(films), ["left", "right"]].iloc[0]
    example.write(
        "MATCH (l {uid: $left}), (r {uid: $right}) "
        "SET l.title = $markup, r.name = $markup, l.genre = $megabyte, r.country = $rtl "
        "WITH l, r MATCH (l)--(a:Artist) SET a.name = $rtl + $markup",
        left=left, right=right, markup=MARKUP, megabyte=MEGABYTE, rtl=RIGHT_TO_LEFT,
    )  # fmt: skip
    return left, right


@pytest.fixture
def served(hostile: tuple[str, str], example: Database, config: Config, model: Model) -> Iterator[tuple[str, Desk]]:
    app, desk = application_of(config, example, model)
    with serving(app) as address:
        yield address, desk


@pytest.fixture
def page(browser: Browser, served: tuple[str, Desk]) -> Iterator[Page]:
    """A page of the review; at its end nothing was broken, blocked or asked for elsewhere."""
    address, _ = served
    opened = browser.new_context().new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda message: wrong.append(message.text) if "Content Security" in message.text else None)
    opened.on("dialog", lambda dialog: wrong.append(dialog.message))
    opened.on("request", lambda request: None if request.url.startswith(address) else wrong.append(request.url))
    opened.goto(f"{address}/?token={TOKEN}")
    assert urlsplit(opened.url).query == ""  # the token leaves the address
    yield opened
    opened.context.close()
    assert wrong == []


def test_with_keys_alone(page: Page, served: tuple[str, Desk], example: Database, config: Config) -> None:
    _, desk = served
    first = desk.next(Filter(), None)
    assert first is not None
    page.keyboard.press("y")  # starts
    page.wait_for_url(f"**/pairs/{first}")
    page.keyboard.press("/")
    page.keyboard.type("yes n s b, same")  # letters in a note are letters
    page.keyboard.press("Escape")
    page.keyboard.press("y")
    page.wait_for_url(lambda url: url.rstrip("?").rpartition("/")[2] != str(first))
    expect(page.get_by_role("status")).to_contain_text("Judged the same")
    assert [(one.verdict, one.note) for one in verdicts.on(example, config, *desk.keys(first))] == [
        ("confirmed", "yes n s b, same")
    ]
    second = page.url
    page.keyboard.press("s")
    page.wait_for_url(lambda url: url != second)
    page.keyboard.press("b")
    page.wait_for_url(second)
    page.keyboard.press("b")
    page.wait_for_url(f"**/pairs/{first}")
    expect(page.locator(".standing")).to_contain_text("Confirmed by ana")

    page.get_by_label("Single keys").uncheck()  # a reader of screens has keys of its own
    page.keyboard.press("n")
    page.get_by_role("button", name="No, not the same").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: not url.endswith(f"/{first}"))
    assert [one.verdict for one in verdicts.on(example, config, *desk.keys(first))] == ["rejected"]


def test_everything_is_reached_by_tab(page: Page) -> None:
    page.keyboard.press("y")
    page.wait_for_url("**/pairs/*")
    reached = []
    for _ in range(25):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.innerText || document.activeElement.name || ''").strip())
    assert reached[0] == "Skip to the content"
    for name in ("Yes, the same", "No, not the same", "Skip", "Back", "note"):
        assert any(one.startswith(name) for one in reached), (name, reached)


def test_hostile_values_are_text(page: Page, served: tuple[str, Desk], hostile: tuple[str, str]) -> None:
    address, desk = served
    row = next(row for row in range(len(desk.pairs)) if desk.keys(row) == hostile)
    page.goto(f"{address}/?text=%3Cscript&state=all")
    expect(page.get_by_role("row").filter(has_text="<script>").first).to_be_visible()
    page.goto(f"{address}/pairs/{row}")
    expect(page.get_by_role("heading", level=1)).to_contain_text(MARKUP)
    assert page.locator("img, script:not([src])").count() == 0
    assert "broken" not in page.title()[:10]
    assert len(page.content()) < 200_000
    assert "more characters" in page.inner_text(".fields")
    right_to_left = page.locator(".fields td span[dir=auto]").filter(has_text=RIGHT_TO_LEFT)
    assert right_to_left.evaluate("element => getComputedStyle(element).direction") == "rtl"
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width <= 0  # nothing pushes the page aside


def test_what_differs_is_marked(page: Page, served: tuple[str, Desk]) -> None:
    address, desk = served
    names = desk.nodes.names
    row = next(
        row for row in desk.select(Filter(state="all", low=0.5))
        if len({str(names[side[row]]).casefold() for side in (desk.pairs.left, desk.pairs.right)}) == 2
    )  # fmt: skip
    page.goto(f"{address}/pairs/{row}")
    assert page.locator("tr.different mark").count() > 0


def test_two_persons_at_once(page: Page, browser: Browser, served: tuple[str, Desk]) -> None:
    address, desk = served
    row = desk.next(Filter(), None)
    other = browser.new_page()
    other.goto(f"{address}/?token={TOKEN}")
    other.get_by_label("You are").fill("bob")
    other.get_by_role("button", name="Set name").click()
    for one in (page, other):
        one.goto(f"{address}/pairs/{row}")
    other.get_by_role("button", name="No, not the same").click()
    other.wait_for_url("**/pairs/*")
    page.get_by_role("button", name="Yes, the same").click()
    expect(page.get_by_role("alert")).to_contain_text("rejected by bob")
    expect(page.locator(".standing")).to_contain_text("Rejected by bob")
    other.context.close()


def test_another_site_judges_nothing(
    browser: Browser, page: Page, served: tuple[str, Desk], example: Database, config: Config
) -> None:
    address, desk = served
    port = urlsplit(address).port
    form = f'<form method="post" action="{address}/pairs/0/verdict"><input name="answer" value="yes"></form>'
    site = f"<title>evil</title>{form}<script>document.forms[0].submit()</script>"
    with _site(site) as evil:
        answers = []
        tab = page.context.new_page()  # with the cookies of the review
        tab.on("response", lambda answer: answers.append((answer.request.method, answer.status)))
        tab.goto(evil)
        tab.wait_for_url(f"{address}/**")
        assert ("POST", 403) in answers
        # What it reads by a name that resolves to this machine is refused, and so is what it sends by it.
        answer = tab.goto(f"http://{REBOUND}:{port}/pairs/0")
        assert answer is not None
        assert answer.status == 421
        with tab.expect_navigation() as sent:
            tab.evaluate(
                "document.body.innerHTML = '<form method=post action=/pairs/0/verdict><input name=answer></form>';"
                "document.forms[0].submit()"
            )
        assert sent.value is not None
        assert (sent.value.request.method, sent.value.status) == ("POST", 421)
        tab.close()
    assert verdicts.on(example, config, *desk.keys(0)) == ()
    frame = f"<title>evil</title><iframe src='{address}/pairs/0'></iframe>"
    with _site(frame) as evil:
        tab = browser.new_page()
        tab.goto(evil)
        assert all("Are these" not in (one.content()) for one in tab.frames)
        tab.context.close()


class _Site(BaseHTTPRequestHandler):
    def __init__(self, content: str, *arguments: object) -> None:
        self._content = content
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self._content.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _site:  # noqa: N801
    """Another site, on another port: another origin."""

    def __init__(self, content: str) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Site, content))

    def __enter__(self) -> str:
        threading.Thread(target=self._server.serve_forever).start()
        return f"http://localhost:{self._server.server_address[1]}/"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_that_axe_finds_is_wrong(page: Page, served: tuple[str, Desk], scheme: str) -> None:
    address, desk = served
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    row = desk.next(Filter(), None)
    page.goto(f"{address}/pairs/{row}")
    page.get_by_role("button", name="Yes, the same").click()
    for path in ("/", f"/pairs/{row}", "/pairs/999999"):
        page.goto(f"{address}{path}")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_a_picture_for_the_reader(page: Page, served: tuple[str, Desk], tmp_path: Path) -> None:
    address, desk = served
    row = next(
        row for row in desk.select(Filter(state="all", order="sure", type="film"))
        if (desk.judged.scene.known.twin[desk.drawn.neighbours[desk.pairs.left[row]]] >= 0).any()
    )  # fmt: skip
    page.goto(f"{address}/pairs/{row}")
    assert page.locator("svg.picture line.joined").count() > 0
    expect(page.get_by_role("img", name="The neighbours of both")).to_be_visible()
    page.screenshot(path=tmp_path / "pair.png", full_page=True)
