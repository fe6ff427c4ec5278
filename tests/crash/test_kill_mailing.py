"""Kill -9 of `mickle worker` while it mails: no mail twice, none lost, and it goes on by itself."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django_tasks_db.models import DBTaskResult

from mickle.instance import instance
from mickle.lib import months
from mickle.nods import nods
from mickle.notices import notices
from mickle.notices.models import Notice
from tests.crash.test_kill import database_url, wait_for_the_last_statement
from tests.notices.post_office import MOMENTS, PostOffice
from tests.people import instance_at, member, thing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

# Long beside what a loaded machine takes to run a thread.
_HEARD_WITHIN_S = 0.5
ROOT = Path(__file__).parents[2]
MICKLE = "import sys; from mickle.ops.main import main; sys.exit(main())"
MEMBERS, KILLS = 40, 3
State = Notice.State


def worker(office: PostOffice, *words: str) -> subprocess.Popen[str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("MICKLE_")}
    return subprocess.Popen(
        [sys.executable, "-c", MICKLE, "worker", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env=kept
        | office.environment
        | {
            "DATABASE_URL": database_url(),
            "MICKLE_DATA": str(settings.DATA_DIR),
            "MICKLE_MAILS_A_MINUTE": "100000",
        },
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, _nothing = process.communicate(timeout=120)
    wait_for_the_last_statement()
    return process.returncode, said


@pytest.fixture
def due() -> list[str]:
    """Members of a test instance whose nods pay nothing, two days before the month ends."""
    instance_at(months.text(months.of(instance.now())), kind="TEST")
    at = instance.now()
    month, page = months.of(at), thing("page")
    names = [f"m{n:02}@example.org" for n in range(MEMBERS)]
    for name in names:
        nods.give(member=member(name.partition("@")[0]), thing=page, at=at)
    if at < months.end(month) - timedelta(days=2):
        instance.move_clock(to=months.end(month) - timedelta(days=2))
    return names


def test_kill_9_sends_no_mail_twice_and_loses_none(due):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    deaths = [moment for moment in MOMENTS for _time in range(KILLS)]
    chance.shuffle(deaths)
    with PostOffice() as office:
        for moment in deaths:
            # It dies at this moment of one of the next mails.
            death = office.at = Death(moment, chance.randrange(2))
            process = death.process = worker(office)
            code, said = ended(process)
            assert code == -signal.SIGKILL, said
            none_twice(office)
        office.at = lambda _moment, _to: None
        # At last two at once, of which one sends.
        both = [worker(office, "--once") for _one in range(2)]
        assert [ended(one)[0] for one in both] == [0, 0]
        assert all_sent()
    none_twice(office)
    reached = {to for to, _mail in office.accepted}
    counts = notices.counts()
    doubted = {row.member.email for row in notices.unresolved()}
    assert counts[State.SENT] + counts[State.DOUBT] == MEMBERS
    # Whoever got none is known to be in doubt; before the mail was handed over there is no doubt.
    assert set(due) - reached <= doubted
    assert len(doubted) <= len(deaths)
    assert not DBTaskResult.objects.filter(status="READY").exists()


def test_a_worker_that_is_told_to_end_leaves_no_mail_in_doubt(due):
    with PostOffice() as office:
        death = office.at = Death("data", 2, signal.SIGTERM)
        process = death.process = worker(office)
        assert ended(process)[0] == 0
    counts = notices.counts()
    assert (counts[State.SENT], counts[State.WAITING]) == (3, MEMBERS - 3)
    assert len(office.accepted) == 3


def test_a_mail_server_that_hangs_keeps_no_worker_from_ending(due):
    hung = threading.Event()
    with PostOffice() as office:
        death = Death("data", 0, signal.SIGTERM)

        def at(moment: str, to: str) -> None:
            death(moment, to)
            if death.process is None:
                hung.wait(60)

        office.at = at
        process = death.process = worker(office)
        assert ended(process)[0] == 0
        # It has ended although its mail server has not answered yet.
        assert not hung.is_set()
        hung.set()
        office.at = lambda _moment, _to: None
        assert ended(worker(office, "--once"))[0] == 0
    counts = notices.counts()
    assert (counts[State.SENT], counts[State.DOUBT]) == (MEMBERS - 1, 1)
    none_twice(office)


class Death:
    """Kills the worker, or tells it to end, at a moment of a mail, once."""

    def __init__(self, moment: str, after: int, by: signal.Signals = signal.SIGKILL) -> None:
        self.moment, self.after, self.by = moment, after, by
        self.process: subprocess.Popen[str] | None = None

    def __call__(self, moment: str, _to: str) -> None:
        if moment != self.moment or self.process is None:
            return
        if self.after:
            self.after -= 1
            return
        self.process.send_signal(self.by)
        self.process = None
        # The worker hears of it when its first thread runs, which may be after its others.
        time.sleep(_HEARD_WITHIN_S)


def all_sent() -> bool:
    counts = notices.counts()
    return not counts[State.WAITING] and not counts[State.CLAIMED]


def none_twice(office: PostOffice) -> None:
    twice = {to: n for to, n in Counter(to for to, _mail in office.accepted).items() if n > 1}
    assert not twice
