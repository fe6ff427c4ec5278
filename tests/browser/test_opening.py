"""What a press opens, in a whole Chromium and a Firefox."""

import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Running
from tests.browser.drivers import HALF_A_SECOND_S, Chromium, Driver, Place, firefox, until
from tests.browser.hosts import Host, page, script
from tests.browser.visiting import PRESSED, Case, Visit, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PEOPLE = {"Chromium": "ada", "Firefox": "amir"}
_HEADING = "document.querySelector('h1').textContent"
_DRAWN = "document.querySelector('button')?.getAttribute('aria-label').includes('0')"


@pytest.fixture(scope="module")
def mickle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    server = Running(tmp_path_factory.mktemp("windows") / "data", "--demo")
    wire = Host("127.0.0.1", behind=server.url)
    yield wire
    wire.stop()
    server.stop()


@pytest.fixture(scope="module", params=PEOPLE)
def visit(
    request: pytest.FixtureRequest,
    chromium: Browser,
    mickle: Host,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Visit]:
    """Somebody's site, in a browser in which a member is signed in."""
    folder = tmp_path_factory.mktemp("profile") / "of-its-own"
    driver: Driver = firefox(folder) if request.param == "Firefox" else Chromium(chromium, folder)
    sign_in(driver, mickle, f"{PEOPLE[request.param]}@demo.example")
    host = Host("blog.localhost")
    yield Visit(driver, mickle, host, Case("plain"))
    host.stop()
    driver.stop()


def drawn(visit: Visit, tab: Place, name: str) -> Place:
    """The document of the button for this page, once it can be pressed."""
    part = quote(f"{visit.host.url}/{name}", safe="")
    frame = until(lambda: tab.inner(part), "a frame")
    until(lambda: frame.js(_DRAWN), "a button")
    return frame


def windows(visit: Visit, name: str) -> list[Place]:
    """The windows that ask about this page."""
    part = quote(f"{visit.host.url}/{name}", safe="")
    return [one for one in visit.driver.tabs() if "/nod/window" in one.url and part in one.url]


def confirm(window: Place) -> None:
    """Nod there without giving the site a pass, and leave it open."""
    until(lambda: window.js("!!document.querySelector('form[data-confirm]')"), "the question")
    time.sleep(HALF_A_SECOND_S)
    window.click(".nod.large")
    until(lambda: window.js(_HEADING).startswith("Nodded"), "the nod")


def test_a_button_opens_its_window_beside_one_that_another_left_open(visit: Visit) -> None:
    buttons = "".join(
        f'<mickle-button url="{visit.host.url}/{name}"></mickle-button>' for name in ("one", "two")
    )
    tab = visit.driver.tab()
    tab.go(visit.host.put("/both", page(buttons + script(visit.mickle.url))))
    one, two = (drawn(visit, tab, name) for name in ("one", "two"))
    one.click("button")
    first = until(lambda: windows(visit, "one"), "the first window")[0]
    confirm(first)
    until(lambda: one.js(PRESSED), "a button that heard of it")
    one.click("button")
    until(lambda: "You have nodded" in first.js(_HEADING), "the same window, led on")
    two.click("button")
    second = until(lambda: windows(visit, "two"), "the second window")[0]
    confirm(second)
    until(lambda: two.js(PRESSED), "another button that heard of it")
    assert {one for one in visit.driver.tabs() if "/nod/window" in one.url} == {first, second}
    assert first != second


def test_a_site_that_leads_its_frame_on_to_a_button_lends_no_name_to_who_frames_it(
    visit: Visit,
) -> None:
    frame = f"{visit.mickle.url}/b/frame?url={quote(f'{visit.host.url}/led', safe='')}"
    on = visit.host.put("/on", f"<!doctype html><script>location.replace('{frame}')</script>")
    evil = Host("evil.localhost")
    tab = visit.driver.tab()
    tab.go(evil.put("/", f'<!doctype html><title>Win</title><iframe src="{on}"></iframe>'))
    button = drawn(visit, tab, "led")
    assert button.js("document.referrer") == visit.host.url + "/"
    assert button.js("parent === top")
    button.click("button")
    window = until(lambda: windows(visit, "led"), "the window")[0]
    until(lambda: window.js("!!document.querySelector('form[data-confirm]')"), "the question")
    assert "host=" not in window.url
    assert window.js("!document.querySelector('input[name=pass]')")
    evil.stop()
