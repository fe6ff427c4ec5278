"""What the bank sends back to a closed account is seen, named by the audit, and sent again."""

import pytest

from mickle.closing import closing
from mickle.ledger import ledger
from mickle.members import members
from mickle.members.models import Member
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.payouts.models import Payout
from mickle.providers import sepa
from tests.closing.money import ACCOUNT, AT, IBAN, OTHER, all_hold, earned, giver, left
from tests.people import EARLY_DECEMBER, EUR, creator, instance_at

pytestmark = pytest.mark.django_db
CHECK = "Closed accounts hold less than a cent"


@pytest.fixture(autouse=True)
def _november() -> None:
    instance_at()
    members.list_charity(slug="open-library", name="Open Library", iban=IBAN)


def closed(revenue: int = EUR("3.00")) -> Member:
    """Somebody who left with 20.00 in funds and this in revenue."""
    alice = giver(account=OTHER)
    earned(alice, revenue)
    assert closing.close(member=alice, at=AT, open_nods="take_back", **ACCOUNT).done_at
    return alice


def bank_refuses(who: Member) -> None:
    payouts.make_file(at=AT)
    for row in payouts.live(who):
        payouts.mark_failed(payout=row, at=AT, why="account closed")


def again(who: Member) -> list[Payout]:
    return closing.send_again(member=who, iban=OTHER, holder_name="Alice Giver", at=EARLY_DECEMBER)


def test_what_came_back_is_listed_and_the_audit_names_whose_it_is():
    alice = closed()
    assert (closing.stranded(), [check.ok for check in closing.audit()]) == ([], [True])
    bank_refuses(alice)
    assert [(one.member, one.funds_micros, one.revenue_micros) for one in closing.stranded()] == [
        (alice, EUR("20.00"), EUR("3.00"))
    ]
    assert closing.stranded()[0].sum_micros == EUR("23.00")
    check = closing.audit()[0]
    assert (check.name, check.ok, check.detail) == (CHECK, False, f"member {alice.id}")


def test_both_pots_are_sent_again_as_often_as_the_bank_sends_them_back():
    alice = closed()
    for _time in range(2):
        bank_refuses(alice)
        sent = again(alice)
        assert [(row.kind, row.amount_micros, row.iban) for row in sent] == [
            ("REFUND", EUR("20.00"), OTHER),
            ("REVENUE", EUR("3.00"), OTHER),
        ]
        assert (left(alice), closing.stranded()) == ([0, 0, 0], [])
    assert len({row.key for row in Payout.objects.filter(member=alice)}) == 6
    all_hold()


def test_sending_twice_sends_once():
    alice = closed()
    bank_refuses(alice)
    assert (len(again(alice)), again(alice)) == (2, [])
    assert payouts.live(alice).count() == 2


def test_a_withdrawal_that_was_under_way_as_the_account_closed_is_sent_again():
    bob = creator("bob")
    earned(bob, EUR("25.00"))
    payouts.set_account(member=bob, iban=OTHER, holder_name="Bob")
    running = payouts.request(member=bob, at=AT, key="k")
    assert closing.close(member=bob, at=AT, open_nods="take_back", **ACCOUNT).done_at
    payouts.make_file(at=AT)
    payouts.mark_failed(payout=running, at=AT)
    assert left(bob) == [0, 0, EUR("25.00")]
    assert [row.amount_micros for row in again(bob)] == [EUR("25.00")]
    assert (left(bob), closing.stranded()) == ([0, 0, 0], [])


def test_parts_of_a_cent_are_not_stranded():
    charity = members.default_charity()
    assert charity is not None
    members.unlist_charity(charity=charity)
    bob = closed(450_004)
    assert ledger.balance(ledger.revenue(bob.id)) == 4
    assert closing.stranded() == []
    all_hold()


def test_a_wrong_account_sends_nothing():
    alice = closed()
    bank_refuses(alice)
    with pytest.raises(sepa.BadIban):
        closing.send_again(member=alice, iban="DE00", holder_name="Alice", at=AT)
    with pytest.raises(sepa.BadName):
        closing.send_again(member=alice, iban=IBAN, holder_name=" ", at=AT)
    assert (left(alice), payouts.live(alice).count()) == ([EUR("20.00"), 0, EUR("3.00")], 0)


def test_only_a_closed_account_is_paid_by_the_operator():
    with pytest.raises(closing.NotClosed):
        again(giver())
    assert not Payout.objects.exists()


def test_half_of_it_is_never_sent(monkeypatch):
    alice = closed()
    bank_refuses(alice)

    def crash(**_said: object) -> None:
        raise RuntimeError("the lights went out")

    with monkeypatch.context() as broken:
        broken.setattr(payouts, "pay_rest", crash)
        with pytest.raises(RuntimeError):
            again(alice)
    assert left(alice) == [EUR("20.00"), 0, EUR("3.00")]
    assert len(again(alice)) == 2
    assert [check for check in payins.audit() if not check.ok] == []
