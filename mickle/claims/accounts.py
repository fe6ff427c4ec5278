"""The third door of the room: showing an account of a site by signing in there.

OAuth 2.0 with PKCE. What comes back is believed once, within minutes, for the member, the browser
and the site it was begun with. The token reads one account, is revoked and never kept.
"""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import NamedTuple, Protocol

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from mickle.claims import _looking, _pkce, _sites, _standing
from mickle.claims._looking import Seen
from mickle.claims._sites import Account, Key, Site
from mickle.claims.models import App, Proof, SignIn
from mickle.instance import instance
from mickle.lib import fetch, shared_hosts, urls
from mickle.lib.errors import Refused
from mickle.lib.fetch import Call, Told
from mickle.members.models import Member
from mickle.things import things
from mickle.things.models import Scope

__all__ = ["Account", "Site"]

AWAY_FOR = timedelta(minutes=10)
STARTS_AN_HOUR = 10
HOUR = timedelta(hours=1)
# Servers of the fediverse forget an app that nobody holds a token of.
APP_FOR = timedelta(hours=12)
_STATE_BYTES = 32
_CODE_CHARACTERS = 2_000
_GOOD = range(200, 300)
# Members wait for sites, and threads wait with them: never more than a few.
_TALKS = BoundedSemaphore(3)


class NotOffered(Refused):
    """This instance is not known at the site, or the server is none where one could sign in."""


class TooOften(Refused):
    """The member has begun too many, or too many talk to sites just now."""


class Expired(Refused):
    """What came back was begun by nobody here, elsewhere, too long ago, or is used."""


class Denied(Refused):
    """The member said no, or the site did."""


class Strange(Refused):
    """The site answered what it could not, or the account is of another host."""


class Line(Protocol):
    """Who talks to the programs of sites."""

    def call(self, call: Call) -> Told:
        """What a program answers; raises fetch.Forbidden or fetch.Unreachable."""


class Return(NamedTuple):
    """What came back with a member: the state, and a code or the site's word why not."""

    state: str
    code: str = ""
    error: str = ""
    issuer: str = ""


def offered() -> list[Site]:
    """The sites whose buttons can be pressed, without those of the fediverse."""
    if not ready():
        return []
    known = [Site(_sites.GITHUB, host) for host in settings.GITHUB_APPS]
    return known + [Site(_sites.GITLAB, host) for host in settings.GITLAB_APPS]


def not_offered() -> list[Site]:
    """The sites everybody knows at which this instance is not known."""
    usual = [Site(kind, host) for host, kind in _sites.HOMES.items()]
    return [site for site in usual if site not in offered()]


def ready() -> bool:
    """Whether this instance reaches the web, and members find back to it."""
    return bool(settings.FETCH and settings.BASE_URL)


def is_offered(site: Site) -> bool:
    """Whether members can sign in there from here."""
    return ready() and (site.kind == _sites.MASTODON or site in offered())


def site(*, kind: str, host: str) -> Site:
    """A site where members sign in; of the fediverse `host` is as typed. Raises NotOffered."""
    found = Site(kind, _server(host) if kind == _sites.MASTODON else host)
    if is_offered(found):
        return found
    raise NotOffered(_("Nobody can sign in there from here. Nothing was changed."))


def site_of(proof: Proof) -> Site | None:
    """Where a proof was shown by signing in; None for one that was not."""
    return Site(proof.account.partition(":")[0], proof.host) if proof.account else None


def site_of_maker(maker: str) -> Site | None:
    """Where who made a thing would sign in; None where that is not known."""
    name = maker.partition(":")[0]
    for one in offered():
        if name == _sites.name_of(one.host):
            return one
    # The accounts of the fediverse are named by their hosts.
    return Site(_sites.MASTODON, name) if ready() and "." in name else None


def _server(typed: str) -> str:
    """The host of `social.example`, `@bob@social.example` or an address there."""
    text = typed.strip()
    if "://" not in text:
        text = f"https://{text.rpartition('@')[2]}"
    try:
        host = urls.admit(text).host
    except urls.BadUrl:
        host = ""
    named = "." in host and ":" not in host and not host.replace(".", "").isdecimal()
    if not named or not shared_hosts.is_one_partys(host):
        raise NotOffered(
            _("Give the name of your server, for example mastodon.social. Nothing was changed.")
        )
    return host


