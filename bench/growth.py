"""Month ends of growing size on both databases, by each engine, beside numpy; drawn as a plot.

20 nods a member. What is measured is kept in a file, so that a large size, which takes an hour, can
be measured by itself; table and plot show the newest of each.
"""

import csv
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import psycopg

from bench import growth_plot, world
from bench.month_end import ENGINES, LIMITS, child
from bench.table import Figure
from tests import databases

NODS_A_MEMBER = 20
SIZES, LONG_SIZES = (1_000_000, 5_000_000, 20_000_000), (100_000_000,)
# SQLite alone is measured from so many on: PostgreSQL has taken its time before.
SQLITE_ALONE = 100_000_000

DOCS = Path(__file__).parent.parent / "docs" / "explanation"
KEPT, PLOT, PAGE = "growth.csv", "growth.svg", "month-end.md"
_KINDS: dict[str, Any] = {"nods": int, "database": str, "engine": str}
BEGINS, ENDS = "<!-- growth -->", "<!-- growth ends -->"


@dataclass(frozen=True)
class Point:
    """One month end: what it took in seconds and of CPU, the proof apart, and numpy beside it."""

    nods: int
    database: str
    engine: str
    settled_s: float
    settled_cpu_s: float
    proof_cpu_s: float
    memory_mb: float
    server_mb: float
    numpy_s: float

    @property
    def line(self) -> str:
        """Which line of the plot it is on."""
        by = {"database": "itself", "duckdb": "DuckDB"}[self.engine]
        return f"{self.database}, computed by {by}"

    @property
    def ratio(self) -> float:
        """How many times the split in numpy."""
        return self.settled_cpu_s / self.numpy_s


def figures(sizes: Sequence[int], *, into: Path | None) -> Iterator[Figure]:
    """Each size on each database; kept, drawn and put on its page where a folder is named."""
    for nods in sizes:
        for point in _points(nods):
            if into is not None:
                keep(point, into)
            yield _figure(point)


def _figure(point: Point) -> Figure:
    memory = f"{point.memory_mb:.0f} MB"
    if point.server_mb:
        memory += f" + server {point.server_mb:.0f} MB"
    asked = LIMITS.get((point.database, point.engine))
    return Figure(
        f"{point.nods:,} nods on {point.line}",
        f"{point.settled_cpu_s:.1f} s CPU, {1e6 * point.settled_cpu_s / point.nods:.1f} us a nod,"
        f" in {point.settled_s:.1f} s, {memory}",
        f"numpy {point.numpy_s:.2f} s; proof {point.proof_cpu_s:.1f} s",
        f"{point.ratio:.0f} x",
        f"{asked} x, 1,500 MB (at 20 M)" if asked else "",
    )


