"""One small interface for the two databases: raw connections, one for each thread that has one."""

import json
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

import psycopg
from django.db import connection

from mickle.lib import turn
from mickle.nods import write

Names = Mapping[str, Any]
Rows = list[tuple[Any, ...]]
Now = tuple[datetime, int]

_LOOK_EVERY_S = 0.1
_NAMED = re.compile(r"%\((\w+)\)s")
_NOW = "SELECT clock_offset_s, closed_through FROM instance_instance WHERE id = 1"
POSTGRESQL_NOW = _NOW.replace(
    "closed_through", "closed_through, extract(epoch from clock_timestamp())"
)


class Database(Protocol):
    """A connection of its own to the instance's database."""

    def query(self, text: str, names: Names) -> Rows:
        """Run a statement with `{rows}` and %(named)s values; its rows, or none."""

    def writing(self) -> AbstractContextManager[Now]:
        """One durable transaction, undone whole when it fails; its instant, as `now` says it."""

    def instant(self, at: datetime) -> Any:
        """An instant in the form the tables keep it in."""

    def now(self) -> Now:
        """The instant on the instance's clock, and the last month that is closed."""

    def hold_members(self, ids: Sequence[int]) -> None:
        """Within a transaction, keep members as they are until it ends."""

    def hold_counts(self, things: Sequence[int]) -> None:
        """Within a transaction, keep counts as they are until it ends."""

    def give(self, names: Names) -> Rows:
        """Within a transaction, insert nods and hold their members; those that are new."""

    def tell(self) -> None:
        """Within a transaction, let other processes hear that counts changed, once it is done."""

    def wait(self, timeout_s: float) -> bool:
        """Wait until something may have changed; False when nothing did in that time."""

    def close(self) -> None:
        """Give the connection back."""


def rows(values: Sequence[Sequence[object]]) -> str:
    """Rows in the form a statement's `{rows}` reads."""
    return json.dumps(values)


def connect() -> Database:
    """A new connection to the database that Django is set up for."""
    wrapper = connection
    raw = wrapper.get_new_connection(wrapper.get_connection_params())
    return _Sqlite(raw) if wrapper.vendor == "sqlite" else _Postgresql(raw)


def connect_bare() -> psycopg.Connection[Any]:
    """A new connection to PostgreSQL for who asks it without waiting."""
    raw: psycopg.Connection[Any] = connection.get_new_connection(connection.get_connection_params())
    raw.autocommit = True
    raw.execute(_FEW_ROWS)
    return raw


def is_pipelined() -> bool:
    """Whether the database takes many questions in one message."""
    return connection.vendor == "postgresql"


# What a database raises that does not answer, or refuses.
FAILURES = (psycopg.Error, sqlite3.Error)


def faulty(error: Exception) -> bool:
    """Whether what was to be written is at fault, and not the database."""
    kinds = (psycopg.DataError, psycopg.IntegrityError, sqlite3.DataError, sqlite3.IntegrityError)
    return isinstance(error, kinds)


def lost(error: Exception) -> bool:
    """Whether the connection failed, or two stood in each other's way: worth a second try.

    So is a table that was changed under a statement prepared before.
    """
    kinds = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.NotSupportedError)
    return isinstance(error, kinds)


