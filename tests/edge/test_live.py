"""Live counts: one stream for the buttons of a page."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from django.db import connection

from mickle.edge import _live
from mickle.edge.edge import Policy
from mickle.lib import months
from mickle.nods import nods
from mickle.things import things
from tests import people
from tests.edge.street import Street

NOW = datetime.now(UTC)
MONTH = months.of(NOW)


@dataclass
class Page:
    """A page that listens."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    more: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False

    async def send(self, message: dict) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            self.text += message["body"].decode()
            self.ended = not message.get("more_body", False)
        self.more.set()

    async def until(self, number: int) -> list[dict]:
        """The first events, as soon as there are so many."""
        async with asyncio.timeout(10):
            while len(found := self.events) < number:
                self.more.clear()
                await self.more.wait()
        return found

    @property
    def events(self) -> list[dict]:
        blocks = [block for block in self.text.split("\n\n") if "data: " in block]
        return [json.loads(block.partition("data: ")[2]) for block in blocks]

    @property
    def last_id(self) -> str:
        return self.text.rpartition("id: ")[2].partition("\n")[0]


@asynccontextmanager
async def listening(street: Street, query: str, **headers: str) -> AsyncIterator[Page]:
    page, gone = Page(), asyncio.Event()

    async def receive() -> dict:
        await gone.wait()
        return {"type": "http.disconnect"}

    scope = {
        "type": "http",
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "method": "GET",
        "path": "/live",
        "query_string": query.encode(),
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    }
    serving = asyncio.ensure_future(street.edge(scope, receive, page.send))
    try:
        yield page
    finally:
        gone.set()
        await serving


@pytest.fixture
def page_one(street):
    people.instance_at(months.text(MONTH))
    return things.find_or_add(url="https://blog.example/1", at=NOW)


@pytest.fixture
def nod():
    """Nods as another part of the process would, off the loop."""
    givers = iter([people.member(f"m{n}", funds="5.00", month=MONTH - 1) for n in range(30)])

    async def give(thing) -> None:
        def deed() -> None:
            nods.give(member=next(givers), thing=thing, at=NOW)

        await asyncio.to_thread(_with_own_connection, deed)

    return give


def _with_own_connection(deed) -> object:
    try:
        return deed()
    finally:
        connection.close()


def test_a_page_is_told_at_once_and_then_of_each_change(street, page_one, nod):
    async def story():
        async with listening(street, f"ids={page_one.id},999") as page:
            assert await page.until(1) == [{str(page_one.id): 0, "999": 0}]
            await nod(page_one)
            assert (await page.until(2))[1] == {str(page_one.id): 1}
            await nod(page_one)
            assert (await page.until(3))[2] == {str(page_one.id): 2}
        assert page.headers["content-type"].startswith("text/event-stream")
        assert page.headers["access-control-allow-origin"] == "*"
        assert "set-cookie" not in page.headers
        assert len(street.edge._live) == 0
        assert not street.edge._counts.watched

    street.run(story())


async def until_known(street: Street, url: str) -> None:
    for _reading in range(100):
        if b"null" not in (await street.ask("/b/count", f"url={url}")).body:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(url)


def test_a_page_nobody_knew_is_told_of_its_first_nod(street, page_one, nod):
    async def story():
        url = "https://blog.example/new"
        async with listening(street, f"url={url}") as page:
            assert await page.until(1) == [{url: 0}]
            thing = await asyncio.to_thread(
                _with_own_connection, lambda: things.find_or_add(url=url, at=NOW)
            )
            await until_known(street, url)
            await nod(thing)
            # That it is known meanwhile changed nothing of what is shown.
            assert await page.until(2) == [{url: 0}, {url: 1}]

    street.run(story())


def test_many_changes_in_a_quarter_of_a_second_are_one_event(street, page_one, nod):
    async def story():
        async with listening(street, f"ids={page_one.id}") as page:
            await page.until(1)
            at = asyncio.get_running_loop().time()
            for _many in range(10):
                await nod(page_one)
            while page.events[-1] != {str(page_one.id): 10}:
                page.more.clear()
                await page.more.wait()
            spent = asyncio.get_running_loop().time() - at
            assert len(page.events) <= 2 + spent / _live.CALM_S

    street.run(story())


def test_who_comes_back_with_the_last_id_hears_only_what_is_new(street, page_one, nod):
    async def story():
        async with listening(street, f"ids={page_one.id}") as page:
            await page.until(1)
            last = page.last_id
        async with listening(street, f"ids={page_one.id}", last_event_id=last) as page:
            await nod(page_one)
            assert await page.until(1) == [{str(page_one.id): 1}]
        async with listening(street, f"ids={page_one.id}", last_event_id=last) as page:
            assert await page.until(1) == [{str(page_one.id): 1}]

    street.run(story())


def test_a_quiet_stream_beats(street, page_one, monkeypatch):
    monkeypatch.setattr(_live, "HEARTBEAT_S", 0)

    async def story():
        async with listening(street, f"ids={page_one.id}") as page:
            async with asyncio.timeout(10):
                while "\n:\n" not in page.text:
                    page.more.clear()
                    await page.more.wait()
            assert len(page.events) == 1

    street.run(story())


def test_an_address_holds_so_many_streams(transactional_db):
    people.instance_at()
    street = Street(Policy(streams_an_address=2))

    async def story():
        async with listening(street, "ids=1") as one, listening(street, "ids=1") as two:
            await one.until(1)
            await two.until(1)
            async with listening(street, "ids=1") as three:
                async with asyncio.timeout(5):
                    await three.more.wait()
                assert three.status == 429
        async with listening(street, "ids=1") as again:
            await again.until(1)
            assert again.status == 200

    street.run(story())
    street.close()


def test_streams_end_when_the_process_does(street, page_one):
    async def story():
        async with listening(street, f"ids={page_one.id}") as page:
            await page.until(1)
            street.edge.hang_up()
            async with asyncio.timeout(5):
                while not page.ended:
                    page.more.clear()
                    await page.more.wait()

    street.run(story())


@pytest.mark.parametrize(
    "query", ["", "ids=", "ids=x", "ids=1,,2", "url=javascript:x", "ids=" + ",".join(["1"] * 101)]
)
def test_what_cannot_be_listened_to_is_told_why(alone, query):
    answer = alone.get("/live", query)
    assert answer.status == 400
    assert answer.json["error"].endswith(".")


def test_a_stream_is_only_read(alone):
    assert alone.get("/live", "ids=1", method="POST").status == 405
