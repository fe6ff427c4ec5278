"""The queue holds a job once, whoever asks and however a worker ends."""

import logging
from datetime import timedelta
from threading import Barrier

import pytest
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from mickle.instance import instance
from mickle.jobs import _alone, jobs
from mickle.jobs.models import Job
from mickle.lib.errors import NeedsAPerson, Refused
from mickle.ops.deeds import do
from tests.concurrency.together import together
from tests.people import MID_NOVEMBER, instance_at

NAME = "keep-house"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is moved."""
    instance_at()
    at = [MID_NOVEMBER]
    monkeypatch.setattr(instance, "now", lambda: at[0])

    def moved(by: timedelta) -> None:
        at[0] += by

    return moved


def ask() -> bool:
    return jobs.ask(name=NAME, task=do, at=instance.now())


def performed(deed) -> None:
    """As a worker does what stands in the queue."""
    row = DBTaskResult.objects.get(status=TaskResultStatus.READY)
    row.claim("worker")
    try:
        jobs.perform(name=NAME, deed=deed)
    except jobs.Failed as failed:
        row.set_failed(failed)
    else:
        row.set_successful(None)


@pytest.mark.django_db
def test_a_job_stands_in_the_queue_once_however_long_nobody_works(clock):
    assert ask()
    for _day in range(31):
        clock(timedelta(days=1))
        assert not ask()
    assert DBTaskResult.objects.count() == 1


@pytest.mark.django_db
def test_a_job_that_was_done_rests_for_a_minute(clock):
    ask()
    performed(lambda _at: None)
    assert not ask()
    clock(MINUTE)
    assert ask()


@pytest.mark.django_db
def test_a_job_that_fails_is_tried_again_after_longer_and_longer(clock, caplog):
    def broken(_at):
        raise ValueError("no luck")

    waits = []
    for _try in range(9):
        assert ask()
        performed(broken)
        row = Job.objects.get()
        waits.append((row.try_at - instance.now()) // MINUTE)
        assert not ask()
        clock(row.try_at - instance.now())
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert (row.failures, row.why) == (9, "ValueError: no luck")
    assert ask()
    performed(lambda _at: None)
    row.refresh_from_db()
    assert (row.failures, row.why, row.try_at) == (0, "", None)


@pytest.mark.django_db
def test_a_clock_that_was_set_back_puts_no_job_off(clock, caplog):
    def broken(_at):
        raise ValueError("no luck")

    ask()
    performed(lambda _at: None)
    clock(timedelta(days=-1))
    assert ask()
    performed(broken)
    clock(timedelta(days=-1))
    assert ask()


@pytest.mark.django_db
def test_a_job_that_is_refused_has_not_failed(clock):
    def refused(_at):
        raise Refused("Somebody else settles.")

    ask()
    performed(refused)
    row = Job.objects.get()
    assert (row.failures, row.done_at, row.why) == (0, None, "Somebody else settles.")
    assert not ask()
    clock(MINUTE)
    assert ask()


@pytest.mark.django_db
def test_a_job_that_is_refused_until_a_person_looks_has_failed(clock, caplog):
    def wrong(_at):
        raise NeedsAPerson("The two do not agree.")

    waits = []
    for _try in range(3):
        assert ask()
        performed(wrong)
        waits.append((Job.objects.get().try_at - instance.now()) // MINUTE)
        clock(Job.objects.get().try_at - instance.now())
    row = Job.objects.get()
    assert (row.failures, waits) == (3, [1, 2, 4])
    assert row.why.endswith("The two do not agree.")
    assert {record.levelname for record in caplog.records} == {"ERROR"}


@pytest.mark.django_db
def test_what_a_dead_worker_left_is_asked_for_at_once(clock):
    ask()
    DBTaskResult.objects.get().claim("a worker that is killed now")
    assert ask()
    states = DBTaskResult.objects.order_by("enqueued_at").values_list("status", flat=True)
    assert list(states) == [TaskResultStatus.FAILED, TaskResultStatus.READY]


@pytest.mark.django_db(transaction=True)
def test_what_somebody_is_at_is_not_asked_for_and_not_done_beside_them(clock):
    ask()
    DBTaskResult.objects.get().claim("a worker that lives")
    with _alone.held(NAME) as mine:
        assert mine
        assert together(1, lambda _client: ask()) == [False]
        done = []
        together(1, lambda _client: jobs.perform(name=NAME, deed=done.append))
        assert done == []
        # Nor when the queue has nothing to say about it any more.
        DBTaskResult.objects.update(status=TaskResultStatus.SUCCESSFUL)
        assert together(1, lambda _client: ask()) == [False]
    assert ask()


@pytest.mark.django_db(transaction=True)
def test_of_many_who_ask_at_once_one_has_asked(clock, monkeypatch):
    may_be_asked, all_have_looked = jobs._may_be_asked, Barrier(8, timeout=20)

    def together_with_the_others(*said: object) -> bool:
        found = may_be_asked(*said)
        all_have_looked.wait()
        return found

    monkeypatch.setattr(jobs, "_may_be_asked", together_with_the_others)
    assert sorted(map(bool, together(8, lambda _client: ask()))) == [False] * 7 + [True]
    assert DBTaskResult.objects.count() == 1


@pytest.mark.django_db
def test_who_is_told_to_end_leaves_the_rest_for_the_next_run(clock, caplog):
    def long(_at):
        raise jobs.Told

    ask()
    with caplog.at_level(logging.INFO, logger="mickle"):
        performed(long)
    assert caplog.records == []
    assert Job.objects.get().done_at is None
    assert ask()


@pytest.mark.django_db
def test_what_was_finished_long_ago_is_forgotten(clock):
    ask()
    performed(lambda _at: None)
    assert jobs.prune() == 0
    DBTaskResult.objects.update(finished_at=timezone.now() - timedelta(days=15))
    assert jobs.prune() == 1
    clock(MINUTE)
    assert ask()


def test_a_sentence_about_an_error_names_nobody():
    error = ValueError("<olga@example.org> and bob.b+x@example.co.uk\nsecret second line")
    assert jobs.sentence(error) == "ValueError: <…> and …"
