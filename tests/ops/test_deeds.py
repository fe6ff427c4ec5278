"""What the clock makes due while pages are served."""

import logging
import threading
from datetime import timedelta

import pytest
from django.db import OperationalError

from mickle.instance.models import Instance, Month
from mickle.ledger import ledger
from mickle.lib import months
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.ops import ticking
from mickle.payins import payins
from mickle.payouts.models import Payout
from tests import people
from tests.people import EUR, MID_NOVEMBER, NOVEMBER

IBAN = "DE89370400440532013000"


@pytest.fixture
def november(db, monkeypatch):
    """November with a nod, and a clock that the test moves."""
    people.instance_at()
    alice = people.member("alice", funds="5.00")
    nods.give(member=alice, thing=people.thing("essay"), at=MID_NOVEMBER)
    at = [MID_NOVEMBER]
    monkeypatch.setattr(ticking.instance, "now", lambda: at[0])

    def moved(after_end: timedelta) -> None:
        at[0] = months.end(NOVEMBER) + after_end

    return moved


def state() -> tuple[int, bool]:
    closed = Instance.objects.get().closed_through
    return closed - NOVEMBER, Month.objects.filter(settled_at__isnull=False).exists()


def test_a_month_closes_with_its_end_and_settles_after_the_grace(november):
    ticking.tick()
    assert state() == (-1, False)
    november(timedelta(0))
    ticking.tick()
    assert state() == (0, False)
    november(timedelta(hours=71, minutes=59))
    ticking.tick()
    assert state() == (0, False)
    november(timedelta(hours=72))
    ticking.tick()
    assert state() == (0, True)
    assert ledger.total(ledger.Kind.WAITING) == EUR("5.00")
    assert all(check.ok for check in ledger.audit())


def test_months_settle_in_order(november):
    november(timedelta(days=36))
    ticking.tick()
    november(timedelta(days=39))
    ticking.tick()
    settled = Month.objects.filter(settled_at__isnull=False).values_list("month", flat=True)
    assert list(settled.order_by("month")) == [NOVEMBER, NOVEMBER + 1]


def test_after_a_standstill_the_grace_runs_from_the_close(november):
    november(timedelta(days=9))
    ticking.tick()
    assert state() == (0, False)
    november(timedelta(days=11, hours=23))
    ticking.tick()
    assert state() == (0, False)
    november(timedelta(days=12))
    ticking.tick()
    assert state() == (0, True)


def test_what_no_longer_has_to_wait_is_released(november):
    bob = people.member("bob")
    page = people.thing("bobs", bob)
    nods.give(member=Member.objects.get(username="alice"), thing=page, at=MID_NOVEMBER)
    november(timedelta(0))
    ticking.tick()
    november(timedelta(hours=72))
    ticking.tick()
    assert ledger.balance(ledger.revenue(bob.id)) == 0
    members.note_top_up(member=bob, amount_micros=EUR("2.00"), month=NOVEMBER)
    ticking.tick()
    assert ledger.balance(ledger.revenue(bob.id)) == EUR("2.25")
    assert all(check.ok for check in ledger.audit())


def test_charities_are_set_on_their_way_once_a_month(november):
    library = members.list_charity(slug="library", name="Library", iban=IBAN)
    people.member("idle", funds="7.00")
    november(timedelta(0))
    ticking.tick()
    november(timedelta(hours=72))
    for _minute in range(3):
        ticking.tick()
    [one] = Payout.objects.filter(charity=library)
    assert one.amount_micros == EUR("5.00")


def test_money_of_nobody_known_goes_back_after_thirty_days_once(november):
    for key, account in (("bank 1", IBAN), ("bank 2", "")):
        payins.book(
            amount_micros=EUR("7.00"),
            key=key,
            payer_name="Somebody",
            payer_account=account,
            at=MID_NOVEMBER,
        )
    ticking.tick()
    assert not Payout.objects.exists()
    november(timedelta(days=15))
    ticking.tick()
    ticking.tick()
    [one] = Payout.objects.all()
    assert (one.kind, one.iban, one.amount_micros) == ("RETURN", IBAN, EUR("7.00"))
    assert ledger.total(ledger.Kind.UNASSIGNED) == EUR("7.00")


def test_what_fails_is_logged_in_a_line_and_the_rest_is_done(november, monkeypatch, caplog):
    done = []

    def broken(at):
        raise OperationalError("disk\nfull")

    def refused(at):
        raise Refused("Somebody else settles.")

    monkeypatch.setattr(ticking, "DUE", (broken, refused, done.append))
    with caplog.at_level(logging.INFO, logger="mickle"):
        ticking.tick()
    assert len(done) == 1
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
    assert "broken failed: OperationalError: disk" in caplog.text
    assert "refused: Somebody else settles." in caplog.text
    assert "Traceback" not in caplog.text


def test_the_ticker_ticks_at_once_and_stops_when_told(monkeypatch):
    ticked = threading.Event()
    monkeypatch.setattr(ticking, "tick", ticked.set)
    ticker = ticking.Ticker()
    ticker.start()
    assert ticked.wait(5)
    ticker.stop()
    assert not ticker.is_alive()
