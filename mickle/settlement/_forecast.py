"""What a month that is not settled gives to whom, were it to end now. Of one member; reads only.

Months before it that are not settled either come first, in their order: each gives back what
expires with it and takes what it gives, as its settlement will if nothing changes until then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple

from django.conf import settings

from mickle.instance import instance
from mickle.instance.models import Month
from mickle.ledger import ledger
from mickle.lib import money
from mickle.members import members
from mickle.members.members import Plan
from mickle.members.models import Charity, Member
from mickle.nods.models import Nod
from mickle.settlement import _nodded, _waiting
from mickle.settlement._freeze import IDLE_MONTHS_KEPT
from mickle.settlement._funds import Move
from mickle.settlement._nodded import Running, Share, There
from mickle.settlement.models import IdleRun, Owned, Run, Spend
from mickle.teams import teams
from mickle.teams.models import Team
from mickle.things.models import Thing

# A nod that is put off counts too.
_COUNTING = ("", Nod.Void.LATER)


@dataclass(frozen=True)
class Forecast:
    """A member's month that is not settled: what it would give if it ended now, in micros."""

    month: int
    budget_micros: int
    paused: bool
    arrears: bool
    # Now; what months before it take of them; what this one finds, and what of it comes back first.
    funds_micros: int
    reserved_micros: int
    left_micros: int
    back_micros: int
    # What the month can give, and what it does: nothing where no nod counts and no charity gets it.
    spend_micros: int
    given_micros: int
    shares: list[Share]
    # Who gets what nobody nodded for; `idle_before` counts the months before without a nod.
    charity: Charity | None
    idle_before: int
    # The moves of funds that are to come, of this month and of those before it.
    moves: list[Move]

    @property
    def counting(self) -> int:
        """How many nods count: those at what is the member's own, or refused, do not."""
        return sum(share.state != "void" for share in self.shares)

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


class _Standing(NamedTuple):
    """A nod as the freeze would leave it: moved where its thing was merged, and whether it counts.

    `receives`: somebody may receive for it.
    """

    thing: There
    weight: int
    counts: bool
    receives: bool


def of(*, member: Member, month: int) -> Forecast:
    """The forecast of a month that has begun and is not settled."""
    walk = _Walk(member)
    first = Month.objects.filter(settled_at=None).order_by("month").first()
    begin = first.month if first is not None else instance.here().closed_through + 1
    for earlier in range(begin, month):
        walk.settle(earlier)
    return walk.settle(month)


class _Walk:
    """A member's funds as one month after the other is settled."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.funds = self.left = ledger.balance(ledger.funds(member.id))
        self.moves: list[Move] = []
        # What would wait of the months passed, and how many in a row had no nod.
        self.waits: dict[int, int] = {}
        self.idle: int | None = None
        self.runs = {run.month: run for run in Run.objects.exclude(stage=Run.Stage.DONE)}

    def settle(self, month: int) -> Forecast:
        """Let a month give what it would, and say what that is."""
        run, plan = self.runs.get(month), members.plan(self.member, month)
        arrears = run.arrears if run is not None else settings.MODE == "arrears"
        reserved = -sum(move.amount_micros for move in self.moves if move.amount_micros < 0)
        back = self._come_back(month, run)
        found, given = self.left, _nodded.running(self.member, month)
        standing = _standing(self.member, month, given, frozen=_is_frozen(run))
        spent = Spend.objects.filter(member=self.member, month=month).first()
        idle_before = self._idle_before(month)
        idle = not (given or arrears or _is_frozen(run)) and self._is_idle(month, plan)
        charity = self._charity(plan, idle_before) if idle else None
        if spent is not None:
            charity = spent.charity
        coin = self._coin(plan, run, spent, arrears=arrears)
        rate = instance.fee_basis_points(month)
        if arrears:
            shares, gives = _charged(standing, coin, rate)
        else:
            shares = _shared_out(standing, coin, rate)
            gives = coin if charity or any(one.counts for one in standing) else 0
            self.waits[month] = sum(one.amount_micros for one in shares if one.state == "waiting")
            self._move(month, 0 if spent is not None else -gives)
            self.idle = 0 if given else idle_before + idle
        return Forecast(
            month=month,
            budget_micros=plan.budget_micros,
            paused=plan.paused,
            arrears=arrears,
            funds_micros=self.funds,
            reserved_micros=reserved,
            left_micros=found,
            back_micros=back,
            spend_micros=coin,
            given_micros=gives,
            shares=shares,
            charity=charity,
            idle_before=idle_before,
            moves=self.moves,
        )

    def _move(self, month: int, amount_micros: int) -> None:
        if amount_micros:
            self.left += amount_micros
            self.moves.append(Move(month, amount_micros, None))

    def _come_back(self, month: int, run: Run | None) -> int:
        """What waited six months and comes back before the month's spend."""
        if run is not None and run.stage != Run.Stage.EXPIRE:
            return 0
        expired = month - _waiting.EXPIRES_AFTER_MONTHS
        back = self.waits.get(expired)
        if back is None:
            back = _waiting.expires(self.member, expired)
        self._move(month, back)
        return back

    def _coin(self, plan: Plan, run: Run | None, spent: Spend | None, *, arrears: bool) -> int:
        """What the month can give; in arrears the whole budget, of which parts are put off."""
        if plan.paused:
            return 0
        if arrears:
            return plan.budget_micros
        if spent is not None:
            return spent.amount_micros
        return 0 if _is_frozen(run) else min(plan.budget_micros, self.left)

    def _is_idle(self, month: int, plan: Plan) -> bool:
        """Whether a month without a nod counts as one (rule 7)."""
        who = self.member
        old = who.funded_month is not None and who.funded_month < month
        return old and not plan.paused and who.closing_at is None and self.left > 0

    def _charity(self, plan: Plan, idle_before: int) -> Charity | None:
        """Who gets what an idle month gives."""
        kept = settings.IDLE_POLICY == "keep" and idle_before < IDLE_MONTHS_KEPT
        return None if kept else plan.charity

    def _idle_before(self, month: int) -> int:
        """How many months in a row had no nod, where the policy counts them."""
        if settings.IDLE_POLICY != "keep":
            return 0
        if self.idle is None:
            row = IdleRun.objects.filter(member=self.member).first()
            # A freeze that is under way has counted its month.
            self.idle = row.months - (row.through >= month) if row is not None else 0
        return self.idle


