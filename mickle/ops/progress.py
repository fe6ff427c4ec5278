"""A bar for long work when a person watches: how much is done, how fast, how long it takes yet."""

import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO, TypeVar

from mickle.lib.chunks import Report, untold

Item = TypeVar("Item")

WIDTH = 30
EVERY_S = 0.2


def bar(
    items: Iterable[Item], total: int, label: str, *, out: TextIO | None = None
) -> Iterable[Item]:
    """The items, counted on a bar while they are taken; as they are where no terminal is."""
    stream = sys.stderr if out is None else out
    return _counted(items, total, label, stream) if stream.isatty() else items


def _counted(items: Iterable[Item], total: int, label: str, out: TextIO) -> Iterator[Item]:
    started = shown = time.monotonic()
    done = 0
    try:
        for item in items:
            yield item
            done += 1
            # Asking the clock for each of a million items would be a tenth of the work.
            if done % 256 == 0 and (at := time.monotonic()) - shown >= EVERY_S:
                out.write("\r" + line(label, done, total, at - started))
                out.flush()
                shown = at
        out.write("\r" + line(label, done, total, time.monotonic() - started))
    finally:
        out.write("\n")
        out.flush()


def line(label: str, done: int, total: int, spent_s: float) -> str:
    """One picture of the bar."""
    part = min(done / total, 1.0) if total else 1.0
    rate = done / spent_s if spent_s > 0 else 0.0
    left = f"{(total - done) / rate:,.0f} s left" if rate and done < total else f"{spent_s:,.1f} s"
    drawn = ("█" * round(part * WIDTH)).ljust(WIDTH, "·")
    return f"{label} {drawn} {part:4.0%} {done:,} of {total:,}, {rate:,.0f}/s, {left}  "


@contextmanager
def staged(label: str, stages: Mapping[str, str], *, out: TextIO | None = None) -> Iterator[Report]:
    """A bar a stage, for work that tells how far it is by the stage's key."""
    stream = sys.stderr if out is None else out
    if not stream.isatty():
        yield untold
        return
    now, started = "", 0.0

    def show(stage: str, done: int, total: int) -> None:
        nonlocal now, started
        if stage != now:
            stream.write("\n" if now else "")
            now, started = stage, time.monotonic()
        said = f"{label}: {stages.get(stage, stage)}"
        stream.write("\r" + line(said, done, total, time.monotonic() - started))
        stream.flush()

    try:
        yield show
    finally:
        stream.write("\n" if now else "")
        stream.flush()
