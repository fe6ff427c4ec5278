"""From a click in the frame to a nod, in a real Chromium: window, pass, and who is not heard."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import CHROMIUM, FLAGS, Running, until
from tests.browser.hosts import Host, page, script, third_party_cookies_allowed

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOW = f"{datetime.now(UTC):%Y-%m}"
WINDOW = "<!doctype html><title>Window</title><h1>Nod?</h1>"
JSON = "application/json"
Opened = Callable[[], Page]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = Running(tmp_path_factory.mktemp("handing") / "data")
    yield server
    server.stop()


@pytest.fixture
def mickle(plain: Running) -> Iterator[Host]:
    """Mickle, with a window of the test's own in place of the real one."""
    wire = Host("127.0.0.1", behind=plain.url)
    wire.put("/nod/window", WINDOW)
    yield wire
    wire.stop()


@pytest.fixture
def host() -> Iterator[Host]:
    found = Host()
    yield found
    found.stop()


@pytest.fixture
def context(
    chromium: Browser, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[BrowserContext]:
    """A browser as Debian ships it; with "allowed", one that keeps third-party cookies."""
    if getattr(request, "param", "") == "allowed":
        found = third_party_cookies_allowed(chromium, tmp_path / "profile", CHROMIUM, FLAGS)
    else:
        found = chromium.new_context()
    found.set_default_timeout(10_000)
    yield found
    found.close()


keeping = pytest.mark.parametrize("context", ["allowed"], indirect=True)
either = pytest.mark.parametrize("context", ["blocked", "allowed"], indirect=True)


@pytest.fixture
def essay(context: BrowserContext, mickle: Host, host: Host) -> Page:
    """A page with two buttons, for itself and for another page of its site."""
    found = context.new_page()
    two = (
        f'<mickle-button url="{host.url}/essay" title="An essay"></mickle-button>'
        f'<mickle-button url="{host.url}/other"></mickle-button>'
        "<script>window.told = [];"
        "addEventListener('mickle-nod', event => told.push(event.detail))</script>"
    )
    found.goto(host.put("/essay", page(script(mickle.url) + two)))
    expect(button(found, 1)).to_be_visible()
    return found


def button(where: Page, nth: int = 0) -> Locator:
    return where.locator("mickle-button iframe").nth(nth).content_frame.locator("button")


def press(where: Page, nth: int = 0) -> Page:
    """Click, and the window that opens."""
    with where.context.expect_page() as opened:
        button(where, nth).click()
    opened.value.wait_for_load_state()
    return opened.value


def asked_by(window: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(window.url).query).items()}


def answer(window: Page, **changed: object) -> None:
    """What our window posts to its opener when the nod is recorded."""
    told = {"mickle": 1, "nonce": asked_by(window)["nonce"], "nodded": True, "id": 5, "month": NOW}
    window.evaluate("told => opener.postMessage(told, '*')", told | changed)


def pass_for(mickle: Host, host: Host) -> None:
    """What /c answers while it hands a pass over."""
    mickle.put("/c/probe", '{"kept": true}', kind=JSON)
    site = host.url.removeprefix("http://")
    mickle.put("/c/exchange", json.dumps({"site": site}), kind=JSON)


def posted(mickle: Host, path: str) -> list[dict]:
    return [json.loads(one.body) for one in mickle.asked if one.path == path]


def is_pressed(where: Page, nth: int = 0) -> None:
    expect(button(where, nth)).to_have_attribute("aria-pressed", "true")


def stays_as_it_was(where: Page) -> None:
    where.wait_for_timeout(400)
    expect(button(where)).to_have_attribute("aria-pressed", "false")
    expect(button(where)).to_have_attribute("aria-label", "Nod, 0 nods: An essay")


def test_a_click_opens_the_window_and_says_what_is_meant(essay, mickle, host):
    asked = asked_by(press(essay))
    (window,) = [one for one in mickle.asked if one.path.startswith("/nod/window")]
    assert window.headers["referer"] == mickle.url + "/"
    assert asked.pop("nonce")
    assert asked == {"url": f"{host.url}/essay", "title": "An essay", "host": host.url}


