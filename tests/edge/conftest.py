"""An edge on the database under test."""

from collections.abc import Iterator

import pytest

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
