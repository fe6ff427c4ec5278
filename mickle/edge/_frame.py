"""The frame: a document that holds one button. Pure.

Empty it serves every button of a page, which says in its fragment what it is; asked for one thing
it holds the count, and works as a plain link until its script runs.
"""

import json
import unicodedata
from functools import lru_cache
from html import escape
from urllib.parse import urlencode

from mickle.edge import _drawing
from mickle.edge._words import WORDS, why

TITLE_CHARACTERS = 200
# Control, format (turns of direction among them) and separators of lines.
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})
# The two that join and part letters of Persian, Hindi and emoji turn nothing.
_JOINERS = "\u200c\u200d"


def clean(title: str) -> str:
    """A title as one line of at most 200 characters that cannot turn the text around it."""
    # Cut before looking at each character: a title of any length costs the same.
    seen = (
        " " if unicodedata.category(letter) in _UNSEEN and letter not in _JOINERS else letter
        for letter in title[: 4 * TITLE_CHARACTERS]
    )
    return " ".join("".join(seen).split())[:TITLE_CHARACTERS].rstrip()


@lru_cache(maxsize=8)
def shell(pages: str) -> bytes:
    """The empty frame; `pages` is the origin of the nod window, empty for the frame's own."""
    templates = "".join(
        f'<template id="{size}{end}">{_svg(size, language, "")}</template>\n'
        for end, language in (("", "en"), ("-rtl", "ar"))
        for size in _drawing.SIZES
    )
    return _document("en", _data(pages=pages), "Nod", "", templates)


def holding(
    count: int,
    size: str,
    theme: str,
    language: str,
    *,
    asked: dict[str, str],
    title: str,
    pages: str,
) -> bytes:
    """The frame of one thing with its count; `asked` names the thing by `url` or `id`."""
    words = WORDS[language]
    title = clean(title)
    spoken = _drawing.spoken(count, language) + (f": {title}" if title else "")
    # The nod page is asked by address; a number is that of the thing's own page.
    path = f"/nod?{urlencode(asked)}" if "url" in asked else f"/thing/{asked['id']}"
    link = (
        f'<a class="act" href="{escape(pages + path)}" target="_blank" rel="noopener nofollow"'
        f' aria-label="{escape(spoken)}">'
        f"{_svg(size, language, _drawing.short(count, words.point))}</a>"
    )
    shown = {"size": size, "theme": theme, "lang": language, "title": title}
    data = _data(pages=pages, count=str(count), **shown, **asked)
    return _document(language, data, spoken, link, "")


def _svg(size: str, language: str, count: str) -> str:
    drawn = _drawing.shape(size, language, count)
    return (
        f'<svg width="{drawn.width}" height="{drawn.height}" direction="ltr" aria-hidden="true"'
        f' viewBox="0 0 {drawn.width} {drawn.height}" font-family="{_drawing.FONTS}">'
        f'<g class="counted">{drawn.parts}</g></svg>'
    )


def _data(**values: str) -> str:
    values["words"] = _spoken_words()
    return "".join(f' data-{name}="{escape(value)}"' for name, value in values.items())


@lru_cache(maxsize=1)
def _spoken_words() -> str:
    """The words for the script, under the names it reads."""
    table = {
        language: {
            "label": words.label,
            "nodded": words.nodded,
            "own": words.own,
            "deed": words.deed,
            "done": words.done,
            "point": words.point,
            "nouns": dict(words.nouns),
            "rtl": words.right_to_left,
            "why": why(language),
        }
        for language, words in WORDS.items()
    }
    return json.dumps(table, ensure_ascii=False, separators=(",", ":"))


def _document(language: str, data: str, title: str, link: str, templates: str) -> bytes:
    direction = "rtl" if WORDS[language].right_to_left else "ltr"
    return (
        f'<!doctype html>\n<html lang="{language}" dir="{direction}"{data}>\n<head>\n'
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f'<meta name="robots" content="noindex">\n<title>{escape(title)}</title>\n'
        '<link rel="stylesheet" href="/b/frame.css">\n<script src="/b/frame.js" defer></script>\n'
        f'</head>\n<body>\n<div id="place">{link}<span class="sr" role="status"></span></div>\n'
        f"{templates}</body>\n</html>\n"
    ).encode()
