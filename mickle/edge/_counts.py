"""Counts in this process: read off the event loop, twice a second for all that is asked for.

What was asked for since the reading before is read again together, so that a thousand busy buttons
cost two statements a second. Nothing here depends on being told of a change: a number is never
older than a second, whoever wrote it and whatever process died. Being told only makes it faster.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Protocol, TypeVar

from mickle.edge import _clock
from mickle.edge._answers import Found
from mickle.edge._asking import Asked
from mickle.edge._database import Database, rows
from mickle.edge._threads import Worker

# A reading begun this long ago answers nobody any more, so that no number is older than a second.
FRESH_S = 0.95
REFRESH_S = 0.5
# After being told of a change; more often would only cost.
SOON_S = 0.1
AGAIN_S = 0.2
# What one statement takes, with room to spare.
CHUNK = 1_000
TOGETHER_AT_MOST = 5_000
KNOWN_AT_MOST = 10_000

# What was merged shows its target; what was refused or taken down shows no number.
_SELECT = """
SELECT t.{column}, COALESCE(t.merged_into_id, t.id),
       CASE WHEN COALESCE(m.state, t.state) = 'ACTIVE' THEN COALESCE(c.total, 0) ELSE 0 END
FROM (SELECT {cast} AS asked FROM {rows}) g
JOIN things_thing t ON t.{column} = g.asked
LEFT JOIN things_thing m ON m.id = t.merged_into_id
LEFT JOIN nods_count c ON c.thing_id = COALESCE(t.merged_into_id, t.id)
"""
_BY_ID = _SELECT.replace("{column}", "id").replace("{cast}", "CAST(value->>0 AS BIGINT)")
_BY_IDENTITY = _SELECT.replace("{column}", "identity").replace("{cast}", "value->>0")
Item = TypeVar("Item")
NOBODY: Found = (None, 0)
Known = Mapping[Asked, Found]


class Changed(Protocol):
    """Hears of a reading; `whole` says that nothing but what was found is known any more."""

    def __call__(self, found: Known, *, whole: bool) -> None: ...


class Counts:
    """Answers how many nods things have; many askers share one reading."""

    def __init__(self, worker: Worker, *, used: Callable[[], set[Asked]], changed: Changed) -> None:
        """`used` says, and forgets, what was asked for of late; `changed` hears of a reading."""
        self._worker, self._used, self._changed = worker, used, changed
        self.known: dict[Asked, Found] = {}
        self.fresh_until = 0.0
        self.watched: Counter[Asked] = Counter()
        self._whole_at = 0.0
        self._soon_at: float | None = None
        self._next: set[Asked] = set()
        self._reading: asyncio.Future[Known] | None = None
        self._wanted: asyncio.Event | None = None
        self._reader: asyncio.Task[None] | None = None

    async def of(self, asked: Sequence[Asked]) -> list[Found]:
        """Thing id (None where nobody knows it) and count of each."""
        if _clock.now() < self.fresh_until and all(one in self.known for one in asked):
            return [self.known[one] for one in asked]
        if self._reading is None:
            self._reading = asyncio.get_running_loop().create_future()
        self._next.update(asked)
        self._wake()
        # Shielded: one asker who goes away takes the answer from nobody else.
        found = await asyncio.shield(self._reading)
        return [found[one] for one in asked]

    def soon(self) -> None:
        """Something may have changed: read what is watched before long."""
        if self.watched and self._soon_at is None:
            self._soon_at = _clock.now() + SOON_S
            self._wake()

    def stop(self) -> None:
        """Read no more."""
        if self._reader is not None:
            self._reader.cancel()

    def _wake(self) -> None:
        if self._reader is None or self._reader.done():
            self._wanted = asyncio.Event()
            self._reader = asyncio.create_task(self._read_on())
        if self._wanted is not None:
            self._wanted.set()

    async def _read_on(self) -> None:
        """Read for who waits, and all that is used twice a second, until nobody asks any more."""
        assert self._wanted is not None
        while True:
            self._wanted.clear()
            now = _clock.now()
            whole_at = self._whole_at + REFRESH_S
            due = whole_at if self._soon_at is None else min(whole_at, self._soon_at)
            if self._reading is None and now < due:
                with suppress(TimeoutError):
                    async with asyncio.timeout(due - now):
                        await self._wanted.wait()
            elif not await self._read(now, whole=now >= whole_at):
                return

    async def _read(self, begun: float, *, whole: bool) -> bool:
        """One reading; False when there was nothing to read."""
        batch, self._next = self._next, set()
        waiting, self._reading = self._reading, None
        if whole:
            batch.update(islice(self._used(), TOGETHER_AT_MOST))
        if whole or self._soon_at is not None:
            batch.update(self.watched)
            self._soon_at = None
        if not batch:
            self.known = {}
            return False
        try:
            found = await self._worker.run(look_up, frozenset(batch))
        except Exception as error:  # noqa: BLE001 - each asker hears of it
            _failed(waiting, error)
            await asyncio.sleep(AGAIN_S)
            return self._reading is not None or bool(self.watched)
        self._keep(found, begun, whole=whole)
        if waiting is not None and not waiting.done():
            waiting.set_result(found)
        self._changed(found, whole=self.known is found)
        return True

    def _keep(self, found: dict[Asked, Found], begun: float, *, whole: bool) -> None:
        if whole:
            self.known, self._whole_at, self.fresh_until = found, begun, begun + FRESH_S
        elif len(self.known) + len(found) > KNOWN_AT_MOST:
            self.known = found
        else:
            self.known |= found


def _failed(waiting: "asyncio.Future[Known] | None", error: Exception) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_exception(error)
        # Everyone may have gone away meanwhile; then nobody needs to hear of it.
        waiting.exception()


def look_up(database: Database, asked: frozenset[Asked]) -> dict[Asked, Found]:
    """What is known of each, in as few statements as go."""
    found: dict[int | str, Found] = {}
    for chunk in _chunks(asked):
        ids = [[one.thing_id] for one in chunk if one.thing_id is not None]
        identities = [[one.identity] for one in chunk if one.identity]
        for text, values in ((_BY_ID, ids), (_BY_IDENTITY, identities)):
            if values:
                listed = database.query(text, {"rows": rows(values)})
                found.update((name, (shown, total)) for name, shown, total in listed)
    return {one: found.get(one.thing_id or one.identity, NOBODY) for one in asked}


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    source = iter(items)
    while chunk := list(islice(source, CHUNK)):
        yield chunk
