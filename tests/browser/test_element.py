"""The button on other people's pages, in Chromium's engine: what it draws, asks for and leaves."""

import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from mickle.edge import _files
from tests.browser.conftest import Running, until
from tests.browser.hosts import Host, image, link, page, script

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ESSAY = "https://essay.example/one"
_AXE = """async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]});
  return found.violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html}`));
}"""
_SHIFTS = """
window.shifts = 0;
new PerformanceObserver(list => {
  for (const one of list.getEntries()) window.shifts += one.value;
}).observe({type: "layout-shift", buffered: true});
"""
Open = Callable[..., Page]
in_a_whole_browser = pytest.mark.parametrize("context", ["chromium"], indirect=True)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = Running(tmp_path_factory.mktemp("element") / "data", "--demo")
    yield server
    server.stop()


@pytest.fixture
def mickle(demo: Running) -> Iterator[Host]:
    """Mickle behind a proxy that sees what the browser sends."""
    wire = Host("127.0.0.1", behind=demo.url)
    yield wire
    wire.stop()


@pytest.fixture
def host() -> Iterator[Host]:
    found = Host()
    yield found
    found.stop()


@pytest.fixture
def context(request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """Of the engine alone; with "chromium", of the whole browser."""
    browser: Browser = request.getfixturevalue(getattr(request, "param", "shell"))
    found = browser.new_context()
    found.set_default_timeout(10_000)
    yield found
    found.close()


@pytest.fixture
def opened(context: BrowserContext, host: Host) -> Open:
    """Opens a page of the host with this body and these headers."""

    def go(body: str, *, head: str = "", language: str = "en", **headers: str) -> Page:
        found = context.new_page()
        found.goto(host.put("/essay", page(body, head=head, language=language), **headers))
        return found

    return go


def element(url: str = ESSAY, inside: str = "", **attributes: str) -> str:
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<mickle-button url="{url}"{more}>{inside}</mickle-button>'


def frame(where: Page, nth: int = 0) -> FrameLocator:
    return where.locator("mickle-button iframe").nth(nth).content_frame


def button(where: Page, nth: int = 0):
    return frame(where, nth).locator("button")


def test_the_element_draws_itself_with_its_count_and_its_size(mickle, opened):
    shown = opened(script(mickle.url) + element() + element(size="compact") + element(size="tall"))
    expect(button(shown)).to_have_attribute("aria-label", "Nod, 0 nods")
    expect(button(shown)).to_have_attribute("aria-pressed", "false")
    boxes = [one.bounding_box() for one in shown.locator("mickle-button").all()]
    assert [(box["width"], box["height"]) for box in boxes] == [(160, 36), (110, 24), (55, 62)]
    for nth in range(3):
        box = button(shown, nth).bounding_box()
        assert min(box["width"], box["height"]) >= 24


def test_the_count_is_the_one_of_the_thing(mickle, opened, context):
    known = context.request.get(mickle.url + "/b/count?" + "&".join(f"id={n}" for n in range(1, 9)))
    best = max(known.json(), key=lambda row: row["count"])
    assert best["count"] > 1
    page_of = context.request.get(f"{mickle.url}/thing/{best['id']}").text()
    url = re.search(r'<a href="([^"]+)" rel="nofollow noopener noreferrer">', page_of)[1]
    shown = opened(script(mickle.url) + element(url))
    expect(button(shown)).to_have_attribute("aria-label", f"Nod, {best['count']} nods")
    expect(button(shown).locator("text.q")).to_have_text(str(best["count"]))


def test_a_link_becomes_a_button_and_stays_in_the_page(mickle, opened):
    inside = link(mickle.url, ESSAY, image(mickle.url, ESSAY))
    foreign = link("https://other.example", ESSAY, "Elsewhere")
    shown = opened(inside + foreign + script(mickle.url))
    expect(button(shown)).to_be_visible()
    assert shown.locator("mickle-button").count() == 1
    assert shown.locator("mickle-button").get_attribute("url") == ESSAY
    assert not shown.locator("a").first.is_visible()
    expect(shown.get_by_text("Elsewhere")).to_be_visible()


def test_buttons_that_come_late_are_found(mickle, opened):
    shown = opened(script(mickle.url))
    until(shown, "!!customElements.get('mickle-button')")
    late = element() + link(mickle.url, ESSAY)
    shown.evaluate("html => document.body.insertAdjacentHTML('beforeend', html)", late)
    expect(button(shown, 0)).to_have_attribute("aria-label", "Nod, 0 nods")
    expect(button(shown, 1)).to_have_attribute("aria-label", "Nod, 0 nods")


def test_a_button_in_a_shadow_root_works(mickle, opened):
    shown = opened(script(mickle.url) + '<div id="deep"></div>')
    shown.evaluate(
        "html => document.getElementById('deep').attachShadow({mode: 'open'}).innerHTML = html",
        element(),
    )
    expect(button(shown)).to_have_attribute("aria-label", "Nod, 0 nods")


@pytest.mark.parametrize("how", [{"defer": ""}, {"id": "sync"}, {"async": "", "data-x": "1"}])
def test_the_script_twice_draws_each_button_once(mickle, opened, how):
    tags = script(mickle.url, **how) + script(mickle.url)
    shown = opened(tags + element() + link(mickle.url, ESSAY) + script(mickle.url))
    expect(button(shown, 1)).to_be_visible()
    assert shown.locator("mickle-button").count() == 2
    assert shown.locator("mickle-button iframe").count() == 2


def test_a_script_injected_late_finds_what_is_there(mickle, opened):
    shown = opened(element() + link(mickle.url, ESSAY))
    shown.evaluate(
        """src => document.head.append(Object.assign(document.createElement("script"), {src}))""",
        mickle.url + "/b/1/b.js",
    )
    expect(button(shown, 1)).to_be_visible()


def test_the_pinned_script_is_accepted_with_its_hash(mickle, opened):
    pinned = _files.integrity(_files.FILES["/b/1/b.js"].plain.body)
    tag = (
        f'<script async src="{mickle.url}/b/1/b.js" crossorigin="anonymous"'
        f' integrity="{pinned}"></script>'
    )
    expect(button(opened(tag + element()))).to_be_visible()


def test_a_policy_with_a_nonce_is_kept(mickle, opened):
    policy = (
        f"default-src 'none'; script-src 'nonce-abc'; frame-src {mickle.url}; "
        f"connect-src {mickle.url}; style-src 'nonce-abc'"
    )
    shown = opened(
        "<script nonce=abc>window.refused = [];"
        "addEventListener('securitypolicyviolation', e => refused.push(e.violatedDirective))"
        "</script>" + script(mickle.url, nonce="abc") + element(),
        content_security_policy=policy,
    )
    expect(button(shown)).to_have_attribute("aria-label", "Nod, 0 nods")
    assert shown.evaluate("refused") == []


def test_a_policy_against_scripts_leaves_the_link(mickle, opened):
    shown = opened(
        script(mickle.url) + element(inside=link(mickle.url, ESSAY)) + link(mickle.url, ESSAY),
        content_security_policy="default-src 'self'",
    )
    for one in shown.get_by_role("link", name="Nod at this").all():
        expect(one).to_be_visible()


def test_a_policy_against_frames_leaves_the_link(mickle, opened):
    shown = opened(
        script(mickle.url)
        + element()
        + element(inside=link(mickle.url, ESSAY, "Inside"))
        + link(mickle.url, ESSAY, "Plain"),
        content_security_policy=f"script-src {mickle.url}; frame-src 'none'",
    )
    for name in ("Nod", "Inside", "Plain"):
        found = shown.get_by_role("link", name=name, exact=True)
        expect(found).to_be_visible()
        assert found.get_attribute("href").startswith(mickle.url + "/nod?url=https%3A%2F%2Fessay")


def test_a_policy_against_requests_lets_the_frame_ask_by_itself(mickle, opened):
    shown = opened(
        script(mickle.url) + element(),
        content_security_policy=f"script-src {mickle.url}; connect-src 'none'",
    )
    expect(button(shown)).to_have_attribute("aria-label", "Nod, 0 nods")


@pytest.mark.parametrize(
    "headers",
    [
        {"cross_origin_embedder_policy": "require-corp"},
        {"cross_origin_opener_policy": "same-origin"},
        {"referrer_policy": "no-referrer"},
    ],
    ids=["coep", "coop", "no-referrer"],
)
def test_hosts_that_close_themselves_off_show_the_button(mickle, opened, headers):
    shown = opened(script(mickle.url) + element(), **headers)
    expect(button(shown)).to_have_attribute("aria-label", "Nod, 0 nods")


def test_a_sandbox_without_an_origin_leaves_the_link(mickle, opened):
    shown = opened(
        script(mickle.url) + element(),
        content_security_policy="sandbox allow-scripts allow-popups",
    )
    expect(shown.get_by_role("link", name="Nod")).to_be_visible()


def test_fifty_buttons_cost_one_document_and_one_request_for_counts(mickle, opened):
    many = "".join(f"<p>{element(f'https://essay.example/{n}')}</p>" for n in range(50))
    shown = opened(many + script(mickle.url) + element())
    for one in shown.locator("mickle-button").all():
        one.scroll_into_view_if_needed()
    expect(button(shown, 49)).to_have_attribute("aria-label", "Nod, 0 nods")
    expect(button(shown, 50)).to_have_attribute("aria-label", "Nod, 0 nods")
    assert {name: mickle.count(name) for name in ("/b/frame", "/b/count", "/b/frame.js")} == {
        "/b/frame": 1,
        "/b/count": 1,
        "/b/frame.js": 1,
    }


@pytest.mark.parametrize("size", ["wide", "compact", "tall"])
def test_nothing_moves_when_buttons_draw_themselves(mickle, opened, context, size):
    context.add_init_script(_SHIFTS)
    linked = link(mickle.url, ESSAY, image(mickle.url, ESSAY, size))
    inside = linked.replace('height="20"', 'height="24"')
    shown = opened(
        script(mickle.url) + f"<p>{element(size=size, inside=inside)} and {linked}.</p><p>End</p>"
        f"<script src='{mickle.url}/b/b.js'></script><p>{element(size=size)} again</p><p>End</p>"
    )
    expect(button(shown, 2)).to_have_attribute("aria-label", "Nod, 0 nods")
    shown.wait_for_timeout(300)
    assert shown.evaluate("window.shifts") == 0


@in_a_whole_browser
def test_a_page_load_sends_and_sets_no_cookie_even_for_members(mickle, opened, context):
    context.add_cookies([{"name": "sessionid", "value": "x", "url": mickle.url}])
    shown = opened(script(mickle.url) + element() + link(mickle.url, ESSAY))
    expect(button(shown, 1)).to_have_attribute("aria-label", "Nod, 0 nods")
    asked = [one for one in mickle.asked if one.path.startswith("/b/")]
    assert len(asked) >= 4
    assert [one.path for one in asked if "cookie" in one.headers] == []
    assert "set-cookie" not in [name for name, _path in mickle.told]
    assert [one for one in mickle.asked if not one.path.startswith("/b/")] == []
    for one in asked:
        assert "/essay" not in one.headers.get("referer", "")


@in_a_whole_browser
def test_no_global_and_nothing_kept_is_left_in_the_host_page(mickle, opened):
    shown = opened(
        '<iframe id="fresh"></iframe><script>window.before = Object.keys(window)</script>'
        + script(mickle.url)
        + element()
    )
    expect(button(shown)).to_be_visible()
    left = shown.evaluate("Object.keys(window).filter(name => !before.includes(name))")
    assert set(left) - {"before", "0", "1"} == set()
    assert shown.evaluate("[localStorage.length, document.cookie]") == [0, ""]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("query", ["", "?url=https://essay.example/&title=An+essay"])
def test_everybody_can_read_the_frame(mickle, context, scheme, query):
    found = context.new_page()
    found.emulate_media(color_scheme=scheme)
    found.goto(f"{mickle.url}/b/frame{query}" if query else f"{mickle.url}/b/frame#url={ESSAY}")
    expect(found.locator("button")).to_have_attribute("aria-label", re.compile("^Nod, 0 nods"))
    for _state in ("counted", "nodded", "own"):
        found.evaluate(
            "state => document.querySelector('svg > g').setAttribute('class', state)", _state
        )
        found.evaluate(AXE_SCRIPT)
        assert found.evaluate(_AXE) == []


@pytest.mark.parametrize(
    ("language", "name", "turned"),
    [
        *(("en", "Nod, 0 nods", False), ("de-AT", "Danke sagen, 0 Danke", False)),
        *(("ar", "قل شكرا, 0 كلمة شكر", True), ("fr", "Dire merci, 0 merci", False)),
        *(("es", "Dar las gracias, 0 gracias", False), ("sv", "Säg tack, 0 tack", False)),
        ("xx", "Nod, 0 nods", False),
    ],
)
def test_the_button_speaks_the_language_of_the_page(mickle, opened, language, name, turned):
    shown = opened(script(mickle.url) + element(), language=language)
    expect(button(shown)).to_have_attribute("aria-label", name)
    coin = button(shown).locator("g g").bounding_box()["x"]
    assert (coin > button(shown).locator("text.t").bounding_box()["x"]) == turned


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
@pytest.mark.parametrize("scheme", ["", "dark", "light dark"])
def test_the_corners_are_those_of_the_page_whatever_its_scheme(mickle, opened, theme, scheme):
    """A browser paints a frame opaque whose scheme is not that of its element."""
    head = f'<meta name="color-scheme" content="{scheme}">'
    shown = opened(script(mickle.url) + element(theme=theme), head=head)
    expect(button(shown)).to_be_visible()
    scheme_of = "one => getComputedStyle(one).colorScheme"
    around = shown.locator("mickle-button iframe").evaluate(scheme_of)
    assert frame(shown).locator("html").evaluate(scheme_of) == around


def test_nothing_moves_for_those_who_do_not_want_it(mickle, opened, context):
    shown = opened(script(mickle.url) + element())
    moves = "getComputedStyle(document.querySelector('.c')).transitionDuration"
    expect(button(shown)).to_be_visible()
    inner = next(one for one in shown.frames if "/b/frame" in one.url)
    assert inner.evaluate(moves) == "0.28s"
    shown.emulate_media(reduced_motion="reduce")
    assert inner.evaluate(moves) == "0s"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "ftp://essay.example/", "//[bad"]
)
def test_other_addresses_than_pages_make_no_button(mickle, opened, url):
    shown = opened(script(mickle.url) + element(url) + element())
    expect(button(shown)).to_be_visible()
    assert shown.locator("mickle-button iframe").count() == 1
    assert mickle.count("/b/count") == 1
    assert shown.locator("mickle-button").first.inner_text() == ""


