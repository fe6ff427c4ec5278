"""Many nods at once into an empty table: what they refer to is checked all the same."""

import pytest
from django.db import IntegrityError, connection, transaction

from mickle.nods import _bulk, nods
from mickle.nods.models import Nod
from tests.people import MID_NOVEMBER, NOVEMBER, instance_at, member, thing

pytestmark = pytest.mark.django_db(transaction=True)


def references() -> list[tuple[str, str, bool]]:
    """Every reference that PostgreSQL keeps for nods; SQLite's stand in the table's own text."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql, 1 FROM sqlite_master WHERE tbl_name = 'nods_nod'")
        else:
            cursor.execute(
                "SELECT conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint"
                " WHERE conrelid = CAST('nods_nod' AS regclass) ORDER BY conname"
            )
        return list(cursor.fetchall())


@pytest.fixture
def rows(monkeypatch) -> list[tuple]:
    monkeypatch.setattr(_bulk, "CHUNK", 3)
    instance_at()
    who = [member(f"giver{i}").id for i in range(5)]
    page = thing("page").id
    return [(NOVEMBER, one, page, MID_NOVEMBER, "load") for one in who]


def test_the_references_stand_again_when_all_is_written(rows):
    before = references()
    assert nods.record_many(rows) == 5
    assert references() == before
    assert nods.record_many(rows) == 0


@pytest.mark.parametrize("place", [0, 4])
def test_a_nod_of_nobody_is_refused_with_all_the_others(rows, place):
    before = references()
    rows[place] = (NOVEMBER, 4_711, *rows[place][2:])
    with pytest.raises(IntegrityError), transaction.atomic():
        nods.record_many(rows)
    assert not Nod.objects.exists()
    assert references() == before
