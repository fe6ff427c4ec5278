"""JSON from strangers: JSON-LD within pages, JSON Feed, oEmbed."""

import json
from collections.abc import Iterator

from mickle.lib._reading_found import (
    FACTS,
    ITEMS,
    LONG_CHARACTERS,
    Fact,
    Item,
    Reading,
    language,
    link,
    plain,
)

_LOOKED_AT = 500
_JSON_FEED = "https://jsonfeed.org/version/"


def parsed(text: str) -> object:
    """The value of a JSON text, or None where it is none or nests without end."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def facts_in(text: str, base: str) -> Iterator[Fact]:
    """The things a JSON-LD text describes, outer ones first, a bounded number of them."""
    waiting, looked_at, found = [parsed(text)], 0, 0
    while waiting and looked_at < _LOOKED_AT and found < FACTS:
        value = waiting.pop(0)
        looked_at += 1
        if isinstance(value, list):
            waiting += value[: _LOOKED_AT - looked_at]
        elif isinstance(value, dict):
            if kind := plain(_first(value.get("@type"))):
                found += 1
                yield _fact(kind, value, base)
            waiting += [part for name in ("@graph", "mainEntity") if (part := value.get(name))]


def _fact(kind: str, value: dict[str, object], base: str) -> Fact:
    url = value.get("url") or value.get("@id") or value.get("mainEntityOfPage")
    return Fact(
        type=kind,
        name=plain(value.get("headline")) or plain(value.get("name")),
        url=link(_part(url, "@id", "url"), base),
        author=plain(_part(value.get("author") or value.get("creator"), "name")),
        publisher=plain(_part(value.get("publisher"), "name")),
        description=plain(value.get("description"), LONG_CHARACTERS),
        image=link(_part(value.get("image") or value.get("thumbnailUrl"), "url", "@id"), base),
        language=language(_part(value.get("inLanguage"), "alternateName", "name")),
    )


def _first(value: object) -> object:
    """A value, or the first of a list of them."""
    return (value[0] if value else None) if isinstance(value, list) else value


def _part(value: object, *names: str) -> object:
    """A text, or the first of these parts of the thing that stands in its place."""
    value = _first(value)
    if isinstance(value, dict):
        return _first(next((value[name] for name in names if value.get(name)), None))
    return value


def read(text: str, url: str) -> Reading:
    """A JSON Feed or an answer of oEmbed; of other JSON, nothing."""
    value = parsed(text)
    if not isinstance(value, dict):
        return Reading()
    version = value.get("version")
    if isinstance(version, str) and version.startswith(_JSON_FEED):
        return _feed(value, url)
    return _oembed(value, url) if "version" in value and "type" in value else Reading()


def _feed(value: dict[str, object], url: str) -> Reading:
    author = value.get("authors") or value.get("author")
    items = value.get("items")
    return Reading(
        title=plain(value.get("title")),
        description=plain(value.get("description"), LONG_CHARACTERS),
        image=link(value.get("icon"), url),
        author=plain(_part(author, "name")),
        author_url=link(_part(author, "url"), url),
        language=language(value.get("language")),
        home=link(value.get("home_page_url"), url),
        items=tuple(
            Item(plain(one.get("id")), link(one.get("url"), url), plain(one.get("title")))
            for one in (items[:ITEMS] if isinstance(items, list) else ())
            if isinstance(one, dict)
        ),
    )


def _oembed(value: dict[str, object], url: str) -> Reading:
    return Reading(
        title=plain(value.get("title")),
        image=link(value.get("thumbnail_url"), url),
        author=plain(value.get("author_name")),
        author_url=link(value.get("author_url"), url),
        site_name=plain(value.get("provider_name")),
    )
