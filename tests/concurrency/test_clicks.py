"""A nod by a pass beside the member's first top-up, which counts the nods that are there."""

import threading
from datetime import UTC, datetime

import pytest

from mickle.edge import _giving
from mickle.edge.edge import Policy
from mickle.lib import months
from mickle.nods import nods
from mickle.passes import passes
from mickle.payins import payins
from mickle.things import things
from tests import people
from tests.concurrency.together import together
from tests.edge.street import Street

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

NOW = datetime.now(UTC)


def test_a_nod_beside_the_first_top_up_is_counted_once(monkeypatch):
    people.instance_at(months.text(months.of(NOW)))
    poor = people.member("poor")
    page = things.find_or_add(url="https://blog.example/1", at=NOW)
    code = passes.grant(member=poor, site="blog.example", nonce="n", at=NOW)
    token = passes.exchange(code=code, nonce="n", at=NOW).token
    given, topped_up, real = threading.Event(), threading.Event(), _giving.Batch._count

    def slow(self, *asked: object) -> object:
        done = real(self, *asked)
        given.set()
        # The top-up comes as far as it gets: it waits for the nod, or does not and is done.
        topped_up.wait(3)
        return done

    def client(number: int) -> object:
        if number:
            given.wait(10)
            made = payins.top_up(
                member=poor, amount_micros=people.EUR("5.00"), reference="bank 1", at=NOW
            )
            topped_up.set()
            return made
        street = Street(Policy())
        try:
            return street.run(street.post("/c/nod", {"id": page.id, "pass": token}))[0].status
        finally:
            street.close()

    monkeypatch.setattr(_giving.Batch, "_count", slow)
    answers = together(2, client)
    assert answers[0] == 200, answers
    assert not isinstance(answers[1], Exception), answers
    assert nods.wrong_counts() == []
    assert nods.count(page.id) == 1
