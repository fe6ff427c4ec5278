"""Nods alone on PostgreSQL: a connection that is lost or late, and who waits meanwhile."""

import asyncio
import os
import socket
import threading
import time

import psycopg
import pytest
import uvloop
from django.db import connection, transaction

from mickle.edge import _database, _queue
from mickle.edge._pipeline import Pipeline
from mickle.members.models import Member
from mickle.nods import nods
from tests import people
from tests.edge.conftest import without_a_thread
from tests.edge.passed import MONTH, page, passed
from tests.edge.street import Answer
from tests.edge.test_pipeline import SLEEP, _on_postgresql, connect, nod  # noqa: F401


def test_what_cannot_be_sent_from_within_an_answer_ends_the_connection(transactional_db, loop):
    async def asked() -> object:
        pipeline, answer = Pipeline(raw), asyncio.get_running_loop().create_future()
        takes, turns = pipeline._take, []

        def take() -> None:
            turns.append(1)
            if len(turns) > 20:
                pipeline.close()
                answer.set_result("it looks for an answer to nothing, and never ends")
            takes()

        pipeline._take = take
        nul = ("SELECT %(text)s", {"text": "\0"})
        pipeline.ask(("SELECT 1", {}), heard=lambda _said: pipeline.ask(nul, heard=told))
        told = answer.set_result
        return await asyncio.wait_for(answer, 20)

    raw = _database.connect_bare()
    assert isinstance(loop.run_until_complete(asked()), psycopg.Error)


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_of_a_connection_that_is_cut_without_a_word_everybody_hears(transactional_db, new_loop):
    async def asked() -> list:
        pipeline, waiting = Pipeline(raw), []
        for _message in range(2):
            answer = loop.create_future()
            waiting.append(answer)
            pipeline.ask(SLEEP, heard=answer.set_result)
        with socket.socket(fileno=os.dup(number := pipeline._link.socket)) as same:
            same.shutdown(socket.SHUT_RDWR)
        said = await asyncio.wait_for(asyncio.gather(*waiting), 5)
        # Whoever has its number next may be heard.
        assert not loop.remove_reader(number)
        return said

    raw, loop = _database.connect_bare(), new_loop()
    said = loop.run_until_complete(asked())
    loop.close()
    assert [type(one) for one in said] == [psycopg.OperationalError] * 2


def test_nobody_waits_for_a_connection_that_is_slow_to_come(now_street, alice, wrote, monkeypatch):
    go_on, real = threading.Event(), _queue.connect_bare

    def slow() -> psycopg.Connection:
        go_on.wait(10)
        return real()

    monkeypatch.setattr(_queue, "connect_bare", slow)
    token, pages = passed(alice), [page(number) for number in range(4)]
    try:
        for one in pages[:3]:
            (answer,) = now_street.run(asyncio.wait_for(nod(now_street, token, one), 5))
            assert answer.json["new"]
    finally:
        go_on.set()
    connect(now_street)
    now_street.run(nod(now_street, token, pages[3]))
    assert wrote == ["a thread"] * 3 + ["none"]


def test_who_waits_while_the_process_ends_is_answered_by_the_thread(
    now_street, alice, wrote, monkeypatch
):
    without_a_thread(monkeypatch)
    token, one = passed(alice), page()
    closer = _database.connect()
    closer._raw.execute("BEGIN; SELECT pg_advisory_xact_lock(7)")

    async def asked() -> Answer:
        asking = asyncio.create_task(nod(now_street, token, one))
        await asyncio.sleep(0.2)
        now_street.edge._queue.close()
        closer._raw.execute("COMMIT")
        return await asyncio.wait_for(asking, 5)

    (answer,) = now_street.run(asked())
    closer.close()
    assert (answer.json["new"], wrote) == (True, ["a thread"])


def test_a_nod_that_waits_for_the_first_top_up_counts(now_street, monkeypatch):
    without_a_thread(monkeypatch)
    carol, one = people.member("carol"), page()
    token, there = passed(carol), threading.Event()

    def top_up() -> None:
        with transaction.atomic():
            Member.objects.filter(id=carol.id).update(funded_month=MONTH)
            nods.count_in(member=carol, month=MONTH)
            there.set()
            time.sleep(0.5)
        connection.close()

    paying = threading.Thread(target=top_up)
    paying.start()
    assert there.wait(5)
    (answer,) = now_street.run(nod(now_street, token, one))
    paying.join()
    assert (answer.json["new"], answer.json["count"]) == (True, 1)
    assert nods.wrong_counts() == []
