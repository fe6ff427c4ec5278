"""Draws the button with its count, to the pixel of the design. Pure."""

from functools import lru_cache
from typing import NamedTuple
from xml.sax.saxutils import escape

from mickle.edge._words import WORDS

SIZES = ("wide", "compact", "tall")
THEMES = ("auto", "light", "dark")
LANGUAGES = ("en", "de", "ar", "fr", "es", "sv")
STATES = ("counted", "nodded", "own")

PLAIN_BELOW = 10_000
MILLION = 1_000_000
TENTHS_BELOW = 100
FONTS = "system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif"


class Colours(NamedTuple):
    """The tokens of the design that a button uses."""

    sheet: str
    edge: str
    ink: str
    ink_2: str
    rule: str
    copper: str
    on_copper: str


_LIGHT = Colours("#fdfdfb", "#7e868d", "#17212b", "#505a65", "#dbd9d0", "#96471d", "#ffffff")
_DARK = Colours("#192129", "#737e88", "#eeeae1", "#a9afb5", "#2d3740", "#e59d6e", "#1b1009")

# The coin of the mark: the rest of the pie, then the slice that is one share, pushed out.
REST = (
    "M11.4 12.6L20.44 9.66A2.20 2.20 0 0 1 20.90 12.60A2.20 2.20 0 0 1 20.44 15.54"
    "A2.20 2.20 0 0 1 19.09 18.18A2.20 2.20 0 0 1 16.98 20.29A2.20 2.20 0 0 1 14.34 21.64"
    "A2.20 2.20 0 0 1 11.40 22.10A2.20 2.20 0 0 1 8.46 21.64A2.20 2.20 0 0 1 5.82 20.29"
    "A2.20 2.20 0 0 1 3.71 18.18A2.20 2.20 0 0 1 2.36 15.54A2.20 2.20 0 0 1 1.90 12.60"
    "A2.20 2.20 0 0 1 2.36 9.66A2.20 2.20 0 0 1 3.71 7.02A2.20 2.20 0 0 1 5.82 4.91"
    "A2.20 2.20 0 0 1 8.46 3.56A2.20 2.20 0 0 1 11.40 3.10Z"
)
SLICE = (
    "M11.4 12.6L11.40 3.10A2.20 2.20 0 0 1 14.34 3.56A2.20 2.20 0 0 1 16.98 4.91"
    "A2.20 2.20 0 0 1 19.09 7.02A2.20 2.20 0 0 1 20.44 9.66Z"
)
SLICE_OUT = (1.1, -1.5)


def short(count: int, point: str = ".") -> str:
    """The count as it fits on a button: 9999, 12.4k, 124k, 1.2M; rounded down."""
    if count < PLAIN_BELOW:
        return str(count)
    unit, letter = (MILLION, "M") if count >= MILLION else (1_000, "k")
    whole, tenth = count // unit, count % unit * 10 // unit
    part = f"{point}{tenth}" if tenth and whole < TENTHS_BELOW else ""
    return f"{whole}{part}{letter}"


def shield(count: int, language: str) -> dict[str, object]:
    """What shields.io draws a badge from (its endpoint schema, version 1)."""
    words = WORDS[language]
    return {
        "schemaVersion": 1,
        "label": words.nouns["other"],
        "message": short(count, words.point),
        "color": _LIGHT.copper.removeprefix("#"),
    }


@lru_cache(maxsize=4096)
def button(count: int, size: str, theme: str, language: str) -> bytes:
    """The SVG of a button that shows a count."""
    drawn = shape(size, language, short(count, WORDS[language].point))
    name = escape(spoken(count, language), {'"': "&quot;"})
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{drawn.width}" height="{drawn.height}"'
        f' viewBox="0 0 {drawn.width} {drawn.height}" role="img" aria-label="{name}"'
        f' font-family="{FONTS}"><title>{name}</title><style>{_style(theme)}</style>'
        f'<g class="counted">{drawn.parts}</g></svg>\n'
    ).encode()


def spoken(count: int, language: str, state: str = "counted") -> str:
    """The button for the ear: "Nod, 12 nods"."""
    words = WORDS[language]
    return f"{words.aloud(state)}, {count} {words.noun(language, count)}"


