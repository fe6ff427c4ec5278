"""Loading a described month and settling it, by each engine on both databases, beside numpy."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from bench import world
from bench.table import Figure
from tests import databases

# Times the split in numpy, asked at 20 M nods, by database and engine.
LIMITS = {
    ("SQLite", "database"): 45,
    ("SQLite", "duckdb"): 12,
    ("PostgreSQL", "duckdb"): 20,
}
ENGINES = ("database", "duckdb")


def figures(members: int, nods: int) -> Iterator[Figure]:
    """Each database in a folder of its own; the same month in both and in numpy."""
    month = world.draw(members, nods)
    limit_s = min(_timed_split(month) for _turn in range(3))
    size = f"{month.budget.size:,} members, {month.member.size:,} nods"
    yield Figure(f"numpy split of {size}", f"{limit_s:.2f} s")
    with tempfile.TemporaryDirectory(prefix="mickle-bench-") as folder:
        facts = [{"MICKLE_DATA": str(Path(folder) / engine)} for engine in ENGINES]
        yield _loaded("SQLite", facts[0], (members, nods))
        shutil.copytree(facts[0]["MICKLE_DATA"], facts[1]["MICKLE_DATA"])
        yield from _settled("SQLite", facts, (members, nods), limit_s)
    server = databases.Server()
    server.start()
    try:
        with tempfile.TemporaryDirectory(prefix="mickle-bench-") as folder:
            urls = [server.url, server.url.removesuffix("postgres") + "again"]
            facts = [{"MICKLE_DATA": folder, "DATABASE_URL": url} for url in urls]
            yield _loaded("PostgreSQL", facts[0], (members, nods))
            # From a database beside it: what is copied may have no other connection.
            with psycopg.connect(server.url.removesuffix("postgres") + "template1") as there:
                there.autocommit = True
                there.execute("CREATE DATABASE again TEMPLATE postgres")
            yield from _settled("PostgreSQL", facts, (members, nods), limit_s)
    finally:
        server.stop()


def _timed_split(month: world.Month) -> float:
    began = time.perf_counter()
    world.split(month)
    return time.perf_counter() - began


def _loaded(name: str, facts: dict[str, str], size: tuple[int, int]) -> Figure:
    loaded = child("load", facts, size)
    rate = loaded["nods"] / loaded["seconds"]
    return Figure(
        f"load into {name}",
        f"{loaded['seconds']:.1f} s, {rate:,.0f} nods/s",
        budget="1 M nods in 60 s: 16,667/s",
    )


def _settled(
    name: str, facts: list[dict[str, str]], size: tuple[int, int], limit_s: float
) -> Iterator[Figure]:
    for engine, there in zip(ENGINES, facts, strict=True):
        done = child("settle", there | {"MICKLE_ENGINE": engine}, size)
        if not done["equal"]:
            raise SystemExit(f"{engine} on {name} and numpy do not agree to the micro")
        memory = f"{done['memory_mb']:.0f} MB"
        if done["server_mb"]:
            memory += f" + server {done['server_mb']:.0f} MB"
        posted_s, proof_s = done["seconds"] - done["proof_seconds"], done["proof_seconds"]
        asked = LIMITS.get((name, engine))
        yield Figure(
            f"settle on {name}, computed by {engine}",
            f"{posted_s:.1f} s, of it {done['computed_s']:.1f} s computing,"
            f" {done['nods'] / posted_s:,.0f} nods/s, {memory}",
            f"numpy {limit_s:.2f} s, equal to the micro",
            f"{posted_s / limit_s:.0f} x",
            f"{asked} x, 1,500 MB (at 20 M)" if asked else "",
        )
    yield Figure(
        f"prove it on {name}",
        f"{proof_s:.1f} s, {done['nods'] / proof_s:,.0f} shares/s",
        f"settled in {posted_s:.1f} s",
        f"{proof_s / posted_s:.2f} x",
    )


def child(
    deed: str, facts: dict[str, str], words: tuple[int | Path, ...], module: str = "bench.child"
) -> dict[str, float]:
    """What a deed says that was done in a process of its own, on the database of these facts."""
    env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-m", module, deed, *map(str, words)],
        env=env | facts,
        stdout=subprocess.PIPE,
        check=True,
        cwd=Path(__file__).parent.parent,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found
