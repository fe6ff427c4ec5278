"""Host pages on other origins: a test writes each page and any headers, and sees every request."""

import http.client
import json
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, urlsplit

from playwright.sync_api import Browser, BrowserContext

HTML = "text/html; charset=utf-8"
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "server", "date"}


@dataclass(frozen=True)
class Answer:
    """What stands at an address."""

    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str = HTML
    status: int = 200


@dataclass(frozen=True)
class Asked:
    """One request as it came over the wire; header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Host:
    """A site; browsers find every name under localhost on this machine.

    `put` places a page and says its address; `asked` holds each request. With `behind` it is a
    proxy that hands on what it has no page for: so a test sees what a browser sends to Mickle.
    """

    def __init__(self, name: str = "blog.localhost", behind: str = "") -> None:
        self.pages: dict[str, Answer] = {}
        self.asked: list[Asked] = []
        self.told: list[tuple[str, str]] = []
        self.behind = urlsplit(behind).netloc
        self.server = _Server(("127.0.0.1", 0), _Page)
        self.server.host = self
        self.url = f"http://{name}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, path: str, body: str, kind: str = HTML, status: int = 200, **named: str) -> str:
        """Place a page; `content_security_policy="..."` is a header. Says its address."""
        headers = {name.replace("_", "-"): value for name, value in named.items()}
        self.pages[path] = Answer(body, headers, kind, status)
        return self.url + path

    def count(self, path: str) -> int:
        """How often an address was asked for, whatever its query."""
        return sum(urlsplit(one.path).path == path for one in self.asked)

    def stop(self) -> None:
        """Close it."""
        self.server.shutdown()
        self.server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    host: Host


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        named = {name.lower(): value for name, value in self.headers.items()}
        self.server.host.asked.append(Asked(self.command, self.path, named, body))
        found = self.server.host.pages.get(urlsplit(self.path).path)
        if found is None and self.server.host.behind:
            self._hand_on(body)
        else:
            self._answer(found or Answer("", status=404))

    def do_POST(self) -> None:
        self.do_GET()

    def _answer(self, found: Answer) -> None:
        self.send_response(found.status)
        for name, value in {"Content-Type": found.kind, **found.headers}.items():
            self.send_header(name, value)
        with suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(found.body.encode())

    def _hand_on(self, body: bytes) -> None:
        there = http.client.HTTPConnection(self.server.host.behind, timeout=60)
        # A browser that goes away in the middle is no error of the test.
        with closing(there), suppress(ConnectionError):
            there.request(self.command, self.path, body or None, dict(self.headers.items()))
            answer = there.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                self.server.host.told.append((name.lower(), self.path))
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, value)
            self.end_headers()
            while part := answer.read1(65_536):
                self.wfile.write(part)

    def log_message(self, *_words: object) -> None:
        """Print nothing."""


def page(body: str, *, head: str = "", language: str = "en") -> str:
    """A page of somebody's site, with a word before the button and one behind it."""
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>Essay</title>{head}'
        f"<h1>Essay</h1><p>Before</p>{body}<p>Behind</p></html>"
    )


def script(mickle: str, **attributes: str) -> str:
    """The tag that loads the button's script; `defer=""` instead of async, `nonce="..."`."""
    named = attributes or {"async": ""}
    more = "".join(f' {name}="{value}"' if value else f" {name}" for name, value in named.items())
    return f'<script{more} src="{mickle}/b/b.js"></script>'


def link(mickle: str, url: str, inside: str = "Nod at this") -> str:
    """The plain link of a snippet."""
    return (
        f'<a href="{mickle}/nod?url={quote(url, safe="")}" rel="payment nofollow"'
        f' target="_blank">{inside}</a>'
    )


def image(mickle: str, url: str, size: str = "wide") -> str:
    """The picture with the count, as it stands inside the link of a snippet."""
    width, height = {"wide": (160, 36), "compact": (110, 20), "tall": (55, 62)}[size]
    return (
        f'<img src="{mickle}/b/count.svg?url={quote(url, safe="")}&amp;size={size}"'
        f' width="{width}" height="{height}" alt="Nod">'
    )


def third_party_cookies_allowed(
    chromium: Browser, folder: Path, executable: str, flags: list[str]
) -> BrowserContext:
    """A Chromium whose owner allows them; by itself Debian's keeps only partitioned cookies.

    Playwright starts it without storage apart for each site, so that it refuses frames of other
    sites their storage where they are blocked; `drivers.Chromium` is as people have it.
    """
    profile = {"cookie_controls_mode": 0, "block_third_party_cookies": False}
    (folder / "Default").mkdir(parents=True)
    (folder / "Default" / "Preferences").write_text(json.dumps({"profile": profile}))
    return chromium.browser_type.launch_persistent_context(
        folder, executable_path=executable, args=flags
    )
