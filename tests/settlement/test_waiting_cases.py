"""The cases of split.json about what waits: claims, rule 10, expiry, taking back, refusal."""

import pytest

from mickle.ledger import ledger
from mickle.members import members
from mickle.nods import nods
from mickle.settlement import settlement
from mickle.things import things
from tests.people import EUR, NOVEMBER, creator, instance_at, member, top_up
from tests.settlement.test_cases import (
    all_hold,
    earned,
    funds,
    give_all,
    in_month,
    named,
    pages,
    settle,
    waiting,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _november() -> None:
    instance_at("2026-11")


def test_the_claimants_own_share_goes_back_and_the_others_are_released():
    case = named("the claimant nodded")
    first, second = (
        member(name, funds=giver["budget"], budget=giver["budget"])
        for name, giver in zip(("first", "second"), case["givers"], strict=True)
    )
    made = pages(3, unclaimed=2)
    give_all(first, made)
    give_all(second, [made[0], made[1]])
    settle()
    assert [waiting(first), waiting(second)] == [g["waiting_micros"] for g in case["givers"]]
    members.note_top_up(member=second, amount_micros=EUR("2.00"), month=NOVEMBER)
    fee = ledger.balance(ledger.FEE)
    things.set_owner(thing=made[1][0], owner=second, at=in_month(NOVEMBER + 1))
    assert (
        settlement.release(thing=made[1][0], at=in_month(NOVEMBER + 1)) == case["received_micros"]
    )
    assert earned(second) == case["received_micros"]
    assert ledger.balance(ledger.FEE) - fee == case["fee_micros"]
    assert funds(second) == case["second_giver_funds_micros"]
    assert waiting(first) == case["first_giver_waiting_micros"]
    assert settlement.release(thing=made[1][0], at=in_month(NOVEMBER + 1)) == 0
    all_hold([*ledger.audit(), *settlement.audit()])


def test_one_euro_ninety_nine_releases_nothing_and_two_release_all():
    case = named("owner who has not funded")
    alice = member("alice", funds=case["funds"], budget=case["budget"])
    bob = member("bob")
    made = pages(2, unclaimed=1)
    things.set_owner(thing=made[1][0], owner=bob, at=in_month(NOVEMBER))
    give_all(alice, made)
    settle()
    assert waiting(alice) == case["waiting_micros"]
    top_up(bob, "1.99", month=NOVEMBER + 1)
    settlement.release_owner(member=bob, at=in_month(NOVEMBER + 1))
    assert earned(bob) == case["received_after_1_99_micros"]
    top_up(bob, "0.01", month=NOVEMBER + 1)
    settlement.release_owner(member=bob, at=in_month(NOVEMBER + 1))
    assert earned(bob) == case["received_after_2_00_micros"]
    assert ledger.balance(ledger.FEE) == case["fee_micros"]
    all_hold([*ledger.audit(), *settlement.audit()])


def test_what_was_taken_down_is_paid_to_nobody_until_it_is_put_back():
    alice, bob = member("alice", funds="5.00", budget="5.00"), creator("bob")
    made = pages(2, unclaimed=1)
    page = made[1][0]
    give_all(alice, made)
    settle()
    at = in_month(NOVEMBER + 1)
    things.take_down(thing=page, at=at)
    things.set_owner(thing=page, owner=bob, at=at)

    assert settlement.release(thing=page, at=at) == 0
    assert not settlement.has_to_release()
    assert (earned(bob), waiting(alice)) == (0, EUR("2.50"))
    # Its giver has it back whenever they like; and who was wronged has it when that is mended.
    things.put_back(thing=page, at=at)
    assert settlement.has_to_release()
    assert settlement.release_due(at=at) == 1
    assert (earned(bob), waiting(alice)) == (EUR("2.25"), 0)
    all_hold([*ledger.audit(), *settlement.audit()])


def test_what_waits_returns_when_the_sixth_month_after_is_settled():
    case = named("expiry: a share")
    alice = member("alice", funds=case["funds"], budget=case["budget"])
    made = pages(2, unclaimed=1)
    give_all(alice, made)
    members.set_budget(member=alice, at=in_month(NOVEMBER + 1, 1), paused=True)
    for place, then in enumerate(case["after_settling"]):
        settle(NOVEMBER + place)
        assert (waiting(alice), funds(alice)) == (then["waiting_micros"], then["funds_micros"])
    bob = creator("bob")
    things.set_owner(thing=made[1][0], owner=bob, at=in_month(NOVEMBER + 8))
    settlement.release(thing=made[1][0], at=in_month(NOVEMBER + 8))
    assert earned(bob) == case["claim_after_received_micros"]


def test_what_comes_back_counts_for_the_settlement_that_returns_it():
    case = named("what comes back counts")
    alice = member("alice", funds=case["funds"], budget=case["budget"])
    made = pages(2, unclaimed=1)
    give_all(alice, made)
    for place in range(6):
        settle(NOVEMBER + place)
    may = NOVEMBER + 6
    nods.give(member=alice, thing=made[0][0], at=in_month(may))
    settle(may)
    told = settlement.statement(member=alice, month=may)
    shares = told.shares
    assert (told.funds_end_micros, told.carried_micros) == (funds(alice), 0)
    assert told.funds_start_micros + EUR("2.50") - told.spend_micros == funds(alice)
    assert [share.amount_micros for share in shares] == case["may_each_gross_micros"]
    assert (waiting(alice), funds(alice)) == (case["waiting_micros"], case["left_in_funds_micros"])


def test_taking_back_and_refusal_return_whole_shares_without_a_fee():
    case = named("member takes back one")
    alice = member("alice", funds=case["funds"], budget=case["budget"])
    made = pages(case["nods"], unclaimed=case["unclaimed"])
    give_all(alice, made)
    settle()
    at = in_month(NOVEMBER + 1)
    settlement.take_back_waiting(member=alice, month=NOVEMBER, thing=made[2][0], at=at)
    assert funds(alice) == case["funds_after_taking_back_micros"]
    with pytest.raises(settlement.NotWaiting):
        settlement.take_back_waiting(member=alice, month=NOVEMBER, thing=made[2][0], at=at)
    settlement.refuse(thing=made[3][0], at=at)
    assert funds(alice) == case["funds_after_refusal_micros"]
    assert waiting(alice) == case["waiting_micros"]
    assert ledger.balance(ledger.FEE) == case["fee_micros"]
    all_hold([*ledger.audit(), *settlement.audit()])


def test_a_claim_between_close_and_freeze_is_paid_with_the_month():
    case = named("claimed on 2 December")
    alice = member("alice", funds=case["funds"], budget=case["budget"])
    made = pages(case["nods"], unclaimed=1)
    give_all(alice, made)
    settlement.close_due(at=in_month(NOVEMBER + 1, 1))
    bob = creator("bob")
    things.set_owner(thing=made[1][0], owner=bob, at=in_month(NOVEMBER + 1, 2))
    settle()
    owner = made[0][1]
    assert owner is not None
    assert [earned(owner), earned(bob)] == case["received_micros"]
    assert waiting(alice) == case["waiting_micros"]
    assert ledger.balance(ledger.FEE) == case["fee_micros"]


def test_what_waits_for_a_merged_page_is_released_to_the_owner_of_its_target():
    alice = member("alice", funds="4.00", budget="4.00")
    made = pages(2, unclaimed=2)
    give_all(alice, made)
    settle()
    bob, at = creator("bob"), in_month(NOVEMBER + 1)
    things.merge(thing=made[0][0], into=made[1][0], at=at)
    things.set_owner(thing=made[1][0], owner=bob, at=at)
    assert settlement.waiting_for(made[1][0]) == (2, EUR("4.00"))
    settlement.release(thing=made[1][0], at=at)
    assert earned(bob) == EUR("3.60")
    assert waiting(alice) == 0
    all_hold([*ledger.audit(), *settlement.audit()])


def test_all_that_waits_of_a_member_can_be_taken_back_at_once():
    alice = member("alice", funds="4.00", budget="4.00")
    give_all(alice, pages(4, unclaimed=3))
    settle()
    assert settlement.take_back_all_waiting(member=alice, at=in_month(NOVEMBER + 1)) == EUR("3.00")
    assert (waiting(alice), funds(alice)) == (0, EUR("3.00"))
    all_hold([*ledger.audit(), *settlement.audit()])
