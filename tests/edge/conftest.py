"""An edge on the database under test."""

import asyncio
from collections.abc import Iterator
from math import inf

import pytest

from mickle.edge import _database, _plain
from mickle.edge._database import Database
from mickle.edge._giving import Batch
from mickle.edge._judging import Judge
from mickle.edge._pipeline import Pipeline
from mickle.edge._queue import Queue
from mickle.lib import months
from tests import people
from tests.edge.passed import MONTH
from tests.edge.street import Street


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for either way by each there is: PostgreSQL needs no thread for nods alone."""
    if "either_way" in metafunc.fixturenames:
        on_postgresql = metafunc.config.getoption("--database") == "postgresql"
        ways = ["by a thread", "by none"][: 1 + on_postgresql]
        metafunc.parametrize("either_way", ways, indirect=True)


@pytest.fixture
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether a thread writes, from the first nod on."""
    if request.param == "by a thread":
        monkeypatch.setattr("mickle.edge.edge.is_pipelined", lambda: False)
    else:
        without_a_thread(monkeypatch)
    return request.param


def without_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write as to who is known, and connected, from the first nod on."""
    flush = Queue._flush

    def connected(queue: Queue) -> None:
        if queue._pipeline is None:
            queue._opens_at = inf
            queue._pipeline = Pipeline(_database.connect_bare())
        flush(queue)

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    monkeypatch.setattr(Queue, "_flush", connected)
    monkeypatch.setattr(Judge, "knows", lambda _judge, _ask: True)


@pytest.fixture
def alone() -> Iterator[Street]:
    """An edge that has no reason to ask the database."""
    here = Street()
    yield here
    here.close()


@pytest.fixture
def street(transactional_db: None, alone: Street) -> Street:
    people.instance_at()
    return alone


@pytest.fixture
def now_street(street: Street) -> Street:
    people.instance_at(months.text(MONTH))
    return street


@pytest.fixture
def alice(now_street):
    return people.member("alice", funds="5.00", month=MONTH - 1)


@pytest.fixture
def bob(now_street):
    return people.member("bob", funds="5.00", month=MONTH - 1)


@pytest.fixture
def two(now_street) -> Iterator[list[Database]]:
    """Connections of two processes."""
    both = [_database.connect(), _database.connect()]
    yield both
    for database in both:
        database.close()


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    found = asyncio.new_event_loop()
    yield found
    found.close()


@pytest.fixture
def wrote(monkeypatch) -> list[str]:
    """Who wrote each batch that was told."""
    found: list[str] = []
    write, plain = Batch.write, _plain.Plain._written

    def by_a_thread(self, *given):
        found.append("a thread")
        return write(self, *given)

    def by_none(self, said):
        found.append("none")
        return plain(self, said)

    monkeypatch.setattr(Batch, "write", by_a_thread)
    monkeypatch.setattr(_plain.Plain, "_written", by_none)
    return found
