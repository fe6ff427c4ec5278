"""`mickle archive`: once, looked at, and anew."""

import shutil

import pytest

from mickle.settlement import settlement
from mickle.settlement.models import Archive
from tests.people import EARLY_DECEMBER, NOVEMBER, creator, instance_at, member, thing
from tests.settlement.test_stages import give

# DuckDB reads the books by a connection of its own.
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_month_is_archived_looked_at_and_archived_anew(mickle, settings, tmp_path):
    settings.ARCHIVE = str(tmp_path)
    instance_at("2026-11")
    give(member("alice", funds="7.00"), thing("one", creator("bob")))
    done = settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)

    assert mickle("archive", "2026-11") == 0, mickle.err
    first = Archive.objects.get().folder
    assert mickle("archive", "2026-11", "--check") == 0
    assert first in mickle.out
    shutil.rmtree(first)
    assert mickle("archive", "2026-11") == 1
    assert "cannot be read" in mickle.err
    assert mickle("archive", "2026-11", "--anew") == 0, mickle.err
    assert Archive.objects.get().folder in mickle.out
    assert done.result_sha256 in mickle.out

    assert mickle("archive", "2026-11", "--anew", "--check") == 2
    assert "not allowed with" in mickle.err
