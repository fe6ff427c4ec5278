"""A budget close to the most there can be: every share exact, in whole micros."""

import pytest

from mickle.ledger import ledger
from mickle.lib.money import LIMIT_MICROS
from mickle.members.models import Budget
from mickle.nods.models import Nod
from mickle.settlement import arrears, settlement
from mickle.settlement.models import Due, Spend
from mickle.things import things
from tests.people import NOVEMBER, creator, instance_at, member
from tests.settlement.test_cases import earned, give_all, in_month, pages
from tests.settlement.test_settle import all_hold

pytestmark = pytest.mark.django_db
BUDGET, CENT, PAGES, HEAVIEST = 987_654_321_230_000, 10_000, 300, 100
DECEMBER = NOVEMBER + 1


@pytest.fixture(autouse=True)
def _rich(settings) -> None:
    settings.BUDGET_MAX_MICROS = settings.FUNDS_MAX_MICROS = LIMIT_MICROS - CENT
    instance_at("2026-11")


def top_up(who, micros: int) -> None:
    ledger.post(
        key="in", debit=ledger.PROVIDER, credit=ledger.funds(who.id), amount_micros=micros,
        reason="TOP_UP", at=in_month(NOVEMBER),
    )  # fmt: skip


def given() -> tuple:
    """Alice with the largest budget and the heaviest nods, the last at nobody's page."""
    alice = member("alice")
    Budget.objects.create(member=alice, month=NOVEMBER, amount_micros=BUDGET)
    made = pages(PAGES, unclaimed=1)
    give_all(alice, made)
    Nod.objects.update(weight=HEAVIEST)
    return alice, made


def settle(month: int = NOVEMBER) -> None:
    settlement.settle(month=month, at=in_month(month + 1, 4))
    all_hold([*ledger.audit(), *settlement.audit()])


def test_top_ups_first_each_share_is_exact():
    alice, made = given()
    top_up(alice, BUDGET)
    settle()
    assert Spend.objects.get().amount_micros == BUDGET
    shares = [
        share.amount_micros for share in settlement.statement(member=alice, month=NOVEMBER).shares
    ]
    slice_, more = divmod(BUDGET, PAGES)
    assert shares == [slice_ + 1] * more + [slice_] * (PAGES - more)
    first = shares[0]
    assert earned(made[0][1]) == first - first // 10
    assert ledger.balance(ledger.waiting(alice.id)) == slice_


def test_in_arrears_the_parts_of_a_budget_are_exact(settings):
    settings.MODE = "arrears"
    alice, made = given()
    settle()
    spend = BUDGET * (PAGES - 1) // PAGES // CENT * CENT
    assert Spend.objects.get().amount_micros == spend
    things.set_owner(thing=made[-1][0], owner=creator("bob"), at=in_month(DECEMBER))
    settle(DECEMBER)
    late = BUDGET // PAGES // CENT * CENT
    assert sorted(Due.objects.values_list("amount_micros", flat=True)) == [late, spend]
    top_up(alice, spend + late)
    assert arrears.collect(at=in_month(DECEMBER + 1, 6)) == 2
    all_hold([*ledger.audit(), *settlement.audit()])
    assert ledger.balance(ledger.funds(alice.id)) == 0
