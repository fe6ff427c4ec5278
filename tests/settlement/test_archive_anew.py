"""Another archive in place of one that is lost, while the database has all that is in it."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from mickle.lib import months
from mickle.nods.models import Past
from mickle.settlement import _archive, past, settlement
from mickle.settlement.models import Archive
from tests.people import EARLY_DECEMBER, NOVEMBER, creator, instance_at, member, thing
from tests.settlement.test_archive import overtaken
from tests.settlement.test_past import settle
from tests.settlement.test_stages import give

# DuckDB reads the books by a connection of its own.
pytestmark = pytest.mark.django_db(transaction=True)
LATER = months.start(NOVEMBER + 7)


@pytest.fixture
def place(settings, tmp_path: Path) -> Path:
    """Where archives go; the nods of November could leave, and no line of it waits."""
    settings.ARCHIVE, settings.NODS_LEAVE_AFTER = str(tmp_path / "archive"), 6
    instance_at("2026-11", kind="TEST")
    give(member("alice", funds="7.00"), thing("one", creator("bob")), thing("two", creator("cleo")))
    settle(NOVEMBER)
    settlement.archive(month=NOVEMBER, at=EARLY_DECEMBER)
    return tmp_path / "archive"


def anew() -> settlement.Archived:
    return settlement.archive(month=NOVEMBER, at=LATER, anew=True)


def folders(place: Path) -> set[str]:
    return {str(path) for path in place.iterdir()}


def test_one_that_is_lost_is_written_again(place):
    before = settlement.check_archive(month=NOVEMBER)
    shutil.rmtree(before.folder)
    with pytest.raises(settlement.NoArchive, match="cannot be read"):
        settlement.archive(month=NOVEMBER, at=LATER)
    done = anew()
    assert (done.rows, done.result_sha256) == (before.rows, before.result_sha256)
    assert folders(place) == {done.folder} != {before.folder}
    assert settlement.check_archive(month=NOVEMBER) == done
    assert Archive.objects.get().at == LATER


def test_one_that_shall_lie_elsewhere_does_and_the_old_files_stay(place, settings, tmp_path):
    [old] = folders(place)
    settings.ARCHIVE = str(tmp_path / "elsewhere")
    done = anew()
    assert folders(tmp_path / "elsewhere") == {done.folder}
    assert folders(place) == {old}
    settle(NOVEMBER + 6)
    past.let_go(month=NOVEMBER)
    assert Past.objects.exists()
    assert settlement.check_archive(month=NOVEMBER) == done


def test_where_nods_have_left_there_is_no_other(place, settings, monkeypatch):
    settle(NOVEMBER + 6)
    past.let_go(month=NOVEMBER)
    kept = Archive.objects.get()
    with pytest.raises(settlement.NoArchive, match="so there can be no other"):
        anew()
    assert folders(place) == {kept.folder}
    monkeypatch.setattr("mickle.instance.instance.open_month", lambda: NOVEMBER + 14)
    settings.NODS_LEAVE_AFTER = 0
    past.put_back(month=NOVEMBER)
    assert anew().folder == Archive.objects.get().folder != kept.folder


def test_where_nods_leave_while_it_is_written_the_old_one_counts(place, monkeypatch):
    settle(NOVEMBER + 6)
    kept, checked = Archive.objects.get(), _archive._checked

    def they_leave(row: Archive) -> settlement.Archived:
        monkeypatch.undo()
        past.let_go(month=NOVEMBER)
        return checked(row)

    monkeypatch.setattr(_archive, "_checked", they_leave)
    with pytest.raises(settlement.NoArchive, match="so there can be no other"):
        anew()
    assert Archive.objects.get().folder == kept.folder
    assert folders(place) == {kept.folder}


def test_of_two_who_write_it_anew_one_has_and_the_other_looks_at_it(place, monkeypatch):
    [old] = folders(place)
    done = overtaken(monkeypatch, anew)
    assert [anew()] == done
    assert folders(place) == {old, done[0].folder}


def test_what_fails_on_the_way_leaves_the_old_one(place, settings, tmp_path):
    kept = Archive.objects.get()
    (tmp_path / "file").touch()
    settings.ARCHIVE = str(tmp_path / "file")
    with pytest.raises(settlement.NoArchive, match="cannot be written to"):
        anew()
    settings.ARCHIVE = ""
    with pytest.raises(settlement.NoArchive, match="MICKLE_ARCHIVE"):
        anew()
    assert Archive.objects.get().folder == kept.folder
    assert settlement.check_archive(month=NOVEMBER).folder == kept.folder


def test_a_month_without_one_gets_its_first(place):
    settle(NOVEMBER + 1)
    at = LATER + timedelta(days=1)
    done = settlement.archive(month=NOVEMBER + 1, at=at, anew=True)
    assert done.folder == Archive.objects.get(month=NOVEMBER + 1).folder
