"""The button on pages that go on changing, in Chromium's engine."""

from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.browser.conftest import Running
from tests.browser.hosts import Host, page, script

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Open = Callable[[str], Page]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = Running(tmp_path_factory.mktemp("changing") / "data")
    yield server
    server.stop()


@pytest.fixture
def mickle(plain: Running) -> Iterator[Host]:
    """Mickle behind a proxy that sees what the browser sends."""
    wire = Host("127.0.0.1", behind=plain.url)
    yield wire
    wire.stop()


@pytest.fixture
def opened(shell: Browser, mickle: Host) -> Iterator[Open]:
    """Opens a page of another host with this body; its clock stands where a test sets it."""
    host, context = Host(), shell.new_context()
    context.set_default_timeout(10_000)

    def go(body: str) -> Page:
        found = context.new_page()
        found.clock.install()
        found.goto(host.put("/essay", page(script(mickle.url) + body)))
        return found

    yield go
    context.close()
    host.stop()


def inner(where: Page, nth: int) -> FrameLocator:
    return where.locator("mickle-button iframe").nth(nth).content_frame


def test_live_buttons_beyond_a_hundred_are_asked_for_as_others_are(mickle, opened):
    everywhere = {"access_control_allow_origin": "*"}
    nothing = "retry: 600000\nevent: count\ndata: {}\n\n"
    mickle.put("/live", nothing, kind="text/event-stream", **everywhere)
    urls = [f"https://essay.example/{n}" for n in range(103)]
    shown = opened("".join(f'<mickle-button live url="{url}"></mickle-button>' for url in urls))
    shown.locator("mickle-button").last.scroll_into_view_if_needed()
    expect(inner(shown, 102).locator("button")).to_have_attribute("aria-label", "Nod, 0 nods")
    shown.wait_for_timeout(300)
    begun = len(mickle.asked)
    shown.clock.run_for(61_000)
    shown.wait_for_timeout(500)
    asked = [one.path for one in mickle.asked[begun:] if one.path.startswith("/b/count")]
    named = [url for path in asked for _name, url in parse_qsl(urlsplit(path).query)]
    assert set(named) == set(urls[100:])
