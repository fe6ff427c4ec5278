"""The door of the room: ask for a job, perform it, and forget what is long done."""

import logging
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_tasks.base import Task, TaskResultStatus
from django_tasks_db.models import DBTaskResult

from mickle.instance import instance
from mickle.jobs import _alone
from mickle.jobs.models import Job
from mickle.lib.errors import NeedsAPerson, Refused

# A job is not asked for again sooner than this after it was.
RESTS = timedelta(minutes=1)
# A job that fails is tried again after 1, 2, 4 ... minutes, and at least once an hour.
LONGEST_WAIT = timedelta(hours=1)
KEPT = timedelta(days=14)
_WHY_LENGTH = 300
_ADDRESS = re.compile(r"[^\s<>\"'(]+@[^\s<>\"')]+")

# Set by who works, so that a long job can be told to end between two of its steps.
_end: ContextVar[Event | None] = ContextVar("end", default=None)

log = logging.getLogger(__name__)


class Failed(Exception):
    """A job failed; the sentence stands in its row, and the job is tried again."""


class Told(Exception):
    """The worker was told to end; what was begun goes on at the next run."""


def works_until(end: Event) -> None:
    """Let the jobs of this thread ask an event whether they have to end."""
    _end.set(end)


def told_to_end() -> bool:
    """Whether a job that could go on later has to stop now."""
    end = _end.get()
    return end is not None and end.is_set()


def go_on(*_progress: object) -> None:
    """Raise Told when the worker has to end; called between the steps of long work."""
    if told_to_end():
        raise Told


def ask(*, name: str, task: Task[..., Any], at: datetime, rests: timedelta = RESTS) -> bool:
    """Put a job into the queue, unless it stands there, is under way, rests or waits to be tried.

    The row of the job decides: of two who ask at once, one has asked.
    """
    row = Job.objects.filter(name=name).first()
    if row is None:
        Job.objects.bulk_create([Job(name=name)], ignore_conflicts=True)
        row = Job.objects.get(name=name)
    if not _may_be_asked(row, at, rests):
        return False
    with transaction.atomic():
        asked = task.enqueue(name)
        rows = Job.objects.filter(name=name, result_id=row.result_id)
        if not rows.update(result_id=uuid.UUID(asked.id), asked_at=at):
            # Somebody else has asked since.
            transaction.set_rollback(True)
            return False
    return True


def _may_be_asked(row: Job, at: datetime, rests: timedelta) -> bool:
    # What waits for longer was put off before the clock was set back.
    if row.try_at is not None and at < row.try_at <= at + LONGEST_WAIT:
        return False
    if row.result_id is None:
        return True
    return not _rests(row, at, rests) and not _is_live(row, row.result_id)


def _rests(row: Job, at: datetime, rests: timedelta) -> bool:
    """What was done rests; what failed and what a dead worker left does not."""
    if row.failures or row.asked_at is None or row.done_at is None:
        return False
    # What was asked for later than now was asked for before the clock was set back.
    return row.asked_at <= row.done_at and row.asked_at <= at < row.asked_at + rests


def _is_live(row: Job, result_id: uuid.UUID) -> bool:
    """Whether what was asked last is still to be done; what a dead worker left is not."""
    rows = DBTaskResult.objects.filter(id=result_id)
    status = rows.values_list("status", flat=True).first()
    if status == TaskResultStatus.READY or _alone.is_held(row.name):
        return True
    # Its worker ended without a word. A job finds out from the tables what is left to do.
    rows.filter(status=TaskResultStatus.RUNNING).update(
        status=TaskResultStatus.FAILED,
        finished_at=timezone.now(),
        traceback="The worker ended while it was at it.",
    )
    return False


def perform(*, name: str, deed: Callable[[datetime], object]) -> None:
    """Do a job now and note how it ended; raises Failed, in a sentence without secrets.

    Nothing is done while somebody else is at the same job.
    """
    with _alone.held(name) as mine:
        if not mine:
            return
        at = instance.now()
        try:
            deed(at)
        except Told:
            return
        except NeedsAPerson as error:
            raise Failed(_note_failure(name, error)) from None
        except Refused as refused:
            # Nothing is wrong; it cannot be done just now.
            log.info("%s: %s", name, refused)
            _note(name, why=str(refused)[:_WHY_LENGTH], try_at=at + RESTS)
            return
        except Exception as error:  # noqa: BLE001 - the worker works on, whatever happened here
            raise Failed(_note_failure(name, error)) from None
        _note(name, done_at=instance.now(), failures=0, why="", try_at=None)


def _note_failure(name: str, error: Exception) -> str:
    why = sentence(error)
    log.error("%s failed: %s", name, why)
    row = Job.objects.filter(name=name).first()
    failures = (row.failures if row is not None else 0) + 1
    _note(name, failures=failures, why=why, try_at=instance.now() + _wait(failures))
    return why


def sentence(error: Exception) -> str:
    """What went wrong in one line, without anybody's address."""
    first = next(iter(str(error).splitlines()), "").strip()
    kind = type(error)
    # What a room of ours raises says what happened; anything else says at least what it is.
    named = "" if kind.__module__.startswith("mickle.") and first else f"{kind.__name__}: "
    return f"{named}{_ADDRESS.sub('…', first)}"[:_WHY_LENGTH]


def _wait(failures: int) -> timedelta:
    return min(timedelta(minutes=2 ** min(failures - 1, 10)), LONGEST_WAIT)


def _note(name: str, **facts: object) -> None:
    if not Job.objects.filter(name=name).update(**facts):
        Job.objects.bulk_create([Job(name=name, **facts)], ignore_conflicts=True)


def troubled() -> set[str]:
    """The jobs whose last run failed or was refused."""
    return set(Job.objects.exclude(why="").values_list("name", flat=True))


def failing() -> set[str]:
    """The jobs whose last run failed."""
    return set(Job.objects.filter(failures__gt=0).values_list("name", flat=True))


def note_nothing_due(*, name: str) -> None:
    """What failed or was refused no longer has to be done; somebody else may have done it."""
    _note(name, failures=0, why="", try_at=None)


def waiting() -> int:
    """How many jobs stand in the queue."""
    return DBTaskResult.objects.filter(status=TaskResultStatus.READY).count()


def prune() -> int:
    """Forget what the queue finished more than 14 days ago; returns how many rows."""
    old = timezone.now() - KEPT
    done = DBTaskResult.objects.finished().filter(finished_at__lte=old)
    return int(done.delete()[0])
