"""The door of the room: book what arrived, assign it, move revenue to funds."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.ledger.ledger import Check
from mickle.lib import money, months
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.payins import _audit, _many
from mickle.payins._many import Described
from mickle.payins.models import Payin
from mickle.providers import sepa

__all__ = ["Described"]

CASH_DESK = "cash-desk"
PLAY_MONEY = "play"
KEY_LENGTH = 100
# Money of no known member goes back after this.
RETURN_AFTER = timedelta(days=30)


class BadAmount(Refused):
    """Nothing, less than nothing, a part of a cent, or more than the books hold."""


class BookedDifferently(Refused):
    """The key belongs to an entry with other content."""


class OverLimit(Refused):
    """The funds of a member have a limit, and this would go over it."""


class AlreadyAssigned(Refused):
    """The money no longer stands in UNASSIGNED."""


class MemberLeft(Refused):
    """The account is closed or being closed, so nothing is booked to it."""


class NoPlayMoney(Refused):
    """Play money exists in a demo instance only."""


def reference(member: Member) -> str:
    """What a member writes on a transfer, in groups of four: `RF37 MK00 0000 0042`."""
    return sepa.reference(member.id)


def member_of(text: str) -> Member | None:
    """The member whose reference stands in a text; None for a wrong or an unknown one."""
    found = sepa.member_of(text)
    if found is None:
        return None
    return Member.objects.filter(id=found, is_team=False).first()


def book(
    *,
    amount_micros: int,
    key: str,
    at: datetime,
    reference: str = "",
    payer_name: str = "",
    payer_account: str = "",
    received_date: date | None = None,
    bank_text: str = "",
) -> Payin:
    """Book one entry of the bank's statement, once per key (the bank's own id of the entry).

    The member is found by the reference, else by the bank's text. Without one the money stands in
    UNASSIGNED, and so does what would lift funds over the limit: see `why` of the answer.
    """
    member = member_of(reference) or member_of(bank_text)
    entry = _entry(CASH_DESK, amount_micros, key, at)
    entry.reference, entry.bank_text = reference.strip()[:140], bank_text.strip()[:500]
    entry.payer_name = payer_name.strip()[:140]
    entry.payer_account = "".join(payer_account.split()).upper()[:34]
    entry.received_date = received_date or entry.received_date
    return _book(entry, member, at, month=None)


def top_up(
    *,
    member: Member,
    amount_micros: int,
    reference: str,
    at: datetime,
    month: int | None = None,
    provider: str = CASH_DESK,
) -> Payin:
    """Book an amount for a known member, once per reference: what names the entry at the provider.

    `month` lets a described world say since when the member has topped up.
    """
    entry = _entry(provider, amount_micros, f"{provider}:{reference.strip()}", at)
    entry.reference = reference.strip()[:140]
    return _book_for(entry, member, at, month)


def top_up_many(rows: Sequence[Described]) -> list[Described]:
    """Book the funds of a described world, once for each member and month; returns the new ones.

    Raises BookedDifferently, MemberLeft for somebody who leaves or left, or OverLimit when
    somebody's funds would go over it.
    """
    for row in rows:
        _check_amount(row.amount_micros)
    with transaction.atomic():
        instance.hold_fence()
        new, other = _many.new_ones(rows)
        if other:
            raise BookedDifferently(_different_sentence(other))
        if not new:
            return []
        unfunded = _many.hold(new)
        if unfunded is None:
            raise MemberLeft(_closed_sentence())
        _many.book(new, unfunded=unfunded, open_month=instance.open_month())
        held = ledger.balances(ledger.Kind.FUNDS)
        if any(held[row.member_id] > settings.FUNDS_MAX_MICROS for row in new):
            raise OverLimit(_limit_sentence())
    return new


def play(*, member: Member, amount_micros: int, at: datetime, key: str = "") -> Payin:
    """Give a member of a demo instance money that is none. Raises NoPlayMoney anywhere else."""
    if instance.here().kind != "DEMO":
        raise NoPlayMoney(_("Play money is for demo instances. Nothing was booked."))
    stamp = key or f"{member.id}:{at.isoformat()}"
    entry = _entry(PLAY_MONEY, amount_micros, f"{PLAY_MONEY}:{stamp}", at)
    with transaction.atomic():
        payin = _book_for(entry, member, at, month=None)
        if payin.why:
            raise OverLimit(_limit_sentence())
    return payin


def _entry(provider: str, amount_micros: int, key: str, at: datetime) -> Payin:
    _check_amount(amount_micros)
    if not key or len(key) > KEY_LENGTH or key.endswith(":"):
        raise BookedDifferently(
            _("Give what names this entry at the bank, at most 80 letters, so that it books once.")
        )
    return Payin(
        key=key,
        provider=provider,
        amount_micros=amount_micros,
        received_date=at.astimezone(UTC).date(),
        booked_at=at,
    )


def _check_amount(amount_micros: int) -> None:
    if amount_micros <= 0:
        raise BadAmount(_("The amount has to be more than nothing. Nothing was booked."))
    if money.whole_minor(amount_micros, settings.CURRENCY_DECIMALS) != amount_micros:
        raise BadAmount(_("Whole cents only. Nothing was booked."))
    if amount_micros > money.LIMIT_MICROS:
        raise BadAmount(_("That is more than the books can hold. Nothing was booked."))


def _limit_sentence() -> str:
    return _(
        "Funds go up to %(limit)s %(currency)s, and this would be more. Nothing was moved."
    ) % {
        "limit": money.typed(settings.FUNDS_MAX_MICROS, settings.CURRENCY_DECIMALS),
        "currency": settings.CURRENCY,
    }


def _closed_sentence() -> str:
    return _("This account is closed, so nothing was booked to it.")


def _book(entry: Payin, member: Member | None, at: datetime, month: int | None) -> Payin:
    entry.member = member
    entry.why = Payin.Why.UNKNOWN if member is None else ""
    with transaction.atomic():
        try:
            with transaction.atomic():
                entry.save(force_insert=True)
        except IntegrityError:
            return _same(entry)
        if member is not None:
            entry.why = _try_to_credit(entry, member, at, month)
        if entry.why:
            entry.save(update_fields=["why"])
            _post(entry, ledger.PROVIDER, ledger.unassigned(entry.id), f"payin:{entry.id}", at)
    entry.booked_now = True
    return entry


def _book_for(entry: Payin, member: Member, at: datetime, month: int | None) -> Payin:
    payin = _book(entry, member, at, month)
    if payin.member_id != member.id:
        raise BookedDifferently(_different_sentence(entry.key))
    return payin


def _try_to_credit(entry: Payin, member: Member, at: datetime, month: int | None) -> str:
    """Credit the member, or say why the money has to stand in UNASSIGNED."""
    try:
        _credit(entry, member, ledger.PROVIDER, at, key=f"payin:{entry.id}", month=month)
    except OverLimit:
        return Payin.Why.LIMIT
    except MemberLeft:
        return Payin.Why.CLOSED
    return ""


def _same(entry: Payin) -> Payin:
    """The row that has the key already, if it tells of the same money."""
    before = Payin.objects.select_related("member").get(key=entry.key)
    facts = ("provider", "amount_micros", "reference", "payer_name", "payer_account", "bank_text")
    if any(getattr(before, fact) != getattr(entry, fact) for fact in facts):
        raise BookedDifferently(_different_sentence(entry.key))
    return before


def _different_sentence(key: str) -> str:
    return _("“%(key)s” was booked before with other content. Nothing was booked now.") % {
        "key": key
    }


def _credit(
    payin: Payin, member: Member, source: ledger.Pot, at: datetime, *, key: str, month: int | None
) -> None:
    """Move a payin to a member's funds and note the top-up; raises OverLimit or MemberLeft."""
    with transaction.atomic():
        instance.hold_fence()
        # Before the account, as everyone who takes both does, so that no two wait for each other.
        holder = Member.objects.select_for_update(no_key=True).get(id=member.id)
        if holder.closing_at or holder.closed_at:
            raise MemberLeft(_closed_sentence())
        _post(payin, source, ledger.funds(member.id), key, at)
        # Read under the lock of the posting: two payins at once cannot both see room.
        if ledger.balance(ledger.funds(member.id)) > settings.FUNDS_MAX_MICROS:
            raise OverLimit(_limit_sentence())
        first_open = max(months.of(at), instance.here().closed_through + 1)
        since = first_open if month is None else month
        if members.note_top_up(member=member, amount_micros=payin.amount_micros, month=since):
            for counted in range(since, first_open + 1):
                nods.count_in(member=member, month=counted)


