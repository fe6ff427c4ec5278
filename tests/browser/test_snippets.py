"""The snippets in Chromium's engine: a click copies each, without scripts they can be read."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Running, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = Running(tmp_path_factory.mktemp("demo") / "data", "--demo")
    yield server
    server.stop()


def opened(page: Page, url: str) -> Page:
    """The page of a thing with everything unfolded, as somebody would: by clicking."""
    page.goto(url)
    page.locator("#button > details > summary").click()
    for summary in page.locator("details.place:not([open]) > summary").all()[::-1]:
        summary.click()
    return page


def test_each_snippet_is_copied_by_one_click(shell: Browser, demo: Running) -> None:
    context = shell.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = opened(context.new_page(), f"{demo.url}/thing/1")
    figures = page.locator("figure.snippet:has(code)").all()
    assert len(figures) == 17
    for figure in figures:
        figure.get_by_role("button").click()
        figure.get_by_text("Copied").wait_for()
        shown = figure.locator("code").inner_text()
        assert page.evaluate("navigator.clipboard.readText()") == shown
    context.close()


def test_without_scripts_every_snippet_can_be_read(shell: Browser, demo: Running) -> None:
    context = shell.new_context(java_script_enabled=False)
    page = opened(context.new_page(), f"{demo.url}/thing/1")
    assert all(code.is_visible() for code in page.locator("figure.snippet code").all())
    assert not any(button.is_visible() for button in page.locator("[data-copy]").all())
    context.close()


def test_the_code_is_drawn_only_when_somebody_looks(shell: Browser, demo: Running) -> None:
    page = shell.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{demo.url}/thing/1", wait_until="networkidle")
    assert not any("/b/qr." in url for url in asked)
    opened(page, f"{demo.url}/thing/1")
    page.locator("img.qr").scroll_into_view_if_needed()
    until(page, "document.querySelector('img.qr').naturalWidth > 100")
    page.close()
