"""The queue in front of the writer: who comes while a batch is written waits for the next one.

Who comes before its transaction has begun is in it. A batch costs something however small it is. So
behind one of several the next begins a turn of the loop after they were answered: by then many have
come again, and there is one batch where there were two.

On PostgreSQL a batch of nods alone needs no thread (see `_plain`), and the next one may begin when
nothing but its answer is awaited, as soon as about as many have come.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from math import inf
from threading import Lock, Thread
from typing import Any, TypeVar

import psycopg

from mickle.edge._database import FAILURES, Database, connect_bare, faulty
from mickle.edge._giving import Batch, Taken
from mickle.edge._judging import Ask, Judge, Verdict
from mickle.edge._pipeline import Pipeline
from mickle.edge._plain import NotPlain, Plain, Rest, are_plain
from mickle.edge._threads import Worker
from mickle.lib.buckets import Buckets

TOGETHER_AT_MOST = 256
WAITING_AT_MOST = 5_000
# Of those who ask for the same with the same pass one is in a batch, so few of them may wait.
SAME_AT_MOST = 64
# A member nods at most so often, whatever the number of browsers.
A_SECOND, BURST = 5, 60
# Where the server has no connection to give it is not asked for one with each batch.
OPENS_EVERY_S = 5.0
# The part of a batch on its way that has to have come before the next one begins behind it.
ENOUGH = 0.8
# Hears the verdict, or what the database raised.
Heard = Callable[[Verdict | Exception], None]
Waiting = tuple[Ask, Heard]
Given = TypeVar("Given")
Opened = psycopg.Connection[Any] | psycopg.Error
What = tuple[tuple[str, ...], int | None, str]

log = logging.getLogger(__name__)


class Full(Exception):
    """More nods wait than can be answered soon."""


class Queue:
    """Hands nods to one thread, or to none, in batches; answers each when it is durable."""

    def __init__(
        self,
        worker: Worker,
        *,
        a_day: int,
        changed: Callable[[], None],
        pipelined: bool = False,
    ) -> None:
        self._worker, self._changed = worker, changed
        self._judge = Judge(a_day=a_day, members=Buckets(a_second=A_SECOND, burst=BURST))
        # The next batch; and who cannot be in it, being too many or asking for the same again.
        self._next: dict[What, Waiting] = {}
        self._rest: deque[Waiting] = deque()
        self._same: Counter[What] = Counter()
        # How many are written behind which none may begin; the one of which only the answer is
        # awaited; whether the next is about to begin.
        self._writing = 0
        self._ending: list[Waiting] = []
        self._due = False
        self._pipeline: Pipeline | None = None
        self._opening: Thread | None = None
        # When a connection may be asked for; never, where there is none, or one is on its way.
        self._opens_at = 0.0 if pipelined else inf
        # Around those who wait: the writer takes more of them when its transaction has begun.
        self._guard = Lock()

    def close(self) -> None:
        """Let go of the connection of its own; what is under way there is left to the thread."""
        self._opens_at = inf
        if self._pipeline is not None:
            self._pipeline.fail(psycopg.OperationalError("the process ends"))

    def put(self, ask: Ask, heard: Heard) -> None:
        """Let a nod or a take-back be decided; `heard` is called on this loop. Raises Full."""
        with self._guard:
            self._put(ask, heard)
        self._look()

    def _look(self) -> None:
        """Let the next batch begin, if it may."""
        if self._due or self._writing or len(self._next) < max(len(self._ending) * ENOUGH, 1):
            return
        self._due = True
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
        self._due = False
        if self._writing:
            # Nor is it looked who waits: a thread may take of them meanwhile.
            return
        pipeline = self._pipeline if self._is_plain() else None
        if self._ending and pipeline is None:
            # What goes the other way waits until this one is empty.
            return
        with self._guard:
            batch = self._together()
        if not batch:
            return
        self._writing += 1
        if pipeline is None:
            self._hand(self._write, batch, batch)
            return
        Plain(
            pipeline,
            self._judge,
            [ask for ask, _heard in batch],
            sent=partial(self._sent, batch),
            rest=partial(self._leave, batch),
            done=partial(self._answered, batch),
        ).begin()

    def _is_plain(self) -> bool:
        if self._pipeline is None or not self._pipeline.is_open:
            return False
        return are_plain((ask for ask, _heard in self._next.values()), self._judge)

    def _hand(
        self, deed: Callable[[Database, Given], Taken], given: Given, batch: list[Waiting]
    ) -> None:
        """Have the thread do it, and tell the batch."""
        try:
            self._worker.hand(deed, given, then=partial(self._written, batch))
        except RuntimeError as error:
            # The thread has ended.
            self._written(batch, error)

    def _sent(self, batch: list[Waiting]) -> None:
        """Only its answer is awaited: what comes next may be sent behind it."""
        self._writing -= 1
        self._ending = batch
        self._look()

    def _leave(self, batch: list[Waiting], rest: Rest) -> None:
        """It is written, and a thread has something to look up before it can be told."""
        self._writing, self._ending = self._writing + 1, []
        self._hand(_looked_up, rest, batch)

    def _answered(self, batch: list[Waiting], taken: Taken | Exception) -> None:
        """A batch that needed no thread is durable; or it failed, and now needs one."""
        was_sent, self._ending = batch is self._ending, []
        if not isinstance(taken, Exception):
            self._tell(batch, taken)
            self._go_on(batch)
            return
        self._writing += was_sent
        if not isinstance(taken, NotPlain):
            log.warning("nods are written by a thread: %s", type(taken).__name__)
        self._hand(self._write, batch, batch)

    def _written(self, batch: list[Waiting], taken: Taken | Exception) -> None:
        """A batch of the thread's is durable, or failed."""
        self._tell(batch, taken)
        self._writing -= 1
        if not isinstance(taken, Exception):
            self._connect()
        self._go_on(batch)

    def _tell(self, batch: list[Waiting], taken: Taken | Exception) -> None:
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

    def _go_on(self, batch: list[Waiting]) -> None:
        """The next one comes."""
        if not (self._due or self._writing) and (self._next or len(batch) > 1):
            self._due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _connect(self) -> None:
        """Ask for a connection that needs no thread, where there is none."""
        now = asyncio.get_running_loop().time()
        if self._opening is not None and self._opening.is_alive():
            return
        if now >= self._opens_at and (self._pipeline is None or not self._pipeline.is_open):
            self._opens_at = now + OPENS_EVERY_S
            # Nobody waits for it: neither nods that the thread may write, nor the process's end.
            opening = partial(_open, asyncio.get_running_loop(), self._opened)
            self._opening = Thread(target=opening, name="pipeline", daemon=True)
            self._opening.start()

    def _opened(self, raw: Opened) -> None:
        """It is there; where the server has none for us, the thread goes on."""
        if isinstance(raw, Exception):
            log.warning("there is no connection for nods but the thread's: %s", type(raw).__name__)
        elif self._opens_at == inf:
            raw.close()
        else:
            self._pipeline = Pipeline(raw)

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
        writer = Batch(database, self._judge)
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
            if self._rest or self._writing > 1 or not self._next:
                return []
            there = {_what(ask) for ask, _heard in batch}
            joining = [what for what in self._next if what not in there]
            more = [self._next.pop(what) for what in joining[: TOGETHER_AT_MOST - len(batch)]]
        batch.extend(more)
        return [ask for ask, _heard in more]


def _looked_up(database: Database, rest: Rest) -> Taken:
    return rest(database)


def _open(loop: asyncio.AbstractEventLoop, opened: Callable[[Opened], None]) -> None:
    """In a thread of its own."""
    said: Opened
    try:
        said = connect_bare()
    except psycopg.Error as error:
        said = error
    try:
        loop.call_soon_threadsafe(opened, said)
    except RuntimeError:
        # The loop has ended.
        if not isinstance(said, Exception):
            said.close()


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
