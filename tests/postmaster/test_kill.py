"""Kill -9 of PostgreSQL itself, all of it, under writers: what was answered is there, once.

Twenty times in each run, three hundred times with --long; half of them while a month settles.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests import databases

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
KILLS, KILLS_LONG = 10, 150
MOST_S = 0.5
# One month, beside the writers.
MONTH_S = 60


@pytest.fixture
def server() -> Iterator[databases.Server]:
    """A database of its own, whose commits wait for the disk."""
    found = databases.Server(durable=True)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def writers(
    server: databases.Server, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[subprocess.Popen[str]]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("MICKLE_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.postmaster.writing", *getattr(request, "param", ())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=kept | {"DATABASE_URL": server.url, "MICKLE_DATA": str(tmp_path)},
    )
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()


def backends(postmaster: int) -> list[int]:
    """The processes of a server, as the system names them."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
    return [int(child) for child in children.split()]


def kill(server: databases.Server) -> None:
    """Kill every process of it at once, and wait until none is left."""
    processes = [server.process.pid, *backends(server.process.pid)]
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    server.process.wait()
    # What is left of its memory would stop the next one.
    while any(Path(f"/proc/{process}/exe").exists() for process in processes):
        time.sleep(0.01)
    server.log.close()


def answered(writers: subprocess.Popen[str], what: str = "books") -> int:
    """How many top-ups were answered so far; all of them are in the books."""
    writers.stdin.write(f"{what}\n")
    writers.stdin.flush()
    said = writers.stdout.readline()
    assert said.startswith("ok "), said
    return int(said.split()[1])


def kill_again_and_again(
    server: databases.Server, writers: subprocess.Popen[str], request: pytest.FixtureRequest
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    before = 0
    for _kill in range(KILLS_LONG if request.config.getoption("--long") else KILLS):
        time.sleep(chance.uniform(0, MOST_S))
        kill(server)
        server.start()
        now = answered(writers)
        assert now >= before
        before = now
    assert answered(writers, "audit") > KILLS


def test_what_was_answered_before_the_server_died_is_there_once(server, writers, request):
    kill_again_and_again(server, writers, request)


@pytest.mark.parametrize("writers", [["--settling"]], indirect=True)
def test_a_settlement_goes_on_whenever_the_server_died(server, writers, request):
    kill_again_and_again(server, writers, request)
    settled, until = answered(writers, "months"), time.monotonic() + MONTH_S
    # Nothing is in its way that a death has left.
    while answered(writers, "months") == settled:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert answered(writers, "audit") > KILLS
