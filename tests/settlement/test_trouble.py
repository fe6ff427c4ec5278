"""A database that is locked, full or gone in the middle: the books are right, and it goes on."""

import threading

import pytest
from django.db import OperationalError, connection, connections

from mickle.instance.models import Month
from mickle.ledger import ledger
from mickle.nods import nods
from mickle.settlement import _run, settlement
from mickle.settlement.models import Line, Spend, Split
from tests.crash.dying import picture
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
from tests.settlement.test_settle import all_hold

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _world() -> None:
    instance_at("2026-11")
    alice = member("alice", funds="5.00")
    for i in range(150):
        nods.give(member=alice, thing=thing(f"page{i}", creator(f"maker{i}")), at=MID_NOVEMBER)
    settlement.close_due(at=EARLY_DECEMBER)


def nothing_was_done() -> None:
    assert not Spend.objects.exists()
    assert not Split.objects.exists()
    assert not Line.objects.exists()
    assert Month.objects.get(month=NOVEMBER).frozen_at is None
    all_hold(ledger.audit())


def it_goes_on() -> None:
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert 0 < ledger.balance(ledger.FEE) <= EUR("0.50")
    all_hold([*ledger.audit(), *settlement.audit()])


@pytest.mark.parametrize("pages", [0, 1, 4, 9])
def test_a_full_disk_leaves_the_books_right(pages):
    fill = FullAfter(pages) if connection.vendor == "postgresql" else SmallDisk(pages)
    before = picture()
    with fill, pytest.raises(OperationalError, match=r"full|No space"):
        settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert picture()["months"] == before["months"] == [(NOVEMBER, False)]
    all_hold([*ledger.audit(), *settlement.audit()])
    it_goes_on()


class SmallDisk:
    """SQLite's own limit on the pages of a file: a disk with so many pages left."""

    def __init__(self, pages: int) -> None:
        self.pages = pages

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA page_count")
            count = cursor.fetchone()[0]
            cursor.execute(f"PRAGMA max_page_count = {count + self.pages}")

    def __exit__(self, *_error: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count = 1073741823")


class FullAfter:
    """PostgreSQL raises what a full disk raises, at the n-th row a table of the month takes."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE SEQUENCE rows_taken; CREATE FUNCTION disk_full() RETURNS trigger"
                f" LANGUAGE plpgsql AS $$ BEGIN IF nextval('rows_taken') > {self.rows} THEN"
                " RAISE EXCEPTION 'could not extend file: No space left on device'"
                " USING ERRCODE = 'disk_full'; END IF; RETURN NEW; END $$;"
                "CREATE TRIGGER disk_full BEFORE INSERT ON settlement_line"
                " FOR EACH ROW EXECUTE FUNCTION disk_full()"
            )

    def __exit__(self, *_error: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "DROP TRIGGER disk_full ON settlement_line; DROP FUNCTION disk_full();"
                "DROP SEQUENCE rows_taken"
            )


def test_a_locked_database_leaves_nothing_half_done():
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        # As another process does: in this one writers to SQLite would wait their turn.
        raw = connection.get_new_connection(connection.get_connection_params())
        if connection.vendor == "postgresql":
            raw.execute("SELECT pg_advisory_lock(%s)", [_run.SETTLE_LOCK])
        else:
            raw.execute("BEGIN IMMEDIATE")
        locked.set()
        done.wait(30)
        raw.close()
        connection.close()

    if connection.vendor != "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 200")
    other = threading.Thread(target=hold)
    other.start()
    locked.wait(30)
    with pytest.raises((OperationalError, settlement.NotSettled)):
        settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    done.set()
    other.join()
    connections.close_all()
    nothing_was_done()
    it_goes_on()
