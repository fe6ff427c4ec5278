"""The window of a button and the trusted link in a real Chromium, opened from pages of others."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Error, Frame, Page, StorageState, expect

from tests.browser.conftest import Running, until
from tests.browser.test_pages import AXE, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIZE = {"width": 420, "height": 560}
NONCE = "nonce-of-the-button"
POPUP = "address => { open(address, 'mickle-nod', 'popup,width=420,height=560') }"
LISTEN = "window.heard = []; addEventListener('message', event => heard.push(event.data));"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A filled instance; each test nods at pages of its own."""
    server = Running(tmp_path_factory.mktemp("demo") / "data", "--demo")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def host(demo: Running) -> Iterator[str]:
    """Another host: each page has a link to its own nod page, and a frame of Mickle's origin."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here = f"http://blog.localhost:{self.server.server_port}"
            there = quote(here + urlsplit(self.path).path, safe="")
            body = (
                f'<!doctype html><html lang="en"><title>Essay</title><h1>Essay</h1>'
                f'<a href="{demo.url}/nod?url={there}" rel="payment nofollow">Nod</a>'
                f'<iframe title="Count" src="{demo.url}/b/count?url={there}"></iframe>'
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            for policy in parse_qs(urlsplit(self.path).query).get("opener", []):
                self.send_header("Cross-Origin-Opener-Policy", policy)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://blog.localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


in_a_whole_browser = pytest.mark.parametrize("context", ["chromium"], indirect=True)


@pytest.fixture(scope="module")
def signed_in(shell: Browser, demo: Running) -> StorageState:
    """Ada's cookies; codes to sign in with are rare."""
    context = shell.new_context(base_url=demo.url)
    sign_in(context.new_page(), "ada@demo.example")
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture
def context(
    request: pytest.FixtureRequest, demo: Running, signed_in: StorageState
) -> Iterator[BrowserContext]:
    """Ada's browser: the engine alone; with "chromium", the whole browser."""
    browser: Browser = request.getfixturevalue(getattr(request, "param", "shell"))
    found = browser.new_context(base_url=demo.url, viewport=SIZE, storage_state=signed_in)
    yield found
    found.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def window(host: str, name: str, **more: str) -> str:
    """The address that the frame of a button opens."""
    fields = {"url": f"{host}/{name}", "nonce": NONCE, "host": host, **more}
    return "/nod/window?" + "&".join(
        f"{key}={quote(text, safe='')}" for key, text in fields.items()
    )


def press(page: Page) -> None:
    """Confirm when the half second is over."""
    page.wait_for_timeout(600)
    page.get_by_role("button", name="Nod at this").click()


def opened_by(place: Page | Frame, address: str, context: BrowserContext) -> Page:
    """The window that a click there opens."""
    with context.expect_page() as opened:
        place.evaluate(POPUP, address)
    opened.value.wait_for_load_state()
    return opened.value


def framed(context: BrowserContext, host: str, path: str) -> tuple[Page, Frame]:
    """A page of the other host and the frame of Mickle's origin inside; both listen."""
    outer = context.new_page()
    outer.goto(host + path)
    inner = outer.frames[1]
    for place in (outer, inner):
        place.evaluate(LISTEN)
    return outer, inner


def test_a_press_of_the_first_half_second_counts_for_nothing(page: Page, host: str) -> None:
    page.clock.install(time=0)
    page.clock.pause_at(1_000)
    button = page.get_by_role("button", name="Nod at this")
    page.goto(window(host, "early"))
    button.dblclick()
    page.clock.run_for(400)
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    # A press that begins too early and ends late was begun for the page before.
    button.hover()
    page.mouse.down()
    page.clock.run_for(700)
    page.mouse.up()
    page.wait_for_timeout(300)
    expect(button).to_be_visible()
    page.clock.run_for(100)
    page.evaluate("dispatchEvent(new Event('focus'))")
    button.click()
    page.wait_for_timeout(300)
    expect(button).to_be_visible()
    page.reload()
    expect(button).to_be_visible()
    page.clock.run_for(600)
    button.click()
    expect(page.locator("h1")).to_have_text("Nodded. Thank you.")


