"""The identity of a web address: which addresses are the same thing.

Two addresses are the same only when that is sure; a nod that counts twice is a smaller harm than
money that goes to a stranger. Rules change with a new version in front of the text (`v1:`).
"""

import re
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from ada_url import URL, normalize_url
from django.utils.translation import gettext as _

from mickle.lib import _urls_doors, _urls_makers, _urls_script, _urls_sites, shared_hosts
from mickle.lib._urls_makers import Maker
from mickle.lib._urls_page import Page, escaped, pairs_of, route_of, unescaped
from mickle.lib.errors import Refused

VERSION = "v1:"
LIMIT_CHARACTERS = 2_000
_SENT_ON_AT_MOST = 5
_NAME_CHARACTERS = 253
_LABEL_CHARACTERS = 63
_HOSTS_REMEMBERED = 10_000

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


class BadUrl(Refused):
    """The text is no address of a web page that a nod could be for."""


class Identity(NamedTuple):
    """An address understood.

    `identity` is what is compared; `url` opens the same page without tracking; `host` is the folded
    host; `harm` says why an address with credentials must not be kept ("secret", "disguise");
    `rule` names what gave the identity ("general", "github", "door: l.facebook.com, youtube").
    """

    identity: str
    url: str
    raw: str
    host: str
    had_credentials: bool
    harm: str
    rule: str

    @property
    def display_host(self) -> str:
        """The host for people, see `display_host`."""
        return display_host(self.host)


class _Read(NamedTuple):
    page: Page
    url: str
    userinfo: str


class _Host(NamedTuple):
    shown: str
    folded: str


def identify(url: str) -> Identity:
    """The identity of an absolute http(s) address; raises BadUrl for anything else."""
    raw = url.strip()
    read = _read(raw)
    userinfo, doors = read.userinfo, ""
    for _step in range(_SENT_ON_AT_MOST):
        page, rule = _urls_sites.settle(read.page)
        target = _urls_doors.sent_on(page)
        if not target:
            break
        doors = doors or f"door: {page.host}"
        read = _read(target)
        userinfo = userinfo or read.userinfo
    else:
        raise BadUrl(
            _("This address only leads on to others. Give the address of the page itself.")
        )
    text = page.text()
    # Known sites speak https under their folded name; others may need their www or plain http.
    shown = read.url if page == read.page else _address(text)
    if len(shown) > LIMIT_CHARACTERS:
        raise _too_long(shown)
    if doors:
        rule = doors if rule == _urls_sites.GENERAL else f"{doors}, {rule}"
    return Identity(
        VERSION + text,
        shown,
        raw if not userinfo else shown,
        page.host,
        bool(userinfo),
        _harm(userinfo) if userinfo else "",
        rule,
    )


def identify_item(feed: str, *, guid: str, link: str = "", permalink: bool = False) -> Identity:
    """The identity of one item of a feed: its page if that is the feed's owner's, else its guid.

    A link that leads to somebody else is what the item is about, not the item.
    """
    home = identify(feed)
    for address in (guid if permalink else "", link):
        found = _own_page(address, home)
        if found is not None:
            return found
    name = escaped(guid.strip())
    found = identify(f"{home.url.partition('#')[0]}#!guid/{name}")
    if not name or not found.identity.partition("#")[2]:
        raise BadUrl(_("This item of a feed has neither a page of its own nor a guid."))
    return found._replace(rule="feed item")


def _own_page(address: str, home: Identity) -> Identity | None:
    """The page of an item, if whoever has the feed has the page."""
    try:
        found = identify(address)
    except BadUrl:
        return None
    if found.identity == home.identity:
        return None
    # What YouTube says in the feed of a channel is the channel's.
    tube = home.identity.startswith(f"{VERSION}youtube.com/feeds/videos.xml?")
    return found if (tube and found.host == home.host) or one_party(found, home) else None


def one_party(one: Identity, other: Identity) -> bool:
    """Whether two pages are surely the same party's, so that one may speak of the other."""
    here, there = place(one), place(other)
    if here == there:
        return bool(here)
    # Of two persons at one host neither speaks for the other.
    whole = here == one.host and there == other.host
    return whole and shared_hosts.same_owner(one.host, other.host)


def place(found: Identity) -> str:
    """The host, or path below it, around a page that is one party's; empty where none is known."""
    page = _page_of(found.identity)
    return shared_hosts.tenant(page.host, page.path)


def maker(of: Identity | str, *, gitlabs: Collection[str] = ()) -> Maker | None:
    """The account that surely made a page, as far as its address alone says so; else None.

    `of` is an identity, its text or an address; a name is a label, which may change hands.
    `gitlabs` are further hosts that run GitLab.
    """
    text = of.identity if isinstance(of, Identity) else of
    if not text.startswith(VERSION):
        text = identify(text).identity
    return _urls_makers.maker_of(_page_of(text), gitlabs)


