"""The file for the bank, and what the bank did. States change by one conditional UPDATE each."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from mickle.claims import proofs
from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import months
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.models import Member
from mickle.payouts.models import Payout, PayoutFile
from mickle.providers import sepa

State = Payout.State


class NothingToPay(Refused):
    """No payout waits for a file."""


class WrongState(Refused):
    """What is said of the payout does not follow from where it stands."""


def make_file(at: datetime) -> PayoutFile:
    """Claim each requested payout that may go for one file and write its bytes, in one transaction.

    One stays where the pages that brought the money have to be looked at first.
    """
    house = sepa.house_account(real=instance.here().is_real)
    with transaction.atomic():
        asked = list(
            Payout.objects.select_for_update().filter(state=State.REQUESTED).order_by("id")
        )
        held = why_held(asked, at)
        rows = [row for row in asked if row.id not in held]
        if not rows:
            raise NothingToPay(_nothing(len(asked)))
        file = _write(rows, house, at)
        claimed = Payout.objects.filter(
            id__in=[row.id for row in rows], state=State.REQUESTED, file=None
        ).update(state=State.SENT, file=file)
        if claimed != len(rows):
            raise AssertionError(f"{claimed} payouts were claimed for a file of {len(rows)}")
    return file


def _nothing(held: int) -> str:
    if not held:
        return _("No payout waits for a file. Nothing was changed.")
    said = _(
        "None of the %(n)s payouts can go yet: pages have to be looked at first."
        " Nothing was changed."
    )
    return said % {"n": held}


def why_held(rows: Iterable[Payout], at: datetime) -> dict[int, str]:
    """Why payouts that were asked for are in no file yet; those that may go are left out."""
    why: dict[int, str] = {}
    asked = [row for row in rows if row.member_id and row.cleared_by_id is None and _earned(row)]
    for kind in (Payout.Kind.REVENUE, Payout.Kind.REFUND):
        kept = {row.member_id: row for row in asked if row.kind == kind and row.member_id}
        held = proofs.held({member: row.requested_at for member, row in kept.items()})
        why |= {kept[member].id: said for member, said in held.items()}
        for member, row in kept.items():
            until = under_notice(member, _earned(row), at, but=row)
            if until is not None:
                said = _("Until %(day)s everybody can object to what they show.")
                why.setdefault(row.id, said % {"day": f"{until:%Y-%m-%d}"})
    return why


def _earned(row: Payout) -> int:
    """What of a payout may be earnings: of a refund all that was never topped up; micros.

    Earnings that are moved to funds, and asked back from there, are looked at like any others.
    """
    if row.kind == Payout.Kind.REVENUE:
        return row.amount_micros
    return row.amount_micros - row.topped_up_micros if row.kind == Payout.Kind.REFUND else 0


def under_notice(
    member_id: int, amount_micros: int, at: datetime, but: Payout | None = None
) -> datetime | None:
    """Until when so much more may not leave, because the public may object; None where it may.

    Small sums count together, and who was paid a large one before is known.
    """
    until = proofs.notice_until(member_id, at)
    if until is None:
        return None
    asked = Payout.objects.filter(member=member_id, kind=Payout.Kind.REVENUE)
    limit = settings.NOTICE_ABOVE_MICROS
    if asked.filter(state=State.EXECUTED, amount_micros__gt=limit).exists():
        return None
    others = asked.exclude(state__in=(State.FAILED, State.RETURNED))
    if but is not None:
        others = others.exclude(id=but.id)
    since = others.filter(requested_at__gte=until - proofs.NOTICE)
    sum_micros = since.aggregate(sum=Sum("amount_micros"))["sum"] or 0
    return until if sum_micros + amount_micros > limit else None


def clear(payout: Payout, by: Member) -> None:
    """Let a payout go into the next file whatever is shown; raises WrongState after that."""
    rows = Payout.objects.filter(id=payout.id, state=State.REQUESTED)
    if not rows.update(cleared_by=by):
        _must_be(payout, State.REQUESTED)


def _write(rows: list[Payout], house: sepa.Account, at: datetime) -> PayoutFile:
    # A payout is in one file for ever, so it names the file; whichever day that is made, for what a
    # restored backup does not know of, the bank does, and refuses a second one of this name.
    name = sepa.message_id(rows[0].id, rows[0].requested_at)
    xml = sepa.credit_transfer_xml(
        debtor=house,
        transfers=[_transfer(row) for row in rows],
        message_id=name,
        made_at=at,
        execution_date=at.astimezone(UTC).date(),
    )
    return PayoutFile.objects.create(
        message_id=name,
        xml=xml,
        sha256=hashlib.sha256(xml).hexdigest(),
        payments=len(rows),
        sum_micros=sum(row.net_micros for row in rows),
        made_at=at,
    )


def _transfer(row: Payout) -> sepa.Transfer:
    return sepa.Transfer(
        end_to_end_id=row.end_to_end_id,
        to=sepa.Account(row.holder_name, row.iban),
        cents=sepa.whole_cents(row.net_micros),
        text=f"{settings.INSTANCE_NAME} {row.end_to_end_id}",
    )


def execute(payout: Payout, at: datetime) -> bool:
    """SENT becomes EXECUTED, the net leaves to the provider and the cost to the instance."""
    with transaction.atomic():
        rows = Payout.objects.filter(id=payout.id, state=State.SENT)
        if not rows.update(state=State.EXECUTED, executed_at=at):
            _must_be(payout, State.EXECUTED)
            return False
        row = Payout.objects.get(id=payout.id)
        _out(row, "out", ledger.PROVIDER, row.net_micros, at)
        if row.cost_micros:
            _out(row, "cost", ledger.COST, row.cost_micros, at)
    return True


def _out(row: Payout, step: str, to: ledger.Pot, amount_micros: int, at: datetime) -> None:
    ledger.post(
        key=f"payout:{row.id}:{step}",
        debit=ledger.payout(row.id),
        credit=to,
        amount_micros=amount_micros,
        reason="PAID_OUT" if step == "out" else "COST",
        memo=row.end_to_end_id,
        at=at,
    )


def undo(payout: Payout, at: datetime, why: str) -> bool:
    """SENT becomes FAILED, EXECUTED becomes RETURNED; every move is reversed by a second one."""
    with transaction.atomic():
        # Before the accounts, as everyone who takes both does, so that no two wait for each other.
        if payout.member_id is not None:
            Member.objects.select_for_update(no_key=True).get(id=payout.member_id)
        rows = Payout.objects.filter(id=payout.id)
        said = {"ended_at": at, "why": why.strip()[:200]}
        if rows.filter(state=State.EXECUTED).update(state=State.RETURNED, **said):
            row = rows.get()
            _back(row, "out", at)
            if row.cost_micros:
                _back(row, "cost", at)
        elif not rows.filter(state=State.SENT).update(state=State.FAILED, **said):
            _must_be(payout, State.FAILED, State.RETURNED)
            return False
        row = rows.select_related("member").get()
        _back(row, "request", at)
        if row.topped_up_micros and row.member is not None:
            members.note_top_up(
                member=row.member, amount_micros=row.topped_up_micros, month=months.of(at)
            )
    return True


def _back(row: Payout, step: str, at: datetime) -> None:
    ledger.reverse(
        key=f"payout:{row.id}:{step}:back",
        of=f"payout:{row.id}:{step}",
        reason="PAYOUT_BACK",
        memo=row.end_to_end_id,
        at=at,
    )


def _must_be(payout: Payout, *states: Payout.State) -> None:
    now = Payout.objects.values_list("state", flat=True).get(id=payout.id)
    if now not in states:
        raise WrongState(
            _("This payout is %(state)s. Nothing was changed.") % {"state": now.lower()}
        )
