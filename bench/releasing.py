"""A page with very many nods that nobody had claimed, released to its owner, on both databases."""

import tempfile
from collections.abc import Iterator

from bench.month_end import child
from bench.table import Figure
from tests import databases


def figures(givers: int) -> Iterator[Figure]:
    """Each of the givers gave all of a coin to the one page."""
    with tempfile.TemporaryDirectory(prefix="mickle-bench-") as folder:
        yield _released("SQLite", {"MICKLE_DATA": folder}, givers)
    server = databases.Server()
    server.start()
    try:
        with tempfile.TemporaryDirectory(prefix="mickle-bench-") as folder:
            there = {"MICKLE_DATA": folder, "DATABASE_URL": server.url}
            yield _released("PostgreSQL", there, givers)
    finally:
        server.stop()


def _released(name: str, facts: dict[str, str], givers: int) -> Figure:
    done = child("release", facts, (givers,))
    if not done["equal"]:
        raise SystemExit(f"what was released on {name} is not what waited, less the fee")
    return Figure(
        f"release {givers:,} nods on {name}",
        f"{done['seconds']:.1f} s, {givers / done['seconds']:,.0f} nods/s,"
        f" {done['memory_mb']:.0f} MB",
        f"decided in {done['decided_ms']:.0f} ms",
        "",
        "1 M nods in 60 s: 16,667/s",
    )
