"""Nods at an even rate, quiet and while a month settles beside them; and a mixed load for long."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from statistics import median

from bench import live, served
from bench.clicks import Done, Plan
from bench.nods import Place, answered, finished, made, postgresql, pressed, refused, sqlite
from bench.table import Figure

MEMBERS, MONTH_NODS = 100_000, 1_000_000
# Who clicks beside it; a member's bucket allows five a second.
CLICKERS, THINGS = 4_000, 1_000
RATE = 500
QUIET_S = 20.0
LONGEST_S = 1_800.0

# A mixed load a second: counts, nods and a few taken back; and streams that come and go.
MIXED = ("count", "count", "count", "nod", "count", "count", "nod", "take-back")
MIXED_RATE = 400
MIXED_CONNECTIONS = 32
STREAMS = 100
MIXED_MEMBERS, MIXED_NODS = 2_000, 20_000


def figures(part: int) -> Iterator[Figure]:
    """Each database; a part of the size."""
    for where in (sqlite, postgresql):
        with where() as place:
            yield _settling(place, MEMBERS // part, MONTH_NODS // part, QUIET_S / min(part, 5))


def _settling(place: Place, members: int, nods: int, quiet_s: float) -> Figure:
    made("load", place, members, nods)
    clickers = min(CLICKERS, members)
    world = made("button", place, clickers, THINGS)
    with served.mickle(place.facts) as (_process, port):
        served.get(port, "/b/count?id=1")
        plan = Plan(port, clickers, world["first_thing"], THINGS, rate=RATE, seconds=quiet_s)
        finished(replace(plan, seconds=2.0))
        plan = replace(plan, begin=RATE * 10)
        quiet = finished(plan)
        settling = served.child("settle", place.facts, members, nods)
        beside = pressed(
            replace(plan, begin=plan.begin + int(RATE * quiet_s) + 1_000, seconds=LONGEST_S)
        )
        said, _nothing = settling.communicate()
        busy = answered(beside)
    settled = json.loads(said)
    assert settled["equal"], "the books do not agree with numpy"
    return Figure(
        f"nods on {place.name} while {members:,} members settle, {RATE}/s",
        f"p99 {busy.p99_ms:.1f} max {busy.max_ms:,.0f} ms{_wrong(busy)}; "
        f"settled in {settled['seconds']:.1f} s",
        f"quiet: p99 {quiet.p99_ms:.1f} max {quiet.max_ms:.0f} ms{_wrong(quiet)}",
        f"{busy.p99_ms / quiet.p99_ms:.1f} x",
        "2 x",
    )


def _wrong(done: Done) -> str:
    wrong = refused(done)
    return f", refused {wrong}" if wrong else ""


def mixed(seconds: float) -> Iterator[Figure]:
    """Counts, nods, take-backs, streams, a month that settles in between; memory and errors."""
    served.hold_many_files()
    for where in (sqlite, postgresql):
        with where() as place:
            yield _mixed(place, seconds)


def _mixed(place: Place, seconds: float) -> Figure:
    made("load", place, MIXED_MEMBERS, MIXED_NODS)
    world = made("button", place, MIXED_MEMBERS, THINGS)
    with served.mickle(place.facts) as (process, port):
        served.get(port, "/b/count?id=1")
        plan = Plan(
            *(port, MIXED_MEMBERS, world["first_thing"], THINGS, MIXED_CONNECTIONS),
            deeds=MIXED,
            rate=MIXED_RATE,
            seconds=seconds,
        )
        with _streams(port) as streamed, _memory(process.pid) as sizes:
            pressing = pressed(plan)
            time.sleep(seconds / 2)
            settled = _settled(place)
            assert pressing.stdout is not None
            said = pressing.stdout.read()
            done = _read(pressing, said)
    errors = sum(refused(done).values()) + streamed["errors"] + (not settled)
    third = sizes[len(sizes) * 2 // 3 :]
    half = len(third) // 2
    growth = median(third[half:]) / median(third[:half]) - 1
    return Figure(
        f"mixed load on {place.name}, {seconds / 60:.1f} minutes, a month settled",
        f"{errors} errors of {sum(done.answers.values()):,} and {streamed['streams']:,} streams"
        f"{_wrong(done)}; memory {sizes[-1]:.0f} MB",
        f"p99 {done.p99_ms:.1f} max {done.max_ms:,.0f} ms",
        f"growth {growth * 100:+.1f} %",
        "0 errors, < 5 % in the last third",
    )


def _read(pressing: subprocess.Popen[str], said: str) -> Done:
    assert pressing.stdin is not None
    assert pressing.stdout is not None
    pressing.stdin.close()
    pressing.stdout.close()
    assert pressing.wait() == 0
    return Done(**json.loads(said))


def _settled(place: Place) -> bool:
    said, _nothing = served.child("settle", place.facts, MIXED_MEMBERS, MIXED_NODS).communicate()
    return bool(json.loads(said)["equal"])


@contextmanager
def _streams(port: int) -> Iterator[dict[str, int]]:
    """Streams that come and go, a hundred at a time, until the block ends."""
    found = {"streams": 0, "errors": 0}
    over = threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            try:
                with ExitStack() as stack:
                    live.open_streams(stack, port, STREAMS)
                    over.wait(5)
            except OSError:
                found["errors"] += 1
            found["streams"] += STREAMS

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


@contextmanager
def _memory(pid: int) -> Iterator[list[float]]:
    """What the process has in memory, four times a second, in MB."""
    found: list[float] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.25):
            found.append(served.memory_mb(pid))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
