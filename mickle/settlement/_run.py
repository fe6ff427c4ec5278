"""Who settles, and how far a month has come."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import months
from mickle.lib.errors import Refused
from mickle.members.models import Member
from mickle.settlement import _duckdb
from mickle.settlement._engine import Result
from mickle.settlement.models import Line, Owned, Part, Proof, Run, Split

# Held by the one who settles, so that a second settler is told instead of made to wait.
SETTLE_LOCK = 9


class NotSettled(Refused):
    """The month cannot be settled now; nothing was changed."""


class AlreadySettled(NotSettled):
    """The month was settled before; nothing was changed."""


class AnotherResult(AssertionError):
    """A run that went on came to another result than before; no more of it was posted."""


@contextmanager
def alone() -> Iterator[None]:
    """Settle alone, whichever process; raises NotSettled while somebody else does."""
    held = _session_lock() if connection.vendor == "postgresql" else _file_lock()
    with held:
        _duckdb.remove_left()
        yield


@contextmanager
def _session_lock() -> Iterator[None]:
    # In a transaction of the caller's it goes with it: after an error nothing more can be said.
    kind = "xact_" if connection.in_atomic_block else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_{kind}lock(%s)", [SETTLE_LOCK])
        if not cursor.fetchone()[0]:
            raise _somebody_else()
    try:
        yield
    finally:
        if not kind and connection.connection is not None:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [SETTLE_LOCK])


@contextmanager
def _file_lock() -> Iterator[None]:
    """A lock that goes with its process, beside the database file."""
    with Path(f"{connection.settings_dict['NAME']}-settling").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _somebody_else() from None
        yield


def _somebody_else() -> NotSettled:
    return NotSettled(_("Somebody else is settling a month right now. Nothing was changed here."))


def begin(*, month: int, at: datetime) -> Run:
    """The run of a month, begun now or before."""
    with transaction.atomic():
        # From here on what expires with it is neither released nor taken back.
        instance.take_owners()
        facts = {"began_at": at, "arrears": settings.MODE == "arrears"}
        run, _new = Run.objects.get_or_create(month=month, defaults=facts)
    return run


def note_frozen(run: Run, *, at: datetime) -> None:
    """Every spend of the month is taken in, and what counts is final."""
    with transaction.atomic():
        instance.note_frozen(month=run.month, at=at)
        go_on(run, Run.Stage.COMPUTE)


def note_result(run: Run, *, engine: str, sha256: str) -> None:
    """What is going to be posted; raises AnotherResult where something else was begun."""
    if run.result_sha256 and run.result_sha256 != sha256:
        raise AnotherResult(
            f"{months.text(run.month)} came to {sha256} now and to {run.result_sha256} before"
        )
    run.engine, run.result_sha256 = engine, sha256
    run.save(update_fields=["engine", "result_sha256"])
    go_on(run, Run.Stage.POST)


def note_done(run: Run, result: Result, *, proof_root: str, at: datetime) -> None:
    """The month is settled: all of the result is there and proved, and its pool is empty."""
    name = months.text(run.month)
    with transaction.atomic():
        # Who claims or tops up has seen the lines wait, or is seen by the release that follows.
        instance.take_owners()
        left = ledger.balance(ledger.pool(run.month))
        if left:
            raise AssertionError(f"the pool of {name} holds {left} micros after settling")
        there = [rows.objects.filter(month=run.month).count() for rows in (Split, Line)]
        if there != [result.splits, result.lines]:
            raise AssertionError(f"{name} has {there}, not {result.splits} splits, {result.lines}")
        if not Proof.objects.filter(month=run.month, root=proof_root).exclude(root="").exists():
            raise AssertionError(f"{name} has no proof of root {proof_root}")
        if not instance.note_settled(month=run.month, at=at):
            raise AssertionError(f"{name} was not frozen when it was settled")
        run.proof_root = proof_root
        run.save(update_fields=["proof_root"])
        go_on(run, Run.Stage.DONE)


def pays_later(member: Member) -> int | None:
    """The month whose run has noted the member as an owner, or part of one, and has not paid."""
    undone = Run.objects.exclude(stage=Run.Stage.DONE).values("month")
    rows = Owned.objects.filter(owner=member, receives=True, month__in=undone)
    parts = Part.objects.filter(member=member, month__in=undone)
    found = [kind.values_list("month", flat=True).first() for kind in (rows, parts)]
    return min((month for month in found if month is not None), default=None)


def go_on(run: Run, stage: Run.Stage) -> None:
    """The stage before is done."""
    run.stage = stage
    run.save(update_fields=["stage"])
