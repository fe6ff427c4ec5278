"""Payins against the books: all that arrived is booked, and nothing else."""

from collections.abc import Iterator

from mickle.ledger import ledger
from mickle.ledger.ledger import Check, Kind
from mickle.members.models import Member
from mickle.payins.models import Payin


def checks() -> Iterator[Check]:
    """Every invariant of the payins."""
    yield _arrived()
    yield _unassigned()
    yield _first_top_ups()


def _arrived() -> Check:
    booked = {
        row.key: row.amount_micros
        for row in ledger.transfers(ledger.PROVIDER)
        if row.debit == ledger.PROVIDER and row.reason == "TOP_UP"
    }
    payins = {
        f"payin:{id_}": micros for id_, micros in Payin.objects.values_list("id", "amount_micros")
    }
    wrong = sorted(dict(booked.items() ^ payins.items()))[:5]
    name = "Payins equal transfers from the provider"
    return Check(name, len(payins), not wrong, ", ".join(wrong))


def _unassigned() -> Check:
    held = {id_: micros for id_, micros in ledger.balances(Kind.UNASSIGNED).items() if micros}
    rows = Payin.objects.exclude(why="").values_list("id", "amount_micros")
    wrong = sorted(dict(held.items() - set(rows)))[:5]
    detail = ", ".join(f"payin {id_}" for id_ in wrong)
    return Check("Unassigned money equals its payins", len(held), not wrong, detail)


def _first_top_ups() -> Check:
    credited = Payin.objects.filter(why="").values("member")
    givers = Member.objects.filter(id__in=credited)
    wrong = givers.filter(funded_month=None).order_by("id").first()
    detail = f"member {wrong.id}" if wrong is not None else ""
    return Check("Who topped up is counted since a month", givers.count(), wrong is None, detail)
