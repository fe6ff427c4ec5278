"""Live counts: what an idle stream takes, and how soon every process shows a nod."""

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from selectors import EVENT_READ, DefaultSelector

from bench import served
from bench.nods import Place, made, postgresql, sqlite
from bench.served import request
from bench.table import Figure

STREAMS, WARM = 5_000, 200
PROCESSES = 4
# Pages that listen, and pages that ask, in each process.
LISTENERS = 8
MEMBERS, THINGS = 200, 50
NODS = 60
PAUSE_S = 0.12
POLL_S = 0.01
WAIT_S = 10.0


def figures(part: int) -> Iterator[Figure]:
    """Streams in one process; nods heard and seen in four, on each database."""
    served.hold_many_files()
    for where in (sqlite, postgresql):
        with where() as place:
            world = made("button", place, MEMBERS, THINGS)
            if where is sqlite:
                yield _idle(place, STREAMS // part)
            yield from _soon(place, world["first_thing"], max(NODS // part, 12))


def _idle(place: Place, streams: int) -> Figure:
    with served.mickle(place.facts) as (process, port), ExitStack() as stack:
        open_streams(stack, port, WARM)
        before = served.memory_mb(process.pid)
        open_streams(stack, port, streams)
        kb = (served.memory_mb(process.pid) - before) * 1024 / streams
    return Figure(f"{streams:,} idle live streams", f"{kb:.1f} kB each", budget="20 kB each")


def open_streams(stack: ExitStack, port: int, streams: int) -> None:
    """Pages that listen to three things each, and go on listening."""
    for number in range(streams):
        stream = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
        ids = ",".join(str((number + more) % THINGS + 1) for more in range(3))
        stream.sendall(request(f"/live?ids={ids}"))
        if not number % 100:
            # What was asked for is there before more is.
            _until(stream, b"\n\n")
    time.sleep(1)


def _until(stream: socket.socket, mark: bytes) -> bytes:
    got = b""
    while mark not in got:
        more = stream.recv(65_536)
        assert more, got
        got += more
    return got


def _soon(place: Place, first_thing: int, nods: int) -> Iterator[Figure]:
    with served.mickle(place.facts, "--workers", str(PROCESSES)) as (process, port):
        served.get(port, "/b/count?id=1")
        with ExitStack() as stack:
            ids = ",".join(str(first_thing + n) for n in range(THINGS))
            there = _connections(stack, process, port, f"/live?ids={ids}", LISTENERS)
            pages = [one for some in there.values() for one in some[:LISTENERS]]
            heard = [took for n in range(nods) for took in _heard(port, pages, first_thing, n)]
        where = f"in {PROCESSES} processes on {place.name}"
        yield _delay(f"a nod heard by {len(pages)} pages {where}", heard)
        with ExitStack() as stack:
            there = _connections(stack, process, port, "/b/count?id=1", 1)
            asking = [some[0] for some in there.values()]
            seen = [
                took for n in range(nods, nods * 2) for took in _seen(port, asking, first_thing, n)
            ]
        yield _delay(f"a nod seen at /b/count {where}", seen)


def _connections(
    stack: ExitStack, process: subprocess.Popen[str], port: int, path: str, each: int
) -> dict[int, list[socket.socket]]:
    """Connections that have asked for a path, so many or more at each of the server's processes."""
    found: dict[int, list[socket.socket]] = {}
    until = time.monotonic() + 60
    while len(found) < PROCESSES or min(map(len, found.values())) < each:
        assert time.monotonic() < until, "the processes do not share the connections"
        one = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=WAIT_S))
        one.sendall(request(path))
        _until(one, b"}")
        pid = served.worker_of(one, served.family(process.pid)[1:])
        if pid is not None:
            found.setdefault(pid, []).append(one)
    return found


def _nod(port: int, first_thing: int, number: int) -> tuple[int, int, float]:
    """Nod; the thing, its count, and when the answer was there."""
    here, thing = f"127.0.0.1:{port}", first_thing + number % THINGS
    # A member's bucket is never empty: each nods a few times.
    body = json.dumps({"id": thing, "pass": f"mkp_{number % MEMBERS}"})
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as asked:
        asked.sendall(
            f"POST /c/nod HTTP/1.1\r\nHost: {here}\r\nOrigin: http://{here}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        said = _until(asked, b"}").partition(b"\r\n\r\n")[2]
    at = time.perf_counter()
    answer = json.loads(said)
    assert answer["new"], answer
    return thing, answer["count"], at


def _heard(port: int, pages: list[socket.socket], first_thing: int, number: int) -> list[float]:
    """How long after the answer each page was told, in seconds; a page told before it: 0."""
    thing, count, at = _nod(port, first_thing, number)
    wanted = re.compile(rb'[{,]"%d":%d[,}]' % (thing, count))
    took: list[float] = []
    with DefaultSelector() as waiting:
        texts = dict.fromkeys(pages, b"")
        for page in pages:
            waiting.register(page, EVENT_READ)
        while len(took) < len(pages):
            ready = waiting.select(WAIT_S)
            assert ready, f"{len(pages) - len(took)} pages were not told"
            for key, _events in ready:
                page = key.fileobj
                assert isinstance(page, socket.socket)
                texts[page] += page.recv(65_536)
                if wanted.search(texts[page]):
                    took.append(time.perf_counter() - at)
                    waiting.unregister(page)
    time.sleep(PAUSE_S * (1 + number % 5))
    return took


def _seen(port: int, asking: list[socket.socket], first_thing: int, number: int) -> list[float]:
    """How long after the answer each process shows it, in seconds; each is asked all the time."""
    thing, count, at = _nod(port, first_thing, number)
    took: list[float] = []
    left = list(asking)
    while left:
        assert time.perf_counter() - at < WAIT_S, f"{len(left)} processes do not show it"
        for one in list(left):
            one.sendall(request(f"/b/count?id={thing}"))
            if json.loads(_until(one, b"}").partition(b"\r\n\r\n")[2])["count"] >= count:
                took.append(time.perf_counter() - at)
                left.remove(one)
        time.sleep(POLL_S)
    # The number before is asked for at every moment of a reading's life.
    until = time.perf_counter() + PAUSE_S * (1 + number % 5)
    while time.perf_counter() < until:
        for one in asking:
            one.sendall(request(f"/b/count?id={first_thing + (number + 1) % THINGS}"))
            _until(one, b"}")
        time.sleep(POLL_S)
    return took


def _delay(what: str, took: list[float]) -> Figure:
    took.sort()
    p50, p99, most = (took[min(len(took) - 1, len(took) * n // 100)] * 1e3 for n in (50, 99, 100))
    found = f"p50 {p50:.0f} p99 {p99:.0f} max {most:.0f} ms, {len(took):,} times"
    return Figure(what, found, budget="1,000 ms")
