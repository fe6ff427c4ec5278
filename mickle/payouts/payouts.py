"""The door of the room: accounts, requests, the file for the bank and what the bank did."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from mickle.ledger import ledger
from mickle.ledger.ledger import Check
from mickle.lib import money, months
from mickle.lib.errors import Refused
from mickle.members.models import Charity, Member
from mickle.payouts import _audit, _bank, _refunds
from mickle.payouts._bank import NothingToPay, WrongState
from mickle.payouts._intent import AlreadyOnItsWay, BadAmount, Intent, KeyReused, open_intent
from mickle.payouts._refunds import NotRefundable
from mickle.payouts.models import BankAccount, Payout, PayoutFile
from mickle.providers import sepa

__all__ = [
    "AlreadyOnItsWay",
    "BadAmount",
    "KeyReused",
    "NotRefundable",
    "NothingToPay",
    "WrongState",
]


class NoAccount(Refused):
    """The member has not said where earnings go."""


class BelowMinimum(Refused):
    """Less than a payout may be, here or by the member's own wish."""


class UnderNotice(Refused):
    """The public may still object to what the member has shown to be theirs."""


class AboveBalance(Refused):
    """More than the member has earned and not yet withdrawn."""


@dataclass(frozen=True)
class Quote:
    """What a payout would do: taken from revenue, kept for the bank, arriving, staying."""

    amount_micros: int
    cost_micros: int
    arrives_micros: int
    stays_micros: int


def set_account(
    *, member: Member, iban: str, holder_name: str, minimum_micros: int | None = None
) -> BankAccount:
    """Say where earnings go and from which amount on; payouts on their way keep the old account.

    Raises sepa.BadIban and sepa.BadName, and BelowMinimum for a minimum under the instance's.
    """
    lowest = settings.PAYOUT_MIN_MICROS
    minimum = lowest if minimum_micros is None else minimum_micros
    if not lowest <= minimum <= money.LIMIT_MICROS:
        raise BelowMinimum(
            _("Withdrawals begin at %(amount)s. Nothing was changed.") % {"amount": _said(lowest)}
        )
    if money.whole_minor(minimum, settings.CURRENCY_DECIMALS) != minimum:
        raise BadAmount(_("Whole cents only. Nothing was changed."))
    values = {
        "iban": sepa.iban(iban),
        "holder_name": sepa.holder(holder_name),
        "minimum_micros": minimum,
    }
    row, _made = BankAccount.objects.update_or_create(member=member, defaults=values)
    return row


def account(member: Member) -> BankAccount | None:
    """Where a member's earnings go; None until the member has said so."""
    return BankAccount.objects.filter(member=member).first()


def forget_account(*, member: Member) -> None:
    """Forget where earnings went; payouts keep the facts the law wants."""
    BankAccount.objects.filter(member=member).delete()


def quote(*, member: Member, amount_micros: int | None = None) -> Quote:
    """What a payout of an amount (None: of everything) would do. Raises what request raises."""
    have = ledger.balance(ledger.revenue(member.id))
    whole = money.whole_minor(have, settings.CURRENCY_DECIMALS)
    amount = whole if amount_micros is None else amount_micros
    if amount_micros is not None:
        _check_typed(amount)
    if amount > whole:
        raise AboveBalance(
            _("You can withdraw %(amount)s at most. Nothing was changed.")
            % {"amount": _said(whole)}
        )
    row = account(member)
    minimum = row.minimum_micros if row is not None else settings.PAYOUT_MIN_MICROS
    cost = settings.PAYOUT_COST_MICROS
    if amount < minimum or amount <= cost:
        raise BelowMinimum(
            _("Withdrawals begin at %(amount)s. Nothing was changed.") % {"amount": _said(minimum)}
        )
    return Quote(amount, cost, amount - cost, have - amount)


def _check_typed(amount_micros: int) -> None:
    if amount_micros <= 0:
        raise BadAmount(_("The amount has to be more than nothing. Nothing was changed."))
    if money.whole_minor(amount_micros, settings.CURRENCY_DECIMALS) != amount_micros:
        raise BadAmount(_("Whole cents only. Nothing was changed."))


def _said(micros: int) -> str:
    return f"{money.typed(micros, settings.CURRENCY_DECIMALS)} {settings.CURRENCY}"


