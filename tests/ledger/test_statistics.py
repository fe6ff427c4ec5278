"""PostgreSQL plans by what it saw when it looked last; the books see to it that it has looked."""

from itertools import pairwise

import pytest
from django.db import connection, transaction

from mickle.ledger import ledger
from tests.people import MID_NOVEMBER

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite plans without statistics"),
]

TABLES = ("ledger_account", "ledger_transfer")


def fund(first: int) -> None:
    rows = " UNION ALL ".join(f"SELECT {one} AS m" for one in range(first, first + 50))
    ledger.post_from_select(
        "SELECT 'in:' || CAST(m AS TEXT) AS key, 'PROVIDER' AS debit_kind, 0 AS debit_holder,"
        f" 'FUNDS' AS credit_kind, m AS credit_holder, 10000 AS amount_micros FROM ({rows}) q",
        {},
        reason="TOP_UP",
        month=None,
        at=MID_NOVEMBER,
    )


def taken_for() -> dict[str, float]:
    """How many rows PostgreSQL takes each table to have."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reltuples FROM pg_class WHERE relname = ANY(%s)", [[*TABLES]]
        )
        return dict(cursor.fetchall())


def test_a_table_that_was_looked_at_while_it_was_filled_is_looked_at_again():
    """As by autovacuum beside a load: what is not committed does not count."""
    with transaction.atomic():
        fund(1)
        transaction.set_rollback(True)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(TABLES)}")
    assert taken_for() == dict.fromkeys(TABLES, 0)
    with transaction.atomic():
        fund(1)
        fund(51)
    assert min(taken_for().values()) >= 50


def test_a_range_of_many_pots_reads_no_others():
    """Or each range reads all of them, however many there are."""
    with transaction.atomic(), connection.cursor() as cursor:
        # As where a range is large.
        cursor.execute("SET LOCAL enable_nestloop = off; SET LOCAL enable_seqscan = off")
        read = [pots_read(cursor)]
        for first in (1, 51, 101, 151):
            fund(first)
            read.append(pots_read(cursor))
        transaction.set_rollback(True)
    few, _more, _again, many = (after - before for before, after in pairwise(read))
    assert many <= few + 1


def pots_read(cursor) -> int:
    """How many pots this transaction has read."""
    cursor.execute(
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables"
        " WHERE relname = 'ledger_account'"
    )
    return cursor.fetchone()[0]


def test_no_statement_is_compiled():
    """Not even after a new connection: it took longer than what was compiled."""
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)


def test_what_a_server_isolates_by_itself_decides_nothing(monkeypatch):
    """With a snapshot from before it waited, a nod would land in a month that has closed."""
    strict = {"options": "-c default_transaction_isolation=serializable"}
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", strict)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("read committed",)
    connection.close()
    # As the edge has its own, without Django's cursors.
    with connection.get_new_connection(connection.get_connection_params()) as raw:
        raw.execute("BEGIN")
        assert raw.execute("SHOW transaction_isolation").fetchone() == ("read committed",)
