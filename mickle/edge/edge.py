"""The door of the room: the ASGI callable that answers under /b/, /c/ and /live."""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from mickle.edge import _asking, _clock, _drawing, _files, _frame
from mickle.edge._answers import (
    EVERYWHERE,
    NEVER,
    SHORTLY,
    Answer,
    Found,
    Headers,
    held,
    sentence,
    written,
)
from mickle.edge._asking import Asked, Request
from mickle.edge._counts import NOBODY, Counts, Known
from mickle.edge._database import FAILURES, is_pipelined
from mickle.edge._kept import Kept
from mickle.edge._live import Live
from mickle.edge._origins import Askers, Origins, header
from mickle.edge._posting import Posting, refuse
from mickle.edge._prints import Prints
from mickle.edge._queue import Queue
from mickle.edge._threads import Worker
from mickle.edge._watch import Watch
from mickle.lib.buckets import Buckets

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# Longer questions are answered and not remembered: memory stays bounded by bytes, too.
KEPT_QUERY_BYTES = 1_000

_SVG: Headers = [
    (b"content-type", b"image/svg+xml; charset=utf-8"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; sandbox",
    ),
]

log = logging.getLogger(__name__)


class Policy(NamedTuple):
    """What settings say about the edge."""

    pages_origin: str = ""
    button_origin: str = ""
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    proxies: tuple[str, ...] = ()
    requests_a_second: int = 100
    burst: int = 1_000
    nods_a_day: int = 200
    streams_an_address: int = 50


class Edge:
    """Answers what other sites embed; counts are fresh within a second."""

    def __init__(self, policy: Policy = Policy()) -> None:  # noqa: B008 - it cannot change
        self._reader, self._writer = Worker("counts"), Worker("nods")
        self._kept = Kept()
        self._counts = Counts(self._reader, used=self._kept.used, changed=self._heard)
        self._watch = Watch(self._told, lambda: len(self._live) > 0)
        self._live = Live(
            self._counts, an_address=policy.streams_an_address, opened=self._watch.begin
        )
        self._queue = Queue(
            self._writer,
            a_day=policy.nods_a_day,
            changed=self._counts.soon,
            pipelined=is_pipelined(),
        )
        origins = Origins(
            pages=policy.pages_origin, button=policy.button_origin, hosts=policy.hosts
        )
        self._posting = Posting(self._queue, origins)
        self._prints = Prints(origins.pages)
        self._askers = Askers(policy.proxies)
        self._buckets = Buckets(a_second=policy.requests_a_second, burst=policy.burst)
        self._pages = policy.pages_origin
        self._loop: asyncio.AbstractEventLoop | None = None

    @classmethod
    def answers(cls, path: str) -> bool:
        """Whether an address is one of the edge's."""
        return path.startswith(("/b/", "/c/")) or path == "/live"

    def hang_up(self) -> None:
        """Let every live stream end, so that the process can."""
        self._live.close()

    def close(self) -> None:
        """Let go of the database."""
        self._watch.stop()
        self._live.close()
        self._counts.stop()
        self._posting.close()
        self._prints.close()
        self._queue.close()
        self._writer.close()
        self._reader.close()

    def at_once(self, url: bytes, headers: Headers, client: Any) -> Answer | None:
        """The answer kept for an address, while it is fresh and its asker may have more."""
        answer = self._kept.get(url)
        now = _clock.now()
        if answer is None or now >= self._counts.fresh_until:
            return None
        if not self._buckets.take(self._askers.of(client, headers), now):
            return None
        answer.unused = 0
        return answer

    def admits(self, headers: Headers, client: Any, scheme: str) -> bytes | None:
        """The cookies of a click that may be answered at once; None: it goes the long way."""
        found = dict(headers)
        # A header that comes twice is for the long way to judge.
        if len(found) != len(headers):
            return None
        if not self._posting.admits(found, self._askers.scheme(client, headers, scheme)):
            return None
        if not self._buckets.take(self._askers.of(client, headers), _clock.now()):
            return None
        return found.get(b"cookie", b"")

    def click(self, url: bytes, cookie: bytes, body: bytes, end: Callable[[Answer], None]) -> None:
        """Nod, or take one back; `end` is called with the answer."""
        self._posting.at_once(url, cookie, body, end)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        asker = self._askers.of(scope.get("client"), scope["headers"])
        now = _clock.now()
        if not self._buckets.take(asker, now):
            wait = int(self._buckets.wait_s(asker, now)) + 1
            await _send(send, _too_many(scope["path"], wait))
        elif scope["path"] == "/live":
            await self._serve_live(scope, asker, receive, send)
        elif scope["path"].startswith("/c/"):
            await _send(send, await self._posting.answer(scope, receive))
        else:
            await self._get(scope, asker, send)

    async def _get(self, scope: Scope, asker: str, send: Send) -> None:
        method, path, query = scope["method"], scope["path"], scope["query_string"]
        if method not in ("GET", "HEAD"):
            answer = sentence(405, "Only GET and HEAD.", (b"allow", b"GET, HEAD"))
        elif (file := _files.found(path, query, self._pages)) is not None:
            answer = file.to(scope["headers"])
        elif path in Prints.PATHS:
            charge = partial(self._buckets.charge, asker, _clock.now())
            answer = await self._prints.answer(scope, charge)
        elif path not in _FORMS:
            known = ", ".join([*_FORMS, *Prints.PATHS])
            answer = sentence(404, f"Nothing at this address. There are {known}.")
        else:
            answer = await self._answer(path, query, asker)
        modified = not (answer.tag and held(scope["headers"], answer.tag))
        for message in answer.messages(modified=modified, whole=method != "HEAD"):
            await send(message)

    async def _answer(self, path: str, query: bytes, asker: str) -> Answer:
        form, url = _FORMS[path], path.encode() + b"?" + query
        kept = self._kept.get(url)
        if kept is not None and _clock.now() < self._counts.fresh_until:
            kept.unused = 0
            return kept
        short = len(query) <= KEPT_QUERY_BYTES
        read = _asking.read if short else _asking.read_anew
        request = read(query, drawn=form is not _json)
        if request.wrong:
            return sentence(400, request.wrong)
        self._buckets.charge(asker, _clock.now(), len(request.asked) - 1)
        try:
            found = await self._found(request.asked)
        except FAILURES:
            log.exception("counts could not be read")
            return kept or sentence(503, "No counts just now. Try again in a moment.")
        if kept is not None and kept.found == found:
            return kept
        answer = form(request, found, self._pages)
        answer.asked, answer.found = request.asked, found
        if short:
            self._kept.keep(url, answer)
        return answer

    async def _found(self, asked: Sequence[Asked]) -> list[Found]:
        """Thing and count of each; what is no address of a page is not looked up."""
        pages = [one for one in asked if not one.wrong]
        known = dict(zip(pages, await self._counts.of(pages) if pages else (), strict=True))
        return [known.get(one, NOBODY) for one in asked]

    def _heard(self, found: Known, *, whole: bool) -> None:
        """Counts were read: answers made of others are forgotten, pages that listen are told."""
        self._kept.heard(found, whole=whole)
        self._live.heard(found)

    def _told(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._counts.soon)

    async def _serve_live(self, scope: Scope, asker: str, receive: Receive, send: Send) -> None:
        request = _asking.read_live(scope["query_string"])
        if scope["method"] != "GET":
            await _send(send, sentence(405, "Only GET.", (b"allow", b"GET")))
        elif request.wrong:
            await _send(send, sentence(400, request.wrong))
        elif not self._live.has_room(asker, len(request.asked)):
            text = "This address listens to as much as it may. Ask for /b/count instead."
            await _send(send, sentence(429, text, (b"retry-after", b"60")))
        else:
            self._loop = asyncio.get_running_loop()
            last_id = header(scope["headers"], b"last-event-id")
            serving = self._live.serve(request.asked, asker, last_id, receive, send)
            try:
                await serving
            except FAILURES:
                log.exception("counts could not be read")
                await _send(send, sentence(503, "No counts just now. Try again in a moment."))


