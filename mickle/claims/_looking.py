"""Looking for a proof where it has to stand: one way each, and what was seen in a sentence."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from ada_url import URLSearchParams
from django.utils.translation import gettext as _

from mickle.claims import _places, _sites
from mickle.claims.models import EVIDENCE_CHARACTERS, Proof
from mickle.lib import fetch, funding, reading, shared_hosts, urls
from mickle.lib.fetch import Fetched
from mickle.things.models import Scope

DNS_NAME = "_mickle"
DNS_VALUE = "mickle="
FILE_PATH = "/.well-known/mickle.txt"
FUNDING_PATH = "/funding.json"
MANIFESTS_PATH = "/.well-known/funding-manifest-urls"
_LINES_AT_MOST = 100
# No file of words has it, and every page.
_TAG = "<"
_MANIFESTS_AT_MOST = 3
_FEEDS_AT_MOST = 2
# For so long a sign-in stands for a site that tells everybody nothing.
SIGNED_IN_FOR = timedelta(hours=1)
# Where a site serves a file of a repository's default branch; nothing there leads elsewhere.
REPOSITORIES = {
    "github.com": "https://raw.githubusercontent.com/{path}/HEAD/.github/FUNDING.yml",
    "codeberg.org": "https://codeberg.org/{path}/raw/HEAD/.github/FUNDING.yml",
    "gitlab.com": "https://gitlab.com/{path}/-/raw/HEAD/.github/FUNDING.yml",
}


class Eyes(Protocol):
    """The way out: reads pages and names of the web for whoever has to look at them."""

    def page(self, url: str, at: datetime) -> Fetched:
        """A page as it is now; raises fetch.Forbidden or fetch.Unreachable."""

    def txt(self, name: str) -> list[str]:
        """The TXT records of a name, as all resolvers say; raises fetch.Unreachable."""

    def registered_at(self, domain: str, at: datetime) -> datetime | None:
        """Since when a domain is somebody's, as its registry says; None where it does not."""


class Seen(NamedTuple):
    """Whether a proof stands there, a sentence that says what was seen, and since when it can."""

    shown: bool
    said: str
    since_at: datetime | None = None


class Silence(NamedTuple):
    """Nobody answered, or (not `asked`) it was no time to ask; and the sentence that says so."""

    asked: bool
    said: str


class Wanted(NamedTuple):
    """What has to be seen: a proof, and the member's page that it names."""

    proof: Proof
    profile: str

    @property
    def name(self) -> str:
        """The name of the member in links."""
        return self.proof.member.username


def look(wanted: Wanted, eyes: Eyes, at: datetime) -> Seen:
    """Look for a proof now; raises fetch.Unreachable where nobody answers."""
    way = _WAYS[wanted.proof.method]
    try:
        seen = way(wanted, eyes, at)
    except fetch.Forbidden as forbidden:
        seen = Seen(False, str(forbidden))
    except fetch.Unreachable as silent:
        seen = _with_www(wanted, eyes, at, silent)
    since_at = _since(wanted.proof, eyes, at) if seen.shown else None
    return Seen(seen.shown, seen.said[:EVIDENCE_CHARACTERS], since_at)


def _since(proof: Proof, eyes: Eyes, at: datetime) -> datetime | None:
    """Since when the domain of a place is somebody's, where it is one party's.

    An account is as old as its site says, which whoever runs this instance trusts or which is a
    server of the fediverse: then it is no older than the domain, whoever has that now.
    """
    if proof.kind == Scope.Kind.HANDLE and not _sites.is_fediverse(proof.account):
        return None
    domain = shared_hosts.domain(proof.host)
    registered_at = eyes.registered_at(domain, at) if domain else None
    if registered_at is None or proof.kind != Scope.Kind.HANDLE:
        return registered_at
    return max(registered_at, proof.since_at or registered_at)


class _Www(NamedTuple):
    """Eyes that look at each host under its name with www."""

    eyes: Eyes

    def page(self, url: str, at: datetime) -> Fetched:
        """The page of the same path there."""
        return self.eyes.page(url.replace("https://", "https://www.", 1), at)

    def txt(self, name: str) -> list[str]:
        """Records stand where they stand."""
        return self.eyes.txt(name)

    def registered_at(self, domain: str, at: datetime) -> datetime | None:
        """A domain is the same under every name."""
        return self.eyes.registered_at(domain, at)


def _with_www(wanted: Wanted, eyes: Eyes, at: datetime, silent: fetch.Unreachable) -> Seen:
    """What is shown where a site answers with www alone; as a thing that is the same host.

    What is not there is no loss of what may stand where nobody answered.
    """
    by_account = wanted.proof.method == Proof.Method.ACCOUNT
    if by_account or shared_hosts.is_shared(wanted.proof.host):
        raise silent
    try:
        seen = _WAYS[wanted.proof.method](wanted, _Www(eyes), at)
    except fetch.Failed:
        raise silent from None
    if not seen.shown:
        raise silent
    return seen