def test_the_answer_of_the_window_fills_the_button_and_tells_the_page(essay, mickle):
    window = press(essay)
    mickle.put("/b/count", '{"id": 5, "count": 1}', kind=JSON)
    answer(window)
    is_pressed(essay)
    expect(button(essay)).to_have_attribute("aria-label", "Nodded, 1 nod: An essay")
    expect(button(essay).locator("text.t")).to_have_text("Nodded")
    until(essay, "told.length")
    assert essay.evaluate("told") == [{"nodded": True, "count": 1}]
    answer(window, nodded=False)
    expect(button(essay)).to_have_attribute("aria-pressed", "false")


@keeping
def test_what_was_nodded_at_is_remembered_by_this_browser_alone(essay, mickle):
    window = press(essay)
    answer(window)
    is_pressed(essay)
    window.close()
    essay.wait_for_timeout(1500)
    before = len(mickle.asked)
    essay.reload()
    is_pressed(essay)
    expect(button(essay, 1)).to_have_attribute("aria-pressed", "false")
    assert {urlsplit(one.path).path for one in mickle.asked[before:]} <= {"/b/b.js", "/b/count"}
    assert not any("cookie" in one.headers for one in mickle.asked[before:])
    assert essay.evaluate("told") == []
    assert asked_by(press(essay))["url"].endswith("/essay")


def test_two_buttons_for_one_thing_stay_the_same(essay, host):
    essay.evaluate(
        "url => document.querySelectorAll('mickle-button')[1].setAttribute('url', url)",
        f"{host.url}/essay",
    )
    expect(button(essay, 1)).to_have_attribute("aria-label", "Nod, 0 nods")
    answer(press(essay))
    is_pressed(essay, 0)
    is_pressed(essay, 1)


@pytest.mark.parametrize(
    "changed",
    [{"nonce": "1-2-3-4"}, {"nonce": None}, {"nonce": 7}, {"mickle": 2}, {"nodded": "yes"}],
    ids=str,
)
def test_an_answer_that_is_not_to_the_question_is_not_heard(essay, changed):
    answer(press(essay), **changed)
    stays_as_it_was(essay)


def test_an_answer_from_another_origin_is_not_heard(essay, host):
    window = press(essay)
    nonce = asked_by(window)["nonce"]
    window.goto(host.put("/thief", page("")))
    told = {"mickle": 1, "nonce": nonce, "nodded": True, "id": 5, "month": NOW}
    window.evaluate("told => opener?.postMessage(told, '*')", told)
    stays_as_it_was(essay)


def test_an_answer_from_another_window_is_not_heard(essay, mickle, host):
    nonce = asked_by(press(essay))["nonce"]
    told = {"mickle": 1, "nonce": nonce, "nodded": True, "count": 99, "id": 5, "month": NOW}
    beside = f"""
      const told = {json.dumps(told)};
      for (let i = 0; i < parent.length; i++) parent[i].postMessage(told, "*");
    """
    at_mickle = mickle.put("/beside", f"<script>{beside}</script>")
    at_host = host.put("/beside", f"<script>{beside}</script>")
    for where in (at_mickle, at_host):
        essay.evaluate(
            "src => document.body.append(Object.assign(document.createElement('iframe'), {src}))",
            where,
        )
    essay.evaluate(beside.replace("parent", "window"))
    stays_as_it_was(essay)


def test_the_page_around_sets_no_count_without_the_frames_own_nonce(essay):
    essay.evaluate("""() => {
      for (let i = 0; i < window.length; i++)
        window[i].postMessage({mickle: 1, nonce: "1-2-3-4", count: 99}, "*");
    }""")
    stays_as_it_was(essay)


