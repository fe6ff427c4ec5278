"""Why a member is told something: read from the books when the mail is about to be sent.

None instead of facts means that there is no longer a reason.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from mickle.instance import instance
from mickle.instance.instance import State
from mickle.instance.models import Month
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Charity, Member
from mickle.notices import _teams
from mickle.notices._plan import AHEAD
from mickle.notices._teams import Questions
from mickle.notices.models import Kind, Notice
from mickle.settlement import arrears, settlement
from mickle.settlement.models import Charge, Due, Line, Part, Spend
from mickle.settlement.settlement import OwnerStatement, Statement


class NotYet(Exception):
    """What is to be told is not decided; it is looked at again later."""


@dataclass(frozen=True)
class Short:
    """Funds do not cover the budget of a month with nods that count; amounts in micros.

    `back_micros` of what is left was set aside, and comes back as the month is settled.
    """

    nods: int
    budget_micros: int
    left_micros: int
    back_micros: int = 0


@dataclass(frozen=True)
class Idle:
    """A month without a nod, and what of it goes to which charity; `kept` counts months before."""

    amount_micros: int
    charity: Charity
    kept: int = 0


@dataclass(frozen=True)
class Settled:
    """What a settled month brought: given, and received as an owner."""

    gave: Statement
    received: OwnerStatement


@dataclass(frozen=True)
class Asked:
    """What is asked for a month that was settled in arrears, and is not there yet; micros."""

    amount_micros: int
    until: datetime
    tries_left: int


Facts = Short | Idle | Settled | Asked | Questions


def of(notice: Notice, at: datetime) -> Facts | None:
    """The facts of a mail; None when it is moot. Raises NotYet."""
    kind = Kind(notice.kind)
    if kind == Kind.STATEMENT:
        return _of_settled(notice.member, notice.month)
    if kind == Kind.TEAM:
        return _teams.questions(notice.member)
    if kind.asks:
        return _of_charge(notice.member, notice.month, kind.asks)
    if not _in_time(kind, notice.month, at):
        return None
    return _of_coming(notice.member, notice.month, kind)


def _in_time(kind: Kind, month: int, at: datetime) -> bool:
    """Whether something can still be done about it."""
    if kind in AHEAD:
        state = instance.state(month)
        return state in (State.OPEN, State.FUTURE) and at < months.end(month)
    return Month.objects.filter(month=month, frozen_at=None).exists()


def _of_settled(member: Member, month: int) -> Settled | None:
    if instance.state(month) is not State.SETTLED:
        return None
    if _may_still_receive(member, month):
        raise NotYet
    gave = settlement.statement(member=member, month=month)
    received = settlement.owner_statement(member=member, month=month)
    return Settled(gave, received) if gave.spend_micros or received.lines else None


def _may_still_receive(member: Member, month: int) -> bool:
    """In arrears a month brings its owners something as it is paid for, after it was settled."""
    if not Due.objects.filter(month=month, charge__state=Charge.State.ASKED).exists():
        return False
    owns = Line.objects.filter(month=month, owner=member).exists()
    return owns or Part.objects.filter(month=month, member=member).exists()


def _of_charge(member: Member, month: int, asks: int) -> Asked | None:
    charge = arrears.open_charges(member).filter(month=month).first()
    # What is there already is collected without a word; what was asked for again is told by the
    # mail that says so.
    if charge is None or arrears.can_pay(member) or charge.tries > asks:
        return None
    if charge.tries < asks:
        raise NotYet
    left = max(settings.CHARGE_TRIES - charge.tries, 0)
    return Asked(charge.amount_micros, charge.try_at, left)


def _of_coming(member: Member, month: int, kind: Kind) -> Short | Idle | None:
    plan = members.plan(member, month)
    # What a settlement that has begun took in can no longer change.
    if plan.paused or Spend.objects.filter(member=member, month=month).exists():
        return None
    seen = settlement.forecast(member=member, month=month)
    coming = kind in (Kind.IDLE_30, Kind.IDLE_7)
    if seen.shares:
        short = seen.left_micros < plan.budget_micros and seen.counting and not coming
        left, back = seen.left_micros, seen.back_micros
        return Short(seen.counting, plan.budget_micros, left, back) if short else None
    if seen.charity is None or (settings.IDLE_POLICY == "keep" and kind == Kind.REMINDER):
        return None
    return Idle(seen.given_micros, seen.charity, seen.idle_before)
