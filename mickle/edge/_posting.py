"""What a button posts under /c/: a nod, its taking back, the exchange of a code for a pass."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

from django.db import Error as DjangoError

from mickle.edge import _door
from mickle.edge._answers import NEVER, Answer, shortly, written
from mickle.edge._asking import ID_LIMIT
from mickle.edge._database import FAILURES
from mickle.edge._judging import Ask, Verdict
from mickle.edge._origins import Origins, header
from mickle.edge._queue import Full, Queue
from mickle.lib import months, urls
from mickle.lib.errors import Refused
from mickle.nods import evidence
from mickle.nods.evidence import Evidence
from mickle.passes.write import KEPT_FOR, hashed

BODY_LIMIT_BYTES = 8_192
BODY_TIME_S = 10
# All sites under one domain share the cookies of a frame; more than one belong to others of them.
PASSES_AT_MOST = 8
KEY_CHARACTERS = 64
SECRET_CHARACTERS = 100
COOKIE = "__Secure-nod-"
_PROBE = "__Secure-nodprobe"
_KEPT = "Path=/c; Secure; HttpOnly; SameSite=None; Partitioned"
_KEPT_LONG = f"Max-Age={int(KEPT_FOR.total_seconds())}; {_KEPT}"
_RARE_THREADS, _RARE_WAITING = 2, 32

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
log = logging.getLogger(__name__)

_READ = json.JSONDecoder().raw_decode
_WHY = {
    "no-pass": (401, "This browser has no pass for nods here. Nothing was recorded."),
    "other-site": (403, "This pass is for another site. Nothing was recorded."),
    "origin": (403, "This did not come from a button of ours. Nothing was recorded."),
    "own": (409, "This is yours, so you cannot nod at it. Nothing was recorded."),
    "refused": (409, "Its maker does not want nods, or it was taken down. Nothing was recorded."),
    "leaving": (409, "This account is being closed. Nothing was recorded."),
    "unknown": (404, "Nobody has nodded at this page yet. Nothing was changed."),
    "no-nod": (409, "There is no nod of this month to take back. Nothing was changed."),
    "limit": (429, "These are many nods in a short time. Nothing was recorded; try again later."),
    "bad": (400, "This cannot be understood. Nothing was recorded."),
    "later": (503, "Too much is going on. Nothing was recorded; try again in a moment."),
}


class _Bad(Exception):
    """The request is not of the form it has to have; its text is the reason's name."""


class _Posted(NamedTuple):
    """A request that came from a button of ours."""

    content: dict[str, Any]
    cookies: dict[str, str]


class _Wish(NamedTuple):
    """What is asked of the writer; `held` are the passes among the cookies, by their hash."""

    ask: Ask
    url: str
    held: Mapping[str, tuple[str, str]]


def refuse(reason: str, sentence: str = "", *more: tuple[bytes, bytes]) -> Answer:
    """A refusal with its reason for programs and its sentence for people."""
    status, text = _WHY[reason]
    said = {"error": sentence or text, "reason": reason}
    return written(status, said, NEVER, *more, public=False)


