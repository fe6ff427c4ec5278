"""Play money in a demo, and earnings that become money to give."""

import pytest

from mickle.ledger import ledger
from mickle.members.models import Member
from mickle.payins import payins
from mickle.payins.models import Payin
from tests.people import EUR, MID_NOVEMBER, instance_at, member

pytestmark = pytest.mark.django_db
AT = MID_NOVEMBER


def earned(who: Member, micros: int) -> None:
    """Revenue as a settlement leaves it: with parts of a cent."""
    payins.top_up(member=who, amount_micros=EUR("20"), reference="first", at=AT)
    ledger.post(
        key="earned",
        debit=ledger.funds(who.id),
        credit=ledger.revenue(who.id),
        amount_micros=micros,
        reason="SHARE",
        at=AT,
    )


def test_play_money_is_in_funds_of_a_demo_instance():
    instance_at(kind="DEMO")
    alice = member("alice")
    for _click in range(2):
        payins.play(member=alice, amount_micros=EUR("10"), at=AT, key="one click")
    assert ledger.balance(ledger.funds(alice.id)) == EUR("10")
    payins.play(member=alice, amount_micros=EUR("10"), at=AT, key="another")
    assert ledger.balance(ledger.funds(alice.id)) == EUR("20")
    with pytest.raises(payins.OverLimit):
        payins.play(member=alice, amount_micros=EUR("590"), at=AT, key="much")
    assert Payin.objects.count() == 2
    assert all(check.ok for check in payins.audit())


@pytest.mark.parametrize("kind", ["REAL", "TEST"])
def test_play_money_exists_in_a_demo_instance_only(kind):
    instance_at(kind=kind)
    with pytest.raises(payins.NoPlayMoney):
        payins.play(member=member("alice"), amount_micros=EUR("10"), at=AT, key="k")
    assert not Payin.objects.exists()


def test_all_whole_cents_of_revenue_become_funds():
    instance_at()
    bob = member("bob")
    earned(bob, 12_345_678)
    assert payins.to_funds(member=bob, at=AT) == EUR("12.34")
    assert ledger.balance(ledger.revenue(bob.id)) == 5_678
    assert ledger.balance(ledger.funds(bob.id)) == EUR("20") - 12_345_678 + EUR("12.34")
    bob.refresh_from_db()
    assert bob.topped_up_micros == EUR("20"), "what was earned was never topped up"


def test_a_double_click_moves_an_amount_once():
    instance_at()
    bob = member("bob")
    earned(bob, EUR("12"))
    for _click in range(2):
        payins.to_funds(member=bob, at=AT, amount_micros=EUR("3"), key="one click")
    assert ledger.balance(ledger.revenue(bob.id)) == EUR("9")


@pytest.mark.parametrize(
    ("micros", "refusal"),
    [
        (0, payins.BadAmount),
        (-1, payins.BadAmount),
        (1, payins.BadAmount),
        (EUR("12.01"), ledger.Insufficient),
    ],
)
def test_what_is_not_there_does_not_move(micros, refusal):
    instance_at()
    bob = member("bob")
    earned(bob, EUR("12"))
    with pytest.raises(refusal):
        payins.to_funds(member=bob, at=AT, amount_micros=micros)
    assert ledger.balance(ledger.revenue(bob.id)) == EUR("12")


def test_revenue_does_not_lift_funds_over_the_limit(settings):
    instance_at()
    bob = member("bob")
    earned(bob, EUR("12"))
    settings.FUNDS_MAX_MICROS = EUR("19.99")
    with pytest.raises(payins.OverLimit):
        payins.to_funds(member=bob, at=AT)
    assert ledger.balance(ledger.revenue(bob.id)) == EUR("12")


def test_a_refund_goes_to_the_account_the_newest_transfer_came_from():
    instance_at()
    alice = member("alice")
    assert payins.origin(alice) is None
    accounts = ("DE02120300000000202051", "DE89370400440532013000", "not an account", "")
    for place, account in enumerate(accounts):
        payins.book(
            amount_micros=EUR("1"),
            key=f"e{place}",
            at=AT,
            reference=payins.reference(alice),
            payer_name="Alice",
            payer_account=account,
        )
    found = payins.origin(alice)
    assert found is not None
    assert (found.name, found.iban) == ("Alice", "DE89370400440532013000")