def _page_of(identity: str) -> Page:
    text = identity.removeprefix(VERSION)
    # By the shorter scheme where it may be: as long as the longest address, it is one still.
    scheme = "https" if text.partition("/")[0].endswith(":80") else "http"
    return _read(f"{scheme}://{text}").page


def _address(text: str) -> str:
    """An address that has this text for its identity."""
    # The port of https is kept in a host only where it was asked for by http.
    scheme = "http" if text.partition("/")[0].endswith(":443") else "https"
    return f"{scheme}://{text}"


def origin_of(address: str) -> str:
    """The origin of a web address, as browsers write it; empty for anything else."""
    try:
        origin: str = URL(address).origin
    except ValueError:
        return ""
    return origin if origin.startswith(("https://", "http://")) else ""


def site_of(address: str) -> str:
    """The folded host of an address's origin, wherever its path leads on to; empty for none."""
    try:
        return identify(origin_of(address) + "/").host
    except BadUrl:
        return ""


def display_host(host: str) -> str:
    """A host in its own script, but in punycode where mixed or imitating scripts could deceive."""
    return _urls_script.shown(host)


def admit(url: str) -> Identity:
    """The identity of an address fit to be kept: no password and no false host before the real."""
    found = identify(url)
    if found.harm == "secret":
        raise BadUrl(
            _("This address contains a password. Nothing was saved; give it without the password.")
        )
    if found.harm == "disguise":
        raise BadUrl(
            _("This address looks like one site and leads to another, %(host)s. Nothing was saved.")
            % {"host": found.display_host}
        )
    return found


def _harm(userinfo: str) -> str:
    name, _colon, password = userinfo.partition(":")
    if password:
        return "secret"
    # A name with a dot reads like the host, and the real one behind it is overlooked.
    return "disguise" if "." in name or "%2e" in name.lower() else ""


def _read(raw: str) -> _Read:
    scheme, _colon, rest = _parsed(raw).partition("://")
    authority, _slash, tail = rest.partition("/")
    userinfo, _at, place = authority.rpartition("@")
    tail, _hash, fragment = tail.partition("#")
    path, _mark, query = tail.partition("?")
    host, folded = _host(place)
    pairs, path = pairs_of(query), "/" + unescaped(path)
    route = route_of(fragment, folded) if fragment else ""
    url = f"{scheme}://{host}{path}"
    if pairs:
        url += "?" + "&".join(pairs)
    if route:
        url += "#" + route
    return _Read(Page(folded, path, pairs, route), url, userinfo)


def _parsed(raw: str) -> str:
    if len(raw) > LIMIT_CHARACTERS:
        raise _too_long(raw)
    if not raw.isprintable() and _CONTROL.search(raw):
        raise BadUrl(_("This address contains a line break or control character."))
    if "\ufffd" in raw:
        # It stands for whatever could not be decoded, and so for different pages.
        raise BadUrl(
            _("This address contains a letter that could not be read. Copy it from the browser.")
        )
    try:
        href: str = normalize_url(raw)
    except ValueError:
        if raw and not _SCHEME.match(raw):
            raise BadUrl(_("This is not a whole address. Begin with https://.")) from None
        raise BadUrl(
            _("This is not a web address. An example: https://example.com/page.")
        ) from None
    if not href.startswith(("https://", "http://")):
        raise BadUrl(
            _("Only addresses that begin with https:// or http:// can be used, not “%(scheme)s”.")
            % {"scheme": href.partition(":")[0] + ":"}
        )
    return href


def _too_long(text: str) -> BadUrl:
    return BadUrl(
        _("This address is %(length)s characters long; up to %(limit)s can be used.")
        % {"length": len(text), "limit": LIMIT_CHARACTERS}
    )


@lru_cache(_HOSTS_REMEMBERED)
def _host(place: str) -> _Host:
    """The host with its port, without the dot that may end a full name; and the same folded."""
    if place.startswith("["):
        return _Host(place, place)
    name, colon, port = place.partition(":")
    name = name.removesuffix(".")
    labels_fit = all(0 < len(label) <= _LABEL_CHARACTERS for label in name.split("."))
    if len(name) > _NAME_CHARACTERS or not labels_fit:
        raise BadUrl(_("This address names no host. An example: https://example.com/page."))
    return _Host(name + colon + port, _folded(name) + colon + port)


def _folded(host: str) -> str:
    """The host without www, unless www is somebody's name there or all there is."""
    while host.startswith("www.") and "." in host[4:] and shared_hosts.is_house(host):
        host = host[4:]
    return host
