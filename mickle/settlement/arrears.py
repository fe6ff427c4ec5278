"""The door to arrears: what members were asked for after a month, and what became of it.

Months settled in arrears post nothing by themselves: see `_dues.py` for what is asked for, and
`_charges.py` for what happens once it is there.
"""

from datetime import datetime

from django.db.models import Count, QuerySet, Sum

from mickle.members.models import Member
from mickle.settlement import _charges, _owed, _run
from mickle.settlement.models import Charge


def has_to_collect() -> bool:
    """Whether the funds of a member hold what was asked for; reads only."""
    return _charges.has_to_collect()


def collect(*, at: datetime) -> int:
    """Pay every charge that funds hold to the owners; how many.

    Raises NotSettled while somebody else collects or settles; nothing is lost.
    """
    with _run.alone():
        return _charges.collect(at=at)


def has_to_ask_again(at: datetime) -> bool:
    """Whether a charge was not paid in the time there was; reads only."""
    return _charges.has_to_ask_again(at)


def ask_again(*, at: datetime) -> int:
    """Ask once more for what was not paid, or drop it after the last time; how many charges.

    Raises NotSettled while somebody else collects or settles.
    """
    with _run.alone():
        return _charges.ask_again(at=at)


def open_charges(member: Member | None = None) -> QuerySet[Charge]:
    """What was asked for and is not paid, of one member or of all; oldest first."""
    return _charges.open_of(member)


def totals(month: int) -> dict[str, tuple[int, int]]:
    """How many charges of a month stand in each state, and their micros; empty without any."""
    rows = Charge.objects.filter(month=month).values_list("state").order_by("state")
    return {
        state: (count, micros)
        for state, count, micros in rows.annotate(n=Count("id"), sum=Sum("amount_micros"))
    }


def is_charged(month: int) -> bool:
    """Whether a month is charged afterwards, whatever the mode is by now."""
    return _owed.is_charged(month)


def forgive(*, member: Member, at: datetime) -> None:
    """Ask a member who leaves for nothing more."""
    _charges.forgive(member=member, at=at)


def kept(member: Member) -> int:
    """Micros of a member's funds that pay what they were asked for, and so go back to nobody."""
    return _charges.kept(member)


def can_pay(member: Member) -> bool:
    """Whether the funds of a member hold something they were asked for."""
    return _charges.can_pay(member)


def is_owed(member: Member) -> bool:
    """Whether charges that are open may still bring a member something."""
    return _charges.is_owed(member)
