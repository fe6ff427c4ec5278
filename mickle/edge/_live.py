"""Live counts by server-sent events: one stream for all buttons of a page."""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from mickle.edge import _clock
from mickle.edge._answers import EVERYWHERE, NO_CONTENT, Found
from mickle.edge._asking import Asked
from mickle.edge._counts import Counts

# At most one event for a thing in this time.
CALM_S = 0.25
HEARTBEAT_S = 20
STREAMS_AT_MOST = 20_000
# All that is listened to is read twice a second: different pages in this process, and pages an
# address may listen to for each stream it may hold.
PAGES_AT_MOST = 20_000
PAGES_A_STREAM = 10
Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]

_START: dict[str, Any] = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        *EVERYWHERE,
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        # Some proxies would hold the events back until there are many.
        (b"x-accel-buffering", b"no"),
    ],
}


class Stream:
    """What one page listens to."""

    __slots__ = ("asked", "changed", "gone", "shown", "wake")

    def __init__(self, asked: Sequence[Asked]) -> None:
        self.asked = tuple(dict.fromkeys(asked))
        self.shown: dict[Asked, Found] = {}
        self.changed: dict[Asked, Found] = {}
        self.wake: asyncio.Future[None] | None = None
        self.gone = False

    def ring(self) -> None:
        """Let the stream look what there is to do."""
        if self.wake is not None and not self.wake.done():
            self.wake.set_result(None)

    async def wait(self) -> None:
        """Wait until something rings."""
        self.wake = asyncio.get_running_loop().create_future()
        await self.wake


class Live:
    """All streams of this process."""

    def __init__(self, counts: Counts, *, an_address: int, opened: Callable[[], None]) -> None:
        self._counts, self._an_address, self._opened = counts, an_address, opened
        self._streams: dict[Asked, set[Stream]] = {}
        self._of_address: Counter[str] = Counter()
        self._pages_of: Counter[str] = Counter()
        self._all: set[Stream] = set()
        self._beating: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._all)

    def has_room(self, address: str, pages: int) -> bool:
        """Whether an address may open one more, for so many pages."""
        watched = self._pages_of[address] + pages
        return (
            len(self._all) < STREAMS_AT_MOST
            and len(self._counts.watched) + pages <= PAGES_AT_MOST
            and self._of_address[address] < self._an_address
            and watched <= self._an_address * PAGES_A_STREAM
        )

    def heard(self, found: Mapping[Asked, Found]) -> None:
        """Counts were read: whoever was shown others is told."""
        for asked in found.keys() & self._streams.keys():
            for stream in self._streams[asked]:
                # A page that is known now, and nobody nodded at, shows what it showed.
                if asked not in stream.shown or stream.shown[asked][1] != found[asked][1]:
                    stream.changed[asked] = found[asked]
                    stream.ring()

    async def serve(
        self, asked: Sequence[Asked], address: str, last_id: str, receive: Receive, send: Send
    ) -> None:
        """Send events until the page goes away."""
        stream = Stream(asked)
        self._open(stream, address)
        listening = asyncio.ensure_future(_until_gone(stream, receive))
        try:
            first = dict(zip(asked, await self._counts.of(asked), strict=True))
            await send(_START)
            await self._speak(stream, first, last_id, send)
        finally:
            listening.cancel()
            self._close(stream, address)

    async def _speak(
        self, stream: Stream, first: dict[Asked, Found], last_id: str, send: Send
    ) -> None:
        stream.shown, stream.changed = first, {}
        known = _id_of(first) == last_id
        await send(_part(b"retry: 3000\n\n" if known else b"retry: 3000\n" + _event(first, first)))
        while not stream.gone:
            await asyncio.sleep(CALM_S)
            # Whoever rang meanwhile left a mark, so no ring is missed.
            if not (stream.changed or stream.gone):
                await stream.wait()
            news, stream.changed = stream.changed, {}
            stream.shown |= news
            await send(_part(_event(stream.shown, news) if news else b":\n\n"))
        await send(NO_CONTENT)

    def _open(self, stream: Stream, address: str) -> None:
        self._all.add(stream)
        self._of_address[address] += 1
        self._pages_of[address] += len(stream.asked)
        for asked in stream.asked:
            self._streams.setdefault(asked, set()).add(stream)
            self._counts.watched[asked] += 1
        self._opened()
        if self._beating is None or self._beating.done():
            self._beating = asyncio.create_task(self._beat())

    def _close(self, stream: Stream, address: str) -> None:
        self._all.discard(stream)
        _less(self._of_address, address)
        _less(self._pages_of, address, len(stream.asked))
        for asked in stream.asked:
            listening = self._streams[asked]
            listening.discard(stream)
            if not listening:
                del self._streams[asked]
            _less(self._counts.watched, asked)

    async def _beat(self) -> None:
        """Ring every stream once in a while, a part of them each second."""
        rung: dict[Stream, float] = {}
        while self._all:
            now = _clock.now()
            rung = {stream: rung.get(stream, now) for stream in self._all}
            for stream, at in rung.items():
                if now - at >= HEARTBEAT_S:
                    rung[stream] = now
                    stream.ring()
            await asyncio.sleep(1)

    def close(self) -> None:
        """Let every stream end."""
        if self._beating is not None:
            self._beating.cancel()
        for stream in self._all:
            stream.gone = True
            stream.ring()


def _less(counter: Counter[Any], key: object, by: int = 1) -> None:
    counter[key] -= by
    if counter[key] <= 0:
        del counter[key]


async def _until_gone(stream: Stream, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.gone = True
    stream.ring()


def _part(body: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": True}


def _event(state: Mapping[Asked, Found], news: Mapping[Asked, Found]) -> bytes:
    """An event of what changed; its id stands for all that the page was shown."""
    said = {asked.url or str(asked.thing_id): count for asked, (_thing, count) in news.items()}
    data = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return f"id: {_id_of(state)}\nevent: count\ndata: {data}\n\n".encode()


def _id_of(state: Mapping[Asked, Found]) -> str:
    """A short name of what is shown, the same in every process and in every order."""
    parts: Iterable[str] = sorted(
        f"{asked.thing_id}|{asked.identity}|{count}" for asked, (_thing, count) in state.items()
    )
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=9).hexdigest()
