"""Nods that come back while others would leave: what was noted is never what was deleted."""

import threading

import pytest
from django.db import connection, transaction

from mickle.lib.chunks import Range
from mickle.lib.sql import instant
from mickle.nods import nods
from mickle.nods.models import Nod, Past
from tests.concurrency.test_showing import waits_or_is_done
from tests.concurrency.together import together
from tests.people import MID_NOVEMBER, NOVEMBER, creator, instance_at, member, thing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_who_lets_nods_go_waits_for_who_puts_them_back():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    instance_at("2026-11")
    alice = member("alice")
    nods.give(member=alice, thing=thing("page", creator("bob")), at=MID_NOVEMBER)
    page = Nod.objects.get().thing_id
    span, said = Range(0, alice.id), []
    row = (NOVEMBER, alice.id, page, 1, instant(MID_NOVEMBER), "page", "", 0)
    assert nods.let_go(month=NOVEMBER, span=span) == 1

    def let_go(_client: int) -> int:
        with transaction.atomic():
            return nods.let_go(month=NOVEMBER, span=span)

    other = threading.Thread(target=lambda: said.extend(together(1, let_go)))
    with transaction.atomic():
        assert nods.put_back(month=NOVEMBER, span=span, rows=[row]) == 1
        other.start()
        waits_or_is_done(other)
    other.join()
    assert (said, Past.objects.get().nods, Nod.objects.count()) == ([1], 1, 0)
    assert nods.wrong_counts() == []
