"""What every request has to pass, and what every answer carries. No request of another site reaches the application.

A page elsewhere can send requests to a server on loopback, and by DNS rebinding under a name of its own: a Host that
is not ours is refused, and what changes something has to come from a page of ours.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LARGEST = 64 * 1024  # bytes of a form
_SESSIONS = 1_000  # at once; the oldest goes first
_TRAIL = 1_000  # pairs that "back" goes back
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass
class Session:
    """One browser.

    Attributes:
        id: in its cookie; csrf: in its forms; by: who decides there; trail: the pairs it showed, the latest last;
        said: what the next page has to tell.
    """

    by: str
    id: str = field(default_factory=secrets.token_urlsafe)
    csrf: str = field(default_factory=secrets.token_urlsafe)
    trail: deque[int] = field(default_factory=lambda: deque(maxlen=_TRAIL))
    said: list[str] = field(default_factory=list)


class Sessions:
    """The browsers that were opened with the link that the command printed."""

    def __init__(self, by: str, token: str) -> None:
        self._by, self._token = by, token
        self._open: OrderedDict[str, Session] = OrderedDict()

    def enter(self, token: str) -> Session | None:
        """Open a session for who has the link; None for others."""
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            return None
        session = Session(self._by)
        self._open[session.id] = session
        while len(self._open) > _SESSIONS:
            self._open.popitem(last=False)
        return session

    def find(self, cookie: str | None) -> Session | None:
        """Return the session of a cookie."""
        return self._open.get(cookie or "")


class Guard:
    """Refuses requests of other sites, and adds the headers that keep the pages to themselves."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with the reason why not."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        if scope["type"] != "http":  # no websockets here
            return
        wrong = self._wrong(scope["method"], Headers(scope=scope))
        app = self._app if wrong is None else PlainTextResponse(wrong[1] + "\n", wrong[0])
        await app(scope, receive, guarded)

    def _wrong(self, method: str, headers: Headers) -> tuple[int, str] | None:
        """Return the status and the reason why a request is refused."""
        host = headers.get("host", "")
        if _name(host) not in self._hosts:
            return 421, "This server answers to other names only. Open the link that `neo4j-align review` printed."
        if method in ("GET", "HEAD"):
            return None
        source = headers.get("origin") or headers.get("referer", "")
        if urlsplit(source).scheme not in ("http", "https") or urlsplit(source).netloc.lower() != host.lower():
            return 403, "This request does not come from a page of this server, so it was refused."
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return 403, "This request comes from another site, so it was refused."
        length = headers.get("content-length", "")
        if not length.isdecimal():
            return 411, "The length of the form is missing."
        return (413, "The form is too long.") if int(length) > LARGEST else None


def _name(host: str) -> str:
    """Return the name in a Host header, without the port and without brackets."""
    try:
        parts = urlsplit(f"//{host}")
        return "" if parts.port == 0 or parts.username is not None else (parts.hostname or "")
    except ValueError:  # no port is such a number
        return ""
