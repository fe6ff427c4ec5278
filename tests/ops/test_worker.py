"""A worker in a process of its own, and one that is told to end in the middle of something."""

import signal
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mickle.instance import instance
from mickle.instance.models import Month
from mickle.jobs.models import Job
from mickle.ledger import ledger
from mickle.lib import chunks, months
from mickle.nods import nods
from mickle.ops.working import Worker
from mickle.settlement import settlement
from tests import people, working
from tests.migrated import begin_with_tables
from tests.notices.post_office import PostOffice
from tests.ops.test_run import MICKLE, Process, environment, run
from tests.people import MID_NOVEMBER, NOVEMBER
from tests.working import work


def worker(data: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*MICKLE, "worker", *words],
        env=environment(data),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_ends_in_order_when_told(tmp_path, number):
    begin_with_tables(tmp_path)
    process = worker(tmp_path)
    assert process.stdout.readline() == "Working (Ctrl-C ends it).\n"
    process.send_signal(number)
    said, _nothing = process.communicate(timeout=20)
    assert (process.returncode, said) == (0, "")


def test_once_does_what_is_due_and_ends(tmp_path):
    said, _nothing = (process := worker(tmp_path, "--once")).communicate(timeout=60)
    assert process.returncode == 0
    assert said.startswith(f"There was no instance in {tmp_path}/mickle.sqlite3, so an empty one")
    assert said.count("\n") == 1


def test_pages_are_served_without_a_worker(tmp_path):
    process = Process(tmp_path, "--no-worker")
    assert process.get("/")[0] == 200
    assert not list(tmp_path.glob("*-job-*"))
    assert process.end(signal.SIGTERM) == 0


@pytest.mark.slow
def test_one_process_mails_by_itself(tmp_path):
    begin_with_tables(tmp_path)
    assert run(tmp_path, "demo").returncode == 0
    end = months.end(months.of(datetime.now(UTC)))
    assert run(tmp_path, "clock", "--to", f"{end:%Y-%m-%d}").returncode == 0
    mailed = threading.Event()
    with PostOffice() as office:
        office.at = lambda moment, _to: mailed.set() if moment == "answered" else None
        process = Process(tmp_path, env=office.environment)
        assert mailed.wait(60)
        assert process.end(signal.SIGTERM) == 0, process.said
    assert office.accepted
    assert "Traceback" not in process.said


@pytest.fixture
def ended_november(db, monkeypatch):
    """A November that is due to be settled, in ranges of one member each."""
    people.instance_at()
    working.prepare(monkeypatch)
    for size in ("FIRST", "FEWEST", "MOST"):
        monkeypatch.setattr(chunks, size, 1)
    for number in range(6):
        giver = people.member(f"m{number}", funds="5.00")
        page = people.thing(f"p{number}")
        nods.give(member=giver, thing=page, at=MID_NOVEMBER)
    settlement.close_due(at=months.end(NOVEMBER))
    monkeypatch.setattr(instance, "now", lambda: months.end(NOVEMBER) + timedelta(days=3))


def test_a_settlement_that_is_told_to_end_goes_on_at_the_next_run(ended_november, monkeypatch):
    settle, stops = settlement.settle, []

    def told_after(count: int) -> Worker:
        """A worker that is told to end after so many steps of the settlement."""
        here, left = Worker(), [count]

        def settled(**names):
            report = names.pop("report")

            def step(*progress):
                left[0] -= 1
                if not left[0]:
                    here.stop()
                    stops.append(progress[0])
                report(*progress)

            return settle(**names, report=step)

        monkeypatch.setattr(settlement, "settle", settled)
        return here

    for count in range(1, 12):
        told_after(count).look()
        assert Job.objects.get(name="settle-months").done_at is None
        assert not Month.objects.get().settled_at
    assert len(set(stops)) > 2
    monkeypatch.setattr(settlement, "settle", settle)
    work()
    assert Month.objects.get().settled_at
    assert Job.objects.get(name="settle-months").failures == 0
    assert all(check.ok for check in [*settlement.audit(), *ledger.audit()])


def test_a_stop_waits_for_the_step_that_is_under_way(monkeypatch):
    begun, go, done = threading.Event(), threading.Event(), []

    def look(_worker: Worker) -> bool:
        begun.set()
        go.wait(10)
        done.append(True)
        return True

    monkeypatch.setattr(Worker, "look", look)
    here = Worker()
    here.start()
    assert begun.wait(10)
    threading.Timer(0.1, go.set).start()
    here.stop()
    assert not here.is_alive()
    assert done == [True]


def test_a_worker_comes_soon_to_what_somebody_waits_for(monkeypatch):
    looks, waits = threading.Event(), threading.Event()
    rounds = []

    def look(_worker: Worker) -> bool:
        rounds.append(waits.is_set())
        if rounds[-1]:
            waits.clear()
            looks.set()
        return False

    monkeypatch.setattr(Worker, "look", look)
    monkeypatch.setattr("mickle.ops.working.SOON_S", 0.01)
    monkeypatch.setattr("mickle.ops.working.EVERY_S", 3_600)
    monkeypatch.setattr("mickle.ops.deeds.proofs_to_look_at", lambda _at: waits.is_set())
    monkeypatch.setattr(instance, "now", lambda: MID_NOVEMBER)
    one = Worker()
    one.start()
    try:
        waits.set()
        assert looks.wait(30)
    finally:
        one.stop()
    # Once at the start, and then not until somebody waited.
    assert rounds in ([False, True], [True])
