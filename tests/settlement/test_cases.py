"""The cases of split.json that the database decides; the arithmetic ones are in tests/lib."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.settlement import settlement
from mickle.settlement.models import Line
from mickle.things import things
from mickle.things.models import Thing
from tests.people import EUR, NOVEMBER, creator, instance_at, member, thing, top_up
from tests.settlement.test_settle import all_hold

pytestmark = pytest.mark.django_db

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "split.json").read_text())[
    "cases"
]


def named(*words: str) -> dict[str, Any]:
    """The one case whose name begins so."""
    found = [case for case in CASES if case["name"].startswith(words)]
    assert len(found) == 1, (words, len(found))
    return found[0]


def in_month(month: int, day: int = 15):
    return months.start(month) + timedelta(days=day - 1, hours=12)


def settle(month: int = NOVEMBER) -> None:
    settlement.settle(month=month, at=in_month(month + 1, 4))
    all_hold([*ledger.audit(), *settlement.audit()])


def funds(who: Member) -> int:
    return ledger.balance(ledger.funds(who.id))


def waiting(who: Member) -> int:
    return ledger.balance(ledger.waiting(who.id))


def earned(who: Member) -> int:
    return ledger.balance(ledger.revenue(who.id))


def pages(count: int, *, unclaimed: int = 0, start: int = 100) -> list[tuple[Thing, Member | None]]:
    """Things with an owner each, in order of id; the last `unclaimed` have none."""
    made = []
    for i in range(count):
        owner = creator(f"maker{start + i}") if i < count - unclaimed else None
        made.append((thing(f"page{start + i}", owner, thing_id=start + i), owner))
    return made


def give_all(who: Member, made: list[tuple[Thing, Member | None]], month: int = NOVEMBER) -> None:
    for page, _owner in made:
        nods.give(member=who, thing=page, at=in_month(month))


def gross(who: Member, month: int = NOVEMBER) -> list[int]:
    return [s.amount_micros for s in settlement.statement(member=who, month=month).shares]


@pytest.fixture(autouse=True)
def _november() -> None:
    instance_at("2026-11")


PLAIN = [case for case in CASES if "each_gross_micros" in case and "rule" not in case]


@pytest.mark.parametrize("case", PLAIN, ids=[case["name"] for case in PLAIN])
def test_plain_split(case):
    alice = member("alice", funds=case["funds"], budget=case["budget"])
    made = pages(case["nods"], unclaimed=case.get("unclaimed", 0))
    give_all(alice, made)
    settle()
    wanted = case["each_gross_micros"]
    assert gross(alice) == wanted
    received = [earned(owner) for _page, owner in made if owner]
    if "each_received_micros" in case:
        assert received == case["each_received_micros"]
    if "owners_received_micros" in case:
        assert received == case["owners_received_micros"]
    assert waiting(alice) == case.get("waiting_micros", 0)
    assert funds(alice) == case.get("left_in_funds_micros", EUR(case["funds"]) - sum(wanted))
    if "fee_micros" in case:
        assert ledger.balance(ledger.FEE) == case["fee_micros"]
    if "after_claim_of_one" in case:
        _claim_one_and_let_the_other_expire(case, alice, made)


def _claim_one_and_let_the_other_expire(case, alice, made):
    then = case["after_claim_of_one"]
    fee_before = ledger.balance(ledger.FEE)
    bob = creator("bob")
    things.set_owner(thing=made[-2][0], owner=bob, at=in_month(NOVEMBER + 2))
    settlement.release(thing=made[-2][0], at=in_month(NOVEMBER + 2))
    assert earned(bob) == then["owner_received_micros"]
    assert ledger.balance(ledger.FEE) - fee_before == then["fee_micros"]
    assert waiting(alice) == then["waiting_micros"]
    before = funds(alice)
    members.set_budget(member=alice, at=in_month(NOVEMBER + 1), paused=True)
    for month in range(NOVEMBER + 1, NOVEMBER + 7):
        settle(month)
    back = case["after_expiry_of_the_other"]["back_to_funds_micros"]
    assert (funds(alice) - before, waiting(alice)) == (back, 0)


def charity(**values: Any):
    return members.list_charity(slug="library", name="Open Library Fund", **values)


def given(organisation) -> int:
    return ledger.balance(ledger.charity(organisation.id))


def test_no_nods_give_to_the_charity_without_a_fee():
    case, library = named("no nods: charity"), charity()
    alice = member("alice", funds=case["funds"], budget=case["budget"])
    settle()
    assert given(library) == case["charity_micros"]
    assert ledger.balance(ledger.FEE) == case["fee_micros"]
    assert funds(alice) == case["left_in_funds_micros"]


def test_no_nods_keep_where_the_policy_keeps(settings):
    case, library = named("no nods, idle=keep"), charity()
    settings.IDLE_POLICY = "keep"
    alice = member("alice", funds=case["funds"], budget=case["budget"])
    settle()
    assert (given(library), funds(alice)) == (case["charity_micros"], case["left_in_funds_micros"])


def test_no_nods_keep_where_no_charity_is_listed():
    alice = member("alice", funds="7.00")
    settle()
    assert funds(alice) == EUR("7.00")


def test_a_budget_raised_after_the_close_leaves_the_closed_month_alone():
    case = named("budget raised on 1 December")
    alice = member("alice", funds=case["funds"], budget=case["budget_at_close"])
    give_all(alice, pages(case["nods"]))
    raised = EUR(case["budget_at_freeze"])
    members.set_budget(member=alice, at=in_month(NOVEMBER + 1, 1), amount_micros=raised)
    settle()
    assert gross(alice) == case["each_gross_micros"]
    assert funds(alice) == case["left_in_funds_micros"]


def test_a_budget_lowered_inside_the_month_counts_as_it_was_last():
    case = named("budget lowered inside")
    alice = member("alice", funds=case["funds"], budget=case["budget_at_start"])
    give_all(alice, pages(case["nods"]))
    members.set_budget(
        member=alice, at=in_month(NOVEMBER, 20), amount_micros=EUR(case["budget_at_close"])
    )
    settle()
    assert gross(alice) == case["each_gross_micros"]
    assert funds(alice) == case["left_in_funds_micros"]


def test_a_top_up_between_close_and_freeze_still_pays():
    case = named("top-up after the close")
    alice = member("alice", funds=case["funds_at_close"], budget=case["budget"])
    give_all(alice, pages(case["nods"]))
    settlement.close_due(at=in_month(NOVEMBER + 1, 1))
    top_up(alice, case["topup_before_freeze"], month=NOVEMBER + 1)
    settle()
    assert gross(alice) == case["each_gross_micros"]
    assert funds(alice) == case["left_in_funds_micros"]


def test_a_top_up_after_the_freeze_pays_nothing_of_that_month():
    case = named("top-up after the freeze")
    alice = member("alice", funds=case["funds_at_freeze"], budget=case["budget"])
    give_all(alice, pages(case["nods"]))
    settle()
    top_up(alice, case["topup_after_freeze"], month=NOVEMBER + 1)
    assert gross(alice) == case["each_gross_micros"]
    assert funds(alice) == case["left_in_funds_micros"]


def test_two_closed_months_are_paid_in_order():
    case = named("two closed months")
    alice = member("alice", funds=case["funds"], budget=case["budget"])
    made = pages(case["nods"])
    give_all(alice, made)
    give_all(alice, made, NOVEMBER + 1)
    settlement.close_due(at=in_month(NOVEMBER + 2, 1))
    with pytest.raises(settlement.NotSettled, match="2026-11 first"):
        settlement.settle(month=NOVEMBER + 1, at=in_month(NOVEMBER + 2, 4))
    for month in (NOVEMBER, NOVEMBER + 1):
        settlement.settle(month=month, at=in_month(NOVEMBER + 2, 4))
    assert gross(alice) == case["november_each_gross_micros"]
    assert gross(alice, NOVEMBER + 1) == case["december_each_gross_micros"]
    assert funds(alice) == case["left_in_funds_micros"]


def test_fewer_micros_than_nods_and_no_transfer_for_nought():
    case = named("fewer micros than nods")
    alice = member("alice", budget=case["budget"])
    ledger.post(
        key="seven",
        debit=ledger.PROVIDER,
        credit=ledger.funds(alice.id),
        amount_micros=7,
        reason="TOP_UP",
        at=in_month(NOVEMBER - 1),
    )
    made = pages(case["nods"])
    give_all(alice, made)
    settle()
    assert gross(alice) == case["each_gross_micros"]
    assert [earned(owner) for _page, owner in made if owner] == case["each_gross_micros"]
    assert Line.objects.count() == 7


def test_shares_follow_the_order_of_thing_ids():
    case = named("shares follow the order")
    alice = member("alice", funds=case["funds"], budget=case["budget"])
    made = {page.id: page for page, _owner in pages(3)}
    for thing_id in case["nodded_in_order"]:
        nods.give(member=alice, thing=made[thing_id], at=in_month(NOVEMBER))
    settle()
    shares = settlement.statement(member=alice, month=NOVEMBER).shares
    assert {str(s.thing.id): s.amount_micros for s in shares} == case["gross_micros_by_thing"]


def valid(who: Member) -> list[int]:
    shares = settlement.statement(member=who, month=NOVEMBER).shares
    return [share.amount_micros for share in shares if share.state != "void"]


def _own(alice: Member, page: Thing) -> None:
    things.set_owner(thing=page, owner=alice, at=in_month(NOVEMBER + 1, 2))


def _merge(_alice: Member, page: Thing) -> None:
    target = Thing.objects.get(id=page.id - 1)
    things.merge(thing=page, into=target, at=in_month(NOVEMBER + 1, 2))


def _refuse(_alice: Member, page: Thing) -> None:
    settlement.refuse(thing=page, at=in_month(NOVEMBER + 1, 2))


@pytest.mark.parametrize(
    ("words", "deed"),
    [
        ("one of three nodded things became", _own),
        ("two of three nodded things merged", _merge),
        ("refused before the freeze", _refuse),
    ],
)
def test_a_void_nod_leaves_the_split(words: str, deed: Callable[[Member, Thing], None]):
    case = named(words)
    alice = member("alice", funds=case["funds"], budget=case["budget"])
    made = pages(case["nods"], unclaimed=1)
    give_all(alice, made)
    deed(alice, made[-1][0])
    settle()
    assert valid(alice) == case["each_gross_micros"]


def test_all_nods_void_move_nothing():
    case, library = named("all nods void"), charity()
    alice = member("alice", funds=case["funds"], budget=case["budget"])
    made = pages(1, unclaimed=1)
    give_all(alice, made)
    _own(alice, made[0][0])
    settle()
    assert (given(library), funds(alice)) == (case["charity_micros"], case["left_in_funds_micros"])


@pytest.mark.parametrize("words", ["first top-up on 30 November", "a creator who funds 2.00"])
def test_the_month_of_the_first_top_up_gives_nothing_to_charity(words: str):
    case, library = named(words), charity()
    alice = member("alice", budget=case["budget"])
    top_up(alice, case["funds"], month=NOVEMBER)
    settle()
    assert (given(library), funds(alice)) == (0, case["november_left_in_funds_micros"])
    settle(NOVEMBER + 1)
    assert given(library) == case["december_charity_micros"]
    assert members.may_receive(alice)


def test_the_sixth_idle_month_and_each_further_one_give_where_the_policy_keeps(settings):
    case, library = named("idle=keep: five"), charity()
    settings.IDLE_POLICY = "keep"
    alice = member("alice", funds=case["funds"], budget=case["budget"])
    [(page, _owner)] = pages(1)
    left = []
    for month, count in enumerate(case["nods_by_month"], start=NOVEMBER):
        if count:
            nods.give(member=alice, thing=page, at=in_month(month))
        settle(month)
        left.append(funds(alice))
    assert left == case["funds_after_month_micros"]
    assert given(library) == case["charity_micros"]


def test_a_paused_member_spends_nothing_and_is_not_idle(settings):
    case, library = named("paused: nods stay"), charity()
    alice = member("alice", funds=case["funds"], budget="paused")
    give_all(alice, pages(case["nods"]))
    settle()
    assert (given(library), funds(alice)) == (case["charity_micros"], case["left_in_funds_micros"])
    assert nods.of_month(alice, NOVEMBER).count() == case["nods"]


def test_the_fee_is_taken_per_thing_and_month():
    case = named("fee is per thing and month")
    alice = member("alice", funds=case["funds"], budget=case["budget"])
    bob = creator("bob")
    made = [
        thing(f"page{i}", bob if i < 102 else creator("carl"), thing_id=i) for i in (100, 101, 102)
    ]
    give_all(alice, [(page, None) for page in made])
    settle()
    assert lines() == case["lines"]
    assert earned(bob) == case["owner_of_first_two_received_micros"]
    assert ledger.balance(ledger.FEE) == case["fee_micros"]


def lines(month: int = NOVEMBER) -> list[dict[str, int]]:
    return [
        {
            "thing": line.thing_id,
            "gross_micros": line.gross_micros,
            "fee_micros": line.fee_micros,
            "net_micros": line.net_micros,
        }
        for line in Line.objects.filter(month=month).order_by("thing_id")
    ]


def test_the_fee_is_taken_on_the_sum_of_a_things_shares():
    case = named("fee on the sum")
    made = pages(case["nods"])
    for name in ("alice", "dora"):
        give_all(member(name, funds=case["funds"], budget=case["budget"]), made)
    settle()
    assert lines() == case["lines"]
    assert ledger.balance(ledger.FEE) == case["fee_micros"]


def test_what_waits_keeps_the_rate_of_its_month(settings):
    case = named("fee 10 % in November")
    instance.announce_fee(from_month=NOVEMBER + 1, basis_points=1200, at=in_month(NOVEMBER - 2))
    alice = member("alice", funds=case["funds"], budget=case["budget"])
    made = pages(2, unclaimed=1)
    for month in (NOVEMBER, NOVEMBER + 1):
        give_all(alice, made, month)
        settle(month)
    assert lines()[0] | {"net_micros": 0} == case["november_line"] | {"thing": 100, "net_micros": 0}
    bob = creator("bob")
    things.set_owner(thing=made[1][0], owner=bob, at=in_month(NOVEMBER + 2))
    settlement.release(thing=made[1][0], at=in_month(NOVEMBER + 2))
    released = [
        {
            "month": months.text(line.month),
            "gross_micros": line.gross_micros,
            "fee_micros": line.fee_micros,
            "net_micros": line.net_micros,
        }
        for line in Line.objects.filter(state="RELEASED").order_by("month")
    ]
    assert released == case["released"]
    assert earned(bob) == case["owner_received_micros"]
    assert ledger.balance(ledger.FEE) == case["fee_micros"]
    all_hold([*ledger.audit(), *settlement.audit()])