def test_the_page_hears_nobody_but_its_frames(essay, host):
    essay.evaluate("postMessage({mickle: 1, nonce: 'x', nodded: true}, '*')")
    forged = host.put("/forged", "<script>parent.postMessage({mickle:1,nodded:true},'*')</script>")
    essay.evaluate(
        "src => document.body.append(Object.assign(document.createElement('iframe'), {src}))",
        forged,
    )
    essay.wait_for_timeout(300)
    assert essay.evaluate("told") == []


@either
def test_with_a_pass_the_next_nod_on_this_site_is_one_click(essay, mickle, host):
    pass_for(mickle, host)
    window = press(essay)
    nonce = asked_by(window)["nonce"]
    answer(window, code="one-time")
    is_pressed(essay)
    essay.wait_for_timeout(1500)
    exchanged = {"code": "one-time", "nonce": nonce, "keep": "cookie"}
    assert posted(mickle, "/c/exchange") == [exchanged]
    mickle.put("/c/nod", json.dumps(recorded(12)), kind=JSON)
    windows = len(essay.context.pages)
    button(essay, 1).click()
    is_pressed(essay, 1)
    expect(button(essay, 1)).to_have_attribute("aria-label", "Nodded, 12 nods")
    assert len(essay.context.pages) == windows
    sent = posted(mickle, "/c/nod")[-1]
    assert sent.keys() == {"url", "key", "evidence"}
    assert sent["url"] == f"{host.url}/other"
    assert 8 <= len(sent["key"]) <= 64
    assert sent["evidence"]["trusted"] is True
    assert sent["evidence"]["visible"] is True
    assert sent["evidence"]["dwell_ms"] > 1000
    how = [one.headers for one in mickle.asked if one.path == "/c/nod"][-1]
    assert how["origin"] == mickle.url
    assert how["content-type"] == JSON
    assert how["sec-fetch-site"] == "same-origin"


def recorded(count: int) -> dict[str, object]:
    return {"nodded": True, "new": True, "month": NOW, "id": 6, "count": count}


def with_pass(essay: Page, mickle: Host, host: Host, token: str = "") -> None:
    """The browser has a pass for this site already."""
    known = json.dumps({host.url.removeprefix("http://"): token})
    inner = next(one for one in essay.frames if "/b/frame" in one.url)
    inner.evaluate("known => localStorage.setItem('passes', known)", known)


@keeping
def test_where_no_cookie_is_kept_the_pass_is_a_token_sent_on_a_click_only(essay, mickle, host):
    mickle.put("/c/probe", '{"kept": false}', kind=JSON)
    granted = {"site": host.url.removeprefix("http://"), "token": "abc"}
    mickle.put("/c/exchange", json.dumps(granted), kind=JSON)
    answer(press(essay), code="one-time")
    essay.wait_for_timeout(1500)
    assert posted(mickle, "/c/exchange")[0]["keep"] == "token"
    mickle.put("/c/nod", json.dumps(recorded(1)), kind=JSON)
    button(essay, 1).click()
    is_pressed(essay, 1)
    assert posted(mickle, "/c/nod")[0]["pass"] == "abc"
    assert not [one for one in mickle.asked if "abc" in str(one.headers) + one.path]


@keeping
def test_a_pass_that_is_gone_is_forgotten_and_the_window_opens(essay, mickle, host):
    with_pass(essay, mickle, host)
    gone = '{"error": "No pass.", "reason": "no-pass"}'
    mickle.put("/c/nod", gone, kind=JSON, status=401)
    assert asked_by(press(essay))["url"] == f"{host.url}/essay"
    inner = next(one for one in essay.frames if "/b/frame" in one.url)
    assert inner.evaluate("localStorage.getItem('passes')") == "{}"


@pytest.mark.parametrize(
    ("status", "reason"), [(403, "other-site"), (429, "limit"), (503, "later")]
)
@keeping
def test_what_the_pass_may_not_do_is_left_to_the_window(essay, mickle, host, status, reason):
    with_pass(essay, mickle, host)
    said = json.dumps({"error": "Not by this pass.", "reason": reason})
    mickle.put("/c/nod", said, kind=JSON, status=status)
    press(essay)
    expect(button(essay)).to_have_attribute("aria-pressed", "false")


