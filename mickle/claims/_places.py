"""Which place an address names, so that exactly this much can be shown to be somebody's."""

from typing import NamedTuple

from django.utils.translation import gettext as _

from mickle.lib import shared_hosts, urls
from mickle.lib.errors import Refused
from mickle.things.models import SCOPE_SEGMENTS, Scope


class NotOnePlace(Refused):
    """Many people have pages there, or nobody can reach it from here."""


class Place(NamedTuple):
    """`text` is a host, or a host and a path below it; `url` is the page that has to show a proof.

    `whole` says that the place is all of its host.
    """

    kind: str
    text: str
    host: str
    url: str

    @property
    def whole(self) -> bool:
        """Whether the place is all of its host."""
        return self.kind == Scope.Kind.HOST


def of(address: str, *, whole_host: bool) -> Place:
    """The place an address names: all of its host, or only what its path leads to.

    Raises BadUrl, or NotOnePlace where no single party can have it.
    """
    found = urls.admit(address)
    host, slash, path = found.identity.removeprefix(urls.VERSION).partition("/")
    for mark in ("?", "#"):
        path = path.partition(mark)[0]
    if ":" in host or "." not in host or host.replace(".", "").isdecimal():
        raise NotOnePlace(
            _("%(host)s is no public name of a site. Nothing was changed.")
            % {"host": found.display_host}
        )
    theirs = shared_hosts.tenant(host, slash + path)
    if not theirs:
        raise NotOnePlace(
            _(
                "Many people have pages at %(host)s, and this address is not one person's part of"
                " it. Give the address of your own part. Nothing was changed."
            )
            % {"host": found.display_host}
        )
    shown = (path if not whole_host else "").strip("/")
    shown = "/".join(shown.split("/")[:SCOPE_SEGMENTS])
    text = f"{host}/{shown}" if shown else host
    # A part of a shared host is never wider than what belongs to one.
    if not f"{text}/".startswith(f"{theirs}/"):
        text = theirs
    kind = Scope.Kind.HOST if text == host else Scope.Kind.PATH
    return Place(
        kind, text, host, f"https://{text}" if kind == Scope.Kind.PATH else f"https://{text}/"
    )


def covers(text: str, address: str) -> bool:
    """Whether a page read at an address lies in the place of this text."""
    try:
        found = urls.identify(address)
    except urls.BadUrl:
        return False
    place = found.identity.removeprefix(urls.VERSION)
    if "/" not in text:
        return found.host == text
    return place == text or place.startswith((f"{text}/", f"{text}?", f"{text}#"))
