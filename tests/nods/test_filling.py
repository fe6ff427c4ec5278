"""Filling an empty table: its foreign keys are checked in one go, and are the same afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, connection, transaction

from mickle.nods import nods
from mickle.nods.models import Nod
from tests.people import MID_NOVEMBER, NOVEMBER, instance_at, member, thing

pytestmark = pytest.mark.django_db(transaction=True)

NOBODY = 4_711


def foreign_keys() -> list[tuple[str, str]]:
    """The foreign keys of nods on PostgreSQL, with their texts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = CAST('nods_nod' AS regclass) AND contype = 'f' ORDER BY 1"
        )
        return cursor.fetchall()


@contextmanager
def a_reader() -> Iterator[None]:
    """Somebody else who has read nods and is not done."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT COUNT(*) FROM nods_nod")
            yield
    finally:
        other.close()


@contextmanager
def alone() -> Iterator[None]:
    """Nobody else is at the table, not even PostgreSQL itself: it looks at what was emptied."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE nods_nod IN ACCESS EXCLUSIVE MODE")
        yield


def fill() -> list[list[tuple[str, str]]]:
    """Record a nod at each of two pages; the foreign keys there were meanwhile."""
    seen, alice = [], member("alice", funds="5.00")

    def rows():
        for name in ("one", "other"):
            seen.append(foreign_keys())
            yield NOVEMBER, alice.id, thing(name).id, MID_NOVEMBER, "load"

    assert nods.record_many(rows()) == 2
    return seen


@pytest.fixture(autouse=True)
def _november() -> None:
    instance_at("2026-11")


@pytest.fixture
def _postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite looks a key up without a statement of its own")


@pytest.mark.usefixtures("_postgresql")
def test_the_keys_of_an_empty_table_are_off_while_it_is_filled():
    before = foreign_keys()
    with alone():
        assert fill() == [[], []]
    assert foreign_keys() == before != []
    # Now it is not empty.
    assert nods.record_many(()) == 0
    alice = member("bob", funds="5.00")
    row = (NOVEMBER, alice.id, thing("third").id, MID_NOVEMBER, "load")
    seen = []
    assert nods.record_many(seen.append(foreign_keys()) or row for _once in range(1)) == 1
    assert seen == [before]


@pytest.mark.usefixtures("_postgresql")
def test_a_table_somebody_reads_is_filled_with_its_keys_on():
    before = foreign_keys()
    with a_reader():
        assert fill() == [before, before]
    assert foreign_keys() == before


def test_a_nod_of_nobody_is_refused_however_it_is_checked():
    page = thing("page")
    for expected in (0, 1):
        with pytest.raises(IntegrityError), transaction.atomic():
            nods.record_many([(NOVEMBER, NOBODY, page.id, MID_NOVEMBER, "load")])
        assert Nod.objects.count() == expected
        nods.give(member=member(f"m{expected}"), thing=page, at=MID_NOVEMBER)
