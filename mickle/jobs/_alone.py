"""Who is at a job right now: a lock that goes with its process, so nobody has to guess.

On PostgreSQL an advisory lock of the session, on SQLite a lock on a file beside the database.
"""

import fcntl
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

# The first of the two numbers of PostgreSQL's lock; the second is made of the job's name.
LOCKS = 14


@contextmanager
def held(name: str) -> Iterator[bool]:
    """Hold a job as long as the block runs; False when somebody else holds it."""
    lock = _session_lock(name) if connection.vendor == "postgresql" else _file_lock(name)
    with lock as mine:
        yield mine


def is_held(name: str) -> bool:
    """Whether somebody is at it."""
    with held(name) as mine:
        return not mine


@contextmanager
def _session_lock(name: str) -> Iterator[bool]:
    # In a transaction of the caller's it goes with it: after an error nothing more can be said.
    kind = "xact_" if connection.in_atomic_block else ""
    number = zlib.crc32(name.encode()) & 0x7FFF_FFFF
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_{kind}lock(%s, %s)", [LOCKS, number])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        # A connection that broke has let go of it already.
        if mine and not kind and connection.connection is not None and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCKS, number])


@contextmanager
def _file_lock(name: str) -> Iterator[bool]:
    with Path(f"{connection.settings_dict['NAME']}-job-{name}").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            mine = False
        else:
            mine = True
        yield mine
