"""A settled month in files: computed again from them to the byte, and nothing less is believed."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import OperationalError

from mickle.instance import instance
from mickle.lib import files
from mickle.nods.models import Nod
from mickle.ops import deeds
from mickle.settlement import _archive, _at_hand, _duckdb, _others, settlement
from mickle.settlement.models import Archive, Run, Spend
from tests import working
from tests.people import EARLY_DECEMBER, NOVEMBER, creator, instance_at, member, thing
from tests.settlement import test_same_bytes
from tests.settlement.test_stages import give

pytestmark = pytest.mark.django_db(transaction=True)
Write = Callable[[], settlement.Archived]


@pytest.fixture
def folder(settings, tmp_path: Path) -> Path:
    settings.ARCHIVE = str(tmp_path / "it's an archive")
    return tmp_path / "it's an archive"


@pytest.fixture
def settled(folder: Path) -> settlement.Settled:
    """A small month with weights, and something that waits."""
    instance_at("2026-11")
    alice, bob = member("alice", funds="2.01"), creator("bob")
    give(alice, thing("one", bob), thing("two", bob), thing("nobody's"))
    give(bob, thing("taken"))
    Nod.objects.filter(member=bob).update(weight=3, source="test")
    return settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)


def archive() -> settlement.Archived:
    return settlement.archive(month=NOVEMBER, at=EARLY_DECEMBER)


def check() -> settlement.Archived:
    return settlement.check_archive(month=NOVEMBER)


def rows(name: str) -> list[tuple[object, ...]]:
    """What stands in a file of the archive."""
    path = f"{Archive.objects.get().folder}/{name}.parquet"
    with _duckdb.empty() as there:
        return there.execute(f"SELECT * FROM {_duckdb.parquet(path)}").fetchall()


def test_a_month_is_computed_again_from_its_files_alone(folder):
    test_same_bytes.world()
    done = settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    archived = archive()
    Nod.objects.all().delete()
    Spend.objects.all().delete()
    assert check() == archived
    assert archived.result_sha256 == done.result_sha256
    assert archived.rows["nods"] > done.nods > 1_000
    [there] = folder.iterdir()
    assert str(there) == archived.folder
    assert archived.size_bytes == sum(path.stat().st_size for path in there.glob("*.parquet"))


def test_it_holds_every_nod_in_order_of_members(settled):
    archive()
    found = rows("nods")
    assert [row[:3] for row in found] == sorted(row[:3] for row in found)
    kept = {
        (nod.month, nod.member_id, nod.thing_id, nod.weight, nod.at, nod.source, nod.void)
        for nod in Nod.objects.all()
    }
    assert {(*row[:4], row[4].replace(tzinfo=UTC), *row[5:7]) for row in found} == kept
    assert {row[6] for row in found} >= {""}
    assert {(row[0], row[1]) for row in rows("spends")} == {
        (spend.member_id, spend.amount_micros) for spend in Spend.objects.all()
    }


def test_a_place_that_is_named_like_a_column_is_a_place_as_any_other(settled, settings, tmp_path):
    settings.ARCHIVE = str(tmp_path / "month=5" / "member=7")
    archive()
    assert {row[0] for row in rows("nods")} == {NOVEMBER}
    left = Counter(Nod.objects.values_list("member_id", flat=True))
    assert {row[0] for row in _archive.nods_of(NOVEMBER, left)} == left.keys()


def test_it_is_written_once(settled):
    first = archive()
    row = Archive.objects.get()
    assert archive() == first
    assert Archive.objects.get().manifest_sha256 == row.manifest_sha256


@pytest.mark.parametrize("name", ["nods.parquet", "spends.parquet", "things.parquet", "month.json"])
def test_one_changed_bit_is_found(settled, name):
    archive()
    path = Path(Archive.objects.get().folder) / name
    text = bytearray(path.read_bytes())
    text[len(text) // 2] ^= 1
    path.write_bytes(text)
    with pytest.raises(settlement.NoArchive, match=rf"{name} differs"):
        check()
    with pytest.raises(settlement.NoArchive, match="restore the file"):
        archive()


def test_the_clock_archives_what_was_settled(settled, settings, monkeypatch):
    working.prepare(monkeypatch)
    monkeypatch.setattr(instance, "now", lambda: EARLY_DECEMBER)
    settings.ARCHIVE, place = "", settings.ARCHIVE
    working.work()
    assert not Archive.objects.exists()
    settings.ARCHIVE = place
    working.work()
    assert settlement.archive(month=NOVEMBER, at=EARLY_DECEMBER) == check()
    assert deeds.months_to_archive(EARLY_DECEMBER) is False


def test_a_file_that_is_gone_is_said(settled):
    archive()
    (Path(Archive.objects.get().folder) / "spends.parquet").unlink()
    with pytest.raises(settlement.NoArchive, match="cannot be read"):
        check()


def test_a_month_that_was_posted_otherwise_is_found(settled):
    archive()
    Run.objects.update(result_sha256="0" * 64)
    with pytest.raises(settlement.NoArchive, match="is not what was posted"):
        check()


def test_what_does_not_come_back_as_it_was_written_is_no_archive(settled, folder, monkeypatch):
    """A nod that is lost on the way to the file."""
    read = _duckdb.read

    def loses(there: object, source: object, into: str, select: str) -> None:
        lost = f"SELECT * FROM ({select}) l WHERE thing <> (SELECT MAX(thing_id) FROM nods_nod)"
        read(there, source, into, lost if "COPY" in into and "nods_nod" in select else select)

    monkeypatch.setattr(_duckdb, "read", loses)
    with pytest.raises(settlement.NoArchive, match=r"nods\.parquet differs"):
        archive()
    assert not Archive.objects.exists()
    assert list(folder.iterdir()) == []


def test_what_stopped_half_way_is_no_archive(settled, folder, monkeypatch):
    monkeypatch.setattr("mickle.settlement._archive._checked", lambda _row: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        archive()
    assert not Archive.objects.exists()
    monkeypatch.undo()
    settings_folder = folder / "2026-11-halfwritten"
    settings_folder.mkdir()
    (settings_folder / "nods.parquet").write_bytes(b"PAR1")
    assert archive().folder != str(settings_folder)


@pytest.mark.parametrize("noted", [False, True])
def test_what_the_books_do_not_take_leaves_no_files(settled, folder, monkeypatch, noted):
    """Or an answer is lost, and they have taken it."""
    note = Archive.objects.bulk_create

    def fail(*rows: object, **how: object) -> None:
        if noted:
            note(*rows, **how)
        raise OperationalError("could not extend file: No space left on device")

    monkeypatch.setattr(Archive.objects, "bulk_create", fail)
    with pytest.raises(OperationalError, match="No space left"):
        archive()
    assert [str(path) for path in folder.iterdir()] == [row.folder for row in Archive.objects.all()]
    assert Archive.objects.exists() is noted


def overtaken(monkeypatch: pytest.MonkeyPatch, write: Write) -> list[settlement.Archived]:
    """Somebody else writes one as the next is to be looked at; what theirs is."""
    done, checked = [], _archive._checked

    def another_is_faster(row: Archive) -> settlement.Archived:
        monkeypatch.undo()
        done.append(write())
        return checked(row)

    monkeypatch.setattr(_archive, "_checked", another_is_faster)
    return done


def test_of_two_who_archive_at_once_one_has_and_the_other_looks_at_it(settled, folder, monkeypatch):
    done = overtaken(monkeypatch, archive)
    assert [archive()] == done
    assert [str(path) for path in folder.iterdir()] == [Archive.objects.get().folder]


def test_it_outlasts_a_power_cut_before_it_counts(settled, folder, monkeypatch):
    safe: set[Path] = set()

    def sync(number: int) -> None:
        assert not Archive.objects.exists()
        safe.add(Path(f"/proc/self/fd/{number}").readlink())

    monkeypatch.setattr("os.fsync", sync)
    there = Path(archive().folder)
    assert safe == {folder, there, *there.iterdir()}


def test_a_place_where_nothing_can_be_written_is_said(settled, settings, tmp_path):
    (tmp_path / "file").touch()
    settings.ARCHIVE = str(tmp_path / "file")
    with pytest.raises(settlement.NoArchive, match="cannot be written to"):
        archive()
    settings.ARCHIVE = ""
    with pytest.raises(settlement.NoArchive, match="MICKLE_ARCHIVE"):
        archive()
    assert not Archive.objects.exists()


@pytest.mark.parametrize("kind", ["s3", "nowhere"])
def test_a_store_that_nothing_reads_is_said(settled, settings, kind):
    settings.ARCHIVE = f"{kind}://bucket/mickle"
    told = rf"reads {kind}:// \(.+\), and nothing was changed\. Install the part of fsspec"
    with pytest.raises(files.NoStore, match=told):
        archive()
    assert not Archive.objects.exists()
    row = {"folder": settings.ARCHIVE, "manifest_sha256": "0" * 64, "at": EARLY_DECEMBER}
    Archive.objects.create(month=NOVEMBER, **row)
    with pytest.raises(files.NoStore, match=told):
        check()
    with pytest.raises(settlement.NoArchive, match="that cannot be read now: Nothing that is"):
        _archive.nods_of(NOVEMBER, {1: 1})


class NoKeys(Exception):
    """What a library for a store raises is its own."""


class Closed:
    """A store that lets nobody in."""

    def refuse(self, *_asked: object, **_named: object) -> None:
        raise NoKeys("Unable to locate credentials")

    makedirs = open = exists = refuse


def test_a_store_that_lets_nobody_in_is_said(settled, settings, monkeypatch, caplog):
    settings.ARCHIVE = "s3://bucket/mickle"
    monkeypatch.setattr(files, "store", lambda _folder: Closed())
    told = "cannot be written to s3://bucket/mickle/2026-11-.*: Unable to locate credentials$"
    with pytest.raises(settlement.NoArchive, match=told):
        archive()
    assert not Archive.objects.exists()
    assert "cannot be removed: NoKeys" in caplog.text
    row = {"folder": settings.ARCHIVE, "manifest_sha256": "0" * 64, "at": EARLY_DECEMBER}
    Archive.objects.create(month=NOVEMBER, **row)
    with pytest.raises(settlement.NoArchive, match=r"cannot be read \(Unable.*not changed"):
        check()
    monkeypatch.setattr(_duckdb, "reach", Closed().refuse)
    with pytest.raises(settlement.NoArchive, match="cannot be read now: Unable to locate"):
        _archive.nods_of(NOVEMBER, {1: 1})


# As DuckDB says what a store raised, as it says its own, and as Spark says what Java raised.
STORE = """Traceback (most recent call last):
  File "/lib/fsspec/spec.py", line 1417, in open
  File "/lib/s3fs/core.py", line 753, in _open
