"""The code and the poster: read back, as a phone and a printer would."""

import io
import os
import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest
from pypdf import PdfReader

from mickle.edge import _drawing, _paper, _printing
from tests import qr

ORIGIN = "https://nod.example"
SVG = "{http://www.w3.org/2000/svg}"
LINK = f"{ORIGIN}/nod?url=https://blog.example/essay"
A4 = (595.28, 841.89)
QUIET = 4


def page(pdf: bytes) -> tuple[PdfReader, str]:
    """The file, read strictly, and the words of its one page."""
    read = PdfReader(io.BytesIO(pdf), strict=True)
    (only,) = read.pages
    return read, only.extract_text()


def modules(pdf: bytes) -> list[list[int]]:
    """The modules of the code on a poster, from its rectangles."""
    content = page(pdf)[0].pages[0].get_contents().get_data().decode("ascii")
    boxes = [tuple(map(float, box)) for box in re.findall(r"(\S+) (\S+) (\S+) \S+ re\b", content)]
    size = int(max(y for _x, y, _width in boxes)) + 1
    grid = [[0] * size for _ in range(size)]
    for x, y, width in boxes:
        for step in range(int(width)):
            grid[int(y)][int(x) + step] = 1
    return grid


@pytest.mark.parametrize(
    ("url", "query"),
    [
        ("https://blog.example/essay", "https://blog.example/essay"),
        (
            "https://blog.example/a?b=c&d=%C3%B6#e",
            "https://blog.example/a%3Fb%3Dc%26d%3D%25C3%25B6%23e",
        ),
        ("https://blog.example/ö (x)", "https://blog.example/%C3%B6%20%28x%29"),
    ],
)
def test_the_address_in_a_code_is_the_nod_page_of_the_page(url, query):
    assert _printing.nod_link(ORIGIN, url) == f"{ORIGIN}/nod?url={query}"


@pytest.mark.parametrize("length", [0, 40, 100, 400, 1_000, 2_200])
def test_a_drawn_code_reads_back_as_its_link(length):
    link = LINK + "x" * length
    svg = _printing.qr_svg(link)
    assert qr.text(svg.decode()) == link
    assert qr.level(qr.modules(svg.decode())) == "M"


def test_the_longest_links_have_a_weaker_code_and_longer_ones_none():
    link = LINK + "x" * (2_953 - len(LINK))
    assert qr.level(qr.modules(_printing.qr_svg(link).decode())) == "L"
    for printed in (_printing.qr_svg, lambda link: _printing.poster_pdf(link, "", "b.example")):
        with pytest.raises(_printing.TooLong, match="too long for a QR code"):
            printed(link + "x")


@pytest.mark.parametrize(("language", "name"), [("en", "QR code: "), ("de", "QR-Code: ")])
def test_the_svg_is_black_on_white_with_a_quiet_zone_and_a_name(language, name):
    svg = _printing.qr_svg(LINK + "&<b>'\"", language)
    root = ET.fromstring(svg)  # noqa: S314 - our own
    assert root.find(f"{SVG}title").text == root.get("aria-label") == f"{name}{LINK}&<b>'\""
    assert root.get("role") == "img"
    assert b"currentColor" not in svg
    ground, drawn = root.findall(f"{SVG}path")
    assert (ground.get("fill"), drawn.get("stroke")) == ("#fff", "#000")
    size = int(root.get("viewBox").split()[2])
    assert (root.get("width"), root.get("height")) == (str(size * 8), str(size * 8))
    grid = qr.modules(svg.decode(), border=QUIET)
    assert len(grid) == size - 2 * QUIET
    assert grid[0][:7] == [1] * 7


def test_a_poster_is_one_page_of_a4_with_its_words():
    read, words = page(_printing.poster_pdf(LINK, "An essay", "blog.example"))
    assert tuple(map(float, read.pages[0].mediabox[2:])) == A4
    assert words.splitlines() == [
        "An essay",
        "blog.example",
        "Point your phone’s camera here and give a nod.",
        "The code opens nod.example.",
    ]
    assert read.metadata.title == "An essay"
    assert read.trailer["/Root"]["/Lang"] == "en"


def test_a_poster_speaks_german():
    read, words = page(_printing.poster_pdf(LINK, "Über Käse: „groß“", "blog.example", "de"))
    assert words.splitlines()[0] == "Über Käse: „groß“"
    assert "Handykamera auf den Code halten und Danke sagen." in words
    assert "Der Code öffnet nod.example." in words
    assert read.trailer["/Root"]["/Lang"] == "de"