def _points(nods: int) -> Iterator[Point]:
    month = world.draw(nods // NODS_A_MEMBER, nods)
    numpy_s = min(_timed_split(month) for _turn in range(3))
    with tempfile.TemporaryDirectory(prefix="mickle-bench-") as name:
        folder = Path(name)
        drawn = folder / "month.npz"
        world.keep(month, drawn)
        del month
        yield from _on_sqlite(nods, drawn, numpy_s)
        if nods < SQLITE_ALONE:
            yield from _on_postgresql(nods, drawn, numpy_s)


def _timed_split(month: world.Month) -> float:
    began = time.process_time()
    world.split(month)
    return time.process_time() - began


def _on_sqlite(nods: int, drawn: Path, numpy_s: float) -> Iterator[Point]:
    filled, copied = drawn.parent / "filled", drawn.parent / "copied"
    _child("fill", drawn, {"MICKLE_DATA": str(filled)})
    for engine in ENGINES:
        shutil.copytree(filled, copied)
        done = _child("settle", drawn, {"MICKLE_DATA": str(copied), "MICKLE_ENGINE": engine})
        yield _point(nods, "SQLite", engine, numpy_s, done)
        shutil.rmtree(copied)


def _on_postgresql(nods: int, drawn: Path, numpy_s: float) -> Iterator[Point]:
    server = databases.Server()
    server.start()
    facts = {"MICKLE_DATA": str(drawn.parent / "beside"), "DATABASE_URL": server.url}
    beside = server.url.removesuffix("postgres")
    try:
        _child("fill", drawn, facts)
        for engine in ENGINES:
            # From a database beside it: what is copied may have no other connection.
            with psycopg.connect(beside + "template1", autocommit=True) as there:
                there.execute("CREATE DATABASE copied TEMPLATE postgres")
            asked = {"DATABASE_URL": beside + "copied", "MICKLE_ENGINE": engine}
            done = _child("settle", drawn, facts | asked)
            yield _point(nods, "PostgreSQL", engine, numpy_s, done)
            with psycopg.connect(beside + "template1", autocommit=True) as there:
                there.execute("DROP DATABASE copied")
    finally:
        server.stop()


def _child(deed: str, drawn: Path, facts: dict[str, str]) -> dict[str, float]:
    return child(deed, facts, (drawn,), module="bench.growing")


def _point(
    nods: int, database: str, engine: str, numpy_s: float, done: Mapping[str, float]
) -> Point:
    if not done["equal"]:
        raise SystemExit(f"{engine} on {database} and numpy do not agree to the micro")
    return Point(
        nods,
        database,
        engine,
        round(done["seconds"] - done["proof_seconds"], 3),
        round(done["cpu_s"] - done["proof_cpu_s"], 3),
        round(done["proof_cpu_s"], 3),
        round(done["memory_mb"]),
        round(done["server_mb"]),
        round(numpy_s, 6),
    )


def keep(point: Point, folder: Path) -> None:
    """Keep what was measured in place of what was before, and draw table and plot anew."""
    found = {(one.nods, one.database, one.engine): one for one in kept(folder)}
    found[point.nods, point.database, point.engine] = point
    points = [found[place] for place in sorted(found)]
    with (folder / KEPT).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [one.name for one in fields(Point)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(asdict, points))
    write(points, folder)


def kept(folder: Path) -> list[Point]:
    """What was measured, in order of size."""
    path = folder / KEPT
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Point(**{name: _KINDS.get(name, float)(text) for name, text in row.items()})
            for row in csv.DictReader(file)
        ]


def write(points: Sequence[Point], folder: Path) -> None:
    """Draw the plot, and put the table between its marks on the page that shows both."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        lines.setdefault(point.line, []).append((point.nods, point.settled_cpu_s))
    numpy = {point.nods: point.numpy_s for point in points}
    lines["a split in numpy"] = sorted(numpy.items())
    (folder / PLOT).write_text(growth_plot.drawn(lines), encoding="utf-8")
    page = folder / PAGE
    if page.exists():
        before, _begins, rest = page.read_text(encoding="utf-8").partition(BEGINS)
        _table, _ends, after = rest.partition(ENDS)
        text = f"{before}{BEGINS}\n{table(points)}\n{ENDS}{after}"
        page.write_text(text, encoding="utf-8")


def table(points: Sequence[Point]) -> str:
    """The figures in Markdown."""
    head = (
        *("Nods", "Books in", "Computed by", "Settled, s of CPU", "us a nod", "Proof, s of CPU"),
        *("Peak, MB", "Its server, MB", "numpy, s", "Times numpy", "Asked"),
    )
    rows = [head, ["---"] * len(head), *map(_cells, points)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cells(point: Point) -> tuple[str, ...]:
    asked = LIMITS.get((point.database, point.engine)) if point.nods == SIZES[-1] else None
    return (
        f"{point.nods:,}",
        point.database,
        {"database": "itself", "duckdb": "DuckDB"}[point.engine],
        f"{point.settled_cpu_s:.1f}",
        f"{1e6 * point.settled_cpu_s / point.nods:.1f}",
        f"{point.proof_cpu_s:.1f}",
        f"{point.memory_mb:.0f}",
        f"{point.server_mb:.0f}" if point.server_mb else "",
        f"{point.numpy_s:.2f}",
        f"{point.ratio:.0f}",
        f"{asked}" if asked else "",
    )
