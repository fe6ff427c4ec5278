"""What becomes of charges: which are collected, which are asked for again, which are dropped."""

import pytest

from mickle.ledger import ledger
from mickle.settlement import arrears, settlement
from mickle.settlement.models import Charge
from tests.people import EUR, NOVEMBER, instance_at, member, top_up
from tests.settlement.test_cases import earned, give_all, in_month, pages
from tests.settlement.test_settle import all_hold

pytestmark = pytest.mark.django_db
DECEMBER = NOVEMBER + 1


@pytest.fixture(autouse=True)
def _november(settings) -> None:
    settings.MODE = "arrears"
    instance_at("2026-11")


def settle(month: int = NOVEMBER) -> None:
    settlement.settle(month=month, at=in_month(month + 1, 4))
    holds()


def holds() -> None:
    all_hold([*ledger.audit(), *settlement.audit()])


def states() -> list[tuple[int, str, int]]:
    """Who was asked, what became of it, and how often it was asked for."""
    return list(
        Charge.objects.order_by("member", "month").values_list("member_id", "state", "tries")
    )


@pytest.mark.parametrize("tries", [1, 3])
def test_what_is_late_is_collected_where_its_money_is_there(settings, tries: int):
    """The worker may ask again a moment before it collects, or collecting may have failed."""
    settings.CHARGE_TRIES = tries
    alice, dora = member("alice"), member("dora")
    made = pages(2)
    for who in (alice, dora):
        give_all(who, made)
    settle()
    top_up(alice, "5.00", month=DECEMBER)
    late = in_month(DECEMBER, 12)
    assert arrears.ask_again(at=late) == 1
    assert not arrears.has_to_ask_again(late)
    dropped_or_asked = "DROPPED" if tries == 1 else "ASKED"
    assert states() == [(alice.id, "ASKED", 1), (dora.id, dropped_or_asked, min(tries, 2))]
    assert arrears.collect(at=late) == 1
    assert [earned(owner) for _page, owner in made] == [EUR("2.25")] * 2
    holds()


def test_of_two_late_charges_the_one_whose_money_is_there_is_left_to_be_collected(settings):
    settings.CHARGE_TRIES = 1
    alice = member("alice")
    made = pages(1)
    for month in (NOVEMBER, DECEMBER):
        give_all(alice, made, month)
        settle(month)
    top_up(alice, "9.99", month=DECEMBER + 1)
    assert (arrears.can_pay(alice), arrears.kept(alice)) == (True, EUR("5.00"))
    late = in_month(DECEMBER + 1, 20)
    assert arrears.ask_again(at=late) == 1
    assert [state for _who, state, _tries in states()] == ["ASKED", "DROPPED"]
    assert arrears.collect(at=late) == 1
    assert (arrears.can_pay(alice), arrears.kept(alice)) == (False, 0)
    holds()
