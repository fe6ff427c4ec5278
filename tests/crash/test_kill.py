"""Kill -9 under nods: what was answered stands, nothing stands twice, every count is its rows.

Twelve times in each run, two hundred times on each database with --long.
"""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings

from mickle.lib import months
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Nod, PastCount
from mickle.passes import passes
from mickle.settlement import past, settlement
from mickle.things import things
from mickle.things.models import Thing
from tests import people
from tests.crash.clients import SITE, Browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ROOT = Path(__file__).parents[2]
MEMBERS, THINGS, BROWSERS = 24, 12, 8
KILLS, KILLS_LONG = 12, 200
LATEST = 40
STUCK_S = 30
NOW = datetime.now(UTC)
MONTH = months.of(NOW)


def database_url() -> str:
    """The database under test, for another process."""
    facts = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{facts['NAME']}"
    host = str(facts["HOST"]).replace("/", "%2F")
    return f"postgresql://{facts['USER']}@{host}/{facts['NAME']}"


class Mortal:
    """A server that can be killed and is there again at once, on the same address."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.socket.getsockname()[1]
        kept = {name: text for name, text in os.environ.items() if not name.startswith("MICKLE_")}
        self.mother = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.serving", str(self.socket.fileno())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            pass_fds=[self.socket.fileno()],
            env=kept
            | {
                "DATABASE_URL": database_url(),
                "MICKLE_DATA": str(settings.DATA_DIR),
                "MICKLE_EDGE_REQUESTS_A_SECOND": "1000000",
                "MICKLE_EDGE_BURST": "1000000",
                "MICKLE_PASS_NODS_A_DAY": "1000000",
            },
        )
        self.process: int | None = None

    def start(self) -> None:
        self.mother.stdin.write("once more\n")
        self.mother.stdin.flush()
        self.process = int(self.mother.stdout.readline())

    def kill(self) -> None:
        os.kill(self.process, signal.SIGKILL)

    def bury(self) -> None:
        """Wait until it is gone, and what it had asked of its database is done or undone."""
        assert self.mother.stdout.readline() == "gone\n"
        self.process = None
        wait_for_the_last_statement()

    def stop(self) -> None:
        if self.process is not None:
            self.kill()
            self.bury()
        self.mother.stdin.close()
        self.mother.wait(20)
        self.mother.stdout.close()
        self.socket.close()


def wait_for_the_last_statement() -> None:
    """PostgreSQL may still commit what it was sent by a client that is gone."""
    if connection.vendor != "postgresql":
        return
    until = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute(
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            if not cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    raise AssertionError("a client that is gone holds its connection")


@pytest.fixture
def mortal() -> Iterator[Mortal]:
    here = Mortal()
    yield here
    here.stop()


def browsers(port: int, seed: int, archive: Path) -> list[Browser]:
    people.instance_at(months.text(MONTH - 1))
    members = [
        people.member(f"m{number}", funds="5.00", month=MONTH - 1) for number in range(MEMBERS)
    ]
    pages = [things.find_or_add(url=f"https://{SITE}/{n}", at=NOW) for n in range(THINGS)]
    archived(members, pages, archive)
    tokens = []
    for member in members:
        code = passes.grant(member=member, site=SITE, nonce="n", at=NOW)
        tokens.append(passes.exchange(code=code, nonce="n", at=NOW).token)
    pairs = [(member, page.id) for member in range(MEMBERS) for page in pages]
    chance = random.Random(seed)
    chance.shuffle(pairs)
    return [
        Browser(port, tokens, pairs[place::BROWSERS], random.Random(chance.random()))
        for place in range(BROWSERS)
    ]


def archived(members: list[Member], pages: list[Thing], archive: Path) -> None:
    """The month before is settled and its nods are in its archive; they count all the same."""
    owner = people.member("owner", funds="2.00", month=MONTH - 2)
    for page in pages:
        things.set_owner(thing=page, owner=owner, at=NOW)
    for place, member in enumerate(members):
        for page in pages[: 1 + place % THINGS]:
            nods.give(member=member, thing=page, at=months.start(MONTH - 1))
    with override_settings(ARCHIVE=str(archive)):
        settlement.settle(month=MONTH - 1, at=NOW)
        settlement.archive(month=MONTH - 1, at=NOW)
        assert past.let_go(month=MONTH - 1)
    assert PastCount.objects.count() == THINGS
    assert not Nod.objects.exists()


def rows() -> dict[tuple[int, int], str]:
    """The key of each nod, by the place of its member and by its thing."""
    found = {}
    for username, thing_id, key in Nod.objects.values_list("member__username", "thing_id", "key"):
        pair = int(username.removeprefix("m")), thing_id
        assert pair not in found, f"{pair} nodded twice"
        found[pair] = key
    return found


def check(crowd: list[Browser]) -> None:
    """Every answered nod is there and no other, and every count is its rows."""
    there = rows()
    for browser in crowd:
        browser.learn(there)
    known: dict[tuple[int, int], str] = {}
    for browser in crowd:
        known |= browser.stands
    assert there == known
    assert nods.wrong_counts() == []


async def live_and_die(mortal: Mortal, crowd: list[Browser], after: int, delay_s: float) -> None:
    """Everybody presses, until the server dies: a moment after it has given so many answers."""
    until = answers(crowd) + after
    async with asyncio.timeout(STUCK_S):
        await asyncio.gather(*(browser.connect() for browser in crowd))
        pressing = [asyncio.create_task(browser.press_on()) for browser in crowd]
        while answers(crowd) < until:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await asyncio.sleep(delay_s)
        mortal.kill()
        await asyncio.gather(*pressing)


def answers(crowd: list[Browser]) -> int:
    return sum(browser.answered for browser in crowd)


def test_kill_9_loses_no_answered_nod_and_doubles_none(mortal, request, tmp_path):
    kills = KILLS_LONG if request.config.getoption("--long") else KILLS
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    crowd, chance, left_open = browsers(mortal.port, seed, tmp_path), random.Random(seed), 0
    for _kill in range(kills):
        mortal.start()
        after, delay_s = chance.randint(BROWSERS, LATEST), chance.uniform(0, 0.01)
        asyncio.run(live_and_die(mortal, crowd, after, delay_s))
        mortal.bury()
        left_open += sum(browser.under_way is not None for browser in crowd)
        check(crowd)
    assert answers(crowd) >= kills * BROWSERS
    # Death came in the middle of something.
    assert left_open > kills
