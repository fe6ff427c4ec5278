"""Emptying the tables although the books refuse it; the product itself has no such switch."""

from functools import cache

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from mickle.ledger import _guards
from mickle.teams import _guards as history

# Filled by every migrate, and nobody writes there: what Django would write again after a flush.
KEPT = ("django_content_type", "auth_permission", "django_migrations")


def empty() -> None:
    """Leave the tables as a migrate does.

    Django's flush empties each table, whether or not there is something in it, and then looks
    through all of Django's models for what a migrate would add: a tenth of a second each time.
    """
    # Else SQLite looks for who names each row that goes, and a year of a million rows never ends.
    with (
        connection.constraint_checks_disabled(),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(_which_are_full())
        full = [table for (table,) in cursor.fetchall()]
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        else:
            _unguard(cursor, full)
        for table in full:
            cursor.execute(f'DELETE FROM "{table}"')
        _number_anew(cursor, full)
    if _guards.expected() - _guards.present():
        _guards.install()
    if history.missing():
        history.install()


def _unguard(cursor: CursorWrapper, full: list[str]) -> None:
    """Drop the triggers of SQLite on what is full."""
    triggers = _guards.expected() if not set(full).isdisjoint(_guards.TABLES) else set()
    if history.TABLE in full:
        triggers |= {f"{history.TABLE}_{what}" for what in ("no_update", "no_delete", "no_replace")}
    for name in triggers:
        cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def _number_anew(cursor: CursorWrapper, tables: list[str]) -> None:
    """Ids begin at 1 again, so that a world that is lived again is the same to the number."""
    if connection.vendor == "sqlite":
        cursor.execute("DELETE FROM sqlite_sequence")
    elif names := [name for table, name in _sequences() if table in tables]:
        cursor.execute("SELECT setval(name, 1, false) FROM unnest(%s::text[]) name", [names])


@cache
def _sequences() -> list[tuple[str, str]]:
    """Tables with the sequence each takes its ids from."""
    listed = connection.introspection.sequence_list()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t, pg_get_serial_sequence(t, c) FROM unnest(%s::text[], %s::text[]) q(t, c)",
            [[one["table"] for one in listed], [one["column"] for one in listed]],
        )
        return [(table, name) for table, name in cursor.fetchall() if name]


@cache
def _which_are_full() -> str:
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")"
        for table in sorted(set(tables) - set(KEPT))
    )
