"""The QR code of a link, alone and on a poster. Pure: the same words give the same bytes."""

import io
import unicodedata
from typing import NamedTuple
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape

import pydyf
import segno

from mickle.edge import _paper
from mickle.lib import urls
from mickle.lib.errors import Refused

# What a camera needs around the code, in modules (ISO 18004).
QUIET = 4
PIXELS_A_MODULE = 8
# Bytes up to which a level of correction is taken: Q while a poster's code has at most 61 modules
# (version 11) and so is read from afar; M and L as long as there is a code at all (version 40).
_MOST = (("q", 177), ("m", 2_331), ("l", 2_953))
HOST_CHARACTERS = 44

_MM = 72 / 25.4
WIDTH, HEIGHT = 210 * _MM, 297 * _MM
LEFT, RIGHT = 20 * _MM, 190 * _MM
MARK_TOP, MARK_SIZE = 280 * _MM, 24 * _MM
TITLE_TOP = 240 * _MM
CODE_BOTTOM, CODE_SIZE = 48 * _MM, 140 * _MM
DEED_LINE, DEED_PT = 33 * _MM, 18.5
FOOT_LINE, FOOT_PT = 20 * _MM, 11
HOST_PT, HOST_GAP = 16, 3
# Sizes of the title, the largest that fits, each with the lines it may take.
TITLE_PT = ((34, 2), (27, 3), (20, 4))

# Signs that cp1252 has under another name.
_SAME = str.maketrans({"\u2010": "-", "\u2011": "-", "\u2212": "-", "\u2009": " ", "\u202f": " "})
# Pictures, marks that change a letter before them, and signs that only steer: no words without.
_NO_WORDS = frozenset({"So", "Sk", "Mn", "Me", "Cf", "Cc", "Co", "Cn", "Cs"})


class TooLong(Refused):
    """No QR code holds this address."""


class Words(NamedTuple):
    """What stands on a poster, and what the code is called aloud."""

    code: str
    deed: str
    opens: str


WORDS = {
    "en": Words(
        "QR code: {link}",
        "Point your phone’s camera here and give a nod.",
        "The code opens {place}.",
    ),
    "de": Words(
        "QR-Code: {link}",
        "Handykamera auf den Code halten und Danke sagen.",
        "Der Code öffnet {place}.",
    ),
    "fr": Words(
        "Code QR : {link}",
        "Visez le code avec votre téléphone et dites merci.",
        "Le code ouvre {place}.",
    ),
    "es": Words(
        "Código QR: {link}",
        "Apunta con la cámara del móvil y da las gracias.",
        "El código abre {place}.",
    ),
    "sv": Words(
        "QR-kod: {link}",
        "Rikta mobilens kamera hit och säg tack.",
        "Koden öppnar {place}.",
    ),
}
# The fonts of every reader have no letters for these: their posters are in English.
UNPRINTED = {"ar": "رمز QR: {link}"}


def nod_link(origin: str, url: str) -> str:
    """The address a code opens; what may stand in a query as it is keeps the code small."""
    return f"{origin}/nod?url={quote(url, safe=':/')}"


def qr_svg(link: str, language: str = "en") -> bytes:
    """The code in black on its own white ground, with its quiet zone and a title."""
    code = _coded(link)
    size = code.symbol_size(border=QUIET)[0]
    named = UNPRINTED.get(language) or WORDS[language].code
    name = escape(named.format(link=link), {'"': "&quot;"})
    drawn = code.svg_inline(border=QUIET, lineclass=None, omitsize=True, dark="#000", light="#fff")
    inside = drawn.partition(">")[2]
    pixels = size * PIXELS_A_MODULE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{pixels}" height="{pixels}"'
        f' viewBox="0 0 {size} {size}" role="img" aria-label="{name}">'
        f"<title>{name}</title>{inside}\n"
    ).encode()