def test_the_buttons_of_lists_take_no_early_press_either(page: Page) -> None:
    page.clock.install(time=0)
    page.clock.pause_at(1_000)
    page.goto("/catalogue")
    button = page.locator("button.nod[aria-pressed=false]").first
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    button.dblclick()
    page.wait_for_timeout(300)
    assert "POST" not in sent
    page.clock.run_for(600)
    with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
        button.click()
    assert 'aria-pressed="true"' in answer.value.text()


def test_a_key_held_since_before_counts_for_nothing(page: Page, host: str) -> None:
    page.clock.install(time=0)
    page.clock.pause_at(1_000)
    page.goto(window(host, "held"))
    button = page.get_by_role("button", name="Nod at this")
    expect(button).to_be_focused()
    page.keyboard.down("Enter")
    page.clock.run_for(2_000)
    for _repeat in range(3):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    page.wait_for_timeout(300)
    expect(button).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Nodded. Thank you.")


def test_the_window_is_used_by_keyboard_alone(
    context: BrowserContext, host: str, demo: Running
) -> None:
    page = opened_by(context.new_page(), demo.url + window(host, "keys"), context)
    page.wait_for_timeout(600)
    tick = page.get_by_role("checkbox", name="without asking")
    page.keyboard.press("Tab")
    expect(tick).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Nodded. Thank you.")
    back = page.get_by_role("button", name="Take it back")
    for _step in range(5):
        page.keyboard.press("Tab")
        if back.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("No nod here this month.")


def test_the_window_works_without_script(context: BrowserContext, host: str, demo: Running) -> None:
    plain = context.browser.new_context(
        base_url=demo.url, java_script_enabled=False, storage_state=context.storage_state()
    )
    page = plain.new_page()
    page.goto(window(host, "plain"))
    page.get_by_role("button", name="Nod at this").click()
    expect(page.locator("h1")).to_have_text("Nodded. Thank you.")
    expect(page.get_by_role("button", name="Close this window")).to_be_hidden()
    plain.close()


@in_a_whole_browser
def test_the_frame_hears_what_became_of_the_nod_and_its_host_page_hears_nothing(
    context: BrowserContext, host: str
) -> None:
    outer, inner = framed(context, host, "/framed")
    popup = opened_by(inner, window(host, "framed"), context)
    popup.get_by_role("checkbox", name="without asking").check()
    press(popup)
    expect(popup.locator("h1")).to_have_text("Nodded. Thank you.")
    expect(popup.locator(".middle")).to_contain_text("count without asking")
    until(inner, "heard.length === 1")
    [said] = inner.evaluate("heard")
    assert (said["mickle"], said["nonce"], said["nodded"]) == (1, NONCE, True)
    assert said["code"] not in popup.url
    assert said["code"] not in popup.content()
    popup.get_by_role("button", name="Take it back").click()
    until(inner, "heard.length === 2")
    assert inner.evaluate("heard[1].nodded") is False
    assert outer.evaluate("heard") == []
    # The window may be gone before it has said that it was pressed.
    with popup.expect_event("close"), suppress(Error):
        popup.get_by_role("button", name="Close this window").click()


@in_a_whole_browser
def test_a_page_of_another_origin_that_opens_the_window_hears_nothing(
    context: BrowserContext, host: str, demo: Running
) -> None:
    outer, inner = framed(context, host, "/forged")
    popup = opened_by(outer, demo.url + window(host, "forged"), context)
    popup.get_by_role("checkbox", name="without asking").check()
    press(popup)
    expect(popup.locator("h1")).to_have_text("Nodded. Thank you.")
    outer.wait_for_timeout(300)
    assert outer.evaluate("heard") == inner.evaluate("heard") == []


@in_a_whole_browser
def test_behind_a_host_that_cuts_the_opener_the_window_records_by_itself(
    context: BrowserContext, host: str
) -> None:
    _outer, inner = framed(context, host, "/cut?opener=same-origin")
    popup = opened_by(inner, window(host, "cut"), context)
    assert popup.evaluate("opener") is None
    expect(popup.get_by_role("checkbox")).to_be_hidden()
    press(popup)
    expect(popup.locator("h1")).to_have_text("Nodded. Thank you.")
    expect(popup.get_by_role("button", name="Close this window")).to_be_hidden()
    popup.goto(window(host, "cut"))
    expect(popup.locator("h1")).to_contain_text("You have nodded at this")


