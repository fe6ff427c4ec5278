"""The queue in front of the writer: who comes while a batch is written waits for the next one."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable

from mickle.edge._buckets import Buckets
from mickle.edge._database import FAILURES, Database, faulty
from mickle.edge._giving import Ask, Batch, Taken, Verdict
from mickle.edge._threads import Worker

TOGETHER_AT_MOST = 256
WAITING_AT_MOST = 5_000
# Of those who ask for the same with the same pass one is in a batch, so few of them may wait.
SAME_AT_MOST = 64
# A member nods at most so often, whatever the number of browsers.
A_SECOND, BURST = 5, 60
Waiting = list[tuple[Ask, "asyncio.Future[Verdict]"]]
What = tuple[tuple[str, ...], int | None, str]

log = logging.getLogger(__name__)


class Full(Exception):
    """More nods wait than can be answered soon."""


class Queue:
    """Hands nods to one thread, in batches; answers each when it is durable."""

    def __init__(self, worker: Worker, *, a_day: int, changed: Callable[[], None]) -> None:
        self._worker, self._a_day, self._changed = worker, a_day, changed
        self._members = Buckets(a_second=A_SECOND, burst=BURST)
        self._known: set[str] = set()
        self._waiting: Waiting = []
        self._same: Counter[What] = Counter()
        self._flushing: asyncio.Task[None] | None = None

    def put(self, ask: Ask) -> "asyncio.Future[Verdict]":
        """The verdict to come on a nod or a take-back, or what the database raises; raises Full."""
        what = _what(ask)
        if len(self._waiting) >= WAITING_AT_MOST or self._same[what] >= SAME_AT_MOST:
            raise Full
        self._same[what] += 1
        answer: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._waiting.append((ask, answer))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        return answer

    async def _flush(self) -> None:
        while self._waiting:
            batch = self._together()
            try:
                taken = await self._worker.run(self._write, [ask for ask, _answer in batch])
            except Exception as error:  # noqa: BLE001 - each asker hears of it
                for _ask, answer in batch:
                    if not answer.done():
                        answer.set_exception(error)
                continue
            for (_ask, answer), verdict in zip(batch, taken.verdicts, strict=True):
                if not answer.done():
                    answer.set_result(verdict)
            if taken.counted:
                self._changed()

    def _together(self) -> Waiting:
        """The next batch: of those who ask for the same with the same pass, only the first."""
        batch: Waiting = []
        rest: Waiting = []
        seen: set[What] = set()
        for place, waiting in enumerate(self._waiting):
            what = _what(waiting[0])
            if len(batch) == TOGETHER_AT_MOST:
                rest += self._waiting[place:]
                break
            (rest if what in seen else batch).append(waiting)
            seen.add(what)
        self._waiting, self._same = rest, Counter(_what(ask) for ask, _answer in rest)
        return batch

    def _write(self, database: Database, asks: list[Ask]) -> Taken:
        batch = Batch(database, a_day=self._a_day, members=self._members, known=self._known)
        try:
            return batch.write(asks)
        except FAILURES as error:
            if len(asks) == 1 or not faulty(error):
                raise
            log.warning("of %s nods one cannot be written; each is tried alone", len(asks))
        return _joined([_alone(batch, ask) for ask in asks])


def _what(ask: Ask) -> What:
    return ask.secrets, ask.thing_id, ask.identity


def _alone(batch: Batch, ask: Ask) -> Taken:
    try:
        return batch.write([ask])
    except FAILURES as error:
        if not faulty(error):
            raise
        return Taken([Verdict("bad")], counted=False)


def _joined(parts: list[Taken]) -> Taken:
    verdicts = [verdict for part in parts for verdict in part.verdicts]
    return Taken(verdicts, counted=any(part.counted for part in parts))
