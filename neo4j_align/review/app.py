"""The pages: a queue of pairs, a pair, and the forms that judge it."""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from neo4j_align.errors import AlignError, JudgedError
from neo4j_align.review import shown
from neo4j_align.review.desk import ORDERS, STATES, Desk, Filter
from neo4j_align.review.guard import Guard, Session, Sessions
from neo4j_align.store import verdicts
from neo4j_align.web import environment

_PAGE = 50  # pairs of a page of the queue
_LONGEST = 2_000  # characters of a note, a search or a name
_FILES = {"review.css": "text/css", "explanation.css": "text/css", "review.js": "text/javascript"}
_KINDS: dict[str, verdicts.Kind | None] = {"yes": "confirm", "no": "reject", "withdraw": None}
_DONE = {"yes": "Judged the same", "no": "Judged not the same", "withdraw": "The verdict was withdrawn"}
Endpoint = Callable[["Review", Request, Session], Awaitable[Response]]


def application(desk: Desk, token: str, by: str, hosts: frozenset[str]) -> Starlette:
    """Return the application.

    Args:
        token: opens a session; by: who decides where nobody says a name; hosts: the names that it answers to.
    """
    review = Review(desk, Sessions(by, token))
    routes = [
        Route("/", review.queue, methods=["GET"]),
        Route("/next", review.following, methods=["GET"]),
        Route("/back", review.back, methods=["GET"]),
        Route("/pairs/{row:int}", review.pair, methods=["GET"]),
        Route("/pairs/{row:int}/verdict", review.judge, methods=["POST"]),
        Route("/reviewer", review.rename, methods=["POST"]),
        Route("/static/{name}", _file, methods=["GET"]),
    ]
    handlers: Mapping[Any, Any] = {HTTPException: review.refused, AlignError: review.failed}
    return Starlette(routes=routes, middleware=[Middleware(Guard, hosts=hosts)], exception_handlers=handlers)


def _in_session(endpoint: Endpoint) -> Callable[[Review, Request], Awaitable[Response]]:
    """Let in who has a session or the link; a form also takes the session's token."""

    @functools.wraps(endpoint)
    async def entered(self: Review, request: Request) -> Response:
        if token := request.query_params.get("token"):
            return self.enter(request, token)
        session = self.sessions.find(request.cookies.get(_cookie(request)))
        if session is None:
            raise HTTPException(403, "Open the link that `neo4j-align review` printed: it holds a token.")
        if request.method == "POST":
            given = str((await request.form()).get("csrf", ""))
            if not secrets.compare_digest(given.encode(), session.csrf.encode()):
                raise HTTPException(403, "This form is of another session. Go back, load the page again, and repeat.")
        return await endpoint(self, request, session)

    return entered


