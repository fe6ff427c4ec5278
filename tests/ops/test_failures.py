"""What goes wrong beside us: disks, locks, servers. Nothing is half done, and it runs again."""

import errno
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import psycopg
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, OperationalError, ProgrammingError, connection
from django.db.migrations.exceptions import MigrationSchemaMissing

from mickle.instance.models import Month
from mickle.ledger import ledger
from mickle.ops import failures
from tests.ops.test_run import MICKLE, environment
from tests.ops.worlds import Terminal, ago, small, written
from tests.people import EUR

GIVERS = 300
POSTGRESQL = "postgresql" in settings.DATABASES["default"]["ENGINE"]


@pytest.fixture
def standing(transactional_db, capsys, tmp_path) -> Terminal:
    """A terminal at an instance whose commits are real."""
    mickle = Terminal(capsys)
    world = small()
    names = [f"giver-{number}" for number in range(GIVERS)]
    world["members"] += [{"username": name, "funds": "5.00"} for name in names]
    world["nods"] += [{"member": name, "thing": 101, "month": ago(1)} for name in names]
    assert mickle("load", written(tmp_path, world)) == 0, mickle.err
    assert mickle("close-due") == 0
    return mickle


@contextmanager
def locked() -> Iterator[None]:
    """Somebody else holds the accounts, and nobody waits long."""
    if POSTGRESQL:
        facts = connection.get_connection_params()
        names = ("host", "port", "user", "dbname")
        other = psycopg.connect(**{name: facts[name] for name in names if name in facts})
        patience, usual = "SET lock_timeout = '50ms'", "SET lock_timeout = 0"
        hold = "LOCK TABLE ledger_account IN ACCESS EXCLUSIVE MODE"
    else:
        other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        patience, usual = "PRAGMA busy_timeout = 50", "PRAGMA busy_timeout = 30000"
        hold = "BEGIN IMMEDIATE"
    try:
        other.execute(hold)
        with connection.cursor() as cursor:
            cursor.execute(patience)
        yield
    finally:
        other.close()
        with connection.cursor() as cursor:
            cursor.execute(usual)


@contextmanager
def full() -> Iterator[None]:
    """No page more fits; on PostgreSQL the words of its own error."""
    if POSTGRESQL:

        def refuse(execute, sql, params, many, context):
            if "INSERT INTO ledger_transfer" in sql:
                raise OperationalError from psycopg.errors.DiskFull("could not extend file")
            return execute(sql, params, many, context)

        with connection.execute_wrapper(refuse):
            yield
        return
    with connection.cursor() as cursor:
        # Pages that were given back would be room, too.
        cursor.execute("VACUUM")
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count = 1073741823")


def untouched() -> bool:
    return (
        not Month.objects.filter(frozen_at__isnull=False).exists()
        and ledger.total(ledger.Kind.POOL) == 0
        and ledger.total(ledger.Kind.FUNDS) == EUR("22.00") + GIVERS * EUR("5.00")
    )


@pytest.mark.parametrize(("trouble", "word"), [(locked, "locked"), (full, "The disk is full")])
def test_a_settlement_that_cannot_go_on_is_said_and_goes_on(standing, trouble, word):
    with trouble():
        said = standing.refused("settle", ago(1))
    assert word in said
    assert "Nothing is lost" in said
    assert standing("audit") == 0
    assert standing("settle", ago(1)) == 0, standing.err
    assert standing("audit") == 0


@pytest.mark.parametrize(("trouble", "word"), [(locked, "locked"), (full, "The disk is full")])
def test_a_world_that_cannot_be_written_is_not_half_there(standing, tmp_path, trouble, word):
    world = small(members=[{"username": f"m{n}", "funds": "5.00"} for n in range(400)])
    world["things"] = world["nods"] = []
    with trouble():
        assert word in standing.refused("load", written(tmp_path, world))
    assert untouched()
    assert standing("load", written(tmp_path, world)) == 0, standing.err


def said(error: BaseException, cause: BaseException | None = None) -> str:
    error.__cause__ = cause
    return failures.sentence(error)


def test_a_server_that_is_away_is_said(db):
    told = said(OperationalError("connection failed: Connection refused\n\tIs the server running?"))
    assert told == (
        "The database cannot be reached. Nothing is lost: "
        "connection failed: Connection refused Is the server running?"
    )


def test_a_server_that_no_name_leads_to_is_away(db):
    told = said(OperationalError("failed to resolve host 'db.example': [Errno -2] not known"))
    assert told.startswith("The database cannot be reached. Nothing is lost: failed to resolve")


def test_a_file_that_cannot_be_opened_is_said_with_its_folder(db):
    told = said(OperationalError("unable to open database file"))
    assert told.startswith("The database cannot be opened (unable to open database file). Nothing")
    assert str(failures._place()) in told


def test_a_role_that_may_not_is_said_with_what_to_do():
    denied = psycopg.errors.InsufficientPrivilege("permission denied for table payins_payin")
    for error, cause in (
        (ProgrammingError("permission denied for table payins_payin"), denied),
        (MigrationSchemaMissing("permission denied for schema public LINE 1"), None),
    ):
        told = said(error, cause)
        assert told.startswith("The role that DATABASE_URL names may not do this (permission")
        assert "let it own the database" in told


@pytest.mark.skipif(not POSTGRESQL, reason="SQLite keeps every letter")
def test_a_database_of_few_letters_is_refused_before_a_table_is_made(db, tmp_path):
    facts = connection.get_connection_params()
    names = ("host", "port", "user", "dbname")
    named = {name: facts[name] for name in names if name in facts}
    with psycopg.connect(**named, autocommit=True) as server:
        server.execute("CREATE DATABASE letters ENCODING LATIN1 LOCALE 'C' TEMPLATE template0")
        try:
            host = quote(facts["host"], safe="")
            url = f"postgres://{facts['user']}@{host}/letters?port={facts.get('port') or 5432}"
            done = subprocess.run(
                [*MICKLE, "clock"],
                env=environment(tmp_path) | {"DATABASE_URL": url},
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            server.execute("DROP DATABASE letters")
    assert done.returncode == 1
    assert done.stderr.startswith("The database keeps text as LATIN1, and so not every letter.")


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (OperationalError("database or disk is full"), "The disk is full"),
        (OperationalError("database is locked"), "locked"),
        (sqlite3.OperationalError("database is locked"), "locked"),
        (DatabaseError("database disk image is malformed"), "restore the newest backup"),
        (OperationalError("attempt to write a readonly database"), "may only be read"),
        (DatabaseError("file is not a database"), "The database is damaged (file is not"),
        (OSError(errno.ENOSPC, "No space left on device"), "The disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "/x: Permission denied."),
        (ImproperlyConfigured("MICKLE_X is wrong."), "MICKLE_X is wrong."),
    ],
)
def test_each_trouble_has_its_sentence(error, word):
    assert word in failures.sentence(error)


def test_no_room_for_the_index_of_sqlites_log_is_a_full_disk():
    cause = sqlite3.OperationalError("disk I/O error")
    cause.sqlite_errorname = "SQLITE_IOERR_SHMSIZE"
    assert "The disk is full" in said(OperationalError("disk I/O error"), cause)
    assert "The disk is full" in failures.sentence(cause)


def test_deadlocks_and_impatience_of_a_server_are_locks():
    for cause in (psycopg.errors.DeadlockDetected("x"), psycopg.errors.LockNotAvailable("x")):
        assert "locked" in said(OperationalError("x"), cause)