@keeping
def test_ones_own_thing_is_said_to_be_ones_own(essay, mickle, host):
    with_pass(essay, mickle, host)
    mickle.put("/c/nod", '{"error": "Yours.", "reason": "own"}', kind=JSON, status=409)
    button(essay).click()
    expect(button(essay)).to_be_disabled()
    expect(button(essay).locator("text.t")).to_have_text("Yours")


@keeping
def test_inside_a_frame_of_another_site_the_pass_stays_unused(context, mickle, host, essay):
    with_pass(essay, mickle, host)
    outer = Host("other.localhost")
    around = context.new_page()
    around.goto(
        outer.put("/", page(f'<iframe src="{host.url}/essay" width=600 height=300></iframe>'))
    )
    inner = around.frame_locator("iframe")
    with context.expect_page() as opened:
        inner.frame_locator("mickle-button iframe").first.locator("button").click()
    assert "host" not in asked_by(opened.value)
    assert posted(mickle, "/c/nod") == []
    outer.stop()


@keeping
def test_a_second_click_opens_the_window_again_even_with_a_pass(essay, mickle, host):
    with_pass(essay, mickle, host)
    mickle.put("/c/nod", json.dumps(recorded(12)), kind=JSON)
    button(essay).click()
    is_pressed(essay)
    press(essay)
    assert len(posted(mickle, "/c/nod")) == 1


def test_a_browser_that_keeps_nothing_asks_for_its_pass_on_a_click(essay, mickle, host):
    assert posted(mickle, "/c/nod") == []
    window = press(essay)
    assert [one["url"] for one in posted(mickle, "/c/nod")] == [f"{host.url}/essay"]
    answer(window)
    is_pressed(essay)


def test_a_thing_of_another_site_never_asks_for_the_pass_of_this_one(essay, mickle):
    elsewhere = "document.querySelector('mickle-button').setAttribute('url', 'https://x.example')"
    essay.evaluate(elsewhere)
    essay.wait_for_timeout(500)
    expect(button(essay)).to_have_attribute("aria-label", "Nod, 0 nods: An essay")
    assert asked_by(press(essay))["url"] == "https://x.example/"
    assert posted(mickle, "/c/nod") == []


def test_a_browser_that_refuses_to_lead_a_window_on_opens_another(essay, host):
    inner = next(one for one in essay.frames if "/b/frame" in one.url)
    inner.evaluate("""() => {
      const real = open;
      window.open = (url, name, how) => {
        if (name !== "_blank") throw new DOMException("", "InvalidAccessError");
        return real(url, name, how);
      };
    }""")
    answer(press(essay))
    is_pressed(essay)


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_keyboard_is_enough(essay, key):
    essay.keyboard.press("Tab")
    expect(button(essay)).to_be_focused()
    with essay.context.expect_page() as opened:
        essay.keyboard.press(key)
    answer(opened.value)
    is_pressed(essay)
    expect(button(essay)).to_be_focused()


def test_a_frame_written_by_hand_needs_no_script_of_the_page(context, mickle, host):
    found = context.new_page()
    by_hand = f'<iframe src="{mickle.url}/b/frame?url={host.url}/essay&lang=de"></iframe>'
    found.goto(host.put("/essay", page(by_hand)))
    inner = found.frame_locator("iframe").locator("button")
    expect(inner).to_have_attribute("aria-label", "Danke sagen, 0 Danke")
    with context.expect_page() as opened:
        inner.click()
    answer(opened.value)
    expect(inner).to_have_attribute("aria-label", "Danke gesagt, 0 Danke")


def test_a_frame_without_scripts_is_a_link(chromium, mickle):
    context = chromium.new_context(java_script_enabled=False)
    found = context.new_page()
    found.goto(f"{mickle.url}/b/frame?url=https://essay.example/&title=An+essay")
    one = found.get_by_role("link", name="Nod, 0 nods: An essay")
    assert one.get_attribute("href") == "/nod?url=https%3A%2F%2Fessay.example%2F"
    context.close()
