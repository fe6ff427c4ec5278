"""`mickle identify`: which thing an address is, and the rule that says so."""

import json
import sys
from collections.abc import Iterator
from io import TextIOWrapper
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from mickle.lib import urls
from mickle.lib.errors import Refused
from mickle.lib.urls import BadUrl, Identity
from mickle.ops.catalogue import COMMANDS
from mickle.ops.parsing import Command as Base

_STANDARD_INPUT = "-"
_SHOWN_CHARACTERS = 80


class Command(Base):
    """Answers a line for each address; needs no instance, and asks no net."""

    help = COMMANDS["identify"]
    example = "mickle identify https://youtu.be/dQw4w9WgXcQ"

    def add_arguments(self, parser: CommandParser) -> None:
        """The addresses, and in which form to answer."""
        parser.add_argument(
            "urls",
            metavar="URL",
            nargs="*",
            help="an address; without any, or for -, each line of the standard input is one",
        )
        parser.add_argument("--json", action="store_true", help="answer for a program")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Answer each; exits 1 at the end where one was no address of a page."""
        if not settings.configured:
            # Sentences then need no language, and so no instance that has one.
            settings.configure(USE_I18N=False)
        try:
            answered = [self._answer(url, options) for url in _given(options["urls"])]
        except KeyboardInterrupt:
            raise Refused("Stopped. Nothing was changed.") from None
        if not all(answered):
            raise SystemExit(1)

    def _answer(self, url: str, options: dict[str, Any]) -> bool:
        """Say what an address is, or why it is none; whether it is one."""
        try:
            found = urls.identify(url)
        except BadUrl as bad:
            if options["json"]:
                self.say(json.dumps({"url": url, "refused": str(bad)}))
            else:
                self.stderr.write(f"{_shown(url)}: {bad}")
            return False
        if options["json"]:
            self.say(json.dumps({"url": url} | _facts(found)))
        else:
            self.say(f"{found.identity}  ({found.rule})")
        return True


def _given(words: list[str]) -> Iterator[str]:
    for word in words or [_STANDARD_INPUT]:
        if word == _STANDARD_INPUT:
            if isinstance(sys.stdin, TextIOWrapper):
                # A line in another encoding is no address; it stops no other.
                sys.stdin.reconfigure(errors="surrogateescape")
            yield from (line.strip() for line in sys.stdin if line.strip())
        else:
            yield word


def _facts(found: Identity) -> dict[str, object]:
    made = urls.maker(found)
    return {
        "identity": found.identity,
        "rule": found.rule,
        "opens": found.url,
        "host": found.display_host,
        "maker": made and made._asdict(),
    }


def _shown(url: str) -> str:
    """A text from anybody for a terminal, which obeys more than letters."""
    text = url if url.isprintable() else ascii(url)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
