"""The story in Chromium's engine, on each database: ten nods elsewhere become ten times 0.45.

On PostgreSQL the browser of those who make the pages runs no scripts.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import databases
from tests.browser.conftest import Blog, Running

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MAKERS = 10
IBAN = "DE89370400440532013000"


@pytest.fixture
def running(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    """A fresh instance on the database asked for."""
    if request.param == "sqlite":
        running = Running(tmp_path / "data")
        yield running
        running.stop()
        return
    server = databases.Server()
    server.start()
    running = Running(tmp_path / "data", database=server.url)
    yield running
    running.stop()
    server.stop()


class Person:
    """Somebody at a browser of their own, with cookies of their own."""

    def __init__(self, shell: Browser, running: Running, *, scripts: bool = True) -> None:
        self.context = shell.new_context(
            base_url=running.url, accept_downloads=True, java_script_enabled=scripts
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(15_000)

    def press(self, name: str) -> None:
        """Press the one button with this name."""
        self.page.get_by_role("button", name=name).first.click()

    def sign_up(self, email: str) -> "Person":
        """Type the address, read the code that a demo shows, type it."""
        self.page.goto("/sign-up")
        return self.finish_sign_up(email)

    def finish_sign_up(self, email: str) -> "Person":
        """From the form of the address to the signed-in member."""
        self.page.get_by_label("E-mail").fill(email)
        self.press("Send me the code")
        code = self.page.locator("#shown-code").inner_text()
        self.page.get_by_label("Code").fill(code)
        self.press("Continue")
        return self

    def top_up(self, amount: str) -> None:
        """Put play money in."""
        self.page.goto("/top-up")
        self.page.get_by_label("Amount").fill(amount)
        self.press("Top up with play money")
        expect(self.page.locator("body")).to_contain_text(amount)

    def away(self) -> None:
        """Leave the browser to the next; what it kept is taken along."""
        self.cookies = self.context.cookies()
        self.context.clear_cookies()

    def back(self) -> None:
        """Come back to a browser that others used meanwhile."""
        self.context.clear_cookies()
        self.context.add_cookies(self.cookies)


class Next(Person):
    """Somebody at a browser that somebody else has left: no second one has to be started."""

    def __init__(self, before: Person) -> None:
        self.context, self.page = before.context, before.page


def begin(shell: Browser, running: Running) -> Person:
    """Follow the one-time link and become the operator of a demo."""
    ines = Person(shell, running)
    ines.page.goto(re.search(r"http://\S+/setup/\S+", running.said)[0])
    ines.page.get_by_label("Your e-mail").fill("ines@example.org")
    ines.press("Begin")
    expect(ines.page.locator("body")).to_contain_text("Demo with play money")
    return ines


def add_page(maker: Person, url: str, title: str) -> None:
    """The maker says that the page is theirs."""
    maker.page.goto("/mine/add")
    maker.page.get_by_label("Address").fill(url)
    maker.page.get_by_label("Title").fill(title)
    maker.page.get_by_label("How can it be seen").fill("My name is under it.")
    maker.press("Add it")
    expect(maker.page.locator("main")).to_contain_text(title)


def grant_all(ines: Person, pages: int) -> None:
    """The operator looks at what was said, and grants one after the other."""
    ines.page.goto("/operator/claims")
    grants = ines.page.get_by_role("button", name="Grant")
    for left in range(pages, 0, -1):
        expect(grants).to_have_count(left)
        grants.first.click()
    expect(grants).to_have_count(0)


def move_clock(ines: Person, to: datetime) -> None:
    ines.page.goto("/operator/clock")
    ines.page.locator("[name=to]").fill(f"{to:%Y-%m-%dT%H:%M}")
    ines.press("Move it")


def nod_on(reader: Person, blog: Blog, number: int) -> Page:
    """Click the plain link on the other host's page; returns the nod page it opens."""
    essay = reader.page
    essay.goto(blog.address(number))
    with reader.context.expect_page() as opened:
        essay.get_by_role("link", name="Nod at this").click()
    # The window ignores a click of its first half second, which was meant for the page before.
    opened.value.wait_for_load_state()
    opened.value.wait_for_timeout(600)
    opened.value.get_by_role("button", name="Nod at this").click()
    return opened.value


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The longest of all: with scripts on SQLite and without them on PostgreSQL, day about."""
    if "scripts" in metafunc.fixturenames:
        days = 1 if databases.names_some(metafunc.config) else 2
        both = [("sqlite", True), ("postgresql", False)]
        rows = databases.drawn(metafunc.config, both, days=days)
        ids = [name for name, _scripts in rows]
        metafunc.parametrize(("running", "scripts"), rows, indirect=["running"], ids=ids)


def test_ten_nods_become_ten_times_forty_five_cents_and_an_eleventh_withdraws(
    shell: Browser, running: Running, blog: Blog, scripts: bool
):
    ines = begin(shell, running)
    makers: list[Person] = []
    for number in range(MAKERS + 1):
        maker = Next(makers[-1]) if makers else Person(shell, running, scripts=scripts)
        maker.sign_up(f"maker-{number}@example.org")
        maker.top_up("2.00")
        add_page(maker, blog.address(number), f"Essay number {number}")
        maker.away()
        makers.append(maker)
    grant_all(ines, len(makers))
    alice = nods_first_and_pays_after(shell, running, blog)
    nods_once_with_a_large_coin(shell, running, blog)

    today = datetime.now(UTC)
    move_clock(ines, (today.replace(day=1) + timedelta(days=32)).replace(day=2))
    ines.page.goto("/operator")
    ines.page.get_by_role("button", name=re.compile("^Settle")).click()
    expect(ines.page.locator("body")).to_contain_text("0.000000")

    alice.page.goto(f"/statements/{today:%Y-%m}")
    expect(alice.page.locator("h1")).to_contain_text("10 nods, one coin of €5.00")
    for maker in makers[:MAKERS]:
        maker.back()
        maker.page.goto("/revenue")
        expect(maker.page.locator("main")).to_contain_text("€0.45")
    withdraws(makers[MAKERS])
    assert '<InstdAmt Ccy="EUR">12.34</InstdAmt>' in pays_out(ines)
    ines.page.goto("/operator?audit=yes")
    expect(ines.page.locator("body")).to_contain_text("Balances equal transfers")
    assert "Traceback" not in running.said


def nods_first_and_pays_after(shell: Browser, running: Running, blog: Blog) -> Person:
    """Alice's first nod waits while she signs up; then she puts 5 EUR in and nods at nine more."""
    alice = Person(shell, running)
    window = nod_on(alice, blog, 0)
    expect(window.locator("h1")).to_contain_text("kept for 30 minutes")
    window.get_by_role("link", name="Sign up").click()
    alice.page.close()
    alice.page = window
    alice.finish_sign_up("alice@example.org")
    expect(alice.page.locator("h1")).to_contain_text("Your funds are empty")
    alice.top_up("5.00")
    for number in range(1, MAKERS):
        expect(nod_on(alice, blog, number).locator("h1")).to_contain_text("Nodded. Thank you.")
    alice.page.goto("/month")
    expect(alice.page.locator("h2").first).to_contain_text("10 nods, €0.50 each")
    return alice


