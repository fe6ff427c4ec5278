"""The way out to the web, as the settings have it."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from mickle.claims.proofs import Eyes
from mickle.instance import street
from mickle.lib import fetch, funding, rdap, reading, urls
from mickle.lib.fetch import Fetched, Fetcher
from mickle.members import members
from mickle.members.models import Member
from mickle.things import things
from mickle.things.models import Thing

_FOUND = 200


class Web:
    """Pages and names of the web, read as politely as the fetcher does."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    def page(self, url: str, at: datetime) -> Fetched:
        """A page as it is now."""
        return self._fetcher.get(url, at=at, fresh_after=at)

    def txt(self, name: str) -> list[str]:
        """The TXT records of a name, as all resolvers say."""
        return fetch.txt(name, resolvers=settings.FETCH_RESOLVERS)

    def registered_at(self, domain: str, at: datetime) -> datetime | None:
        """Since when a domain is somebody's; None where its registry cannot or may not be asked."""
        if not settings.RDAP:
            return None
        try:
            listing = self._fetcher.get(rdap.BOOTSTRAP, at=at)
            there = rdap.address(listing.text, domain)
            told = self._fetcher.get(there, at=at).text if there else ""
        except fetch.Failed:
            return None
        return rdap.registered_at(told, domain)


def eyes() -> Eyes:
    """Who looks at proofs."""
    return Web(street.fetcher())


def profile_of(member: Member) -> str:
    """The address of a member's page here."""
    return settings.BASE_URL + reverse("profile", args=[member.username])


def read(thing: Thing, fetcher: Fetcher, at: datetime) -> None:
    """Note what a thing's page is called, and which other page it says it is and that one agrees.

    Of a person who did not join not even the name is read.
    """
    if _is_a_person(thing.url):
        things.note_read(thing=thing, title="", language="", at=at)
        return
    try:
        page = fetcher.get(thing.url, at=at, crawl=True)
    except fetch.Unreachable:
        things.note_silence(thing=thing, at=at)
        return
    except fetch.Forbidden:
        things.note_read(thing=thing, title="", language="", at=at)
        return
    found = reading.read(page.text, url=page.url, type=page.type, links=page.links)
    things.note_read(thing=thing, title=found.title, language=found.language, at=at)
    if _agrees(thing, found.canonical, fetcher, at):
        things.note_same(thing=thing, url=found.canonical, at=at)


def _agrees(thing: Thing, canonical: str, fetcher: Fetcher, at: datetime) -> bool:
    """Whether the page that a thing's page says it is says so of itself.

    Without that one page could draw another's nods to where nobody knows of it.
    """
    try:
        there = urls.identify(canonical)
        here = urls.identify(thing.url)
        if here.identity == there.identity or not urls.one_party(here, there):
            return False
        page = fetcher.get(there.url, at=at, crawl=True)
        found = reading.read(page.text, url=page.url, type=page.type, links=page.links)
        return urls.identify(found.canonical).identity == there.identity
    except (urls.BadUrl, fetch.Failed):
        return False


def _is_a_person(url: str) -> bool:
    """Whether a page is somebody's own at a site of many: its title would be their name."""
    maker = urls.maker(url)
    path = urls.identify(url).identity.partition("/")[2]
    return maker is not None and "/" not in path.strip("/")


def published(host: str, fetcher: Fetcher, at: datetime) -> str:
    """The mail address a site publishes for those who want to pay it; empty where it has none."""
    for path in ("/funding.json", "/"):
        try:
            page = fetcher.get(f"https://{host}{path}", at=at, crawl=True)
            # What another host says is no word of this one's.
            if page.status != _FOUND or urls.identify(page.url).host != host:
                continue
        except (urls.BadUrl, fetch.Failed):
            continue
        for address in _addresses(page, whole=path == "/"):
            try:
                return members.check_email(address)
            except members.BadEmail:
                continue
    return ""


def _addresses(page: Fetched, *, whole: bool) -> Sequence[str]:
    if whole:
        return reading.read(page.text, url=page.url, type=page.type, links=page.links).mails
    return funding.mails(page.text)
