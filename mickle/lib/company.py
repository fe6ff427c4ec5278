"""Whether anybody is served from this SQLite file, whose one writer's place then has to be shared.

A process that answers requests holds a lock on a file beside the database, together with all others
that do, and loses it with its life.
"""

import fcntl
import os

from django.db import connection


def serve() -> None:
    """Say that this process serves, for as long as it lives."""
    if connection.vendor == "sqlite":
        # Never closed: the system does that when the process has ended, however it did.
        fcntl.flock(_opened(), fcntl.LOCK_SH)


def is_served() -> bool:
    """Whether a process serves from this file, this one or another; some microseconds."""
    held = _opened()
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(held)
    return False


def _opened() -> int:
    name = f"{connection.settings_dict['NAME']}-serving"
    return os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
