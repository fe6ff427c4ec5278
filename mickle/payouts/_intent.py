"""An intent to pay: a row and the move into PAYOUT, both or neither."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from mickle.ledger import ledger
from mickle.lib.errors import Refused
from mickle.members.models import Charity, Member
from mickle.payouts.models import Payout
from mickle.providers import sepa


class AlreadyOnItsWay(Refused):
    """A payout of this kind is under way; one at a time."""


class KeyReused(Refused):
    """The key belongs to a payout with other content."""


class BadAmount(Refused):
    """Nothing, less than nothing, or a part of a cent."""


@dataclass(frozen=True)
class Intent:
    """What is to be paid, from which pot, to whom."""

    key: str
    kind: Payout.Kind
    source: ledger.Pot
    amount_micros: int
    to: sepa.Account
    cost_micros: int = 0
    topped_up_micros: int = 0
    member: Member | None = None
    charity: Charity | None = None
    payin_id: int | None = None


def open_intent(intent: Intent, at: datetime) -> Payout:
    """Write the row and move the amount into PAYOUT; the tables let one be live at a time.

    Raises AlreadyOnItsWay for a key used before or a live payout of the kind to the same holder.
    """
    row = Payout(
        key=intent.key,
        kind=intent.kind,
        member=intent.member,
        charity=intent.charity,
        payin_id=intent.payin_id,
        amount_micros=intent.amount_micros,
        cost_micros=intent.cost_micros,
        topped_up_micros=intent.topped_up_micros,
        iban=intent.to.iban,
        holder_name=intent.to.name,
        requested_at=at,
    )
    with transaction.atomic():
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError as error:
            if not _is_taken(intent):
                raise
            raise AlreadyOnItsWay(
                _("This payment is on its way already. Nothing was changed.")
            ) from error
        ledger.post(
            key=f"payout:{row.id}:request",
            debit=intent.source,
            credit=ledger.payout(row.id),
            amount_micros=intent.amount_micros,
            reason=f"PAYOUT_{intent.kind}",
            at=at,
        )
    return row


def _is_taken(intent: Intent) -> bool:
    """Whether a row that stands keeps this one out, and not what the row itself says."""
    live = Q(
        kind=intent.kind,
        member=intent.member,
        charity=intent.charity,
        payin_id=intent.payin_id,
        state__in=Payout.LIVE,
    )
    return Payout.objects.filter(Q(key=intent.key) | live).exists()
