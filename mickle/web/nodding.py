"""From a click to a recorded nod, the same for every page that has a nod button."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest

from mickle.instance import instance
from mickle.lib import months
from mickle.lib.errors import Refused
from mickle.members.models import Member
from mickle.nods import nods
from mickle.settlement import settlement
from mickle.settlement.settlement import Forecast
from mickle.things import things
from mickle.web import parking


@dataclass(frozen=True)
class Coin:
    """A member's coin in the open month: a slice for each nod that counts, and their worth."""

    month: int
    slices: int
    budget_micros: int
    funds_micros: int
    spend_micros: int
    # What a nod of weight 1 is worth today and would be with one more, both rounded down.
    slice_micros: int
    next_slice_micros: int
    paused: bool

    @property
    def last_day(self) -> datetime:
        """The last day on which a nod of this month can be taken back."""
        return months.end(self.month) - timedelta(days=1)

    @property
    def pay_until(self) -> datetime:
        """The last instant at which a top-up still pays for this month's nods."""
        return pay_until(self.month)


def pay_until(month: int) -> datetime:
    """The last instant at which money still counts for a month: the day it falls on is whole."""
    return months.end(month) + timedelta(hours=settings.GRACE_HOURS, microseconds=-1)


def coin_of(member: Member) -> Coin:
    """The member's coin as it stands now."""
    return coin_in(settlement.preview(member=member, at=instance.now()))


def coin_in(seen: Forecast) -> Coin:
    """The same of a forecast that is there already."""
    return Coin(
        month=seen.month,
        slices=seen.counting,
        budget_micros=seen.budget_micros,
        funds_micros=seen.funds_micros,
        spend_micros=seen.spend_micros,
        slice_micros=seen.each_micros,
        next_slice_micros=seen.next_each_micros,
        paused=seen.paused,
    )


def complete_parked(request: HttpRequest) -> int | None:
    """Give the nod that was kept until sign-in; the thing's id, or None when there was none."""
    kept = parking.unpark(request)
    if kept is None or not isinstance(request.user, Member):
        return None
    at = instance.now()
    try:
        thing = things.find_or_add(url=kept.url, at=at, title=kept.title, added_by=request.user)
        nods.give(member=request.user, thing=thing, at=at)
    except Refused as refused:
        messages.error(request, str(refused))
        return None
    return thing.id
