"""Presses buttons on many connections: `python -m bench.clicks PLAN`, a process of its own.

Answers how many it pressed and how long each took. It ends after its seconds or its clicks, or
when nobody reads it any more and its input ends.
"""

import asyncio
import json
import resource
import sys
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, fields
from itertools import count

import uvloop

SITE = "blog.example"
# What a browser says beside the deed.
_BROWSER = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0\r\n"
    "Accept: */*\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n"
)
# A nod is taken back so many clicks after it was given.
LATER = 2_000
LATEST_S = 60.0


@dataclass(frozen=True)
class Plan:
    """What is pressed; `deeds` come in turn, `rate` a second in all (0: as fast as it goes)."""

    port: int
    members: int
    first_thing: int
    things: int
    connections: int = 64
    seconds: float = LATEST_S
    clicks: int = 2**40
    rate: float = 0.0
    begin: int = 0
    deeds: tuple[str, ...] = ("nod",)

    def pair(self, number: int) -> tuple[int, int]:
        """Member and thing of the nod with this number; no pair comes twice."""
        member = number % self.members
        thing = (number // self.members + member * 7) % self.things
        return member, self.first_thing + thing


@dataclass(frozen=True)
class Done:
    """What came of it; times in milliseconds."""

    answers: dict[str, int]
    new: int
    seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    own_cpu_s: float


def read(text: str) -> Done:
    """What another process answered."""
    found = json.loads(text)
    return Done(**{field.name: found[field.name] for field in fields(Done)})


class Clicks:
    """What all connections share."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.nods = count(plan.begin)
        self.given: deque[int] = deque()
        self.began = time.perf_counter()
        self.until = self.began + plan.seconds
        self.sent = 0
        self.open = 0
        self.took: list[float] = []
        self.answers: Counter[str] = Counter()
        self.new = 0
        self.over = asyncio.Event()

    def due(self) -> float | None:
        """When the next click is to be; None when there are enough."""
        plan, now = self.plan, time.perf_counter()
        if self.sent >= plan.clicks or now >= self.until:
            return None
        due = self.began + self.sent / plan.rate if plan.rate else now
        self.sent += 1
        return None if due >= self.until else due

    def request(self) -> bytes:
        """The next click as bytes."""
        deed = self.plan.deeds[self.sent % len(self.plan.deeds)]
        if deed == "count":
            thing = self.plan.first_thing + self.sent * 7 % self.plan.things
            return f"GET /b/count?id={thing} HTTP/1.1\r\nHost: h\r\n{_BROWSER}\r\n".encode()
        if deed == "take-back" and len(self.given) > LATER:
            number = self.given.popleft()
        else:
            deed, number = "nod", next(self.nods)
            self.given.append(number)
            if len(self.given) > 2 * LATER:
                self.given.popleft()
        member, thing = self.plan.pair(number)
        asked = {"id": thing} | ({"key": f"k{number}"} if deed == "nod" else {})
        body = json.dumps(asked)
        here = f"127.0.0.1:{self.plan.port}"
        return (
            f"POST /c/{deed} HTTP/1.1\r\nHost: {here}\r\nOrigin: http://{here}\r\n{_BROWSER}"
            f"Sec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\n"
            f"Cookie: __Secure-nod-0badcafe=mkp_{member}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def done(self) -> Done:
        """The figures."""
        seconds = time.perf_counter() - self.began
        took = sorted(self.took) or [0.0]
        used = resource.getrusage(resource.RUSAGE_SELF)
        return Done(
            dict(self.answers),
            self.new,
            seconds,
            took[len(took) // 2] * 1e3,
            took[len(took) * 99 // 100] * 1e3,
            took[-1] * 1e3,
            used.ru_utime + used.ru_stime,
        )


class Click(asyncio.Protocol):
    """One connection: asks, waits for the answer, asks again."""

    def __init__(self, clicks: Clicks) -> None:
        self.clicks = clicks
        self.got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = transport
        self.clicks.open += 1
        self.ask()

    def ask(self) -> None:
        """Press once more when it is time to, or hang up."""
        due = self.clicks.due()
        if due is None:
            self.transport.close()
            return
        self.due = due
        wait = due - time.perf_counter()
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self.write)
        else:
            self.write()

    def write(self) -> None:
        """Press."""
        self.transport.write(self.clicks.request())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Note the answer as soon as it is whole."""
        got = self.got = self.got + data
        if not got.endswith(b"}") or b"\r\n\r\n" not in got:
            return
        clicks, self.got = self.clicks, b""
        # From when it should have been pressed: whoever waits in line waits, too.
        clicks.took.append(time.perf_counter() - self.due)
        status = got[9:12].decode()
        reason = "" if status == "200" else " " + got.rpartition(b'"reason": "')[2].decode()
        clicks.answers[status + reason] += 1
        clicks.new += b'"new": true' in got
        self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note what ended before it was done."""
        self.clicks.open -= 1
        if exc is not None:
            self.clicks.answers[type(exc).__name__] += 1
        if not self.clicks.open:
            self.clicks.over.set()


async def press(plan: Plan) -> Done:
    """Press until the plan is done, or the input ends."""
    loop = asyncio.get_running_loop()
    clicks = Clicks(plan)
    loop.add_reader(sys.stdin, lambda: setattr(clicks, "until", 0.0))
    for _number in range(plan.connections):
        await loop.create_connection(lambda: Click(clicks), "127.0.0.1", plan.port)
    await clicks.over.wait()
    loop.remove_reader(sys.stdin)
    return clicks.done()


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    print(json.dumps(asdict(uvloop.run(press(Plan(**given | {"deeds": tuple(given["deeds"])}))))))
