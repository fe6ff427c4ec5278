"""Long work in short transactions: every key once, in order, and what is done stays done."""

import os

import pytest
from django.db import connection

from mickle.lib import chunks

KEYS = "SELECT id AS k FROM django_content_type"
on_sqlite = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL locks rows, and waits for its disk as ever"
)


@pytest.fixture
def keys(db: None) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT k FROM ({KEYS}) q ORDER BY k")
        found = [row[0] for row in cursor.fetchall()]
    assert len(found) > 10
    return found


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "FIRST", 3)
    monkeypatch.setattr(chunks, "FEWEST", 3)


@pytest.mark.usefixtures("few")
def test_every_key_is_in_one_range_and_the_ranges_are_told(keys):
    seen, told = [], []

    def write(span: chunks.Range) -> int:
        assert connection.in_atomic_block
        within = [key for key in keys if span.after < key <= span.upto]
        seen.extend(within)
        return len(within)

    done = chunks.walk(KEYS, write, label="types", report=lambda *said: told.append(said))
    assert seen == keys
    assert done == len(keys)
    assert told[0] == ("types", 3, len(keys))
    assert told[-1] == ("types", len(keys), len(keys))


def test_without_keys_nothing_is_written_and_no_disk_waited_for(db, monkeypatch):
    monkeypatch.setattr(chunks, "durable_together", None)
    assert chunks.walk(f"{KEYS} WHERE id < 0", lambda _span: 1) == 0


@pytest.mark.usefixtures("few")
def test_keys_that_come_meanwhile_are_written_too(db):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE given AS SELECT 5 AS k UNION SELECT 6")
    seen = []

    def write(span: chunks.Range) -> int:
        with connection.cursor() as cursor:
            if not seen:
                cursor.execute("INSERT INTO given VALUES (4), (7), (8)")
            cursor.execute(
                "SELECT k FROM given WHERE k > %s AND k <= %s ORDER BY k", [span.after, span.upto]
            )
            seen.extend(row[0] for row in cursor.fetchall())
        return 0

    chunks.walk("SELECT k FROM given", write)
    assert seen == [4, 5, 6, 7, 8]


@pytest.mark.usefixtures("few")
@pytest.mark.django_db(transaction=True)
def test_a_range_that_fails_is_undone_and_those_before_stay(keys):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE written (k BIGINT)")

    def write(span: chunks.Range) -> int:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO written VALUES (%s)", [span.upto])
        if span.after:
            raise KeyboardInterrupt
        return 1

    try:
        with pytest.raises(KeyboardInterrupt):
            chunks.walk(KEYS, write)
        with connection.cursor() as cursor:
            cursor.execute("SELECT k FROM written")
            assert cursor.fetchall() == [(keys[2],)]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE written")


@pytest.mark.parametrize(
    ("part", "wanted"), [(0.1, 2_000), (0.8, 1_250), (1.0, 1_000), (1.6, 625), (50.0, 500)]
)
def test_a_range_is_as_long_as_a_lock_may_be_held(part, wanted):
    took_s = chunks._locked_s() * part
    assert chunks._size(1_000, took_s) == pytest.approx(wanted, abs=1)


def test_a_range_is_never_too_short_to_be_worth_it_nor_without_end():
    assert chunks._size(chunks.FEWEST, 1e9) == chunks.FEWEST
    assert chunks._size(chunks.MOST, 0.0) == chunks.MOST


def _waits_for_the_disk() -> bool:
    """Whether a commit of this connection is on the disk before it answers, on SQLite."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        return bool(cursor.fetchone()[0] == 2)


@on_sqlite
@pytest.mark.usefixtures("few")
@pytest.mark.django_db(transaction=True)
def test_the_disk_is_waited_for_once_and_not_with_the_lock_held(monkeypatch):
    said, sync = [], os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda log: (said.append("disk"), sync(log)))

    def write(_span: chunks.Range) -> int:
        said.append("late" if not _waits_for_the_disk() else "at once")
        return 1

    assert chunks.walk(KEYS, write) > 1
    assert said == ["late"] * (len(said) - 1) + ["disk"]
    assert _waits_for_the_disk()


@on_sqlite
@pytest.mark.django_db(transaction=True)
def test_commits_wait_for_the_disk_again_after_a_range_that_failed():
    def write(_span: chunks.Range) -> int:
        raise LookupError

    with pytest.raises(LookupError):
        chunks.walk(KEYS, write)
    assert _waits_for_the_disk()
