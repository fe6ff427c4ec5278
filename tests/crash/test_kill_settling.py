"""Kill -9 in the middle of settlements: each goes on, and every month is what it has to be.

A hundred times on both databases together, a thousand times on each with --long.
"""

import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.ledger.ledger import Kind
from mickle.lib import months
from mickle.members.models import Member
from mickle.nods import nods
from mickle.settlement import settlement
from mickle.things.models import Thing
from tests.crash.test_kill import database_url, wait_for_the_last_statement
from tests.people import NOVEMBER, creator, instance_at, member, thing, top_up
from tests.settlement.test_settle import all_hold

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ROOT = Path(__file__).parents[2]
MEMBERS, OWNERS, PAGES = 12, 4, 8
# A hundred in a run; one on PostgreSQL takes six times as long.
KILLS, KILLS_LONG = {"sqlite": 70, "postgresql": 30}, 1_000


class Settler:
    """Settles a month in a process of its own, which may be killed."""

    def __init__(self, *words: str) -> None:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("MICKLE_")}
        self.mother = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.settling", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=kept | {"DATABASE_URL": database_url(), "MICKLE_DATA": str(settings.DATA_DIR)},
        )
        assert self.mother.stdout.readline() == "ready\n"

    def settle(self, month: int, at: datetime, after_s: float | None = None) -> bool:
        """Begin or go on, and die after a while; True when it was done before."""
        self.mother.stdin.write(f"{month} {at.isoformat()}\n")
        self.mother.stdin.flush()
        child = int(self.mother.stdout.readline())
        if after_s is not None:
            # Not longer than it lives.
            select.select([self.mother.stdout], [], [], after_s)
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        ended = self.mother.stdout.readline().strip()
        assert ended in ("killed", "ended 0"), ended
        wait_for_the_last_statement()
        return ended == "ended 0"

    def stop(self) -> None:
        self.mother.stdin.close()
        self.mother.wait(20)
        self.mother.stdout.close()


@pytest.fixture
def settler() -> Iterator[Settler]:
    here = Settler()
    yield here
    here.stop()


def test_kill_9_loses_no_micro_and_settles_each_month_once(settler, request):
    kills = KILLS_LONG if request.config.getoption("--long") else KILLS[connection.vendor]
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    instance_at("2026-11")
    givers = [member(f"m{n}", funds="0") for n in range(MEMBERS)]
    owners = [creator(f"o{n}") for n in range(OWNERS)]
    pages = [thing(f"p{n}", chance.choice([None, *owners])) for n in range(PAGES)]
    killed, month, takes_s = 0, NOVEMBER, None
    while killed < kills:
        nod_in(month, givers, pages, chance)
        at = months.start(month + 1) + timedelta(days=4)
        began = time.monotonic()
        # The first one shows how long it takes undisturbed.
        while not settler.settle(month, at, takes_s and chance.uniform(0, takes_s)):
            killed += 1
            books()
        takes_s = takes_s or time.monotonic() - began
        assert instance.state(month) == instance.State.SETTLED
        assert ledger.balance(ledger.pool(month)) == 0
        all_hold(settlement.audit())
        month += 1
    all_hold(ledger.audit())


def nod_in(month: int, givers: list[Member], pages: list[Thing], chance: random.Random) -> None:
    at = months.start(month) + timedelta(days=2)
    for giver in givers:
        top_up(giver, f"{chance.randrange(1, 9)}.{chance.randrange(10, 100)}", month=month)
    nods.record_many(
        (month, giver.id, page.id, at, "random")
        for giver in givers
        for page in chance.sample(pages, chance.randrange(1, PAGES))
    )


def books() -> None:
    """After each death: no account is below nought, and all together are nought."""
    balances = [
        micros
        for kind in Kind
        if kind != Kind.PROVIDER
        for micros in ledger.balances(kind).values()
    ]
    assert min(balances) >= 0
    assert sum(balances) + ledger.total(Kind.PROVIDER) == 0
