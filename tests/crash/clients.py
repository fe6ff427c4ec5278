"""Browsers with passes, and what they know of their nods after a server died under them."""

import asyncio
import json
import random
from dataclasses import dataclass, field

SITE = "blog.example"


@dataclass
class Deed:
    """Something a browser asked for."""

    path: str
    member: int
    thing: int
    key: str = ""

    def body(self, tokens: list[str]) -> bytes:
        asked = {"id": self.thing, "pass": tokens[self.member]}
        return json.dumps(asked | ({"key": self.key} if self.key else {})).encode()


@dataclass
class Browser:
    """One connection; the pairs of member and thing are its own, so it knows each one's state."""

    port: int
    tokens: list[str]
    pairs: list[tuple[int, int]]
    chance: random.Random
    # The key of each nod that stands, by pair.
    stands: dict[tuple[int, int], str] = field(default_factory=dict)
    under_way: Deed | None = None
    answered: int = 0
    clicked: int = 0
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def choose(self) -> Deed:
        """A nod that is not there yet, or one to take back."""
        self.clicked += 1
        pair = self.chance.choice(self.pairs)
        if pair in self.stands:
            if self.chance.random() < 0.6:
                # Pressed once more with the key it had: no second nod.
                return Deed("/c/nod", *pair, self.stands[pair])
            return Deed("/c/take-back", *pair)
        return Deed("/c/nod", *pair, f"{id(self)}-{self.clicked}")

    async def connect(self) -> None:
        """Open the connection, and see that the server has it: what waits in line is nobody's."""
        self.streams = await asyncio.open_connection("127.0.0.1", self.port)
        self.streams[1].write(b"GET /b/count?id=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await self.read()

    async def press_on(self) -> None:
        """Repeat what was not answered, as a button does, and press until the server is gone."""
        try:
            await self.repeat()
            while True:
                deed = self.under_way = self.choose()
                self.note(deed, await self.ask(deed))
                self.under_way = None
        except (OSError, EOFError):
            self.hang_up()

    async def ask(self, deed: Deed) -> dict:
        """The answer to a deed; raises OSError or EOFError when the server goes away."""
        assert self.streams is not None
        body, here = deed.body(self.tokens), f"127.0.0.1:{self.port}"
        head = (
            f"POST {deed.path} HTTP/1.1\r\nHost: {here}\r\nOrigin: http://{here}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.streams[1].write(head.encode() + body)
        return await self.read()

    async def read(self) -> dict:
        """One answer."""
        reader, _writer = self.streams
        lines = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(lines.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        said = json.loads(await reader.readexactly(length))
        assert lines.split(b" ")[1] in (b"200", b"409"), said
        return said

    def note(self, deed: Deed, said: dict) -> None:
        """Compare an answer with what has to be so, and remember it."""
        pair = deed.member, deed.thing
        self.answered += 1
        if deed.path == "/c/nod":
            assert said["nodded"], said
            assert said["new"] == (pair not in self.stands), (deed, said)
            self.stands[pair] = deed.key
        else:
            assert said.get("nodded") is False, (deed, said)
            del self.stands[pair]

    def learn(self, there: dict[tuple[int, int], str]) -> None:
        """What was not answered was done or not: only the rows know, and both are right."""
        if self.under_way is None:
            return
        pair = self.under_way.member, self.under_way.thing
        if pair in there:
            self.stands[pair] = there[pair]
        else:
            self.stands.pop(pair, None)

    async def repeat(self) -> None:
        """Ask once more, and see that what was done is not new."""
        deed = self.under_way
        if deed is None:
            return
        said = await self.ask(deed)
        if deed.path == "/c/take-back" and (deed.member, deed.thing) not in self.stands:
            assert said["reason"] == "no-nod"
        else:
            self.note(deed, said)
        self.under_way = None

    def hang_up(self) -> None:
        """Forget the connection."""
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None
