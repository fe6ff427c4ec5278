"""An account asked to close again while it is being finished: nobody waits in a ring."""

import threading

import pytest
from django.db import connection

from mickle.closing import closing
from mickle.nods import nods
from mickle.payouts import payouts
from mickle.settlement import settlement
from tests.concurrency.together import together
from tests.people import (
    EARLY_DECEMBER,
    MID_NOVEMBER,
    NOVEMBER,
    creator,
    instance_at,
    member,
    thing,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_asking_again_while_the_job_finishes_ends_both(monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    instance_at()
    alice = member("alice", funds="20.00")
    said = {"member": alice, "open_nods": "settle", "iban": "DE89370400440532013000"}
    nods.give(member=alice, thing=thing("page", creator("bob")), at=MID_NOVEMBER)
    closing.close(**said, holder_name="Alice", at=MID_NOVEMBER)
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    asked, real = threading.Event(), settlement.take_back_all_waiting

    def slow(**given: object) -> int:
        asked.set()
        # Long enough for the other to come to its first lock.
        threading.Event().wait(0.5)
        return real(**given)

    def client(number: int) -> object:
        if number == 0:
            return closing.finish_due(at=EARLY_DECEMBER)
        asked.wait(5)
        return closing.close(**said, holder_name="Alice", at=EARLY_DECEMBER).done_at

    monkeypatch.setattr(settlement, "take_back_all_waiting", slow)
    assert together(2, client) == [1, EARLY_DECEMBER]
    assert payouts.live(alice).count() == 1
