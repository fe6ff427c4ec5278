"""What the looks at proofs look at."""

import pytest

from tests.claims.seeing import Web


@pytest.fixture
def web() -> Web:
    """A web in which nothing stands yet."""
    return Web()
