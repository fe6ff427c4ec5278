"""Reads counts off the event loop: one thread, one connection, one query for all who wait."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import Q

from mickle.edge._asking import Asked
from mickle.nods import nods
from mickle.things.models import Thing

# What one statement takes on SQLite, with room to spare.
CHUNK = 1_000
Found = tuple[int | None, int]
Item = TypeVar("Item")


class _Batch:
    """What is asked for while the thread reads the batch before."""

    def __init__(self) -> None:
        self.asked: set[Asked] = set()
        self.found: asyncio.Future[dict[Asked, Found]] = asyncio.get_running_loop().create_future()


class Counts:
    """Answers how many nods things have; many askers share one reading."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="counts")
        self._next: _Batch | None = None
        self._reader: asyncio.Task[None] | None = None

    async def of(self, asked: Sequence[Asked]) -> list[Found]:
        """Thing id (None where nobody knows it) and count, read after this was called."""
        if self._next is None:
            self._next = _Batch()
        batch = self._next
        batch.asked.update(asked)
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
        # Shielded: one asker who goes away takes the answer from nobody else.
        found = await asyncio.shield(batch.found)
        return [found[one] for one in asked]

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while (batch := self._next) is not None:
            self._next = None
            try:
                found = await loop.run_in_executor(self._thread, _look_up, frozenset(batch.asked))
            except Exception as error:  # noqa: BLE001 - each asker hears of it
                batch.found.set_exception(error)
                # Everyone may have gone away meanwhile; then nobody needs to hear of it.
                batch.found.exception()
            else:
                batch.found.set_result(found)

    def close(self) -> None:
        """Give the connection back and end the thread."""
        self._thread.submit(_close).result()
        self._thread.shutdown()


def _close() -> None:
    # Named in here, because the proxy stands for the connection of the thread that names it.
    connection.close()


def _look_up(asked: frozenset[Asked]) -> dict[Asked, Found]:
    try:
        return _query(asked)
    except DatabaseError:
        # A server that was restarted meanwhile is worth one more try on a new connection.
        connection.close()
        return _query(asked)


def _query(asked: frozenset[Asked]) -> dict[Asked, Found]:
    places: dict[int | str, int] = {}
    for chunk in _chunks(asked):
        ids = [one.thing_id for one in chunk if one.thing_id is not None]
        identities = [one.identity for one in chunk if one.thing_id is None]
        rows = Thing.objects.filter(Q(id__in=ids) | Q(identity__in=identities))
        for thing_id, identity, state, target in rows.values_list(
            "id", "identity", "state", "merged_into_id"
        ):
            # What was refused or taken down shows no number.
            counted = target if state == Thing.State.MERGED else thing_id
            places[thing_id] = places[identity] = (
                counted if state in (Thing.State.ACTIVE, Thing.State.MERGED) else -counted
            )
    counts: dict[int, int] = {}
    for part in _chunks({place for place in places.values() if place > 0}):
        counts |= nods.count_many(part)
    return {one: _found(places.get(one.thing_id or one.identity), counts) for one in asked}


def _found(place: int | None, counts: dict[int, int]) -> Found:
    if place is None:
        return None, 0
    return abs(place), counts.get(place, 0)


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    source = iter(items)
    while chunk := list(islice(source, CHUNK)):
        yield chunk
