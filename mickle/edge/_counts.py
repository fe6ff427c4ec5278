"""Reads counts off the event loop: one thread, one connection, one query for all who ask.

What was asked for in the last second is read again together, once a second, so that a thousand busy
buttons cost one statement a second and not a thousand.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple, TypeVar

from django.db import Error as DatabaseError
from django.db import connection

from mickle.edge._asking import Asked

# Read after the answer before was this old, so that no number is older than a second.
FRESH_S = 0.9
# What one statement takes on SQLite, with room to spare.
CHUNK = 1_000
TOGETHER_AT_MOST = 2_000
KNOWN_AT_MOST = 10_000

# What was merged shows its target; what was refused or taken down shows no number.
_SELECT = """
SELECT t.{column}, COALESCE(t.merged_into_id, t.id),
       CASE WHEN COALESCE(m.state, t.state) = 'ACTIVE' THEN COALESCE(c.total, 0) ELSE 0 END
FROM things_thing t
LEFT JOIN things_thing m ON m.id = t.merged_into_id
LEFT JOIN nods_count c ON c.thing_id = COALESCE(t.merged_into_id, t.id)
WHERE t.{column} IN ({marks})
"""
Found = tuple[int | None, int]
Item = TypeVar("Item")
_NOBODY: Found = (None, 0)


class Reading(NamedTuple):
    """What was found, and until when (monotonic seconds) it is fresh."""

    found: Mapping[Asked, Found]
    until: float


class _Batch:
    """What is read together."""

    def __init__(self) -> None:
        self.asked: set[Asked] = set()
        self.reading: asyncio.Future[Reading] = asyncio.get_running_loop().create_future()


class Counts:
    """Answers how many nods things have; many askers share one reading."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="counts")
        self._known: dict[Asked, Found] = {}
        self._until = 0.0
        self._used: set[Asked] = set()
        self._next: _Batch | None = None
        self._now_read: _Batch | None = None
        self._reader: asyncio.Task[None] | None = None

    async def of(self, asked: Sequence[Asked]) -> tuple[list[Found], float]:
        """Thing id (None where nobody knows it) and count of each, and until when it is fresh."""
        self._used.update(asked)
        fresh = time.monotonic() < self._until
        if fresh and all(one in self._known for one in asked):
            return [self._known[one] for one in asked], self._until
        batch = self._batch(asked)
        # Shielded: one asker who goes away takes the answer from nobody else.
        reading = await asyncio.shield(batch.reading)
        return [reading.found[one] for one in asked], reading.until

    def _batch(self, asked: Sequence[Asked]) -> _Batch:
        """The reading under way when it answers this too, else the next one."""
        if self._now_read is not None and self._now_read.asked.issuperset(asked):
            return self._now_read
        if self._next is None:
            self._next = _Batch()
        self._next.asked.update(asked)
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
        return self._next

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while (batch := self._next) is not None:
            self._next, self._now_read = None, batch
            begun = time.monotonic()
            if begun >= self._until:
                batch.asked.update(islice(self._used, TOGETHER_AT_MOST))
                self._used, self._known, self._until = set(), {}, begun + FRESH_S
            try:
                found = await loop.run_in_executor(self._thread, _look_up, frozenset(batch.asked))
            except Exception as error:  # noqa: BLE001 - each asker hears of it
                self._until = 0.0
                batch.reading.set_exception(error)
                # Everyone may have gone away meanwhile; then nobody needs to hear of it.
                batch.reading.exception()
            else:
                self._keep(found)
                batch.reading.set_result(Reading(found, self._until))
            self._now_read = None

    def _keep(self, found: dict[Asked, Found]) -> None:
        if len(self._known) + len(found) > KNOWN_AT_MOST:
            self._known = {}
        self._known |= found

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
    found: dict[int | str, Found] = {}
    for chunk in _chunks(asked):
        ids = [one.thing_id for one in chunk if one.thing_id is not None]
        identities = [one.identity for one in chunk if one.thing_id is None]
        for column, values in (("id", ids), ("identity", identities)):
            if values:
                marks = ", ".join(["%s"] * len(values))
                with connection.cursor() as cursor:
                    cursor.execute(_SELECT.format(column=column, marks=marks), values)
                    found.update((name, (shown, total)) for name, shown, total in cursor)
    return {one: found.get(one.thing_id or one.identity, _NOBODY) for one in asked}


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    source = iter(items)
    while chunk := list(islice(source, CHUNK)):
        yield chunk
