"""How a host is shown: in its own script, unless scripts are mixed or imitate Latin letters."""

import unicodedata

from ada_url import idna_to_unicode

# Scripts that are written together; anything else beside Latin is a disguise.
_TOGETHER = (
    {"LATIN", "CJK", "HIRAGANA", "KATAKANA"},
    {"LATIN", "CJK", "BOPOMOFO"},
    {"LATIN", "CJK", "HANGUL"},
)
# Cyrillic and Greek letters that nobody tells from Latin ones: a name made of them alone imitates.
_LOOKALIKES = frozenset("асԁеһіјӏорԛѕԝхуъьҽпгѵѡονυ")
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
    # Under .рф nobody expects Latin letters; under .com everybody does.
    return label if latin_end and letters <= _LOOKALIKES else text


def _script(letter: str) -> str:
    return unicodedata.name(letter, "NONE").partition(" ")[0].partition("-")[0]
