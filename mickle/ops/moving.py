"""Takes an instance from its SQLite file to PostgreSQL: every row of every table, or nothing.

All of it is one transaction of PostgreSQL, with the audit of the books as its last step; the SQLite
is read alone, by the one process that has it open, and put aside when everything is there.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import (
    DataError,
    IntegrityError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Field, JSONField, Model
from django.utils.translation import gettext as _

from mickle.lib import bulk
from mickle.lib.chunks import Report
from mickle.lib.errors import Refused
from mickle.ops import auditing, database, loading

_FROM = "moved"
_BATCH = 10_000
# Whoever has the file open, and whoever uses the tables, is to be stopped first, not waited for.
_PATIENCE_S = 2
Kind = type[Model]


class CannotMove(Refused):
    """The instance stays where it is; the sentence says why."""


@dataclass(frozen=True)
class Moved:
    """What was moved, and where the SQLite is now: None where it still is where it was."""

    tables: int
    rows: int
    checks: int
    kept: Path | None


def move(source: Path, *, report: Report) -> Moved:
    """Move the instance in a SQLite file to the PostgreSQL of the settings; raises CannotMove."""
    if connection.vendor != "postgresql":
        raise CannotMove(
            _(
                "DATABASE_URL names no PostgreSQL to move to. Set it to the new database, as every"
                " command will need it from then on. Nothing was changed."
            )
        )
    if kept := database.moved_away(source):
        raise CannotMove(
            _("%(source)s has moved already, and is kept as %(kept)s. Nothing was changed.")
            % {"source": source, "kept": kept}
        )
    if not source.is_file():
        raise CannotMove(
            _("There is no SQLite at %(path)s to move from. Nothing was changed.")
            % {"path": source}
        )
    with _alone(source):
        _check_version()
        kinds = _in_order()
        with transaction.atomic():
            _hold(kinds)
            rows = sum([_copy(kind, report) for kind in kinds])
            _number_on(kinds)
            checks = _audited(report)
        return Moved(len(kinds), rows, checks, _put_aside(source))


@contextmanager
def _alone(source: Path) -> Iterator[None]:
    """Have the file open as the only process; others wait until it has been put aside."""
    facts = {
        "ENGINE": "mickle.lib.sqlite3",
        "NAME": str(source),
        "OPTIONS": {
            "transaction_mode": "EXCLUSIVE",
            "timeout": _PATIENCE_S,
            "init_command": "PRAGMA locking_mode = EXCLUSIVE",
        },
    }
    connections.settings[_FROM] = {**settings.DATABASES["default"], **facts}
    try:
        # The lock of a transaction stays with the connection when that has ended.
        with transaction.atomic(using=_FROM):
            pass
        yield
    except OperationalError as error:
        if "locked" not in str(error):
            raise
        raise CannotMove(
            _(
                "Somebody uses this instance. Stop “mickle run”, the workers and every other"
                " command first, then move it. Nothing was changed."
            )
        ) from error
    finally:
        connections[_FROM].close()
        del connections[_FROM]
        del connections.settings[_FROM]


def _check_version() -> None:
    there, here = (
        set(MigrationRecorder(one).applied_migrations()) for one in (connections[_FROM], connection)
    )
    if there != here:
        raise CannotMove(
            _(
                "The SQLite was last used by another version of Mickle, or by none. Run a command"
                " of this one on it, such as “mickle audit” without DATABASE_URL, then move it."
                " Nothing was changed."
            )
        )


def _in_order() -> list[Kind]:
    """All tables, each after those it refers to."""
    kinds = [kind for kind in apps.get_models(include_auto_created=True) if kind._meta.managed]  # noqa: SLF001
    return list(TopologicalSorter({kind: _referred(kind) for kind in kinds}).static_order())


def _fields(kind: Kind) -> list["Field[Any, Any]"]:
    return list(kind._meta.concrete_fields)  # noqa: SLF001 - Django's own way to them


def _table(kind: Kind) -> str:
    return str(kind._meta.db_table)  # noqa: SLF001


def _referred(kind: Kind) -> set[Kind]:
    found = (field.related_model for field in _fields(kind) if field.is_relation)
    return {other for other in found if other is not None} - {kind}


def _hold(kinds: list[Kind]) -> None:
    """Have the tables to oneself, and nothing in them; raises CannotMove."""
    tables = [_table(kind) for kind in kinds]
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{_PATIENCE_S}s'")
        try:
            cursor.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
        except OperationalError as error:
            raise CannotMove(
                _("Somebody uses the PostgreSQL. Stop them, then move. Nothing was changed.")
            ) from error
        if not loading.is_empty():
            raise CannotMove(
                _(
                    "The PostgreSQL holds an instance already. Name an empty database, or go on"
                    " with that one. Nothing was changed."
                )
            )
        # What a migration writes into a new database stands in the old one as it is by now.
        for table in reversed(tables):
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {table})")
            if cursor.fetchone()[0]:
                cursor.execute(f"DELETE FROM {table}")


def _copy(kind: Kind, report: Report) -> int:
    """Copy a table; how many rows. Raises CannotMove for a row that PostgreSQL refuses."""
    table, columns = _table(kind), [str(field.column) for field in _fields(kind)]
    found = kind._base_manager.using(_FROM).order_by()  # noqa: SLF001
    total = found.count()
    if not total:
        return 0
    rows = _counted(_prepared(kind, found.values_list().iterator(_BATCH)), table, total, report)
    try:
        with connection.cursor() as cursor, bulk.filling(cursor, table):
            bulk.write(cursor, table, columns, rows)
            cursor.execute(f"SELECT COUNT(*) FROM {table}")
            (written,) = cursor.fetchone()
    except (DataError, IntegrityError) as error:
        # Of what the server says the first line: the others name what is in the row.
        raise CannotMove(
            _("PostgreSQL does not take a row of %(table)s (%(why)s). Nothing was changed.")
            % {"table": table, "why": str(error).partition("\n")[0]}
        ) from error
    if written != total:
        raise AssertionError(f"{written} of {total} rows of {table} were written")
    return total


def _prepared(kind: Kind, rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Rows as PostgreSQL takes them: what is JSON is no text there."""
    odd = [(at, field) for at, field in enumerate(_fields(kind)) if isinstance(field, JSONField)]
    if not odd:
        yield from rows
        return
    for row in rows:
        values = list(row)
        for at, field in odd:
            values[at] = field.get_db_prep_save(values[at], connection)
        yield tuple(values)


