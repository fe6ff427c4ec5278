"""What the clock makes due, and that it is done by way of the queue."""

import logging
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django_tasks_db.models import DBTaskResult

from mickle.instance import instance
from mickle.instance.models import Instance, Month
from mickle.jobs.models import Job
from mickle.ledger import ledger
from mickle.lib import files, months
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.ops import deeds
from mickle.ops.main import main
from mickle.ops.working import Worker
from mickle.payins import payins
from mickle.payouts.models import Payout
from mickle.settlement import settlement
from mickle.web.views import jobs
from tests import people, working
from tests.people import EUR, MID_NOVEMBER, NOVEMBER
from tests.working import work

IBAN = "DE89370400440532013000"


@pytest.fixture
def november(db, monkeypatch):
    """November with a nod, and a clock that the test moves."""
    people.instance_at()
    alice = people.member("alice", funds="5.00")
    nods.give(member=alice, thing=people.thing("essay"), at=MID_NOVEMBER)
    at = [MID_NOVEMBER]
    working.prepare(monkeypatch)
    monkeypatch.setattr(instance, "now", lambda: at[0])

    def moved(after_end: timedelta) -> None:
        at[0] = months.end(NOVEMBER) + after_end

    return moved


def state() -> tuple[int, bool]:
    closed = Instance.objects.get().closed_through
    return closed - NOVEMBER, Month.objects.filter(settled_at__isnull=False).exists()


def test_a_month_closes_with_its_end_and_settles_after_the_grace(november):
    work()
    assert state() == (-1, False)
    november(timedelta(0))
    work()
    assert state() == (0, False)
    november(timedelta(hours=71, minutes=59))
    work()
    assert state() == (0, False)
    november(timedelta(hours=72))
    work()
    assert state() == (0, True)
    assert ledger.total(ledger.Kind.WAITING) == EUR("5.00")
    assert all(check.ok for check in ledger.audit())


def test_months_settle_in_order(november):
    november(timedelta(days=36))
    work()
    november(timedelta(days=39))
    work()
    settled = Month.objects.filter(settled_at__isnull=False).values_list("month", flat=True)
    assert list(settled.order_by("month")) == [NOVEMBER, NOVEMBER + 1]


def test_after_a_standstill_the_grace_runs_from_the_close(november):
    november(timedelta(days=9))
    work()
    assert state() == (0, False)
    november(timedelta(days=11, hours=23))
    work()
    assert state() == (0, False)
    november(timedelta(days=12))
    work()
    assert state() == (0, True)


def test_what_no_longer_has_to_wait_is_released(november):
    bob = people.member("bob")
    page = people.thing("bobs", bob)
    nods.give(member=Member.objects.get(username="alice"), thing=page, at=MID_NOVEMBER)
    november(timedelta(0))
    work()
    november(timedelta(hours=72))
    work()
    assert ledger.balance(ledger.revenue(bob.id)) == 0
    members.note_top_up(member=bob, amount_micros=EUR("2.00"), month=NOVEMBER)
    work()
    assert ledger.balance(ledger.revenue(bob.id)) == EUR("2.25")
    assert all(check.ok for check in ledger.audit())


def test_charities_are_set_on_their_way_once_a_month(november):
    library = members.list_charity(slug="library", name="Library", iban=IBAN)
    people.member("idle", funds="7.00")
    november(timedelta(0))
    work()
    november(timedelta(hours=72))
    for _minute in range(3):
        work()
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
    work()
    assert not Payout.objects.exists()
    november(timedelta(days=15))
    work()
    work()
    [one] = Payout.objects.all()
    assert (one.kind, one.iban, one.amount_micros) == ("RETURN", IBAN, EUR("7.00"))
    assert ledger.total(ledger.Kind.UNASSIGNED) == EUR("7.00")


def test_what_fails_is_logged_in_a_line_and_the_rest_is_done(november, monkeypatch, caplog):
    done = []

    def broken(at):
        raise OperationalError("disk of olga@example.org\nfull")

    def refused(at):
        raise Refused("Somebody else settles.")

    for name, deed in {
        "close-months": broken,
        "seal-books": refused,
        "release": done.append,
    }.items():
        plan(monkeypatch, name, deed)
    with caplog.at_level(logging.INFO, logger="mickle"):
        work()
    assert len(done) == 1
    lines = [record for record in caplog.records if record.name == "mickle.jobs.jobs"]
    assert [record.levelname for record in lines] == ["ERROR", "INFO"]
    assert "close-months failed: OperationalError: disk of …" in caplog.text
    assert "seal-books: Somebody else settles." in caplog.text
    assert "Traceback" not in caplog.text
    assert "olga@" not in caplog.text
    assert "olga@" not in "".join(DBTaskResult.objects.values_list("traceback", flat=True))


