"""The shares of a long line are posted member by member; what stopped goes on to the same books."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mickle.ledger import ledger
from mickle.nods import nods
from mickle.payins import payins
from mickle.settlement import _underway, settlement
from mickle.settlement.models import Line, Underway
from mickle.things import things
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
from tests.settlement.test_stages import books

pytestmark = pytest.mark.django_db
GIVERS = 7


@pytest.fixture
def essay(monkeypatch):
    """Seven gave 5.00 each to one page in November; 35.00 wait, and two at a time are posted."""
    monkeypatch.setattr(_underway, "AT_ONCE", 2)
    monkeypatch.setattr("mickle.lib.chunks.FIRST", 2)
    monkeypatch.setattr("mickle.lib.chunks.FEWEST", 2)
    monkeypatch.setattr("mickle.lib.chunks.MOST", 2)
    instance_at("2026-11")
    row = thing("essay")
    for number in range(GIVERS):
        nods.give(member=member(f"m{number}", funds="5.00"), thing=row, at=MID_NOVEMBER)
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    return row


def claimed(row, who):
    things.set_owner(thing=row, owner=who, at=EARLY_DECEMBER)
    return settlement.release(thing=row, at=EARLY_DECEMBER)


def test_one_step_decides_and_the_shares_follow(essay):
    bob = creator("bob")

    assert claimed(essay, bob) == EUR("31.50")

    assert Line.objects.get().state == "RELEASED"
    assert ledger.total("WAITING") == EUR("35.00")
    assert settlement.has_to_release()
    books()
    settlement.release_due(at=EARLY_DECEMBER)
    assert ledger.balance(ledger.revenue(bob.id)) == EUR("31.50")
    assert ledger.total("FEE") == EUR("3.50")
    assert ledger.total("WAITING") == 0
    assert not settlement.has_to_release()
    assert not Underway.objects.exists()
    books()


@pytest.mark.skipif(connection.vendor == "postgresql", reason="PostgreSQL plans by what it counted")
@pytest.mark.parametrize("at_once", [2, GIVERS])
def test_a_release_reads_the_nods_and_lines_of_its_own_page_alone(essay, monkeypatch, at_once):
    monkeypatch.setattr(_underway, "AT_ONCE", at_once)
    bob = creator("bob")
    with CaptureQueriesContext(connection) as said:
        claimed(essay, bob)
        settlement.release_due(at=EARLY_DECEMBER)
    steps = [step for one in said.captured_queries for step in planned(one["sql"])]
    read = [step for step in steps if " nods_nod " in step or " settlement_line " in step]
    assert len(read) >= 5
    assert [step for step in read if "thing_id=?" not in step] == []


def planned(sql: str) -> list[str]:
    """How SQLite finds the rows of a statement that was run."""
    if not sql.lstrip().startswith(("SELECT", "INSERT", "UPDATE")):
        return []
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%", "%%"), [])
        return [step for *_place, step in cursor.fetchall()]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite does not count what it reads")
def test_a_range_reads_no_split_but_its_own(essay):
    claimed(essay, creator("bob"))
    with connection.cursor() as cursor:
        # As where a range is large.
        cursor.execute("SET LOCAL enable_nestloop = off; SET LOCAL enable_seqscan = off")
        before = splits_read(cursor)
        settlement.release_due(at=EARLY_DECEMBER)
        # Once to post them, and once for their sum, of which the fee is.
        assert splits_read(cursor) - before == 2 * GIVERS


def splits_read(cursor) -> int:
    cursor.execute(
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables"
        " WHERE relname = 'settlement_split'"
    )
    return cursor.fetchone()[0]


def test_a_refusal_gives_all_of_them_their_share_back(essay):
    settlement.refuse(thing=essay, at=EARLY_DECEMBER)
    assert ledger.total("FUNDS") == 0
    books()

    settlement.release_due(at=EARLY_DECEMBER)

    assert ledger.total("FUNDS") == EUR("35.00")
    assert ledger.total("FEE") == 0
    books()


@pytest.mark.parametrize("stop_after", range(2, 5))
def test_an_owner_who_takes_all_there_is_meanwhile_has_taken_no_fee(essay, monkeypatch, stop_after):
    bob, left = creator("bob"), [stop_after]
    claimed(essay, bob)
    post = _underway._post_shares

    def taken(line, span, at):
        left[0] -= 1
        if not left[0]:
            payins.to_funds(member=bob, at=at)
        return post(line, span, at)

    monkeypatch.setattr(_underway, "_post_shares", taken)
    settlement.release_due(at=EARLY_DECEMBER)
    held = ledger.balance(ledger.funds(bob.id))
    assert held == (stop_after - 1) * EUR("9.00")
    assert ledger.balance(ledger.revenue(bob.id)) == EUR("31.50") - held
    assert not Underway.objects.exists()
    books()


def test_a_release_that_a_version_before_had_begun_pays_the_rest_of_its_fee(essay, monkeypatch):
    claimed(essay, creator("bob"))
    monkeypatch.setattr(_underway, "fee_so_far", lambda _row: 0)
    settlement.release_due(at=EARLY_DECEMBER)
    assert ledger.total("FEE") == EUR("3.50")
    books()


@pytest.mark.parametrize("stop_after", range(1, 5))
def test_what_stopped_goes_on(essay, monkeypatch, stop_after):
    bob = creator("bob")
    claimed(essay, bob)
    post, left = _underway._post_shares, [stop_after]

    def dies(line, span, at):
        left[0] -= 1
        if not left[0]:
            raise RuntimeError("the power is gone")
        return post(line, span, at)

    monkeypatch.setattr(_underway, "_post_shares", dies)
    with pytest.raises(RuntimeError):
        settlement.release_due(at=EARLY_DECEMBER)
    assert ledger.balance(ledger.revenue(bob.id)) == (stop_after - 1) * EUR("9.00")
    books()

    monkeypatch.setattr(_underway, "_post_shares", post)
    settlement.release_due(at=EARLY_DECEMBER)
    assert ledger.balance(ledger.revenue(bob.id)) == EUR("31.50")
    books()


def test_what_is_under_way_cannot_be_taken_back(essay):
    claimed(essay, creator("bob"))
    giver = member("late")
    with pytest.raises(settlement.NotWaiting):
        settlement.take_back_waiting(member=giver, month=NOVEMBER, thing=essay, at=EARLY_DECEMBER)
    books()


def test_who_leaves_meanwhile_has_nothing_left_that_waits(essay):
    claimed(essay, creator("bob"))
    settlement.take_back_all_waiting(member=member("late"), at=EARLY_DECEMBER)
    assert ledger.total("WAITING") == 0
    books()


def test_the_next_month_begins_when_it_is_done(essay):
    settlement.refuse(thing=essay, at=EARLY_DECEMBER)
    later = EARLY_DECEMBER.replace(year=2027, month=1)
    settlement.settle(month=NOVEMBER + 1, at=later)
    assert not Underway.objects.exists()
    assert ledger.total("FUNDS") + ledger.total("CHARITY") == EUR("35.00")
    books()


def test_a_release_of_few_is_one_step(monkeypatch):
    instance_at("2026-11")
    row, bob = thing("essay"), creator("bob")
    nods.give(member=member("alice", funds="5.00"), thing=row, at=MID_NOVEMBER)
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert claimed(row, bob) == EUR("4.50")
    assert ledger.balance(ledger.revenue(bob.id)) == EUR("4.50")
    assert not Underway.objects.exists()
