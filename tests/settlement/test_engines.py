"""One text on several engines: equal to the byte, and nothing is posted where they differ."""

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from django.db import connection

from mickle.ledger import ledger
from mickle.lib.money import LIMIT_MICROS
from mickle.nods import nods
from mickle.settlement import _apart, _at_hand, _database, _duckdb, _engine, settlement
from mickle.settlement._protocol import Input
from mickle.settlement.models import Line, Run
from tests.people import EARLY_DECEMBER, MID_NOVEMBER, NOVEMBER, instance_at, member, thing
from tests.settlement import test_same_bytes
from tests.settlement.test_stages import books

WORLDS, MONTHS = 400, 8
WEIGHTS = (1, 1, 1, 2, 3, 7, 100)


def rows(columns: str, found: list[tuple[int | None, ...]]) -> Input:
    """What the books would give: these rows."""
    names = columns.split(", ")
    named = ", ".join(f"CAST(column{i} AS BIGINT) AS {name}" for i, name in enumerate(names, 1))
    parts = ", ".join(
        f"({', '.join('NULL' if value is None else str(value) for value in row)})" for row in found
    )
    return Input(columns, f"SELECT {named} FROM (VALUES {parts}) q")


def random_month(chance: random.Random, worlds: int) -> tuple[dict[str, Input], int]:
    """A frozen month of worlds that know nothing of each other, and what was taken in for it."""
    nods: list[tuple[int | None, ...]] = []
    spends: list[tuple[int | None, ...]] = []
    owned: list[tuple[int | None, ...]] = []
    for world in range(worlds):
        first = 10 ** chance.randrange(2, 12) * (world + 1)
        members = range(first, first + chance.randrange(1, 7))
        things = range(first, first + chance.randrange(1, 9))
        weights = chance.choice([(1,), WEIGHTS])
        nods += [
            (NOVEMBER, one, thing, chance.choice(weights))
            for one in members
            for thing in chance.sample(things, chance.randrange(1, len(things) + 1))
        ]
        most = chance.choice([9, 100_000_000, LIMIT_MICROS // WORLDS])
        spends += [(one, chance.randrange(1, most)) for one in members]
        owned += [(thing, chance.choice([None, chance.randrange(1, 99)])) for thing in things]
    return {
        "s_nod": rows("month, member, thing, weight", sorted(set(nods))),
        "s_spend": rows("member, spend", list(dict(spends).items())),
        "s_thing": rows("thing, owner", list(dict(owned).items())),
        "s_rate": rows("bp", [(chance.choice([0, 1, 1000, 3333, 10_000]),)]),
    }, sum(dict(spends).values())


@pytest.mark.django_db(transaction=True)
def test_random_worlds_come_to_the_same_bytes_on_every_engine():
    chance = random.Random("engines")
    for _month in range(MONTHS):
        inputs, taken_in = random_month(chance, WORLDS // MONTHS)
        results = []
        for opened in (_database.opened, _duckdb.opened):
            _database.forget()
            with opened(inputs) as engine:
                results.append(_engine.run(engine, NOVEMBER, taken_in))
        assert results[0].sha256 == results[1].sha256
        assert results[0].lines == results[1].lines > WORLDS // MONTHS


@pytest.fixture
def month(transactional_db) -> str:
    """A random month to settle; what a rehearsal says it comes to."""
    test_same_bytes.world()
    return settlement.rehearse(month=NOVEMBER, at=EARLY_DECEMBER).result_sha256


def settle(**more: object) -> settlement.Settled:
    return settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER, **more)


def engine() -> str:
    return Run.objects.get(month=NOVEMBER).engine


def test_a_month_is_settled_by_duckdb_alone(month):
    assert settle(engine="duckdb").result_sha256 == month
    assert engine().startswith("DuckDB ")
    books()
    with pytest.raises(settlement.AlreadySettled):
        settle(engine="database")


def test_a_large_month_is_computed_by_both(month, monkeypatch):
    monkeypatch.setattr(_at_hand, "LARGE", 10)
    assert settle().result_sha256 == month
    assert engine().startswith(f"{connection.display_name} ")
    assert ", DuckDB " in engine()
    books()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("large", "installed"), [(1_000, True), (10, False)])
def test_a_small_month_and_one_without_duckdb_is_the_databases(monkeypatch, large, installed):
    alice = member("alice", funds="2.00")
    for i in range(20):
        nods.give(member=alice, thing=thing(f"page{i}"), at=MID_NOVEMBER)
    monkeypatch.setattr(_at_hand, "LARGE", large)
    if not installed:
        monkeypatch.setattr(_at_hand, "find_spec", lambda _module: None)
    settle()
    assert engine() == _database.Database().name


def test_where_engines_differ_nothing_is_posted_and_both_results_are_kept(
    month, monkeypatch, settings, tmp_path
):
    settings.DATA_DIR = tmp_path

    @contextmanager
    def another_split(inputs: dict[str, Input]) -> Iterator[_duckdb.DuckDB]:
        """Somebody's nod weighs more there."""
        nod = inputs["s_nod"]
        heavier = nod.select.replace(", weight FROM", ", weight + (member_id = 1007) FROM")
        if connection.vendor == "postgresql":
            heavier = heavier.replace("(member_id = 1007)", "CAST(member_id = 1007 AS INTEGER)")
        with _duckdb.opened(inputs | {"s_nod": Input(nod.columns, heavier)}) as found:
            yield found

    monkeypatch.setattr(_at_hand, "LARGE", 10)
    monkeypatch.setitem(_at_hand._OPENERS, "duckdb", another_split)
    with pytest.raises(settlement.EnginesDiffer, match="nothing was posted") as told:
        settle()
    assert str(tmp_path / "differences") in str(told.value)
    one, other = sorted((tmp_path / "differences").iterdir())
    assert one.name.startswith("2026-11 DuckDB") or other.name.startswith("2026-11 DuckDB")
    differing = [set(path.read_text().splitlines()) for path in (one, other)]
    assert differing[0] ^ differing[1]
    assert not Line.objects.exists()
    assert ledger.balance(ledger.pool(NOVEMBER)) > 0
    assert settle(engine="database").result_sha256 == month
    books()


def test_where_an_engine_fails_on_the_way_it_is_said_and_another_goes_on(month, monkeypatch):
    class JavaError(Exception):
        """As an engine raises one."""

    @contextmanager
    def failing(_inputs: dict[str, Input]) -> Iterator[None]:
        raise JavaError(
            "An error occurred while calling o1.sql.\n: the master is gone\n\tat X.java"
        )
        yield

    monkeypatch.setitem(_at_hand._OPENERS, "spark", failing)
    monkeypatch.setattr(_at_hand, "found", lambda name, *, fall_back: name)
    with pytest.raises(settlement.NotComputed, match="Nothing of it was posted") as told:
        settle(engine="spark")
    assert "2026-11 could not be computed (the master is gone)." in str(told.value)
    assert not Line.objects.exists()
    assert ledger.balance(ledger.pool(NOVEMBER)) > 0
    assert settle(engine="database").result_sha256 == month
    books()


@pytest.mark.django_db
def test_an_engine_that_is_not_there_is_said_before_anything_is_done(monkeypatch):
    instance_at("2026-11")
    monkeypatch.setattr(_at_hand, "find_spec", lambda _module: None)
    with pytest.raises(settlement.NoEngine, match=r"pip install 'mickle\[duckdb\]'"):
        settle(engine="duckdb")
    with pytest.raises(settlement.NoEngine, match="There is no engine “abacus”"):
        settle(engine="abacus")
    assert not Run.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_owners_that_come_late_in_the_stream_are_read():
    """ADBC takes the types of SQLite's columns from the first rows, and here they own nothing."""
    counted = "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 150000)"
    owned = "SELECT i AS thing, CASE WHEN i = 150000 THEN 7 END AS owner FROM c"
    inputs = {
        "s_nod": rows("month, member, thing, weight", [(NOVEMBER, 1, 150_000, 1)]),
        "s_spend": rows("member, spend", [(1, 5)]),
        "s_thing": Input("thing, owner", f"{counted} {owned}"),
        "s_rate": rows("bp", [(1000,)]),
    }
    with _duckdb.opened(inputs) as duck:
        assert _engine.run(duck, NOVEMBER, 5).paid_micros == 5


@pytest.mark.django_db(transaction=True)
def test_duckdb_leaves_no_file(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    with _duckdb.opened({"s_rate": rows("bp", [(1,)])}):
        assert len(list(Path(tmp_path).iterdir())) == 1
    assert not list(Path(tmp_path).iterdir())


@pytest.mark.django_db(transaction=True)
def test_duckdb_leaves_a_core_to_who_is_served(monkeypatch, tmp_path):
    def cores(there) -> int:
        ((found,),) = there.execute("SELECT current_setting('threads')").fetchall()
        return int(found)

    all_of_them = cores(_apart.new(f"{tmp_path}/all", "1GB", 0))
    monkeypatch.setattr("mickle.lib.company.is_served", lambda: True)
    with _duckdb.empty() as there:
        assert cores(there) == max(all_of_them - 1, 1)
    monkeypatch.setattr("mickle.lib.company.is_served", lambda: False)
    # Who is served from a PostgreSQL nobody knows.
    assert _duckdb._spared() == (connection.vendor == "postgresql")


@pytest.mark.django_db(transaction=True)
def test_duckdb_cannot_write_to_the_books():
    instance_at("2026-11")
    into = "CREATE TABLE gone AS SELECT * FROM stream"
    with (
        _duckdb.empty() as there,
        _duckdb.books() as source,
        pytest.raises(Exception, match=r"read.?only"),
    ):
        _duckdb.read(there, source, into, "DELETE FROM settlement_run RETURNING month")


@pytest.mark.django_db(transaction=True)
def test_what_goes_wrong_in_the_other_process_is_told():
    """Either the SELECT, or all of it: nobody waits for an answer for ever."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL is read in this process")
    with _duckdb.empty() as there, _duckdb.books() as source:
        read = partial(_duckdb.read, there, source, "CREATE TABLE x AS SELECT * FROM stream")
        with pytest.raises(_duckdb.CannotRead, match="no such table: nowhere"):
            read("SELECT * FROM nowhere")
        read("SELECT 1 AS one")
        source._process.kill()
        for _turn in range(2):
            with pytest.raises(_duckdb.CannotRead, match="has died"):
                read("SELECT 1 AS one")


LOOK = """
import sqlite3, sys
books = sqlite3.connect(sys.argv[1])
print(books.execute("SELECT COUNT(*) FROM settlement_run").fetchone()[0])
books.close()
"""


def test_who_looks_at_the_books_after_duckdb_did_removes_no_log(month):
    """What SQLite holds of its file is the process's, and another SQLite in it let it go.

    Whoever came then was alone by all signs, and took the log away under those who write to it.
    """
    if connection.vendor != "sqlite":
        pytest.skip("a file is opened by whoever writes in it")
    settle(engine="duckdb")
    with _duckdb.empty() as there, _duckdb.books() as source:
        _duckdb.read(there, source, "CREATE TABLE x AS SELECT * FROM stream", "SELECT 1 AS one")
    words = [sys.executable, "-c", LOOK, str(connection.settings_dict["NAME"])]
    assert subprocess.run(words, capture_output=True, check=True).stdout.strip() == b"1"
    Run.objects.all().delete()
    assert subprocess.run(words, capture_output=True, check=True).stdout.strip() == b"0"
