"""What it takes to collect: it grows with who pays, and not with who was asked."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from mickle.settlement import _charges, arrears, settlement
from tests.people import NOVEMBER, instance_at, member, top_up
from tests.settlement.test_cases import give_all, in_month, pages

pytestmark = pytest.mark.django_db
DECEMBER = NOVEMBER + 1
READ = """
SELECT SUM(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables WHERE relname IN
('nods_nod', 'settlement_charge', 'settlement_due', 'settlement_received', 'settlement_split')
"""
# PostgreSQL plans by how many pages a table has, and those grow with every test that rolled back.
# A table of one page is planned as one of a billion rows, and without what was counted in it.
LARGE = """
WITH large AS (
  UPDATE pg_class SET relpages = 1, reltuples = 1000000000
  WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace RETURNING oid
)
DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM large)
"""


class Work:
    """Steps of SQLite's machine, or rows that PostgreSQL read: for each range, and around them."""

    def __init__(self) -> None:
        self.all = self.ranges = 0

    @contextmanager
    def counted(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        pay = _charges._pay

        def counting(*said: object) -> int:
            before = self.now()
            done = pay(*said)
            self.ranges += self.now() - before
            return done

        with monkeypatch.context() as here, connection.cursor() as cursor:
            here.setattr(_charges, "_pay", counting)
            if connection.vendor == "sqlite":
                connection.connection.set_progress_handler(self.step, 1)
            else:
                cursor.execute(LARGE)
                cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_mergejoin = off")
            before = self.now()
            yield
            self.all = self.now() - before
            if connection.vendor == "sqlite":
                connection.connection.set_progress_handler(None, 1)

    def step(self) -> None:
        self.all += 1

    def now(self) -> int:
        if connection.vendor == "sqlite":
            return self.all
        with connection.cursor() as cursor:
            cursor.execute(READ)
            return int(cursor.fetchone()[0] or 0)


def collected(monkeypatch: pytest.MonkeyPatch, *, asked: int, paying: int) -> Work:
    """Some of those who were asked pay, and others stand between them or after; what it took.

    PostgreSQL holds up nobody who does not pay, and reads a range of few as a whole.
    """
    work, apart = Work(), asked // paying if connection.vendor == "sqlite" else 1
    with transaction.atomic():
        made = pages(2)
        givers = [member(f"giver{place}") for place in range(asked)]
        for who in givers:
            give_all(who, made)
        settlement.settle(month=NOVEMBER, at=in_month(DECEMBER, 4))
        for who in givers[: paying * apart : apart]:
            top_up(who, "5.00", month=DECEMBER)
        with work.counted(monkeypatch):
            assert arrears.collect(at=in_month(DECEMBER, 6)) == paying
        transaction.set_rollback(True)
    return work


@pytest.fixture(autouse=True)
def _november(settings) -> None:
    settings.MODE = "arrears"
    instance_at("2026-11")


def test_the_time_of_a_lock_grows_with_who_pays_and_not_with_who_was_asked(monkeypatch):
    few, many = (collected(monkeypatch, asked=asked, paying=3) for asked in (6, 60))
    assert 0 < many.ranges <= few.ranges * 1.05


def test_who_pays_is_looked_up_once_for_all_ranges(monkeypatch):
    for name in ("FIRST", "FEWEST", "MOST"):
        monkeypatch.setattr(f"mickle.lib.chunks.{name}", 1)
    few, many = (collected(monkeypatch, asked=paying, paying=paying) for paying in (3, 30))
    # Ten times as many pay, in ten times as many ranges.
    assert 0 < many.all <= few.all * 12
