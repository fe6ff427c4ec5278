"""The only way out for an address that a stranger named, and what the page there says.

It asks public addresses only, on ports 80 and 443, for a few seconds, a mebibyte and three
redirects, without credentials; the same page once a day, and a host once a second. What a program
of another site is told when a member signs in there goes the same way, encrypted, to that very
address alone. Whatever is refused says why: `Forbidden` stays so, `Unreachable` may be tried again,
and where it is `Unasked` that says nothing about the page.
"""

import json
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import httpcore2

from mickle.lib import _fetch_addresses, _fetch_later, _fetch_robots, _fetch_text, shared_hosts
from mickle.lib._fetch_cache import Answer, Cache, failed
from mickle.lib._fetch_names import Resolvers, checked, txt
from mickle.lib._fetch_said import Failed, Forbidden, Unasked, Unreachable, failure
from mickle.lib._fetch_turns import GAP_S, Rests, Turns
from mickle.lib._fetch_urls import Target, target
from mickle.lib._fetch_wire import STANDARD, Allowed, Budget, Limits, Way, asked, system_tls

__all__ = [
    "Call",
    "Failed",
    "Fetched",
    "Fetcher",
    "Forbidden",
    "Limits",
    "Told",
    "Unasked",
    "Unreachable",
    "failure",
    "txt",
]

_SENDS_ON = (301, 302, 303, 307, 308)
_SWITCHING = 101
_LINKS_CHARACTERS = 10_000
_GOOD = range(200, 300)
_LATER = (408, 425, *range(500, 600))
_REFUSED, _TOO_MANY = 403, 429


class Fetched(NamedTuple):
    """What an address led to. `text` is empty unless the status is 2xx; `cut` says it went on.

    `links` is the header Link.
    """

    url: str
    status: int
    type: str
    text: str
    links: str
    hops: tuple[str, ...]
    fetched_at: datetime
    from_cache: bool
    cut: bool


class Call(NamedTuple):
    """What a program is asked or told: a form, or `json` as a body, and who says it.

    `bearer` is a token; `basic` a name and its password.
    """

    url: str
    method: str = "GET"
    form: Mapping[str, str] | None = None
    json: Mapping[str, str] | None = None
    bearer: str = ""
    basic: tuple[str, str] | None = None

    @property
    def content(self) -> tuple[bytes | None, str]:
        """The body and its type."""
        if self.json is not None:
            return json.dumps(dict(self.json)).encode(), "application/json"
        if self.form is not None:
            return urlencode(self.form).encode(), "application/x-www-form-urlencoded"
        return None, ""

    @property
    def credentials(self) -> str:
        """What stands in the header Authorization; empty for nobody's."""
        if self.basic is not None:
            return "Basic " + b64encode(":".join(self.basic).encode()).decode()
        return f"Bearer {self.bearer}" if self.bearer else ""


class Told(NamedTuple):
    """What a program answered, in JSON as a rule."""

    status: int
    text: str


