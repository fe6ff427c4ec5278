"""Many rows at once: COPY on PostgreSQL, prepared statements on SQLite, and temporary tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from django.db import OperationalError, ProgrammingError, connection, transaction
from django.db.backends.utils import CursorWrapper

from mickle.lib.sql import Params

# The inner SELECT looks the sequence up once, and not for each id.
_NEXT_IDS = """
SELECT nextval((SELECT CAST(pg_get_serial_sequence(%s, 'id') AS regclass)))
FROM generate_series(1, %s)
"""
_FOREIGN_KEYS = """
SELECT conname, pg_get_constraintdef(oid), CAST(CAST(confrelid AS regclass) AS text)
FROM pg_constraint WHERE conrelid = CAST(%s AS regclass) AND contype = 'f' ORDER BY conname
"""


def next_ids(cursor: CursorWrapper, table: str, count: int) -> list[int]:
    """Ids nobody else gets, for rows about to be written; in a transaction."""
    if connection.vendor == "postgresql":
        cursor.execute(_NEXT_IDS, [table, count])
        return [row[0] for row in cursor.fetchall()]
    cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
    found = cursor.fetchone()
    first = (found[0] if found else 0) + 1
    return list(range(first, first + count))


def write(
    cursor: CursorWrapper,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> None:
    """Write rows that cannot be there yet; one that is raises IntegrityError.

    Values come as each database keeps them: see lib.sql, and JSON is text on SQLite alone.
    """
    # A column may have a word of the database's for a name.
    names = ", ".join(map(connection.ops.quote_name, columns))
    if connection.vendor != "postgresql":
        marks = ", ".join(["%s"] * len(columns))
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(rows))
        return
    # Sent as text the rows take five times as long, as parameters twenty times.
    cursor.execute(f"SELECT {names} FROM {table} LIMIT 0")
    types = [column.type_code for column in cursor.description]
    with (
        connection.wrap_database_errors,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def stage(
    cursor: CursorWrapper, name: str, select: str, params: Params | None = None, *, key: str = ""
) -> None:
    """Keep what a SELECT gives in a temporary table of this connection; its key is unique.

    A key of one column is a whole number, and never null. Outside a transaction SQLite locks nobody
    out for it, however long it takes.
    """
    cursor.execute(f"DROP TABLE IF EXISTS {name}")
    if not _numbers_rows(key):
        cursor.execute(f"CREATE TEMP TABLE {name} AS {select}", params or None)
        _index(cursor, name, key)
        return
    cursor.execute(f"SELECT * FROM ({select}) q LIMIT 0", params or None)
    columns = dict.fromkeys((column[0] for column in cursor.description), "")
    _make(cursor, name, columns, key)
    cursor.execute(f"INSERT INTO {name} {select}", params or None)


def _numbers_rows(key: str) -> bool:
    """Whether a key is the number of the row itself, so that SQLite finds it without an index."""
    return connection.vendor == "sqlite" and key != "" and "," not in key


def _make(cursor: CursorWrapper, name: str, types: Mapping[str, str], key: str) -> None:
    if _numbers_rows(key):
        types = {**types, key: "INTEGER PRIMARY KEY"}
    typed = ", ".join(f"{column} {kind}" for column, kind in types.items())
    cursor.execute(f"CREATE TEMP TABLE {name} ({typed})")


def refill(
    cursor: CursorWrapper, name: str, columns: str, select: str, params: Params | None = None
) -> int:
    """Keep what a SELECT gives in a temporary table that stays; how many rows. What it held goes.

    For what is staged again and again: each table that is made or dropped has SQLite read its
    schema and prepare every statement anew.
    """
    make = f"CREATE TEMP TABLE IF NOT EXISTS {name} ({columns})"
    on_postgresql = connection.vendor == "postgresql"
    if on_postgresql:
        cursor.execute(f"{make}; TRUNCATE {name}")
    else:
        cursor.execute(make)
        cursor.execute(f"DELETE FROM {name}")
    cursor.execute(f"INSERT INTO {name} {select}", params or None)
    rows = int(cursor.rowcount)
    if on_postgresql and rows:
        cursor.execute(f"ANALYZE {name}")
    return rows


def keep(
    name: str, columns: Sequence[str], batches: Iterable[Sequence[Sequence[Any]]], *, key: str
) -> None:
    """Keep whole numbers from elsewhere in a temporary table of this connection; its key is unique.

    It locks nobody out, however long it takes.
    """
    with connection.cursor() as cursor, _one_transaction(cursor):
        cursor.execute(f"DROP TABLE IF EXISTS {name}")
        _make(cursor, name, dict.fromkeys(columns, "BIGINT"), key)
        for rows in batches:
            write(cursor, name, columns, rows)
        if not _numbers_rows(key):
            _index(cursor, name, key)


@contextmanager
def _one_transaction(cursor: CursorWrapper) -> Iterator[None]:
    if connection.vendor == "postgresql" or connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    # Django's transactions take SQLite's one writer's place at once; a savepoint outside of them
    # takes it when the books are written, and here they are not.
    cursor.execute("SAVEPOINT kept")
    try:
        yield
        cursor.execute("RELEASE kept")
    except BaseException:
        # Whatever failed, on a full disk the last of it too: left open, it would let nothing be
        # written here any more, for as long as the connection lives.
        connection.rollback()
        raise


def _index(cursor: CursorWrapper, name: str, key: str) -> None:
    if key:
        cursor.execute(f"CREATE UNIQUE INDEX {name}_key ON {name} ({key})")
    if connection.vendor == "postgresql":
        # Without it the plans read whole tables for a few rows.
        cursor.execute(f"ANALYZE {name}")


@contextmanager
def staged(
    cursor: CursorWrapper,
    name: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    like: str,
) -> Iterator[None]:
    """Keep rows in a temporary table with the columns of another, for statements that read it."""
    names = ", ".join(columns)
    cursor.execute(f"DROP TABLE IF EXISTS {name}")
    cursor.execute(f"CREATE TEMP TABLE {name} AS SELECT {names} FROM {like} LIMIT 0")
    write(cursor, name, columns, rows)
    yield
    cursor.execute(f"DROP TABLE {name}")


@contextmanager
def filling(cursor: CursorWrapper, table: str) -> Iterator[None]:
    """Check the foreign keys of an empty table once it is filled, and not row by row.

    In a transaction. On PostgreSQL two checks a row take as long as all else; a join takes a
    second for a million. Nobody can read the table or those it refers to meanwhile, so a table
    that is not empty, or in use right now, or another role's, is filled as it stands.
    """
    keys: list[tuple[str, str]] = []
    if connection.vendor == "postgresql" and _is_empty(cursor, table):
        # What was written before is checked now: nothing of it may be left for later.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with suppress(OperationalError, ProgrammingError), transaction.atomic():
            keys = _without_keys(cursor, table)
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    yield
    for name, text in keys:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {text}")


def _is_empty(cursor: CursorWrapper, table: str) -> bool:
    cursor.execute(f"SELECT NOT EXISTS (SELECT 1 FROM {table})")
    return bool(cursor.fetchone()[0])


def _without_keys(cursor: CursorWrapper, table: str) -> list[tuple[str, str]]:
    """Drop a table's foreign keys; their names and texts."""
    cursor.execute(_FOREIGN_KEYS, [table])
    found = cursor.fetchall()
    named = ", ".join(dict.fromkeys([table, *(referred for _name, _text, referred in found)]))
    cursor.execute(f"LOCK TABLE {named} IN ACCESS EXCLUSIVE MODE NOWAIT")
    # The checks to come are planned by what is there, and not by what once was.
    cursor.execute(f"ANALYZE {named}")
    for name, _text, _referred in found:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    return [(name, text) for name, text, _referred in found]
