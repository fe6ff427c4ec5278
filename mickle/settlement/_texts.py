"""Running the SQL of a settlement: one text, its names bound, on the connection at hand."""

from django.db import connection

from mickle.lib import bulk
from mickle.lib.sql import Params


def execute(text: str, bound: Params) -> int:
    """Run a text; how many rows it wrote."""
    with connection.cursor() as cursor:
        cursor.execute(text, bound)
        return int(cursor.rowcount)


def rows(select: str, bound: Params | None = None) -> list[tuple[int, ...]]:
    """What a SELECT gives."""
    with connection.cursor() as cursor:
        cursor.execute(select, bound)
        return list(cursor.fetchall())


def stage(table: str, select: str, bound: Params | None = None, *, key: str) -> None:
    """Keep what a SELECT gives in a temporary table; see `lib.bulk`."""
    with connection.cursor() as cursor:
        bulk.stage(cursor, table, select, bound, key=key)


def look_at(*tables: str) -> None:
    """Have PostgreSQL count what was just written: it takes a new table for a few rows.

    Then a range of it is planned as if it were all, and read as if it were nothing.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(tables)}")


def drop(*tables: str) -> None:
    """Do away with what was staged."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"DROP TABLE {table}")
