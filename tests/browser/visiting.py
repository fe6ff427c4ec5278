"""A visitor of a page with a button: what there is to see, and how many clicks a nod takes."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.request import urlopen

from tests.browser.drivers import HALF_A_SECOND_S, Driver, Place, until
from tests.browser.hosts import Host, image, link, page, script

SHOWN = """(() => {
  const visible = one => one.checkVisibility({visibilityProperty: true});
  for (const one of document.querySelectorAll("mickle-button")) {
    const inner = one.shadowRoot?.querySelector("iframe");
    if (inner && visible(inner)) return "button";
  }
  return [...document.querySelectorAll("a")].some(visible) ? "link" : "";
})()"""
# A page that the browser made itself, to say why it shows nothing, has neither.
_WINDOW = """(() => {
  if (document.readyState !== "complete") return "";
  const heading = document.querySelector("h1")?.textContent || "";
  if (heading.startsWith("Nodded")) return "nodded";
  const form = document.querySelector("form[data-confirm]");
  if (!form) return "";
  return form.hasAttribute("data-at-once") ? "at once" : "asks";
})()"""
_READY = "document.readyState === 'complete'"
_DRAWN = "!!document.querySelector('button')"
_FOCUSED = "document.activeElement?.localName === 'button'"
PRESSED = "document.querySelector('button')?.getAttribute('aria-pressed') === 'true'"
LABEL = "document.querySelector('button').getAttribute('aria-label')"
_ASKS = ".nod.large"
_TICK = "input[name=pass]"


class Nodded(NamedTuple):
    """How somebody came to a nod; 0 clicks where there was no way."""

    clicks: int
    ticked: bool = False


@dataclass(frozen=True)
class Case:
    """How somebody's site serves its pages, and what stands around them."""

    name: str
    headers: Mapping[str, str] = field(default_factory=dict)
    nonce: str = ""
    sandbox: str | None = None


@dataclass(frozen=True)
class Visit:
    """Somebody's site of a kind, in a browser of a kind."""

    driver: Driver
    mickle: Host
    host: Host
    case: Case
    scripts: bool = True

    def puts(self, name: str) -> str:
        """Place a page with the plain link of a button and the script; what to open for it."""
        url = f"{self.host.url}/{name}"
        tag = script(self.mickle.url, **({"nonce": self.case.nonce} if self.case.nonce else {}))
        body = link(self.mickle.url, url, image(self.mickle.url, url)) + tag
        headers = {
            key: value.replace("MICKLE", self.mickle.url)
            for key, value in self.case.headers.items()
        }
        self.host.put(f"/{name}", page(body), **headers)
        if self.case.sandbox is None:
            return url
        inside = f'<iframe sandbox="{self.case.sandbox}" src="/{name}" width="500" height="300">'
        return self.host.put(f"/around-{name}", page(inside + "</iframe>"))

    def opens(self, name: str, expected: str) -> tuple[Place, Place]:
        """The tab, and the page with the button, once what is expected is seen there."""
        opened = self.puts(name)
        tab = self.driver.tab()
        tab.go(opened)
        place = tab
        if self.case.sandbox is not None:
            place = until(lambda: tab.inner(f"/{name}"), "the page inside")
        until(lambda: place.js(_READY), "the page has loaded")
        if expected == "link":
            # A button would have drawn itself by now.
            time.sleep(1)
        until(lambda: place.js(SHOWN) == expected, f"a {expected}")
        return tab, place

    def button(self, tab: Place) -> Place | None:
        """The document inside the frame of the button."""
        return tab.inner(f"{self.mickle.url}/b/frame")

    def nods(self, tab: Place, place: Place, *, keys: bool = False) -> Nodded:
        """Click, and do in the window what it asks for; with keys, by Tab and Enter alone."""
        before = self.driver.tabs()
        frame = self.button(tab)
        if frame and frame.js(_DRAWN) and place.js(SHOWN) == "button":
            if keys:
                tab.key("Tab")
                # A frame of another site is another process, which hears of the focus later.
                until(lambda: frame.js(_FOCUSED), "the focus in the button")
                frame.key("Enter")
            else:
                frame.click("button")
        else:
            place.click("a")

        def came() -> list[Any]:
            fresh = [one for one in self.driver.tabs() if one not in before]
            return fresh or [None] * bool(frame and frame.js(PRESSED))

        window = until(came, "a window or a nod")[0]
        if window is None:
            return Nodded(1)
        try:
            nodded = self.confirms(window, keys=keys)
            if frame and window.js("!!window.opener"):
                until(lambda: frame.js(PRESSED), "a button that heard of it")
            return nodded
        finally:
            window.close()

    def confirms(self, window: Place, *, keys: bool) -> Nodded:
        """What the window takes."""
        try:
            state = until(lambda: window.js(_WINDOW), "the window")
        except AssertionError:
            return Nodded(0)
        # Without scripts it is a page like any other.
        if state == "at once" and self.scripts:
            until(lambda: window.js(_WINDOW) == "nodded", "the nod")
            state = "nodded"
        if state == "nodded":
            return Nodded(1)
        time.sleep(HALF_A_SECOND_S)
        if keys:
            until(lambda: window.js(_FOCUSED), "the focus in the window")
            window.key("Enter")
            until(lambda: window.js(_WINDOW) == "nodded", "the nod")
            return Nodded(2)
        ticked = bool(window.js(f"document.querySelector('{_TICK}')?.checkVisibility()"))
        if ticked:
            window.click(_TICK)
        window.click(_ASKS)
        until(lambda: window.js(_WINDOW) == "nodded", "the nod")
        return Nodded(2, ticked)

    def count(self, name: str) -> int:
        """The number of the page's nods as everybody sees it."""
        with urlopen(f"{self.mickle.url}/b/count?url={self.host.url}/{name}") as answer:
            return int(json.load(answer)["count"])


def sign_in(driver: Driver, mickle: Host, email: str) -> None:
    """By the code that a demo shows."""
    tab = driver.tab()
    tab.go(mickle.url + "/sign-in")
    tab.click("input[type=email]")
    tab.type_text(email)
    tab.click("main form button.act")
    code = until(lambda: tab.js("document.querySelector('#shown-code')?.textContent"), "a code")
    tab.click("[name=code]")
    tab.type_text(code.strip())
    tab.key("Enter")
    until(lambda: tab.url.endswith("/month"), "the month")
    tab.close()


def identifiers(mickle: Host, since: int) -> list[str]:
    """What was asked of Mickle that could name somebody, or was no part of a button."""
    return [
        f"{one.method} {one.path} {one.headers.get('cookie', '')}"
        for one in mickle.asked[since:]
        if "cookie" in one.headers or not one.path.startswith("/b/")
    ]
