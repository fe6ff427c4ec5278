"""The dispatcher: the edge answers its own addresses, Django all others in a pool of threads."""

import asyncio
import json
from typing import Any, cast
from urllib.parse import quote, urlsplit

from a2wsgi import WSGIMiddleware
from django.conf import settings

# Sets Django up, so it stands before whatever reads a model.
from mickle.config.wsgi import application as pages  # isort: skip
from mickle.api import api
from mickle.edge.edge import Edge, Policy, Receive, Scope, Send
from mickle.edge.lane import Lane

THREADS = 8
# No form takes a file. What is sent slowly waits in memory, from whoever sends it.
BODY_LIMIT_BYTES = 100_000
BODY_TIME_S = 30
# What is refused before it comes to the pages is nothing to run, to frame or to keep either.
_GUARDS = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"private, no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox"),
    (b"x-content-type-options", b"nosniff"),
)
_LENGTHS = (b"transfer-encoding", b"content-length")


class Dispatcher:
    """One ASGI callable for the whole process."""

    def __init__(self) -> None:
        self.edge = Edge(_policy())
        apart = settings.BUTTON_ORIGIN not in ("", settings.BASE_URL)
        self.button_host = urlsplit(settings.BUTTON_ORIGIN).netloc.encode() if apart else b""
        # The queue is long enough for the largest static file: a slow reader holds no thread.
        self.pages = WSGIMiddleware(cast(Any, pages), workers=THREADS, send_queue_size=64)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to the half that knows its address."""
        if scope["type"] == "http":
            if Edge.answers(scope["path"]):
                await self.edge(scope, receive, send)
            elif self._is_for_buttons(scope):
                sentence = "Only buttons, counts and scripts are at this address."
                await _refuse(scope, send, 404, sentence)
            else:
                await self._page(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            await self._live(receive, send)

    def _is_for_buttons(self, scope: Scope) -> bool:
        """Whether it was asked at the host that has no pages, so that it never sees a sign-in."""
        if not self.button_host:
            return False
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        return bool(host.lower() == self.button_host)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                self.edge.close()
                self.pages.executor.shutdown()
                await send({"type": "lifespan.shutdown.complete"})
                return
            await send({"type": "lifespan.startup.complete"})

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the whole body first, so that a slow sender holds no thread."""
        try:
            async with asyncio.timeout(BODY_TIME_S):
                body = await _body(scope, receive)
        except TimeoutError:
            await _refuse(scope, send, 408, "The request took too long to arrive.")
        else:
            if body is None:
                sentence = "This is more than 100 kB. Nothing was changed."
                await _refuse(scope, send, 413, sentence)
            else:
                known = cast(Any, _safe(scope, len(body)))
                await self.pages(known, cast(Any, _again(body)), cast(Any, send))


async def _body(scope: Scope, receive: Receive) -> bytes | None:
    """The body, or None when it is longer than allowed."""
    announced = next((v for k, v in scope["headers"] if k == b"content-length"), b"0")
    if len(announced) > len(str(BODY_LIMIT_BYTES)) or int(announced) > BODY_LIMIT_BYTES:
        return None
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _again(body: bytes) -> Receive:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _safe(scope: Scope, length: int) -> Scope:
    """Without what WSGI cannot tell apart: X_Forwarded_For would pass for X-Forwarded-For.

    A body that came in pieces has its length now, without which WSGI would read none of it.
    """
    query: bytes = scope["query_string"]
    if not query.isascii():
        query = quote(query, safe="%&=+;/?:@!$'()*,[]~").encode()
    headers = [
        (name, _in_utf_8(value) if name == b"content-type" else value)
        for name, value in scope["headers"]
        if b"_" not in name
    ]
    if any(name == b"transfer-encoding" for name, _value in headers):
        headers = [one for one in headers if one[0] not in _LENGTHS]
        headers.append((b"content-length", str(length).encode()))
    return {**scope, "headers": headers, "query_string": query}


def _in_utf_8(kind: bytes) -> bytes:
    """A Content-Type without what has Django read address and form in other letters than UTF-8.

    It takes any codec's name for that, and breaks before an answer could say so.
    """
    first, *more = kind.decode("latin-1").split(";")
    kept = [first]
    for one in more:
        name = one.partition("=")[0].strip().lower()
        if "*" not in name and not name.startswith("charset"):
            kept.append(one)
    return ";".join(kept).encode("latin-1")


async def _refuse(scope: Scope, send: Send, status: int, sentence: str) -> None:
    headers, body = dict(_GUARDS), json.dumps({"error": sentence}).encode()
    if api.answers(scope["path"]):
        languages = b",".join(v for k, v in scope["headers"] if k == b"accept-language")
        answer = api.refused(status, languages.decode("latin-1"))
        headers |= {name.lower().encode(): text.encode() for name, text in answer.items()}
        body = answer.content
    headers |= {b"content-length": str(len(body)).encode(), b"connection": b"close"}
    await send({"type": "http.response.start", "status": status, "headers": [*headers.items()]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _policy() -> Policy:
    return Policy(
        pages_origin=settings.BASE_URL,
        button_origin=settings.BUTTON_ORIGIN,
        hosts=tuple(settings.ALLOWED_HOSTS),
        proxies=tuple(settings.TRUSTED_PROXIES),
        requests_a_second=settings.EDGE_REQUESTS_A_SECOND,
        burst=settings.EDGE_BURST,
        nods_a_day=settings.PASS_NODS_A_DAY,
        streams_an_address=settings.LIVE_STREAMS_AN_ADDRESS,
    )


application = Dispatcher()


class Protocol(Lane):
    """What the server speaks: busy counts leave by the edge's own lane."""

    edge = application.edge
