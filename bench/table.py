"""The machine, and a table of figures with what stands beside them."""

import os
import platform
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    found: str
    beside: str = ""
    ratio: str = ""
    budget: str = ""


def machine(postgresql: str) -> str:
    """What the figures were measured on."""
    cpu = re.search(r"model name\s*:\s*(.+)", _read("/proc/cpuinfo"))
    memory = re.search(r"MemTotal:\s*(\d+)", _read("/proc/meminfo"))
    size = f"{int(memory[1]) / 2**20:.0f} GB" if memory else "?"
    return (
        f"{cpu[1] if cpu else platform.processor()}, {os.cpu_count()} cores, {size}; "
        f"{platform.system()} {platform.release()}; Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, PostgreSQL {postgresql}; load before {load()}"
    )


def load() -> str:
    """How much else there was to do: in one, five and fifteen minutes."""
    return ", ".join(f"{one:.1f}" for one in os.getloadavg())


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8") if Path(path).exists() else ""


def drawn(figures: list[Figure]) -> str:
    """The figures in columns."""
    head = Figure("what", "measured", "beside, same run", "ratio", "budget")
    cells = [(one.what, one.found, one.beside, one.ratio, one.budget) for one in (head, *figures)]
    widths = [max(len(row[column]) for row in cells) for column in range(5)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join((lines[0], "-" * sum(widths, 8), *lines[1:]))