class Review:
    """The endpoints."""

    def __init__(self, desk: Desk, sessions: Sessions) -> None:
        self.desk, self.sessions = desk, sessions
        self._templates = environment()

    def enter(self, request: Request, token: str) -> Response:
        """Give a cookie to who has the link, and take the token out of the address."""
        session = self.sessions.enter(token)
        if session is None:
            raise HTTPException(
                403, "This link is of another run. Open the one that `neo4j-align review` printed last."
            )
        answer = RedirectResponse(request.url.path, 303)
        answer.set_cookie(_cookie(request), session.id, httponly=True, samesite="strict")
        return answer

    @_in_session
    async def queue(self, request: Request, session: Session) -> Response:
        """Show the pairs that a filter lets through."""
        chosen = _filter(request)
        rows = await run_in_threadpool(self.desk.select, chosen)
        page = max(_number(request.query_params.get("page"), 1), 1)
        part = rows[(page - 1) * _PAGE : page * _PAGE].tolist()
        pairs = [{"row": row, **self._summary(row)} for row in part]
        pages = max(-(-len(rows) // _PAGE), 1)
        return await self._page(
            "review_queue.html", session, chosen, pairs=pairs, count=len(rows), page=page, pages=pages
        )

    @_in_session
    async def following(self, request: Request, session: Session) -> Response:
        """Go to the pair that follows in the queue, or to the queue where there is none."""
        chosen, after = _filter(request), request.query_params.get("after")
        row = await run_in_threadpool(self.desk.next, chosen, None if after is None else self._row(after))
        if row is None:
            session.said.append("That was the last pair of this selection. Those that you skipped are still here.")
            return _to("/", chosen)
        return _to(f"/pairs/{row}", chosen)

    @_in_session
    async def back(self, request: Request, session: Session) -> Response:
        """Go to the pair that was shown before."""
        if session.trail:
            session.trail.pop()
        chosen = _filter(request)
        return _to(f"/pairs/{session.trail.pop()}" if session.trail else "/", chosen)

    @_in_session
    async def pair(self, request: Request, session: Session) -> Response:
        """Show a pair."""
        return await self._pair(request, session)

    @_in_session
    async def judge(self, request: Request, session: Session) -> Response:
        """Write a verdict, if nobody judged the pair since it was shown, and go on."""
        form, row, chosen = await request.form(), self._row(request.path_params["row"]), _filter(request)
        answer, note = str(form.get("answer", "")), str(form.get("note", "")).strip()
        if answer not in _KINDS or len(note) > _LONGEST:
            raise HTTPException(400, f"Answer yes or no, and keep the note below {_LONGEST:,} characters.")
        standing = await run_in_threadpool(self.desk.standing, row)
        if _stamp(standing) != form.get("seen"):
            return await self._pair(request, session, verdicts.told(standing), 409, note)
        said = {"by": session.by, "note": note or None}
        try:
            contradicts = await run_in_threadpool(self.desk.decide, row, _KINDS[answer], said, standing)
        except JudgedError as error:
            return await self._pair(request, session, str(error), 409, note)
        session.said.append(f"{_DONE[answer]}: {self._named(row)}.")
        session.said += [f"This contradicts another verdict: {shown.short(other, 300)}." for other in contradicts]
        if answer == "withdraw":
            return _to(f"/pairs/{row}", chosen)
        return _to("/next", chosen, after=row)

    @_in_session
    async def rename(self, request: Request, session: Session) -> Response:
        """Note who decides in this browser."""
        by = str((await request.form()).get("by", "")).strip()
        if not 0 < len(by) <= _LONGEST:
            raise HTTPException(400, "Give a name: it is kept with each of your verdicts.")
        session.by = by
        session.said.append(f"Your verdicts are kept with the name {by}.")
        return _to("/", _filter(request))

    async def refused(self, request: Request, error: Exception) -> Response:
        """Say what is wrong with a request."""
        status, reason = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, str(error))
        text = self._templates.get_template("review_problem.html").render(reason=reason)
        return HTMLResponse(text, status)

    async def failed(self, request: Request, error: Exception) -> Response:
        """Say what the database could not do."""
        return await self.refused(request, HTTPException(503, str(error)))

    async def _pair(
        self, request: Request, session: Session, alert: str = "", status: int = 200, note: str = ""
    ) -> Response:
        row, chosen, desk = self._row(request.path_params["row"]), _filter(request), self.desk
        if not session.trail or session.trail[-1] != row:
            session.trail.append(row)
        standing = await run_in_threadpool(desk.standing, row)
        explanation = await run_in_threadpool(desk.explain, row)
        ends = int(desk.pairs.left[row]), int(desk.pairs.right[row])
        neighbours = shown.picture(desk.config, desk.nodes, desk.drawn, desk.judged.scene.known, ends)
        return await self._page(
            "review_pair.html", session, chosen, status, row=row, alert=alert, note=note, standing=standing,
            seen=_stamp(standing), explanation=explanation.document(), rows=neighbours, **self._summary(row),
            fields=shown.fields(desk.config, desk.nodes, *ends),
        )  # fmt: skip

    async def _page(
        self, template: str, session: Session, chosen: Filter, status: int = 200, **values: Any
    ) -> Response:
        done, total = await run_in_threadpool(self.desk.progress, chosen)
        estimate = await run_in_threadpool(self.desk.estimate)
        said, session.said = session.said, []
        text = self._templates.get_template(template).render(
            chosen=chosen, here=_query(chosen), types=self.desk.config.type_names, states=STATES, orders=ORDERS,
            done=done, total=total, estimate=estimate, said=said, csrf=session.csrf, by=session.by, **values,
        )  # fmt: skip
        return HTMLResponse(text, status)

    def _summary(self, row: int) -> dict[str, Any]:
        desk = self.desk
        names = [shown.short(shown.called(desk.nodes, side[row]), 120) for side in (desk.pairs.left, desk.pairs.right)]
        keys = [shown.short(str(key), 80) for key in desk.keys(row)]
        return {
            "left": {"name": names[0], "key": keys[0]},
            "right": {"name": names[1], "key": keys[1]},
            "type": desk.config.type_names[desk.nodes.type[desk.pairs.left[row]]],
            "confidence": float(desk.judged.confidence[row]),
            "linked": bool(desk.linked[row]),
            "verdicts": desk.known(row),
        }

    def _named(self, row: int) -> str:
        summary = self._summary(row)
        return f"{summary['left']['name']} and {summary['right']['name']}"

    def _row(self, value: object) -> int:
        row = _number(value, -1)
        if not 0 <= row < len(self.desk.pairs):
            raise HTTPException(404, "There is no such pair in this review. Start from the queue.")
        return row


def _filter(request: Request) -> Filter:
    """Read a filter from an address; what is malformed is left out."""
    given = request.query_params
    state, order = given.get("state"), given.get("order")
    return Filter(
        type=given.get("type", "")[:_LONGEST],
        low=_share(given.get("low"), 0.0),
        high=_share(given.get("high"), 1.0),
        text=given.get("text", "").strip()[:_LONGEST],
        state=next((name for name in STATES if name == state), Filter.state),
        order=next((name for name in ORDERS if name == order), Filter.order),
    )


def _query(chosen: Filter) -> str:
    """Write a filter as the query of an address, without what is as by default."""
    return urlencode({name: value for name, value in vars(chosen).items() if value != getattr(Filter, name)})


def _share(value: str | None, otherwise: float) -> float:
    try:
        share = float(value or "")
    except ValueError:
        return otherwise
    return min(max(share, 0.0), 1.0) if share == share else otherwise  # a NaN is no bound


def _number(value: object, otherwise: int) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else otherwise


def _stamp(standing: verdicts.Verdicts) -> str:
    """Return what tells the verdicts that a page showed from others."""
    return hashlib.sha256(repr(standing).encode()).hexdigest()[:16]


def _to(path: str, chosen: Filter, **more: int) -> Response:
    query = "&".join(part for part in (_query(chosen), urlencode(more)) if part)
    return RedirectResponse(f"{path}?{query}" if query else path, 303)


def _cookie(request: Request) -> str:
    return f"align_review_{request.url.port or 80}"  # a browser gives a name's cookies to all its ports


async def _file(request: Request) -> Response:
    """Send a style sheet or the script."""
    name = request.path_params["name"]
    if name not in _FILES:
        raise HTTPException(404, "There is no such file.")
    content = (importlib.resources.files("neo4j_align") / "web" / name).read_bytes()
    return Response(content, media_type=_FILES[name])
