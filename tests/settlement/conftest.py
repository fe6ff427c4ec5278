"""Small ranges and blocks for the proof of a month."""

import pytest

from mickle.lib import chunks
from mickle.settlement import _hashing, _tree


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trees of a few members have several blocks, ranges and transactions."""
    monkeypatch.setattr(_tree, "BLOCK", 4)
    monkeypatch.setattr(_tree, "_AT_ONCE", 1)
    monkeypatch.setattr(_hashing, "MEMBERS", 3)


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every range is one key."""
    for name in ("FIRST", "FEWEST", "MOST"):
        monkeypatch.setattr(chunks, name, 1)