class Posting:
    """Answers POST under /c/; every answer is for the button's own origin alone."""

    def __init__(self, queue: Queue, origins: Origins) -> None:
        self._queue, self._origins = queue, origins
        self._waiting = 0
        self._rare = ThreadPoolExecutor(_RARE_THREADS, thread_name_prefix="rare")
        self._tasks: set[asyncio.Future[Answer]] = set()
        self._deeds = {
            "/c/nod": self._nod,
            "/c/take-back": self._nod,
            "/c/probe": self._probe,
            "/c/exchange": self._exchange,
        }

    def close(self) -> None:
        """End the threads for what is rare."""
        self._rare.shutdown()

    async def answer(self, scope: Mapping[str, Any], receive: Receive) -> Answer:
        """The answer to one request."""
        if scope["path"] not in self._deeds:
            return written(404, {"error": "Nothing at this address."}, NEVER, public=False)
        if scope["method"] != "POST":
            allow = (b"allow", b"POST")
            return written(405, {"error": "Only POST."}, NEVER, allow, public=False)
        return await self._guarded(self._done(scope, receive))

    async def _guarded(self, answering: Awaitable[Answer]) -> Answer:
        try:
            return await answering
        except (_Bad, Refused, TimeoutError, Full) as error:
            return _refused(error)
        except (*FAILURES, DjangoError):
            log.exception("a nod could not be written")
            return refuse("later")

    def admits(self, headers: Mapping[bytes, bytes], scheme: str) -> bool:
        """Whether a request comes from a button of ours beyond doubt, by each header once."""
        length = headers.get(b"content-length", b"")
        origin = self._origins.button_at(scheme, headers.get(b"host", b""))
        return (
            origin != ""
            and headers.get(b"origin") == origin.encode()
            and headers.get(b"sec-fetch-site", b"same-origin") == b"same-origin"
            and headers.get(b"content-type") == b"application/json"
            and length.isdigit()
            and len(length) <= len(str(BODY_LIMIT_BYTES))
            and int(length) <= BODY_LIMIT_BYTES
        )

    async def _done(self, scope: Mapping[str, Any], receive: Receive) -> Answer:
        self._check(scope)
        async with asyncio.timeout(BODY_TIME_S):
            content = await _content(receive)
        path = scope["path"]
        return await self._deeds[path](path, _Posted(content, _cookies(scope)))

    def _check(self, scope: Mapping[str, Any]) -> None:
        """Only a page of the button's own origin posts here, and only JSON."""
        headers = scope["headers"]
        origin = self._origins.button(scope)
        if not origin or header(headers, b"origin") != origin:
            raise _Bad("origin")
        if header(headers, b"sec-fetch-site") not in ("", "same-origin"):
            raise _Bad("origin")
        kind = header(headers, b"content-type").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise _Bad("bad")

    async def _nod(self, path: str, posted: _Posted) -> Answer:
        wish = _read_wish(posted, take_back=path == "/c/take-back")
        if not wish.ask.secrets:
            return refuse("no-pass")
        return await self._decided(wish, await self._queue.verdict(wish.ask))

    async def _decided(self, wish: _Wish, verdict: Verdict) -> Answer:
        """The answer to a verdict; a page that nobody knew is made and asked for once more."""
        ask, url, held = wish
        if verdict.reason == "unknown":
            made = url and not ask.take_back
            if made and not await self._rarely(_door.make_thing, url, ask.secrets):
                verdict = Verdict("other-site")
            elif made:
                verdict = await self._queue.verdict(ask)
        if verdict.reason:
            return refuse(verdict.reason)
        return written(200, _said(ask, verdict), NEVER, *_kept_on(held, verdict), public=False)

    def at_once(
        self, path: bytes, cookie: bytes, body: bytes, end: Callable[[Answer], None]
    ) -> None:
        """Nod without a task of its own, for whom `admits` let in; `end` hears the answer."""
        try:
            posted = _Posted(_parsed(body), _read_cookies(cookie))
            wish = _read_wish(posted, take_back=path == b"/c/take-back")
            if wish.ask.secrets:
                self._queue.put(wish.ask, partial(self._end, wish, end))
            else:
                end(refuse("no-pass"))
        except (_Bad, Refused, Full) as error:
            end(_refused(error))

    def _end(
        self, wish: _Wish, end: Callable[[Answer], None], verdict: Verdict | Exception
    ) -> None:
        if isinstance(verdict, Exception) or verdict.reason == "unknown":
            # What is rare may take a task.
            task = asyncio.ensure_future(self._guarded(self._awaited(wish, verdict)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda done: end(done.result()))
        elif verdict.reason:
            end(refuse(verdict.reason))
        else:
            end(shortly(_said_in_text(wish.ask, verdict), _kept_on(wish.held, verdict)))

    async def _awaited(self, wish: _Wish, verdict: Verdict | Exception) -> Answer:
        if isinstance(verdict, Exception):
            raise verdict
        return await self._decided(wish, verdict)

    async def _rarely(self, deed: Callable[..., Any], *given: object) -> Any:
        if self._waiting >= _RARE_WAITING:
            raise Full
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._rare, deed, *given)
        finally:
            self._waiting -= 1

    async def _probe(self, _path: str, posted: _Posted) -> Answer:
        """Whether this browser keeps a partitioned cookie; the second question has the answer."""
        kept = _PROBE in posted.cookies
        cookie = f"{_PROBE}=1; Max-Age={0 if kept else 60}; {_KEPT}"
        set_cookie = (b"set-cookie", cookie.encode())
        return written(200, {"kept": kept}, NEVER, set_cookie, public=False)

    async def _exchange(self, _path: str, posted: _Posted) -> Answer:
        code, nonce = (_text(posted.content, name, SECRET_CHARACTERS) for name in ("code", "nonce"))
        keep = posted.content.get("keep", "cookie")
        if keep not in ("cookie", "token"):
            raise _Bad("bad")
        got = await self._rarely(_door.exchange, code, nonce)
        if keep == "token":
            return written(200, {"site": got.site, "token": got.token}, NEVER, public=False)
        kept = _set(_cookie_of(got.site), got.token)
        return written(200, {"site": got.site}, NEVER, kept, public=False)


