"""What two do at once around a release, a refund and a closing: no ring, and no money left."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.conf import LazySettings
from django.db import connection

from mickle.closing import closing
from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.settlement import _run, _underway, _waiting, settlement
from mickle.things import things
from tests.concurrency.together import together
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

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

IBAN = "DE89370400440532013000"
# Long enough for the other to come to its first lock.
MOMENT_S = 0.7
GRACE = timedelta(days=4)


@pytest.fixture(autouse=True)
def _november(settings: LazySettings) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    settings.BANK_IBAN, settings.BANK_NAME = IBAN, "Mickle Test"
    instance_at("2026-11")


def at_once(*deeds: Callable[[], object]) -> None:
    answers = together(len(deeds), lambda number: deeds[number]())
    assert [answer for answer in answers if isinstance(answer, BaseException)] == []


def leave(who: Member) -> None:
    closing.close(
        member=who, at=EARLY_DECEMBER, open_nods="settle", iban=IBAN, holder_name="Somebody"
    )


def test_a_failed_refund_beside_a_top_up_of_the_same_member(monkeypatch):
    alice = member("alice", funds="30.00")
    to = {"iban": IBAN, "holder_name": "Alice", "amount_micros": EUR("10.00")}
    out = payouts.refund(member=alice, at=MID_NOVEMBER, key="k", **to)
    payouts.make_file(at=MID_NOVEMBER)
    posted, real = threading.Event(), members.note_top_up

    def slow(**said: object) -> bool:
        if not posted.is_set():
            posted.set()
            threading.Event().wait(MOMENT_S)
        return real(**said)

    monkeypatch.setattr(members, "note_top_up", slow)

    def top_up() -> None:
        posted.wait(10)
        payins.top_up(member=alice, amount_micros=EUR("5.00"), reference="bank 1", at=MID_NOVEMBER)

    at_once(lambda: payouts.mark_failed(payout=out, at=MID_NOVEMBER, why="no"), top_up)
    assert ledger.balance(ledger.funds(alice.id)) == EUR("35.00")


def test_who_leaves_beside_a_release_leaves_with_all_of_it(monkeypatch):
    alice, bob, page = member("alice", funds="30.00"), creator("bob"), thing("page")
    nods.give(member=alice, thing=page, at=MID_NOVEMBER)
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    things.set_owner(thing=page, owner=bob, at=EARLY_DECEMBER)
    seen, real = threading.Event(), _waiting._release_line

    def slow(*said: object) -> int:
        seen.set()
        threading.Event().wait(MOMENT_S)
        return real(*said)

    monkeypatch.setattr(_waiting, "_release_line", slow)

    def leaves() -> None:
        seen.wait(10)
        leave(bob)

    at_once(lambda: settlement.release(thing=page, at=EARLY_DECEMBER), leaves)
    closing.finish_due(at=EARLY_DECEMBER)
    bob.refresh_from_db()
    assert bob.closed_at is not None
    assert ledger.balance(ledger.revenue(bob.id)) == 0
    assert payouts.live(bob).get().amount_micros == EUR("4.50")


def test_who_left_as_a_release_began_gets_nothing_of_it(monkeypatch):
    alice, bob, page = member("alice", funds="30.00"), creator("bob"), thing("page")
    nods.give(member=alice, thing=page, at=MID_NOVEMBER)
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    things.set_owner(thing=page, owner=bob, at=EARLY_DECEMBER)
    seen, gone, real = threading.Event(), threading.Event(), _waiting._hold_receivers

    def slow(*said: object) -> set[int]:
        seen.set()
        gone.wait(10)
        return real(*said)

    monkeypatch.setattr(_waiting, "_hold_receivers", slow)

    def leaves() -> None:
        seen.wait(10)
        leave(bob)
        gone.set()

    at_once(lambda: settlement.release(thing=page, at=EARLY_DECEMBER), leaves)
    bob.refresh_from_db()
    assert bob.closed_at is not None
    assert (ledger.total("WAITING"), ledger.total("REVENUE")) == (EUR("5.00"), 0)


def test_who_moves_earnings_while_leaving_leaves_with_all_of_it(monkeypatch):
    bob = creator("bob")
    ledger.post(
        key="earned", debit=ledger.PROVIDER, credit=ledger.revenue(bob.id),
        amount_micros=EUR("20.00"), reason="SHARE", at=MID_NOVEMBER,
    )  # fmt: skip
    real, refunded, moved = payouts.refund_rest, threading.Event(), threading.Event()

    def slow(**said: object) -> object:
        done = real(**said)
        refunded.set()
        moved.wait(10)
        return done

    monkeypatch.setattr(payouts, "refund_rest", slow)

    def move() -> None:
        refunded.wait(10)
        payins.to_funds(member=bob, at=EARLY_DECEMBER)
        moved.set()

    at_once(lambda: leave(bob), move)
    assert closing.finish_due(at=EARLY_DECEMBER) == 1
    assert ledger.balance(ledger.funds(bob.id)) == 0


def test_two_pages_of_the_same_givers_are_released_at_once(monkeypatch):
    givers = [member(name, funds="30.00") for name in ("alice", "dora")]
    pages = [thing("x"), thing("y")]
    # Each month the other one gives first.
    for month in (NOVEMBER, NOVEMBER + 1):
        for giver, page in zip(givers, pages, strict=True):
            nods.give(member=giver, thing=page, at=months.start(month))
        settlement.settle(month=month, at=months.start(month + 1) + GRACE)
        pages.reverse()
    at = months.start(NOVEMBER + 2) + GRACE
    for number, page in enumerate(pages):
        things.set_owner(thing=page, owner=creator(f"owner{number}"), at=at)
    real = _waiting._release_line

    def slow(*said: object) -> int:
        threading.Event().wait(MOMENT_S / 2)
        return real(*said)

    monkeypatch.setattr(_waiting, "_release_line", slow)
    at_once(*(partial(settlement.release, thing=page, at=at) for page in pages))
    assert ledger.total("WAITING") == 0
    assert ledger.total("REVENUE") == EUR("18.00")


def test_a_refusal_beside_a_freeze(monkeypatch):
    first, second = member("first", funds="40.00"), member("second", funds="40.00")
    page, own = thing("page"), thing("own", creator("bob"))
    for month, giver in ((NOVEMBER, second), (NOVEMBER + 1, first)):
        nods.give(member=giver, thing=page, at=months.start(month))
        settlement.settle(month=month, at=months.start(month + 1) + GRACE)
    for giver in (first, second):
        nods.give(member=giver, thing=own, at=months.start(NOVEMBER + 2))
    at = months.start(NOVEMBER + 3) + GRACE
    settlement.close_due(at=at)
    # What waited longer is returned first, and the freeze holds first who has the lower number.
    frozen, posted = threading.Event(), threading.Event()
    post, hold = _underway.post, ledger.hold

    def slow(*said: object) -> None:
        post(*said)
        if not posted.is_set():
            posted.set()
            threading.Event().wait(MOMENT_S)

    def hold_after(*said: object) -> None:
        frozen.set()
        posted.wait(10)
        hold(*said)

    monkeypatch.setattr(_underway, "post", slow)
    monkeypatch.setattr(ledger, "hold", hold_after)

    def refuse() -> None:
        frozen.wait(10)
        settlement.refuse(thing=page, at=at)

    at_once(refuse, partial(settlement.settle, month=NOVEMBER + 2, at=at))
    assert ledger.total("WAITING") == 0


def test_a_refund_beside_a_rehearsal_that_closes_the_month(monkeypatch):
    alice = member("alice", funds="30.00")
    nods.give(member=alice, thing=thing("page", creator("bob")), at=MID_NOVEMBER)
    closed, held = threading.Event(), threading.Event()
    begin, hold = _run.begin, instance.hold_owners

    def begin_after(**said: object) -> object:
        closed.set()
        held.wait(MOMENT_S)
        threading.Event().wait(MOMENT_S / 2)
        return begin(**said)

    def hold_and_tell() -> None:
        hold()
        held.set()

    monkeypatch.setattr(_run, "begin", begin_after)
    monkeypatch.setattr(instance, "hold_owners", hold_and_tell)

    def refund() -> None:
        closed.wait(10)
        to = {"iban": IBAN, "holder_name": "Alice", "amount_micros": EUR("1.00")}
        payouts.refund(member=alice, at=EARLY_DECEMBER, key="k", **to)

    at_once(partial(settlement.rehearse, month=NOVEMBER, at=EARLY_DECEMBER), refund)
    assert ledger.balance(ledger.funds(alice.id)) == EUR("29.00")
