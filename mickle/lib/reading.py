"""What a page or a feed says of itself: title, owner, links to give by, and other words.

Whatever a stranger sends is read in bounded time and never crashes; every text comes back plain,
without control and bidi characters, short, and every link whole. Nothing of it is proved.
"""

import re

from mickle.lib import _reading_facts, _reading_feed, _reading_page
from mickle.lib._reading_found import Fact, Funding, Item, Reading

__all__ = ["Fact", "Funding", "Item", "Reading", "read"]

_PAGES = ("text/html", "application/xhtml+xml")
# Many servers send feeds as pages, and pages as XML.
_FEED = re.compile(r"\s{0,99}(?:<\?xml[^>]{0,200}>)?[^<]{0,99}<(?:rss|feed|rdf:RDF)\b")
_PAGE = re.compile(r"<(?:!DOCTYPE\s{1,9}html|html)\b", re.IGNORECASE)
_BEGINNING = 1_000


def read(text: str, *, url: str, type: str, links: str = "") -> Reading:  # noqa: A002 - its name
    """What a text of this type (without parameters) says; `url` is where it was found.

    `links` is the header Link that came with a page.
    """
    if type == "application/json" or type.endswith(("+json", "/json")):
        return _reading_facts.read(text, url)
    if type in _PAGES:
        is_page = not _FEED.match(text)
    elif type.endswith(("+xml", "/xml")):
        is_page = _PAGE.search(text, 0, _BEGINNING) is not None
    else:
        return Reading()
    return _reading_page.read(text, url, links) if is_page else _reading_feed.read(text, url)
