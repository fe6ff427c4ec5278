"""Rule 12: the same split, charged afterwards; owners have it once the charge is paid."""

import pytest

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.members import members
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.payins import payins
from mickle.settlement import arrears, settlement
from mickle.settlement.models import Charge, Due, Line, Received, Run
from mickle.things import things
from tests.people import EUR, NOVEMBER, creator, instance_at, member, thing, top_up
from tests.settlement.test_cases import (
    CASES,
    earned,
    funds,
    give_all,
    in_month,
    pages,
)
from tests.settlement.test_settle import all_hold

pytestmark = pytest.mark.django_db

ARREARS = [case for case in CASES if case.get("mode") == "arrears"]


@pytest.fixture(autouse=True)
def _november(settings) -> None:
    settings.MODE = "arrears"
    instance_at("2026-11")


def settle(month: int = NOVEMBER) -> None:
    settlement.settle(month=month, at=in_month(month + 1, 4))
    all_hold([*ledger.audit(), *settlement.audit()])


def pay(who, month: int = NOVEMBER + 1, day: int = 6) -> int:
    """Transfer what was asked for, and let it be collected; micros."""
    asked = sum(charge.amount_micros for charge in arrears.open_charges(who))
    if asked:
        top_up(who, f"{asked / 1_000_000:.2f}", month=month, key=f"paid {who.id} {month} {day}")
    arrears.collect(at=in_month(month, day))
    all_hold([*ledger.audit(), *settlement.audit()])
    return asked


