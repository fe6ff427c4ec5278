"""Nods of a month long settled leave the table, and everything that reads them says the same."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.db.models import F

from mickle.ledger import ledger
from mickle.lib import chunks, months
from mickle.lib.chunks import Range
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Count, Nod, Past, PastCount
from mickle.settlement import _leaving, arrears, past, settlement
from mickle.settlement.models import Archive, Line, Split
from mickle.things import things
from tests.people import EARLY_DECEMBER, NOVEMBER, creator, instance_at, member, thing, top_up
from tests.settlement.test_settle import all_hold
from tests.settlement.test_stages import give
from tests.web.browsing import signed_in

# DuckDB reads the books by a connection of its own.
pytestmark = pytest.mark.django_db(transaction=True)

EARLY = datetime(2026, 11, 1, 0, 0, 0, 1, tzinfo=UTC)
LATER = months.start(NOVEMBER + 14)
PATHS = (
    *("/nods?month=2026-11", "/statements", "/statements/2026-11", "/statements/2026-11.csv"),
    *("/statements/2026-11.json", "/statements/2026-11/proof.json"),
)


@pytest.fixture
def alice(settings, tmp_path: Path) -> Member:
    """Alice of a year later: a nod of November paid, one void, one that waited and came back."""
    settings.ARCHIVE, settings.NODS_LEAVE_AFTER = str(tmp_path / "archive"), 12
    instance_at("2026-11", kind="TEST")
    alice, bob, poor = member("alice", funds="7.00"), creator("bob"), member("poor")
    made = [thing("one", bob), thing("gone", bob), thing("nobody's"), thing("two", bob)]
    give(alice, *made)
    give(bob, made[2])
    give(poor, made[0])
    things.take_down(thing=made[1], at=EARLY_DECEMBER)
    Nod.objects.filter(thing=made[3]).update(weight=3)
    settle(NOVEMBER)
    settlement.archive(month=NOVEMBER, at=EARLY_DECEMBER)
    return alice


def settle(upto: int) -> None:
    first = settlement.proofs(1)[0].month + 1 if settlement.proofs(1) else NOVEMBER
    for month in range(first, upto + 1):
        settlement.settle(month=month, at=months.end(month) + timedelta(days=4))


def books() -> None:
    all_hold([*ledger.audit(), *settlement.audit()])


def seen(who: Member, paths: Sequence[str] = PATHS) -> list[str]:
    client = signed_in(who).client
    # Above it stands the clock, and the token of a form is another one each time.
    texts = [client.get(path).content.decode().rpartition("<main")[2] for path in paths]
    return [re.sub(r'value="\w{64}"', "", text) for text in texts]


def counts() -> dict[int, int]:
    return dict(Count.objects.values_list("thing_id", "total"))


def test_pages_files_counts_and_the_audit_are_the_same_afterwards(alice):
    settle(NOVEMBER + 6)
    everybody = list(Member.objects.order_by("id"))
    before = [seen(who) for who in everybody], counts()
    assert past.months_to_let_go(at=LATER) == [NOVEMBER]
    assert past.let_go(month=NOVEMBER) == 6
    assert not Nod.objects.exists()
    assert ([seen(who) for who in everybody], counts()) == before
    assert sum(Past.objects.values_list("nods", flat=True)) == 6
    assert past.months_to_let_go(at=LATER) == []
    books()


def test_the_audit_finds_a_line_or_a_cut_that_is_wrong_without_its_nods(alice):
    settle(NOVEMBER + 6)
    past.let_go(month=NOVEMBER)
    for kind, change, name in (
        (Line, {"gross_micros": F("gross_micros") + 1}, "Lines equal their shares"),
        (Split, {"cut_thing": F("cut_thing") + 1, "rem": F("rem") + 1}, "Shares equal spend"),
    ):
        row = kind.objects.filter(month=NOVEMBER)[0]
        mine = kind.objects.filter(pk=row.pk)
        mine.update(**change)
        assert name in {check.name for check in settlement.audit() if not check.ok}
        row.save()
    books()


def test_a_month_in_arrears_leaves_once_all_of_it_is_paid_or_dropped(settings, tmp_path):
    settings.ARCHIVE, settings.NODS_LEAVE_AFTER = str(tmp_path / "archive"), 12
    settings.MODE = "arrears"
    instance_at("2026-11", kind="TEST")
    alice, bob = member("alice"), creator("bob")
    give(alice, thing("one", bob), thing("nobody's"))
    settle(NOVEMBER)
    settlement.archive(month=NOVEMBER, at=EARLY_DECEMBER)
    settle(NOVEMBER + 6)
    assert past.months_to_let_go(at=LATER) == []
    top_up(alice, "2.50", month=NOVEMBER + 1)
    assert arrears.collect(at=LATER) == 1
    assert past.months_to_let_go(at=LATER) == [NOVEMBER]
    before = seen(alice)
    assert past.let_go(month=NOVEMBER) == 2
    assert seen(alice) == before
    books()


def test_nothing_leaves_while_something_waits_or_before_its_time(alice, settings):
    at = months.start(NOVEMBER + 13)
    assert past.months_to_let_go(at=LATER) == []
    settle(NOVEMBER + 6)
    assert past.months_to_let_go(at=at - timedelta(seconds=1)) == []
    assert past.months_to_let_go(at=at) == [NOVEMBER]
    Line.objects.filter(month=NOVEMBER, state="RETURNED").update(state="WAITING")
    assert past.months_to_let_go(at=at) == []
    Line.objects.filter(month=NOVEMBER, state="WAITING").update(state="RETURNED")
    settings.NODS_LEAVE_AFTER = 0
    assert past.months_to_let_go(at=at) == []


def test_nothing_leaves_for_an_archive_that_is_not_whole(alice):
    settle(NOVEMBER + 6)
    path = Path(Archive.objects.get().folder) / "nods.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(settlement.NoArchive, match=r"nods\.parquet differs"):
        past.let_go(month=NOVEMBER)
    path.write_bytes(whole)
    Nod.objects.filter(member=alice).first().delete()
    with pytest.raises(settlement.NoArchive, match="has 6 nods and the books have 5"):
        past.let_go(month=NOVEMBER)
    assert Nod.objects.count() == 5


def test_what_stopped_half_way_goes_on_and_answers_meanwhile(alice, monkeypatch):
    settle(NOVEMBER + 6)
    for name in ("FIRST", "FEWEST", "MOST"):
        monkeypatch.setattr(chunks, name, 1)
    before = seen(alice)

    class Died(Exception):
        pass

    def die(_label: str, done: int, _total: int) -> None:
        assert seen(alice) == before
        books()
        if done == 2:
            raise Died

    with pytest.raises(Died):
        past.let_go(month=NOVEMBER, report=die)
    assert 0 < Nod.objects.count() < 6
    assert past.months_to_let_go(at=LATER) == [NOVEMBER]
    assert past.let_go(month=NOVEMBER) > 0
    assert not Nod.objects.exists()
    books()


def rows() -> list[tuple[object, ...]]:
    """What the table holds, to the letter; but for keys, which do not come back."""
    names = ", ".join(field.column for field in Nod._meta.fields if field.name not in ("pk", "key"))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM nods_nod ORDER BY month, member_id, thing_id")
        return cursor.fetchall()


@pytest.fixture
def left(alice, settings, monkeypatch) -> list[tuple[object, ...]]:
    """The rows of nods that have all left, and are to stay once they are back."""
    Nod.objects.filter(member=alice).update(evidence=27, source="button", at=EARLY)
    Nod.objects.filter(member=alice, weight=3).update(key="of November")
    settle(NOVEMBER + 6)
    Archive.objects.all().delete()
    settlement.archive(month=NOVEMBER, at=EARLY_DECEMBER)
    before = rows()
    past.let_go(month=NOVEMBER)
    monkeypatch.setattr("mickle.instance.instance.open_month", lambda: NOVEMBER + 14)
    monkeypatch.setattr(_leaving, "AT_ONCE", 1)
    settings.NODS_LEAVE_AFTER = 0
    return before


def test_what_has_left_comes_back_as_it_was(alice, left, monkeypatch):
    before = seen(alice), counts()
    told: list[tuple[int, int]] = []
    reads: list[tuple[object, ...]] = []
    read = _leaving._read
    monkeypatch.setattr(_leaving, "_read", lambda *them: reads.append(them) or read(*them))

    def report(_label: str, done: int, total: int) -> None:
        assert (seen(alice), counts()) == before
        books()
        told.append((done, total))

    assert past.put_back(month=NOVEMBER, report=report) == 6
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert len(reads) == 1, "an archive is looked into once for many ranges"
    assert rows() == left
    assert not Past.objects.exists()
    assert not PastCount.objects.exists()
    with pytest.raises(settlement.NoArchive, match="No nods of 2026-11 have left"):
        past.put_back(month=NOVEMBER)


def test_what_never_left_is_no_part_of_what_comes_back(alice, left, monkeypatch):
    """Both were stopped half way: of three members the one in the middle has their nods there."""
    numbers = counts()
    past.put_back(month=NOVEMBER)
    for id_ in (alice.id, alice.id + 2):
        assert nods.let_go(month=NOVEMBER, span=Range(id_ - 1, id_))
    monkeypatch.setattr(_leaving, "AT_ONCE", 100)
    books()
    assert past.put_back(month=NOVEMBER) == 5
    assert (rows(), counts()) == (left, numbers)
    assert not PastCount.objects.exists()
    books()


def test_who_is_late_puts_back_what_another_has_not(alice, left):
    read = _leaving._read(NOVEMBER, dict(Past.objects.values_list("member_id", "nods")))
    hers = [row for row in read if row[1] == alice.id]
    with transaction.atomic():
        assert nods.put_back(month=NOVEMBER, span=Range(0, alice.id), rows=hers) == 4
        assert nods.put_back(month=NOVEMBER, span=Range(0, 1 << 40), rows=read) == 2
    assert rows() == left
    books()


def test_a_click_repeated_with_the_key_of_a_nod_that_has_left_is_a_new_nod_once(alice, left):
    """Whoever keeps a key for a year; what comes back has none that it could be in the way of."""
    page, now = thing("new"), LATER + timedelta(days=3)

    def click() -> nods.Given:
        return nods.give(member=alice, thing=page, at=now, key="of November")

    assert click() == nods.Given(NOVEMBER + 14, new=True, nods_this_month=1)
    numbers = counts()
    assert past.put_back(month=NOVEMBER) == 6
    assert click() == nods.Given(NOVEMBER + 14, new=False, nods_this_month=1)
    assert rows()[:6] == left
    assert counts() == numbers
    books()


def test_nothing_comes_back_to_leave_again_or_from_what_is_not_whole(left, settings):
    settings.NODS_LEAVE_AFTER = 13
    with pytest.raises(past.WouldLeave, match="NODS_LEAVE_AFTER=13 the nods of 2026-11"):
        past.put_back(month=NOVEMBER)
    settings.NODS_LEAVE_AFTER = 14
    path = Path(Archive.objects.get().folder) / "nods.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(settlement.NoArchive, match=r"nods\.parquet differs"):
        past.put_back(month=NOVEMBER)
    path.write_bytes(whole)
    Past.objects.filter(nods=1).update(nods=2)
    with pytest.raises(settlement.NoArchive, match="has 6 nods and the books have"):
        past.put_back(month=NOVEMBER)
    first, last = Past.objects.order_by("member_id")[0], Past.objects.order_by("member_id").last()
    Past.objects.filter(nods=2).update(nods=1)
    span = Range(0, first.member_id)
    assert nods.put_back(month=NOVEMBER, span=Range(last.member_id, 1 << 40), rows=[]) == 0
    with pytest.raises(AssertionError, match="0 nods of"), transaction.atomic():
        nods.put_back(month=NOVEMBER, span=span, rows=[])
    assert not Nod.objects.exists()
    assert past.put_back(month=NOVEMBER) == 6
    assert rows() == left


def test_where_the_archive_is_away_pages_say_so_and_the_audit_too(alice):
    settle(NOVEMBER + 6)
    past.let_go(month=NOVEMBER)
    folder = Path(Archive.objects.get().folder)
    folder.rename(folder.with_name("elsewhere"))
    client = signed_in(alice).client
    for path in PATHS:
        answer = client.get(path)
        assert answer.status_code == (200 if path == "/statements" else 503)
        assert path == "/statements" or "cannot be read now" in answer.content.decode()
        # Where it was is told to who runs this alone.
        assert folder.name not in answer.content.decode()
    assert not folder.exists()
    wrong = [check for check in settlement.audit() if not check.ok]
    (check,) = wrong
    assert "cannot be read now: IO Error: No files found" in check.detail
    assert str(folder) in check.detail
    assert "\n" not in check.detail
