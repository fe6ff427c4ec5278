"""From a click to a recorded nod, the same for every page that has a nod button."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import months
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.things import things
from mickle.things.models import Thing
from mickle.web import parking


@dataclass(frozen=True)
class Coin:
    """A member's coin in the open month: how many slices, and what each would be worth."""

    month: int
    slices: int
    budget_micros: int
    funds_micros: int
    paused: bool

    @property
    def spend_micros(self) -> int:
        """What the month would give if it ended now."""
        return 0 if self.paused else min(self.budget_micros, self.funds_micros)

    @property
    def last_day(self) -> datetime:
        """The last day on which a nod of this month can be taken back."""
        return months.end(self.month) - timedelta(days=1)

    @property
    def pay_until(self) -> datetime:
        """Until when a top-up still pays for this month's nods."""
        return months.end(self.month) + timedelta(hours=settings.GRACE_HOURS)

    @property
    def slice_micros(self) -> int:
        """What one slice is worth today, rounded down."""
        return self.spend_micros // max(self.slices, 1)

    @property
    def next_slice_micros(self) -> int:
        """What each slice would be worth with one more."""
        return self.spend_micros // (self.slices + 1)


def coin_of(member: Member) -> Coin:
    """The member's coin as it stands now."""
    month = instance.open_month()
    plan = members.plan(member, month)
    return Coin(
        month=month,
        slices=Nod.objects.filter(member=member, month=month).count(),
        budget_micros=plan.budget_micros,
        funds_micros=ledger.balance(ledger.funds(member.id)),
        paused=plan.paused,
    )


def complete_parked(request: HttpRequest) -> int | None:
    """Give the nod that was kept until sign-in; the thing's id, or None when there was none."""
    url = parking.unpark(request)
    if url is None:
        return None
    at = instance.now()
    try:
        thing = things.find_or_add(url=url, at=at, added_by=request.user)
        nods.give(member=request.user, thing=thing, at=at)
    except Refused as refused:
        messages.error(request, str(refused))
        return None
    return thing.id
