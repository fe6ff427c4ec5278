"""Long work in short transactions: ranges of a key, sized so that nobody else waits long.

A range is read before a lock is taken and written in a transaction of its own, so that what is
done stays done, and others write in between.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.db import connection, transaction

from mickle.lib import company

# SQLite has one writer at a time, and a nod beside it is to take twice as long at most; PostgreSQL
# locks the rows that are written, and no others.
LOCKED_S = {"sqlite": 0.002, "postgresql": 0.5}
# Where nobody is served from SQLite: a command, which has thirty seconds, finds its way between.
UNSERVED_S, UNSERVED_PAUSE = 0.1, 1 / 20
PAUSE_AT_MOST_S = 0.1
# What a range costs whatever is in it, its statements and its commit, is most of it with fewer.
FIRST, FEWEST, MOST = 100, 25, 100_000


class Range(NamedTuple):
    """The keys above one and up to another."""

    after: int
    upto: int


Report = Callable[[str, int, int], None]


def untold(_label: str, _done: int, _total: int) -> None:
    """Tell nobody how far it is."""


def walk(
    keys: str, write: Callable[[Range], int], *, label: str = "", report: Report = untold
) -> int:
    """Write each range of the keys that a SELECT of one column `k` gives; the sum of what it did.

    Safe to run again if `write` is. The keys are whole numbers above nought, each at most once.
    """
    total = _count(keys)
    if not total:
        return 0
    with durable_together():
        return _walk(keys, write, total, label, report)


def _walk(keys: str, write: Callable[[Range], int], total: int, label: str, report: Report) -> int:
    done = seen = after = 0
    size = FIRST
    while True:
        # To the end, however many have come or gone since they were counted.
        upto, rows = _next(keys, after, size)
        if upto is None:
            break
        with transaction.atomic():
            began = time.perf_counter()
            done += write(Range(after, upto))
        took_s = time.perf_counter() - began
        size = _size(size, took_s)
        let_others(took_s)
        after = upto
        seen += rows
        report(label, seen, total)
    return done


@contextmanager
def durable_together() -> Iterator[None]:
    """On SQLite wait for the disk once, when this ends, and not for each range with the lock held.

    Its log is one file in the order of commits. Whoever commits meanwhile and waits for the disk
    has these there too, and a power cut takes the last of what was written, whoever wrote it: what
    it leaves is what a kill at that moment would have left.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous = NORMAL")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous = FULL")
    # SQLite locks its other two files: to close one of those here would let all locks go.
    log = os.open(f"{connection.settings_dict['NAME']}-wal", os.O_RDWR)
    try:
        os.fdatasync(log)
    finally:
        os.close(log)


def let_others(took_s: float) -> None:
    """Leave the one writer's place of SQLite free for as long as it was held.

    Another process asks for it again and again, and never finds it free beside one who is quick.
    """
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        pause = 1 if company.is_served() else UNSERVED_PAUSE
        time.sleep(min(took_s, PAUSE_AT_MOST_S) * pause)


def _locked_s() -> float:
    """How long a range may hold others up."""
    if connection.vendor == "sqlite" and not company.is_served():
        return UNSERVED_S
    return LOCKED_S[connection.vendor]


def _count(keys: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM ({keys}) q")
        return int(cursor.fetchone()[0])


def _next(keys: str, after: int, size: int) -> tuple[int | None, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT MAX(k), COUNT(*) FROM"
            f" (SELECT k FROM ({keys}) q WHERE k > %s ORDER BY k LIMIT %s) r",
            [after, size],
        )
        upto, rows = cursor.fetchone()
        return upto, rows


def _size(size: int, took_s: float) -> int:
    """How many should take as long as a lock may be held; at most twice, at least half as many."""
    wanted = size * _locked_s() / max(took_s, 1e-6)
    return int(min(max(wanted, size / 2, FEWEST), size * 2, MOST))