class Shape(NamedTuple):
    """A button without its colours: pixels, and what lies in its one group."""

    width: int
    height: int
    parts: str


def shape(size: str, language: str, count: str, state: str = "counted") -> Shape:
    """The lines of a button; where the language runs from the right, mirrored."""
    words = WORDS[language]
    return _SHAPES[size](
        escape(words.word(state)), escape(count), _SLICE_AT[state], words.right_to_left
    )


def _style(theme: str) -> str:
    if theme == "auto":
        return f"{_rules(_LIGHT)}@media (prefers-color-scheme:dark){{{_rules(_DARK)}}}"
    return _rules(_LIGHT if theme == "light" else _DARK)


def _rules(c: Colours) -> str:
    return (
        f".bg{{fill:{c.sheet};stroke:{c.edge}}}.t{{fill:{c.ink}}}.q{{fill:{c.ink_2}}}"
        f".r{{stroke:{c.rule}}}.c{{fill:{c.copper}}}"
        f".nodded .bg{{fill:{c.copper};stroke:{c.copper}}}"
        f".nodded :is(.t,.q,.c){{fill:{c.on_copper}}}"
        f".nodded .r{{stroke:{c.on_copper};opacity:.5}}"
        f".own .bg{{fill:{c.sheet};stroke-dasharray:3 2}}.own :is(.t,.c){{fill:{c.ink_2}}}"
    )


_SLICE_AT = {
    "counted": f' transform="translate({SLICE_OUT[0]} {SLICE_OUT[1]})"',
    "nodded": ' transform="translate(.45 -.6)"',
    "own": "",
}


def _coin(place: str, slice_at: str) -> str:
    return (
        f'<g transform="{place}"><path class="t" d="{REST}"/>'
        f'<path class="c" d="{SLICE}"{slice_at}/></g>'
    )


def _wide(label: str, count: str, slice_at: str, mirrored: bool) -> Shape:  # noqa: FBT001
    coin, word, rule, number = (
        ("126 6", 'x="118" y="23" text-anchor="end"', "M52.5 9v18", "29")
        if mirrored
        else ("10 6", 'x="42" y="23"', "M107.5 9v18", "131")
    )
    return Shape(
        160,
        36,
        '<rect class="bg" x=".75" y=".75" width="158.5" height="34.5" rx="17.25"'
        f' stroke-width="1.5"/>{_coin(f"translate({coin})", slice_at)}<text class="t" {word}'
        f' font-size="14" font-weight="600">{label}</text><path class="r" d="{rule}"/>'
        f'<text class="q" x="{number}" y="23" font-size="14" text-anchor="middle">{count}</text>',
    )


def _compact(label: str, count: str, slice_at: str, mirrored: bool) -> Shape:  # noqa: FBT001
    coin, word, rule, number = (
        ("88 2", 'x="84" y="14" text-anchor="end"', "M36.5 4v12", "20")
        if mirrored
        else ("6 2", 'x="26" y="14"', "M73.5 4v12", "90")
    )
    return Shape(
        110,
        20,
        '<rect class="bg" x=".5" y=".5" width="109" height="19" rx="9.5"/>'
        f'{_coin(f"translate({coin}) scale(.667)", slice_at)}<text class="t" {word}'
        f' font-size="11" font-weight="600">{label}</text><path class="r" d="{rule}"/>'
        f'<text class="q" x="{number}" y="14" font-size="11" text-anchor="middle">{count}</text>',
    )


def _tall(label: str, count: str, slice_at: str, _mirrored: bool) -> Shape:  # noqa: FBT001
    return Shape(
        55,
        62,
        '<rect class="bg" x=".5" y=".5" width="54" height="61" rx="8"/>'
        '<text class="q" x="27.5" y="16" font-size="12" font-weight="500" text-anchor="middle">'
        f'{count}</text>{_coin("translate(15.5 19)", slice_at)}<text class="t" x="27.5" y="56"'
        f' font-size="11" font-weight="600" text-anchor="middle">{label}</text>',
    )


_SHAPES = {"wide": _wide, "compact": _compact, "tall": _tall}
