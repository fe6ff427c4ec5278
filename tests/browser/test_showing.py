"""In a real Chromium on a phone: a maker shows a site, and what waited for it is there at once."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from mickle.lib import money, shared_hosts
from tests.browser.conftest import Running
from tests.browser.street import Street
from tests.browser.test_pages import AXE_SCRIPT, WATCH, WIDTHS, seen, sign_in
from tests.lib.street import page as answer

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_WAITS = """
SELECT t.host, l.gross_micros FROM settlement_line l JOIN things_thing t ON t.id = l.thing_id
WHERE l.state = 'WAITING' AND t.owner_id IS NULL
"""
_EARNED = """
SELECT COALESCE(SUM(a.balance_micros), 0) FROM ledger_account a
JOIN members_member m ON m.id = a.holder_id WHERE a.kind = 'REVENUE' AND m.username = 'demo-cleo'
"""


class Demo(NamedTuple):
    """An instance that reads the web of a street, and what waits there for the maker of a host."""

    running: Running
    street: Street
    data: Path

    def asks(self, sql: str) -> list[tuple]:
        with sqlite3.connect(self.data / "mickle.sqlite3") as raw:
            return raw.execute(sql).fetchall()

    def waits(self) -> tuple[str, int]:
        """The host of one party for which most waits, and what its maker gets of it."""
        nets: dict[str, int] = {}
        for host, gross in self.asks(_WAITS):
            if shared_hosts.tenant(host, "/") == host:
                nets[host] = nets.get(host, 0) + gross - money.fee(gross, 1_000)
        return max(nets.items(), key=lambda one: one[1])


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Demo]:
    street = Street(tmp_path)
    monkeypatch.setenv("MICKLE_FETCH", "on")
    monkeypatch.setenv("MICKLE_FETCH_PROXY", street.url)
    monkeypatch.setenv("SSL_CERT_FILE", str(street.authority))
    running = Running(tmp_path / "data", "--demo")
    yield Demo(running, street, tmp_path / "data")
    running.stop()
    street.stop()


@pytest.fixture
def phone(shell: Browser, demo: Demo) -> Iterator[Page]:
    context = shell.new_context(
        base_url=demo.running.url, viewport={"width": 390, "height": 844}, has_touch=True
    )
    context.add_init_script(WATCH)
    yield context.new_page()
    context.close()


def test_a_maker_shows_a_site_on_a_phone_and_has_what_waited(demo: Demo, phone: Page) -> None:
    host, net = demo.waits()
    before = demo.asks(_EARNED)[0][0]
    sign_in(phone, "cleo@demo.example")
    phone.goto("/mine")
    phone.get_by_role("link", name="Show what is yours").first.tap()
    phone.get_by_label("Web address").fill(f"https://{host}")
    phone.locator("input[value=META]").check()
    phone.get_by_role("button", name="Go on").tap()
    line = phone.locator("figure code").inner_text()
    demo.street.pages[host, "/"] = answer(f"<head>{line}</head>".encode())

    phone.get_by_role("button", name="Look now").tap()
    expect(phone.locator("#state")).to_contain_text("is yours here", timeout=20_000)

    assert (host, "/") in demo.street.asked
    phone.evaluate(AXE_SCRIPT)
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            assert seen(phone, width, scheme) == []
    phone.set_viewport_size({"width": 390, "height": 844})
    phone.goto("/mine")
    expect(phone.locator("main")).to_contain_text(host)
    released(phone, demo, before + net)
    phone.goto("/month")
    earned = money.whole_minor(before + net) / 1_000_000
    expect(phone.locator("main")).to_contain_text(f"Earned this month: €{earned:.2f}")
    assert phone.evaluate("window.refused") == []


def released(phone: Page, demo: Demo, micros: int) -> None:
    """Wait until a worker has let go what waited, to the micro; the page of earnings is open."""
    for _look in range(100):
        if demo.asks(_EARNED) == [(micros,)]:
            break
        phone.wait_for_timeout(100)
    assert demo.asks(_EARNED) == [(micros,)]
    phone.goto("/revenue")
