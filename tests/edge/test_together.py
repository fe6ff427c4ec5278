"""Who is in a batch with whom, and what it keeps from others meanwhile."""

import asyncio
import threading

import pytest
from django.db import connection

from mickle.edge._giving import Batch
from mickle.edge._judging import Ask
from mickle.nods import nods
from mickle.nods import write as statements
from mickle.passes.write import hashed
from tests.edge.passed import page, passed
from tests.edge.writing import write


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
def test_a_refused_click_holds_nobody_while_its_batch_is_written(two, alice, bob):
    elsewhere, his, one = hashed(passed(alice, site="other.example")), hashed(passed(bob)), page()
    asked, free = two[0].query, []
    look = "SELECT username FROM members_member WHERE username = %(who)s FOR UPDATE SKIP LOCKED"

    def query(text, names):
        found = asked(text, names)
        if text == statements.COUNT_UP:
            # Both were decided, and nothing is committed.
            free.extend(two[1].query(look, {"who": who}) for who in ("alice", "bob"))
        return found

    two[0].query = query
    verdicts = write(two[0], Ask((elsewhere,), one.id, ""), Ask((his,), one.id, ""))
    assert [verdict.reason for verdict in verdicts] == ["other-site", ""]
    assert free == [[("alice",)], []]


def test_who_clicks_while_another_process_writes_is_in_the_batch_that_waits(
    now_street, two, alice, bob, monkeypatch
):
    hers, his, one = passed(alice), passed(bob), page()
    begins, wrote = threading.Event(), []
    write_batch, queue = Batch.write, now_street.edge._queue
    write_here = queue._write

    def begin(database, batch):
        begins.set()
        return write_here(database, batch)

    def noted(self, *given):
        taken = write_batch(self, *given)
        wrote.append(len(taken.verdicts))
        return taken

    monkeypatch.setattr(queue, "_write", begin)
    monkeypatch.setattr(Batch, "write", noted)
    other = two[0]
    closing = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN; SELECT pg_advisory_xact_lock(7)"}
    other._raw.execute(closing[connection.vendor])

    async def clicks():
        ask = {"id": one.id, "pass": hers}
        first = asyncio.ensure_future(now_street.post("/c/nod", ask))
        await asyncio.to_thread(begins.wait, 5)
        more = [now_street.post("/c/nod", ask | {"pass": his}), now_street.post("/c/nod", ask)]
        later = [asyncio.ensure_future(post) for post in more]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        other._raw.execute("COMMIT")
        return await asyncio.wait_for(asyncio.gather(first, *later), 10)

    ((hers_first, his_first, again),) = now_street.run(clicks())
    assert [answer.json["new"] for answer in (hers_first, his_first, again)] == [True, True, False]
    # Hers a second time is for the batch behind.
    assert wrote == [2, 1]
    assert nods.count(one.id) == 2
    assert nods.wrong_counts() == []