class _Sqlite:
    """SQLite in WAL mode, as Django's settings open it: every commit is on the disk."""

    def __init__(self, raw: Any) -> None:
        # Transactions begin and end where this code says so, and nowhere else.
        raw.isolation_level = None
        # What a statement would undo is kept in memory: a batch outgrew what SQLite allows for it,
        # and a file was made and unlinked for each (measured: a third of what inserting costs).
        raw.execute("PRAGMA temp_store = MEMORY")
        self._raw = raw
        self._texts: dict[str, str] = {}
        self._seen = self._version()

    def query(self, text: str, names: Names) -> Rows:
        known = self._texts.get(text)
        if known is None:
            known = _NAMED.sub(r":\1", text.replace("{rows}", write.ROWS["sqlite"]))
            self._texts[text] = known
        found: Rows = self._raw.execute(known, names).fetchall()
        return found

    @contextmanager
    def writing(self) -> Iterator[Now]:
        with turn.TURN:
            turn.begin(self._raw, partial(self._raw.execute, "BEGIN IMMEDIATE"))
            try:
                yield self.now()
                self._raw.execute("COMMIT")
            except BaseException:
                if self._raw.in_transaction:
                    self._raw.execute("ROLLBACK")
                raise

    def instant(self, at: datetime) -> str:
        # The text that Django's models write.
        return str(at.astimezone(UTC).replace(tzinfo=None))

    def now(self) -> Now:
        ((offset_s, closed),) = self.query(_NOW, {})
        return datetime.fromtimestamp(time.time() + offset_s, UTC), closed

    def hold_members(self, ids: Sequence[int]) -> None:
        """Hold nobody: there is one writer at a time."""

    def hold_counts(self, things: Sequence[int]) -> None:
        """Hold nothing, as nobody."""

    def give(self, names: Names) -> Rows:
        return self.query(write.GIVE, names)

    def tell(self) -> None:
        """Say nothing: every other process sees the version of the file change."""

    def wait(self, timeout_s: float) -> bool:
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            version = self._version()
            if version != self._seen:
                self._seen = version
                return True
            time.sleep(_LOOK_EVERY_S)
        return False

    def _version(self) -> int:
        (found,) = self._raw.execute("PRAGMA data_version").fetchone()
        return int(found)

    def close(self) -> None:
        self._raw.close()


# Every statement here looks a few rows up, and says so: after much was loaded the planner knew
# no better than to read whole tables (measured: 264 ms a batch), and planning each batch anew cost
# more than running it.
_FEW_ROWS = """
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
SET enable_material = off; SET enable_bitmapscan = off;
SET plan_cache_mode = force_generic_plan; SET jit = off
"""


class _Postgresql:
    """PostgreSQL with values bound by the server and statements it has prepared."""

    def __init__(self, raw: Any) -> None:
        raw.autocommit = True
        raw.cursor_factory = psycopg.Cursor
        raw.prepare_threshold = 2
        raw.execute(_FEW_ROWS)
        self._raw = raw
        self._listens = self._told = False
        self._texts: dict[str, str] = {}

    def query(self, text: str, names: Names) -> Rows:
        known = self._texts.get(text)
        if known is None:
            known = self._texts[text] = text.replace("{rows}", write.ROWS["postgresql"])
        cursor = self._raw.execute(known, names)
        found: Rows = cursor.fetchall() if cursor.description is not None else []
        return found

    @contextmanager
    def writing(self) -> Iterator[Now]:
        self._told = False
        try:
            yield self._read_now(f"BEGIN; {write.HOLD_FENCE}; {POSTGRESQL_NOW}")
            self._raw.execute(f"{write.TELL}; COMMIT" if self._told else "COMMIT", prepare=False)
        except BaseException:
            # Where the connection is lost there is nothing to undo any more. The driver's own way
            # forgets what it has prepared, too: a table may have changed.
            with suppress(psycopg.Error):
                self._raw.rollback()
            raise

    def instant(self, at: datetime) -> datetime:
        return at

    def now(self) -> Now:
        return self._read_now(POSTGRESQL_NOW)

    def _read_now(self, text: str) -> Now:
        # Unprepared, several statements are one message and one answer.
        cursor = self._raw.execute(text, prepare=False)
        while cursor.nextset():
            pass
        ((offset_s, closed, clock),) = cursor.fetchall()
        return datetime.fromtimestamp(float(clock) + offset_s, UTC), closed

    def hold_members(self, ids: Sequence[int]) -> None:
        self.query(write.HOLD_MEMBERS, {"rows": rows([[one] for one in ids])})

    def hold_counts(self, things: Sequence[int]) -> None:
        self.query(write.HOLD_COUNTS, {"rows": rows([[one] for one in things])})

    def give(self, names: Names) -> Rows:
        return self.query(write.HOLD_AND_GIVE, names)

    def tell(self) -> None:
        self._told = True

    def wait(self, timeout_s: float) -> bool:
        if not self._listens:
            self._raw.execute(f"LISTEN {write.CHANNEL}")
            self._listens = True
            # What was said before nobody heard.
            return True
        return any(True for _said in self._raw.notifies(timeout=timeout_s, stop_after=1))

    def close(self) -> None:
        self._raw.close()
