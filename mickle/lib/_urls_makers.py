"""Whose account made a page, where the page's address alone says so surely.

Only what the site itself holds to be true counts: X shows a post under any name, Medium a story,
and GitHub shows anybody's commit in the repository it was forked from.
"""

import re
from collections.abc import Callable, Collection
from typing import NamedTuple

from mickle.lib._urls_fediverse import MASTODON
from mickle.lib._urls_page import Page
from mickle.lib._urls_reserved import (
    BANDCAMP,
    CODEBERG,
    FLICKR,
    GITHUB,
    GITLAB,
    GITLAB_WORDS,
    INSTAGRAM,
    MEDIUM,
    SOUNDCLOUD,
    TUMBLR,
    VIMEO,
    X,
)


class Maker(NamedTuple):
    """An account of a site: the site by name, or by host in the fediverse; the name is a label."""

    site: str
    name: str


_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_LABEL = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_HASH = re.compile(r"[0-9a-f]{7,64}")
_DIGITS = re.compile(r"[0-9]+")
# What only those write who may write to a repository; issues and requests anybody writes.
_FILES = ("blame", "blob", "commits", "raw", "tree")
_OWN = ("packages", "releases", "tags")
_TUBE = re.compile(r"/(@[^/]+|channel/UC[A-Za-z0-9_-]{22})(?:/(?:videos|shorts|streams|podcasts))?")
_FEDIVERSE = re.compile(r"/@([A-Za-z0-9_.-]+)/[0-9]{15,}")
_MASTODON = re.compile(r"/@([a-z0-9_.-]+)(?:/[0-9]+|/media|/with_replies)?")
_BLUESKY = re.compile(r"/profile/(did:[a-z]+:[^/]+|[a-z0-9.-]+\.[a-z0-9-]+)(?:/post/[a-z0-9]+)?")
_FLICKR = re.compile(r"/(?:people/([^/]+)|photos/([^/]+)(?:/[0-9]+|/albums(?:/[0-9]+)?)?)")
_OTHERS_SOUNDS = ("comments", "followers", "following", "likes", "reposts")
_BSKY_UNNAMED = "handle.invalid"


def maker_of(page: Page, gitlabs: Collection[str] = ()) -> Maker | None:
    """The account that made a page in its site's own form, or None where that is not sure.

    `gitlabs` are hosts known to run GitLab.
    """
    rule = _MAKERS.get(page.host)
    if rule is not None:
        return rule(page, _parts(page))
    if page.host in gitlabs:
        found = _gitlab(page, _parts(page))
        return Maker(page.host, found.name.lower()) if found else None
    label, _dot, family = page.host.partition(".")
    if family in _FAMILIES:
        site, house = _FAMILIES[family]
        return Maker(site, label) if _LABEL.fullmatch(label) and label not in house else None
    if page.host in MASTODON:
        named = _MASTODON.fullmatch(page.path.rstrip("/"))
    else:
        named = _FEDIVERSE.fullmatch(page.path.rstrip("/"))
    return Maker(page.host, named[1]) if named else None


def _parts(page: Page) -> list[str]:
    return page.path.strip("/").split("/")


def _github(_page: Page, parts: list[str]) -> Maker | None:
    owner = _named("github", parts[0], GITHUB)
    kind, ref = (*parts[2:4], "", "")[:2]
    return owner if _is_owners(kind, ref) else None


def _is_owners(kind: str, ref: str) -> bool:
    if kind in _FILES:
        # A hash may be any fork's, and so may what is under refs (`refs/pull/1/head`).
        return bool(ref) and ref != "refs" and not _HASH.fullmatch(ref)
    return kind in ("", *_OWN)


def _raw(_page: Page, parts: list[str]) -> Maker | None:
    ref = (*parts[2:3], "")[0]
    return _named("github", parts[0], GITHUB) if _is_owners("raw", ref) else None