def _cookie_of(site: str) -> str:
    """The cookie of a site's pass: one for each, so that two sites under one roof keep one each."""
    return COOKIE + hashlib.sha256(site.encode()).hexdigest()[:8]


def _set(name: str, token: str) -> tuple[bytes, bytes]:
    """The cookie that keeps a pass, for as long as an unused pass lives."""
    return b"set-cookie", f"{name}={token}; {_KEPT_LONG}".encode()


def _kept_on(held: Mapping[str, tuple[str, str]], verdict: Verdict) -> list[tuple[bytes, bytes]]:
    """The pass that was used lives on in the browser as it does here."""
    used = held.get(verdict.secret)
    return [] if used is None else [_set(*used)]


def _refused(error: Exception) -> Answer:
    if isinstance(error, _Bad):
        return refuse(str(error))
    if isinstance(error, Full):
        return refuse("later")
    if isinstance(error, TimeoutError):
        return refuse("bad", "The request took too long to arrive. Nothing was recorded.")
    return refuse("bad", str(error))


def _said(ask: Ask, verdict: Verdict) -> dict[str, object]:
    """What is said of a nod, or of one taken back."""
    return {
        "nodded": not ask.take_back,
        "new": verdict.new,
        "month": months.text(verdict.month),
        "id": verdict.thing_id,
        "count": verdict.total,
    }


def _said_in_text(ask: Ask, verdict: Verdict) -> str:
    # As `_said` in JSON; written by hand, which takes a fifth of the time.
    month = months.text(verdict.month)
    nodded, new = ("false" if ask.take_back else "true"), ("true" if verdict.new else "false")
    return (
        f'{{"nodded": {nodded}, "new": {new}, "month": "{month}", '
        f'"id": {verdict.thing_id}, "count": {verdict.total}}}'
    )


async def _content(receive: Receive) -> dict[str, Any]:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise _Bad("bad")
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT_BYTES:
            raise _Bad("bad")
        more = message.get("more_body", False)
    return _parsed(bytes(body))


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        text = body.decode()
        # What a button of ours writes has nothing round it, and is read in a third of the time.
        content, end = _READ(text) if text.startswith("{") else (None, -1)
        if end != len(text):
            content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _Bad("bad") from error
    if not isinstance(content, dict):
        raise _Bad("bad")
    return content


def _cookies(scope: Mapping[str, Any]) -> dict[str, str]:
    return _read_cookies(b";".join(text for name, text in scope["headers"] if name == b"cookie"))


def _read_cookies(value: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in value.decode("latin-1").split(";"):
        key, _is, text = one.strip().partition("=")
        found[key] = text
    return found


def _text(content: Mapping[str, Any], name: str, at_most: int) -> str:
    value = content.get(name, "")
    if not isinstance(value, str) or len(value) > at_most or not value.isascii():
        raise _Bad("bad")
    # A letter no database keeps would fail the whole batch.
    if not value.isprintable():
        raise _Bad("bad")
    return value


def _read_wish(posted: _Posted, *, take_back: bool) -> _Wish:
    content = posted.content
    thing_id, url = content.get("id"), content.get("url", "")
    if "id" in content:
        if type(thing_id) is not int or not 0 < thing_id < ID_LIMIT or url:
            raise _Bad("bad")
        identity = own = ""
    elif isinstance(url, str) and url:
        known = urls.identify(url)
        identity, own = known.identity, _cookie_of(known.host)
    else:
        raise _Bad("bad")
    token = _text(content, "pass", SECRET_CHARACTERS)
    passes = [one for one in posted.cookies.items() if one[0].startswith(COOKIE)]
    # That of the page's own site before those of its neighbours.
    passes.sort(key=lambda one: one[0] != own)
    held = {
        hashed(one[1]): one for one in passes[:PASSES_AT_MOST] if len(one[1]) <= SECRET_CHARACTERS
    }
    ask = Ask(
        (hashed(token),) if token else tuple(held),
        thing_id,
        identity,
        key=_text(content, "key", KEY_CHARACTERS),
        evidence=0 if take_back else _evidence(content.get("evidence")),
        take_back=take_back,
    )
    return _Wish(ask, url, held)


def _evidence(told: object) -> int:
    """What the button saw; what is not of its form counts as not told."""
    if not isinstance(told, dict):
        return 0
    visible, dwell = told.get("visible"), told.get("dwell_ms", 0)
    return evidence.packed(
        Evidence(
            trusted=told.get("trusted") is True,
            visible=visible if isinstance(visible, bool) else None,
            dwell_ms=dwell if type(dwell) is int else 0,
        )
    )