def test_a_title_with_markup_and_turned_text_is_only_text(mickle, opened):
    title = "&lt;img src=x onerror=alert(1)&gt;&#x202e;evil" + "x" * 10_000
    shown = opened(script(mickle.url) + element(title=title))
    label = button(shown).get_attribute("aria-label")
    assert label.startswith("Nod")
    expect(button(shown)).to_have_attribute(
        "aria-label", ("Nod, 0 nods: <img src=x onerror=alert(1)> evil" + "x" * 200)[:213]
    )
    assert frame(shown).locator("img").count() == 0


def test_live_buttons_share_one_stream(mickle, opened):
    mickle.put(
        "/live",
        'event: count\ndata: {"1": 41, "2": 42}\n\n',
        kind="text/event-stream",
        access_control_allow_origin="*",
    )
    mickle.put(
        "/b/count",
        '[{"id": 1, "count": 3}, {"id": 2, "count": 4}, {"id": 3, "count": 5}]',
        kind="application/json",
        access_control_allow_origin="*",
    )
    urls = [f"https://essay.example/{n}" for n in range(3)]
    shown = opened(
        script(mickle.url)
        + element(urls[0], live="")
        + element(urls[1], live="")
        + element(urls[2])
    )
    expect(button(shown, 0)).to_have_attribute("aria-label", "Nod, 41 nods")
    expect(button(shown, 1)).to_have_attribute("aria-label", "Nod, 42 nods")
    expect(button(shown, 2)).to_have_attribute("aria-label", "Nod, 5 nods")
    assert {one.path for one in mickle.asked if one.path.startswith("/live")} == {"/live?id=1&id=2"}
