"""The second door of the room: ways to show that a place is one's own, looked at by a machine."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext as _

from mickle.claims import _looking, _places, _standing
from mickle.claims._looking import Eyes, Seen, Silence, Wanted
from mickle.claims._places import NotOnePlace, Place
from mickle.claims._standing import ASKED_FOR, LIVE_AT_MOST, NOTICE, SILENT_FOR, TooMany
from mickle.claims.models import EVIDENCE_CHARACTERS, Proof
from mickle.instance import instance
from mickle.ledger.ledger import Check
from mickle.lib import fetch, urls
from mickle.lib.errors import Refused
from mickle.members.models import Member
from mickle.teams import teams
from mickle.things import things
from mickle.things.models import Scope, Thing

__all__ = ["LIVE_AT_MOST", "NOTICE", "SILENT_FOR", "Eyes", "NotOnePlace", "TooMany"]

LOOKED_AT_EVERY = timedelta(days=30)
# One that gives no answer is asked again no sooner.
RESTS = timedelta(hours=1)
# Whoever presses again and again would leave nothing of a site's limit to others.
ACCOUNT_RESTS = timedelta(minutes=10)

_SHOWN, _DISPUTED = Proof.State.SHOWN, Proof.State.DISPUTED
ProfileOf = Callable[[Member], str]

log = logging.getLogger(__name__)

_WHOLE_HOST = (Proof.Method.DNS, Proof.Method.FILE)


class BadMethod(Refused):
    """This way cannot show what the address names."""


class Ended(Refused):
    """The proof is no longer one that could be looked at."""


class TooSoon(Refused):
    """It was looked at a moment ago; nothing was changed."""


def begin(*, member: Member, address: str, method: str, at: datetime) -> Proof:
    """A way to show that a place is the member's, open for seven days; the same again while open.

    Raises BadUrl, NotOnePlace, BadMethod, members.Leaving or TooMany.
    """
    if method not in Proof.Method.values or method == Proof.Method.ACCOUNT:
        raise BadMethod(_("This way of showing it is not known here. Nothing was changed."))
    place = _places.of(address, whole_host=method in _WHOLE_HOST)
    _check_way(place, method)
    with transaction.atomic():
        Member.objects.select_for_update(no_key=True).get(id=member.id)
        live = _standing.live(member)
        known = live.filter(text=place.text, method=method).first()
        if known is not None and not _standing.has_lapsed(known, at):
            return known
        if known is not None:
            _standing.end(Proof.objects.filter(id=known.id), at)
        _standing.check_staying(member)
        _standing.check_room(live)
        _standing.check_pace(member, place.host, at)
        return Proof.objects.create(
            member=member,
            kind=place.kind,
            text=place.text,
            host=place.host,
            url=place.url,
            method=method,
            token=_standing.new_token(),
            made_at=at,
            expires_at=at + ASKED_FOR,
        )


def _check_way(place: Place, method: str) -> None:
    if method in _WHOLE_HOST and not place.whole:
        raise BadMethod(
            _("This way shows all of a host, and %(place)s is a part of one. Choose another way.")
            % {"place": place.text}
        )
    deep = place.text.count("/")
    # At GitLab a project may lie in groups of groups; elsewhere more names are no repository: at
    # GitHub they would be a commit, which may be anybody's who forked it.
    whole = deep == _REPOSITORY_PARTS or (deep > _REPOSITORY_PARTS and place.host == "gitlab.com")
    repository = place.host in _looking.REPOSITORIES and whole
    if method == Proof.Method.REPOSITORY and not repository:
        raise BadMethod(
            _("Give the address of a repository at one of: %(sites)s.")
            % {"sites": ", ".join(sorted(_looking.REPOSITORIES))}
        )


# host/owner/name
_REPOSITORY_PARTS = 2


def want_look(*, proof: Proof, at: datetime) -> None:
    """Ask for a look as soon as a worker comes to it; raises Ended for one that is over, TooSoon.

    A site tells strangers of few accounts an hour, and all who show one there share them.
    """
    tried_at = proof.tried_at if proof.method == Proof.Method.ACCOUNT else None
    if tried_at is not None and at < tried_at + ACCOUNT_RESTS:
        raise TooSoon(
            _("%(host)s was asked within the last ten minutes. Wait a little, or sign in there.")
            % {"host": proof.host}
        )
    rows = Proof.objects.filter(id=proof.id).exclude(state=Proof.State.ENDED)
    open_still = rows.filter(~Q(state=Proof.State.ASKED) | Q(expires_at__gt=at))
    if not open_still.update(wanted_at=at):
        raise Ended(
            _("The seven days for this are over. Begin anew; what waits for you still waits.")
        )


def end(*, proof: Proof, at: datetime) -> None:
    """Stop showing a place by this way; without another way its pages have no owner.

    Raises Ended for one that was lost or is in dispute: an operator ends it.
    """
    with transaction.atomic():
        instance.hold_owners()
        if not _standing.end(
            Proof.objects.filter(id=proof.id, state__in=(Proof.State.ASKED, _SHOWN)), at
        ):
            raise Ended(_("Whoever runs this instance decides this. Nothing was changed."))
        _standing.leave_place(proof, at)


def forget(*, member: Member, at: datetime) -> None:
    """End everything a member who leaves has shown; their places have no owner then."""
    with transaction.atomic():
        instance.hold_owners()
        _standing.end(Proof.objects.filter(member=member).exclude(state=Proof.State.ENDED), at)
        for scope in Scope.objects.filter(owner=member):
            things.withdraw_scope(text=scope.text, at=at)


def to_look_at(at: datetime, *, unseen: Q | Exists, untried: Q | Exists) -> QuerySet[Proof]:
    """What has to be looked at: wanted, 30 days old, or of a member who waits to be paid.

    `unseen` says of a proof that its member has asked for money since it was seen (`looked_at`),
    `untried` since anybody looked (`tried_at`).
    """
    rested = Q(tried_at=None) | Q(tried_at__lte=at - RESTS)
    due = Q(wanted_at__isnull=False) & (rested | Q(wanted_at__gt=F("tried_at")))
    due |= Q(state=_SHOWN, looked_at__lte=at - LOOKED_AT_EVERY) & rested
    due |= Q(state=_SHOWN) & Q(unseen) & (rested | Q(untried))
    rows = Proof.objects.exclude(state=Proof.State.ENDED).filter(due)
    # Where a host may be asked but once in a while it is the turn of whoever was not asked in vain.
    return rows.select_related("member").order_by(
        F("wanted_at").asc(nulls_last=True),
        F("silent_since_at").asc(nulls_first=True),
        "looked_at",
        "id",
    )


def held(asked: Mapping[int, datetime]) -> dict[int, str]:
    """Why members are not paid yet what they asked for, and when; those who may be are left out.

    The places whose pages brought the money have to be shown once more after they asked: their own,
    and those that others of a team have put into it.
    """
    why: dict[int, str] = {}
    keepers = teams.keepers(asked)
    theirs = Q(member__in=asked) | _of_keepers(set().union(*keepers.values()))
    rows: dict[int | tuple[int, str], list[Proof]] = defaultdict(list)
    for proof in Proof.objects.filter(theirs, shown_at__isnull=False).order_by("-id"):
        rows[proof.member_id].append(proof)
        rows[_place(proof)].append(proof)
    for member, asked_at in asked.items():
        others = (proof for place in sorted(keepers[member]) for proof in rows[place])
        if said := _first_why([*rows[member], *others], asked_at):
            why[member] = said
    return why


def _first_why(brought: Sequence[Proof], asked_at: datetime) -> str:
    """Why what these brought is not paid yet; empty where it may be."""
    why = {proof.id: _why_held(proof, asked_at) for proof in brought}
    stand = [proof for proof in brought if not why[proof.id] and not proof.ended_at]
    seen = {(proof.member_id, proof.account) for proof in stand if proof.account}
    seen |= {_place(proof) for proof in stand}
    for proof in brought:
        # Shown in another way, or the same account by another name: it was looked at all the same.
        otherwise = _place(proof) in seen or (proof.member_id, proof.account) in seen
        if why[proof.id] and not (proof.ended_at and otherwise):
            return why[proof.id] % {"place": proof.display}
    return ""


def _place(proof: Proof) -> tuple[int, str]:
    return proof.member_id, proof.text


def _of_keepers(places: Iterable[tuple[int, str]]) -> Q:
    found = Q(member=None)
    for keeper, text in sorted(places):
        found |= Q(member=keeper, text=text)
    return found


def asked_through_teams(asked: Mapping[int, datetime], when: str) -> Q:
    """The proofs of others that bring money to who asked for it after an instant of the proof's."""
    latest: dict[tuple[int, str], datetime] = {}
    for member, places in teams.keepers(asked).items():
        for place in places:
            latest[place] = max(asked[member], latest.get(place, asked[member]))
    found = Q(member=None)
    for place, asked_at in sorted(latest.items()):
        found |= _of_keepers([place]) & Q(**{f"{when}__lt": asked_at})
    return found


