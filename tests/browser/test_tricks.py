"""Tricks of a hostile page in a real Chromium: none nods by itself, and a pass keeps what was seen.

Each trick is played twice. On a site of somebody else no pass is at hand, so that at most our
window opens. On a site the reader gave a pass it may count, with what the button saw of the click.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from mickle.nods import evidence
from mickle.nods.evidence import Evidence
from tests.browser.conftest import Running
from tests.browser.drivers import Chromium, until
from tests.browser.hosts import HTML, Host
from tests.browser.visiting import Case, Visit, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MIDDLE = (180, 118)
AWAY = (500, 400)
# The observer of the button looks ten times a second.
LOOKED_MS = 400
SHORT_MS = 300
_EVIDENCE = """
SELECT n.evidence FROM nods_nod n JOIN things_thing t ON t.id = n.thing_id WHERE t.url = ?
"""
Victim = Callable[[Page], None]


@dataclass(frozen=True)
class Place:
    """Mickle on the wire, its data, and a browser whose reader gave the site `blog` a pass."""

    mickle: Host
    data: Path
    reader: Chromium
    blog: Host
    evil: Host

    def nods(self, url: str) -> list[Evidence | None]:
        """What was seen of each nod at the page, as it is kept."""
        database = f"file:{self.data / 'mickle.sqlite3'}?mode=ro"
        with closing(sqlite3.connect(database, uri=True)) as books:
            return [evidence.read(number) for (number,) in books.execute(_EVIDENCE, [url])]

    def open(self, host: Host, thing: str, trick: "Trick") -> Page:
        """The hostile page on that host, looked at for a moment."""
        address = host.put(f"/{thing}", _page(self.frame(thing), trick), HTML)
        # The tab that stays: a new one for each trick costs an eighth more.
        found = self.reader.context.pages[0]
        found.goto(address)
        expect(found.frame_locator("#f").locator("button")).to_have_attribute(
            "aria-pressed", "false"
        )
        found.mouse.move(*AWAY)
        found.wait_for_timeout(LOOKED_MS)
        return found

    def frame(self, thing: str) -> str:
        """The frame for a page of the blog, wherever it is put."""
        return f"{self.mickle.url}/b/frame?url={quote(f'{self.blog.url}/{thing}', safe='')}"


@dataclass(frozen=True)
class Trick:
    """How the frame lies, what else is in the page, and what the reader does there."""

    style: str = ""
    more: str = ""
    victim: Victim = lambda page: page.mouse.click(*MIDDLE)
    counts: bool = True
    marked: Callable[[Evidence], bool] = lambda seen: seen.visible is False


def _page(frame: str, trick: Trick) -> str:
    box = "position:absolute;left:100px;top:100px;width:160px;height:36px;border:0"
    return (
        f"<!doctype html><title>Win</title><style>#bait, #f {{{box}}} #f {{{trick.style}}}</style>"
        f'<button id="bait">Win a prize</button><iframe id="f" src="{frame}"></iframe>{trick.more}'
    )


def _double(page: Page) -> None:
    page.mouse.click(*MIDDLE)
    page.wait_for_timeout(50)
    page.mouse.click(*MIDDLE)


def _press(page: Page) -> None:
    page.mouse.move(*MIDDLE)
    page.mouse.down()
    page.wait_for_timeout(200)
    page.mouse.up()


def _drag(page: Page) -> None:
    page.mouse.move(120, 220)
    page.mouse.down()
    page.mouse.move(*MIDDLE, steps=5)
    page.mouse.up()
    page.mouse.down()
    page.mouse.move(*AWAY, steps=5)
    page.mouse.up()


def _hold(page: Page) -> None:
    page.keyboard.down("Enter")
    page.evaluate("document.getElementById('f').focus()")
    for _repeat in range(3):
        page.keyboard.down("Enter")
    page.keyboard.press("Tab")
    for _repeat in range(3):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")


def _forge(page: Page) -> None:
    page.evaluate("""() => {
      const inner = document.getElementById("f").contentWindow;
      for (const said of [
        {mickle: 1, nodded: true}, {mickle: 1, nonce: "x", nodded: true, code: "x", id: 1},
        {mickle: 1, nonce: null, nodded: true, month: "2099-01"}, {mickle: 1, ask: 1},
      ]) inner.postMessage(said, "*");
      document.getElementById("f").dispatchEvent(new MouseEvent("click", {bubbles: true}));
      document.elementFromPoint(180, 118).click();
      try { inner.document.querySelector("button").click(); } catch { window.shut = true; }
    }""")
    assert page.evaluate("shut")


_COVER = '<p style="position:absolute;left:0;top:0;width:600px;height:300px;margin:0;'
_JUMP = (
    "<script>document.getElementById('bait').addEventListener('mousedown', () =>"
    " document.getElementById('f').style.top = '100px')</script>"
)
TRICKS = {
    "transparent": Trick("opacity:0"),
    "nearly transparent": Trick("opacity:.01"),
    "scaled": Trick("transform:scale(20)"),
    "covered": Trick(more=_COVER + 'background:#fff;pointer-events:none">Win a prize</p>'),
    "clipped": Trick("clip-path:inset(0 76px)"),
    "blended": Trick("mix-blend-mode:difference;filter:contrast(0)"),
    "turned": Trick("transform:rotate(180deg)"),
    "moved there at the press": Trick("top:300px", _JUMP, _press, counts=False),
    "moved there between two presses": Trick(
        "top:-300px", _JUMP, _double, marked=lambda seen: seen.dwell_ms <= SHORT_MS
    ),
    "dragged": Trick(more='<p draggable="true" id="d">Drag me</p>', victim=_drag, counts=False),
    "key held": Trick(victim=_hold, counts=False),
    "forged": Trick(victim=_forge, counts=False),
}


@pytest.fixture(scope="module")
def place(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("tricks")
    server = Running(folder / "data", "--demo")
    found = Place(
        Host("127.0.0.1", behind=server.url),
        folder / "data",
        Chromium(chromium, folder / "profile"),
        Host("blog.localhost"),
        Host("evil.localhost"),
    )
    sign_in(found.reader, found.mickle, "ada@demo.example")
    visit = Visit(found.reader, found.mickle, found.blog, Case("plain"))
    visit.nods(*visit.opens("granted", "button"))
    until(lambda: found.mickle.count("/c/exchange"), "the pass")
    yield found
    for host in (found.blog, found.evil, found.mickle):
        host.stop()
    found.reader.stop()
    server.stop()


@pytest.fixture(autouse=True)
def alone(place: Place) -> Iterator[None]:
    """No window of another test is left."""
    yield
    for one in place.reader.tabs()[1:]:
        one.close()


@pytest.mark.parametrize("name", TRICKS)
def test_a_trick_on_another_site_records_nothing(place: Place, name: str) -> None:
    thing = "elsewhere-" + name.replace(" ", "-")
    page = place.open(place.evil, thing, TRICKS[name])
    TRICKS[name].victim(page)
    page.wait_for_timeout(LOOKED_MS)
    for window in place.reader.context.pages[1:]:
        if window != page:
            # The second press of a double click, on the window that came up under it.
            window.mouse.dblclick(210, 300)
            window.keyboard.press("Enter")
    page.wait_for_timeout(LOOKED_MS)
    assert place.nods(f"{place.blog.url}/{thing}") == []


@pytest.mark.parametrize("name", TRICKS)
def test_what_a_pass_lets_through_is_marked(place: Place, name: str) -> None:
    thing = "own-" + name.replace(" ", "-")
    page = place.open(place.blog, thing, TRICKS[name])
    TRICKS[name].victim(page)
    url = f"{place.blog.url}/{thing}"
    if not TRICKS[name].counts:
        page.wait_for_timeout(LOOKED_MS)
        assert place.nods(url) == []
        return
    (seen,) = until(lambda: place.nods(url), "a nod")
    assert seen.trusted
    assert TRICKS[name].marked(seen)


def test_an_honest_click_is_seen_to_be_one(place: Place) -> None:
    page = place.open(place.blog, "honest", Trick())
    page.mouse.click(*MIDDLE)
    (seen,) = until(lambda: place.nods(f"{place.blog.url}/honest"), "a nod")
    assert (seen.trusted, seen.visible) == (True, True)
    assert seen.dwell_ms >= SHORT_MS


def test_a_click_made_by_a_program_is_seen_to_be_one(place: Place) -> None:
    page = place.open(place.blog, "program", Trick())
    page.frames[1].evaluate("document.querySelector('button').click()")
    (seen,) = until(lambda: place.nods(f"{place.blog.url}/program"), "a nod")
    assert seen.trusted is False


def test_who_opens_the_window_can_only_close_it(place: Place) -> None:
    url = f"{place.blog.url}/window"
    page = place.reader.context.new_page()
    page.goto(place.evil.put("/opens", "<!doctype html><title>Win</title><h1>Win</h1>"))
    address = f"{place.mickle.url}/nod/window?url={quote(url)}&nonce=12345678&host={place.blog.url}"
    with place.reader.context.expect_page() as opened:
        page.evaluate(
            "at => { window.ours = open(at, 'w', 'popup,width=420,height=560') }", address
        )
    window = opened.value
    expect(window.get_by_role("button", name="Nod at this")).to_be_visible()
    window.wait_for_timeout(LOOKED_MS + SHORT_MS)
    shut = page.evaluate("""() => {
      ours.focus();
      for (const said of [{mickle: 1, nodded: true}, "submit"]) ours.postMessage(said, "*");
      const tries = [
        () => ours.document.forms[0].submit(), () => ours.moveTo(0, 0),
        () => ours.resizeTo(100, 100), () => ours.eval("1"),
        () => ours.dispatchEvent(new MouseEvent("click")),
        () => { ours.location.href = "javascript:document.forms[0].submit()"; },
      ];
      return tries.filter(one => { try { one(); return false; } catch { return true; } }).length;
    }""")
    assert shut >= len(["document", "moveTo", "resizeTo", "dispatchEvent", "eval"])
    window.mouse.move(0, 0)
    page.wait_for_timeout(LOOKED_MS)
    assert place.nods(url) == []
    # The same window, led to the nod page while a press is under way.
    page.evaluate("ours.location.href = 'about:blank'")
    window.wait_for_url("about:blank")
    window.mouse.move(210, 300)
    window.mouse.down()
    page.evaluate("at => { ours.location.href = at }", address)
    window.wait_for_url("**/nod/window**")
    box = window.get_by_role("button", name="Nod at this").bounding_box()
    window.mouse.move(box["x"] + 20, box["y"] + 20)
    window.wait_for_timeout(LOOKED_MS + SHORT_MS)
    window.mouse.up()
    page.wait_for_timeout(LOOKED_MS)
    assert place.nods(url) == []


def test_the_pass_stays_in_the_drawer_when_its_site_is_framed_by_another(place: Place) -> None:
    place.blog.put("/deep", _page(place.frame("deep"), Trick()), HTML)
    around = f'<iframe src="{place.blog.url}/deep" width="700" height="500"></iframe>'
    page = place.reader.context.new_page()
    page.goto(place.evil.put("/around", f"<!doctype html><title>Win</title>{around}"))
    inner = page.frame_locator("iframe").frame_locator("#f").locator("button")
    expect(inner).to_have_attribute("aria-pressed", "false")
    with place.reader.context.expect_page() as opened:
        inner.click()
    opened.value.wait_for_load_state()
    expect(opened.value.get_by_role("checkbox")).to_have_count(0)
    assert place.nods(f"{place.blog.url}/deep") == []
