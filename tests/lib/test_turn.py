"""The turn: in order of asking, and given on whatever becomes of a transaction."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import IntegrityError, OperationalError

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
