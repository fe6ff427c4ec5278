"""The turn: in order of asking, and given on whatever becomes of a transaction."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import IntegrityError, OperationalError

from mickle.edge import _database
from mickle.lib import turn as turns
from mickle.lib.sqlite3.base import DatabaseWrapper
from mickle.lib.turn import TURN, Turn


def until(holds) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def free(turn: Turn) -> bool:
    return not turn._taken and not turn._waiting


def test_who_asks_first_is_served_first():
    turn, served = Turn(), []

    def ask(number: int) -> None:
        with turn:
            served.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    with turn:
        for number, thread in enumerate(threads):
            thread.start()
            until(lambda number=number: len(turn._waiting) == number + 1)
        assert served == []
    for thread in threads:
        thread.join(20)
    assert served == list(range(8))
    assert free(turn)


def test_one_at_a_time_has_it():
    turn, inside, most = Turn(), [], []

    def ask() -> None:
        for _time in range(200):
            with turn:
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=ask) for _thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(most), max(most)) == (800, 1)
    assert free(turn)


def test_who_fails_inside_gives_it_on():
    turn = Turn()
    with pytest.raises(ZeroDivisionError), turn:
        1 / 0  # noqa: B018
    assert free(turn)


@pytest.fixture
def database(tmp_path: Path, django_db_blocker) -> Iterator[DatabaseWrapper]:
    """A file of its own, in which a transaction begins as in production."""
    facts = {
        "NAME": str(tmp_path / "turn.sqlite3"),
        "ENGINE": "mickle.lib.sqlite3",
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 0.05},
        "ATOMIC_REQUESTS": False,
        "AUTOCOMMIT": True,
        "CONN_HEALTH_CHECKS": False,
        "CONN_MAX_AGE": 0,
        "TIME_ZONE": None,
        "TEST": {},
    }
    made = DatabaseWrapper(facts, "turn")
    with django_db_blocker.unblock():
        yield made
        made.close()
    assert free(TURN)


def begin(database: DatabaseWrapper) -> None:
    database.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    assert TURN._taken


def test_a_commit_gives_the_turn_on(database):
    begin(database)
    database.commit()
    assert free(TURN)


def test_a_rollback_gives_the_turn_on(database):
    begin(database)
    database.rollback()
    assert free(TURN)


def test_a_connection_that_is_closed_gives_the_turn_on(database):
    begin(database)
    database.close()
    assert free(TURN)


def test_who_cannot_begin_gives_the_turn_on(database):
    database.ensure_connection()
    other = sqlite3.connect(database.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError):
        begin(database)
    assert free(TURN)
    other.execute("ROLLBACK")
    other.close()


def test_a_commit_that_fails_gives_the_turn_on_when_it_is_rolled_back(database):
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE a (id INTEGER PRIMARY KEY)")
        cursor.execute("CREATE TABLE b (a INTEGER REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED)")
    begin(database)
    with database.cursor() as cursor:
        cursor.execute("INSERT INTO b VALUES (1)")
    with pytest.raises(IntegrityError):
        database.commit()
    assert TURN._taken
    database.rollback()
    assert free(TURN)


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now_s, self.slept = 0.0, 0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.slept += 1


@pytest.fixture
def clock(monkeypatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(turns, "time", made)
    return made


@pytest.fixture
def raw() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:", timeout=30, isolation_level=None)
    yield made
    made.close()


def patience(raw: sqlite3.Connection) -> int:
    return raw.execute("PRAGMA busy_timeout").fetchone()[0]


def busy() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error


def test_who_waits_for_another_process_finds_its_first_pause(clock, raw):
    """A process that holds the lock for 5 ms and pauses for as long."""

    def immediate() -> None:
        assert patience(raw) == 0
        if clock.now_s % 0.010 < 0.005:
            raise busy()

    turns.begin(raw, immediate)
    assert 0.005 <= clock.now_s < 0.010
    assert patience(raw) == 30_000


def test_who_waits_long_asks_less_often_and_not_for_ever(clock, raw):
    def immediate() -> None:
        raise busy()

    with pytest.raises(sqlite3.OperationalError, match="locked"):
        turns.begin(raw, immediate)
    assert 30 <= clock.now_s < 30.1
    assert clock.slept < 2_000
    assert patience(raw) == 30_000


def test_what_is_no_matter_of_patience_is_raised_at_once(clock, raw):
    def immediate() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(sqlite3.OperationalError, match="disk"):
        turns.begin(raw, immediate)
    assert clock.slept == 0
    assert patience(raw) == 30_000


@pytest.fixture
def slept(database, monkeypatch) -> Iterator[list[float]]:
    """Another process holds the lock until somebody waits for it; how long each wait was."""
    database.ensure_connection()
    name = database.settings_dict["NAME"]
    other = sqlite3.connect(name, isolation_level=None, check_same_thread=False)
    # What the edge reads as it begins.
    other.execute("CREATE TABLE instance_instance (id, clock_offset_s, closed_through)")
    other.execute("INSERT INTO instance_instance VALUES (1, 0, 0)")
    other.execute("BEGIN IMMEDIATE")
    found: list[float] = []

    def sleep(seconds: float) -> None:
        found.append(seconds)
        if other.in_transaction:
            other.execute("COMMIT")

    monkeypatch.setattr(turns.time, "sleep", sleep)
    yield found
    other.close()


def test_a_connection_of_django_waits_so(database, slept):
    begin(database)
    database.rollback()
    assert len(slept) == 1


def test_the_writer_of_the_edge_waits_so(database, slept):
    raw = sqlite3.connect(database.settings_dict["NAME"], timeout=0.05)
    edge = _database._Sqlite(raw)
    with edge.writing():
        pass
    edge.close()
    assert len(slept) == 1
