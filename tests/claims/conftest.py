"""The web of the tests of claims, and sites where one signs in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.claims.seeing import Web
from tests.claims.signing import KNOWN
from tests.claims.sites import Sites, sites_at
from tests.people import instance_at


@pytest.fixture
def web() -> Web:
    """A web in which nothing stands yet."""
    return Web()


@pytest.fixture
def sites(db: None, tmp_path: Path, settings) -> Iterator[Sites]:
    """Sites that know this instance."""
    instance_at("2026-11")
    for name, value in KNOWN.items():
        setattr(settings, name, value)
    with sites_at(tmp_path) as found:
        yield found