def _why_held(proof: Proof, asked_at: datetime) -> str:
    if proof.state in (Proof.State.LOST, _DISPUTED):
        return _("%(place)s is no longer shown to be theirs, or it is in dispute.")
    if proof.ended_at is not None:
        # Nobody has looked at it since. Before they asked, too: the time others have to object.
        given_up = proof.decided_by_id is None and proof.ended_at >= asked_at - NOTICE
        said = _("%(place)s was given up before it could be looked at once more.")
        return said if given_up else ""
    unseen = proof.looked_at is None or proof.looked_at < asked_at
    return _("%(place)s is looked at once more first.") if unseen else ""


def notice_until(member_id: int, at: datetime, text: str = "") -> datetime | None:
    """Until when the public may object to what a member has shown, or to one place of theirs.

    What others of a team have put into it counts with one's own. None when that is over. Giving a
    place up does not end it.
    """
    theirs = Q(member=member_id, text=text) if text else Q(member=member_id)
    if not text:
        theirs |= _of_keepers(teams.keepers([member_id])[member_id])
    rows = Proof.objects.filter(theirs, notice_until_at__gt=at)
    last: datetime | None = rows.aggregate(last=Max("notice_until_at"))["last"]
    return last


def look(*, proof: Proof, profile_of: ProfileOf, eyes: Eyes, at: datetime) -> Proof:
    """Look now, and do what follows: give the place, freeze it, or leave all as it is.

    Whoever else has shown the same place is looked at first, so that a proof that is gone stands in
    nobody's way, and of two that stand an operator decides.
    """
    seen = _seen(Wanted(proof, profile_of(proof.member)), eyes, at)
    if isinstance(seen, Seen) and seen.shown and proof.state != _SHOWN:
        for rival in _standing.rivals(proof).select_related("member"):
            _standing.note(rival, _seen(Wanted(rival, profile_of(rival.member)), eyes, at), at)
    _standing.note(proof, seen, at)
    proof.refresh_from_db()
    return proof


