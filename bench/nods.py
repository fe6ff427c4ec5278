"""Durable nods by a pass: how many a second on each database, and what the databases do alone.

The server is measured as the system places its threads, and on one core; then PostgreSQL and who
clicks have the others.
"""

import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bench import clicks, served
from bench.clicks import Done, Plan
from bench.table import Figure
from tests import databases

MEMBERS, THINGS = 4_000, 1_000
# What docs/how-to/use-postgresql.md tells who runs a server.
POSTGRESQL = {"min_wal_size": "1GB", "max_wal_size": "4GB"}
# A member's bucket holds more at once.
NODS_A_MEMBER = 25
CLIENTS = 8
_INSERT = "INSERT INTO bench_nod (month, member, thing) VALUES (202611, {member}, {thing})"
_TABLE = (
    "CREATE TABLE bench_nod (month integer, member bigint, thing bigint,"
    " PRIMARY KEY (month, member, thing))"
)


@dataclass(frozen=True)
class Place:
    """A database for benchmarks."""

    name: str
    facts: dict[str, str]
    folder: Path
    server: int | None = None


@contextmanager
def sqlite() -> Iterator[Place]:
    """The embedded one, on the disk."""
    with tempfile.TemporaryDirectory(prefix="mickle-bench-") as folder:
        yield Place("SQLite", {"MICKLE_DATA": folder}, Path(folder))


@contextmanager
def postgresql() -> Iterator[Place]:
    """A server of its own that is durable as it comes: fsync and synchronous_commit."""
    server = databases.Server(durable=True)
    server.switches |= POSTGRESQL
    server.start()
    try:
        with tempfile.TemporaryDirectory(prefix="mickle-bench-") as folder:
            facts = {"MICKLE_DATA": folder, "DATABASE_URL": server.url}
            yield Place("PostgreSQL", facts, server.folder, server.process.pid)
    finally:
        server.stop()


def figures(part: int) -> Iterator[Figure]:
    """Nods on each database; a part of the size."""
    for where, alone in ((sqlite, _sqlite_alone), (postgresql, _postgresql_alone)):
        with where() as place:
            beside = alone(place, part)
            yield from _nods(place, MEMBERS * NODS_A_MEMBER // part, beside)


def made(deed: str, place: Place, *words: object) -> dict[str, int]:
    """What a child made in the place's database."""
    process = served.child(deed, place.facts, *words)
    said, _nothing = process.communicate()
    assert process.returncode == 0
    found: dict[str, int] = json.loads(said)
    return found


def pressed(plan: Plan) -> subprocess.Popen[str]:
    """Clicks under way in a process of their own."""
    return subprocess.Popen(
        [sys.executable, "-m", "bench.clicks", json.dumps(asdict(plan))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=served.ROOT,
    )


def answered(process: subprocess.Popen[str]) -> Done:
    """What came of the clicks; ends them when they are not done."""
    said, _nothing = process.communicate()
    assert process.returncode == 0
    return clicks.read(said)


def finished(plan: Plan) -> Done:
    """Clicks until the plan is done."""
    process = pressed(plan)
    assert process.stdout is not None
    assert process.stdin is not None
    said = process.stdout.read()
    process.stdin.close()
    process.stdout.close()
    assert process.wait() == 0
    return clicks.read(said)


def refused(done: Done) -> Mapping[str, int]:
    """Answers that were none."""
    return {said: many for said, many in done.answers.items() if said != "200"}


def _nods(place: Place, nods: int, beside: str) -> Iterator[Figure]:
    """As the system places its threads, and with the whole process on one core."""
    members = max(nods // NODS_A_MEMBER, 100)
    world = made("button", place, members, THINGS)
    with served.mickle(place.facts) as (process, port):
        served.get(port, "/b/count?id=1")
        # The first clicks open connections and prepare statements.
        first = nods // 10
        plan = Plan(port, members, world["first_thing"], THINGS, clicks=first)
        finished(plan)
        plan = replace(plan, begin=first, clicks=(nods - first) // 2)
        yield _pressed_on(place, process.pid, plan, "", beside)
        cores = os.sched_getaffinity(0)
        if len(cores) == 1:
            return
        one = {min(cores)}
        served.keep_on(one, process.pid)
        served.keep_on(cores - one, *served.family(place.server) if place.server else ())
        with _kept_on(cores - one):
            plan = replace(plan, begin=plan.begin + plan.clicks)
            yield _pressed_on(place, process.pid, plan, " by one core", beside)


@contextmanager
def _kept_on(cores: set[int]) -> Iterator[None]:
    """What this process starts meanwhile stays on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _pressed_on(place: Place, pid: int, plan: Plan, how: str, beside: str) -> Figure:
    before = served.cpu_s(pid)
    server_before = served.cpu_s(*served.family(place.server)) if place.server else 0.0
    done = finished(plan)
    if refused(done) or done.new != sum(done.answers.values()):
        raise SystemExit(f"nods were refused: {done}")
    us = (served.cpu_s(pid) - before) / done.new * 1e6
    more = ""
    if place.server:
        spent = served.cpu_s(*served.family(place.server)) - server_before
        more = f" + {spent / done.new * 1e6:.0f} us PostgreSQL"
    return Figure(
        f"nods on {place.name}{how}, {plan.connections} connections",
        f"{done.new / done.seconds:,.0f}/s, {us:.0f} us CPU{more}; "
        f"p50 {done.p50_ms:.1f} p99 {done.p99_ms:.1f} ms",
        beside,
        f"clicks {done.own_cpu_s / done.new * 1e6:.0f} us CPU",
        "10,000/s, p99 50 ms" if how else "",
    )


def _sqlite_alone(place: Place, part: int) -> str:
    """Plain sqlite3 with FULL: one row a transaction, and a hundred."""
    with sqlite3.connect(place.folder / "alone", isolation_level=None) as raw:
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA synchronous=FULL")
        raw.execute(_TABLE)
        one = _inserted(raw, 20_000 // part, together=1, member=1)
        many = _inserted(raw, 200_000 // part, together=100, member=2)
    raw.close()
    return f"sqlite3 FULL: {one:,.0f}/s one a transaction, {many:,.0f}/s a hundred"


def _inserted(raw: sqlite3.Connection, rows: int, *, together: int, member: int) -> float:
    began = time.perf_counter()
    for start in range(0, rows, together):
        raw.execute("BEGIN IMMEDIATE")
        for thing in range(start, start + together):
            raw.execute(_INSERT.format(member="?", thing="?"), (member, thing))
        raw.execute("COMMIT")
    return rows / (time.perf_counter() - began)


def _postgresql_alone(place: Place, part: int) -> str:
    """Single rows by pgbench, each in a transaction of its own, by eight clients."""
    script = place.folder / "script.sql"
    text = _INSERT.format(member=":client_id", thing=":n")
    script.write_text(f"\\set n random(1, 1000000000)\n{text} ON CONFLICT DO NOTHING;\n")
    script.chmod(0o644)
    words = ("-h", str(place.folder), "-U", "test", "postgres")
    programs = databases.binaries()
    subprocess.run([programs / "psql", "-q", "-c", _TABLE, *words], check=True)
    seconds = max(6 // part, 1)
    done = subprocess.run(
        [
            *(programs / "pgbench", "-n", "-f", script, "-c", str(CLIENTS), "-j", "2"),
            *("-T", str(seconds), *words),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    match = re.search(r"tps = ([\d.]+)", done.stdout)
    assert match is not None, done.stdout
    return f"pgbench, {CLIENTS} clients: {float(match[1]):,.0f}/s"
