"""An edge on the database under test."""

from collections.abc import Iterator

import pytest

from tests import people
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
