"""Arrears: whoever pays funds back, or leaves, sees every charge, or is not asked for it."""

import threading

import pytest
from django.db import connection, transaction
from django.test import override_settings

from mickle.closing import closing
from mickle.ledger import ledger
from mickle.lib.chunks import untold
from mickle.members.models import Member
from mickle.nods import nods
from mickle.payouts import payouts
from mickle.settlement import _dues, arrears, settlement
from mickle.settlement.models import Due
from mickle.teams import teams
from mickle.things import things
from mickle.things.models import Thing
from tests.concurrency.test_showing import waits_or_is_done
from tests.concurrency.together import together
from tests.people import EARLY_DECEMBER, MID_NOVEMBER, NOVEMBER, creator, instance_at, member
from tests.people import thing as page_at
from tests.settlement.test_cases import in_month

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
DECEMBER, EARLY_JANUARY = NOVEMBER + 1, in_month(NOVEMBER + 2, 4)
ACCOUNT = {"iban": "DE02120300000000202051", "holder_name": "Alice"}


@pytest.fixture(autouse=True)
def _arrears():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    instance_at("2026-11")
    with override_settings(MODE="arrears"):
        yield


class Stopped(Exception):
    """The settlement got so far."""


def settle_up_to(stage: str, monkeypatch) -> None:
    """Settle December until a stage of `_dues` would begin."""

    def stop(**_facts: object) -> None:
        raise Stopped

    with monkeypatch.context() as patched:
        patched.setattr(_dues, stage, stop)
        with pytest.raises(Stopped):
            settlement.settle(month=DECEMBER, at=EARLY_JANUARY)


def beside(first, second) -> object:
    """What the second comes to, begun in another client before the first is committed."""
    said: list[object] = []
    other = threading.Thread(target=lambda: said.extend(together(1, lambda _client: second())))
    with transaction.atomic():
        first()
        other.start()
        waits_or_is_done(other)
    other.join()
    return said[0]


def put_off(who: Member) -> Thing:
    """A page that was nodded at in November, and claimed in December."""
    page = page_at("page")
    nods.give(member=who, thing=page, at=MID_NOVEMBER)
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    things.set_owner(thing=page, owner=creator("bob"), at=EARLY_DECEMBER)
    return page


def test_a_refund_waits_for_who_asks_and_leaves_what_was_asked_for(monkeypatch):
    alice = member("alice", funds="10.00")
    nods.give(member=alice, thing=put_off(alice), at=EARLY_DECEMBER)
    # Until it is settled December reserves a budget, and November is charged with it.
    settle_up_to("ask", monkeypatch)
    said = beside(
        lambda: _dues.ask(month=DECEMBER, at=EARLY_JANUARY, report=untold),
        lambda: payouts.refund(
            member=alice, **ACCOUNT, at=EARLY_JANUARY, key="one", kept=arrears.kept
        ),
    )
    assert isinstance(said, payouts.NotRefundable)
    settlement.settle(month=DECEMBER, at=EARLY_JANUARY)
    assert (arrears.collect(at=EARLY_JANUARY), ledger.balance(ledger.funds(alice.id))) == (1, 0)


def test_who_leaves_as_shares_fall_due_is_asked_for_nothing(monkeypatch):
    alice = member("alice")
    put_off(alice)
    settle_up_to("freeze", monkeypatch)

    def fall_due() -> None:
        teams.stage(month=DECEMBER)
        _dues.freeze(month=DECEMBER, report=untold)

    said = beside(
        lambda: closing.close(member=alice, at=EARLY_JANUARY, open_nods="settle"), fall_due
    )
    assert said is None
    assert Member.objects.get(id=alice.id).closed_at is not None
    assert not Due.objects.exists()
