"""What members, owners and operators read of a month. Reads only; amounts in micros."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import TypedDict

from django.db.models import Sum
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.instance.instance import State
from mickle.lib import money, months
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.members import Plan
from mickle.members.models import Charity, Member
from mickle.settlement import _forecast, _funds, _nodded, _owed, _waiting
from mickle.settlement._funds import Move
from mickle.settlement._nodded import Share
from mickle.settlement.models import ReturnedShare, Spend, Split
from mickle.things.models import Thing

# Fewer givers than this and an owner sees no amount for the thing alone (rule 14).
GIVERS_SHOWN = 3
_RECEIVED = ("paid", "released")


class NoStatement(Refused):
    """The month has not begun, or ended before this instance did."""


@dataclass(frozen=True)
class Statement:
    """What became of one member's coin in one month, or would, were the month to end now."""

    member: Member
    month: int
    state: State
    budget_micros: int
    paused: bool
    spend_micros: int
    shares: list[Share]
    charity: Charity | None
    funds_start_micros: int
    funds_end_micros: int
    arrears: bool = False
    # What paid for it and came after its end; below 0 what went to the month before.
    carried_micros: int = 0
    movements: list[Move] = field(default_factory=list)

    @property
    def forecast(self) -> bool:
        """Whether the month is not settled, so that this may still change."""
        return self.state is not State.SETTLED

    def _sum(self, *states: str) -> int:
        return sum(share.amount_micros for share in self.shares if share.state in states)

    @property
    def paid_micros(self) -> int:
        """Gross that reached owners, at the settlement or by a later release."""
        return self._sum(*_RECEIVED)

    @property
    def waiting_micros(self) -> int:
        """What is still set aside and the member's own."""
        return self._sum("waiting")

    @property
    def due_micros(self) -> int:
        """In arrears: what is asked for or carried on, and not paid yet."""
        return self._sum("due")

    @property
    def returned_micros(self) -> int:
        """What was set aside and has come back."""
        return self._sum("returned")

    @property
    def fee_micros(self) -> int:
        """The fee inside what reached owners, share by share rounded down."""
        return sum(share.fee_micros for share in self.shares)

    @property
    def gift_micros(self) -> int:
        """What went to a charity, because no nod was given."""
        return self.spend_micros if self.charity is not None else 0


def statement(*, member: Member, month: int) -> Statement:
    """What became of a member's coin in a month, share by share in order of thing id.

    Of a month that is not settled, what would. Raises NoStatement.
    """
    state = instance.state(month)
    if state is State.SETTLED:
        return _settled(member, month)
    name = months.text(month)
    if state is State.BEFORE:
        text = _("%(month)s is before the first month of this instance, so it has no statement.")
        raise NoStatement(text % {"month": name})
    if state is State.FUTURE:
        raise NoStatement(_("%(month)s has not begun, so it has no statement.") % {"month": name})
    return _foreseen(member, month, state)


def _settled(member: Member, month: int) -> Statement:
    plan = members.plan(member, month)
    spend = Spend.objects.filter(month=month, member=member).select_related("charity").first()
    arrears = _owed.is_charged(month)
    return Statement(
        member=member,
        month=month,
        state=State.SETTLED,
        budget_micros=plan.budget_micros,
        paused=plan.paused,
        spend_micros=spend.amount_micros if spend else 0,
        shares=_shares(member, month, plan, arrears=arrears),
        charity=spend.charity if spend else None,
        arrears=arrears,
        **_funds_of(_funds.moves(member), month),
    )


def _foreseen(member: Member, month: int, state: State) -> Statement:
    seen = _forecast.of(member=member, month=month)
    return Statement(
        member=member,
        month=month,
        state=state,
        budget_micros=seen.budget_micros,
        paused=seen.paused,
        spend_micros=seen.given_micros,
        shares=[
            share
            if share.amount_micros or share.state == "void"
            else share._replace(state="nothing")
            for share in seen.shares
        ],
        charity=seen.charity,
        arrears=seen.arrears,
        **_funds_of([*_funds.moves(member), *seen.moves], month),
    )


class _Funds(TypedDict):
    funds_start_micros: int
    funds_end_micros: int
    carried_micros: int
    movements: list[Move]


def _funds_of(listed: list[Move], month: int) -> _Funds:
    return {
        "funds_start_micros": _funds.at_start(listed, month),
        "funds_end_micros": _funds.at_start(listed, month + 1),
        "carried_micros": _funds.carried(listed, month),
        "movements": [move for move in listed if move.month == month],
    }


def _shares(member: Member, month: int, plan: Plan, *, arrears: bool) -> list[Share]:
    split = Split.objects.filter(month=month, member=member).first()
    given = _nodded.of(member, month)
    returned = set(
        ReturnedShare.objects.filter(month=month, member=member).values_list("thing_id", flat=True)
    )
    rate = instance.fee_basis_points(month)
    owed = _owed.of(member, month, given, plan) if arrears else None
    # Thousands of nods have few weights and few amounts.
    at_weight = cache(split.at_weight if split is not None else _nothing)
    fee_of = cache(partial(money.fee, basis_points=rate))
    shares = []
    for nod in given:
        thing, _title, _url, _host, weight, void, line = nod
        amount = 0
        if not void:
            micros, upto = at_weight(weight)
            amount = micros + (thing <= upto)
        if owed is not None and not (void and thing not in owed.later):
            amount, state = owed.share(nod, amount)
        elif void or thing in returned:
            state = "void" if void else "returned"
        else:
            state = line if amount else "nothing"
        fee = fee_of(amount) if state in _RECEIVED else 0
        shares.append(Share(nod, amount, fee, state, weight))
    return shares


def _nothing(_weight: int) -> tuple[int, int]:
    return 0, 0


def waiting_for(thing: Thing) -> tuple[int, int]:
    """Nods and micros that wait for a thing, over all months."""
    found = _waiting.of_thing(thing).aggregate(nods_sum=Sum("nods"), gross=Sum("gross_micros"))
    return found["nods_sum"] or 0, found["gross"] or 0


def waiting_shown(thing: Thing) -> tuple[int, int | None]:
    """What anybody may read of it: of fewer givers a sum would tell what a single one gave."""
    nods, micros = waiting_for(thing)
    return nods, micros if _waiting.waiting_givers(thing) >= GIVERS_SHOWN else None


def expires_at(month: int) -> datetime:
    """When what waits of a month comes back to its members: the first day after six months."""
    return months.start(month + 7)
