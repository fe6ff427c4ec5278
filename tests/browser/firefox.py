"""Debian's Firefox by WebDriver BiDi over a web socket; it needs no other program."""

import base64
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

FIREFOX = "/usr/bin/firefox-esr"
ANSWER_WITHIN_S = 30
_LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
# A fresh profile would open pages of its own and ask its maker for news.
_QUIET = {
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
}
# And what of it is there, for the one who has to find out what it waits for.
_LOADED = """document.readyState + " " + JSON.stringify(
  performance.getEntriesByType("resource").map(one => [one.name, one.responseEnd]))"""
KEYS = {"Enter": "\ue007", "Space": " ", "Tab": "\ue004"}


class FirefoxError(Exception):
    """What the browser said instead of doing as it was told."""


class Unanswered(FirefoxError):
    """A command that nothing was said to for long."""


class Firefox:
    """A browser with a profile of its own; `preferences` are those of about:config."""

    name = "Firefox"

    def __init__(self, folder: Path, preferences: Mapping[str, Any] | None = None) -> None:
        folder.mkdir(parents=True)
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in {**_QUIET, **(preferences or {})}.items()
        ]
        (folder / "user.js").write_text("".join(lines))
        self.log = folder / "said.txt"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [
                    FIREFOX,
                    *("--headless", "--no-remote", "--profile", str(folder)),
                    *("--remote-debugging-port", "0"),
                ],
                stdout=log,
                stderr=log,
                env={**os.environ, "HOME": str(folder), "MOZ_HEADLESS": "1"},
                start_new_session=True,
            )
        self._number = 0
        self._open = ExitStack()
        try:
            address = self._listens() + "/session"
            self._socket = self._open.enter_context(connect(address, max_size=None))
            told = self("session.new", capabilities={})
        except BaseException:
            self.stop()
            raise
        self.version: str = told["capabilities"]["browserVersion"]

    def _listens(self) -> str:
        """Where it listens, once it does."""
        until = time.monotonic() + 2 * ANSWER_WITHIN_S
        while time.monotonic() < until:
            if found := _LISTENS.search(self.log.read_text()):
                return found[1]
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise FirefoxError(self.log.read_text())

    def __call__(self, method: str, **params: Any) -> Any:
        """Send one command and wait for what it came to; events are dropped."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            try:
                answer = json.loads(self._socket.recv(ANSWER_WITHIN_S))
            except TimeoutError as error:
                raise Unanswered(f"{method} {params}") from error
            if answer.get("id") != self._number:
                continue
            if answer["type"] == "error":
                raise FirefoxError(f"{method}: {answer['error']}: {answer['message']}")
            return answer["result"]

    def tab(self) -> "Place":
        """A new page, in front."""
        return Place(self, self("browsingContext.create", type="tab")["context"])

    def tabs(self) -> list["Place"]:
        """All pages and pop-up windows."""
        tree = self("browsingContext.getTree", maxDepth=0)["contexts"]
        return [Place(self, one["context"]) for one in tree]

    def cookies(self) -> list[dict[str, Any]]:
        """Every cookie it keeps; `partition` names the site around."""
        return list(self("storage.getCookies")["cookies"])

    def stop(self) -> None:
        """End it and every process it started."""
        if hasattr(self, "_socket"):
            with suppress(Exception):
                self("browser.close")
        self._open.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=5)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=5)


class Place:
    """A document: a page, or a frame inside one."""

    def __init__(self, firefox: Firefox, context: str) -> None:
        self._firefox, self.context = firefox, context

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place) and other.context == self.context

    def __hash__(self) -> int:
        return hash(self.context)

    def go(self, url: str) -> None:
        """Load an address.

        Under load Firefox was seen to say nothing of it for good; then the page itself is asked.
        """
        try:
            self._firefox(
                "browsingContext.navigate", context=self.context, url=url, wait="complete"
            )
        except Unanswered as error:
            found = f"{self.url} {self.js(_LOADED)}"
            if not re.match(r"http\S+ complete", found):
                raise FirefoxError(f"{url} does not load: {found}") from error

    @property
    def url(self) -> str:
        """Its address."""
        return str(self._tree()["url"])

    def _tree(self) -> dict[str, Any]:
        tree = self._firefox("browsingContext.getTree", root=self.context)["contexts"]
        return dict(tree[0])

    def inner(self, part: str) -> "Place | None":
        """The first frame inside, however deep, whose address has this part."""
        waiting = list(self._tree()["children"] or [])
        while waiting:
            one = waiting.pop(0)
            if part in one["url"]:
                return Place(self._firefox, one["context"])
            waiting += one["children"] or []
        return None

    def js(self, expression: str) -> Any:
        """The value of an expression; only text, numbers and truths come back."""
        told = self._firefox(
            "script.evaluate",
            expression=expression,
            target={"context": self.context},
            awaitPromise=True,
        )
        if told["type"] != "success":
            raise FirefoxError(told["exceptionDetails"]["text"])
        return told["result"].get("value")

    def click(self, css: str) -> None:
        """Press and release the mouse in the middle of an element."""
        self.js(f"document.querySelector({json.dumps(css)})?.scrollIntoView({{block: 'nearest'}})")
        found = self._firefox(
            "browsingContext.locateNodes",
            context=self.context,
            locator={"type": "css", "value": css},
        )
        if not found["nodes"]:
            raise FirefoxError(f"nothing at {css}")
        element = {"type": "element", "element": {"sharedId": found["nodes"][0]["sharedId"]}}
        deeds = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": element},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self._act({"type": "pointer", "id": "mouse", "actions": deeds})

    def key(self, name: str) -> None:
        """Press a key, by its name or the letter on it."""
        self.type_text(KEYS.get(name, name))

    def type_text(self, text: str) -> None:
        """Type at the element that has the focus."""
        deeds = [
            {"type": kind, "value": letter} for letter in text for kind in ("keyDown", "keyUp")
        ]
        self._act({"type": "key", "id": "keys", "actions": deeds})

    def _act(self, source: dict[str, Any]) -> None:
        self._firefox("input.performActions", context=self.context, actions=[source])

    def shot(self, path: Path) -> None:
        """Keep a picture of it."""
        told = self._firefox("browsingContext.captureScreenshot", context=self.context)
        path.write_bytes(base64.b64decode(told["data"]))

    def close(self) -> None:
        """Close the page."""
        self._firefox("browsingContext.close", context=self.context)
