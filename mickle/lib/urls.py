"""The identity of a web address: which addresses are the same thing.

Two addresses are the same only when that is sure; a nod that counts twice is a smaller harm than
money that goes to a stranger. Rules change with a new version in front of the text (`v1:`).
"""

import re
from typing import NamedTuple

from ada_url import URL
from django.utils.translation import gettext as _

from mickle.lib import _urls_script, _urls_sites
from mickle.lib._urls_page import Page, pairs_of, route_of, unescaped
from mickle.lib.errors import Refused

VERSION = "v1:"
LIMIT_CHARACTERS = 2_000
_SENT_ON_AT_MOST = 5
_NAME_CHARACTERS = 253
_LABEL_CHARACTERS = 63

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")

# Under these names everybody has a subdomain, so that `www` there is a person like any other.
_SHARED_HOSTS = """
blogspot.com codeberg.page fly.dev github.io gitlab.io glitch.me herokuapp.com neocities.org
netlify.app onrender.com pages.dev readthedocs.io surge.sh vercel.app web.app workers.dev
"""
_SHARED = frozenset(_SHARED_HOSTS.split())


class BadUrl(Refused):
    """The text is no address of a web page that a nod could be for."""


class Identity(NamedTuple):
    """An address understood.

    `identity` is what is compared; `url` opens the same page without tracking; `host` is the folded
    host; `harm` says why an address with credentials must not be kept ("secret", "disguise").
    """

    identity: str
    url: str
    raw: str
    host: str
    had_credentials: bool
    harm: str

    @property
    def display_host(self) -> str:
        """The host for people, see `display_host`."""
        return display_host(self.host)


class _Read(NamedTuple):
    page: Page
    url: str
    userinfo: str


def identify(url: str) -> Identity:
    """The identity of an absolute http(s) address; raises BadUrl for anything else."""
    raw = url.strip()
    read = _read(raw)
    userinfo = read.userinfo
    for _step in range(_SENT_ON_AT_MOST):
        page = _urls_sites.settle(read.page)
        target = _urls_sites.sent_on(page)
        if not target:
            break
        read = _read(target)
        userinfo = userinfo or read.userinfo
    else:
        raise BadUrl(
            _("This address only leads on to others. Give the address of the page itself.")
        )
    text = page.text()
    # Known sites speak https under their folded name; others may need their www or plain http.
    shown = read.url if page == read.page else f"https://{text}"
    _check_length(shown)
    return Identity(
        VERSION + text,
        shown,
        raw if not userinfo else shown,
        page.host,
        bool(userinfo),
        _harm(userinfo) if userinfo else "",
    )


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
    scheme, rest = _parsed(raw).split("://", 1)
    authority, _slash, tail = rest.partition("/")
    userinfo, _at, place = authority.rpartition("@")
    tail, _hash, fragment = tail.partition("#")
    path, _mark, query = tail.partition("?")
    host = _checked_host(place)
    pairs, route, path = pairs_of(query), route_of(fragment), "/" + unescaped(path)
    url = f"{scheme}://{host}{path}"
    if pairs:
        url += "?" + "&".join(pairs)
    if route:
        url += "#" + route
    return _Read(Page(_folded(host), path, pairs, route), url, userinfo)


def _parsed(raw: str) -> str:
    _check_length(raw)
    if _CONTROL.search(raw):
        raise BadUrl(_("This address contains a line break or control character."))
    try:
        href: str = URL(raw).href
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


def _check_length(text: str) -> None:
    if len(text) > LIMIT_CHARACTERS:
        raise BadUrl(
            _("This address is %(length)s characters long; up to %(limit)s can be used.")
            % {"length": len(text), "limit": LIMIT_CHARACTERS}
        )


def _checked_host(place: str) -> str:
    """The host with its port, without the dot that may end a full domain name."""
    if place.startswith("["):
        return place
    name, colon, port = place.partition(":")
    name = name.removesuffix(".")
    labels_fit = all(0 < len(label) <= _LABEL_CHARACTERS for label in name.split("."))
    if len(name) > _NAME_CHARACTERS or not labels_fit:
        raise BadUrl(_("This address names no host. An example: https://example.com/page."))
    return name + colon + port


def _folded(host: str) -> str:
    """The host without www, unless www is somebody's name there or all there is."""
    while host.startswith("www.") and "." in host[4:] and host[4:] not in _SHARED:
        host = host[4:]
    return host