def start(*, member: Member, session: str, site: Site, back: str, line: Line, at: datetime) -> str:
    """Where the member goes to sign in, once and within ten minutes.

    `session` names their browser, `back` is the exact address they come back to. Raises TooOften,
    Strange or a failure of the fetcher.
    """
    state = secrets.token_urlsafe(_STATE_BYTES)
    # Before anybody is asked, so that one who only sends it out is counted too.
    with transaction.atomic():
        _check_pace(member, at)
        forget_old(at=at)
        row = SignIn.objects.create(
            member=member,
            session=_digest(session),
            state=_digest(state),
            site=site.kind,
            host=site.host,
            made_at=at,
        )
    app = None
    if site.kind == _sites.MASTODON:
        app = _app(site, back, line, at)
        SignIn.objects.filter(id=row.id).update(app=app)
    return site.leave(
        _key(site, app), back=back, state=state, challenge=_pkce.challenge(_pkce.verifier(state))
    )


def _check_pace(member: Member, at: datetime) -> None:
    # Of two at once the second counts the first.
    Member.objects.select_for_update(no_key=True).get(id=member.id)
    recent = SignIn.objects.filter(member=member, made_at__gt=at - HOUR)
    if recent.count() >= STARTS_AN_HOUR:
        raise TooOften(_("You have begun this ten times in an hour. Wait a little."))


def forget_old(*, at: datetime) -> None:
    """Drop who was on the way, and the apps that no server knows any more."""
    SignIn.objects.filter(made_at__lte=at - HOUR).delete()
    App.objects.filter(made_at__lte=at - APP_FOR - HOUR).delete()


def _app(site: Site, back: str, line: Line, at: datetime) -> App:
    """What the server knows this instance as: of the last hours, or asked for now."""
    known = App.objects.filter(host=site.host, back=back, made_at__gt=at - APP_FOR)
    if (found := known.order_by("-made_at").first()) is not None:
        return found
    with _talking():
        key = _registered(site, back, line)
    return App.objects.create(
        host=site.host,
        client_id=key.client_id,
        client_secret=key.client_secret,
        scope=key.scope,
        back=back,
        made_at=at,
    )


def _registered(site: Site, back: str, line: Line) -> Key:
    for scope in (site.scope, _sites.OLD_SCOPE):
        asked = site.register(
            settings.INSTANCE_NAME, back=back, scope=scope, home=settings.BASE_URL
        )
        told = line.call(asked)
        if told.status in _GOOD:
            try:
                found = _sites.key(told.text, scope)
            except _sites.Odd:
                break
            if found is not None:
                return found
    raise Strange(
        _("%(host)s is no server where one can sign in as at Mastodon. Nothing was changed.")
        % {"host": site.host}
    )


def _key(site: Site, app: App | None) -> Key:
    if app is not None:
        return Key(app.client_id, app.client_secret, app.scope)
    known = settings.GITHUB_APPS if site.kind == _sites.GITHUB else settings.GITLAB_APPS
    return Key(*known[site.host], site.scope)


@contextmanager
def _talking() -> Iterator[None]:
    """A place among the few who talk, for as long as it takes; raises TooOften."""
    if not _TALKS.acquire(blocking=False):
        raise TooOften(_("Many members sign in at sites just now. Try again in a minute."))
    try:
        yield
    finally:
        _TALKS.release()


def finish(
    *,
    member: Member,
    session: str,
    site: Site,
    back: str,
    returned: Return,
    line: Line,
    at: datetime,
) -> Proof:
    """What a member who comes back has shown: the account, and what it made is theirs.

    Where another member shows the same it is looked at once more first. Raises TooOften, Expired,
    Denied, Strange, members.Leaving, TooMany or a failure of the fetcher.
    """
    # One place for all of it: nobody is stopped with a token that is not given back yet.
    with _talking():
        app = _take(member=member, session=session, site=site, returned=returned, at=at)
        account = _shown(site, app, back, returned, line)
    return note(member=member, account=account, at=at)


def _shown(site: Site, app: App | None, back: str, returned: Return, line: Line) -> Account:
    """The account that the site says came back; raises Denied, Strange or a failure."""
    if returned.error or not 0 < len(returned.code) <= _CODE_CHARACTERS:
        raise Denied(
            _("%(host)s did not let you in, or you said no there. Nothing was changed.")
            % {"host": site.host}
        )
    key = _key(site, app)
    secret = _pkce.verifier(returned.state)
    exchange = site.exchange(key, back=back, code=returned.code, verifier=secret)
    try:
        token = _sites.token(line.call(exchange).text, site.host)
        return _account(site, key, token, line)
    except _sites.Odd:
        raise Strange(
            _("%(host)s did not say which account is yours there. Nothing was changed; try again.")
            % {"host": site.host}
        ) from None


