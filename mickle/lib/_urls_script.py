"""How a host is shown: in its own script, unless scripts are mixed or imitate Latin letters."""

import unicodedata

from ada_url import idna_to_unicode

from mickle.lib._words import words

# Scripts that are written together; anything else beside Latin is a disguise.
_TOGETHER = (
    {"LATIN", "CJK", "HIRAGANA", "KATAKANA"},
    {"LATIN", "CJK", "BOPOMOFO"},
    {"LATIN", "CJK", "HANGUL"},
)
# Scripts that somebody writes today (UAX 31, table 5); letters of others only imitate.
_LIVING = words(
    """ARABIC ARMENIAN BENGALI BOPOMOFO CJK CYRILLIC DEVANAGARI ETHIOPIC GEORGIAN GREEK GUJARATI
    GURMUKHI HANGUL HEBREW HIRAGANA KANNADA KATAKANA KHMER LAO LATIN MALAYALAM MYANMAR ORIYA SINHALA
    TAMIL TELUGU THAANA THAI TIBETAN"""
)
# Latin letters of languages that are no plain letter with a mark; the rest imitate plain ones.
_OWN_LATIN = frozenset("ßæœøðþđħłŋəŧ")
# Cyrillic, Greek, Armenian and Georgian letters that nobody tells from Latin ones: a name made of
# them alone imitates.
_LOOKALIKES = frozenset("асԁеһіјӏорԛѕԝхуъьҽпгѵѡαηικνορτυωագզէլհյոսցւօიოყძხჽჿ")
# What reads as a slash, a dash or a dot between letters of another script.
_STROKES = frozenset("ー・々ヽノソンゾ一丨丶丿〳〵")
_NO_SCRIPT = frozenset("0123456789-ー・々")


def shown(host: str) -> str:
    """The host for people; punycode where its letters could deceive."""
    if "xn--" not in host:
        return host
    name, colon, port = host.partition(":")
    labels = name.split(".")
    latin_end = not labels[-1].startswith("xn--")
    return ".".join(_label(label, latin_end=latin_end) for label in labels) + colon + port


def _label(label: str, *, latin_end: bool) -> str:
    if not label.startswith("xn--"):
        return label
    text: str = idna_to_unicode(label)
    letters = {letter for letter in text if letter not in _NO_SCRIPT}
    scripts = {_script(letter) for letter in letters} - {"COMBINING"}
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        return label
    if not scripts <= _LIVING or any(map(_is_odd_latin, letters)):
        return label
    if {letter for letter in text if not letter.isascii()} <= _STROKES:
        return label
    # Under .рф nobody expects Latin letters; under .com everybody does.
    plain = set(unicodedata.normalize("NFD", "".join(letters)))
    bare = {letter for letter in plain if _script(letter) != "COMBINING"}
    return label if latin_end and bare <= _LOOKALIKES else text


def _is_odd_latin(letter: str) -> bool:
    base = unicodedata.normalize("NFD", letter)[0]
    return _script(letter) == "LATIN" and not base.isascii() and base not in _OWN_LATIN


def _script(letter: str) -> str:
    return unicodedata.name(letter, "NONE").partition(" ")[0].partition("-")[0]
