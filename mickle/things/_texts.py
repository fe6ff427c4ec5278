"""Makes text from the street fit to be shown: no markup, no controls, no overridden direction."""

import re
import unicodedata
from collections.abc import Iterable

from mickle.things.models import (
    DESCRIPTION_CHARACTERS,
    TAG_CHARACTERS,
    TAGS_AT_MOST,
    TITLE_CHARACTERS,
)

_BREAK = re.compile(r"<br\s*/?>|</p>", re.IGNORECASE)
_MARKUP = re.compile(r"<(?:!--.*?-->|[A-Za-z/!?][^<>]*>)", re.DOTALL)
_SPACE = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")
# Embeddings, overrides and isolates turn what follows round; marks (LRM, RLM, ZWJ) do no harm.
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Control, surrogate, private use, unassigned.
_UNFIT = frozenset({"Cc", "Cs", "Co", "Cn"})


def line(text: str) -> str:
    """One line of plain text."""
    return _SPACE.sub(" ", _plain(text).replace("\n", " ")).strip()


def lines(text: str) -> str:
    """Plain text that keeps its lines, without empty ones."""
    return _LINES.sub("\n", _SPACE.sub(" ", _plain(_BREAK.sub("\n", text)))).strip()


def title(text: str) -> str:
    """A title cut to its length."""
    return _cut(line(text[: TITLE_CHARACTERS * 10]), TITLE_CHARACTERS)


def description(text: str) -> str:
    """A description cut to its length."""
    return _cut(lines(text[: DESCRIPTION_CHARACTERS * 10]), DESCRIPTION_CHARACTERS)


def tags(names: Iterable[str]) -> list[str]:
    """Tags in lower case, each once, in the order given; too long and too many ones are dropped."""
    found = (line(part).lstrip("#").strip().lower() for name in names for part in name.split(","))
    kept = dict.fromkeys(name for name in found if 0 < len(name) <= TAG_CHARACTERS)
    return list(kept)[:TAGS_AT_MOST]


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _plain(text: str) -> str:
    # Most text is fit as it is; looking at each letter takes half the time of a load.
    kept = text if text.isprintable() else "".join(map(_fit, text))
    # What is left after a tag is gone may read as a tag again.
    while (less := _MARKUP.sub("", kept)) != kept:
        kept = less
    return unicodedata.normalize("NFC", kept)


def _fit(letter: str) -> str:
    if letter in "\n\t\r\v\f":
        return "\n" if letter == "\n" else " "
    unfit = letter in _DIRECTION or letter == "\ufeff" or unicodedata.category(letter) in _UNFIT
    return "" if unfit else letter
