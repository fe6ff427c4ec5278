"""First come, first served: the order in which the threads of one process write to SQLite.

SQLite's own busy timeout is unfair: beside a busy writer others waited for seconds (measured).
Between processes nobody has an order; who waits asks often (`begin`).
"""

import sqlite3
import time
from collections import deque
from collections.abc import Callable
from threading import Lock
from types import TracebackType

from django.db import OperationalError

# SQLite itself asks after 1, 3, 8, 18, 33, 53 ms and ever more rarely, and misses one pause after
# the other of a process that writes for milliseconds and pauses for as long.
ASK_S, ASK_AT_MOST_S = 0.0002, 0.02
# A twentieth of what one has waited already.
PATIENT = 1 / 20


class Turn:
    """A lock that is had in the order in which it was asked for; not to be taken twice."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._taken = False
        self._waiting: deque[Lock] = deque()

    def take(self) -> None:
        """Wait for one's turn."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            mine = Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()

    def give(self) -> None:
        """Let the next one have it."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False

    def __enter__(self) -> None:
        self.take()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.give()


TURN = Turn()


def begin(raw: sqlite3.Connection, immediate: Callable[[], object]) -> None:
    """Begin to write, by `immediate`, as soon as another process lets; as patient as `raw` is.

    Raises what `immediate` does when the database stays locked for longer than its busy timeout.
    """
    (patience_ms,) = raw.execute("PRAGMA busy_timeout").fetchone()
    raw.execute("PRAGMA busy_timeout = 0")
    try:
        _ask(immediate, patience_ms / 1000)
    finally:
        raw.execute(f"PRAGMA busy_timeout = {patience_ms}")


def _ask(immediate: Callable[[], object], patience_s: float) -> None:
    began = time.monotonic()
    while True:
        try:
            immediate()
        except (sqlite3.OperationalError, OperationalError) as error:
            waited = time.monotonic() - began
            if not _is_busy(error) or waited >= patience_s:
                raise
            time.sleep(min(max(waited * PATIENT, ASK_S), ASK_AT_MOST_S))
        else:
            return


def _is_busy(error: Exception) -> bool:
    code = getattr(error.__cause__ or error, "sqlite_errorcode", 0)
    return bool(code & 0xFF == sqlite3.SQLITE_BUSY)
