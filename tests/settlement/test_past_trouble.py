"""Nods that have left where much is in the way: their number, a changed archive, who is at them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection, transaction

from mickle.lib.chunks import Range
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Past
from mickle.settlement import _audit, _duckdb, _leaving, _past, past, settlement
from mickle.settlement.models import Archive
from tests.people import EARLY_DECEMBER, NOVEMBER, creator, instance_at, member, thing
from tests.settlement.test_past import PATHS, seen, settle
from tests.settlement.test_stages import give
from tests.web.browsing import signed_in

pytestmark = pytest.mark.django_db(transaction=True)

Change = Callable[[str], None]


@pytest.fixture
def alice(settings, tmp_path: Path) -> Member:
    """Alice, whose nods of November have left."""
    settings.ARCHIVE, settings.NODS_LEAVE_AFTER = str(tmp_path / "archive"), 12
    instance_at("2026-11", kind="TEST")
    alice, bob = member("alice", funds="7.00"), creator("bob")
    give(alice, thing("one", bob), thing("two", bob))
    give(bob, thing("other"))
    settle(NOVEMBER)
    settlement.archive(month=NOVEMBER, at=EARLY_DECEMBER)
    settle(NOVEMBER + 6)
    past.let_go(month=NOVEMBER)
    return alice


@pytest.fixture
def change(alice) -> Change:
    """Write the nods of the archive anew, as a SELECT changes them."""
    path = Path(Archive.objects.get().folder) / "nods.parquet"

    def written(select: str) -> None:
        other = path.with_name("other")
        with _duckdb.empty() as there:
            there.execute(f"CREATE VIEW nods AS SELECT * FROM {_duckdb.parquet(str(path))}")
            there.execute(f"COPY ({select}) TO {_duckdb.quoted(str(other))} (FORMAT parquet)")
        other.rename(path)

    return written


@pytest.mark.parametrize(
    "changed",
    [
        "SELECT * REPLACE (month + 1 AS month) FROM nods",
        "SELECT * FROM nods WHERE thing <> (SELECT min(thing) FROM nods)",
        "SELECT * REPLACE (thing + 1000 AS thing) FROM nods",
        "SELECT * REPLACE (make_timestamp(9223372036854775806) AS given_at) FROM nods",
    ],
)
def test_nods_that_are_not_those_that_left_are_not_shown(alice, change, changed):
    """Whatever took their place in the archive, such as another month's."""
    change(changed)
    client = signed_in(alice).client
    for path in PATHS:
        assert client.get(path).status_code == (200 if path == "/statements" else 503)
    (wrong,) = [check for check in settlement.audit() if not check.ok]
    assert wrong.name == "Each settled month has the proof its shares come to"


def test_a_damage_that_nobody_can_say_in_letters_is_said(alice):
    """DuckDB names the columns that there are, and one of them is no text."""
    path = Path(Archive.objects.get().folder) / "nods.parquet"
    path.write_bytes(path.read_bytes().replace(b"weight", b"w\xe8ight"))
    client = signed_in(alice).client
    assert {client.get(path).status_code for path in PATHS if path != "/statements"} == {503}
    assert [check.ok for check in settlement.audit()].count(False) == 1


@pytest.mark.parametrize(
    "changed",
    [
        "SELECT * REPLACE (thing + 1 AS thing) FROM nods",
        "SELECT * REPLACE (weight + 1 AS weight) FROM nods",
    ],
)
def test_of_nods_that_carry_something_else_there_is_no_proof(alice, change, changed):
    change(changed)
    assert signed_in(alice).client.get(PATHS[-1]).status_code == 503
    with pytest.raises(settlement.NoArchive, match=r"nods\.parquet differs"):
        settlement.proof_of(member=alice, month=NOVEMBER)


def test_nods_that_come_back_between_two_looks_are_seen(alice, settings, monkeypatch):
    before, back = seen(alice), []
    settings.NODS_LEAVE_AFTER = 0
    look = _past._left

    def when_they_are_back(**names: object) -> dict[int, int]:
        if Past.objects.exists():
            back.append(past.put_back(month=NOVEMBER))
        return look(**names)

    monkeypatch.setattr(_past, "_left", when_they_are_back)
    for path, said in zip(PATHS, before, strict=True):
        past.let_go(month=NOVEMBER)
        assert seen(alice, [path]) == [said]
    past.let_go(month=NOVEMBER)
    assert all(check.ok for check in settlement.audit())
    # But for the list of months, which opens no archive.
    assert back == [3] * len(PATHS)


def test_of_two_who_put_nods_back_at_once_none_misses_what_the_other_did(alice, settings):
    settings.NODS_LEAVE_AFTER, others = 0, []

    def another(execute, sql, params, many, context):
        done = execute(sql, params, many, context)
        if "SUM(" in sql and "nods_past" in sql and not others:
            first = dict(Past.objects.filter(member=alice).values_list("member_id", "nods"))
            rows = _leaving._read(NOVEMBER, first)
            others.append(nods.put_back(month=NOVEMBER, span=Range(0, alice.id), rows=rows))
        return done

    with connection.execute_wrapper(another):
        assert past.put_back(month=NOVEMBER) == 1
    assert others == [2]


@pytest.mark.parametrize("name", ["_WRONG_LINES", "_WRONG_RECEIPTS"])
def test_the_audit_asks_once_which_months_have_left(name):
    """And not for each line: of a hundred thousand members it never came to an end."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite asks once by itself")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        # As little as makes few rows many.
        cursor.execute("SET LOCAL work_mem = '64kB'")
        cursor.execute(
            f"INSERT INTO nods_past (month, member_id, nods) SELECT {NOVEMBER} + m, i, 1"
            " FROM generate_series(1, 5000) i, generate_series(0, 1) m"
        )
        cursor.execute("ANALYZE nods_past")
        cursor.execute(f"EXPLAIN {getattr(_audit, name)}", {})
        plan = "\n".join(step for (step,) in cursor.fetchall())
        transaction.set_rollback(True)
    assert "(NOT (hashed SubPlan" in plan
    assert "(NOT (SubPlan" not in plan
