"""The engine for large months on one machine: DuckDB over what ADBC reads out of the books.

Both are of the extra `mickle[duckdb]`. Rows go from the books to DuckDB as Arrow streams that
Python never looks into, from SQLite in a process of their own; what does not fit into memory goes
to a file beside the data.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from mickle.lib import company, files, leftovers
from mickle.settlement import _apart as _apart_file
from mickle.settlement._protocol import Input, Row
from mickle.settlement.models import Archive

MEMORY = "1GB"
_BATCH = 10_000


class DuckDB:
    """Computes in a database of its own, which goes when it is done."""

    def __init__(self, there: Any) -> None:
        self.name = f"DuckDB {import_module('duckdb').__version__}"
        self._there = there

    def view(self, name: str, select: str) -> None:
        """Make it a view."""
        self._there.execute(f"CREATE VIEW {name} AS {select}")

    def keep(self, name: str, select: str, *, key: str) -> None:  # noqa: ARG002 - it needs no index
        """Make it a table."""
        self._there.execute(f"CREATE TABLE {name} AS {select}")

    def rows(self, select: str) -> Iterator[Sequence[Row]]:
        """Read it in batches."""
        found = self._there.cursor().execute(select)
        while rows := found.fetchmany(_BATCH):
            yield rows


@contextmanager
def opened(inputs: Mapping[str, Input]) -> Iterator[DuckDB]:
    """DuckDB with what the month's SELECTs give on the books as they are committed."""
    with empty() as there:
        with books() as source:
            for name, (columns, select) in inputs.items():
                typed = ", ".join(f"{column} BIGINT" for column in columns.split(", "))
                there.execute(f"CREATE TABLE {name} ({typed})")
                read(there, source, f"INSERT INTO {name} SELECT * FROM stream", select)
        yield DuckDB(there)


def export(inputs: Mapping[str, Input], folder: str) -> None:
    """Write what the month's SELECTs give to Parquet files of a folder or an object store.

    Each is sorted by its columns, which is by member where there is one.
    """
    with empty() as there, books() as source:
        reach(there, folder)
        for name, (columns, select) in inputs.items():
            whole = ", ".join(f"{column}::BIGINT AS {column}" for column in columns.split(", "))
            path = quoted(f"{folder}/{name}.parquet")
            into = f"COPY (SELECT {whole} FROM stream) TO {path} (FORMAT parquet)"
            read(there, source, into, f"SELECT {columns} FROM ({select}) q ORDER BY {columns}")


def read(there: Any, source: Any, into: str, select: str) -> None:
    """Run a statement of DuckDB over `stream`, which is what a SELECT gives on the books."""
    if isinstance(source, _Apart):
        with source.rows(there, select) as name:
            there.execute(f"CREATE TEMP VIEW stream AS SELECT * FROM {name}.rows")
            there.execute(into)
            there.execute("DROP VIEW stream")
        return
    with source.cursor() as cursor:
        cursor.execute(select)
        there.register("stream", cursor.fetch_arrow())
        there.execute(into)
        there.unregister("stream")


class CannotRead(OSError):
    """What was asked of the books could not be read; nothing was posted."""


class _Apart:
    """Reads SQLite in another process: see there why."""

    def __init__(self, process: "subprocess.Popen[str]", folder: str) -> None:
        self._process, self._folder = process, Path(folder)

    @contextmanager
    def rows(self, there: Any, select: str) -> Iterator[str]:
        """The name under which a database of DuckDB has what a SELECT gives, as `rows`."""
        path = self._folder / "rows.duckdb"
        self._ask(select, path)
        there.execute(f"ATTACH {quoted(str(path))} AS apart (READ_ONLY)")
        try:
            yield "apart"
        finally:
            there.execute("DETACH apart")
            path.unlink()

    def _ask(self, select: str, path: Path) -> None:
        asking, answering = self._process.stdin, self._process.stdout
        assert asking is not None
        assert answering is not None
        try:
            asking.write(json.dumps([select, str(path)]) + "\n")
            asking.flush()
        except BrokenPipeError as error:
            raise CannotRead("the process that reads the books has died") from error
        said = answering.readline()
        if problem := json.loads(said) if said else "the process that reads the books has died":
            raise CannotRead(problem)


@contextmanager
def _apart() -> Iterator[_Apart]:
    """A process that reads the SQLite file of the books, for as long as the block runs."""
    name = str(connection.settings_dict["NAME"])
    with (
        leftovers.folder(Path(settings.DATA_DIR)) as folder,
        subprocess.Popen(
            # -P: its own folder is none to import from.
            [sys.executable, "-P", _apart_file.__file__, name, MEMORY, str(_spared())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Who presses Ctrl-C ends the settlement, which ends this.
            start_new_session=True,
        ) as process,
    ):
        try:
            yield _Apart(process, folder)
        finally:
            # It only reads, and may be in the middle of that.
            process.kill()
            assert process.stdin is not None
            with suppress(BrokenPipeError):
                process.stdin.close()


@contextmanager
def empty() -> Iterator[Any]:
    """A database of DuckDB with nothing in it, that keeps within its memory."""
    with leftovers.folder(Path(settings.DATA_DIR)) as folder:
        there = _apart_file.new(f"{folder}/month.duckdb", MEMORY, _spared())
        with closing(there):
            yield there


def remove_left() -> None:
    """Remove what killed settlements and archives left: it says who nodded at what.

    A process that read for a killed one may still be at it, and nobody reads what it writes.
    """
    leftovers.remove_left(
        Path(settings.DATA_DIR), lambda folder: Archive.objects.filter(folder=folder).exists()
    )


def _spared() -> int:
    """How many cores DuckDB leaves to others.

    Where somebody is served, one is theirs: with all of them taken a nod waited for one (measured
    on two cores: of a hundred, five for 6 ms, where it is 1.3). Who is served from a PostgreSQL
    nobody knows.
    """
    return int(connection.vendor == "postgresql" or company.is_served())


def reach(there: Any, folder: str, *, make: bool = True) -> None:
    """Have DuckDB read in a folder, and write, if it is made where it is missing."""
    if files.is_remote(folder):
        store = files.store(folder)
        if make:
            store.makedirs(folder, exist_ok=True)
        there.register_filesystem(store)
    elif make:
        Path(folder).mkdir(parents=True, exist_ok=True)


def parquet(path: str) -> str:
    """A Parquet file as DuckDB's SQL reads it: a folder named `month=5` is no column of it."""
    return f"read_parquet({quoted(path)}, hive_partitioning = false)"


def quoted(text: str) -> str:
    """A text as DuckDB's SQL writes it."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


@contextmanager
def books() -> Iterator[Any]:
    """What `read` reads the database from that the books are in; it only reads."""
    if connection.vendor == "sqlite":
        with _apart() as apart:
            yield apart
        return
    with closing(_connected()) as found:
        yield found


def _connected() -> Any:
    asked = connection.get_connection_params()
    for ours in ("cursor_factory", "context", "prepare_threshold", "server_side_binding"):
        asked.pop(ours, None)
    asked["options"] = f"{asked.get('options') or ''} -c default_transaction_read_only=on"
    return import_module("adbc_driver_postgresql.dbapi").connect(make_conninfo(**asked))
