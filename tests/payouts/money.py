"""Earnings, funds and a bank for the tests of payouts."""

from mickle.ledger import ledger
from mickle.members.models import Member
from mickle.payins import payins
from mickle.payouts import payouts
from tests.people import EUR, MID_NOVEMBER, member

AT = MID_NOVEMBER
IBAN = "DE89370400440532013000"


def earner(name: str = "bob", micros: int = 12_345_678, account: bool = True) -> Member:
    """Somebody who has put money in, has this revenue and has said where it goes."""
    who = member(name)
    if micros:
        pays = payins.top_up(
            member=member(f"{name}-fan"), amount_micros=EUR("600"), reference=name, at=AT
        )
        assert pays.member is not None
        ledger.post(
            key=f"earned:{name}",
            debit=ledger.funds(pays.member.id),
            credit=ledger.revenue(who.id),
            amount_micros=micros,
            reason="SHARE",
            at=AT,
        )
    if account:
        payouts.set_account(member=who, iban=IBAN, holder_name="Bob Creator")
    return who


def revenue(who: Member) -> int:
    return ledger.balance(ledger.revenue(who.id))


def all_hold() -> None:
    checks = [*payouts.audit(), *payins.audit(), *ledger.audit()]
    assert [check for check in checks if not check.ok] == []