def request(*, member: Member, at: datetime, key: str, amount_micros: int | None = None) -> Payout:
    """Set an amount of revenue (None: all whole cents) on its way; once per key.

    Raises NoAccount, BadAmount, BelowMinimum, AboveBalance, AlreadyOnItsWay or KeyReused.
    """
    with transaction.atomic():
        Member.objects.select_for_update(no_key=True).get(id=member.id)
        name = f"revenue:{member.id}:{key}"
        before = _before(name, amount_micros)
        if before is not None:
            return before
        to = account(member)
        if to is None:
            raise NoAccount(_("Say first to which account we pay. Nothing was changed."))
        _one_at_a_time(Payout.Kind.REVENUE, member)
        due = quote(member=member, amount_micros=amount_micros)
        _check_notice(member, due.amount_micros, at)
        intent = Intent(
            key=name,
            kind=Payout.Kind.REVENUE,
            source=ledger.revenue(member.id),
            amount_micros=due.amount_micros,
            to=sepa.Account(to.holder_name, to.iban),
            cost_micros=due.cost_micros,
            member=member,
        )
        return open_intent(intent, at)


def _check_notice(member: Member, amount_micros: int, at: datetime) -> None:
    until = _bank.under_notice(member.id, amount_micros, at)
    if until is not None:
        raise UnderNotice(
            _(
                "Until %(day)s everybody can object to what you show here. Till then %(amount)s can"
                " be withdrawn in all. Nothing was changed."
            )
            % {"day": f"{until:%Y-%m-%d}", "amount": _said(settings.NOTICE_ABOVE_MICROS)}
        )


def pay_rest(*, member: Member, to: sepa.Account, at: datetime) -> Payout | None:
    """Pay all whole cents of revenue whatever the sum, as an account closes; None for nothing.

    Raises AlreadyOnItsWay, sepa.BadIban or sepa.BadName.
    """
    with transaction.atomic():
        Member.objects.select_for_update(no_key=True).get(id=member.id)
        have = ledger.balance(ledger.revenue(member.id))
        amount = money.whole_minor(have, settings.CURRENCY_DECIMALS)
        if not amount:
            return None
        cost = settings.PAYOUT_COST_MICROS
        intent = Intent(
            key=_rest_key(Payout.Kind.REVENUE, member),
            kind=Payout.Kind.REVENUE,
            source=ledger.revenue(member.id),
            amount_micros=amount,
            to=sepa.Account(sepa.holder(to.name), sepa.iban(to.iban)),
            # Too little to bear the bank's price is paid whole.
            cost_micros=cost if cost < amount else 0,
            member=member,
        )
        return open_intent(intent, at)


def refund_rest(*, member: Member, to: sepa.Account, at: datetime) -> Payout | None:
    """Pay back all of the funds that may go, as an account closes; None for nothing.

    Raises AlreadyOnItsWay, sepa.BadIban or sepa.BadName.
    """
    with transaction.atomic():
        holder = _refunds.hold(member)
        most = _refunds.refundable(holder, at)
        if not most:
            return None
        account = sepa.Account(sepa.holder(to.name), sepa.iban(to.iban))
        return _refunds.refund(
            holder, None, account, _rest_key(Payout.Kind.REFUND, member), at, most=most
        )


def _rest_key(kind: Payout.Kind, member: Member) -> str:
    """A number a try: what the bank sent back is sent again. No form can make such a key."""
    tries = Payout.objects.filter(kind=kind, member=member).count() + 1
    return f"rest:{kind.lower()}:{member.id}:{tries}"


def refundable(member: Member, at: datetime, *, kept_micros: int = 0) -> int:
    """What of a member's funds no closed, unsettled month may need, in whole minor units.

    `kept_micros` of them pay what the member was asked for.
    """
    return _refunds.refundable(member, at, kept_micros=kept_micros)


def refund(
    *,
    member: Member,
    iban: str,
    holder_name: str,
    at: datetime,
    key: str,
    amount_micros: int | None = None,
    kept: Callable[[Member], int] = _refunds.nothing,
) -> Payout:
    """Pay funds back at par to where they came from (None: all that is refundable); once per key.

    What `kept` says stays, as `refundable` says: it is asked where nobody can be charged, nor a
    charge be paid, before the refund is there. Raises NotRefundable, BadAmount, AlreadyOnItsWay,
    KeyReused, sepa.BadIban or sepa.BadName.
    """
    to = sepa.Account(sepa.holder(holder_name), sepa.iban(iban))
    with transaction.atomic():
        holder = _refunds.hold(member)
        name = f"refund:{member.id}:{key}"
        before = _before(name, amount_micros)
        if before is not None:
            return before
        if amount_micros is not None:
            _check_typed(amount_micros)
        _one_at_a_time(Payout.Kind.REFUND, member)
        most = _refunds.refundable(holder, at, kept_micros=kept(holder))
        return _refunds.refund(holder, amount_micros, to, name, at, most=most)


