"""The button on pages of every kind in real browsers; the table of the docs says what to expect."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests import databases
from tests.browser.conftest import Running
from tests.browser.drivers import Chromium, Driver, firefox, until
from tests.browser.hosts import Host
from tests.browser.visiting import LABEL, PRESSED, Case, Visit, identifiers, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TABLE = Path(__file__).parents[2] / "docs" / "explanation" / "button.md"
_ROW = re.compile(
    r"^\| (?P<page>[^|]+?) \| (?P<Chromium>[^|]+?) \| (?P<Firefox>[^|]+?) \|$", re.MULTILINE
)
_CELL = re.compile(r"(button|link): (?:(\d), then (\d)|none)")

_POPUPS = "allow-scripts allow-popups"
_ESCAPE = f"{_POPUPS} allow-popups-to-escape-sandbox"
PLAIN = Case("plain")
CASES = {
    "no policy": PLAIN,
    "CSP `default-src 'self'`": Case("strict", {"content_security_policy": "default-src 'self'"}),
    "CSP with a nonce and the button's origin": Case(
        "nonce",
        {
            "content_security_policy": "default-src 'none'; script-src 'nonce-abc'; "
            "frame-src MICKLE; connect-src MICKLE; img-src MICKLE"
        },
        nonce="abc",
    ),
    "COEP `require-corp`": Case("coep", {"cross_origin_embedder_policy": "require-corp"}),
    "COOP `same-origin`": Case("coop", {"cross_origin_opener_policy": "same-origin"}),
    "in a sandbox, pop-ups escape": Case("escape", sandbox=_ESCAPE),
    "in a sandbox, origin kept, pop-ups escape": Case(
        "origin", sandbox=f"{_ESCAPE} allow-same-origin"
    ),
    "in a sandbox, pop-ups stay in it": Case("inside", sandbox=f"{_POPUPS} allow-forms"),
}
# With a pass and through the window.
BY_KEYS = ("no policy", "COOP `same-origin`")
KINDS = {
    "third-party cookies blocked": "blocked",
    "third-party cookies allowed": "allowed",
    "no scripts": "scriptless",
}
Make = Callable[[Browser, Path], Driver]
BROWSERS: dict[str, Make] = {
    "Chromium shipped": Chromium,
    "Chromium blocked": lambda browser, folder: Chromium(
        browser, folder, {"cookie_controls_mode": 1, "block_third_party_cookies": True}
    ),
    "Chromium allowed": lambda browser, folder: Chromium(
        browser, folder, {"cookie_controls_mode": 0, "block_third_party_cookies": False}
    ),
    "Chromium scriptless": lambda browser, folder: Chromium(browser, folder, script=False),
    "Firefox shipped": lambda _browser, folder: firefox(folder),
    "Firefox blocked": lambda _browser, folder: firefox(folder, network__cookie__cookieBehavior=1),
    "Firefox allowed": lambda _browser, folder: firefox(folder, network__cookie__cookieBehavior=0),
    "Firefox scriptless": lambda _browser, folder: firefox(folder, javascript__enabled=False),
}
# Codes to sign in with are rare, so each browser is somebody else's.
NAMES = ("ada", "amir", "anouk", "bao", "bela", "chidi", "cora", "dag")
PEOPLE = dict(zip(BROWSERS, NAMES, strict=True))
ROWS = {**dict.fromkeys(CASES, "shipped"), **KINDS}
# Of each row now the one browser comes first, and now the other.
EVERYTHING = [
    (f"{name} {kind}", row)
    for place, (row, kind) in enumerate(ROWS.items())
    for name in (("Chromium", "Firefox"), ("Firefox", "Chromium"))[place % 2]
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each row in one browser a day, half of them in either, and in both when they are named."""
    if "row" in metafunc.fixturenames:
        days = 1 if databases.names_some(metafunc.config) else 2
        drawn = sorted(databases.drawn(metafunc.config, EVERYTHING, days=days))
        metafunc.parametrize(("browser", "row"), drawn)


