"""The queue in front of the writer, without one: who is in which batch, and who hears of it."""

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial

import psycopg
import pytest

from mickle.edge import _queue
from mickle.edge._giving import Taken
from mickle.edge._judging import Ask, Verdict
from mickle.edge._queue import Full, Queue


class Slow:
    """Stands for the writing thread: a batch is written when the test says so."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.waiting: list[tuple[list[Ask], Callable]] = []

    def hand(self, _deed, batch, then) -> None:
        asks = [ask for ask, _heard in batch]
        self.batches.append([ask.thing_id for ask in asks])
        self.waiting.append((asks, then))

    def write(self, error: Exception | None = None) -> None:
        asks, then = self.waiting.pop(0)
        verdicts = [Verdict(thing_id=ask.thing_id) for ask in asks]
        then(error or Taken(verdicts, counted=True))


class Ended:
    def hand(self, _deed, _asks, then) -> None:
        raise RuntimeError("cannot schedule new futures after shutdown")


def run(deed: Callable, writer: object) -> list[str]:
    """Let the deed use a queue, on a loop; what was told of changed counts."""
    changed: list[str] = []

    async def on_a_loop() -> None:
        queue = Queue(writer, a_day=9, changed=lambda: changed.append("changed"))
        await deed(queue)

    asyncio.run(on_a_loop())
    return changed


def of(thing_id: int, secret: str = "s") -> Ask:
    return Ask((secret,), thing_id, "")


async def turn() -> None:
    """Let the loop do what is due."""
    for _turn in range(3):
        await asyncio.sleep(0)


def test_who_asks_in_one_turn_is_in_one_batch_and_who_comes_later_in_the_next():
    slow, heard = Slow(), []

    async def deed(queue: Queue) -> None:
        for number in (1, 2, 3):
            queue.put(of(number), lambda verdict: heard.append(verdict.thing_id))
        await turn()
        for number in (4, 5):
            queue.put(of(number), lambda verdict: heard.append(verdict.thing_id))
        await turn()
        assert (slow.batches, heard) == ([[1, 2, 3]], [])
        slow.write()
        assert heard == [1, 2, 3]
        await turn()
        assert slow.batches == [[1, 2, 3], [4, 5]]
        slow.write()
        await turn()
        queue.put(of(6), lambda verdict: heard.append(verdict.thing_id))
        await turn()
        slow.write()

    assert run(deed, slow) == ["changed"] * 3
    assert slow.batches[2:] == [[6]]
    assert heard == [1, 2, 3, 4, 5, 6]


def test_the_next_batch_waits_for_those_who_come_again_and_who_is_alone_does_not():
    slow = Slow()

    async def deed(queue: Queue) -> None:
        loop = asyncio.get_running_loop()
        for number in (1, 2):
            again = partial(queue.put, of(number + 10), print)
            queue.put(of(number), lambda _verdict, again=again: loop.call_soon(again))
        await turn()
        queue.put(of(3), lambda _verdict: None)
        slow.write()
        assert slow.batches == [[1, 2]]
        await turn()
        assert slow.batches == [[1, 2], [3, 11, 12]]
        slow.write()
        await turn()
        # Nobody came; each of these is alone, and begun at once.
        for number in (21, 22):
            queue.put(of(number), lambda _verdict: None)
            await turn()
            slow.write()

    run(deed, slow)
    assert slow.batches[2:] == [[21], [22]]


def test_of_those_who_ask_for_the_same_one_is_in_a_batch(monkeypatch):
    monkeypatch.setattr(_queue, "SAME_AT_MOST", 3)
    slow, heard = Slow(), []

    async def deed(queue: Queue) -> None:
        for place in range(3):
            queue.put(of(1), lambda _verdict, place=place: heard.append(place))
        with pytest.raises(Full):
            queue.put(of(1), heard.append)
        # Another's ask, and another thing, are not the same.
        queue.put(of(1, "other"), lambda _verdict: heard.append("other"))
        queue.put(of(2), lambda _verdict: heard.append("two"))
        await turn()
        for _batch in range(3):
            slow.write()
            await turn()
        queue.put(of(1), lambda _verdict: heard.append("again"))
        await turn()
        slow.write()

    run(deed, slow)
    assert slow.batches == [[1, 1, 2], [1], [1], [1]]
    assert heard == [0, "other", "two", 1, 2, "again"]


def test_a_crowd_is_taken_in_the_order_it_came_and_has_an_end(monkeypatch):
    monkeypatch.setattr(_queue, "TOGETHER_AT_MOST", 3)
    monkeypatch.setattr(_queue, "WAITING_AT_MOST", 8)
    slow = Slow()

    async def deed(queue: Queue) -> None:
        for number in (1, 2, 1, 3, 4, 5, 2, 6):
            queue.put(of(number), lambda _verdict: None)
        with pytest.raises(Full):
            queue.put(of(7), lambda _verdict: None)
        await turn()
        while slow.waiting:
            slow.write()
            await turn()

    run(deed, slow)
    assert slow.batches == [[1, 2, 3], [1, 4, 5], [2, 6]]


def test_what_fails_is_heard_by_all_of_the_batch_and_by_nobody_else():
    slow, heard = Slow(), []

    async def deed(queue: Queue) -> None:
        first = [queue.verdict(of(number)) for number in (1, 2)]
        await turn()
        second = queue.verdict(of(3))
        slow.write(OSError("gone"))
        await turn()
        slow.write()
        heard.extend(await asyncio.gather(*first, second, return_exceptions=True))

    assert run(deed, slow) == ["changed"]
    assert [str(one) for one in heard[:2]] == ["gone", "gone"]
    assert heard[2].thing_id == 3


def test_one_who_cannot_be_told_keeps_nobody_waiting(caplog):
    slow, heard = Slow(), []

    async def deed(queue: Queue) -> None:
        queue.put(of(1), lambda _verdict: 1 / 0)
        queue.verdict(of(2)).cancel()
        queue.put(of(3), lambda verdict: heard.append(verdict.thing_id))
        await turn()
        slow.write()

    run(deed, slow)
    assert heard == [3]
    assert "an answer could not be given" in caplog.text


def test_after_the_writer_has_ended_everybody_is_told():
    heard: list[object] = []

    async def deed(queue: Queue) -> None:
        for number in range(3):
            queue.put(of(number), heard.append)
        await turn()
        queue.put(of(9), heard.append)
        await turn()
        await turn()

    assert run(deed, Ended()) == []
    assert [type(one) for one in heard] == [RuntimeError] * 4


@pytest.fixture
def begun(monkeypatch):
    """Writes of a writer at work: who is in each; `meanwhile` is done before it has begun."""

    class Begun:
        def __init__(self) -> None:
            self.batches: list[list[int]] = []
            self.meanwhile: list[Callable[[], None]] = []
            self.error: Exception | None = None

        def hand(self, deed, batch, then) -> None:
            try:
                then(deed(None, batch))
            except sqlite3.Error as error:
                then(error)

        def write(self, asks, joining=tuple) -> Taken:
            if self.meanwhile:
                self.meanwhile.pop(0)()
            asks = [*asks, *joining()]
            self.batches.append([ask.thing_id for ask in asks])
            error, self.error = self.error, None
            if error:
                raise error
            return Taken([Verdict(thing_id=ask.thing_id) for ask in asks], counted=True)

    one = Begun()
    monkeypatch.setattr(_queue, "Batch", lambda _database, _judge: one)
    return one


def test_who_comes_before_the_writer_has_begun_is_in_the_batch(begun):
    heard: list[int] = []

    async def deed(queue: Queue) -> None:
        def put(*numbers: int) -> None:
            for number in numbers:
                queue.put(of(number), lambda verdict: heard.append(verdict.thing_id))

        begun.meanwhile.append(lambda: put(3, 2, 4))
        put(1, 2)
        await turn()

    run(deed, begun)
    # Of two who ask for the same with the same pass the second is in the next one.
    assert begun.batches == [[1, 2, 3, 4], [2]]
    assert heard == [1, 2, 3, 4, 2]


def test_who_comes_late_passes_nobody_who_waits(begun):
    heard: list[object] = []

    async def deed(queue: Queue) -> None:
        def third(_verdict: Verdict) -> None:
            queue.put(of(1), lambda _verdict: heard.append("third"))

        def meanwhile() -> None:
            queue.put(of(1), lambda _verdict: heard.append("first"))
            queue.put(of(1), lambda _verdict: heard.append("second"))

        begun.meanwhile.append(meanwhile)
        queue.put(of(9), third)
        await turn()

    run(deed, begun)
    assert heard == ["first", "second", "third"]


def test_who_comes_late_overfills_no_batch(begun, monkeypatch):
    monkeypatch.setattr(_queue, "TOGETHER_AT_MOST", 3)

    async def deed(queue: Queue) -> None:
        def put(*numbers: int) -> None:
            for number in numbers:
                queue.put(of(number), lambda _verdict: None)

        begun.meanwhile.append(lambda: put(3, 4, 5))
        put(1, 2)
        await turn()

    run(deed, begun)
    assert begun.batches == [[1, 2, 3], [4, 5]]


def test_where_one_of_a_joined_batch_is_at_fault_each_is_written_alone(begun):
    heard: list[int] = []

    async def deed(queue: Queue) -> None:
        begun.error = sqlite3.IntegrityError("no")
        begun.meanwhile.append(lambda: queue.put(of(2), lambda one: heard.append(one.thing_id)))
        queue.put(of(1), lambda one: heard.append(one.thing_id))
        await turn()

    run(deed, begun)
    assert begun.batches == [[1, 2], [1], [2]]
    assert heard == [1, 2]


class Piped:
    """Stands for the connection that needs no thread: it says what the test says."""

    is_open = True

    def __init__(self) -> None:
        self.asked: list[Callable] = []

    def ask(self, *_questions, heard) -> None:
        self.asked.append(heard)

    def find(self, thing_id: int) -> None:
        """Answer the first message of who is alone in a batch."""
        row = (0, "s", 1, 1, True, 0, 0, thing_id, thing_id, "ACTIVE", None, False, False)
        self.asked.pop(0)([[], [], [(0.0, 0, 1.0)], [row]])


@pytest.fixture
def piped(monkeypatch) -> Piped:
    monkeypatch.setattr(_queue.Judge, "knows", lambda _judge, _ask: True)
    return Piped()


def test_who_comes_late_passes_nobody_whose_batch_failed(begun, piped):
    async def deed(queue: Queue) -> None:
        queue._pipeline = piped
        for number in (1, 2):
            queue.put(of(number), lambda _verdict: None)
            await turn()
            if number == 1:
                piped.find(1)
        queue.put(of(2)._replace(take_back=True), lambda _verdict: None)
        piped.is_open = False
        for heard in piped.asked:
            heard(psycopg.OperationalError("gone"))
        await turn()

    run(deed, begun)
    assert begun.batches == [[1], [2], [2]]


def test_nobody_looks_who_waits_while_a_thread_takes_of_them(piped, monkeypatch):
    slow = Slow()

    async def deed(queue: Queue) -> None:
        queue._pipeline = piped
        queue.put(of(1), lambda _verdict: None)
        await turn()
        piped.find(1)
        # The next is about to begin when the thread has to write this one.
        queue.put(of(2), lambda _verdict: None)
        piped.asked[0](psycopg.OperationalError("gone"))
        with monkeypatch.context() as patched:
            patched.setattr(_queue, "are_plain", lambda *_said: 1 / 0)
            queue._flush()
        piped.is_open = False
        await turn()
        while slow.waiting:
            slow.write()
            await turn()

    run(deed, slow)
    assert slow.batches == [[1], [2]]
