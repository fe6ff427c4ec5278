"""Rows kept beside the books: whatever fails on the way, the connection writes on."""

import pytest
from django.db import OperationalError, connection, transaction

from mickle.lib import bulk
from tests.people import member

ROWS = [[(1, 10), (2, 20)]]


def failing(place: str):
    def around(execute, sql, *more):
        if sql.startswith(place):
            raise OperationalError("database or disk is full")
        return execute(sql, *more)

    return around


def kept() -> list[tuple[int, int]]:
    bulk.keep("s_some", ["k", "n"], ROWS, key="k")
    with connection.cursor() as cursor:
        cursor.execute("SELECT k, n FROM s_some ORDER BY k")
        found = cursor.fetchall()
        cursor.execute("DROP TABLE s_some")
    return found


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("place", ["CREATE TEMP", "RELEASE"])
def test_what_could_not_be_kept_leaves_no_transaction_open(place):
    with connection.execute_wrapper(failing(place)), pytest.raises(OperationalError):
        kept()
    with transaction.atomic():
        member("alice")
    assert kept() == ROWS[0]


@pytest.mark.django_db
def test_within_a_transaction_it_is_part_of_it():
    assert kept() == ROWS[0]
