"""What reading a month of very many nods takes, once it is settled and while it runs."""

import tempfile
from collections.abc import Iterator

from bench.month_end import child
from bench.table import Figure
from tests import databases


def figures(nods: int) -> Iterator[Figure]:
    """One member's nods at as many pages of many makers, on both databases."""
    with tempfile.TemporaryDirectory(prefix="mickle-bench-") as folder:
        yield from _read("SQLite", {"MICKLE_DATA": folder}, nods)
    server = databases.Server()
    server.start()
    try:
        with tempfile.TemporaryDirectory(prefix="mickle-bench-") as folder:
            yield from _read(
                "PostgreSQL", {"MICKLE_DATA": folder, "DATABASE_URL": server.url}, nods
            )
    finally:
        server.stop()


def _read(name: str, facts: dict[str, str], nods: int) -> Iterator[Figure]:
    done = child("read", facts, (nods,))
    beside = f"as many rows of numbers fetched: {done['fetched_ms']:.1f} ms"
    for what, asked in (("statement", "20 ms (at 3,000)"), ("forecast", "")):
        spent_ms = done[f"{what}_ms"]
        yield Figure(
            f"{what} of a member with {nods:,} nods on {name}",
            f"{spent_ms:.1f} ms CPU",
            beside,
            f"{spent_ms / done['fetched_ms']:.1f} x",
            asked,
        )
