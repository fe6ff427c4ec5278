"""Payouts against the books and against the files that went to the bank."""

from collections.abc import Iterator

from django.db.models import F, Sum

from mickle.ledger import ledger
from mickle.ledger.ledger import Check, Kind
from mickle.payouts.models import Payout, PayoutFile

State = Payout.State


def checks() -> Iterator[Check]:
    """Every invariant of the payouts."""
    yield _live()
    yield _paid()
    yield _files()


def _live() -> Check:
    held = {id_: micros for id_, micros in ledger.balances(Kind.PAYOUT).items() if micros}
    rows = Payout.objects.filter(state__in=Payout.LIVE).values_list("id", "amount_micros")
    wrong = sorted(dict(held.items() ^ set(rows)))[:5]
    detail = ", ".join(f"payout {id_}" for id_ in wrong)
    return Check("Live payouts equal the PAYOUT account", rows.count(), not wrong, detail)


def _paid() -> Check:
    out = {
        row.debit.holder_id: row.amount_micros
        for row in ledger.transfers(ledger.PROVIDER)
        if row.reason == "PAID_OUT"
    }
    done = Payout.objects.filter(state__in=[State.EXECUTED, State.RETURNED])
    rows = done.values_list("id", F("amount_micros") - F("cost_micros"))
    wrong = sorted(dict(out.items() ^ set(rows)))[:5]
    detail = ", ".join(f"payout {id_}" for id_ in wrong)
    name = "Executed payouts equal transfers to the provider"
    return Check(name, rows.count(), not wrong, detail)


def _files() -> Check:
    count = 0
    for file in PayoutFile.objects.order_by("id").iterator(20):
        count += 1
        net = F("amount_micros") - F("cost_micros")
        inside = file.payouts.aggregate(sum=Sum(net))["sum"]
        if not file.is_whole or (file.payouts.count(), inside) != (file.payments, file.sum_micros):
            return Check("Files equal their payouts", count, False, file.message_id)
    return Check("Files equal their payouts", count, True)
