"""Moving an instance from SQLite to PostgreSQL: every row as it was, or nothing."""

import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import connect
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.databases import Server
from tests.migrated import begin_with_tables
from tests.once import made_once
from tests.ops.test_run import MICKLE, environment, run
from tests.ops.worlds import ago

pytestmark = pytest.mark.slow

# What is no table of Mickle's: of SQLite itself, its full-text index, what Django has applied.
OTHER = ("sqlite_sequence", "django_migrations", "things_search")
# Rows of kinds that no demo has: JSON, UUID, bytes, many to many.
MORE = """
import django
django.setup()
from datetime import UTC, datetime
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.models import Session
from mickle.instance import instance
from mickle.members import members
from mickle.members.models import Member
from allauth.account.models import EmailAddress
from django_tasks_db.models import DBTaskResult

at = instance.now()
members.invite(at=at, uses=3)
members.wait_for_invite(email="w@example.org", at=at)
Session.objects.create(session_key="k" * 32, session_data="{}", expire_date=at)
Group.objects.create(name="Grüße 👋").permissions.add(Permission.objects.first())
DBTaskResult.objects.create(
    args_kwargs={"args": [1, None, "ü"], "kwargs": {"a": {"b": [True, 0.5]}}},
    task_path="a.b", backend_name="default", exception_class_path="", traceback="",
)
EmailAddress.objects.create(
    user=Member.objects.first(), email="x@example.org", primary=True, verified=True
)
gone = members.join(email="g@example.org", username="g", at=at)
Member.objects.filter(id=gone.id).delete()
"""
# A move that dies where a test says.
DIES = """
import os, signal, sys
from mickle.ops import main
def die(*_words, **_named):
    os.kill(os.getpid(), signal.SIGKILL)
import django
django.setup = lambda setup=django.setup: (setup(), __import__("mickle.ops.moving"),
    setattr(sys.modules["mickle.ops.moving"], "{}", die))
sys.exit(main.main(["move"]))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    there = Server()
    there.start()
    yield there
    there.stop()


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an instance in which there is something of everything."""

    def live(data: Path) -> None:
        begin_with_tables(data)
        assert run(data, "demo").returncode == 0
        facts = environment(data) | {"DJANGO_SETTINGS_MODULE": "mickle.config.settings"}
        subprocess.run([*MICKLE[:2], MORE], env=facts, check=True)

    return made_once(tmp_path_factory, "lived", live)