def _counted(
    rows: Iterable[tuple[Any, ...]], table: str, total: int, report: Report
) -> Iterator[tuple[Any, ...]]:
    for done, row in enumerate(rows, 1):
        yield row
        if not done % _BATCH:
            report(table, done, total)
    report(table, total, total)


def _number_on(kinds: list[Kind]) -> None:
    """Let new rows be numbered where SQLite would have gone on: no number is given twice."""
    with connections[_FROM].cursor() as there:
        there.execute("SELECT name, seq FROM sqlite_sequence WHERE seq > 0")
        last = dict(there.fetchall())
    with connection.cursor() as cursor:
        for kind in kinds:
            if (table := _table(kind)) in last:
                named = [table, kind._meta.pk.column, last[table]]  # noqa: SLF001
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", named)
            # What was written a moment ago counts as nothing where the audit is planned.
            cursor.execute(f"ANALYZE {table}")


def _audited(report: Report) -> int:
    """Recompute the books as they arrived; how many invariants hold. Raises CannotMove."""
    done = 0
    for check in auditing.checks():
        if not check.ok:
            raise CannotMove(
                _(
                    "The books are not in order: %(name)s (%(detail)s). They stay where they are:"
                    " nothing was changed."
                )
                % {"name": check.name, "detail": check.detail or "?"}
            )
        done += 1
        report("audit", done, done)
    return done


def _put_aside(source: Path) -> Path | None:
    """Close the log of a SQLite and give it a name nobody looks for; None where that fails."""
    kept = database.aside(source, f"{datetime.now(UTC):%Y-%m-%d-%H%M%S}")
    try:
        with connections[_FROM].cursor() as cursor:
            cursor.execute("PRAGMA journal_mode = DELETE")
        return source.rename(kept)
    except (OSError, OperationalError):
        # The instance has moved, whatever becomes of this.
        return None
