"""The queue in front of the writer: who comes while a batch is written waits for the next one.

Who comes before its transaction has begun is in it. A batch costs something however small it is. So
behind one of several the next begins a turn of the loop after they were answered: by then many have
come again, and there is one batch where there were two.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from threading import Lock

from mickle.edge._database import FAILURES, Database, faulty
from mickle.edge._giving import Ask, Batch, Taken, Verdict
from mickle.edge._threads import Worker
from mickle.lib.buckets import Buckets

TOGETHER_AT_MOST = 256
WAITING_AT_MOST = 5_000
# Of those who ask for the same with the same pass one is in a batch, so few of them may wait.
SAME_AT_MOST = 64
# A member nods at most so often, whatever the number of browsers.
A_SECOND, BURST = 5, 60
# Hears the verdict, or what the database raised.
Heard = Callable[[Verdict | Exception], None]
Waiting = tuple[Ask, Heard]
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
        # The next batch; and who cannot be in it, being too many or asking for the same again.
        self._next: dict[What, Waiting] = {}
        self._rest: deque[Waiting] = deque()
        self._same: Counter[What] = Counter()
        self._busy = False
        # Around those who wait: the writer takes more of them when its transaction has begun.
        self._guard = Lock()

    def put(self, ask: Ask, heard: Heard) -> None:
        """Let a nod or a take-back be decided; `heard` is called on this loop. Raises Full."""
        with self._guard:
            self._put(ask, heard)
        if not self._busy:
            self._busy = True
            # Who asks in the same turn of the loop is in the batch, too.
            asyncio.get_running_loop().call_soon(self._flush)

    def _put(self, ask: Ask, heard: Heard) -> None:
        what = _what(ask)
        if what not in self._next and len(self._next) < TOGETHER_AT_MOST:
            self._next[what] = ask, heard
        elif (
            len(self._next) + len(self._rest) >= WAITING_AT_MOST
            or (what in self._next) + self._same[what] >= SAME_AT_MOST
        ):
            raise Full
        else:
            self._rest.append((ask, heard))
            self._same[what] += 1

    def verdict(self, ask: Ask) -> "asyncio.Future[Verdict]":
        """The same for who waits: the verdict to come, or what the database raises."""
        answer: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self.put(ask, partial(_settle, answer))
        return answer

    def _flush(self) -> None:
        with self._guard:
            batch = self._together()
        if not batch:
            self._busy = False
            return
        try:
            self._worker.hand(self._write, batch, then=partial(self._written, batch))
        except RuntimeError as error:
            # The thread has ended.
            self._written(batch, error)

    def _written(self, batch: list[Waiting], taken: Taken | Exception) -> None:
        """A batch is durable, or failed: everybody is told, and the next one comes."""
        failed = taken if isinstance(taken, Exception) else None
        verdicts = [] if isinstance(taken, Exception) else taken.verdicts
        for place, (_ask, heard) in enumerate(batch):
            try:
                heard(failed or verdicts[place])
            except Exception:
                # One who cannot be told keeps nobody else waiting.
                log.exception("an answer could not be given")
        if not isinstance(taken, Exception) and taken.counted:
            self._changed()
        if self._next or len(batch) > 1:
            asyncio.get_running_loop().call_soon(self._flush)
        else:
            self._busy = False

    def _together(self) -> list[Waiting]:
        """The next batch: of those who ask for the same with the same pass, only the first."""
        batch, self._next = list(self._next.values()), {}
        again: list[Waiting] = []
        while self._rest and len(self._next) < TOGETHER_AT_MOST:
            ask, heard = self._rest.popleft()
            what = _what(ask)
            if what in self._next:
                again.append((ask, heard))
            else:
                self._next[what] = ask, heard
                self._same[what] -= 1
        self._rest.extendleft(reversed(again))
        if not self._rest:
            self._same.clear()
        return batch

    def _write(self, database: Database, batch: list[Waiting]) -> Taken:
        """In the writer's thread."""
        writer = Batch(database, a_day=self._a_day, members=self._members, known=self._known)
        try:
            return writer.write([ask for ask, _heard in batch], partial(self._joining, batch))
        except FAILURES as error:
            if len(batch) == 1 or not faulty(error):
                raise
            log.warning("of %s nods one cannot be written; each is tried alone", len(batch))
        return _joined([_alone(writer, ask) for ask, _heard in batch])

    def _joining(self, batch: list[Waiting]) -> list[Ask]:
        """Who came while the writer waited for its turn is in the batch, too.

        Unless others wait behind them, whom those who come now would pass.
        """
        with self._guard:
            if self._rest or not self._next:
                return []
            there = {_what(ask) for ask, _heard in batch}
            joining = [what for what in self._next if what not in there]
            more = [self._next.pop(what) for what in joining[: TOGETHER_AT_MOST - len(batch)]]
        batch.extend(more)
        return [ask for ask, _heard in more]


def _what(ask: Ask) -> What:
    return ask.secrets, ask.thing_id, ask.identity


def _settle(answer: "asyncio.Future[Verdict]", verdict: Verdict | Exception) -> None:
    # Who asked may have gone away.
    if answer.done():
        return
    if isinstance(verdict, Exception):
        answer.set_exception(verdict)
    else:
        answer.set_result(verdict)


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
