"""What killed settlements and archives left in the data folder goes with the next one."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from mickle.settlement import _archive, _duckdb, _spark, settlement
from mickle.settlement.models import Archive
from tests.lib.test_leftovers import killed
from tests.people import EARLY_DECEMBER, NOVEMBER
from tests.settlement import test_same_bytes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def data(settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    settings.ARCHIVE = str(tmp_path / "archive")
    return settings.DATA_DIR


def archive() -> settlement.Archived:
    return settlement.archive(month=NOVEMBER, at=EARLY_DECEMBER)


def test_a_settlement_removes_what_killed_ones_left(data):
    files = data / "spark" / "0f"
    files.mkdir(parents=True)
    (files / "s_nod.parquet").touch()
    killed(data)
    killed(data, str(files))
    test_same_bytes.world()
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert list(data.rglob("*")) == [data / "spark"]


def test_an_archive_that_was_killed_half_way_goes_and_a_whole_one_stays(data):
    half = Path(settings.ARCHIVE) / "2026-11-0123456789ab"
    half.mkdir(parents=True)
    (half / "nods.parquet").touch()
    killed(data, str(half))
    test_same_bytes.world()
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert not half.exists()
    done = archive()
    # Killed after the row was written, and before anything else.
    killed(data, done.folder)
    _duckdb.remove_left()
    assert list(data.iterdir()) == []
    assert settlement.check_archive(month=NOVEMBER) == done


def test_what_is_at_work_is_seen_by_nobody_who_removes(data, monkeypatch):
    """Each of its folders stands in the middle of it."""

    def tidies_before(deed: Callable) -> Callable:
        def wrapped(*said, **named):
            _duckdb.remove_left()
            return deed(*said, **named)

        return wrapped

    for room, name in ((_duckdb, "read"), (_archive, "_checked"), (subprocess, "Popen")):
        monkeypatch.setattr(room, name, tidies_before(getattr(room, name)))
    test_same_bytes.world()
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER, engine="duckdb")
    done = archive()
    assert Path(done.folder).is_dir()
    assert Archive.objects.get().folder == done.folder
    assert list(data.iterdir()) == []


def test_what_spark_reads_is_noted_before_it_is_written(data, monkeypatch):
    noted = []

    def export(_inputs: object, folder: str) -> None:
        held = [path.read_text() for path in data.glob("duckdb-*/held")]
        noted.extend(json.loads(text)[0] == folder for text in held)
        raise OSError("no room")

    monkeypatch.setattr(_duckdb, "export", export)
    with pytest.raises(OSError, match="no room"), _spark.opened({}):
        raise AssertionError
    assert noted == [True]
    assert list(data.iterdir()) == []
