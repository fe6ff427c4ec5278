"""What can be found on a page or in a feed; every text plain and short, every link whole."""

import re
import unicodedata
from typing import NamedTuple

from ada_url import URL

URL_CHARACTERS = 2_000
SHORT_CHARACTERS = 300
LONG_CHARACTERS = 1_000
LINKS = 100
ITEMS = 500
FACTS = 20

# They join letters of Persian and parts of emoji, and hide nothing by themselves.
_JOINERS = "\u200c\u200d"
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")


class Funding(NamedTuple):
    """A `podcast:funding`: where to give, and what the link says."""

    url: str
    text: str


class Item(NamedTuple):
    """One entry of a feed; `guid` is what its maker calls it, and need not be an address."""

    guid: str
    link: str
    title: str
    payments: tuple[str, ...] = ()
    fundings: tuple[Funding, ...] = ()


class Fact(NamedTuple):
    """One thing that JSON-LD describes."""

    type: str
    name: str = ""
    url: str = ""
    author: str = ""
    publisher: str = ""
    description: str = ""
    image: str = ""
    language: str = ""


class Reading(NamedTuple):
    """What a page, a feed or an oEmbed answer says of itself; nothing of it is proved.

    `owners` are the contents of `<meta name="mickle:owner">`, `home` is the site a feed belongs to,
    `mes` are links with rel=me, `mails` the mail addresses among those with rel=payment, `oembeds`
    addresses that tell of the page as oEmbed.
    """

    title: str = ""
    description: str = ""
    image: str = ""
    author: str = ""
    author_url: str = ""
    language: str = ""
    site_name: str = ""
    canonical: str = ""
    home: str = ""
    feeds: tuple[str, ...] = ()
    payments: tuple[str, ...] = ()
    mails: tuple[str, ...] = ()
    mes: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    oembeds: tuple[str, ...] = ()
    fundings: tuple[Funding, ...] = ()
    facts: tuple[Fact, ...] = ()
    items: tuple[Item, ...] = ()


def plain(text: object, most: int = SHORT_CHARACTERS) -> str:
    """A text of a stranger's without what rules terminals or turns lines round; empty for others.

    Some signs are longer once they are told apart, so the whole is cut before and after.
    """
    if not isinstance(text, str):
        return ""
    kept = "".join(_kept(sign) for sign in text[: most * 4])
    return " ".join(kept.split())[:most].rstrip()


def _kept(sign: str) -> str:
    if sign in _JOINERS:
        return sign
    kind = unicodedata.category(sign)
    if kind in ("Cc", "Zl", "Zp", "Zs"):
        return " "
    return "" if kind[0] == "C" else sign


def link(text: object, base: str) -> str:
    """A link to the web as a whole address, as browsers resolve it; empty for any other."""
    if not isinstance(text, str) or not text.strip() or len(text) > URL_CHARACTERS:
        return ""
    try:
        found = URL(text.strip(), base)
    except ValueError:
        return ""
    if found.protocol not in ("http:", "https:") or found.username or found.password:
        return ""
    href: str = found.href
    return href if len(href) <= URL_CHARACTERS else ""


def language(text: object) -> str:
    """A language tag, or nothing."""
    tag = text.strip().replace("_", "-") if isinstance(text, str) else ""
    return tag if _LANGUAGE.fullmatch(tag) else ""


def some(links: list[str]) -> tuple[str, ...]:
    """The first of them, each once."""
    return tuple(dict.fromkeys(filter(None, links[: LINKS * 4])))[:LINKS]
