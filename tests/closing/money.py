"""Givers, earnings and what is left of them, for the tests of leaving."""

from mickle.closing import closing
from mickle.ledger import ledger
from mickle.members.models import Member
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.payouts.models import Payout
from mickle.settlement import settlement
from tests.people import EUR, MID_NOVEMBER, member

AT = MID_NOVEMBER
IBAN, OTHER = "DE89370400440532013000", "DE02120300000000202051"
ACCOUNT = {"iban": IBAN, "holder_name": "Alice Giver"}


def giver(name: str = "alice", amount: str = "20.00", account: str = "") -> Member:
    who = member(name)
    payins.book(
        amount_micros=EUR(amount),
        key=f"entry-{name}",
        at=AT,
        reference=payins.reference(who),
        payer_name=f"{name} at the bank" if account else "",
        payer_account=account,
    )
    who.refresh_from_db()
    return who


def earned(who: Member, micros: int) -> None:
    fan = giver(f"fan-of-{who.username}", "600.00")
    ledger.post(
        key=f"earned:{who.username}",
        debit=ledger.funds(fan.id),
        credit=ledger.revenue(who.id),
        amount_micros=micros,
        reason="SHARE",
        at=AT,
    )


def left(who: Member) -> list[int]:
    pots = (ledger.funds(who.id), ledger.waiting(who.id), ledger.revenue(who.id))
    return [ledger.balance(pot) for pot in pots]


def given_away() -> int:
    return ledger.total("CHARITY")


def paid(who: Member) -> dict[str, tuple[int, str]]:
    return {row.kind: (row.amount_micros, row.iban) for row in Payout.objects.filter(member=who)}


def all_hold() -> None:
    checks = [
        *closing.audit(),
        *payouts.audit(),
        *payins.audit(),
        *ledger.audit(),
        *settlement.audit(),
    ]
    assert [check for check in checks if not check.ok] == []
