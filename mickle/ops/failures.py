"""What went wrong, in one sentence for the person at the terminal."""

import errno
import sqlite3
import traceback
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError
from django.db import Error as DatabaseError
from django.db import connection
from django.utils.translation import gettext as _

from mickle.lib.errors import Refused

# The databases' own words for: disk full (SQLite's index of its log is a file too), lock timeout,
# deadlock, being shut down.
_FULL = ("53100", "disk is full", "No space left", "SQLITE_IOERR_SHMSIZE")
_LOCKED = ("database is locked", "database table is locked", "55P03", "40P01")
# Of SQLite, and of PostgreSQL about a page or an index.
_DAMAGED = ("malformed", "not a database", "XX001", "XX002")
_UNWRITABLE = ("readonly database", "25006")
_AWAY = ("connection failed", "connection to server", "could not connect", "57P0", "resolve host")
_CLOSED = ("unable to open",)
_DENIED = ("42501", "permission denied for schema")


def sentence(error: BaseException) -> str:
    """One sentence for any failure; what nobody foresaw is logged with its traceback."""
    if isinstance(error, Refused | CommandError | ImproperlyConfigured):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return _("Stopped. What was not finished was not done.")
    if isinstance(error, DatabaseError | sqlite3.Error):
        known = _of_database(error)
        if known:
            return known
    if isinstance(error, OSError):
        return _of_system(error)
    return _unforeseen(error)


def bare(error: BaseException) -> str:
    """The same where there is no instance, so no language and no log."""
    if isinstance(error, Refused):
        return str(error)
    return f"Something unforeseen happened ({_named(error)}). Nothing was decided."


def early(error: BaseException) -> str:
    """The same before the settings could be read, so without a language and a log."""
    if isinstance(error, ImproperlyConfigured):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "Stopped. Nothing was changed."
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}. Nothing was changed."
    # The words of one about a value may hold the value, and that may be a password.
    what = type(error).__name__ if isinstance(error, ValueError) else _named(error)
    return f"The settings cannot be read ({what}). Nothing was changed."


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _of_database(error: BaseException) -> str:
    cause = error.__cause__ or error
    named = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None) or ""
    told, why = f"{error} {named}", " ".join(str(error).split())
    for signs, said in _sentences():
        if any(word in told for word in signs):
            return said % {"why": why, "folder": _place()}
    return ""


def _sentences() -> tuple[tuple[tuple[str, ...], str], ...]:
    return (
        (_FULL, _full()),
        (
            _DAMAGED,
            _(
                "The database is damaged (%(why)s). Nothing was changed by this command. Stop "
                "Mickle, keep a copy of the files as they are, and restore the newest backup."
            ),
        ),
        (
            _UNWRITABLE,
            _(
                "The database may only be read (%(why)s). Nothing is lost; see who may write in "
                "%(folder)s, or on the server, and run it again."
            ),
        ),
        (
            _CLOSED,
            _(
                "The database cannot be opened (%(why)s). Nothing is lost; see whether %(folder)s "
                "is there and who may read and write in it, and run it again."
            ),
        ),
        (
            _DENIED,
            _(
                "The role that DATABASE_URL names may not do this (%(why)s). Nothing is lost; let "
                "it own the database and all that is in it, and run it again."
            ),
        ),
        (
            _LOCKED,
            _(
                "Another process kept the database locked. Nothing is lost; "
                "run the command again when it is done."
            ),
        ),
        (_AWAY, _("The database cannot be reached. Nothing is lost: %(why)s")),
    )


def _full() -> str:
    return _("The disk is full. Nothing is lost; make room in %(folder)s and run it again.")


def _place() -> Path:
    """The folder of the SQLite file, else the data folder."""
    name = settings.DATABASES["default"].get("NAME")
    return Path(name).parent if connection.vendor == "sqlite" and name else settings.DATA_DIR


def _of_system(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _full() % {"folder": _place()}
    where = f"{error.filename}: " if error.filename else ""
    return _("%(where)s%(why)s. Nothing was changed.") % {
        "where": where,
        "why": error.strerror or str(error),
    }


def _unforeseen(error: BaseException) -> str:
    what = _named(error)
    try:
        log = settings.DATA_DIR / "mickle.log"
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n")
            file.write("".join(traceback.format_exception(error)))
    except (OSError, ImproperlyConfigured):
        return f"Something unforeseen happened ({what}). What was begun was undone."
    return _(
        "Something unforeseen happened (%(what)s); what was begun was undone and nothing is lost. "
        "The log is in %(log)s."
    ) % {"what": what, "log": log}