def _gitlab(_page: Page, parts: list[str]) -> Maker | None:
    at = parts.index("-") if "-" in parts else len(parts)
    kind, ref = (*parts[at + 1 : at + 3], "", "")[:2]
    # Without its dash a deep path may be a project or somebody's issue.
    deep = parts[2:at]
    sure = not any(part in GITLAB_WORDS or _DIGITS.fullmatch(part) for part in deep)
    return _named("gitlab", parts[0], GITLAB) if sure and _is_owners(kind, ref) else None


def _codeberg(_page: Page, parts: list[str]) -> Maker | None:
    match parts:
        case [owner] | [owner, _] | [owner, _, "src", "branch" | "tag", *_]:
            return _named("codeberg", owner, CODEBERG)
        case [owner, _, kind, *_] if kind in _OWN:
            return _named("codeberg", owner, CODEBERG)
    return None


def _x(_page: Page, parts: list[str]) -> Maker | None:
    return _named("x", parts[0], X) if len(parts) == 1 else None


def _instagram(_page: Page, parts: list[str]) -> Maker | None:
    return _named("instagram", parts[0], INSTAGRAM) if len(parts) == 1 else None


def _soundcloud(_page: Page, parts: list[str]) -> Maker | None:
    others = len(parts) > 1 and parts[1] in _OTHERS_SOUNDS
    return None if others else _named("soundcloud", parts[0], SOUNDCLOUD)


def _vimeo(_page: Page, parts: list[str]) -> Maker | None:
    named = len(parts) == 1 and not _DIGITS.fullmatch(parts[0])
    return _named("vimeo", parts[0], VIMEO) if named else None


def _youtube(page: Page, _parts: list[str]) -> Maker | None:
    found = _TUBE.fullmatch(page.path.rstrip("/"))
    return Maker("youtube", found[1].removeprefix("channel/")) if found else None


def _flickr(page: Page, _parts: list[str]) -> Maker | None:
    found = _FLICKR.fullmatch(page.path.rstrip("/"))
    name = found and (found[1] or found[2])
    return Maker("flickr", name) if name and name.lower() not in FLICKR else None


def _bluesky(page: Page, _parts: list[str]) -> Maker | None:
    found = _BLUESKY.fullmatch(page.path.rstrip("/"))
    return Maker("bluesky", found[1]) if found and found[1] != _BSKY_UNNAMED else None


def _reddit(_page: Page, parts: list[str]) -> Maker | None:
    match parts:
        case ["user", name]:
            return _named("reddit", name)
    return None


def _medium(_page: Page, parts: list[str]) -> Maker | None:
    match parts:
        case [name] if name.startswith("@"):
            return _named("medium", name[1:])
    return None


def _five_hundred(_page: Page, parts: list[str]) -> Maker | None:
    match parts:
        case ["p", name]:
            return _named("500px", name)
    return None


def _named(site: str, name: str, house: frozenset[str] = frozenset()) -> Maker | None:
    return Maker(site, name) if _NAME.fullmatch(name) and name.lower() not in house else None


_MAKERS: dict[str, Callable[[Page, list[str]], Maker | None]] = {
    "github.com": _github,
    "raw.githubusercontent.com": _raw,
    "gitlab.com": _gitlab,
    "codeberg.org": _codeberg,
    "x.com": _x,
    "instagram.com": _instagram,
    "soundcloud.com": _soundcloud,
    "vimeo.com": _vimeo,
    "youtube.com": _youtube,
    "flickr.com": _flickr,
    "bsky.app": _bluesky,
    "reddit.com": _reddit,
    "medium.com": _medium,
    "500px.com": _five_hundred,
}
# Everybody has a subdomain: the site, and the labels that are the house's own.
_FAMILIES: dict[str, tuple[str, frozenset[str]]] = {
    "tumblr.com": ("tumblr", TUMBLR),
    "bandcamp.com": ("bandcamp", BANDCAMP),
    "medium.com": ("medium", MEDIUM),
    "github.io": ("github", frozenset({"www", "htmlpreview"})),
    "codeberg.page": ("codeberg", frozenset({"www"})),
}