def nods_once_with_a_large_coin(shell: Browser, running: Running, blog: Blog) -> None:
    """Dora gives all of a coin of 13.72 to the eleventh."""
    dora = Person(shell, running).sign_up("dora@example.org")
    dora.page.goto("/settings")
    dora.page.get_by_label("Your coin").fill("13.72")
    dora.press("Keep this budget")
    dora.top_up("13.72")
    expect(nod_on(dora, blog, MAKERS).locator("h1")).to_contain_text("Nodded. Thank you.")


def withdraws(maker: Person) -> None:
    """The eleventh says where to, sees the cost and withdraws 12.34."""
    maker.back()
    maker.page.goto("/withdraw")
    maker.page.get_by_label("Account holder").fill("Eleventh Maker")
    maker.page.get_by_label("IBAN").fill(IBAN)
    maker.press("Keep this account")
    maker.page.get_by_label("Amount").fill("12.34")
    maker.press("See what it costs")
    maker.press("Withdraw")
    expect(maker.page.locator("main")).to_contain_text("0.00")


def pays_out(ines: Person) -> str:
    """The operator writes the file, downloads it and says that the bank did it; the file's text."""
    ines.page.goto("/operator/payouts")
    ines.press("Write one file for the bank")
    with ines.page.expect_download() as download:
        ines.page.get_by_role("link", name=re.compile(r"\.xml$")).first.click()
    text = download.value.path().read_text()
    assert "pain.001.001.09" in text
    ines.press("The bank did all of it")
    return text
