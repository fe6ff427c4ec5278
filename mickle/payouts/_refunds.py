"""What of a member's funds may go back: all but the budgets of closed, unsettled months."""

from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.instance.models import Month
from mickle.ledger import ledger
from mickle.lib import money, months
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.models import Member
from mickle.nods.models import Nod
from mickle.payouts._intent import Intent, open_intent
from mickle.payouts.models import Payout
from mickle.providers import sepa


class NotRefundable(Refused):
    """There is nothing to pay back, or less than was asked for."""


def nothing(_member: Member) -> int:
    """What is kept of a member's funds where nobody is charged after the month."""
    return 0


def hold(member: Member) -> Member:
    """The member's row, locked, with every month as open or closed as it is, and nobody charged.

    Between the look at what is reserved and the posting no month may close, no charge be asked for
    and none be paid: who charges takes owners alone. Owners, the fence, the member, as everyone who
    takes several does.
    """
    instance.hold_owners()
    instance.hold_fence()
    return Member.objects.select_for_update(no_key=True).get(id=member.id)


def refundable(member: Member, at: datetime, *, kept_micros: int = 0) -> int:
    """Micros in whole minor units."""
    free = ledger.balance(ledger.funds(member.id)) - _reserved(member, at) - kept_micros
    return money.whole_minor(max(free, 0), settings.CURRENCY_DECIMALS)


def _reserved(member: Member, at: datetime) -> int:
    here = instance.here()
    # What a freeze has taken in is not there any more; in arrears it takes nothing.
    over = "settled_at" if settings.MODE == "arrears" else "frozen_at"
    taken = set(Month.objects.exclude(**{over: None}).values_list("month", flat=True))
    # A month that has ended is final even where nobody has closed it yet.
    ended = range(here.first_month, max(months.of(at), here.closed_through + 1))
    return sum(_budget(member, month) for month in ended if month not in taken)


def _budget(member: Member, month: int) -> int:
    plan = members.plan(member, month)
    nodded = Nod.objects.filter(member=member, month=month).exists()
    # Who leaves gives nothing for a month without nods.
    idle_counts = (
        member.funded_month is not None
        and member.funded_month < month
        and member.closing_at is None
    )
    return 0 if plan.paused or not (nodded or idle_counts) else plan.budget_micros


def refund(
    member: Member,
    amount_micros: int | None,
    to: sepa.Account,
    key: str,
    at: datetime,
    *,
    most: int,
) -> Payout:
    """Open the refund for a member whose row and whose months the caller holds."""
    amount = most if amount_micros is None else amount_micros
    if not amount or amount > most:
        raise NotRefundable(
            _("%(amount)s %(currency)s can be paid back now. Nothing was changed.")
            % {
                "amount": money.typed(most, settings.CURRENCY_DECIMALS),
                "currency": settings.CURRENCY,
            }
        )
    # What came from revenue or from shares that waited was never topped up.
    counted = min(amount, member.topped_up_micros)
    if counted:
        members.note_top_up(member=member, amount_micros=-counted, month=months.of(at))
    intent = Intent(
        key=key,
        kind=Payout.Kind.REFUND,
        source=ledger.funds(member.id),
        amount_micros=amount,
        to=to,
        topped_up_micros=counted,
        member=member,
    )
    return open_intent(intent, at)
