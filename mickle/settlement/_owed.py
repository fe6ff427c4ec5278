"""What became of a member's nods of a month in arrears, for statements. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q

from mickle.instance.models import Month
from mickle.lib import money
from mickle.members.members import Plan
from mickle.members.models import Member
from mickle.nods.models import Nod
from mickle.settlement._nodded import Nodded
from mickle.settlement._waiting import EXPIRES_AFTER_MONTHS
from mickle.settlement.models import Charge, Due, ReturnedShare, Run
from mickle.things.models import Thing

# An owner has it, it is asked for or carried on, or it was never paid.
_STATES = {Charge.State.PAID.value: "paid", Charge.State.DROPPED.value: "dropped"}


@dataclass(frozen=True)
class Owed:
    """A member's month: the state of the whole split, and micros and state of what was put off."""

    split: str
    later: dict[int, tuple[int, str]]

    def share(self, nod: Nodded, amount: int) -> tuple[int, str]:
        """Micros and state of a nod's share."""
        if nod.id in self.later:
            return self.later[nod.id]
        return amount, self.split if amount else "nothing"


def is_charged(month: int) -> bool:
    """Whether a month is charged afterwards."""
    return Run.objects.filter(month=month, arrears=True).exists()


def of(member: Member, month: int, given: Sequence[Nodded], plan: Plan) -> Owed:
    """What is owed of a settled month that is charged afterwards."""
    dues = {
        due.thing_id: due
        for due in Due.objects.filter(member=member, month=month).select_related("charge")
    }
    whole = dues.get(None)
    # Of a month that is paused nothing is put off.
    budget = 0 if plan.paused else plan.budget_micros
    later = _put_off(member, month, given, budget, dues)
    return Owed(_state(whole) if whole is not None else "nothing", later)


def _put_off(
    member: Member,
    month: int,
    given: Sequence[Nodded],
    budget: int,
    dues: dict[int | None, Due],
) -> dict[int, tuple[int, str]]:
    put_off = [nod for nod in given if nod.void == Nod.Void.LATER]
    if not put_off:
        return {}
    total = sum(nod.weight for nod in given if nod.void in ("", Nod.Void.LATER))
    back = set(
        ReturnedShare.objects.filter(member=member, month=month).values_list("thing_id", flat=True)
    )
    back |= _refused([nod.id for nod in put_off])
    over = Month.objects.filter(
        month__gte=month + EXPIRES_AFTER_MONTHS, settled_at__isnull=False
    ).exists()
    found = {}
    for nod in put_off:
        due = dues.get(nod.id)
        part = money.whole_minor(budget * nod.weight // total, settings.CURRENCY_DECIMALS)
        if due is not None:
            state = _state(due).replace("paid", "released")
            found[nod.id] = due.amount_micros, state
        elif nod.id in back:
            found[nod.id] = part, "returned"
        else:
            # Less than can be charged never is.
            found[nod.id] = (part, "waiting") if part and not over else (0, "nothing")
    return found


def _refused(thing_ids: Sequence[int]) -> set[int]:
    """Which of them are refused for ever, or went into a page that is: nothing falls due there."""
    rows = Thing.objects.filter(id__in=thing_ids)
    refused = Q(state=Thing.State.REFUSED) | Q(merged_into__state=Thing.State.REFUSED)
    return set(rows.filter(refused).values_list("id", flat=True))


def _state(due: Due) -> str:
    return _STATES.get(due.charge.state, "due") if due.charge is not None else "due"
