"""The least that any month end does on a database, whatever it computes with, beside numpy.

Each nod is read once, and each transfer written as a bare row with a key that is unique: no
accounts, no balances, no check, no proof. Where the database computes, what each page gets is
summed as well, without the cents that are left over. The tables are leaner than Mickle's.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg

from bench import served, world
from bench.growth import NODS_A_MEMBER
from bench.month_end import LIMITS
from bench.table import Figure
from tests import databases

_NODS = """
CREATE TABLE nod (member BIGINT NOT NULL, thing BIGINT NOT NULL, PRIMARY KEY (member, thing))
"""
_CUTS = "CREATE TEMP TABLE cut (member BIGINT PRIMARY KEY, slice BIGINT NOT NULL)"
_TRANSFERS = """
CREATE TABLE transfer (id BIGINT PRIMARY KEY, key TEXT NOT NULL UNIQUE,
  debit BIGINT NOT NULL, credit BIGINT NOT NULL, amount BIGINT NOT NULL)
"""
_READ = "SELECT SUM(member + thing) FROM nod"
_CUT = "INSERT INTO cut SELECT member, 5000000 / COUNT(*) FROM nod GROUP BY member"
_SUMMED = """
SELECT COUNT(*), SUM(gross) FROM (
  SELECT thing, SUM(slice) AS gross FROM nod JOIN cut ON cut.member = nod.member GROUP BY thing) q
"""
_WRITE = """
INSERT INTO transfer
WITH RECURSIVE due (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM due WHERE n < {transfers})
SELECT n, 'settle:2026-10:' || CAST(n AS TEXT), n, 0, 5000000 FROM due
"""


@dataclass(frozen=True)
class Least:
    """Seconds of CPU."""

    read_s: float
    summed_s: float
    written_s: float


def figures(nods: int) -> Iterator[Figure]:
    """Both databases; the same month in both and in numpy."""
    month = world.draw(nods // NODS_A_MEMBER, nods)
    first_s, *more_s = [_took(lambda: world.split(month), time.process_time) for _turn in range(4)]
    limit_s, transfers = min(more_s), _transfers(month)
    size = f"{nods:,} nods, {transfers:,} transfers"
    yield Figure(f"numpy split of {nods:,} nods", f"{limit_s:.2f} s", f"at first {first_s:.2f} s")
    for name, least in (("SQLite", _sqlite), ("PostgreSQL", _postgresql)):
        took = least(month, transfers)
        whole_s = {"duckdb": took.read_s + took.written_s}
        whole_s["database"] = whole_s["duckdb"] + took.summed_s
        for engine, whole in whole_s.items():
            asked = LIMITS.get((name, engine))
            yield Figure(
                f"the least of {size} on {name}, computed by {engine}",
                f"{whole:.2f} s CPU: read {took.read_s:.2f}, written {took.written_s:.2f}"
                + (f", summed {took.summed_s:.2f}" if engine == "database" else ""),
                f"numpy {limit_s:.2f} s",
                f"{whole / limit_s:.0f} x",
                f"{asked} x for all of it" if asked else "",
            )


def _transfers(month: world.Month) -> int:
    """A spend of each giver, what of it waits, and what each owner gets, less a fee."""
    owner = month.owner[month.thing]
    waiting = np.unique(month.member[owner < 0]).size
    return int(np.unique(month.member).size + waiting + 2 * np.unique(owner[owner >= 0]).size)


def _rows(month: world.Month) -> Iterator[tuple[int, int]]:
    for start in range(0, month.member.size, world.BLOCK):
        part = slice(start, start + world.BLOCK)
        yield from zip(month.member[part].tolist(), month.thing[part].tolist(), strict=True)


def _took(do: Callable[[], object], clock: Callable[[], float]) -> float:
    began = clock()
    do()
    return clock() - began


def _sqlite(month: world.Month, transfers: int) -> Least:
    with (
        tempfile.TemporaryDirectory(prefix="mickle-bench-") as folder,
        closing(sqlite3.connect(Path(folder) / "least.sqlite3")) as there,
    ):
        there.execute("PRAGMA journal_mode = WAL")
        # A table that is its own index, and numbers of rows that are their keys.
        there.execute(_NODS + " WITHOUT ROWID")
        for table in (_CUTS, _TRANSFERS):
            there.execute(table.replace("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY"))
        there.executemany("INSERT INTO nod VALUES (?, ?)", _rows(month))
        there.commit()

        def do(*statements: str) -> None:
            for statement in statements:
                there.execute(statement).fetchall()
            there.commit()

        return _measured(do, transfers, time.process_time)


def _postgresql(month: world.Month, transfers: int) -> Least:
    server = databases.Server()
    server.start()
    try:
        with psycopg.connect(server.url) as there:
            # One process that can be looked at, as a posting is.
            there.execute("SET max_parallel_workers_per_gather = 0; SET jit = off")
            for table in (_NODS, _CUTS, _TRANSFERS):
                there.execute(table)
            with there.cursor().copy("COPY nod FROM STDIN") as copy:
                for row in _rows(month):
                    copy.write_row(row)
            there.commit()
            there.execute("ANALYZE nod")
            pid = there.info.backend_pid

            def do(*statements: str) -> None:
                for statement in statements:
                    there.execute(statement)
                there.commit()

            return _measured(do, transfers, lambda: served.cpu_s(pid))
    finally:
        server.stop()


def _measured(do: Callable[..., None], transfers: int, clock: Callable[[], float]) -> Least:
    # What a first reading has to look at once is nobody's fault.
    do(_READ)
    return Least(
        _took(lambda: do(_READ), clock),
        _took(lambda: do(_CUT, _SUMMED), clock),
        _took(lambda: do(_WRITE.format(transfers=transfers)), clock),
    )