def _is_frozen(run: Run | None) -> bool:
    return run is not None and run.stage not in (Run.Stage.EXPIRE, Run.Stage.FREEZE)


def _shared_out(standing: Sequence[_Standing], coin: int, rate: int) -> list[Share]:
    """A coin split over all that counts; what nobody may receive for waits."""
    amounts = money.share_out(coin, {one.thing.id: one.weight for one in standing if one.counts})
    return _shares(standing, amounts, rate)


def _charged(standing: Sequence[_Standing], coin: int, rate: int) -> tuple[list[Share], int]:
    """In arrears: whole cents of what somebody may receive, split, and the rest put off."""
    total = sum(one.weight for one in standing if one.counts)
    now = {one.thing.id: one.weight for one in standing if one.receives}
    gives = _whole(coin * sum(now.values()) // total) if total else 0
    amounts = money.share_out(gives, now)
    for one in standing:
        if one.counts and not one.receives:
            amounts[one.thing.id] = _whole(coin * one.weight // total)
    return _shares(standing, amounts, rate), gives


def _whole(micros: int) -> int:
    return money.whole_minor(micros, settings.CURRENCY_DECIMALS)


def _shares(standing: Sequence[_Standing], amounts: dict[int, int], rate: int) -> list[Share]:
    # Thousands of nods have few amounts.
    fee_of = cache(partial(money.fee, basis_points=rate))
    shares = []
    for thing, weight, counts, receives in standing:
        amount = amounts.get(thing.id, 0)
        state = "void" if not counts else "planned" if receives else "waiting"
        shares.append(Share(thing, amount, fee_of(amount) if receives else 0, state, weight))
    return shares


def _standing(
    member: Member, month: int, given: Sequence[Running], *, frozen: bool
) -> list[_Standing]:
    """Each nod as the freeze leaves it, in order of thing id; a frozen month is as it was left."""
    if frozen:
        noted = Owned.objects.filter(month=month, receives=True, thing__nods__member=member)
        owned = set(noted.filter(thing__nods__month=month).values_list("thing_id", flat=True))
        return [_left(nod, owned=nod.thing.id in owned) for nod in given]
    moved = _moved(given)
    shared = _shared(member, month, given, moved)
    receiving = _receiving(moved, month, shared)
    found = []
    for nod, thing in zip(given, moved, strict=True):
        shown, again = (thing, False) if thing is not None else (nod.thing, True)
        team = shared.get(shown.id)
        counts = nod.void in _COUNTING and not again and _counts(shown, member, month, team)
        found.append(_Standing(shown, nod.weight, counts, counts and shown.id in receiving))
    return sorted(found, key=lambda one: one.thing.id)


def _left(nod: Running, *, owned: bool) -> _Standing:
    counts = nod.void in _COUNTING
    return _Standing(nod.thing, nod.weight, counts, counts and owned)


def _moved(given: Sequence[Running]) -> list[There | None]:
    """Each nod's thing once merged things are one; None where another nod is for it too."""
    targets = _nodded.there({into for one in given if (into := one.thing.merged_into_id)})
    taken = {one.thing.id for one in given}
    moved: list[There | None] = []
    for one in given:
        into = one.thing.merged_into_id
        moved.append(one.thing if into is None else None if into in taken else targets[into])
        # In order of thing id: the first of those that were merged counts.
        taken.add(into or 0)
    return moved


def _shared(
    member: Member, month: int, given: Sequence[Running], moved: Sequence[There | None]
) -> dict[int, Team]:
    """The teams that things a member nodded at in a month belong to, by thing; most to none."""
    rows = [Thing.objects.filter(nods__member=member, nods__month=month)]
    targets = {thing.id for thing in moved if thing} - {nod.thing.id for nod in given}
    if targets:
        rows.append(Thing.objects.filter(id__in=targets))
    found = {}
    for things in rows:
        for thing in things.filter(teams.put_in_of()):
            team = teams.team_of(thing=thing, month=month)
            if team is not None:
                found[thing.id] = team
    return found


def _receiving(things: Sequence[There | None], month: int, shared: dict[int, Team]) -> set[int]:
    """The things for which the owner, or everybody in a team, may receive."""
    there = [thing for thing in things if thing is not None]
    owners = {thing.owner_id for thing in there if thing.owner_id}
    may = set(members.receivers().filter(id__in=owners).values_list("id", flat=True))
    all_may = {team for team in set(shared.values()) if teams.receives(team=team, month=month)}
    return {
        thing.id
        for thing in there
        if (shared[thing.id] in all_may if thing.id in shared else thing.owner_id in may)
    }


def _counts(thing: There, member: Member, month: int, team: Team | None) -> bool:
    if thing.state in (Thing.State.REFUSED, Thing.State.TAKEN_DOWN):
        return False
    if team is not None:
        return member.id not in teams.people(team=team, month=month)
    return thing.owner_id != member.id
