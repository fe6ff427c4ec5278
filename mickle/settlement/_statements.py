"""What members, owners and operators read of a month. Reads only; amounts in micros."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db.models import Sum

from mickle.instance import instance
from mickle.instance.instance import State
from mickle.instance.models import Month
from mickle.ledger import ledger
from mickle.lib import money, months
from mickle.members import members
from mickle.members.models import Charity, Member
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.settlement import _funds, _nodded, _owed, _waiting
from mickle.settlement._funds import Move
from mickle.settlement._nodded import Nodded
from mickle.settlement.models import ReturnedShare, Spend, Split
from mickle.teams import teams
from mickle.teams.models import Team
from mickle.things.models import Thing
from mickle.things.things import Page

# Fewer givers than this and an owner sees no amount for the thing alone (rule 14).
GIVERS_SHOWN = 3


class Share(NamedTuple):
    """One nod; its state: paid, waiting, released, returned, void, nothing or planned.

    In arrears also due, until its charge is paid, and dropped, if it never was.
    """

    thing: Thing | Page
    amount_micros: int
    fee_micros: int
    state: str
    weight: int


@dataclass(frozen=True)
class Statement:
    """What became of one member's coin in one month."""

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
    movements: list[Move] = field(default_factory=list)

    def _sum(self, *states: str) -> int:
        return sum(share.amount_micros for share in self.shares if share.state in states)

    @property
    def paid_micros(self) -> int:
        """Gross that reached owners, at the settlement or by a later release."""
        return self._sum("paid", "released")

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


@dataclass(frozen=True)
class Preview:
    """A member's open month: what would be given if it ended now."""

    month: int
    budget_micros: int
    paused: bool
    funds_micros: int
    reserved_micros: int
    spend_micros: int
    shares: list[Share]
    charity: Charity | None

    @property
    def _total_weight(self) -> int:
        return sum(share.weight for share in self.shares if share.state != "void")

    @property
    def each_micros(self) -> int:
        """What a nod of weight 1 is worth, rounded down; 0 with no nod that counts."""
        total = self._total_weight
        return self.spend_micros // total if total else 0

    @property
    def next_each_micros(self) -> int:
        """What a nod of weight 1 would be worth after one more."""
        return self.spend_micros // (self._total_weight + 1)


def statement(*, member: Member, month: int) -> Statement:
    """What became of a member's coin in a month, share by share in order of thing id."""
    state = instance.state(month)
    plan = members.plan(member, month)
    spend = Spend.objects.filter(month=month, member=member).select_related("charity").first()
    moved = _funds.moves(member)
    settled = state is State.SETTLED
    arrears = settled and _owed.is_charged(month)
    return Statement(
        member=member,
        month=month,
        state=state,
        budget_micros=plan.budget_micros,
        paused=plan.paused,
        spend_micros=spend.amount_micros if spend else 0,
        shares=_shares(member, month, settled=settled, arrears=arrears),
        charity=spend.charity if spend else None,
        funds_start_micros=_funds.at_start(moved, month),
        funds_end_micros=_funds.at_start(moved, month + 1),
        arrears=arrears,
        movements=[move for move in moved if move.month == month],
    )


def _shares(member: Member, month: int, *, settled: bool, arrears: bool) -> list[Share]:
    split = Split.objects.filter(month=month, member=member).first() if settled else None
    given = _nodded.of(member, month)
    returned = set(
        ReturnedShare.objects.filter(month=month, member=member).values_list("thing_id", flat=True)
    )
    rate = instance.fee_basis_points(month)
    owed = _owed.of(member, month, given) if arrears else None
    shares = []
    for nod in given:
        amount = _amount(nod, split)
        if owed is not None and not (nod.void and nod.thing_id not in owed.later):
            amount, state = owed.share(nod, amount)
        else:
            state = _share_state(nod, amount, returned, settled=split is not None)
        fee = money.fee(amount, rate) if state in ("paid", "released") else 0
        shares.append(Share(nod.thing, amount, fee, state, nod.weight))
    return shares


