"""A November whose clock stands still."""

import pytest

from mickle.members import members
from tests.notices.mailing import Clock
from tests.people import instance_at


@pytest.fixture
def clock(db, monkeypatch, settings) -> Clock:
    settings.BASE_URL = "https://mickle.example"
    instance_at()
    members.list_charity(slug="library", name="Library")
    return Clock(monkeypatch)
