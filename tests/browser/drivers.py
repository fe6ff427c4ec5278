"""Chromium and Firefox behind one small interface, each a whole browser with its own profile."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from playwright.sync_api import Browser, Frame, Page
from playwright.sync_api import Error as ChromiumError

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.firefox import Firefox, FirefoxError

WITHIN_S = 10
# A press of the window's first half second counts for nothing.
HALF_A_SECOND_S = 0.6
Found = TypeVar("Found")


class Place(Protocol):
    """A document: a page, or a frame inside one."""

    @property
    def url(self) -> str: ...
    def go(self, url: str) -> None: ...
    def inner(self, part: str) -> Self | None: ...
    def js(self, expression: str) -> Any: ...
    def click(self, css: str) -> None: ...
    def key(self, name: str) -> None: ...
    def type_text(self, text: str) -> None: ...
    def shot(self, path: Path) -> None: ...
    def close(self) -> None: ...


class Driver(Protocol):
    """A browser."""

    name: str
    version: str

    def tab(self) -> Place: ...
    def tabs(self) -> list[Any]: ...
    def cookies(self) -> list[dict[str, Any]]: ...
    def stop(self) -> None: ...


class Chromium:
    """Debian's Chromium with a profile of its own; `profile` is what its Preferences say.

    Playwright would let frames of all sites share one storage; here each site has its own, as in
    the browsers of people.
    """

    name = "Chromium"

    def __init__(
        self,
        browser: Browser,
        folder: Path,
        profile: Mapping[str, Any] | None = None,
        *,
        script: bool = True,
    ) -> None:
        (folder / "Default").mkdir(parents=True)
        (folder / "Default" / "Preferences").write_text(json.dumps({"profile": profile or {}}))
        self.version = browser.version
        self.context = browser.browser_type.launch_persistent_context(
            folder,
            executable_path=CHROMIUM,
            args=[*FLAGS, "--disable-features=HttpsUpgrades,MediaRouter"],
            java_script_enabled=script,
        )
        self.context.set_default_timeout(WITHIN_S * 1000)

    def tab(self) -> "Document":
        """A new page, in front."""
        return Document(self.context.new_page())

    def tabs(self) -> list["Document"]:
        """All pages and pop-up windows."""
        _hear(self.context.pages[0])
        return [Document(one) for one in self.context.pages]

    def cookies(self) -> list[dict[str, Any]]:
        """Every cookie it keeps."""
        return [dict(one) for one in self.context.cookies()]

    def stop(self) -> None:
        """End it."""
        self.context.close()


class Document:
    """A page of Chromium, or a frame inside one."""

    def __init__(self, page: Page, frame: Frame | None = None) -> None:
        self._page, self._frame = page, frame or page.main_frame

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Document) and other._frame is self._frame

    def __hash__(self) -> int:
        return hash(self._frame)

    @property
    def url(self) -> str:
        """Its address."""
        _hear(self._page)
        return self._frame.url

    def go(self, url: str) -> None:
        """Load an address."""
        self._frame.goto(url)

    def inner(self, part: str) -> "Document | None":
        """The first frame inside, however deep, whose address has this part."""
        _hear(self._page)
        frames = self._page.frames[1:]
        return next((Document(self._page, one) for one in frames if part in one.url), None)

    def js(self, expression: str) -> Any:
        """The value of an expression."""
        return self._frame.evaluate(expression)

    def click(self, css: str) -> None:
        """Press and release the mouse in the middle of an element."""
        self._frame.locator(css).first.click()

    def key(self, name: str) -> None:
        """Press a key, by its name or the letter on it, with the page in front."""
        # A window that closed a moment ago gives the front back to the page that opened it.
        self._page.bring_to_front()
        self._page.keyboard.press(name)

    def type_text(self, text: str) -> None:
        """Type at the element that has the focus."""
        self._page.keyboard.type(text)

    def shot(self, path: Path) -> None:
        """Keep a picture of it."""
        self._page.screenshot(path=path)

    def close(self) -> None:
        """Close the page."""
        self._page.close()


def _hear(page: Page) -> None:
    """Let Playwright learn what happened: it listens only while it is asked for something."""
    page.wait_for_timeout(1)


def firefox(folder: Path, **preferences: Any) -> Firefox:
    """A Firefox; a double underline stands for the dot in the name of a preference."""
    return Firefox(folder, {name.replace("__", "."): one for name, one in preferences.items()})


def until(look: Callable[[], Found], what: str, within_s: float = WITHIN_S) -> Found:
    """The first answer that holds; a document that changes meanwhile is looked at again."""
    end = time.monotonic() + within_s
    last: object = None
    while time.monotonic() < end:
        try:
            if found := look():
                return found
            last = found
        except (ChromiumError, FirefoxError) as error:
            last = error
        time.sleep(0.05)
    raise AssertionError(f"{what}: {last}")