def _json(request: Request, found: list[Found], _pages: str) -> Answer:
    """One object for one thing, a list for several, in the order asked."""
    rows = [
        ({"id": thing_id, "url": asked.url} if asked.url else {"id": asked.thing_id})
        | {"count": count}
        | ({"error": asked.wrong} if asked.wrong else {})
        for asked, (thing_id, count) in zip(request.asked, found, strict=True)
    ]
    tag = ".".join(f"{row['id'] or 0}-{row['count']}" for row in rows)
    return written(200, rows[0] if len(rows) == 1 else rows, SHORTLY, tag=f'W/"{tag}"')


def _svg(request: Request, found: list[Found], _pages: str) -> Answer:
    """The drawn button."""
    ((_thing, count),) = found
    body = _drawing.button(count, request.size, request.theme, request.language)
    return Answer(200, [*EVERYWHERE, *_SVG, SHORTLY], body, _tag(body))


def _shield(request: Request, found: list[Found], _pages: str) -> Answer:
    """The count for shields.io, which draws it."""
    ((_thing, count),) = found
    shield = _drawing.shield(count, request.language)
    return written(200, shield, SHORTLY, tag=f'W/"{count}"')


def _framed(request: Request, found: list[Found], pages: str) -> Answer:
    """The frame of one thing."""
    ((asked,), ((_thing, count),)) = request.asked, found
    body = _frame.holding(
        count,
        request.size,
        request.theme,
        request.language,
        asked={"url": asked.url} if asked.url else {"id": str(asked.thing_id)},
        title=request.title,
        pages=pages,
    )
    return Answer(200, [*_files.FRAME, SHORTLY], body, _tag(body))


def _tag(body: bytes) -> str:
    """Of all that is shown: the count alone stays what it is when the words around it change."""
    return f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'


_FORMS = {
    "/b/count": _json,
    "/b/count.svg": _svg,
    "/b/frame": _framed,
    "/b/shields.json": _shield,
}


def _too_many(path: str, wait_s: int) -> Answer:
    # The connection ends, too: whoever asks on without a pause has to begin anew each time.
    more = ((b"retry-after", str(wait_s).encode()), (b"connection", b"close"))
    if path.startswith("/c/"):
        return refuse("limit", "", *more)
    return written(429, {"error": "This address asks too often. Wait a little."}, NEVER, *more)


async def _send(send: Send, answer: Answer) -> None:
    for message in answer.messages():
        await send(message)
