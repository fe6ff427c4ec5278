"""The door of the room: make a token, find whom one speaks for, take it back."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from mickle.lib.errors import Refused
from mickle.members.models import Member
from mickle.programs import secret
from mickle.programs.models import NAME_CHARACTERS, Program

AT_MOST = 20


class BadName(Refused):
    """The name is empty, too long, or cannot be shown."""


class NameTaken(Refused):
    """The member has a program of this name."""


class TooMany(Refused):
    """The member has as many programs as one may have."""


class Leaving(Refused):
    """The account is being closed, so nothing new may act for it."""


class Unknown(Refused):
    """The token is none, or was taken back."""


class Suspended(Refused):
    """The member may do nothing here for now, nor may their programs."""


def make(*, member: Member, name: str, at: datetime) -> str:
    """Let a program act for a member; returns its token, which is told this once.

    Raises BadName, NameTaken, TooMany or Leaving.
    """
    called = " ".join(name.split())
    if not called or len(called) > NAME_CHARACTERS or not called.isprintable():
        raise BadName(
            _("Give the program a name of 1 to %(most)s letters that can be seen.")
            % {"most": NAME_CHARACTERS}
        )
    token = secret.new()
    with transaction.atomic():
        # Two who make their last one at once wait for each other here.
        held = Member.objects.select_for_update(no_key=True).get(id=member.id)
        _check(held, called)
        Program.objects.create(
            member=held, name=called, token_hash=secret.hashed(token), made_at=at
        )
    return token


def _check(member: Member, name: str) -> None:
    if member.closing_at is not None or member.closed_at is not None:
        raise Leaving(_("This account is being closed. Nothing was changed."))
    rows = Program.objects.filter(member=member)
    if rows.filter(name=name).exists():
        raise NameTaken(
            _("A program of yours has this name already. Take it back, or choose another name.")
        )
    if rows.count() >= AT_MOST:
        raise TooMany(
            _("%(most)s programs act for you already. Take one back first.") % {"most": AT_MOST}
        )


def find(*, token: str, at: datetime) -> Program:
    """The program that has this token, with its member; its day of use is noted.

    Raises Unknown, or Suspended.
    """
    row = None
    if secret.is_token(token):
        rows = Program.objects.select_related("member")
        row = rows.filter(token_hash=secret.hashed(token)).first()
    if row is None:
        raise Unknown(_("This token is unknown here, or was taken back."))
    if row.member.suspended_at is not None:
        raise Suspended(_("This account is suspended, so no program acts for it."))
    today = at.date()
    if row.used_date != today:
        # In a transaction it has its turn among those who write.
        with transaction.atomic():
            Program.objects.filter(id=row.id).update(used_date=today)
    return row


def listed(*, member: Member) -> QuerySet[Program]:
    """The programs that act for a member, newest first."""
    return Program.objects.filter(member=member).order_by("-made_at", "-id")


def revoke(*, member: Member, program_id: int) -> bool:
    """Take a token back at once; False when it was gone."""
    deleted, _by_table = Program.objects.filter(member=member, id=program_id).delete()
    return bool(deleted)


def revoke_all(*, member: Member) -> int:
    """Take all tokens of a member back; how many there were."""
    deleted, _by_table = Program.objects.filter(member=member).delete()
    return deleted