@pytest.mark.parametrize("case", ARREARS, ids=[case["name"] for case in ARREARS])
def test_each_case_of_arrears(case):
    alice = member("alice", budget=case["budget"])
    count = case["nods"]
    made = pages(count, unclaimed=count - case.get("receivable", count)) if count else []
    give_all(alice, made)
    settle()
    if case.get("charge_failed"):
        for week in range(3):
            arrears.ask_again(at=in_month(NOVEMBER + 1, 12 + 7 * week))
        assert pay(alice) == 0
        wanted = case["owners_received_micros"]
    else:
        assert pay(alice) == case["charge_micros"]
        wanted = [micros - micros // 10 for micros in case.get("each_gross_micros", [])]
        assert shares(alice, "paid") == case.get("each_gross_micros", [])
    assert [earned(owner) for _page, owner in made if owner] == wanted
    assert funds(alice) == 0
    if "fee_micros" in case:
        assert ledger.balance(ledger.FEE) == case["fee_micros"]


def shares(who, *states: str, month: int = NOVEMBER) -> list[int]:
    found = settlement.statement(member=who, month=month).shares
    return [share.amount_micros for share in found if share.state in states]


def claim(page, month: int):
    bob = creator("bob")
    things.set_owner(thing=page, owner=bob, at=in_month(month))
    return bob


def test_nothing_moves_before_the_charge_is_paid():
    alice = member("alice")
    made = pages(2)
    give_all(alice, made)
    settle()
    assert Charge.objects.get().amount_micros == EUR("5.00")
    assert shares(alice, "due") == [EUR("2.50")] * 2
    assert [earned(owner) for _page, owner in made] == [0, 0]
    assert not arrears.has_to_collect()
    top_up(alice, "4.99", month=NOVEMBER + 1)
    assert arrears.collect(at=in_month(NOVEMBER + 1, 6)) == 0
    top_up(alice, "0.01", month=NOVEMBER + 1)
    assert arrears.has_to_collect()
    assert arrears.collect(at=in_month(NOVEMBER + 1, 7)) == 1
    top_up(alice, "6.00", month=NOVEMBER + 1)
    assert arrears.collect(at=in_month(NOVEMBER + 1, 8)) == 0
    assert funds(alice) == EUR("6.00")
    assert [earned(owner) for _page, owner in made] == [EUR("2.25")] * 2
    all_hold([*ledger.audit(), *settlement.audit()])


def test_the_fee_is_that_of_the_sum_whoever_pays_first():
    """Three shares of 0.333333 a line: each alone would lose a part of a micro of the fee."""
    givers = [member(f"giver{i}", budget="2.00") for i in range(3)]
    made = pages(6)
    for who in givers:
        give_all(who, made)
    settle()
    for day, who in enumerate(givers, start=6):
        pay(who, day=day)
    for row in Received.objects.all():
        assert (row.nods, row.fee_micros) == (3, row.gross_micros // 10)
    line = Line.objects.get(thing_id=100)
    received = Received.objects.get(thing_id=100)
    assert (received.gross_micros, received.fee_micros) == (line.gross_micros, line.fee_micros)


def test_what_nobody_owned_is_charged_with_the_month_of_its_claim():
    alice = member("alice")
    made = pages(3, unclaimed=1)
    give_all(alice, made)
    settle()
    assert pay(alice) == EUR("3.33")
    assert shares(alice, "waiting") == [EUR("1.66")]
    bob = claim(made[-1][0], NOVEMBER + 1)
    assert earned(bob) == 0
    nods.give(member=alice, thing=made[0][0], at=in_month(NOVEMBER + 1))
    settle(NOVEMBER + 1)
    [charge] = arrears.open_charges(alice)
    assert charge.amount_micros == EUR("6.66")
    assert shares(alice, "due") == [EUR("1.66")]
    pay(alice, NOVEMBER + 2)
    assert shares(alice, "released") == [EUR("1.66")]
    assert earned(bob) == 1_494_000
    mine = settlement.owner_statement(member=bob, month=NOVEMBER)
    assert (mine.gross_micros, mine.fee_micros) == (EUR("1.66"), 166_000)


def test_what_was_claimed_keeps_the_rate_of_its_month():
    instance.announce_fee(from_month=NOVEMBER + 1, basis_points=1200, at=in_month(NOVEMBER - 2))
    alice = member("alice")
    made = pages(1, unclaimed=1)
    give_all(alice, made)
    settle()
    claim(made[0][0], NOVEMBER + 1)
    settle(NOVEMBER + 1)
    pay(alice, NOVEMBER + 2)
    assert ledger.balance(ledger.FEE) == EUR("0.50")


@pytest.mark.parametrize(("later", "charged"), [(6, EUR("5.00")), (7, 0)])
def test_after_six_months_a_claim_charges_nothing(later: int, charged: int):
    alice = member("alice")
    made = pages(1, unclaimed=1)
    give_all(alice, made)
    for month in range(NOVEMBER, NOVEMBER + later):
        settle(month)
    claim(made[0][0], NOVEMBER + later)
    settle(NOVEMBER + later)
    assert pay(alice, NOVEMBER + later + 1) == charged
    assert shares(alice, "nothing", "released") == [charged]


def test_less_than_two_is_carried_on():
    alice = member("alice", budget="2.00")
    made = pages(3, unclaimed=1)
    give_all(alice, made)
    settle()
    assert pay(alice) == 0
    assert shares(alice, "due") == [665_000] * 2
    give_all(alice, made[:2], NOVEMBER + 1)
    settle(NOVEMBER + 1)
    assert pay(alice, NOVEMBER + 2) == EUR("3.33")
    assert shares(alice, "paid") == [665_000] * 2
    assert shares(alice, "paid", month=NOVEMBER + 1) == [EUR("1.00")] * 2


def test_what_stays_too_small_for_six_months_is_dropped():
    alice = member("alice", budget="2.00")
    give_all(alice, pages(3, unclaimed=1))
    for month in range(NOVEMBER, NOVEMBER + 7):
        settle(month)
    assert Charge.objects.get().state == "DROPPED"
    assert shares(alice, "dropped") == [665_000] * 2


def test_what_was_carried_on_is_dropped_where_members_top_up_first_again(settings):
    alice = member("alice", budget="2.00")
    give_all(alice, pages(3, unclaimed=1))
    settle()
    bob = Line.objects.order_by("thing").first().owner
    assert arrears.is_owed(bob)
    settings.MODE = "prepaid"
    settle(NOVEMBER + 1)
    assert not arrears.is_owed(bob)
    assert shares(alice, "dropped") == [665_000] * 2
    assert arrears.totals(NOVEMBER + 1) == {"DROPPED": (1, EUR("1.33"))}


def test_three_times_unpaid_is_dropped_and_no_debt():
    alice = member("alice")
    made = pages(2)
    give_all(alice, made)
    settle()
    days = [10, 11, 18, 25]
    states = []
    for day in days:
        arrears.ask_again(at=in_month(NOVEMBER + 1, day))
        charge = Charge.objects.get()
        states.append((charge.tries, charge.state))
    assert states == [(1, "ASKED"), (2, "ASKED"), (3, "ASKED"), (3, "DROPPED")]
    assert shares(alice, "dropped") == [EUR("2.50")] * 2
    top_up(alice, "5.00", month=NOVEMBER + 1)
    assert arrears.collect(at=in_month(NOVEMBER + 1, 26)) == 0
    assert funds(alice) == EUR("5.00")
    give_all(alice, made[:1], NOVEMBER + 1)
    settle(NOVEMBER + 1)
    assert arrears.collect(at=in_month(NOVEMBER + 2, 6)) == 1
    assert earned(made[0][1]) == EUR("4.50")


def test_what_is_there_already_is_taken_first():
    alice = member("alice", funds="7.00")
    give_all(alice, pages(2))
    settle()
    assert arrears.collect(at=in_month(NOVEMBER + 1, 4)) == 1
    assert funds(alice) == EUR("2.00")


def test_of_two_charges_one_is_paid_whole():
    alice = member("alice")
    made = pages(1)
    for month in (NOVEMBER, NOVEMBER + 1):
        give_all(alice, made, month)
        settle(month)
    top_up(alice, "9.99", month=NOVEMBER + 2)
    assert arrears.collect(at=in_month(NOVEMBER + 2, 6)) == 1
    assert [charge.month for charge in arrears.open_charges(alice)] == [NOVEMBER + 1]
    assert funds(alice) == EUR("4.99")


def test_nobody_is_asked_for_more_at_once_than_funds_may_hold(settings):
    settings.FUNDS_MAX_MICROS = EUR("6.00")
    alice = member("alice")
    late, made = pages(2, unclaimed=2), pages(2, start=50)
    give_all(alice, late)
    settle()
    bob = claim(late[0][0], NOVEMBER + 1)
    things.set_owner(thing=late[1][0], owner=bob, at=in_month(NOVEMBER + 1))
    give_all(alice, made, month=NOVEMBER + 1)
    settle(NOVEMBER + 1)
    assert pay(alice, NOVEMBER + 2) == EUR("5.00")
    assert Due.objects.filter(charge=None).count() == 2
    settle(NOVEMBER + 2)
    assert pay(alice, NOVEMBER + 3) == EUR("5.00")
    assert shares(alice, "released") == [EUR("2.50")] * 2
    assert funds(alice) == 0


def test_paused_and_idle_members_owe_nothing():
    paused, idle = member("paused", budget="paused"), member("idle")
    members.list_charity(slug="library", name="Open Library Fund")
    give_all(paused, pages(2, unclaimed=1))
    settle()
    assert not Due.objects.exists()
    assert (funds(paused), funds(idle)) == (0, 0)


def test_weights_decide_what_falls_to_whom():
    alice = member("alice")
    made = pages(3, unclaimed=1)
    give_all(alice, made)
    Nod.objects.filter(thing=made[1][0]).update(weight=2)
    Nod.objects.filter(thing=made[2][0]).update(weight=4)
    settle()
    assert pay(alice) == EUR("2.14")
    assert shares(alice, "paid") == [713_333, 1_426_667]
    assert shares(alice, "waiting") == [EUR("2.85")]


def test_what_was_put_off_can_be_given_up():
    alice = member("alice")
    made = pages(1, unclaimed=1)
    give_all(alice, made)
    settle()
    page, at = made[0][0], in_month(NOVEMBER + 1)
    facts = {"member": alice, "month": NOVEMBER, "thing": page, "at": at}
    run = Run.objects.create(month=NOVEMBER + 1, began_at=at, arrears=True)
    with pytest.raises(settlement.NotWaiting, match="being settled right now"):
        settlement.take_back_waiting(**facts)
    run.delete()
    assert settlement.take_back_waiting(**facts) == 0
    with pytest.raises(settlement.NotWaiting):
        settlement.take_back_waiting(**facts)
    claim(page, NOVEMBER + 1)
    settle(NOVEMBER + 1)
    assert not Due.objects.exists()
    assert shares(alice, "returned") == [EUR("5.00")]


@pytest.mark.parametrize("deed", ["refuse", "take_down", "own"])
def test_nobody_is_charged_for_what_cannot_be_received(deed: str):
    alice = member("alice")
    made = pages(1, unclaimed=1)
    give_all(alice, made)
    settle()
    page, at = made[0][0], in_month(NOVEMBER + 1)
    if deed != "own":
        claim(page, NOVEMBER + 1)
    if deed == "refuse":
        settlement.refuse(thing=page, at=at)
    elif deed == "take_down":
        things.take_down(thing=page, at=at)
    else:
        payins.top_up(member=alice, amount_micros=EUR("2.00"), reference="r", at=at)
        things.set_owner(thing=page, owner=alice, at=at)
    settle(NOVEMBER + 1)
    assert not Due.objects.exists()


def test_a_page_merged_into_a_claimed_one_is_charged_for_its_owner():
    alice = member("alice")
    made = pages(1, unclaimed=1)
    give_all(alice, made)
    settle()
    target = thing("target", bob := creator("bob"), thing_id=500)
    things.merge(thing=made[0][0], into=target, at=in_month(NOVEMBER + 1))
    settle(NOVEMBER + 1)
    pay(alice, NOVEMBER + 2)
    assert earned(bob) == EUR("4.50")


@pytest.mark.parametrize("end", [settlement.refuse, things.take_down])
def test_nobody_is_charged_for_what_was_merged_into_a_page_that_gets_no_nods(end):
    alice = member("alice")
    give_all(alice, made := pages(1, unclaimed=1))
    settle()
    target = thing("target", creator("bob"), thing_id=500)
    things.merge(thing=made[0][0], into=target, at=in_month(NOVEMBER + 1))
    end(thing=target, at=in_month(NOVEMBER + 1))
    # What is taken down may be put back.
    told = "returned" if end == settlement.refuse else "waiting"
    assert shares(alice, told) == [EUR("5.00")]
    settle(NOVEMBER + 1)
    assert not Due.objects.exists()


def test_each_owner_receives_what_fell_due_while_it_was_theirs():
    """Alice owned the page as Dora was charged for it; once it is Bob's, Alice is charged too."""
    alice, dora = member("alice"), member("dora")
    made = pages(1, unclaimed=1)
    for who in (alice, dora):
        give_all(who, made)
    settle()
    page = made[0][0]
    payins.top_up(member=alice, amount_micros=EUR("2.00"), reference="r", at=in_month(NOVEMBER + 1))
    things.set_owner(thing=page, owner=alice, at=in_month(NOVEMBER + 1))
    settle(NOVEMBER + 1)
    assert pay(dora, NOVEMBER + 2) == EUR("5.00")
    things.set_owner(thing=page, owner=None, at=in_month(NOVEMBER + 2))
    bob = claim(page, NOVEMBER + 2)
    settle(NOVEMBER + 2)
    assert pay(alice, NOVEMBER + 3) == EUR("5.00")
    assert (earned(alice), earned(bob)) == (EUR("4.50"), EUR("4.50"))
    owners = Received.objects.order_by("owner").values_list("owner", "gross_micros")
    assert list(owners) == [(alice.id, EUR("5.00")), (bob.id, EUR("5.00"))]


def test_a_month_prepaid_before_the_change_stays_as_it_was(settings):
    settings.MODE = "prepaid"
    alice = member("alice", funds="5.00")
    made = pages(2, unclaimed=1)
    give_all(alice, made)
    settle()
    settings.MODE = "arrears"
    give_all(alice, made, NOVEMBER + 1)
    settle(NOVEMBER + 1)
    assert shares(alice, "paid", "waiting") == [EUR("2.50")] * 2
    assert pay(alice, NOVEMBER + 2) == EUR("2.50")
    bob = claim(made[-1][0], NOVEMBER + 2)
    assert settlement.release(thing=made[-1][0], at=in_month(NOVEMBER + 2)) == EUR("2.25")
    settle(NOVEMBER + 2)
    pay(alice, NOVEMBER + 3)
    assert earned(bob) == EUR("4.50")


def test_the_open_month_is_planned_whatever_is_there():
    alice = member("alice")
    give_all(alice, pages(2, unclaimed=1))
    seen = settlement.preview(member=alice, at=in_month(NOVEMBER, 20))
    assert (seen.spend_micros, seen.reserved_micros) == (EUR("5.00"), 0)
    assert [share.state for share in seen.shares] == ["planned", "waiting"]
