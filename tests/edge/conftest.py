"""An edge on the database under test."""

from collections.abc import Iterator

import pytest

from mickle.edge import _database
from mickle.edge._database import Database
from mickle.lib import months
from tests import people
from tests.edge.passed import MONTH
from tests.edge.street import Street


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
