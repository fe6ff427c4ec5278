"""A feed, RSS 0.9 to 2.0 or Atom, with what podcasts add to it."""

from mickle.lib import _reading_tags as tags
from mickle.lib._reading_found import (
    ITEMS,
    LINKS,
    LONG_CHARACTERS,
    Funding,
    Item,
    Reading,
    language,
    link,
    plain,
    some,
)

_ATOM = "http://www.w3.org/2005/Atom"
_PODCASTS = (
    "https://podcastindex.org/namespace/1.0",
    "https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md",
)
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_WANTED = """
title link guid id description subtitle summary language creator name author managingEditor url logo
icon funding
"""
_NAMES = frozenset(_WANTED.split())


class _Part:
    """The channel, or one item of it."""

    def __init__(self) -> None:
        self.said: dict[str, str] = {}
        self.links: list[str] = []
        self.payments: list[str] = []
        self.fundings: list[Funding] = []


class Feed:
    """Gathers from tags what a feed says of itself and its items."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._channel = _Part()
        self._items: list[_Part] = []
        self._at = self._channel
        # Within an item: how many of its tags are called so themselves, as its content may be.
        self._depth = 0
        self._path: list[str] = []
        self._funding = ""

    def start(self, tag: str, attributes: tags.Attributes) -> bool:
        """Take a tag; whether its text is wanted too."""
        space, name = _split(tag)
        if len(self._path) < LINKS:
            self._path.append(name)
        if name in ("item", "entry"):
            self._depth += 1
            if self._depth == 1:
                self._begin_item()
        elif name == "link" and attributes.get("href"):
            self._link(attributes)
        elif name == "image" and attributes.get("href"):
            self._at.said.setdefault("image", attributes["href"])
        elif name == "funding" and space in _PODCASTS:
            self._funding = attributes.get("url", "")
        elif name == "feed" and attributes.get(_LANGUAGE):
            self._at.said.setdefault("language", attributes[_LANGUAGE])
        return name in _NAMES

    def _begin_item(self) -> None:
        self._at = _Part()
        if len(self._items) < ITEMS:
            self._items.append(self._at)

    def end(self, tag: str, text: str) -> None:
        """Take the text of a tag, for the item or the channel it stands in."""
        _space, name = _split(tag)
        if self._path and self._path[-1] == name:
            self._path.pop()
        within = self._path[-1] if self._path else ""
        if name in ("item", "entry"):
            self._depth -= 1
            if not self._depth:
                self._at = self._channel
        elif name == "funding" and self._funding:
            self._at.fundings.append(Funding(link(self._funding, self._url), plain(text)))
            self._funding = ""
        elif text.strip():
            self._text(name, within, text)

    def _text(self, name: str, within: str, text: str) -> None:
        if within == "image":
            name = "image" if name == "url" else ""
        elif within in ("author", "contributor"):
            name = "author" if (within, name) == ("author", "name") else ""
        elif within == "source":
            name = ""
        if name == "link":
            self._at.links.append(text)
        elif name:
            self._at.said.setdefault(name, text)

    def _link(self, attributes: tags.Attributes) -> None:
        rels = attributes.get("rel", "alternate").lower().split()
        if "payment" in rels:
            self._at.payments.append(attributes["href"])
        elif "alternate" in rels:
            self._at.links.append(attributes["href"])

    def reading(self) -> Reading:
        """What was found."""
        part = self._channel
        return Reading(
            title=_said(part, "title"),
            description=_said(part, "description", "subtitle", "summary", most=LONG_CHARACTERS),
            image=link(_first(part, "image", "logo", "icon"), self._url),
            author=_said(part, "author", "creator", "managingEditor"),
            language=language(_first(part, "language")),
            home=self._home(part),
            payments=self._whole(part.payments),
            fundings=_whole_fundings(part),
            items=tuple(self._item(item) for item in self._items),
        )

    def _item(self, part: _Part) -> Item:
        return Item(
            guid=_said(part, "guid", "id", most=LONG_CHARACTERS),
            link=self._home(part),
            title=_said(part, "title"),
            payments=self._whole(part.payments),
            fundings=_whole_fundings(part),
        )

    def _home(self, part: _Part) -> str:
        return next(iter(self._whole(part.links)), "")

    def _whole(self, links: list[str]) -> tuple[str, ...]:
        return some([link(one, self._url) for one in links[: LINKS * 4]])


def _split(tag: str) -> tuple[str, str]:
    """The namespace of a tag, and its name within."""
    space, _brace, name = tag.rpartition("}")
    return space.removeprefix("{"), name


def _first(part: _Part, *names: str) -> str:
    return next((part.said[name] for name in names if part.said.get(name)), "")


def _said(part: _Part, *names: str, most: int = 300) -> str:
    return plain(_first(part, *names), most)


def _whole_fundings(part: _Part) -> tuple[Funding, ...]:
    return tuple(one for one in part.fundings[:LINKS] if one.url)


def read(text: str, url: str) -> Reading:
    """What a feed says of itself."""
    feed = Feed(url)
    tags.of_xml(text.lstrip("\ufeff \t\r\n"), feed.start, feed.end)
    return feed.reading()
