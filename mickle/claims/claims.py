"""The door of the room: make a claim, grant or refuse it."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from mickle.claims import _standing
from mickle.claims.models import NOTE_CHARACTERS, Claim
from mickle.lib.errors import Refused
from mickle.members.models import Member
from mickle.things import things
from mickle.things.models import Thing


class CannotClaim(Refused):
    """The thing has an owner or can have none."""


class BadNote(Refused):
    """The note is too long."""


class Decided(Refused):
    """The claim was decided before."""


def make(*, thing: Thing, member: Member, at: datetime, note: str = "") -> Claim:
    """Say that a thing is the member's; claiming it twice is one open claim with the first note.

    Raises CannotClaim, members.Leaving or BadNote.
    """
    text = _plain(note)
    row = Thing.objects.get(id=thing.id)
    if row.owner_id == member.id:
        raise CannotClaim(_("This is yours already."))
    if row.owner_id is not None:
        raise CannotClaim(_("Another member has shown that this is theirs. Nothing was changed."))
    if row.state in (Thing.State.REFUSED, Thing.State.MERGED):
        raise CannotClaim(_("Nobody can own this page here. Nothing was changed."))
    _standing.check_staying(member)
    claim, _made = Claim.objects.get_or_create(
        thing=row,
        member=member,
        state=Claim.State.OPEN,
        defaults={"note": text, "made_at": at},
    )
    return claim


def _plain(note: str) -> str:
    text = "".join(letter for letter in note if letter == "\n" or letter.isprintable()).strip()
    if len(text) > NOTE_CHARACTERS:
        raise BadNote(
            _("This note is %(length)s characters long; up to %(limit)s fit. Nothing was changed.")
            % {"length": len(text), "limit": NOTE_CHARACTERS}
        )
    return text


def open_claims() -> QuerySet[Claim]:
    """What waits for an operator, oldest first."""
    rows = Claim.objects.filter(state=Claim.State.OPEN)
    return rows.select_related("thing__owner", "member").order_by("made_at", "id")


def grant(*, claim: Claim, by: Member, at: datetime) -> Thing:
    """Make the member the owner; the caller then calls `settlement.release`.

    Raises Decided, members.Leaving, or what `things.set_owner` raises; the claim stays as it was.
    """
    with transaction.atomic():
        _decide(claim, Claim.State.GRANTED, by, at)
        _standing.check_staying(claim.member)
        return things.set_owner(thing=claim.thing, owner=claim.member, at=at)


def refuse(*, claim: Claim, by: Member, at: datetime) -> None:
    """Turn a claim down; the member may make another one. Raises Decided."""
    _decide(claim, Claim.State.REFUSED, by, at)


def _decide(claim: Claim, state: Claim.State, by: Member, at: datetime) -> None:
    # Of two who decide at once one moves the row; the other reads that none moved.
    rows = Claim.objects.filter(id=claim.id, state=Claim.State.OPEN)
    if not rows.update(state=state, decided_by=by, decided_at=at):
        raise Decided(_("Somebody has decided this claim before. Nothing was changed."))


def forget(*, member: Member) -> None:
    """Drop what a member who leaves has claimed and written; decisions stay."""
    with transaction.atomic():
        Claim.objects.filter(member=member, state=Claim.State.OPEN).delete()
        Claim.objects.filter(member=member).update(note="")