def _amount(nod: Nodded, split: Split | None) -> int:
    if split is None or nod.void:
        return 0
    return split.share_micros(nod.thing_id, nod.weight)


def _share_state(nod: Nodded, amount: int, returned: set[int], *, settled: bool) -> str:
    if nod.void:
        return "void"
    if nod.thing_id in returned:
        return "returned"
    if not settled:
        return "planned"
    return nod.line if amount else "nothing"


def reserved(member: Member) -> int:
    """Micros of the funds that closed, unsettled months will take, in order."""
    left = ledger.balance(ledger.funds(member.id))
    taken = 0
    spent = Spend.objects.filter(member=member).values("month")
    for month in Month.objects.filter(settled_at=None).exclude(month__in=spent).order_by("month"):
        plan = members.plan(member, month.month)
        part = 0 if plan.paused else min(plan.budget_micros, left - taken)
        taken += part
    return taken


def preview(*, member: Member, month: int) -> Preview:
    """What the open month would give if it ended now."""
    plan = members.plan(member, month)
    funds = ledger.balance(ledger.funds(member.id))
    arrears = settings.MODE == "arrears"
    kept = 0 if arrears else reserved(member)
    most = plan.budget_micros if arrears else min(plan.budget_micros, funds - kept)
    spend = 0 if plan.paused else most
    given = list(nods.of_month(member, month))
    shared = _shared(member, month)
    weights = {nod.thing_id: nod.weight for nod in given if _counts(nod, member, month, shared)}
    amounts = money.share_out(spend, weights)
    receiving = _receiving(given, month, shared)
    rate = instance.fee_basis_points(month)
    shares = []
    for nod in given:
        amount = amounts.get(nod.thing_id, 0)
        paid = nod.thing_id in receiving
        state = "void" if nod.thing_id not in amounts else "planned" if paid else "waiting"
        fee = money.fee(amount, rate) if paid else 0
        shares.append(Share(nod.thing, amount, fee, state, nod.weight))
    return Preview(
        month=month,
        budget_micros=plan.budget_micros,
        paused=plan.paused,
        funds_micros=funds,
        reserved_micros=kept,
        spend_micros=spend,
        shares=shares,
        charity=plan.charity,
    )


def _shared(member: Member, month: int) -> dict[int, Team]:
    """The teams that things a member nodded at in a month belong to, by thing; most to none."""
    nodded = Thing.objects.filter(nods__member=member, nods__month=month)
    found = {}
    for thing in nodded.filter(teams.put_in_of()):
        team = teams.team_of(thing=thing, month=month)
        if team is not None:
            found[thing.id] = team
    return found


def _receiving(given: Sequence[Nod], month: int, shared: Mapping[int, Team]) -> set[int]:
    """The things for which the owner, or everybody in a team, may receive."""
    owners = {nod.thing.owner_id for nod in given if nod.thing.owner_id}
    may = set(members.receivers().filter(id__in=owners).values_list("id", flat=True))
    all_may = {team for team in set(shared.values()) if teams.receives(team=team, month=month)}
    return {
        nod.thing_id
        for nod in given
        if (
            shared[nod.thing_id] in all_may if nod.thing_id in shared else nod.thing.owner_id in may
        )
    }


def _counts(nod: Nod, member: Member, month: int, shared: Mapping[int, Team]) -> bool:
    if nod.thing.state != Thing.State.ACTIVE or nod.thing.owner_id == member.id:
        return False
    team = shared.get(nod.thing_id)
    return team is None or member.id not in teams.people(team=team, month=month)


def waiting_for(thing: Thing) -> tuple[int, int]:
    """Nods and micros that wait for a thing, over all months."""
    found = _waiting.of_thing(thing).aggregate(nods_sum=Sum("nods"), gross=Sum("gross_micros"))
    return found["nods_sum"] or 0, found["gross"] or 0


def expires_at(month: int) -> datetime:
    """When what waits of a month comes back to its members: the first day after six months."""
    return months.start(month + 7)
