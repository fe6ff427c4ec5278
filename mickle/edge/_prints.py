"""Answers with codes and posters: drawn off the event loop, one at a time, the newest kept."""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mickle.edge import _asking, _printing
from mickle.edge._answers import EVERYWHERE, Answer, Headers, sentence
from mickle.edge._asking import Asked
from mickle.edge._database import FAILURES, Database
from mickle.edge._threads import Worker
from mickle.lib import urls
from mickle.lib.errors import Refused

KEPT_AT_MOST = 256
FRESH_S = 60
# Each takes up to a tenth of a second of one core; who comes later is told to come again.
WAITING_AT_MOST = 32
# What drawing one costs its asker, of the tokens of which a count takes one: others wait for the
# core meanwhile, whichever thread draws.
TOKENS = {"/b/qr.svg": 25, "/b/qr.pdf": 50}

_SVG: Headers = [
    (b"content-type", b"image/svg+xml; charset=utf-8"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
]
# In a sandbox browsers would not open their own reader.
_PDF: Headers = [
    (b"content-type", b"application/pdf"),
    (b"content-disposition", b'inline; filename="nod.pdf"'),
]
_MINUTE = (b"cache-control", b"public, max-age=60, stale-while-revalidate=3600")

_SELECT = """
SELECT COALESCE(m.url, t.url), COALESCE(m.title, t.title), COALESCE(m.host, t.host)
FROM things_thing t
LEFT JOIN things_thing m ON m.id = t.merged_into_id
WHERE t.{column} = %(asked)s AND COALESCE(m.state, t.state) = 'ACTIVE'
"""
_BY_ID = _SELECT.replace("{column}", "id")
_BY_IDENTITY = _SELECT.replace("{column}", "identity")

Scope = Mapping[str, Any]
log = logging.getLogger(__name__)


class _Key(NamedTuple):
    """All that an answer depends on."""

    path: str
    asked: Asked
    language: str
    origin: str


class _Thing(NamedTuple):
    url: str
    title: str
    host: str


class Prints:
    """Answers /b/qr.svg and /b/qr.pdf in a thread of its own."""

    PATHS = tuple(TOKENS)

    def __init__(self, pages: Callable[[Scope], str]) -> None:
        """`pages` says where the pages are for who asks; empty when asked under a false name."""
        self._pages, self._worker = pages, Worker("prints")
        self._kept: dict[_Key, tuple[float, Answer]] = {}
        self._waiting = 0

    async def answer(self, scope: Scope, charge: Callable[[float], None]) -> Answer:
        """The answer to a request for one of the paths; who has one drawn is charged for it."""
        request = _asking.read_anew(scope["query_string"], drawn=True)
        if request.wrong:
            return sentence(400, request.wrong)
        (asked,) = request.asked
        key = _Key(scope["path"], asked, request.language, self._pages(scope))
        if not key.origin:
            return sentence(400, "This host name is not one of this instance.")
        if (kept := self._fresh(key)) is not None:
            return kept
        if self._waiting >= WAITING_AT_MOST:
            return sentence(503, "Too many codes are being drawn. Try again in a moment.")
        charge(TOKENS[key.path])
        self._waiting += 1
        try:
            return await self._worker.run(self._draw, key)
        except FAILURES:
            log.exception("a page could not be looked up")
            return sentence(503, "No codes just now. Try again in a moment.")
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Let go of the database."""
        self._worker.close()

    def _fresh(self, key: _Key) -> Answer | None:
        until, answer = self._kept.get(key, (0.0, None))
        return answer if until > time.monotonic() else None

    def _draw(self, database: Database, key: _Key) -> Answer:
        # Somebody before in the queue may have asked the same.
        if (kept := self._fresh(key)) is not None:
            return kept
        answer = _print(database, key)
        self._kept.pop(key, None)
        self._kept[key] = (time.monotonic() + FRESH_S, answer)
        if len(self._kept) > KEPT_AT_MOST:
            del self._kept[next(iter(self._kept))]
        return answer


def _print(database: Database, key: _Key) -> Answer:
    asked, language = key.asked, key.language
    thing = _found(database, asked)
    if thing is None:
        return sentence(404, f"There is no page number {asked.thing_id} that takes nods.")
    link = _printing.nod_link(key.origin, thing.url)
    try:
        if key.path.endswith(".svg"):
            headers, body = _SVG, _printing.qr_svg(link, language)
        else:
            headers, body = _PDF, _printing.poster_pdf(link, thing.title, thing.host, language)
    except Refused as refused:
        return sentence(400, str(refused))
    tag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    return Answer(200, [*EVERYWHERE, *headers, _MINUTE], body, tag)


def _found(database: Database, asked: Asked) -> _Thing | None:
    """What is asked for as it is known here; an address nobody knows stands for itself."""
    if asked.thing_id is not None:
        rows = database.query(_BY_ID, {"asked": asked.thing_id})
        return _Thing(*rows[0]) if rows else None
    rows = database.query(_BY_IDENTITY, {"asked": asked.identity})
    if rows:
        return _Thing(*rows[0])
    known = urls.identify(asked.url)
    return _Thing(known.url, "", known.host)