def send_back(*, payin_id: int, iban: str, holder_name: str, at: datetime) -> Payout:
    """Return money of nobody known, all that stands in UNASSIGNED for a payin, to its payer.

    Raises NotRefundable when nothing stands there, AlreadyOnItsWay on a second call.
    """
    to = sepa.Account(sepa.holder(holder_name), sepa.iban(iban))
    source = ledger.unassigned(payin_id)
    with transaction.atomic():
        earlier = Payout.objects.filter(kind=Payout.Kind.RETURN, payin_id=payin_id).count()
        amount = ledger.balance(source)
        if not amount:
            raise NotRefundable(
                _("This money was assigned or sent back before. Nothing was changed.")
            )
        intent = Intent(
            # A number a try: what the bank sent back may be sent once more.
            key=f"return:{payin_id}:{earlier + 1}",
            kind=Payout.Kind.RETURN,
            source=source,
            amount_micros=amount,
            to=to,
            payin_id=payin_id,
        )
        return open_intent(intent, at)


def pay_charities(*, month: int, at: datetime) -> list[Payout]:
    """Set what each charity was given on its way, once a month; those without an account wait."""
    made = []
    for charity in Charity.objects.exclude(iban="").order_by("id"):
        try:
            found = pay_charity(charity=charity, at=at, key=months.text(month))
        except Refused:
            # One organisation's wrong account, or payment on its way, stops nobody else's.
            continue
        if found is not None:
            made.append(found)
    return made


def charities_unpaid(*, month: int, ids: Iterable[int]) -> bool:
    """Whether one of these charities has an account and no payout for a month yet; reads only."""
    rows = Charity.objects.filter(id__in=list(ids)).exclude(iban="").values_list("id", flat=True)
    keys = {f"charity:{id_}:{months.text(month)}" for id_ in rows}
    return Payout.objects.filter(key__in=keys).count() < len(keys)


def pay_charity(*, charity: Charity, at: datetime, key: str) -> Payout | None:
    """Set all whole cents of a charity on their way, once per key; None for nothing new."""
    source = ledger.charity(charity.id)
    with transaction.atomic():
        name = f"charity:{charity.id}:{key}"
        amount = money.whole_minor(ledger.balance(source), settings.CURRENCY_DECIMALS)
        if not amount or Payout.objects.filter(key=name).exists():
            return None
        to = sepa.Account(sepa.holder(charity.name[: sepa.NAME_LENGTH]), sepa.iban(charity.iban))
        intent = Intent(
            key=name,
            kind=Payout.Kind.CHARITY,
            source=source,
            amount_micros=amount,
            to=to,
            charity=charity,
        )
        return open_intent(intent, at)


def _before(key: str, amount_micros: int | None) -> Payout | None:
    found = Payout.objects.filter(key=key).first()
    if found is not None and amount_micros not in (None, found.amount_micros):
        raise KeyReused(_("This was asked for before with another amount. Nothing was changed."))
    return found


def _one_at_a_time(kind: Payout.Kind, member: Member) -> None:
    live = Payout.objects.filter(kind=kind, member=member, state__in=Payout.LIVE).first()
    if live is not None:
        raise AlreadyOnItsWay(
            _("%(amount)s is on its way already. Ask again when it has arrived.")
            % {"amount": _said(live.amount_micros)}
        )


def live(member: Member) -> QuerySet[Payout]:
    """What is on its way to a member."""
    return Payout.objects.filter(member=member, state__in=Payout.LIVE).order_by("id")


def requested() -> QuerySet[Payout]:
    """Payouts that wait for a file, oldest first."""
    rows = Payout.objects.filter(state=Payout.State.REQUESTED)
    return rows.select_related("member", "charity").order_by("id")


def why_held(rows: Iterable[Payout], *, at: datetime) -> dict[int, str]:
    """Why payouts that were asked for may be in no file yet, by number; of others nothing."""
    return _bank.why_held(rows, at)


def clear(*, payout: Payout, by: Member) -> None:
    """An operator lets a payout go whatever is shown; raises WrongState once it is in a file."""
    _bank.clear(payout, by)


def make_file(*, at: datetime) -> PayoutFile:
    """Put every requested payout in one file for the bank; each payout is in one file for ever.

    Raises NothingToPay, or sepa.NoAccount where the instance has no account of its own.
    """
    return _bank.make_file(at)


def mark_executed(*, payout: Payout, at: datetime) -> bool:
    """The bank did it: the amount leaves the books. False when it was marked before.

    Raises WrongState for a payout that is in no file, or failed.
    """
    return _bank.execute(payout, at)


def mark_file_executed(*, file: PayoutFile, at: datetime) -> int:
    """The bank did all that is left of a file; returns how many payouts this call marked."""
    with transaction.atomic():
        rows = Payout.objects.filter(file=file, state=Payout.State.SENT).order_by("id")
        return sum(_bank.execute(row, at) for row in rows)


def mark_failed(*, payout: Payout, at: datetime, why: str = "") -> bool:
    """The bank did not do it, or sent it back weeks later: the amount returns to where it was.

    False when it was marked before; raises WrongState for a payout that is in no file.
    """
    return _bank.undo(payout, at, why)


def audit() -> list[Check]:
    """Each invariant of the payouts by name."""
    return list(_audit.checks())
