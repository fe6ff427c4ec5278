"""Reads a SQLite file for DuckDB, in a process of its own: `python _apart.py FILE MEMORY SPARED`.

ADBC brings a SQLite of its own, and two in one process undo each other's locks, which belong to the
process: the one that closes the file lets go what the other holds. A command that looked at the
books then took itself for the only one there and removed the log, with all that a settlement or a
server went on writing to it.

SPARED is how many cores DuckDB leaves to others. Each line of the input is a JSON list of a SELECT
and the file of DuckDB to keep what it gives in, as the table `rows`; each line of the output "" or
what went wrong. Imports nothing of Mickle.
"""

import json
import sys
from contextlib import closing
from importlib import import_module
from typing import Any
from urllib.parse import quote


def connected(name: str) -> Any:
    """A connection of ADBC to a SQLite file; it only reads."""
    return import_module("adbc_driver_sqlite.dbapi").connect(f"file:{quote(name)}?mode=ro")


def new(path: str, memory: str, spared: int) -> Any:
    """A new file of DuckDB that keeps within its memory and leaves some cores to others."""
    there = import_module("duckdb").connect(path, config={"memory_limit": memory})
    # It knows how many a container has.
    ((cores,),) = there.execute("SELECT current_setting('threads')").fetchall()
    there.execute(f"SET threads = {max(cores - spared, 1)}")
    return there


def copy(source: Any, select: str, there: Any) -> None:
    """Keep what a SELECT gives as the table `rows` of a file of DuckDB."""
    with closing(there), source.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": "65536"})
        cursor.execute(select)
        there.register("stream", cursor.fetch_arrow())
        there.execute("CREATE TABLE rows AS SELECT * FROM stream")


def main(name: str, memory: str, spared: str) -> None:
    """Do what is asked line by line, until there is no more."""
    with closing(connected(name)) as source:
        for line in sys.stdin:
            said = ""
            try:
                select, path = json.loads(line)
                copy(source, select, new(path, memory, int(spared)))
            except Exception as error:  # noqa: BLE001 - whatever it is, who asked has to know
                said = f"{type(error).__name__}: {error}"
            print(json.dumps(said), flush=True)  # noqa: T201 - the answer to who asked


if __name__ == "__main__":
    main(*sys.argv[1:])
