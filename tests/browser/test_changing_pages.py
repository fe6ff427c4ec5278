"""The button on pages that go on changing, in Chromium: links that leave, come and move."""

from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.browser.conftest import Running
from tests.browser.drivers import until
from tests.browser.hosts import Host, link, page, script

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ESSAY = "https://essay.example/one"
OTHER = "https://essay.example/two"
# What is seen in an element, in its order: the address of each button, "link" for a plain link.
_SEEN = """id => {
  const seen = one => one.checkVisibility({visibilityProperty: true});
  return [...document.getElementById(id).querySelectorAll("a, mickle-button")].flatMap(one =>
    one.localName === "a" ? (seen(one) ? ["link"] : [])
      : seen(one.shadowRoot.querySelector("iframe")) ? [one.getAttribute("url")] : []);
}"""
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


@pytest.fixture
def linked(mickle: Host, opened: Open) -> Page:
    """A page with two links in one place and none in another, once both have their buttons."""
    links = " and ".join(link(mickle.url, url) for url in (ESSAY, OTHER))
    found = opened(f'<p id="here">{links}</p><p id="there">There: </p>')
    shows(found, "here", [ESSAY, OTHER])
    return found


def shows(where: Page, name: str, expected: list[str]) -> None:
    """The element shows these in the end, and no more of them come."""
    for _look in range(100):
        if where.evaluate(_SEEN, name) == expected:
            break
        where.wait_for_timeout(50)
    where.wait_for_timeout(200)
    assert where.evaluate(_SEEN, name) == expected


def inner(where: Page, nth: int) -> FrameLocator:
    return where.locator("mickle-button iframe").nth(nth).content_frame


def test_a_link_that_is_taken_out_and_put_back_has_a_button_there(linked):
    linked.evaluate("window.kept = document.querySelector('a'); kept.remove()")
    shows(linked, "here", [OTHER])
    assert linked.evaluate("kept.style.display") == ""
    linked.evaluate("document.getElementById('there').append(kept)")
    shows(linked, "there", [ESSAY])


def test_a_button_follows_a_link_that_moves_in_one_step(linked):
    linked.evaluate("document.getElementById('there').append(document.querySelector('a'))")
    shows(linked, "there", [ESSAY])
    shows(linked, "here", [OTHER])


def test_a_button_follows_a_link_that_moves_among_its_neighbours(linked):
    linked.evaluate("document.getElementById('here').append(document.querySelector('a'))")
    shows(linked, "here", [OTHER, ESSAY])


def test_a_link_and_a_button_that_move_together_stay_together(linked):
    linked.evaluate("document.getElementById('there').append(document.getElementById('here'))")
    shows(linked, "there", [ESSAY, OTHER])
    linked.evaluate("window.kept = document.getElementById('here'); kept.remove()")
    shows(linked, "there", [])
    linked.evaluate("document.getElementById('there').append(kept)")
    shows(linked, "there", [ESSAY, OTHER])


def test_a_link_whose_button_is_taken_away_is_a_link_again(linked):
    linked.evaluate("document.querySelector('mickle-button').remove()")
    shows(linked, "here", ["link", OTHER])


def test_a_link_shows_as_its_page_had_it(linked):
    linked.evaluate("""() => {
      const one = document.querySelector("a").cloneNode(true);
      one.style.display = "inline-block";
      document.getElementById("there").append(one);
    }""")
    shows(linked, "there", [ESSAY])
    linked.evaluate("document.querySelector('#there mickle-button').remove()")
    shows(linked, "there", ["link"])
    assert linked.evaluate("document.querySelector('#there a').style.display") == "inline-block"


@pytest.mark.parametrize(
    "copied",
    [
        "there.innerHTML = here.innerHTML",
        "const copy = here.innerHTML; here.textContent = ''; there.innerHTML = copy",
    ],
    ids=["as text", "and taken away"],
)
def test_a_copy_of_what_was_drawn_has_as_many_buttons(linked, copied):
    """As pages do that are kept and shown again when their reader comes back."""
    linked.evaluate(copied.join(["() => {", "}"]))
    shows(linked, "there", [ESSAY, OTHER])
    linked.evaluate("document.querySelector('#there mickle-button').remove()")
    shows(linked, "there", ["link", OTHER])
    assert linked.evaluate("document.querySelector('#there a').style.display") == ""


@pytest.mark.parametrize(
    "keeps",
    [
        "if (box.lastChild !== one) box.append(one)",
        "if (one.nextSibling?.id !== 'mark') one.after(mark)",
        "for (const drawn of box.querySelectorAll('mickle-button')) drawn.remove()",
    ],
    ids=["link last", "mark behind link", "no button"],
)
def test_a_page_that_keeps_its_own_order_is_left_in_peace(linked, keeps):
    linked.evaluate(
        """keeps => {
      const box = document.getElementById("there"), one = document.querySelector("a");
      const mark = Object.assign(document.createElement("b"), {id: "mark"});
      const keep = new Function("box", "one", "mark", keeps);
      window.kept = 0;
      new MutationObserver(() => kept++ > 50 || keep(box, one, mark))
        .observe(box, {childList: true});
      box.append(one);
    }""",
        keeps,
    )
    linked.wait_for_timeout(1000)
    assert linked.evaluate("kept") < 10
    assert linked.evaluate(_SEEN, "there") in ([ESSAY], ["link"])


def test_live_buttons_beyond_a_hundred_are_asked_for_as_others_are(mickle, opened):
    everywhere = {"access_control_allow_origin": "*"}
    nothing = "retry: 600000\nevent: count\ndata: {}\n\n"
    mickle.put("/live", nothing, kind="text/event-stream", **everywhere)
    urls = [f"https://essay.example/{n}" for n in range(103)]
    # So far apart that the browser draws only the last ones.
    many = (
        f'<p style="height:9em"><mickle-button live url="{url}"></mickle-button>' for url in urls
    )
    shown = opened("".join(many))
    shown.locator("mickle-button").last.scroll_into_view_if_needed()
    expect(inner(shown, 102).locator("button")).to_have_attribute("aria-label", "Nod, 0 nods")
    shown.wait_for_timeout(300)
    begun = len(mickle.asked)

    def asked() -> set[str]:
        paths = [one.path for one in mickle.asked[begun:] if one.path.startswith("/b/count")]
        return {url for path in paths for _name, url in parse_qsl(urlsplit(path).query)}

    shown.clock.run_for(61_000)
    assert until(asked, "a request for counts") == set(urls[100:])