def poster_pdf(link: str, title: str, host: str, language: str = "en") -> bytes:
    """One A4 page: the mark, the title, the host, the code, and what to do.

    Its fonts are those every reader has, with the letters of cp1252. A title that needs others is
    left out and the host stands in its place; a host (given in ASCII) then stands in punycode.
    """
    language = "en" if language in UNPRINTED else language
    words, where = WORDS[language], _host(host)
    page = pydyf.Stream(compress=True)
    _paper.mark(page, LEFT, MARK_TOP, MARK_SIZE)
    shown = printable(title)
    line = _headline(page, shown or where)
    if shown:
        _paper.text(page, where, (LEFT, line), HOST_PT, _paper.GREY)
    code = _coded(link, poster=True)
    _paper.code(page, code.matrix, LEFT, CODE_BOTTOM, CODE_SIZE)
    _paper.text(page, words.deed, (LEFT, DEED_LINE), DEED_PT, bold=True)
    opens = words.opens.format(place=_host(urlsplit(link).netloc))
    _paper.text(page, opens, (LEFT, FOOT_LINE), FOOT_PT, _paper.GREY)
    return _document(page, title or where, language)


def printable(text: str) -> str:
    """The text in letters of cp1252 and without pictures, or nothing when a letter is missing."""
    composed = unicodedata.normalize("NFC", text).translate(_SAME)
    fit = (c if _fits(c) else "" if unicodedata.category(c) in _NO_WORDS else c for c in composed)
    words = " ".join("".join(fit).split())
    return words if _fits(words) else ""


def _fits(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return text.isprintable() or text.isspace() or "\xa0" in text


def _host(host: str) -> str:
    """The host for people; of a long one the end, which says whose it is."""
    shown = urls.display_host(host)
    shown = shown if _fits(shown) else host
    return shown if len(shown) <= HOST_CHARACTERS else "…" + shown[-HOST_CHARACTERS:]


def _headline(page: pydyf.Stream, title: str) -> float:
    """Set the title from the top down; the line after it."""
    for size, most in TITLE_PT:
        lines = _paper.broken(title, size, RIGHT - LEFT)
        if len(lines) <= most:
            break
    else:
        last = lines[most - 1]
        while _paper.width(last + "…", size) > RIGHT - LEFT:
            last = last[:-1].rstrip()
        lines = [*lines[: most - 1], last + "…"]
    line = TITLE_TOP
    for words in lines:
        _paper.text(page, words, (LEFT, line), size, bold=True)
        line -= size * _paper.LEADING
    return line - HOST_GAP


def _coded(link: str, *, poster: bool = False) -> segno.QRCode:
    """The code at the highest level of correction that its length allows."""
    length = len(link.encode())
    level = next(
        (level for level, most in _MOST if length <= most and (poster or level != "q")), ""
    )
    if not level:
        raise TooLong("This address is too long for a QR code.")
    return segno.make(
        link, error=level, mode="byte", encoding="utf-8", micro=False, boost_error=False
    )


def _document(page: pydyf.Stream, title: str, language: str) -> bytes:
    """A file without dates, so that the same page is the same bytes."""
    pdf = pydyf.PDF()
    pdf.add_object(page)
    fonts = pydyf.Dictionary()
    for name, font in _paper.FONTS.items():
        made = pydyf.Dictionary({"Type": "/Font", "Subtype": "/Type1", "BaseFont": f"/{font}"})
        made["Encoding"] = "/WinAnsiEncoding"
        # By reference: some readers look for a font under its number.
        pdf.add_object(made)
        fonts[name] = made.reference
    pdf.add_page(
        pydyf.Dictionary(
            {
                "Type": "/Page",
                "Parent": pdf.pages.reference,
                "MediaBox": pydyf.Array([0, 0, round(WIDTH, 2), round(HEIGHT, 2)]),
                "Contents": page.reference,
                "Resources": pydyf.Dictionary({"Font": fonts}),
            }
        )
    )
    pdf.catalog["Lang"] = pydyf.String(language)
    pdf.catalog["ViewerPreferences"] = pydyf.Dictionary({"DisplayDocTitle": "true"})
    pdf.info["Title"] = pydyf.String(title)
    written = io.BytesIO()
    pdf.write(written)
    return written.getvalue()