@pytest.mark.parametrize(
    ("length", "level"), [(0, "Q"), (177 - len(LINK), "Q"), (178 - len(LINK), "M"), (2_500, "L")]
)
def test_the_code_of_a_poster_reads_back_at_a_level_that_its_length_allows(length, level):
    link = LINK + "x" * length
    grid = modules(_printing.poster_pdf(link, "An essay", "blog.example"))
    assert qr.read(grid) == link
    assert qr.level(grid) == level
    assert level != "Q" or len(grid) <= 61


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Käse 🧀 & “Brot” – 5 €", "Käse & “Brot” – 5 €"),
        ("self\u2011hosted \u2212 5\u202f%", "self-hosted - 5 %"),
        ("u\u0308ber\n\tzwei   Zeilen", "über zwei Zeilen"),
        ("👩‍🚀", ""),
        ("שלום עולם", ""),
        ("Привет", ""),
        ("漢字 and more", ""),
        ("", ""),
        ("\x00\x1b", ""),
    ],
)
def test_a_title_is_shown_whole_in_its_letters_or_not_at_all(title, shown):
    assert _printing.printable(title) == shown
    words = page(_printing.poster_pdf(LINK, title, "blog.example"))[1].splitlines()
    assert words[: 1 + bool(shown)] == ([shown] if shown else []) + ["blog.example"]
    assert not any("?" in line or "\ufffd" in line for line in words)


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("xn--bcher-kva.example", "bücher.example"),
        ("xn--4dbrk0ce.example", "xn--4dbrk0ce.example"),
        ("a." * 100 + "example", "…" + ("a." * 100 + "example")[-44:]),
        ("127.0.0.1:8000", "127.0.0.1:8000"),
    ],
)
def test_a_host_is_shown_in_its_letters_or_in_punycode_and_never_without_its_end(host, shown):
    assert page(_printing.poster_pdf(LINK, "T", host))[1].splitlines()[1] == shown


@pytest.mark.parametrize(
    "title",
    ["W" * 200, "word " * 40, "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm " * 6, "i" * 200, "Ö" * 200],
)
def test_a_long_title_stays_within_the_margins_and_above_the_code(title):
    content = page(_printing.poster_pdf(LINK, title, "b.example"))[0].pages[0]
    lines = re.findall(
        r"/B (\S+) Tf\n(\S+) (\S+) Td\n<(\w+)> Tj", content.get_contents().get_data().decode()
    )
    for size, x, y, hexed in lines:
        words = bytes.fromhex(hexed).decode("cp1252")
        right = float(x) + _paper.width(words, float(size))
        assert right <= _printing.RIGHT + 0.01, words
        assert float(y) < _printing.MARK_TOP - _printing.MARK_SIZE
    above = [float(y) for *_rest, y, _hexed in lines[:-1]]
    assert min(above) > _printing.CODE_BOTTOM + _printing.CODE_SIZE + 16


def test_every_language_of_the_button_has_its_words():
    assert {*_printing.WORDS, *_printing.UNPRINTED} == set(_drawing.LANGUAGES)
    assert _printing.poster_pdf(LINK, "Essay", "a.example", "ar") == _printing.poster_pdf(
        LINK, "Essay", "a.example", "en"
    )
    assert "رمز QR" in _printing.qr_svg(LINK, "ar").decode()


@pytest.mark.parametrize("language", _printing.WORDS)
def test_what_to_do_fits_on_one_line(language):
    deed = _printing.WORDS[language].deed
    assert _paper.width(deed, _printing.DEED_PT) <= _printing.RIGHT - _printing.LEFT


def test_lines_break_between_words_and_only_then_within():
    assert _paper.broken("one two three", 10, _paper.width("one two", 10)) == ["one two", "three"]
    assert _paper.broken("abcdef gh", 10, _paper.width("abcd", 10)) == ["abcd", "ef", "gh"]


def test_the_same_words_are_the_same_bytes():
    script = (
        "import django, hashlib; django.setup(); from mickle.edge import _printing as p;"
        f"print(hashlib.sha256(p.qr_svg({LINK!r}) + p.poster_pdf({LINK!r}, 'T', 'h')).hexdigest())"
    )
    sums = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script],
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "DJANGO_SETTINGS_MODULE": "mickle.config.settings",
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(sums) == 1
    assert b"Date" not in _printing.poster_pdf(LINK, "T", "h")
