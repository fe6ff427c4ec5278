"""What a member gave to a page before an operator merged it is a nod at the page that stays."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mickle.closing import closing
from mickle.instance import instance
from mickle.lib import months
from mickle.nods import nods
from mickle.nods.models import Nod, Subscription
from mickle.things import things
from tests.people import creator, instance_at, member, thing
from tests.web.browsing import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def given():
    """Alice, the page she nodded at, where it went, and a page that went there before."""
    instance_at(months.text(instance.open_month()), kind="TEST")
    alice = member("alice", funds="5.00", month=instance.open_month())
    was, stays, other = thing("was"), thing("stays", creator("bob")), thing("other")
    nods.give(member=alice, thing=was, at=instance.now())
    for one in (was, other):
        things.merge(thing=one, into=stays, at=instance.now())
    return alice, was, stays, other


def test_it_is_taken_back_on_the_page_of_the_month(given):
    alice, _was, stays, _other = given
    person = signed_in(alice).open("/month")
    assert re.findall(r'action="(/nod/\d+)"', person.html) == [f"/nod/{stays.id}"]
    person.send(f"/nod/{stays.id}", deed="take-back")
    assert not Nod.objects.exists()
    assert nods.wrong_counts() == []


@pytest.mark.parametrize("at", [1, 2, 3])
def test_at_whichever_address_one_take_back_takes_back_all_of_it(given, at):
    alice, _was, stays, _other = given
    dora = member("dora", funds="5.00", month=instance.open_month())
    for who in (alice, dora):
        nods.give(member=who, thing=stays, at=instance.now())
    things_ = [type(one).objects.get(id=one.id) for one in given[1:]]
    assert all(nods.has(alice, one, instance.open_month()) for one in things_)
    nods.take_back(member=alice, thing=given[at], at=instance.now())
    assert not any(nods.has(alice, one, instance.open_month()) for one in things_)
    assert [nod.member for nod in Nod.objects.all()] == [dora]
    assert nods.wrong_counts() == []
    with pytest.raises(nods.NoNod):
        nods.take_back(member=alice, thing=given[at], at=instance.now())


def test_the_page_that_stays_says_that_one_nodded(given):
    alice, _was, stays, _other = given
    person = signed_in(alice)
    assert 'value="take-back"' in person.open(f"/nod?url={stays.url}").html
    assert 'value="take-back"' in person.open(f"/thing/{stays.id}").html


def test_who_closes_the_account_takes_back_both(given):
    alice, _was, stays, _other = given
    nods.give(member=alice, thing=stays, at=instance.now())
    account = {"iban": "DE89370400440532013000", "holder_name": "Alice"}
    closing.close(member=alice, at=instance.now(), open_nods="take_back", **account)
    assert not Nod.objects.exists()


def test_who_closes_the_account_lowers_counts_in_the_order_in_which_others_raise_them():
    instance_at(months.text(instance.open_month()), kind="TEST")
    alice = member("alice", funds="5.00", month=instance.open_month())
    was, between, stays = thing("was"), thing("between"), thing("stays")
    for one in (was, between, stays):
        nods.give(member=alice, thing=one, at=instance.now())
    things.merge(thing=was, into=stays, at=instance.now())
    account = {"iban": "DE89370400440532013000", "holder_name": "Alice"}
    with CaptureQueriesContext(connection) as captured:
        closing.close(member=alice, at=instance.now(), open_nods="take_back", **account)
    said = "\n".join(one["sql"] for one in captured)
    lowered = re.findall(r"UPDATE nods_count SET total = total - 1\s+WHERE thing_id = (\d+)", said)
    assert list(map(int, lowered)) == [was.id, between.id, stays.id]
    assert nods.wrong_counts() == []


def test_a_monthly_nod_is_changed_and_stopped_at_the_page_that_stays(given):
    alice, was, stays, _other = given
    Subscription.objects.create(
        member=alice, thing=was, first_month=instance.open_month(), made_at=instance.now()
    )
    assert "each month" in signed_in(alice).open("/month").text
    row = nods.subscribe(member=alice, thing=stays, runs_months=3, at=instance.now())
    assert (row.thing, row.last_month) == (was, instance.open_month() + 3)
    assert nods.unsubscribe(member=alice, thing=stays, at=instance.now())
    assert not nods.subscriptions(alice).exists()
