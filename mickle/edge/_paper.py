"""Sets text, the mark and a code on a page of a PDF. Pure; sizes in points from the lower left."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import groupby
from math import asin, atan2, cos, dist, sin, tan

import pydyf

from mickle.edge._drawing import REST, SLICE, SLICE_OUT

FONTS = {"R": "Helvetica", "B": "Helvetica-Bold"}
LEADING = 1.2
COIN_UNITS = 24
# Rows of a code reach a little into one another, so that no reader shows a line between them.
OVERLAP = 0.02

Point = tuple[float, float]
Colour = tuple[float, float, float]
INK: Colour = (0x17 / 255, 0x21 / 255, 0x2B / 255)
COPPER: Colour = (0x96 / 255, 0x47 / 255, 0x1D / 255)
GREY: Colour = (0x50 / 255, 0x5A / 255, 0x65 / 255)

# Adobe's metrics of Helvetica-Bold, in thousandths; the regular one is as wide or narrower.
_WIDTHS = {
    238: "'",
    278: " \xa0,./Iijl\\‘’‚·",
    333: "!()-:;[]`ft",
    389: "*r{}",
    500: "z“”„",
    556: "#$0123456789_aceksvxyJ–€«»",
    611: "?FLTZbdghnopquß",
    667: "ESPVXY",
    722: "&ABCDHKNRU",
    778: "GOQw",
    889: "%m",
    944: "Wœ",
}
_WIDTH_OF = {letter: width for width, letters in _WIDTHS.items() for letter in letters}
_WIDEST = 1_000


def width(words: str, size: float) -> float:
    """How wide a line is at most, in points."""
    # A letter with an accent is as wide as without.
    bare = (unicodedata.normalize("NFD", letter)[0] for letter in words)
    return sum(_WIDTH_OF.get(letter, _WIDEST) for letter in bare) * size / 1_000


def broken(words: str, size: float, at_most: float) -> list[str]:
    """The lines of a text, broken between words, and within a word wider than a line."""
    lines = [""]
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if width(longer, size) <= at_most:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if width(lines[-1] + letter, size) > at_most:
                lines.append("")
            lines[-1] += letter
    return lines


def text(
    page: pydyf.Stream,
    words: str,
    at: Point,
    size: float,
    colour: Colour = INK,
    *,
    bold: bool = False,
) -> None:
    """One line of text in letters of cp1252."""
    page.set_color_rgb(*colour)
    page.begin_text()
    page.set_font_size("B" if bold else "R", size)
    page.move_text_to(*at)
    page.stream.append(f"<{words.encode('cp1252').hex()}> Tj")
    page.end_text()


def code(
    page: pydyf.Stream, rows: Iterable[Iterable[int]], x: float, y: float, size: float
) -> None:
    """The dark modules of a QR code in black, in a square of this size."""
    grid = [list(row) for row in rows]
    module = size / len(grid)
    page.push_state()
    # From here on one unit is one module and y runs down.
    page.set_matrix(module, 0, 0, -module, x, y + size)
    page.set_color_rgb(0, 0, 0)
    for number, row in enumerate(grid):
        for first, length in _runs(row):
            page.rectangle(first, number, length, 1 + OVERLAP)
    page.fill()
    page.pop_state()


def _runs(row: list[int]) -> Iterator[tuple[int, int]]:
    place = 0
    for dark, modules in groupby(row):
        length = len(list(modules))
        if dark:
            yield place, length
        place += length


def mark(page: pydyf.Stream, x: float, top: float, size: float) -> None:
    """The coin with one slice pushed out."""
    unit = size / COIN_UNITS
    for path, colour, (right, down) in ((REST, INK, (0.0, 0.0)), (SLICE, COPPER, SLICE_OUT)):
        page.push_state()
        page.set_matrix(unit, 0, 0, -unit, x + right * unit, top - down * unit)
        page.set_color_rgb(*colour)
        _trace(page, path)
        page.fill()
        page.pop_state()


def _trace(page: pydyf.Stream, path: str) -> None:
    """An SVG path of M, L, A and Z in absolute places."""
    at = (0.0, 0.0)
    for letter, numbers in re.findall(r"([MLAZ])([^MLAZ]*)", path):
        values = [float(number) for number in numbers.split()]
        if letter == "Z":
            page.close()
            continue
        to = (values[-2], values[-1])
        if letter == "M":
            page.move_to(*to)
        elif letter == "L":
            page.line_to(*to)
        else:
            page.curve_to(*_bend(at, to, values[0]), *to)
        at = to


def _bend(start: Point, end: Point, radius: float) -> tuple[float, float, float, float]:
    """The two control points of a clockwise arc of a quarter circle or less."""
    half = asin(dist(start, end) / 2 / radius)
    reach = 4 / 3 * tan(half / 2) * radius
    chord = atan2(end[1] - start[1], end[0] - start[0])
    return (
        start[0] + reach * cos(chord - half),
        start[1] + reach * sin(chord - half),
        end[0] - reach * cos(chord + half),
        end[1] - reach * sin(chord + half),
    )