def _post(payin: Payin, debit: ledger.Pot, credit: ledger.Pot, key: str, at: datetime) -> None:
    ledger.post(
        key=key,
        debit=debit,
        credit=credit,
        amount_micros=payin.amount_micros,
        reason="TOP_UP",
        memo=payin.reference,
        at=at,
    )


def assign(*, payin: Payin, member: Member, at: datetime) -> Payin:
    """Give money that stood in UNASSIGNED to a member's funds.

    Raises AlreadyAssigned when it has gone to somebody or back, OverLimit when it does not fit,
    MemberLeft when the account is closed.
    """
    with transaction.atomic():
        taken = Payin.objects.filter(id=payin.id).exclude(why="").update(why="", member=member)
        if not taken or not ledger.balance(ledger.unassigned(payin.id)):
            raise AlreadyAssigned(
                _("This money was assigned or sent back before. Nothing was booked now.")
            )
        source, name = ledger.unassigned(payin.id), f"payin:{payin.id}:assign"
        _credit(payin, member, source, at, key=name, month=None)
    payin.refresh_from_db()
    return payin


def standing(*, before: datetime | None = None) -> list[Payin]:
    """Payins that stand in UNASSIGNED, oldest first; with `before`, those booked earlier."""
    held = {id_ for id_, micros in ledger.balances(ledger.Kind.UNASSIGNED).items() if micros}
    rows = Payin.objects.exclude(why="").select_related("member").order_by("id")
    if before is not None:
        rows = rows.filter(booked_at__lt=before)
    return [row for row in rows if row.id in held]


