"""The button, drawn."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from mickle.edge import _drawing

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
    words = {"en": ("Nod, ", " nod" if count == 1 else " nods"), "de": ("Danke sagen, ", " Danke")}
    before, after = words[language]
    assert title == f"{before}{count}{after}"


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
