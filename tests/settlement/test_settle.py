import pytest

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.ledger.ledger import Check
from mickle.nods import nods
from mickle.settlement import settlement
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


def all_hold(checks: list[Check]) -> None:
    assert [check for check in checks if not check.ok] == []


def test_five_euros_over_ten_nods_give_ten_creators_forty_five_cents():
    instance_at()
    alice = member("alice", funds="5.00")
    makers = [creator(f"maker{i}") for i in range(10)]
    for i, maker in enumerate(makers):
        nods.give(member=alice, thing=thing(f"page{i}", maker), at=MID_NOVEMBER)
    done = settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert (done.members, done.nods, done.lines) == (1, 10, 10)
    assert [ledger.balance(ledger.revenue(m.id)) for m in makers] == [EUR("0.45")] * 10
    assert ledger.balance(ledger.FEE) == EUR("0.50")
    assert ledger.balance(ledger.pool(NOVEMBER)) == 0
    assert ledger.balance(ledger.funds(alice.id)) == 0
    all_hold([*ledger.audit(), *settlement.audit()])
    with pytest.raises(settlement.AlreadySettled):
        settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert instance.state(NOVEMBER) == "settled"