def _seen(wanted: Wanted, eyes: Eyes, at: datetime) -> Seen | Silence:
    try:
        return _looking.look(wanted, eyes, at)
    except fetch.Unreachable as silent:
        asked = not isinstance(silent, fetch.Unasked)
        return Silence(asked, str(silent)[:EVIDENCE_CHARACTERS])
    except Exception as error:  # noqa: BLE001 - one page that cannot be read keeps no other back
        log.error("proof %s cannot be seen: %s", wanted.proof.id, type(error).__name__)  # noqa: TRY400
        said = str(fetch.failure("broken", host=wanted.proof.host))
        return Silence(asked=False, said=said[:EVIDENCE_CHARACTERS])


def disputes() -> QuerySet[Proof]:
    """What two members show at once: an operator decides."""
    rows = Proof.objects.filter(state=_DISPUTED)
    return rows.select_related("member").order_by("text", "shown_at", "id")


def decide(*, proof: Proof, by: Member, at: datetime) -> None:
    """Of those who show one place this member has it; the ways of the others are over."""
    with transaction.atomic():
        instance.hold_owners()
        rows = Proof.objects.filter(text=proof.text, state=_DISPUTED)
        if not rows.filter(member=proof.member_id).update(state=_SHOWN, decided_by=by):
            raise Ended(_("Somebody has decided this before. Nothing was changed."))
        rows.update(state=Proof.State.ENDED, ended_at=at, decided_by=by, wanted_at=None)
        own = Proof.objects.filter(text=proof.text, member=proof.member_id, state=_SHOWN)
        for one in own.select_related("member"):
            _standing.give(one, at)


def audit() -> list[Check]:
    """Whether what was shown and what is had by it are the same."""
    owned = Scope.objects.exclude(owner=None)
    stands = Proof.objects.filter(text=OuterRef("text"), member=OuterRef("owner"), state=_SHOWN)
    unshown = owned.filter(~Exists(stands)).values_list("text", flat=True)
    by_proof = Thing.objects.exclude(scope=None)
    strangers = by_proof.exclude(owner=F("scope__owner")).count()
    by_account = by_proof.filter(scope__kind=Scope.Kind.HANDLE)
    own_page = Concat(Value(urls.VERSION), F("scope__text"))
    foreign = by_account.exclude(maker=F("scope__maker")).exclude(identity=own_page).count()
    return [
        Check(
            "Places are had by who shows them",
            owned.count(),
            not unshown.exists(),
            f"nobody shows {', '.join(unshown[:3])}",
        ),
        Check(
            "Pages had by a proof are had by its member",
            by_proof.count(),
            not strangers,
            f"{strangers} are somebody else's",
        ),
        Check(
            "Pages had by an account were made by it",
            by_account.count(),
            not foreign,
            f"{foreign} were not",
        ),
    ]
