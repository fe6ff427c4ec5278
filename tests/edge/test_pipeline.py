"""Nods alone on PostgreSQL, which no thread writes: what goes behind what, and what goes wrong."""

import asyncio
import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from django.db import connection

from mickle.edge import _database, _plain, _queue
from mickle.edge._giving import Batch
from mickle.edge._pipeline import COMMIT, ROLLBACK, Pipeline
from mickle.lib import months
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.passes.models import SitePass
from tests import people
from tests.edge.conftest import without_a_thread
from tests.edge.passed import MONTH, NOW, page, passed
from tests.edge.street import Street

SLEEP = ("SELECT pg_sleep(%(s)s)", {"s": 0.2})


@pytest.fixture(autouse=True)
def _on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite answers at once")


def on(loop: asyncio.AbstractEventLoop, *messages) -> list:
    """The answers to messages that are sent without a pause."""

    async def sent() -> list:
        pipeline, waiting = Pipeline(raw), []
        for message in messages:
            answer = asyncio.get_running_loop().create_future()
            waiting.append(answer)
            pipeline.ask(*message, heard=answer.set_result)
        try:
            return await asyncio.wait_for(asyncio.gather(*waiting), 20)
        finally:
            pipeline.close()

    raw = _database.connect_bare()
    return loop.run_until_complete(sent())


def test_each_message_hears_the_rows_of_its_questions(transactional_db, loop):
    said = on(
        loop,
        [("SELECT %(n)s + 1, %(text)s || '!'", {"n": 1, "text": "a"}), ("SELECT true, NULL", {})],
        [("SELECT %(n)s + 1, %(text)s || '!'", {"n": 2**40, "text": "ä"})],
        [],
    )
    assert said == [[[(2, "a!")], [(True, None)]], [[(2**40 + 1, "ä!")]], []]


def test_what_is_larger_than_a_socket_takes_is_sent_as_it_takes_it(transactional_db, loop):
    long = "x" * 5_000_000
    said = on(loop, [SLEEP], *[[("SELECT length(%(text)s)", {"text": long})]] * 3)
    assert said[1:] == [[[(5_000_000,)]]] * 3


def test_a_message_that_fails_ends_the_connection_and_everybody_hears_why(transactional_db, loop):
    said = on(loop, [("SELECT 1", {})], [("SELECT 1 / %(n)s", {"n": 0})], [("SELECT 2", {})])
    assert said[0] == [[(1,)]]
    assert [type(one) for one in said[1:]] == [psycopg.errors.DivisionByZero] * 2


def test_what_was_undone_is_not_told_as_committed(transactional_db, loop):
    begin = ("BEGIN", {})
    assert on(loop, [begin, COMMIT], [begin, ROLLBACK]) == [[[], []], [[], []]]

    async def undone() -> object:
        pipeline = Pipeline(raw)
        answer = asyncio.get_running_loop().create_future()
        pipeline.ask(begin, heard=lambda _said: None)
        # As the server says of a transaction of which a part has failed.
        pipeline.ask(ROLLBACK, heard=lambda _said: None)
        pipeline._sent[-1] = COMMIT[0]
        pipeline.ask(begin, heard=answer.set_result)
        return await asyncio.wait_for(answer, 20)

    raw = _database.connect_bare()
    assert isinstance(loop.run_until_complete(undone()), psycopg.OperationalError)


def test_who_asks_where_the_connection_has_ended_hears_of_it(transactional_db, loop):
    async def asked() -> object:
        pipeline = Pipeline(raw)
        pipeline.close()
        pipeline.close()
        answer = asyncio.get_running_loop().create_future()
        pipeline.ask(("SELECT 1", {}), heard=answer.set_result)
        return await asyncio.wait_for(answer, 20)

    raw = _database.connect_bare()
    assert isinstance(loop.run_until_complete(asked()), psycopg.OperationalError)


def nod(street: Street, token: str, thing, **more: object):
    return street.post("/c/nod", {"id": thing.id, "pass": token, **more})


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def connect(street: Street) -> None:
    """Let it have the connection that it asked for."""
    queue = street.edge._queue

    def connected() -> bool:
        street.run(asyncio.sleep(0))
        return queue._pipeline is not None and queue._pipeline.is_open

    until(connected)


def end(pipeline: Pipeline) -> None:
    """Have the server end the connection."""
    beside = _database.connect()
    beside.query(f"SELECT pg_terminate_backend({pipeline._link.backend_pid})", {})
    beside.close()


