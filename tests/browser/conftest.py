"""A real Chromium, a real `mickle run` on its own data, and a page on another host."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Frame, Page, Playwright, sync_playwright

from tests.migrated import begin_with_tables
from tests.once import made_once

MICKLE = Path(sys.executable).with_name("mickle")
CHROMIUM = "/usr/bin/chromium"
HEADLESS_SHELL = "/usr/bin/chromium-headless-shell"
_SPARING = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    # Root may not use the sandbox; elsewhere it stays on.
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]
FLAGS = ["--headless=new", *_SPARING]


def free_port() -> int:
    """A port nobody listens on."""
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


_DEMO: list[Callable[[], Path]] = []


def until(where: Page | Frame, expression: str, seconds: float = 10) -> None:
    """Wait until it holds. Playwright's own wait calls eval in the page, which a CSP forbids."""
    page = where if isinstance(where, Page) else where.page
    late = time.monotonic() + seconds
    while not where.evaluate(expression):
        assert time.monotonic() < late, f"still not so after {seconds} s: {expression}"
        page.wait_for_timeout(20)


def _settings() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "MICKLE_DATA")}


def _fill(folder: Path) -> None:
    begin_with_tables(folder / "data")
    with (folder / "said.txt").open("w") as said:
        words = [MICKLE, "demo", "--data", folder / "data"]
        subprocess.run(words, env=_settings(), stdout=said, check=True)


@pytest.fixture(scope="session", autouse=True)
def _demo(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Filling one takes seconds, so it is done once in a run."""
    _DEMO[:] = [lambda: made_once(tmp_path_factory, "demo", _fill)]


def _filled(data: Path) -> str:
    """Make the data a copy of the demo; what filling it said."""
    folder = _DEMO[0]()
    shutil.copytree(folder / "data", data)
    return (folder / "said.txt").read_text()


class Running:
    """A `mickle run` of its own, on SQLite or the database named; `said` is what it printed."""

    def __init__(self, data: Path, *more: str, database: str = "") -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data.with_suffix(".log")
        self.before = _filled(data) if "--demo" in more else ""
        begin_with_tables(data)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [MICKLE, "run", "--data", data, "--port", str(self.port), *more],
                stdout=log,
                stderr=log,
                env=_settings() | ({"DATABASE_URL": database} if database else {}),
            )
        self._wait()

    def _wait(self) -> None:
        """Wait until it can be reached, and has said where: its port is there a moment before."""
        for _attempt in range(900):
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                if "http://127.0.0.1" in self.log.read_text():
                    return
            assert self.process.poll() is None, self.said
            time.sleep(0.1)
        raise AssertionError(self.said)

    @property
    def said(self) -> str:
        """Everything it has printed so far."""
        return self.before + self.log.read_text()

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        self.process.terminate()
        self.process.wait(timeout=60)


class Blog:
    """Pages on another host, each with the plain link of a button."""

    def __init__(self, mickle_url: str) -> None:
        blog = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = blog.page(self.path).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_words: object) -> None:
                """Print nothing."""

        self.mickle_url = mickle_url
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.url = f"http://blog.localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def address(self, number: int) -> str:
        """The address of the n-th essay, as its reader sees it."""
        return f"{self.url}/essay-{number}"

    def page(self, path: str) -> str:
        """An essay with a button: a link and a live count, no script."""
        there = quote(self.url + path, safe="")
        return (
            f'<!doctype html><html lang="en"><title>Essay {path}</title><h1>Essay {path}</h1>'
            f'<a href="{self.mickle_url}/nod?url={there}" rel="payment nofollow" target="_blank">'
            f'<img src="{self.mickle_url}/b/count.svg?url={there}" alt="Nod at this"></a>'
        )

    def stop(self) -> None:
        """Close the host."""
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """What drives them; its loop keeps tests elsewhere from their own."""
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium, whole: for what cookies, pop-ups, frames and profiles come to."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def shell(playwright: Playwright) -> Iterator[Browser]:
    """The same engine without a window around it: for how pages look, at a third of the cost."""
    browser = playwright.chromium.launch(executable_path=HEADLESS_SHELL, args=_SPARING)
    yield browser
    browser.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """A fresh instance."""
    server = Running(tmp_path / "data")
    yield server
    server.stop()


@pytest.fixture
def blog(running: Running) -> Iterator[Blog]:
    """Another host with essays."""
    host = Blog(running.url)
    yield host
    host.stop()