@pytest.fixture(scope="module")
def mickle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A filled instance behind a proxy that sees what browsers send."""
    server = Running(tmp_path_factory.mktemp("matrix") / "data", "--demo")
    wire = Host("127.0.0.1", behind=server.url)
    yield wire
    wire.stop()
    server.stop()


class Signed:
    """Browsers in which somebody is signed in; one is open at a time."""

    def __init__(self, chromium: Browser, mickle: Host, folder: Path) -> None:
        self._chromium, self._mickle, self._folder = chromium, mickle, folder
        self._open: dict[str, Driver] = {}

    def into(self, name: str) -> Driver:
        """The browser of this name."""
        if name not in self._open:
            self.stop()
            found = BROWSERS[name](self._chromium, self._folder / name)
            self._open[name] = found
            sign_in(found, self._mickle, f"{PEOPLE[name]}@demo.example")
        return self._open[name]

    def stop(self) -> None:
        """Close what is open."""
        while self._open:
            self._open.popitem()[1].stop()


@pytest.fixture(scope="module")
def signed(
    chromium: Browser, mickle: Host, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Signed]:
    found = Signed(chromium, mickle, tmp_path_factory.mktemp("profiles"))
    yield found
    found.stop()


@pytest.fixture
def driver(signed: Signed, browser: str) -> Driver:
    return signed.into(browser)


@pytest.fixture
def visit(driver: Driver, mickle: Host, row: str) -> Iterator[Visit]:
    """A site of the kind; its name is one of its own, and so is what browsers keep for it."""
    case = CASES.get(row, PLAIN)
    host = Host(f"blog-{case.name}.localhost")
    yield Visit(driver, mickle, host, case, scripts=row != "no scripts")
    host.stop()
    for one in driver.tabs()[1:]:
        one.close()


def expected(row: str, browser: str) -> tuple[str, int, int]:
    """What is seen, and the clicks of the first and of the next nod; 0 where there is no way."""
    rows = {found["page"]: found[browser] for found in _ROW.finditer(TABLE.read_text())}
    seen, first, second = _CELL.fullmatch(rows[row]).groups()
    return seen, int(first or 0), int(second or 0)


def test_what_a_page_shows_and_how_many_clicks_a_nod_takes(
    driver: Driver, row: str, visit: Visit, mickle: Host
) -> None:
    seen, first, second = expected(row, driver.name)
    before, exchanges = len(mickle.asked), mickle.count("/c/exchange")
    tab, place = visit.opens("one", seen)
    assert identifiers(mickle, before) == []
    nodded = visit.nods(tab, place)
    assert nodded.clicks == first
    if not first:
        assert visit.count("one") == 0
        return
    if seen == "button" and nodded.ticked:
        until(lambda: mickle.count("/c/exchange") > exchanges, "the pass")
        until(lambda: visit.button(tab).js(LABEL) == "Nodded, 1 nod", "the count")
    before = len(mickle.asked)
    tab, place = visit.opens("two", seen)
    assert identifiers(mickle, before) == []
    assert visit.nods(tab, place).clicks == second
    if seen == "button" and visit.button(tab).js(PRESSED):
        until(lambda: visit.button(tab).js(LABEL) == "Nodded, 1 nod", "the count")
    until(lambda: visit.count("one") == visit.count("two") == 1, "the counts")
    if row in BY_KEYS:
        assert visit.nods(*visit.opens("three", seen), keys=True).clicks == second
    asked = [one for one in mickle.asked if one.path.startswith("/b/")]
    assert [one.path for one in asked if "cookie" in one.headers] == []
    assert [told for told in mickle.told if told[0] == "set-cookie" and "/b/" in told[1]] == []


def test_every_row_of_the_table_is_measured() -> None:
    rows = [found["page"] for found in _ROW.finditer(TABLE.read_text())]
    assert sorted(rows[2:]) == sorted([*CASES, *KINDS])