def none_is_left_open() -> bool:
    """Whether no transaction is, but those that are doing something."""
    beside = _database.connect()
    text = """
SELECT 1 FROM pg_stat_activity
WHERE state LIKE 'idle in transaction%%' AND datname = current_database()
"""
    found = beside.query(text, {"none": None})
    beside.close()
    return found == []


def test_who_is_known_needs_no_thread_once_there_is_a_connection(now_street, alice, wrote):
    token, pages = passed(alice), [page(number) for number in range(4)]
    for one in pages:
        (answer,) = now_street.run(nod(now_street, token, one))
        assert (answer.json["new"], answer.json["count"]) == (True, 1)
        connect(now_street)
    assert wrote == ["a thread", "none", "none", "none"]
    assert SitePass.objects.get().used == len(pages)


def test_take_backs_and_pages_of_teams_go_by_the_thread(now_street, alice, wrote, monkeypatch):
    without_a_thread(monkeypatch)
    token, one = passed(alice), page()
    now_street.run(nod(now_street, token, one))
    now_street.run(now_street.post("/c/take-back", {"id": one.id, "pass": token}))
    now_street.run(nod(now_street, token, one))
    assert wrote == ["none", "a thread", "none"]
    assert nods.wrong_counts() == []


def test_two_batches_are_under_way_and_each_is_told_its_own(now_street, alice, bob, monkeypatch):
    without_a_thread(monkeypatch)
    tokens, pages = [passed(alice), passed(bob)], [page(number) for number in range(40)]
    done: list[str] = []

    def note(room: type, deed: str) -> None:
        real = getattr(room, deed)

        def noted(*said) -> None:
            done.append(deed)
            real(*said)

        monkeypatch.setattr(room, deed, noted)

    note(_plain.Plain, "begin")
    note(_queue.Queue, "_sent")
    note(_queue.Queue, "_tell")
    monkeypatch.setattr(_queue, "TOGETHER_AT_MOST", 20)
    answers = now_street.run(*(nod(now_street, token, one) for token in tokens for one in pages))
    assert [answer.json["id"] for answer in answers] == [one.id for one in pages] * 2
    assert all(answer.json["new"] for answer in answers)
    # The next one has begun before one is told.
    assert done == ["begin", "_sent", *["begin", "_tell", "_sent"] * 3, "_tell"]
    assert nods.wrong_counts() == []
    assert {nods.count(one.id) for one in pages} == {2}


def test_of_a_batch_whose_commit_fails_nothing_is_told_before_it_is_written(
    now_street, alice, bob, monkeypatch, caplog
):
    without_a_thread(monkeypatch)
    tokens, pages = [passed(alice), passed(bob)], [page(number) for number in range(30)]
    monkeypatch.setattr(_queue, "TOGETHER_AT_MOST", 20)
    fails = [3]
    written = _plain.Plain._write

    def breaks(self, at):
        fails[0] -= 1
        if fails[0] == 0:
            end(self._pipeline)
        written(self, at)

    monkeypatch.setattr(_plain.Plain, "_write", breaks)
    answers = now_street.run(*(nod(now_street, token, one) for token in tokens for one in pages))
    assert {answer.status for answer in answers} == {200}
    assert Nod.objects.count() == 60
    assert nods.wrong_counts() == []
    assert "nods are written by a thread" in caplog.text


def test_a_connection_that_ended_while_nobody_asked_is_made_anew(
    now_street, alice, wrote, monkeypatch
):
    monkeypatch.setattr(_queue, "OPENS_EVERY_S", 0)
    token, pages = passed(alice), [page(number) for number in range(5)]
    for place, one in enumerate(pages):
        if place == 2:
            pipeline = now_street.edge._queue._pipeline
            end(pipeline)
            until(lambda: now_street.run(asyncio.sleep(0)) == [None] and not pipeline.is_open)  # noqa: B023
        now_street.run(nod(now_street, token, one))
        connect(now_street)
    assert wrote == ["a thread", "none", "a thread", "none", "none"]


def test_where_the_server_has_no_connection_to_give_the_thread_goes_on(
    now_street, alice, wrote, monkeypatch, caplog
):
    asked = []

    def refused(*_said):
        asked.append("asked")
        raise psycopg.OperationalError("too many connections")

    monkeypatch.setattr(_queue, "connect_bare", refused)
    token = passed(alice)
    for number in range(4):
        (answer,) = now_street.run(nod(now_street, token, page(number)))
        assert answer.json["new"]
    until(
        lambda: (
            now_street.run(asyncio.sleep(0)) == [None] and "no connection for nods" in caplog.text
        )
    )
    assert wrote == ["a thread"] * 4
    assert asked == ["asked"]