class Fetcher:
    """Reads pages. `folder` is shared by all processes of an instance.

    `agent` is the User-Agent, with the address of a page that explains it. `resolvers` are asked
    where hosts are, without them the system's. Behind a `proxy` (http://host:port) the proxy finds
    hosts, and only addresses given as numbers can be looked at here.
    """

    def __init__(
        self,
        *,
        folder: Path,
        agent: str,
        proxy: str = "",
        resolvers: Resolvers = (),
        allowed: Allowed = _fetch_addresses.allowed,
        limits: Limits = STANDARD,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        # A header is ASCII, and an address may be written in any letters.
        self._agent, self._limits = agent.encode("ascii", "replace").decode(), limits
        self._way = Way(checked(resolvers), allowed, proxy, tls or system_tls())
        self._clock = clock
        self._turns = Turns(folder / "turns", clock=clock, sleep=sleep)
        self._cache = Cache(folder / "pages")

    def get(
        self, url: str, *, at: datetime, fresh_after: datetime | None = None, crawl: bool = False
    ) -> Fetched:
        """What the address leads to, from the last day's answers where there is one.

        `fresh_after` asks for an answer that is not older. `crawl` says that nobody asked for this
        very page, so that robots.txt decides. Raises Forbidden or Unreachable.
        """
        there = target(url)
        budget = Budget(self._limits)
        hops: list[str] = []
        cached = True
        for _hop in range(self._limits.redirects + 1):
            if crawl:
                self._check_robots(there, at)
            hops.append(there.url)
            answer, kept = self._answer(there, budget, at, fresh_after)
            cached = cached and kept
            if not answer.location:
                found = (answer.status, answer.type, answer.text, answer.links)
                return Fetched(
                    there.url, *found, tuple(hops), answer.fetched_at, cached, answer.cut
                )
            there = target(answer.location, there.url)
        raise failure("redirects", host=there.host)

    def _answer(
        self, there: Target, budget: Budget, at: datetime, fresh_after: datetime | None
    ) -> tuple[Answer, bool]:
        """What one address answers, and whether it did so before; raises a failure also again."""
        host = there.host
        if (kept := self._cache.find(there.url, at=at, fresh_after=fresh_after)) is not None:
            return kept.or_raise(), True
        # Longer than another takes for it, so that who waits finds what came of it.
        patience_s = self._limits.patience_s + self._limits.seconds + 1
        with self._turns.alone(there.url, host=host, patience_s=patience_s):
            # Whoever was here first has asked.
            if (kept := self._cache.find(there.url, at=at, fresh_after=fresh_after)) is not None:
                return kept.or_raise(), True
            try:
                with self._turn(there) as rests:
                    answer = self._ask(there, budget, at, rests)
            except Failed as error:
                answer = failed(error, at)
            if answer.keep_s:
                self._cache.keep(there.url, answer)
        if self._cache.is_due:
            self._cache.prune()
            self._turns.prune()
        return answer.or_raise(), False

    def _ask(self, there: Target, budget: Budget, at: datetime, rests: Rests) -> Answer:
        headers = [
            ("User-Agent", self._agent),
            ("Accept", _fetch_text.ACCEPT),
            ("Accept-Encoding", _fetch_text.ACCEPT_ENCODING),
        ]
        with asked(there, way=self._way, budget=budget, headers=headers) as came:
            if came.status == _SWITCHING:
                raise failure("broken", host=there.host)
            rests(self._later(came))
            _check_trouble(came, there)
            location = _header(came, b"location") if came.status in _SENDS_ON else ""
            if location or came.status not in _GOOD:
                return Answer(at.timestamp(), came.status, location=location)
            return _read(came, there, budget, at)

    def _turn(self, there: Target, gap_s: float = GAP_S) -> AbstractContextManager[Rests]:
        speaker = shared_hosts.speaker(there.host, there.path.partition("?")[0])
        patience_s = self._limits.patience_s
        return self._turns.at_host(there.host, speaker=speaker, patience_s=patience_s, gap_s=gap_s)

    def _later(self, came: httpcore2.Response) -> float:
        """For how many seconds the host asks to be left alone."""
        limited, now = _is_limit(came), self._clock()
        if not limited and came.status not in _fetch_later.SAYS_WHEN:
            return 0.0
        said, date = _header(came, b"retry-after"), _header(came, b"date")
        wait_s = _fetch_later.seconds(said, date=date, now=now)
        if limited and not wait_s:
            return _fetch_later.until(_header(came, b"x-ratelimit-reset"), now=now)
        return wait_s

    def call(self, call: Call) -> Told:
        """What a program answers to a call that a member waits for; never kept, never sent on.

        Raises Forbidden or Unreachable; their sentences hold nothing of what was said.
        """
        there = target(call.url)
        if there.scheme != "https":
            raise failure("plain", host=there.host)
        budget = Budget(self._limits)
        content, kind = call.content
        headers = [("User-Agent", self._agent), ("Accept", "application/json")]
        if content is not None:
            headers += [("Content-Type", kind), ("Content-Length", str(len(content)))]
        if call.credentials:
            headers.append(("Authorization", call.credentials))
        with (
            self._turn(there, gap_s=0) as rests,
            asked(
                there,
                way=self._way,
                budget=budget,
                headers=headers,
                method=call.method,
                content=content,
            ) as came,
        ):
            rests(self._later(came))
            return _told(came, there, budget)

    def _check_robots(self, there: Target, at: datetime) -> None:
        """Raise Forbidden where the site asks programs to stay away."""
        try:
            text = self.get(f"{there.scheme}://{there.authority}/robots.txt", at=at).text
        except Forbidden:
            # A site without a file that can be read asks for nothing.
            return
        if not _fetch_robots.may_crawl(text, there.url, self._agent):
            raise failure("robots", host=there.host)


def _check_trouble(came: httpcore2.Response, there: Target) -> None:
    """Raise what an answer says of the host and not of the page."""
    if _is_limit(came):
        raise failure("limit", host=there.host)
    if came.status in _LATER:
        raise failure("server", host=there.host, status=str(came.status))


def _is_limit(came: httpcore2.Response) -> bool:
    """Whether we asked too often; GitHub says so by a status of refusal and a count."""
    if came.status == _REFUSED:
        return _header(came, b"x-ratelimit-remaining") == "0"
    return bool(came.status == _TOO_MANY)


def _read(came: httpcore2.Response, there: Target, budget: Budget, at: datetime) -> Answer:
    header = _header(came, b"content-type")
    kind = _fetch_text.checked_type(header, there.host)
    encoding = _header(came, b"content-encoding")
    body, cut = _fetch_text.unpacked(came.iter_stream(), encoding, budget.text_bytes, there.host)
    text = _fetch_text.decoded(body, _fetch_text.charset_in(header))
    links = _header(came, b"link")[:_LINKS_CHARACTERS]
    return Answer(at.timestamp(), came.status, kind, text, links, cut=cut)


def _told(came: httpcore2.Response, there: Target, budget: Budget) -> Told:
    """An answer of a program, whole or not at all."""
    if came.status in _SENDS_ON:
        raise failure("moved", host=there.host)
    if came.status == _SWITCHING:
        raise failure("broken", host=there.host)
    _check_trouble(came, there)
    encoding = _header(came, b"content-encoding")
    body, cut = _fetch_text.unpacked(came.iter_stream(), encoding, budget.text_bytes, there.host)
    if cut:
        raise failure("large", host=there.host)
    return Told(came.status, body.decode("utf-8", "replace"))


def _header(came: httpcore2.Response, name: bytes) -> str:
    """The values of a header; some send letters beyond ASCII, mostly as UTF-8."""
    found = (value for key, value in came.headers if key.lower() == name)
    return ", ".join(value.decode("utf-8", "replace").strip() for value in found)