def _by_dns(wanted: Wanted, eyes: Eyes, _at: datetime) -> Seen:
    name = f"{DNS_NAME}.{wanted.proof.host}"
    records = eyes.txt(name)
    value = DNS_VALUE + wanted.proof.token
    if value in (record.strip() for record in records):
        return Seen(True, _("%(name)s has the TXT record.") % {"name": name})
    said = _("%(name)s has no TXT record %(value)s.") % {"name": name, "value": value}
    return Seen(False, said)


def _by_file(wanted: Wanted, eyes: Eyes, at: datetime) -> Seen:
    url = f"https://{wanted.proof.host}{FILE_PATH}"
    page = _read(wanted.proof, url, eyes, at)
    if page is None:
        return _elsewhere(url)
    if page.status == _FOUND and wanted.proof.token in _lines(page.text):
        if _TAG in page.text:
            # At a wiki whoever comes writes a page of any name, and lines in it.
            return Seen(False, _("%(url)s is a page, and no file of lines alone.") % {"url": url})
        return Seen(True, _("%(url)s has the line.") % {"url": url})
    return _missing(url, page)


def _by_meta(wanted: Wanted, eyes: Eyes, at: datetime) -> Seen:
    return _on_page(wanted, eyes, at, lambda found: wanted.proof.token in found.owners)


def _by_payment(wanted: Wanted, eyes: Eyes, at: datetime) -> Seen:
    """A payment link of the page, or of a feed that the page names and that lies in the place."""
    seen = _on_page(wanted, eyes, at, lambda found: _asks_for(wanted, found))
    if seen.shown:
        return seen
    for feed in _feeds(wanted, eyes, at):
        page = _read(wanted.proof, feed, eyes, at)
        if page is not None and page.status == _FOUND and _asks_for(wanted, _reading(page)):
            return Seen(True, _("%(url)s shows it.") % {"url": feed})
    return seen


def _asks_for(wanted: Wanted, found: reading.Reading) -> bool:
    links = (*found.payments, *(one.url for one in found.fundings))
    return any(_pays(wanted, one) for one in links)


def _feeds(wanted: Wanted, eyes: Eyes, at: datetime) -> list[str]:
    """The first feeds a page names; a place may be the feed itself."""
    page = _read(wanted.proof, wanted.proof.url, eyes, at)
    if page is None or page.status != _FOUND:
        return []
    named = [feed.replace("http://", "https://", 1) for feed in _reading(page).feeds]
    return [feed for feed in named if _places.covers(wanted.proof.text, feed)][:_FEEDS_AT_MOST]


def _reading(page: Fetched) -> reading.Reading:
    return reading.read(page.text, url=page.url, type=page.type, links=page.links)


def _by_me(wanted: Wanted, eyes: Eyes, at: datetime) -> Seen:
    # The other way round is the profile's own link to each place that was asked for.
    return _on_page(wanted, eyes, at, lambda found: any(_is_ours(wanted, one) for one in found.mes))


def _by_funding(wanted: Wanted, eyes: Eyes, at: datetime) -> Seen:
    """A manifest at the place itself, or one elsewhere that the place's host names as its own."""
    proof = wanted.proof
    url = f"https://{proof.text}{FUNDING_PATH}"
    for manifest in _funding_files(proof, url, eyes, at):
        channels = funding.channels(manifest.text) if manifest.status == _FOUND else []
        if any(_is_ours(wanted, one) for one in channels):
            said = _("%(url)s names your page here as a channel.")
            return Seen(True, said % {"url": manifest.url})
    said = _("%(url)s names no channel %(profile)s.")
    return Seen(False, said % {"url": url, "profile": wanted.profile})


def _funding_files(proof: Proof, url: str, eyes: Eyes, at: datetime) -> Iterator[Fetched]:
    """One after the other, so that nobody is asked who need not be."""
    own = _read(proof, url, eyes, at)
    if own is not None:
        yield own
    if proof.kind != Scope.Kind.HOST:
        return
    listing = _read(proof, f"https://{proof.host}{MANIFESTS_PATH}", eyes, at)
    if listing is not None and listing.status == _FOUND:
        for line in _lines(listing.text)[:_MANIFESTS_AT_MOST]:
            yield eyes.page(line, at)


def _by_repository(wanted: Wanted, eyes: Eyes, at: datetime) -> Seen:
    """The file in which a repository says how to fund it, as its site serves it."""
    site, _slash, path = wanted.proof.text.partition("/")
    url = REPOSITORIES[site].format(path=path)
    page = eyes.page(url, at)
    if page.status == _FOUND and any(_is_ours(wanted, one) for one in funding.custom(page.text)):
        return Seen(True, _("%(url)s names your page here.") % {"url": url})
    return _missing(url, page)