def test_one_that_no_table_takes_spoils_no_other(now_street, alice, bob, monkeypatch):
    without_a_thread(monkeypatch)
    hers, his, one = passed(alice), passed(bob), page()
    real = _plain.giving

    def spoilt(may, asks, at):
        rows = real(may, asks, at)
        return [(*row[:4], 2**40 if row[3] == "spoilt" else row[4]) for row in rows]

    monkeypatch.setattr(_plain, "giving", spoilt)
    monkeypatch.setattr("mickle.edge._giving.giving", spoilt)
    bad, good = now_street.run(
        nod(now_street, hers, one, key="spoilt"), nod(now_street, his, one, key="good")
    )
    assert (bad.status, good.status) == (400, 200)
    assert Nod.objects.get().member_id == bob.id


def test_a_fault_of_ours_leaves_no_transaction_behind(now_street, alice, monkeypatch):
    without_a_thread(monkeypatch)
    token, one = passed(alice), page()

    def broken(*_said):
        raise RuntimeError("a fault")

    monkeypatch.setattr(_plain, "read", broken)
    (answer,) = now_street.run(nod(now_street, token, one))
    assert answer.json["new"]
    assert not now_street.edge._queue._pipeline.is_open
    until(none_is_left_open)


def test_where_all_are_refused_no_transaction_stays_open(now_street, alice, wrote, monkeypatch):
    without_a_thread(monkeypatch)
    token, one = passed(alice), page()
    (answer,) = now_street.run(nod(now_street, "mkp_unknown", one))
    assert answer.json["reason"] == "no-pass"
    until(none_is_left_open)
    (answer,) = now_street.run(nod(now_street, token, one))
    assert answer.json["new"]
    assert wrote == ["none"]


def test_a_nod_that_waits_at_the_fence_is_of_the_month_after(now_street, alice, monkeypatch):
    without_a_thread(monkeypatch)
    token, one = passed(alice), page()
    closer = _database.connect()
    closer._raw.execute("BEGIN; SELECT pg_advisory_xact_lock(7)")

    def close() -> None:
        closer._raw.execute(
            f"UPDATE instance_instance SET closed_through = {MONTH}; COMMIT", prepare=False
        )

    closing = threading.Timer(0.5, close)
    closing.start()
    (answer,) = now_street.run(nod(now_street, token, one))
    closing.join()
    closer.close()
    assert answer.json["month"] == months.text(MONTH + 1)
    assert Nod.objects.get().month == MONTH + 1


def test_what_was_taken_back_in_the_same_moment_is_told_as_such(now_street, alice, monkeypatch):
    without_a_thread(monkeypatch)
    token, one = passed(alice), page()
    nods.give(member=alice, thing=one, at=NOW)
    stand = Batch.stand

    def after_a_take_back(self, *given):
        nods.take_back(member=alice, thing=one, at=NOW)
        connection.close()
        stand(self, *given)

    monkeypatch.setattr(Batch, "stand", after_a_take_back)
    (answer,) = now_street.run(nod(now_street, token, one))
    assert (answer.status, answer.json["reason"]) == (503, "later")


def test_another_process_hears_of_what_counts_and_of_nothing_else(
    now_street, alice, two, monkeypatch
):
    without_a_thread(monkeypatch)
    token, one, other = passed(alice), page(), two[1]
    # The first question begins to listen.
    other.wait(0)
    while other.wait(0.2):
        pass
    now_street.run(nod(now_street, token, one))
    assert other.wait(5)
    now_street.run(nod(now_street, token, one))
    assert not other.wait(0.5)


def test_a_member_who_has_not_topped_up_is_told_the_count_of_others(now_street, monkeypatch):
    without_a_thread(monkeypatch)
    carol, one = people.member("carol"), page()
    (answer,) = now_street.run(nod(now_street, passed(carol), one))
    assert (answer.json["new"], answer.json["count"]) == (True, 0)
    assert Member.objects.get(id=carol.id).funded_month is None


def test_its_statements_find_their_rows_by_an_index(now_street, alice):
    bare = _database.connect_bare()
    said = {"rows": "[]", "at": NOW, "until": NOW, "day": 1, "source": "button"}
    for text in (_plain._RESOLVE, _plain._GIVE, _plain._USE):
        steps = [row[0] for row in bare.execute("EXPLAIN " + text, said).fetchall()]
        assert not [step for step in steps if "Seq Scan" in step or "Hash Join" in step], steps
    bare.close()
