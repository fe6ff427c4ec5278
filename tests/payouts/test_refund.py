"""Funds go back at par, but for what closed, unsettled months may need."""

from datetime import UTC, datetime

import pytest

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.payouts.models import Payout
from mickle.providers import sepa
from mickle.settlement import _engine, settlement
from tests.payouts.money import AT, IBAN, all_hold, earner
from tests.people import (
    EARLY_DECEMBER,
    EUR,
    MID_NOVEMBER,
    NOVEMBER,
    creator,
    instance_at,
    member,
    thing,
)

pytestmark = pytest.mark.django_db
DECEMBER_1 = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _november() -> None:
    instance_at()


def giver(amount: str = "20.00", *, month: int = NOVEMBER - 1, spent: int = 0) -> Member:
    """Somebody who topped up and of whose funds this much is gone already."""
    who = member("alice")
    payins.top_up(member=who, amount_micros=EUR(amount), reference="first", at=AT, month=month)
    if spent:
        ledger.post(
            key="spent",
            debit=ledger.funds(who.id),
            credit=ledger.FEE,
            amount_micros=spent,
            reason="SPEND",
            at=AT,
        )
    who.refresh_from_db()
    return who


def refund(who: Member, amount: int | None = None, key: str = "k") -> Payout:
    return payouts.refund(
        member=who, iban=IBAN, holder_name="Alice", at=EARLY_DECEMBER, key=key, amount_micros=amount
    )


def settled(month: int) -> None:
    instance.note_frozen(month=month, at=EARLY_DECEMBER)
    instance.note_settled(month=month, at=EARLY_DECEMBER)


def test_with_november_closed_and_not_settled_its_budget_stays():
    alice = giver("8.00", spent=8_000_000 - 7_654_321)
    instance.close(month=NOVEMBER, at=DECEMBER_1)
    assert payouts.refundable(alice, EARLY_DECEMBER) == 2_650_000
    assert refund(alice).amount_micros == 2_650_000
    assert ledger.balance(ledger.funds(alice.id)) == 5_004_321
    all_hold()


def test_after_the_settlement_the_rest_but_for_parts_of_a_cent():
    alice = giver("8.00", spent=8_000_000 - 7_654_321 + 5_000_000)
    instance.close(month=NOVEMBER, at=DECEMBER_1)
    settled(NOVEMBER)
    assert payouts.refundable(alice, EARLY_DECEMBER) == 2_650_000
    refund(alice)
    assert ledger.balance(ledger.funds(alice.id)) == 4_321


def test_a_month_that_has_ended_counts_before_anybody_closes_it():
    alice = giver("8.00")
    last = months.end(NOVEMBER)
    assert payouts.refundable(alice, AT) == EUR("8.00")
    assert payouts.refundable(alice, last) == EUR("3.00")


@pytest.mark.parametrize(
    ("funded", "nodded", "paused", "kept"),
    [
        (NOVEMBER - 1, False, False, "5.00"),
        (NOVEMBER, False, False, "0"),
        (NOVEMBER + 1, False, False, "0"),
        (NOVEMBER + 1, True, False, "5.00"),
        (NOVEMBER - 1, True, True, "0"),
    ],
)
def test_only_a_month_that_may_still_spend_holds_funds_back(funded, nodded, paused, kept):
    alice = giver(month=funded)
    if nodded:
        nods.give(member=alice, thing=thing("page"), at=AT)
    if paused:
        members.set_budget(member=alice, at=AT, paused=True)
    instance.close(month=NOVEMBER, at=DECEMBER_1)
    assert payouts.refundable(alice, EARLY_DECEMBER) == EUR("20.00") - EUR(kept)


def test_two_unsettled_months_hold_two_budgets():
    alice = giver("12.00")
    at = datetime(2027, 1, 2, tzinfo=UTC)
    assert payouts.refundable(alice, at) == EUR("2.00")
    instance.close(month=NOVEMBER, at=at)
    settled(NOVEMBER)
    assert payouts.refundable(alice, at) == EUR("7.00")