@pytest.fixture(scope="module")
def with_tables(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database that has its tables, for others to begin with."""
    done = _mickle(tmp_path_factory.mktemp("tables"), _new(server, "tables"), "clock")
    assert done.returncode == 0, done.stderr
    return "tables"


@pytest.fixture
def there(server: Server, with_tables: str, request: pytest.FixtureRequest) -> str:
    """An empty PostgreSQL."""
    return _new(server, f"m{abs(hash(request.node.nodeid))}", f"TEMPLATE {with_tables}")


@pytest.fixture
def here(lived: Path, tmp_path: Path) -> Path:
    """A copy of the instance that lived."""
    return shutil.copytree(lived, tmp_path / "data")


def _new(server: Server, name: str, more: str = "") -> str:
    with psycopg.connect(server.url, autocommit=True) as one:
        one.execute(f"CREATE DATABASE {name} {more}")
    return server.url.removesuffix("postgres") + name


def _mickle(data: Path, url: str, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*MICKLE, *words],
        env=environment(data) | ({"DATABASE_URL": url} if url else {}),
        capture_output=True,
        text=True,
        check=False,
    )


def _tables(books: Any) -> list[str]:
    found = books.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return sorted(name for (name,) in found if not name.startswith(OTHER))


_READ: dict[str, Callable[[Any], Any]] = {
    "bool": bool,
    "jsonb": json.loads,
    "uuid": UUID,
    "timestamptz": lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC),
    "date": lambda text: datetime.fromisoformat(text).date(),
    "bytea": bytes,
}


def _rows(url: str, data: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """All rows of both databases by table, those of SQLite read as the types of the other say."""
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    (path,) = data.glob("mickle*.sqlite3")
    with closing(connect(path)) as books, psycopg.connect(url) as other:
        for table in _tables(books):
            found = other.execute(f"SELECT * FROM {table} LIMIT 0")
            assert found.description is not None
            columns = [
                (one.name, other.adapters.types[one.type_code].name) for one in found.description
            ]
            names = ", ".join(f'"{name}"' for name, _kind in columns)
            reads = [_READ.get(kind, lambda value: value) for _name, kind in columns]
            old[table] = sorted(
                repr(
                    [
                        None if value is None else read(value)
                        for read, value in zip(reads, row, strict=True)
                    ]
                )
                for row in books.execute(f"SELECT {names} FROM {table}")
            )
            new[table] = sorted(
                repr(list(row)) for row in other.execute(f"SELECT {names} FROM {table}")
            )
    return old, new


def _types(url: str, tables: set[str]) -> set[str]:
    """The types of the columns of these."""
    asked = "SELECT DISTINCT data_type FROM information_schema.columns WHERE table_name = ANY(%s)"
    with psycopg.connect(url) as other:
        return {name for (name,) in other.execute(asked, [sorted(tables)])}


def _is_empty(url: str) -> bool:
    with psycopg.connect(url) as other:
        found = other.execute("SELECT COUNT(*) FROM members_member").fetchone()
    return found == (0,)


def test_every_row_of_every_table_arrives_as_it_was(here, there):
    done = _mickle(here, there, "move", "--json")

    assert done.returncode == 0, done.stderr
    old, new = _rows(there, here)
    assert old == new
    said = json.loads(done.stdout)
    assert said["rows"] == sum(map(len, old.values())) > 1_000
    assert said["tables"] == len(old) > 60
    full = {table for table, rows in old.items() if rows}
    assert {"ledger_transfer", "django_tasks_database_dbtaskresult", "account_emailaddress"} < full
    # No demo has something of everything, but of everything that something can be made of.
    assert _types(there, set(old)) == _types(there, full)
    # The SQLite is one file with another name, and nothing of it lies in a log.
    assert [path for path in here.glob("mickle*") if path.stat().st_size] == [Path(said["kept"])]


def test_numbers_go_on_behind_the_last_one_that_was_ever_given(here, there):
    with closing(connect(here / "mickle.sqlite3")) as books:
        given = dict(books.execute("SELECT name, seq FROM sqlite_sequence WHERE seq > 0"))
        (most,) = books.execute("SELECT MAX(id) FROM members_member").fetchone()
    assert most < given["members_member"]
    assert _mickle(here, there, "move").returncode == 0

    with psycopg.connect(there) as other:
        for table in given.keys() - {"django_migrations"}:
            asked = "SELECT nextval(pg_get_serial_sequence(%s, 'id'))"
            assert other.execute(asked, [table]).fetchone() == (given[table] + 1,), table


def test_the_next_month_is_settled_there_as_it_would_have_been_here(here, there):
    moved = shutil.copytree(here, here.with_name("moved"))
    assert _mickle(moved, there, "move").returncode == 0
    later = f"{datetime.now(UTC) + timedelta(days=40):%Y-%m-%d}"
    said = set()
    for data, url in ((here, ""), (moved, there)):
        assert _mickle(data, url, "clock", "--to", later).returncode == 0
        settled = _mickle(data, url, "settle", ago(0), "--json")
        assert settled.returncode == 0, settled.stderr
        said.add(json.loads(settled.stdout)["result_sha256"])
    assert len(said) == 1


def _change(data: Path, *statements: str) -> None:
    with closing(connect(data / "mickle.sqlite3")) as books:
        for one in statements:
            books.execute(one)
        books.commit()


NUL = "UPDATE things_thing SET title = 'a' || char(0) || 'b' WHERE id = 1"
LONG = "UPDATE members_member SET username = hex(zeroblob(500)) WHERE id = 1"
NOBODY = "UPDATE payins_payin SET member_id = 987654 WHERE id = 1"
BALANCE = (
    "UPDATE ledger_account SET balance_micros = balance_micros + 1"
    " WHERE kind = 'FUNDS' AND balance_micros > 0"
)
OLDER = "DELETE FROM django_migrations WHERE app = 'nods'"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (NUL, "does not take a row of things_thing (invalid byte sequence"),
        (LONG, "does not take a row of members_member (value too long for type"),
        (NOBODY, "does not take a row of payins_payin (insert or update on table"),
        (BALANCE, "The books are not in order: Balances equal transfers"),
        (OLDER, "last used by another version of Mickle"),
    ],
    ids=["a NUL", "too long", "of nobody", "a balance", "older"],
)
def test_what_cannot_arrive_whole_stays_where_it_is(here, there, statement, said):
    _change(here, statement)
    before = (here / "mickle.sqlite3").read_bytes()
    done = _mickle(here, there, "move")

    assert done.returncode == 1
    assert said in done.stderr
    assert "othing was changed" in done.stderr
    assert done.stderr.count("\n") == 1
    # What is in a row is told to nobody.
    assert "example" not in done.stderr
    assert _is_empty(there)
    assert (here / "mickle.sqlite3").read_bytes() == before


def test_an_instance_that_somebody_uses_is_not_moved(here, there):
    with closing(connect(here / "mickle.sqlite3")) as reader:
        reader.execute("SELECT COUNT(*) FROM members_member").fetchone()
        done = _mickle(here, there, "move")
    assert done.returncode == 1
    assert "Somebody uses this instance. Stop “mickle run”" in done.stderr
    assert _is_empty(there)
    assert _mickle(here, there, "move").returncode == 0


def test_none_begins_in_the_place_of_one_that_has_moved(here, there):
    assert _mickle(here, there, "move").returncode == 0
    done = _mickle(here, "", "audit")
    assert done.returncode == 1
    assert "has moved to PostgreSQL: set DATABASE_URL to it" in done.stderr
    assert not (here / "mickle.sqlite3").exists()
    (kept,) = here.glob("mickle-moved-*")
    again = _mickle(here, there, "move")
    assert again.returncode == 1
    assert f"has moved already, and is kept as {kept}. Nothing was changed." in again.stderr
    # Who wants it back gives it its name again.
    kept.rename(here / "mickle.sqlite3")
    assert _mickle(here, "", "audit").returncode == 0


def test_a_database_that_somebody_uses_is_not_moved_into(here, there):
    with psycopg.connect(there) as other:
        other.execute("SELECT COUNT(*) FROM members_member")
        done = _mickle(here, there, "move")
    assert done.returncode == 1
    assert "Somebody uses the PostgreSQL" in done.stderr
    assert (here / "mickle.sqlite3").exists()


def test_nothing_is_moved_into_another_instance_or_from_nowhere(here, there, tmp_path):
    none = _mickle(here, "", "move")
    assert none.returncode == 1
    assert "DATABASE_URL names no PostgreSQL" in none.stderr
    nowhere = _mickle(tmp_path / "new", there, "move")
    assert nowhere.returncode == 1
    assert "There is no SQLite at" in nowhere.stderr

    assert _mickle(shutil.copytree(here, tmp_path / "other"), there, "move").returncode == 0
    twice = _mickle(here, there, "move")
    assert twice.returncode == 1
    assert "holds an instance already" in twice.stderr
    assert (here / "mickle.sqlite3").exists()


def test_nothing_is_moved_among_tables_of_somebody_else(here, server):
    theirs = _new(server, "theirs")
    with psycopg.connect(theirs) as other:
        other.execute("CREATE TABLE django_session (session_key text PRIMARY KEY)")
        other.execute("INSERT INTO django_session VALUES ('kept')")
    done = _mickle(here, theirs, "move")

    assert done.returncode == 1
    assert "has tables already (django_session among others)" in done.stderr
    with psycopg.connect(theirs) as other:
        assert other.execute("SELECT * FROM django_session").fetchall() == [("kept",)]
        found = other.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert found.fetchall() == [("django_session",)]
    assert (here / "mickle.sqlite3").exists()


def test_a_move_that_is_killed_has_changed_nothing_and_can_be_made_again(here, there):
    facts = environment(here) | {"DATABASE_URL": there}
    words = [*MICKLE[:2], DIES.format("_audited")]
    assert subprocess.run(words, env=facts, check=False).returncode == -signal.SIGKILL
    assert _is_empty(there)

    assert _mickle(here, there, "move").returncode == 0
    old, new = _rows(there, here)
    assert old == new


def test_a_file_that_keeps_its_name_is_said(here, there):
    facts = environment(here) | {"DATABASE_URL": there}
    stays = "import pathlib\ndef stay(*_words): raise OSError\npathlib.Path.rename = stay\n"
    words = [*MICKLE[:2], stays + MICKLE[2], "move"]
    done = subprocess.run(words, env=facts, capture_output=True, text=True, check=True)
    assert f"rename {here / 'mickle.sqlite3'}, so that nobody" in done.stdout
    old, new = _rows(there, here)
    assert old == new


def test_one_that_is_killed_when_all_is_there_leaves_both(here, there):
    facts = environment(here) | {"DATABASE_URL": there}
    words = [*MICKLE[:2], DIES.format("_put_aside")]
    assert subprocess.run(words, env=facts, check=False).returncode == -signal.SIGKILL

    old, new = _rows(there, here)
    assert old == new
    again = _mickle(here, there, "move")
    assert again.returncode == 1
    assert "holds an instance already" in again.stderr