def _by_account(wanted: Wanted, eyes: Eyes, at: datetime) -> Seen:
    """What the site tells everybody of the account, or has just told of who signed in."""
    proof = wanted.proof
    try:
        return _read_account(proof, eyes, at)
    except fetch.Unreachable:
        if not _has_just_signed_in(proof, at):
            raise
    return Seen(True, signed_in(proof.host, proof.account))


def _read_account(proof: Proof, eyes: Eyes, at: datetime) -> Seen:
    """The account by its number, without a token; anything odd is silence."""
    facts = {"account": proof.account, "host": proof.host}
    try:
        told = eyes.page(_sites.public(proof.account, proof.host), at)
    except fetch.Forbidden:
        raise fetch.Unreachable("broken", host=proof.host) from None
    if told.status in _GONE:
        return Seen(False, _("%(host)s has no account %(account)s any more.") % facts)
    if told.status != _FOUND:
        raise fetch.Unreachable("server", host=proof.host, status=str(told.status))
    account = _sites.told_of(proof.account, proof.host, told.text) if len(told.hops) == 1 else None
    if account is None:
        raise fetch.Unreachable("broken", host=proof.host)
    if account.text != proof.text:
        said = _("%(account)s is called %(name)s at %(host)s now. Sign in there once more.")
        return Seen(False, said % (facts | {"name": account.name}))
    said = _("%(account)s is called %(name)s at %(host)s.")
    return Seen(True, said % (facts | {"name": account.name}))


def signed_in(host: str, account: str) -> str:
    """What is on record of somebody who has just signed in."""
    said = _("Signed in at %(host)s as the account %(account)s.")
    return (said % {"host": host, "account": account})[:EVIDENCE_CHARACTERS]


def _has_just_signed_in(proof: Proof, at: datetime) -> bool:
    """Whether nobody has looked since; what was given since is looked at anew."""
    if proof.signed_in_at is None or proof.state not in (Proof.State.ASKED, Proof.State.LOST):
        return False
    unseen = proof.looked_at is None or proof.looked_at < proof.signed_in_at
    return unseen and at < proof.signed_in_at + SIGNED_IN_FOR


def _on_page(
    wanted: Wanted, eyes: Eyes, at: datetime, shows: Callable[[reading.Reading], bool]
) -> Seen:
    url = wanted.proof.url
    page = _read(wanted.proof, url, eyes, at)
    if page is None:
        return _elsewhere(url)
    if page.status == _FOUND and shows(_reading(page)):
        return Seen(True, _("%(url)s shows it.") % {"url": url})
    return _missing(url, page)


_FOUND = 200
_GONE = (404, 410)


def _read(proof: Proof, url: str, eyes: Eyes, at: datetime) -> Fetched | None:
    """The page at an address; None where it leads out of the place that is to be shown."""
    page = eyes.page(url, at)
    return page if all(_places.covers(proof.text, hop) for hop in page.hops) else None


def _elsewhere(url: str) -> Seen:
    said = _("%(url)s leads to another site, so it shows nothing about this one.")
    return Seen(False, said % {"url": url})


def _missing(url: str, page: Fetched) -> Seen:
    if page.status != _FOUND:
        said = _("%(url)s answers with status %(status)s.")
        return Seen(False, said % {"url": url, "status": page.status})
    return Seen(False, _("%(url)s can be read, and it is not there.") % {"url": url})


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()[:_LINES_AT_MOST] if line.strip()]


def _is_ours(wanted: Wanted, address: str) -> bool:
    """Whether a link on a page names the member's own page here."""
    try:
        return urls.identify(address).identity == urls.identify(wanted.profile).identity
    except urls.BadUrl:
        return False


def _pays(wanted: Wanted, address: str) -> bool:
    """Whether a link leads to the member's page, or to a nod at this very place that is theirs.

    The button of another page is put up by whoever likes it: it says whose that one is.
    """
    if _is_ours(wanted, address):
        return True
    asked = URLSearchParams(address.partition("#")[0].partition("?")[2])
    if urls.origin_of(address) != urls.origin_of(wanted.profile):
        return False
    named = asked.get_all("by") == [wanted.name]
    return named and [wanted.proof.text] == [_place_of(one) for one in asked.get_all("url")]


def _place_of(address: str) -> str:
    """The text that a place has which is all that an address names; empty for none."""
    try:
        return urls.identify(address).identity.removeprefix(urls.VERSION).rstrip("/")
    except urls.BadUrl:
        return ""


_WAYS: dict[str, Callable[[Wanted, Eyes, datetime], Seen]] = {
    Proof.Method.DNS: _by_dns,
    Proof.Method.FILE: _by_file,
    Proof.Method.META: _by_meta,
    Proof.Method.ME: _by_me,
    Proof.Method.PAYMENT: _by_payment,
    Proof.Method.FUNDING: _by_funding,
    Proof.Method.REPOSITORY: _by_repository,
    Proof.Method.ACCOUNT: _by_account,
}
