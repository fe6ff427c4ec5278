"""What all tests share: a database in a file, books that can still be emptied, no net."""

import gc
import os
import socket
from collections.abc import Iterator
from itertools import chain, groupby, islice
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test.testcases import TransactionTestCase
from django.utils import translation
from hypothesis import HealthCheck, Phase
from hypothesis import settings as drawing

from tests import databases
from tests.emptying import empty
from tests.migrated import TEMPLATE, keep_one, share_on_the_server, use_template

# How fast a machine is decides no test.
drawing.register_profile("mickle", deadline=None, suppress_health_check=[HealthCheck.too_slow])
drawing.load_profile("mickle")
# For those who ask only whether a test fails, and not for the smallest way to make it.
drawing.register_profile("unshrunk", phases=[Phase.explicit, Phase.generate])

_connect = socket.socket.connect


def _only_here(sock: socket.socket, address: object) -> None:
    if sock.family != socket.AF_UNIX:
        host = str(address[0]) if isinstance(address, tuple) else str(address)
        if not (host.startswith("127.") or host in ("localhost", "::1")):
            raise AssertionError(f"a test tried to reach {host}")
    _connect(sock, address)


TransactionTestCase._fixture_teardown = lambda _case: empty()
socket.socket.connect = _only_here
settings.PASSWORD_HASHERS = ["tests.hashing.OneRound"]
# No test reads the web by the way; those that do have a web of their own.
settings.FETCH = False
os.environ["MICKLE_FETCH"] = "off"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory,
    django_db_modify_db_settings_parallel_suffix: None,
    _a_migrated_one: None,
) -> Iterator[None]:
    """Keep SQLite in a file: threads and processes then meet as they do in production."""
    shared = "PYTEST_XDIST_WORKER" in os.environ
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        shm = Path("/dev/shm")
        folder = tmp_path_factory.mktemp("db")
        name = f"mickle-test-{os.getpid()}.sqlite3"
        path = shm / name if shm.is_dir() else folder / name
        database.setdefault("TEST", {})["NAME"] = str(path)
        # Of the many different statements of a run SQLite would prepare two of three anew.
        database["OPTIONS"]["cached_statements"] = 1_000
        if shared or TEMPLATE in os.environ:
            use_template(str(path))
        yield
        # The locks beside it, of settlements and jobs, stay where a process ended.
        for lock in path.parent.glob(f"{path.name}-*"):
            lock.unlink(missing_ok=True)
    else:
        if shared:
            share_on_the_server(tmp_path_factory)
        yield


@pytest.fixture(scope="session", autouse=True)
def _a_migrated_one(tmp_path_factory: pytest.TempPathFactory) -> None:
    keep_one(tmp_path_factory)


# These bring a database of their own, so the run on PostgreSQL leaves them to the other, as it does
# what asks for none.
ONCE = {"bench", "browser", "disk", "docs", "lib", "postmaster", "seeded"}
# What meets people stands on the books: on PostgreSQL a run of all takes a third of its tests,
# each within three days, and all with --long. What moves money meets both databases in each run.
BY_TURNS = {"claims", "discovery", "notices", "web"}
# And what only reads the books.
READING = {"test_archive.py", "test_forecast.py", "test_proof_tampered.py"}
# Minutes each.
LONG = ("model", "crash", "simulation", "postmaster", "browser", "bench", "seeded")


ASKS = {"db", "transactional_db"}


def _asks_for_a_database(item: pytest.Item) -> bool:
    named: list[str] = getattr(item, "fixturenames", [])
    return item.get_closest_marker("django_db") is not None or not ASKS.isdisjoint(named)


def _room(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]


def _takes_turns(item: pytest.Item) -> bool:
    return _room(item) in BY_TURNS or item.path.name in READING


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run what does not depend on the database under test once, on SQLite's turn."""
    if config.getoption("--database") == "postgresql":
        out = {i for i in items if _room(i) in ONCE or not _asks_for_a_database(i)}
        if not databases.names_some(config):
            turns = [item for item in items if item not in out and _takes_turns(item)]
            out.update(set(turns).difference(databases.drawn(config, turns, days=3)))
        databases.leave_out(config, items, out)
    # pytest-django puts what needs no database last.
    items[:] = _dealt(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def pytest_collection_finish() -> None:
    """Keep what was collected out of the way of the garbage collector: it stays until the end.

    Of what tests make little is in circles; with its default of 700 it takes a tenth of a run.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _dealt(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """Give each worker its share of what is long, first.

    Each begins with a part of the list, and one that is idle takes from the end of another's; what
    stands first in it nobody takes.
    """
    long = [item for item in items if _room(item) in LONG]
    short = iter([item for item in items if _room(item) not in LONG])
    long.sort(key=lambda item: LONG.index(_room(item)))
    hands: list[list[pytest.Item]] = [[] for _worker in range(workers)]
    # The tests of a page share its server and its browser.
    together = groupby(long, lambda item: item.path if _room(item) == "browser" else item.nodeid)
    for turn, (_key, group) in enumerate(together):
        hands[turn % workers].extend(group)
    left = len(items)
    for place, hand in enumerate(hands):
        part = left // (workers - place)
        hand.extend(islice(short, max(0, part - len(hand))))
        left -= len(hand)
    return [*chain(*hands), *short]


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """No test finds what another kept, nor the language it spoke."""
    yield
    cache.clear()
    translation.deactivate()
