"""Doing what is due, as a worker does, in the transaction of a test."""

import pytest
from django.db import connection
from django_tasks_db.management.commands import db_worker

from mickle.ops.working import Worker


def _in_a_test() -> None:
    """The queue closes what was left in a transaction, and a test may be one."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def prepare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the queue work inside a test."""
    monkeypatch.setattr(db_worker, "close_old_connections", _in_a_test)


def work() -> None:
    """Work until nothing is due."""
    while Worker().look():
        pass
