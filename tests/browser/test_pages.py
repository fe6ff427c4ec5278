"""Each page in Chromium's engine: wide and narrow, light and dark, none fails, all can read it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from mickle.lib import months
from tests.browser.conftest import Running

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")
# To a page it is the same: a phone of 360 pixels and everything on it twice as large.
HALF_A_PHONE = 180
MONTH = months.of(datetime.now(UTC))
LAST = months.text(MONTH - 1)

ANYBODY = (
    *("/", "/catalogue", "/catalogue?q=nothing-like-it", "/thing/1", "/people/demo-ada"),
    *("/people/demo-bruno", "/figures", "/terms", "/privacy", "/imprint", "/source"),
    *("/proof", f"/proof/{LAST}", "/robot"),
    *("/sign-up", "/sign-in", "/account-closed", "/nod?url=https://new.example/page"),
    *("/buttons", "/buttons?url=https://a.example/&size=tall&theme=dark&lang=ar&live=on"),
    "/buttons?url=nowhere",
)
GIVER = (
    *("/month", "/month/add", "/nods", "/nods/monthly", "/statements", f"/statements/{LAST}"),
    f"/statements/{months.text(MONTH)}",
    *("/top-up", "/refund", "/settings", "/settings/close", "/thing/1", "/catalogue"),
    *("/nod?url=https://new.example/page", "/nod/1/monthly", "/settings/sites"),
    "/settings/programs",
)
MAKER = (
    *("/mine", "/mine/add", "/mine/show", "/mine/teams", "/thing/1/edit", "/thing/1", "/revenue"),
    *("/withdraw", "/withdraw/account", "/people/demo-bruno"),
    # One who has given nothing yet.
    *("/month", "/nods", "/nods/monthly", "/statements", "/settings/close"),
    *("/mine/accounts/github/github.com/back?code=a&state=b", "/mine/accounts/no/no/back"),
    "/mine/accounts/github/github.com/back?error=access_denied&state=b",
)
# Members sign in at sites; nobody says where these are, so nothing is read.
SITES = {
    "MICKLE_BASE_URL": "http://127.0.0.1",
    "MICKLE_FETCH": "on",
    "MICKLE_FETCH_RESOLVERS": "127.0.0.1:9",
    "MICKLE_GITHUB": "id:secret",
}
OPERATOR = (
    *("/operator", f"/operator/months/{LAST}?audit=yes", "/operator/cash-desk"),
    *("/operator/payouts", "/operator/claims", "/operator/people", "/operator/charities"),
    *("/operator/fee", "/operator/jobs", "/operator/clock", "/operator/books?audit=yes"),
    *("/operator/things/2/take-down", "/thing/2", "/operator/same"),
)

WATCH = """
window.refused = [];
addEventListener("securitypolicyviolation", event => {
  window.refused.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""
# Nobody in a frame answers axe: it would wait half a second for each look at a page with buttons.
AXE = """async () => {
  const found = await axe.run(document, {
    resultTypes: ["violations"], iframes: false, rules: {"target-size": {enabled: true}}});
  return found.violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html}`));
}"""
# How far who is here stands from the line of the logo, in pixels.
_LINE = """() => {
  const [logo, me] = [".logo", ".me"].map(
    one => document.querySelector(`.top ${one}`).getBoundingClientRect());
  return Math.abs(logo.top + logo.bottom - me.top - me.bottom) / 2;
}"""
TABLETS = (600, 768, 1000)
_WIDTH = "document.documentElement.scrollWidth"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A filled instance for all tests of this file; they look and change nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SITES.items():
            patch.setenv(name, value)
        server = Running(tmp_path_factory.mktemp("demo") / "data", "--demo")
    yield server
    server.stop()


@pytest.fixture
def context(shell: Browser, demo: Running) -> Iterator[BrowserContext]:
    """A browser of its own."""
    found = shell.new_context(base_url=demo.url)
    found.add_init_script(WATCH)
    yield found
    found.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """Its one page."""
    return context.new_page()


def sign_in(page: Page, email: str, password: str = "") -> None:
    """By password, or by the code that a demo shows."""
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.locator("main form button.act").first.click()
    if not password:
        page.get_by_label("Code").fill(page.locator("#shown-code").inner_text())
        page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/month")


def look_at(page: Page, paths: tuple[str, ...]) -> list[str]:
    """What is wrong with these pages, each in five ways of looking."""
    wrong: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            wrong.append(f"{page.url} console: {message.text}")

    page.on("console", hear)
    page.on("pageerror", lambda error: wrong.append(f"{page.url} script: {error}"))
    for path in paths:
        page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        answer = page.goto(path)
        assert answer is not None
        if answer.status != 200:
            wrong.append(f"{path}: {answer.status}")
        page.evaluate(AXE_SCRIPT)
        for width in WIDTHS:
            for scheme in SCHEMES:
                wrong += [f"{path} {width} {scheme} {one}" for one in seen(page, width, scheme)]
        page.set_viewport_size({"width": HALF_A_PHONE, "height": 450})
        if page.evaluate(_WIDTH) > HALF_A_PHONE:
            wrong.append(f"{path} is wider than a phone with letters twice as large")
        wrong += [f"{path} policy: {one}" for one in page.evaluate("window.refused")]
    return wrong + apart(page)


def apart(page: Page) -> list[str]:
    """At which widths there is no place for all that stands in the head of a page."""
    wrong = []
    for width in TABLETS:
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate(_LINE) > 12:
            wrong.append(f"{width}: who is here stands in a line of its own")
    return wrong


def seen(page: Page, width: int, scheme: str) -> list[str]:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    found = list(page.evaluate(AXE))
    if page.evaluate(_WIDTH) > width:
        found.append("is wider than the window")
    return found


def test_the_pages_of_anybody(page: Page) -> None:
    assert look_at(page, ANYBODY) == []


def test_the_pages_of_a_giver(page: Page) -> None:
    sign_in(page, "ada@demo.example")
    assert look_at(page, GIVER) == []


def test_the_pages_of_a_maker(page: Page) -> None:
    sign_in(page, "bruno@demo.example")
    page.goto("/mine/show")
    page.get_by_label("Web address").fill("https://blog.example")
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/mine/show/*")
    assert look_at(page, (*MAKER, urlsplit(page.url).path)) == []
    page.goto("/mine/show")
    page.get_by_role("button", name="Sign in at GitHub").click()
    page.get_by_role("heading", name="On to GitHub").wait_for()
    page.evaluate(AXE_SCRIPT)
    assert [one for width in WIDTHS for one in seen(page, width, "light")] == []


def test_the_pages_of_an_operator(page: Page, demo: Running) -> None:
    password = re.search(r"olga@demo\.example with the password (\S+)\.\n", demo.said)[1]
    sign_in(page, "olga@demo.example", password)
    assert look_at(page, OPERATOR) == []


def test_what_is_looked_for_would_be_found(page: Page) -> None:
    page.goto("/imprint")
    page.evaluate(AXE_SCRIPT)
    page.evaluate("""() => {
      document.querySelector("main").innerHTML = '<img src="x"><div id="wide">wide</div>';
      document.getElementById("wide").style.width = "2000px";
      document.head.append(Object.assign(document.createElement("script"), {text: "1"}));
    }""")
    found = seen(page, 390, "light")
    assert any(one.startswith("image-alt") for one in found)
    assert "is wider than the window" in found
    assert page.evaluate("window.refused") == ["script-src-elem inline"]