def test_the_nod_page_itself_forgets_who_opened_it(
    context: BrowserContext, host: str, demo: Running
) -> None:
    outer = context.new_page()
    outer.goto(host + "/forgets")
    popup = opened_by(outer, f"{demo.url}/nod?url={quote(host + '/forgets')}", context)
    assert popup.evaluate("opener") is None


@in_a_whole_browser
def test_a_trusted_link_counts_at_once_and_going_back_is_no_new_nod(page: Page, host: str) -> None:
    page.goto(host + "/first")
    page.get_by_role("link", name="Nod").click()
    page.get_by_role("checkbox", name="without asking").check()
    press(page)
    expect(page.locator("main")).to_contain_text("count at once")
    page.goto(host + "/second")
    page.get_by_role("link", name="Nod").click()
    expect(page.locator("h1")).to_have_text("Nodded. Thank you.")
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator("h1")).to_have_text("No nod here this month.")
    while "/nod" in page.url:
        page.go_back()
        page.wait_for_timeout(200)
        expect(page.locator("h1")).not_to_have_text("Nodded. Thank you.")
    page.goto("/settings/sites")
    expect(page.locator("main")).to_contain_text("1 of 200 nods today")
    page.get_by_role("button", name="Ask again everywhere").click()
    page.goto(host + "/third")
    page.get_by_role("link", name="Nod").click()
    expect(page.get_by_role("checkbox", name="without asking")).to_be_visible()
    expect(page.get_by_role("button", name="Nod at this")).to_be_visible()


def test_every_state_can_be_read_in_both_colours_in_the_small_window(
    shell: Browser, host: str, signed_in: StorageState, demo: Running
) -> None:
    wrong = []
    context = shell.new_context(base_url=demo.url, viewport=SIZE, storage_state=signed_in)
    address = window(host, "seen", title="A title of some length, as essays have it")
    page = opened_by(context.new_page(), demo.url + address, context)
    wrong += seen(page, "confirm")
    tick = page.locator("label.check").bounding_box()
    assert tick["y"] + tick["height"] <= SIZE["height"]
    press(page)
    wrong += seen(page, "done")
    page.goto(address)
    wrong += seen(page, "nodded at already")
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator("h1")).to_have_text("No nod here this month.")
    wrong += seen(page, "taken back")
    for path in ("/nod/window?url=data:text/html,x", "/settings/sites"):
        page.goto(path)
        wrong += seen(page, path)
    stranger = shell.new_context(base_url=demo.url, viewport=SIZE)
    other = stranger.new_page()
    other.goto(address)
    wrong += seen(other, "not signed in")
    press(other)
    expect(other.locator("h1")).to_contain_text("kept for 30 minutes")
    wrong += seen(other, "kept")
    maker = shell.new_context(base_url=demo.url, viewport=SIZE)
    wrong += seen_by_a_maker(maker.new_page(), address)
    for one in (context, stranger, maker):
        one.close()
    assert wrong == []


def seen_by_a_maker(page: Page, address: str) -> list[str]:
    """Bruno owns a page, has given nothing of late, and what he had went to a charity."""
    sign_in(page, "bruno@demo.example")
    page.goto("/mine")
    page.goto(page.locator("main a[href^='/thing/']").first.get_attribute("href"))
    own = page.locator("main a[href^='http']").first.get_attribute("href")
    page.goto("/nod/window?" + urlencode({"url": own, "nonce": NONCE}))
    expect(page.locator(".middle")).to_contain_text("yours")
    wrong = seen(page, "own")
    page.goto(address)
    press(page)
    expect(page.locator("h1")).to_have_text("Nodded. Your funds are empty.")
    return wrong + seen(page, "empty")


def seen(page: Page, state: str) -> list[str]:
    page.evaluate(AXE_SCRIPT)
    wrong = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        wrong += [f"{state} {scheme} {one}" for one in page.evaluate(AXE)]
    # As it is, and at twice the size.
    for zoom in (1, 2):
        width = SIZE["width"] // zoom
        page.set_viewport_size({"width": width, "height": SIZE["height"] // zoom})
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wrong.append(f"{state} is wider than the window, {zoom} times the size")
    page.set_viewport_size(SIZE)
    return wrong