def test_with_less_than_the_budget_nothing_goes_back():
    alice = giver("4.99")
    instance.close(month=NOVEMBER, at=DECEMBER_1)
    with pytest.raises(payouts.NotRefundable, match=r"0\.00 EUR"):
        refund(alice)
    assert not Payout.objects.exists()


def test_more_than_is_free_is_refused_with_the_amount_that_is():
    alice = giver()
    with pytest.raises(payouts.NotRefundable, match=r"15\.00 EUR"):
        refund(alice, EUR("15.01"))
    for amount in (0, -1, 1):
        with pytest.raises(payouts.BadAmount):
            refund(alice, amount)
    with pytest.raises(sepa.BadIban):
        payouts.refund(member=alice, iban="DE00", holder_name="A", at=AT, key="k")
    assert (Payout.objects.count(), ledger.balance(ledger.funds(alice.id))) == (0, EUR("20.00"))


def test_a_double_click_pays_back_once_and_a_second_wish_waits():
    alice = giver()
    first = refund(alice, EUR("5"))
    assert refund(alice, EUR("5")) == first
    with pytest.raises(payouts.AlreadyOnItsWay):
        refund(alice, EUR("5"), key="other")
    assert ledger.balance(ledger.funds(alice.id)) == EUR("15")
    all_hold()


def test_what_went_back_no_longer_counts_as_topped_up_unless_the_bank_fails():
    alice = giver("3.00")
    settings_at = EARLY_DECEMBER
    members.set_budget(member=alice, at=AT, paused=True)
    payout = refund(alice, EUR("1.01"))
    alice.refresh_from_db()
    assert alice.topped_up_micros == EUR("1.99")
    assert not members.may_receive(alice)
    payouts.make_file(at=settings_at)
    payouts.mark_failed(payout=payout, at=settings_at)
    alice.refresh_from_db()
    assert alice.topped_up_micros == EUR("3.00")
    assert members.may_receive(alice)
    assert alice.funded_month == NOVEMBER - 1
    all_hold()


def test_funds_that_were_earned_go_back_without_a_debt():
    bob = earner()
    payins.to_funds(member=bob, at=AT)
    members.set_budget(member=bob, at=AT, paused=True)
    payout = payouts.refund(member=bob, iban=IBAN, holder_name="Bob", at=AT, key="k")
    bob.refresh_from_db()
    assert (payout.amount_micros, payout.topped_up_micros) == (EUR("12.34"), 0)
    assert bob.topped_up_micros == 0


def test_a_withdrawal_and_a_refund_may_run_side_by_side():
    bob = earner()
    payins.top_up(member=bob, amount_micros=EUR("20"), reference="mine", at=AT)
    payouts.request(member=bob, at=AT, key="k")
    payouts.refund(member=bob, iban=IBAN, holder_name="Bob", at=AT, key="k")
    assert payouts.make_file(at=AT).payments == 2
    all_hold()


def test_what_a_freeze_has_taken_in_is_not_kept_a_second_time(monkeypatch):
    alice = member("alice", funds="12.00")
    nods.give(member=alice, thing=thing("page", creator("bob")), at=MID_NOVEMBER)
    settlement.close_due(at=EARLY_DECEMBER)
    assert payouts.refundable(alice, EARLY_DECEMBER) == EUR("7.00")

    def stop(*_said: object) -> None:
        raise RuntimeError("the power is gone")

    monkeypatch.setattr(_engine, "compute", stop)
    with pytest.raises(RuntimeError):
        settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert ledger.balance(ledger.funds(alice.id)) == EUR("7.00")
    assert payouts.refundable(alice, EARLY_DECEMBER) == EUR("7.00")


def test_of_a_charity_without_an_account_nothing_is_left_to_pay():
    charity = members.list_charity(slug="library", name="Library")
    assert payouts.pay_charity(charity=charity, at=EARLY_DECEMBER, key="last") is None