def overdue(at: datetime) -> list[Payin]:
    """Payins that nobody claimed within 30 days and that go back now."""
    return standing(before=at - RETURN_AFTER)


def origin(member: Member) -> sepa.Account | None:
    """The account the member's newest transfer came from, where a refund goes; None without one."""
    rows = Payin.objects.filter(member=member, why="").exclude(payer_account="").order_by("-id")
    for row in rows:
        try:
            return sepa.Account(sepa.holder(row.payer_name), sepa.iban(row.payer_account))
        except Refused:
            continue
    return None


def to_funds(
    *, member: Member, at: datetime, amount_micros: int | None = None, key: str = ""
) -> int:
    """Move revenue to funds, all that is whole cents unless an amount is named; returns it."""
    if amount_micros is None:
        have = ledger.balance(ledger.revenue(member.id))
        amount_micros = money.whole_minor(have, settings.CURRENCY_DECIMALS)
    _check_amount(amount_micros)
    with transaction.atomic():
        ledger.post(
            key=f"to-funds:{member.id}:{key or at.isoformat()}",
            debit=ledger.revenue(member.id),
            credit=ledger.funds(member.id),
            amount_micros=amount_micros,
            reason="TO_FUNDS",
            at=at,
        )
        if ledger.balance(ledger.funds(member.id)) > settings.FUNDS_MAX_MICROS:
            raise OverLimit(_limit_sentence())
    return amount_micros


def audit() -> list[Check]:
    """Each invariant of the payins by name."""
    return list(_audit.checks())
