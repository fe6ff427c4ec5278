"""The data folder may be called nearly anything, and everything stays in it."""

import json
import subprocess
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest

from tests.migrated import begin_with_tables
from tests.ops.test_run import MICKLE, environment, run
from tests.ops.worlds import ago, small, written

NAME = "a#b 50%41 it's ä & b+c [1]"


def test_the_database_is_in_the_folder_and_a_month_is_settled_there(tmp_path: Path):
    there = tmp_path / "there"
    there.mkdir()

    def mickle(*words: str) -> str:
        done = run(there / NAME, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    begin_with_tables(there / NAME)
    mickle("load", written(tmp_path, small()))
    rehearsed = json.loads(mickle("settle", ago(1), "--dry-run", "--json"))
    settled = json.loads(mickle("settle", ago(1), "--engine", "duckdb", "--json"))
    assert settled["result_sha256"] == rehearsed["result_sha256"]
    assert [path.name for path in there.iterdir()] == [NAME]
    with closing(connect(there / NAME / "mickle.sqlite3")) as books:
        [(engine,)] = books.execute("SELECT engine FROM settlement_run").fetchall()
    assert engine.startswith("DuckDB")


def test_a_folder_whose_name_duckdb_cannot_read_is_refused(tmp_path: Path):
    done = run(tmp_path / "a?b", "clock")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "may have no “?” in its name" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mark", "#?")
def test_half_the_name_of_a_database_is_no_database(tmp_path: Path, mark: str):
    named = {"DATABASE_URL": f"sqlite:///{tmp_path}/a{mark}b.sqlite3"}
    done = subprocess.run(
        [*MICKLE, "clock"],
        env=environment(tmp_path / "data") | named,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "write %23 for a “#” in it, and %3F for a “?”" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_no_instance_begins_among_tables_of_somebody_else(tmp_path: Path):
    with closing(connect(tmp_path / "mickle.sqlite3")) as books:
        books.execute("CREATE TABLE auth_group (id INTEGER PRIMARY KEY, name TEXT)")
        books.execute("INSERT INTO auth_group VALUES (1, 'editors')")
        books.commit()
    done = run(tmp_path, "audit")

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "has tables already (auth_group among others), and is no instance of" in done.stderr
    assert "Nothing was changed; name an empty database" in done.stderr
    with closing(connect(tmp_path / "mickle.sqlite3")) as books:
        assert books.execute("SELECT name FROM sqlite_master").fetchall() == [("auth_group",)]
        assert books.execute("SELECT * FROM auth_group").fetchall() == [(1, "editors")]
