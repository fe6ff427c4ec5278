"""Whether what is shown stands: who has a place by it, who loses it, and who has to wait.

Called inside a transaction that holds the owners, unless it begins one itself.
"""

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from mickle.claims import _sites
from mickle.claims._looking import Seen, Silence
from mickle.claims.models import Proof
from mickle.instance import instance
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.models import Member
from mickle.things import things
from mickle.things.models import Scope

# A site that does not answer is asked again for so long before its proof is taken for lost.
SILENT_FOR = timedelta(days=7)
NOTICE = timedelta(days=14)
ASKED_FOR = timedelta(days=7)
LIVE_AT_MOST = 50
# Nobody sends looks to more hosts than that, though they end and begin as often as they wish.
HOSTS_AN_HOUR = 10
_HOUR = timedelta(hours=1)
_TOKEN_BYTES = 18

_SHOWN, _DISPUTED = Proof.State.SHOWN, Proof.State.DISPUTED


class TooMany(Refused):
    """The member has asked for more ways than anybody needs."""


def new_token() -> str:
    """What holds for one member, place and way."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def live(member: Member) -> QuerySet[Proof]:
    """What a member shows or means to."""
    return Proof.objects.filter(member=member).exclude(state=Proof.State.ENDED)


def check_staying(member: Member) -> None:
    """Raise members.Leaving for one who leaves; to be sure of it the caller holds their row."""
    if Member.objects.filter(id=member.id, closing_at=None, closed_at=None).exists():
        return
    raise members.Leaving(_("This account is being closed, so it can own nothing new."))


def check_room(shown: QuerySet[Proof]) -> None:
    """Raise TooMany where nobody needs another one."""
    if shown.count() >= LIVE_AT_MOST:
        raise TooMany(
            _("You show %(n)s places already. End one before you begin another.")
            % {"n": LIVE_AT_MOST}
        )


def check_pace(member: Member, host: str, at: datetime) -> None:
    """Raise TooMany where the member has begun at many other hosts within the hour."""
    recent = Proof.objects.filter(member=member, made_at__gt=at - _HOUR).exclude(host=host)
    by_look = recent.exclude(method=Proof.Method.ACCOUNT)
    if by_look.values("host").distinct().count() >= HOSTS_AN_HOUR:
        raise TooMany(
            _("You have begun this at %(n)s hosts in an hour. Wait a little; nothing was changed.")
            % {"n": HOSTS_AN_HOUR}
        )


def has_lapsed(proof: Proof, at: datetime) -> bool:
    """Whether the days to put it there are over."""
    return proof.state == Proof.State.ASKED and at >= proof.expires_at


def end(rows: QuerySet[Proof], at: datetime) -> int:
    """Count them as over; returns how many that were."""
    return rows.update(state=Proof.State.ENDED, ended_at=at, wanted_at=None)


def leave_place(proof: Proof, at: datetime) -> None:
    """Withdraw what its member shows no other way."""
    own = Proof.objects.filter(member=proof.member_id, text=proof.text, state=_SHOWN)
    others = list(own.exclude(id=proof.id).select_related("member").order_by("id"))
    theirs = Scope.objects.filter(text=proof.text, owner=proof.member_id)
    if any(one.kind == proof.kind for one in others) or not theirs.exists():
        return
    things.withdraw_scope(text=proof.text, at=at)
    for one in others:
        give(one, at)


def give(proof: Proof, at: datetime) -> None:
    """Give its place to its member; raises AlreadyOwned."""
    things.give_scope(
        kind=proof.kind,
        text=proof.text,
        host=proof.host,
        owner=proof.member,
        at=at,
        maker=_sites.maker(proof.text) if proof.account else "",
    )


def rivals(proof: Proof) -> QuerySet[Proof]:
    """What others show of the same place."""
    rows = Proof.objects.filter(text=proof.text, state=_SHOWN)
    return rows.exclude(member=proof.member_id)


def note(proof: Proof, seen: Seen | Silence, at: datetime) -> None:
    """Write down what a look came to, and do what follows."""
    if isinstance(seen, Silence):
        _note_silence(proof, seen, at)
    elif seen.shown:
        _note_shown(proof, seen, at)
    else:
        _note_missing(proof, seen, at)


def _note_silence(proof: Proof, seen: Silence, at: datetime) -> None:
    rows = Proof.objects.filter(id=proof.id)
    with transaction.atomic():
        instance.hold_owners()
        rows.update(wanted_at=None, tried_at=at, said=seen.said)
        if not seen.asked:
            # That others are asked there, or were told to wait, is no word about this page.
            return
        rows.filter(silent_since_at=None).update(silent_since_at=at)
        since = rows.values_list("silent_since_at", flat=True).get()
        if since is not None and at >= since + SILENT_FOR:
            _lose(proof, at)


def _note_missing(proof: Proof, seen: Seen, at: datetime) -> None:
    rows = Proof.objects.filter(id=proof.id)
    # One that was looked at and still counts as shown would let a payout go.
    with transaction.atomic():
        instance.hold_owners()
        rows.update(looked_at=at, tried_at=at, silent_since_at=None, wanted_at=None, said=seen.said)
        _lose(proof, at)


def _lose(proof: Proof, at: datetime) -> None:
    """What was shown is not any more: what was earned stays, what comes is set aside."""
    rows = Proof.objects.filter(id=proof.id, state__in=(_SHOWN, _DISPUTED))
    if rows.update(state=Proof.State.LOST):
        leave_place(proof, at)


def _note_shown(proof: Proof, seen: Seen, at: datetime) -> None:
    with transaction.atomic():
        instance.hold_owners()
        row = Proof.objects.select_for_update().get(id=proof.id)
        rows = Proof.objects.filter(id=row.id)
        rows.update(wanted_at=None, tried_at=at)
        if row.state == Proof.State.ENDED or has_lapsed(row, at):
            return
        rows.update(looked_at=at, silent_since_at=None, said=seen.said)
        known_at = row.since_at
        if seen.since_at is not None and seen.since_at != known_at:
            if known_at is not None and seen.since_at > known_at:
                # Whatever was decided was of who had it until then.
                row.decided_by = None
            row.since_at = seen.since_at
            row.save(update_fields=["since_at", "decided_by"])
        if row.shown_at is None:
            rows.update(shown_at=at, notice_until_at=at + NOTICE)
        if row.state in (Proof.State.ASKED, Proof.State.LOST):
            rows.update(state=_take_place(row, at))
        elif row.state == _SHOWN and row.since_at != known_at and _changed_hands(row):
            _dispute(row, at)


def _take_place(proof: Proof, at: datetime) -> str:
    """Give the place to who shows it; where somebody else shows it too, to nobody."""
    others = Proof.objects.filter(text=proof.text, state__in=(_SHOWN, _DISPUTED))
    rivals = others.exclude(member=proof.member_id)
    if rivals.exists():
        things.withdraw_scope(text=proof.text, at=at)
        others.update(state=_DISPUTED)
        return _DISPUTED
    if _is_younger(proof):
        return _DISPUTED
    give(proof, at)
    return _SHOWN


def _changed_hands(proof: Proof) -> bool:
    """Whether its domain was registered anew since it was shown first, though it is shown still.

    A copy of the site shows it as well, and whoever has the domain now may be somebody else.
    """
    return bool(proof.since_at and proof.shown_at and proof.since_at > proof.shown_at)


def _dispute(proof: Proof, at: datetime) -> None:
    """Let an operator look at a place, however many ways show it; until then nobody has it."""
    own = Proof.objects.filter(member=proof.member_id, text=proof.text, state=_SHOWN)
    own.update(state=_DISPUTED, since_at=proof.since_at)
    things.withdraw_scope(text=proof.text, at=at)


def _is_younger(proof: Proof) -> bool:
    """Whether people nodded there before its account or domain was: they meant somebody else.

    An operator may know better.
    """
    if proof.since_at is None or proof.decided_by_id is not None:
        return False
    if not proof.account:
        # Another way to show what is theirs already.
        if Scope.objects.filter(text=proof.text, owner=proof.member_id).exists():
            return False
        place = Scope(kind=proof.kind, text=proof.text, host=proof.host)
        return things.lay_there_before(place, at=proof.since_at)
    return things.were_added_before(
        maker=_sites.maker(proof.text), host=proof.host, at=proof.since_at
    )