PermissionError: The key
is not known"""
JAVA = """An error occurred while calling o57.parquet.
: org.apache.spark.SparkException: Job aborted.
\tat org.apache.spark.sql.Dataset.write(Dataset.scala:1)"""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError(STORE), "PermissionError: The key"),
        (ValueError(JAVA), "org.apache.spark.SparkException: Job aborted."),
        (ValueError("IO Error: No files found\n\nLINE 1: SELECT"), "IO Error: No files found"),
        (ValueError(), "ValueError"),
        (ValueError("Traceback (most recent call last):\n  File"), "ValueError"),
        (OSError(28, "No space left on device", "/a"), "No space left on device: /a"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
def test_what_others_raise_is_one_line(error, said):
    assert _others.in_a_line(error) == said


def test_an_open_month_and_one_without_archive_are_said(settled, monkeypatch):
    with pytest.raises(settlement.NoArchive, match="2026-12 is not settled"):
        settlement.archive(month=NOVEMBER + 1, at=datetime(2026, 12, 5, tzinfo=UTC))
    with pytest.raises(settlement.NoArchive, match="has no archive"):
        check()
    monkeypatch.setattr(_at_hand, "find_spec", lambda _module: None)
    with pytest.raises(settlement.NoEngine, match="duckdb"):
        archive()


def test_the_manifest_says_how_to_compute_it_again(settled):
    archive()
    facts = json.loads((Path(Archive.objects.get().folder) / "month.json").read_text())
    assert facts["month"] == "2026-11"
    assert facts["fee_basis_points"] == 1000
    assert facts["result_sha256"] == settled.result_sha256
    assert sorted(facts["files"]) == ["nods.parquet", "spends.parquet", "things.parquet"]
