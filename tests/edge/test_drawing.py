"""The button, drawn."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from mickle.edge import _drawing
from mickle.edge._words import WORDS

DRAWN = Path(__file__).parent / "buttons"
TITLE = "{http://www.w3.org/2000/svg}title"


@pytest.mark.parametrize("size", _drawing.SIZES)
@pytest.mark.parametrize("theme", _drawing.THEMES)
def test_the_button_is_drawn_as_designed(size, theme):
    drawn = (DRAWN / f"{size}-{theme}-counted.svg").read_bytes()
    assert _drawing.button(128, size, theme, "en") == drawn


@pytest.mark.parametrize("language", _drawing.LANGUAGES)
@pytest.mark.parametrize("count", [0, 1, 2, 12_449])
def test_every_button_is_xml_and_says_its_count_aloud(count, language):
    root = ET.fromstring(_drawing.button(count, "wide", "auto", language))  # noqa: S314 - our own
    title = root.find(TITLE).text
    assert root.get("aria-label") == title
    words = WORDS[language]
    assert title == f"{words.deed}, {count} {words.noun(language, count)}"


@pytest.mark.parametrize("size", _drawing.SIZES)
@pytest.mark.parametrize("state", _drawing.STATES)
def test_every_state_has_the_lines_of_the_design(size, state):
    drawn = (DRAWN / f"{size}-light-{state}.svg").read_text()
    inside = re.search(r'<g class="\w+">(.*)</g></svg>', drawn)[1]
    assert _drawing.shape(size, "en", "128", state).parts == inside


@pytest.mark.parametrize("size", ["wide", "compact"])
def test_a_language_from_the_right_has_its_coin_on_the_right(size):
    width, _height, parts = _drawing.shape(size, "ar", "128")
    coin = float(re.search(r"translate\(([\d.]+)", parts)[1])
    number = float(re.search(r'class="q" x="([\d.]+)"', parts)[1])
    assert number < width / 2 < coin


@pytest.mark.parametrize(
    ("count", "short"),
    [
        *((0, "0"), (9_999, "9999"), (10_000, "10k"), (12_449, "12.4k"), (99_999, "99.9k")),
        *((123_456, "123k"), (999_999, "999k"), (1_000_000, "1M"), (1_299_999, "1.2M")),
    ],
)
def test_large_counts_are_written_short_and_never_too_high(count, short):
    assert _drawing.short(count) == short


def test_a_german_button_has_a_comma():
    assert b">12,4k<" in _drawing.button(12_400, "wide", "auto", "de")
