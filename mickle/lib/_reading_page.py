"""An HTML page, as its tags say it: head, links, Open Graph, JSON-LD."""

from collections.abc import Iterator
from urllib.parse import unquote

from mickle.lib import _reading_facts as ld
from mickle.lib import _reading_tags as tags
from mickle.lib._reading_found import (
    FACTS,
    LINKS,
    LONG_CHARACTERS,
    Fact,
    Reading,
    language,
    link,
    plain,
    some,
)
from mickle.lib._reading_header import links_in

_FEEDS = ("application/rss+xml", "application/atom+xml", "application/feed+json")
_OEMBED = "application/json+oembed"
_OWNER = "mickle:owner"
# Of these JSON-LD tells what the page is about; others tell of the site, or of where one is in it.
_WORKS = (
    "Article Posting WebPage VideoObject CreativeWork Book Recipe Course SoftwareApplication "
    "SoftwareSourceCode PodcastEpisode MusicRecording"
)
_OF_PAGE = tuple(_WORKS.split())
# With any other tag the body has begun, said or not.
_HEAD = "html head base basefont bgsound link meta noframes noscript script style template title"
_OF_HEAD = frozenset(_HEAD.split())
_SCRIPTS = 10
_METAS = 200


class Page:
    """Gathers from tags what a page says of itself."""

    def __init__(self, url: str) -> None:
        self._base = url
        self._title = ""
        self._language = ""
        self._metas: dict[str, str] = {}
        self._owners: list[str] = []
        self._mails: list[str] = []
        self._links: dict[str, list[str]] = {}
        self._scripts: list[str] = []
        self._in_head = True
        self._has_base = False

    def start(self, tag: str, attributes: tags.Attributes) -> bool:
        """Take a tag; whether its text is wanted too."""
        self._in_head = self._in_head and tag in _OF_HEAD
        if tag == "meta":
            self._meta(attributes)
        elif tag in ("link", "a", "area"):
            self._link(tag, attributes)
        elif tag == "base":
            self._rebase(attributes.get("href", ""))
        elif tag == "html":
            self._language = attributes.get("lang") or attributes.get("xml:lang") or ""
        if tag == "script":
            return attributes.get("type", "").strip().lower() == "application/ld+json"
        return tag == "title" and not self._title

    def end(self, tag: str, text: str) -> None:
        """Take the text of a tag whose text was wanted."""
        if tag == "title" and not self._title:
            self._title = plain(text)
        elif tag == "script" and text and len(self._scripts) < _SCRIPTS:
            self._scripts.append(text)

    def _rebase(self, href: str) -> None:
        """The first base counts, as in browsers."""
        if not self._has_base:
            self._has_base = True
            self._base = link(href, self._base) or self._base

    def _meta(self, attributes: tags.Attributes) -> None:
        name = (attributes.get("property") or attributes.get("name") or "").strip().lower()
        content = attributes.get("content", "")
        if name == _OWNER:
            # In a body it may be what a reader wrote there.
            if self._in_head and len(self._owners) < LINKS:
                self._owners.append(plain(content))
        elif name and len(self._metas) < _METAS:
            self._metas.setdefault(name[:LINKS], content)
        elif attributes.get("http-equiv", "").strip().lower() == "content-language":
            self._metas.setdefault("content-language", content)

    def _link(self, tag: str, attributes: tags.Attributes) -> None:
        rels = set(attributes.get("rel", "").lower().split())
        # What readers wrote (rel=ugc) is no word of the page's owner.
        if not rels or "ugc" in rels:
            return
        kinds = list(rels & {"me", "payment"})
        if "payment" in kinds:
            self._mail(attributes.get("href", ""))
        if tag == "link" and "alternate" in rels:
            kind = attributes.get("type", "").partition(";")[0].strip().lower()
            kinds += ["feed"] * (kind in _FEEDS) + ["oembed"] * (kind == _OEMBED)
        if tag == "link" and self._in_head:
            kinds += rels & {"canonical", "image_src"}
        for kind in kinds:
            found = self._links.setdefault(kind, [])
            if len(found) < LINKS * 4:
                found.append(link(attributes.get("href", ""), self._base))

    def _mail(self, href: str) -> None:
        scheme, _colon, rest = href.strip().partition(":")
        if scheme.lower() == "mailto" and len(self._mails) < LINKS:
            self._mails.append(plain(unquote(rest.partition("?")[0])))

    def reading(self) -> Reading:
        """What was found, the best of each."""
        facts = tuple(self._facts())[:FACTS]
        first = next((fact for fact in facts if fact.type.endswith(_OF_PAGE)), Fact(""))
        return Reading(
            title=plain(self._said("og:title", "twitter:title") or first.name) or self._title,
            description=plain(
                self._said("og:description", "description", "twitter:description")
                or first.description,
                LONG_CHARACTERS,
            ),
            image=self._image() or first.image,
            author=self._author() or first.author,
            author_url=link(self._metas.get("article:author"), "about:blank"),
            language=self._languages() or first.language,
            site_name=plain(self._said("og:site_name", "application-name") or first.publisher),
            canonical=self._one("canonical") or link(self._metas.get("og:url"), self._base),
            feeds=some(self._links.get("feed", [])),
            payments=some(self._links.get("payment", [])),
            mails=some(self._mails),
            mes=some(self._links.get("me", [])),
            owners=some(self._owners),
            oembeds=some(self._links.get("oembed", [])),
            facts=facts,
        )

    def _facts(self) -> Iterator[Fact]:
        for script in self._scripts:
            yield from ld.facts_in(script, self._base)

    def _said(self, *names: str) -> str:
        return next((text for name in names if (text := self._metas.get(name, "").strip())), "")

    def _one(self, kind: str) -> str:
        return next(filter(None, self._links.get(kind, [])), "")

    def _image(self) -> str:
        names = ("og:image:secure_url", "og:image", "og:image:url", "twitter:image")
        return link(self._said(*names), self._base) or self._one("image_src")

    def _author(self) -> str:
        said = plain(self._said("author", "article:author", "dc.creator"))
        return "" if "://" in said else said

    def _languages(self) -> str:
        said = (self._language, *(self._metas.get(n) for n in ("og:locale", "content-language")))
        return next(filter(None, map(language, said)), "")


def read(text: str, url: str, header: str) -> Reading:
    """What an HTML page says of itself, and the server beside it."""
    page = Page(url)
    # Before the page can name another base for its own links.
    for attributes in links_in(header):
        page.start("link", attributes)
    tags.of_page(text, page.start, page.end)
    return page.reading()