def plan(monkeypatch, name, deed):
    """Let a deed be something else, and be due."""
    known = {one.name: one for one in deeds.DEEDS}
    known[name] = replace(known[name], due=lambda _at: True, do=deed)
    monkeypatch.setattr(deeds, "DEEDS", tuple(known.values()))
    monkeypatch.setattr(deeds, "_BY_NAME", known)


@pytest.mark.parametrize(
    "wrong",
    [
        *(settlement.EnginesDiffer, settlement.NoArchive, settlement.NoEngine, settlement.NoSpark),
        files.NoStore,
    ],
)
def test_what_a_settlement_or_an_archive_shows_to_be_wrong_has_failed(
    november, monkeypatch, caplog, wrong
):
    def settle(at):
        raise wrong("One and the other differ: compare them.")

    plan(monkeypatch, "settle-months", settle)
    work()
    assert Job.objects.get(name="settle-months").failures == 1
    assert "settle-months failed: One and the other differ: compare them." in caplog.text


def test_a_question_that_fails_keeps_no_deed_from_being_done(november, monkeypatch, caplog):
    def broken(at):
        raise OperationalError("gone")

    known = {one.name: one for one in deeds.DEEDS}
    known["release"] = replace(known["release"], due=broken)
    monkeypatch.setattr(deeds, "DEEDS", tuple(known.values()))
    november(timedelta(0))
    work()
    assert state() == (0, False)
    assert "release: OperationalError: gone" in caplog.text


def test_what_failed_and_is_done_by_somebody_else_is_in_order_again(november, monkeypatch):
    def broken(at):
        raise OperationalError("away")

    plan(monkeypatch, "settle-months", broken)
    work()
    assert Job.objects.get(name="settle-months").failures == 1
    known = {one.name: one for one in deeds.DEEDS}
    known["settle-months"] = replace(known["settle-months"], due=lambda _at: False)
    monkeypatch.setattr(deeds, "DEEDS", tuple(known.values()))
    work()
    row = Job.objects.get(name="settle-months")
    assert (row.failures, row.why, row.try_at) == (0, "", None)


@pytest.mark.parametrize("fails", ["do", "due"])
def test_a_timer_hears_of_what_failed(november, monkeypatch, capsys, fails):
    """Whoever runs a worker once a minute looks at its exit code, and at no page."""
    november(timedelta(days=4))
    kept = deeds.DEEDS

    def broken(_at):
        raise RuntimeError("no disk")

    known = {one.name: one for one in kept}
    known["close-months"] = replace(known["close-months"], **{fails: broken})
    monkeypatch.setattr(deeds, "DEEDS", tuple(known.values()))
    monkeypatch.setattr(deeds, "_BY_NAME", known)
    assert main(["worker", "--once"]) == 1
    assert "Not everything that is due could be done: close-months." in capsys.readouterr().err

    monkeypatch.setattr(deeds, "DEEDS", kept)
    monkeypatch.setattr(deeds, "_BY_NAME", {one.name: one for one in kept})
    november(timedelta(days=5))
    assert main(["worker", "--once"]) == 0
    assert capsys.readouterr().err == ""


def test_where_nothing_is_due_nothing_is_written(november):
    work()
    work()
    written = []

    def watch(execute, sql, params, many, context):
        if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE", "SAVEPOINT", "BEGIN")):
            written.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        assert not Worker().look()
    assert written == []


def test_three_months_that_were_missed_close_and_settle_in_order(november):
    months_closed = []
    november(timedelta(days=70))
    work()
    assert state() == (2, False)
    november(timedelta(days=73))
    work()
    rows = Month.objects.order_by("settled_at", "month")
    months_closed = list(rows.values_list("month", flat=True))
    assert months_closed == [NOVEMBER, NOVEMBER + 1, NOVEMBER + 2]
    assert all(row.settled_at for row in rows)


def test_a_worker_works_at_once_and_stops_when_told(monkeypatch):
    looked = threading.Event()
    monkeypatch.setattr(Worker, "look", lambda _worker: looked.set())
    worker = Worker()
    worker.start()
    assert looked.wait(5)
    worker.stop()
    assert not worker.is_alive()


def test_every_deed_has_a_name_on_the_operators_page():
    assert list(jobs.NAMES) == [deed.name for deed in deeds.DEEDS]
    priorities = [deed.priority for deed in deeds.DEEDS]
    assert priorities == sorted(set(priorities), reverse=True)
