from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from neo4j_align.review.guard import LARGEST, LOOPBACK, Guard, Sessions

HERE = "http://127.0.0.1:8765"
OURS = {"Origin": HERE}


async def _answer(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{request.method} {len(await request.body())}")


@pytest.fixture
def client() -> TestClient:
    app = Starlette(routes=[Route("/", _answer, methods=["GET", "POST"])])
    return TestClient(Guard(app, LOOPBACK), base_url=HERE)


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost", "LOCALHOST:1", "[::1]:8765"])
def test_our_own_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8765",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "",
        "localhost:no",
        "[::1",
    ],
)
def test_a_name_that_is_not_ours_is_refused(client: TestClient, host: str) -> None:
    for method in ("GET", "POST"):
        answer = client.request(method, "/", headers={"Host": host, "Origin": f"http://{host}"})
        assert answer.status_code == 421


def test_a_form_of_ours_passes(client: TestClient) -> None:
    assert client.post("/", data={"a": "b"}, headers=OURS).text == "POST 3"
    assert client.post("/", data={"a": "b"}, headers={"Referer": f"{HERE}/pairs/1"}).text == "POST 3"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},  # another server on this machine
        {"Origin": "http://localhost:8765"},  # the same server by another name, whose cookies are others
        {"Origin": "chrome-extension://127.0.0.1:8765"},
        {"Origin": f"{HERE}.evil.example"},
        {"Referer": "http://evil.example/?http://127.0.0.1:8765"},
        {**OURS, "Sec-Fetch-Site": "cross-site"},
        {**OURS, "Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_request_of_another_site_is_refused(client: TestClient, method: str, headers: dict[str, str]) -> None:
    assert client.request(method, "/", content=b"a=b", headers=headers).status_code == 403


def test_a_form_has_a_length_and_a_limit(client: TestClient) -> None:
    assert client.post("/", content=b"x" * (LARGEST + 1), headers=OURS).status_code == 413
    assert client.post("/", content=iter([b"x"]), headers=OURS).status_code == 411


def test_every_answer_carries_the_headers(client: TestClient) -> None:
    for answer in (client.get("/"), client.get("/no"), client.post("/"), client.get("/", headers={"Host": "evil"})):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "http:" not in policy
        assert {"frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} <= set(policy.split("; "))
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"


def test_only_the_link_opens_a_session() -> None:
    sessions = Sessions("ana", "token")
    assert sessions.enter("tokem") is None
    assert sessions.enter("") is None
    one, other = sessions.enter("token"), sessions.enter("token")
    assert one is not None
    assert other is not None
    assert len({one.id, one.csrf, other.id, other.csrf}) == 4
    assert sessions.find(one.id) is one
    assert sessions.find(None) is None
    assert sessions.find("") is None
    for _ in range(2_000):
        sessions.enter("token")
    assert sessions.find(one.id) is None
