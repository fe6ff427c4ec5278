"""A power cut in a settlement on SQLite: the end of the log is gone, whoever wrote it."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connection

from mickle.settlement import _proof
from tests.crash.dying import picture_to_the_root
from tests.crash.test_dying import settle, world

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps a log of its own"),
]

# A frame of SQLite's log: its head and a page of 4,096 bytes; the log has a head as well.
HEAD, FRAME = 32, 24 + 4096
CUTS = 12


@pytest.fixture
def file() -> Iterator[Path]:
    """The database's file, whose log nobody empties meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_autocheckpoint = 0")
    yield Path(connection.settings_dict["NAME"])
    connection.close()


def _put(file: Path, base: bytes, log: bytes) -> None:
    """Begin as a machine does that comes up with this on its disk."""
    connection.close()
    file.write_bytes(base)
    Path(f"{file}-wal").write_bytes(log)
    Path(f"{file}-shm").unlink(missing_ok=True)


def _left(log: bytes) -> Iterator[bytes]:
    """What a power cut may leave: the log up to a frame or into one, or one without a frame."""
    frames = (len(log) - HEAD) // FRAME
    for cut in range(CUTS):
        end = HEAD + frames * cut // CUTS * FRAME
        yield log[:end]
        yield log[: end + FRAME // 2]
        yield log[:end] + bytes(FRAME) + log[end + FRAME :]


def test_a_settlement_goes_on_after_a_power_cut_anywhere(file, monkeypatch):
    alike = SimpleNamespace(token_hex=lambda size: "5a" * size)
    monkeypatch.setattr(_proof, "secrets", alike)
    bob = world()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base = file.read_bytes()
    settle(bob)
    undisturbed, log = picture_to_the_root(), Path(f"{file}-wal").read_bytes()
    assert len(log) > HEAD + CUTS * FRAME
    for left in _left(log):
        _put(file, base, left)
        settle(bob)
        assert picture_to_the_root() == undisturbed
