"""The playground in Chromium's engine: it shows the button itself, and follows what is typed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Running

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = Running(tmp_path_factory.mktemp("playground") / "data", "--demo")
    yield server
    server.stop()


@pytest.fixture
def page(shell: Browser, demo: Running) -> Iterator[Page]:
    context = shell.new_context(
        base_url=demo.url, permissions=["clipboard-read", "clipboard-write"]
    )
    yield context.new_page()
    context.close()


def code(page: Page):
    return page.locator("#made code").first


def test_the_button_follows_what_is_typed_and_its_snippet_is_copied(page, demo):
    page.goto("/buttons")
    inner = page.locator("mickle-button iframe").content_frame.locator("button")
    expect(inner).to_have_attribute("aria-label", "Nod, 0 nods")
    page.get_by_label("Its title").fill("An essay")
    page.get_by_label("Size").select_option("tall")
    page.get_by_label("Language").select_option("de")
    page.get_by_label("Colour").select_option("dark")
    page.get_by_label("Live").check()
    expect(code(page)).to_contain_text('title="An essay" size="tall" theme="dark" lang="de" live')
    expect(inner).to_have_attribute("aria-label", "Danke sagen, 0 Danke: An essay")
    assert page.locator("mickle-button").bounding_box()["height"] == 62
    page.get_by_role("button", name="Copy Element").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f'<script async src="{demo.url}/b/b.js"></script>\n<mickle-button ')
    assert "size=tall" in page.url
    page.reload()
    expect(page.get_by_label("Its title")).to_have_value("An essay")


def test_an_address_that_is_none_is_said_at_once(page):
    page.goto("/buttons")
    page.get_by_label("Address of your page").fill("javascript:alert(1)")
    expect(page.locator("#made [role=alert]")).to_be_visible()
    assert page.locator("mickle-button").count() == 0


def test_without_scripts_it_is_a_form_with_the_drawn_button(shell, demo):
    context = shell.new_context(base_url=demo.url, java_script_enabled=False)
    found = context.new_page()
    found.goto("/buttons")
    found.get_by_label("Address of your page").fill("https://blog.example/essay")
    found.get_by_label("Size").select_option("compact")
    found.get_by_role("button", name="Show it").click()
    expect(code(found)).to_contain_text('url="https://blog.example/essay" size="compact"')
    expect(found.locator("mickle-button img")).to_have_js_property("naturalWidth", 110)
    expect(found.locator("mickle-button a")).to_have_attribute(
        "href", "/nod?url=https%3A%2F%2Fblog.example%2Fessay"
    )
    context.close()
