"""The door of the room: the ASGI callable that answers under /b/."""

import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from django.db import Error as DatabaseError

from mickle.edge import _asking, _drawing
from mickle.edge._asking import Request
from mickle.edge._counts import Counts, Found

Headers = list[tuple[bytes, bytes]]
Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

KEPT_AT_MOST = 10_000
# Longer questions are answered and not remembered: memory stays bounded by bytes, too.
KEPT_QUERY_BYTES = 1_000

_EVERYWHERE: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
_SHORTLY = (b"cache-control", b"public, max-age=1, stale-while-revalidate=5")
_NEVER = (b"cache-control", b"no-store")
_JSON: Headers = [
    (b"content-type", b"application/json"),
    (b"content-security-policy", b"default-src 'none'"),
]
_SVG: Headers = [
    (b"content-type", b"image/svg+xml; charset=utf-8"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; sandbox",
    ),
]

log = logging.getLogger(__name__)


class _Answer(NamedTuple):
    """A whole response as ASGI sends it, and until when (monotonic seconds) it is fresh."""

    until: float
    tag: bytes
    start: dict[str, Any]
    body: dict[str, Any]
    found: list[Found]


class Edge:
    """Answers GET and HEAD of /b/count and /b/count.svg; counts are fresh within a second."""

    PREFIX = "/b/"

    def __init__(self) -> None:
        self._counts = Counts()
        self._kept: dict[tuple[str, bytes], _Answer] = {}

    def close(self) -> None:
        """Let go of the database."""
        self._counts.close()

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request."""
        method, path, query = scope["method"], scope["path"], scope["query_string"]
        answer = self._kept.get((path, query))
        if method not in ("GET", "HEAD"):
            answer = _sentence(405, "Only GET and HEAD.", (b"allow", b"GET, HEAD"))
        elif path not in _FORMS:
            answer = _sentence(404, "Nothing at this address. There are /b/count and /b/count.svg.")
        elif answer is None or answer.until <= time.monotonic():
            answer = await self._answer(path, query, answer)
        if answer.tag and _has(scope["headers"], answer.tag):
            headers = [pair for pair in answer.start["headers"] if pair[0] != b"content-length"]
            await send(answer.start | {"status": HTTPStatus.NOT_MODIFIED, "headers": headers})
            await send(_NOTHING)
        else:
            await send(answer.start)
            await send(_NOTHING if method == "HEAD" else answer.body)

    async def _answer(self, path: str, query: bytes, kept: _Answer | None) -> _Answer:
        form = _FORMS[path]
        short = len(query) <= KEPT_QUERY_BYTES
        read = _asking.read if short else _asking.read_anew
        request = read(query, drawn=form is _svg)
        if request.wrong:
            return _sentence(400, request.wrong)
        try:
            found, until = await self._counts.of(request.asked)
        except DatabaseError:
            log.exception("counts could not be read")
            return kept or _sentence(503, "No counts just now. Try again in a moment.")
        if kept is not None and kept.found == found:
            answer = kept._replace(until=until)
        else:
            answer = form(request, found)._replace(until=until, found=found)
        if short:
            self._keep((path, query), answer)
        return answer

    def _keep(self, key: tuple[str, bytes], answer: _Answer) -> None:
        # Taken out first, so that the dictionary stays in order of age and the oldest goes.
        self._kept.pop(key, None)
        self._kept[key] = answer
        if len(self._kept) > KEPT_AT_MOST:
            del self._kept[next(iter(self._kept))]


def _json(request: Request, found: list[Found]) -> _Answer:
    """One object for one thing, a list for several, in the order asked."""
    rows = [
        ({"id": thing_id, "url": asked.url} if asked.url else {"id": asked.thing_id})
        | {"count": count}
        for asked, (thing_id, count) in zip(request.asked, found, strict=True)
    ]
    tag = ".".join(f"{row['id'] or 0}-{row['count']}" for row in rows)
    return _written(200, rows[0] if len(rows) == 1 else rows, f'W/"{tag}"', _SHORTLY)


def _svg(request: Request, found: list[Found]) -> _Answer:
    """The drawn button."""
    ((_thing, count),) = found
    body = _drawing.button(count, request.size, request.theme, request.language)
    return _whole(200, [*_SVG, _SHORTLY], body, f'W/"{count}"')


_FORMS = {"/b/count": _json, "/b/count.svg": _svg}


def _sentence(status: int, text: str, *more: tuple[bytes, bytes]) -> _Answer:
    return _written(status, {"error": text}, "", _NEVER, *more)


def _written(status: int, answer: object, tag: str, *more: tuple[bytes, bytes]) -> _Answer:
    body = json.dumps(answer, ensure_ascii=False).encode()
    return _whole(status, [*_JSON, *more], body, tag)


def _whole(status: int, headers: Headers, body: bytes, tag: str) -> _Answer:
    """A response that any number of askers may be sent."""
    whole = [*_EVERYWHERE, *headers, (b"content-length", str(len(body)).encode())]
    if tag:
        whole.append((b"etag", tag.encode()))
    start = {"type": "http.response.start", "status": status, "headers": whole}
    return _Answer(0.0, tag.encode(), start, {"type": "http.response.body", "body": body}, [])


_NOTHING: dict[str, Any] = {"type": "http.response.body", "body": b""}


def _has(headers: Headers, tag: bytes) -> bool:
    """Whether the asker holds this very answer; tags are compared weakly."""
    for name, value in headers:
        if name == b"if-none-match":
            known = (one.strip().removeprefix(b"W/") for one in value.split(b","))
            return value.strip() == b"*" or tag.removeprefix(b"W/") in known
    return False