def _take(
    *, member: Member, session: str, site: Site, returned: Return, at: datetime
) -> App | None:
    """Use up the way back of exactly this member, browser and site; raises Expired."""
    mine = SignIn.objects.filter(
        state=_digest(returned.state),
        member=member,
        session=_digest(session),
        site=site.kind,
        host=site.host,
        made_at__gt=at - AWAY_FOR,
    )
    foreign = returned.issuer and urls.site_of(returned.issuer) != site.host
    if foreign or not mine.filter(used_at=None).update(used_at=at):
        if not foreign and mine.exists():
            # Pressed twice: something may well have been changed, or is being changed now.
            raise Expired(
                _(
                    "You have come back with this before. “My pages” says whether the account is"
                    " shown; if it is not, begin anew."
                )
            )
        raise Expired(
            _(
                "This was begun elsewhere, or more than ten minutes ago. Nothing was changed; begin"
                " anew."
            )
        )
    return mine.select_related("app").get().app


def _account(site: Site, key: Key, token: str, line: Line) -> Account:
    try:
        told = line.call(site.who(token))
    finally:
        # Where that fails it is kept nowhere all the same, and may only read a name.
        with suppress(fetch.Failed):
            line.call(site.revoke(key, token))
    if told.status not in _GOOD:
        raise _sites.Odd
    return site.read(told.text)


def note(*, member: Member, account: Account, at: datetime) -> Proof:
    """An account that a site has just said to be the member's; the same again changes nothing.

    Of two members at once the second finds that the first has it. Raises TooMany or
    members.Leaving.
    """
    with transaction.atomic():
        return _note(member, account, at)


def _note(member: Member, account: Account, at: datetime) -> Proof:
    instance.hold_owners()
    Member.objects.select_for_update(no_key=True).get(id=member.id)
    # Of two at once the second finds what the first has.
    things.hold_place(host=account.host, maker=_sites.maker(account.text))
    mine = _standing.live(member).filter(account=account.handle)
    # Called something else before, it has that name no more.
    for old in mine.exclude(text=account.text).exclude(state=Proof.State.DISPUTED):
        _standing.end(Proof.objects.filter(id=old.id), at)
        _standing.leave_place(old, at)
    proof = mine.filter(text=account.text).first() or _fresh(member, account, at)
    rows = Proof.objects.filter(id=proof.id)
    said = _looking.signed_in(account.host, account.handle)
    since_at = max(filter(None, (proof.since_at, account.since_at)), default=None)
    rows.update(signed_in_at=at, since_at=since_at, said=said)
    rows.filter(state=Proof.State.ASKED).update(expires_at=at + _standing.ASKED_FOR)
    # A worker looks first since when a server's domain is somebody's, and whether others still show
    # the place; of two who do an operator decides.
    first = _sites.is_fediverse(account.handle) or _standing.rivals(proof).exists()
    if proof.state != Proof.State.SHOWN and first:
        rows.update(wanted_at=at)
    else:
        _standing.note(rows.get(), Seen(True, said), at)
    return rows.get()


def _fresh(member: Member, account: Account, at: datetime) -> Proof:
    # While the site was asked they may have closed their account here.
    _standing.check_staying(member)
    _standing.check_room(_standing.live(member))
    return Proof.objects.create(
        member=member,
        kind=Scope.Kind.HANDLE,
        text=account.text,
        host=account.host,
        url=f"https://{account.text}",
        method=Proof.Method.ACCOUNT,
        token=_standing.new_token(),
        account=account.handle,
        signed_in_at=at,
        made_at=at,
        expires_at=at + _standing.ASKED_FOR,
    )


def forget(*, member: Member) -> None:
    """Drop the numbers and names of accounts that a member who leaves has shown."""
    SignIn.objects.filter(member=member).delete()
    shown = Proof.objects.filter(member=member, method=Proof.Method.ACCOUNT)
    shown.filter(state=Proof.State.ENDED).update(
        account="", text=F("host"), url="", said="", since_at=None
    )


def _digest(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()
