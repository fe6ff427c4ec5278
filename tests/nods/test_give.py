from datetime import UTC, datetime, timedelta, timezone

import pytest

from mickle.instance import instance
from mickle.lib import months
from mickle.members import members
from mickle.nods import _bulk, nods
from mickle.nods.models import Nod, Subscription
from mickle.settlement import settlement
from mickle.things import things
from tests.people import MID_NOVEMBER, NOVEMBER, instance_at, member, thing, top_up

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _november() -> None:
    instance_at("2026-11")


def at(month: int, day: int = 15):
    return months.start(month) + timedelta(days=day - 1)


def test_a_nod_counts_once_a_month_and_again_in_the_next():
    alice, page = member("alice", funds="5.00"), thing("page")
    first = nods.give(member=alice, thing=page, at=at(NOVEMBER))
    again = nods.give(member=alice, thing=page, at=at(NOVEMBER, 20))
    assert (first.month, first.new, first.nods_this_month) == (NOVEMBER, True, 1)
    assert (again.month, again.new, again.nods_this_month) == (NOVEMBER, False, 1)
    assert nods.give(member=alice, thing=page, at=at(NOVEMBER + 1)).new
    assert nods.count(page.id) == 2


def test_what_would_be_refused_is_said_beforehand_and_nothing_is_recorded():
    alice = member("alice", funds="5.00")
    mine, refused = thing("mine", alice), thing("refused")
    things.refuse(thing=refused, at=at(NOVEMBER))
    refused.refresh_from_db()
    with pytest.raises(nods.OwnThing):
        nods.check(thing=mine, member=alice)
    with pytest.raises(nods.NotNoddable):
        nods.check(thing=refused)
    nods.check(thing=mine)
    nods.check(thing=mine, member=member("bob"))
    assert Nod.objects.count() == 0


def test_an_instant_of_another_zone_is_kept_as_the_one_in_utc():
    alice, page = member("alice"), thing("page")
    tokyo = timezone(timedelta(hours=9))
    given = nods.give(member=alice, thing=page, at=datetime(2026, 12, 1, 8, tzinfo=tokyo))
    assert given.month == NOVEMBER
    assert Nod.objects.get().at == datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert Nod.objects.filter(at__lt=months.end(NOVEMBER)).exists()


def test_the_same_key_is_the_first_nod_after_midnight_too():
    alice, page = member("alice"), thing("page")
    before = months.end(NOVEMBER) - timedelta(seconds=1)
    nods.give(member=alice, thing=page, at=before, key="click 1")
    repeat = nods.give(member=alice, thing=page, at=before + timedelta(seconds=2), key="click 1")
    assert (repeat.month, repeat.new) == (NOVEMBER, False)
    assert Nod.objects.count() == 1


def test_a_repeat_is_of_the_month_in_which_the_nod_stands_if_that_closes_meanwhile(monkeypatch):
    alice, page, real = member("alice"), thing("page"), nods._not_leaving

    def late(who):
        settlement.close_due(at=months.end(NOVEMBER))
        real(who)

    monkeypatch.setattr(nods, "_not_leaving", late)
    before = months.end(NOVEMBER) - timedelta(seconds=1)
    assert nods.give(member=alice, thing=page, at=before).month == NOVEMBER
    again = nods.give(member=alice, thing=page, at=before)
    assert (again.month, again.new, again.nods_this_month) == (NOVEMBER, False, 1)
    assert instance.here().closed_through == NOVEMBER


def test_a_nod_whose_month_closes_as_it_is_taken_back_stays_and_is_said_to(monkeypatch):
    alice, page, real = member("alice"), thing("page"), nods._hold_member
    before = months.end(NOVEMBER) - timedelta(seconds=1)
    nods.give(member=alice, thing=page, at=before)

    def late(cursor, who):
        settlement.close_due(at=months.end(NOVEMBER))
        real(cursor, who)

    monkeypatch.setattr(nods, "_hold_member", late)
    with pytest.raises(nods.MonthClosed, match="2026-11 is closed"):
        nods.take_back(member=alice, thing=page, at=before)
    assert nods.has(alice, page, NOVEMBER)


def test_nobody_nods_at_their_own_thing():
    bob = member("bob")
    with pytest.raises(nods.OwnThing, match="This is yours"):
        nods.give(member=bob, thing=thing("page", bob), at=MID_NOVEMBER)


@pytest.mark.parametrize("deed", ["refuse", "take_down"])
def test_what_was_refused_or_taken_down_takes_no_nods(deed):
    alice, page = member("alice"), thing("page")
    getattr(things, deed)(thing=page, at=MID_NOVEMBER)
    page.refresh_from_db()
    with pytest.raises(nods.NotNoddable, match="nothing was recorded"):
        nods.give(member=alice, thing=page, at=MID_NOVEMBER)
    assert not Nod.objects.exists()


def test_a_nod_at_a_merged_thing_is_one_at_its_target():
    alice, page, target = member("alice"), thing("page"), thing("target")
    things.merge(thing=page, into=target, at=MID_NOVEMBER)
    page.refresh_from_db()
    nods.give(member=alice, thing=page, at=MID_NOVEMBER)
    assert nods.has(alice, target, NOVEMBER)


def test_a_nod_after_the_close_counts_in_the_next_month():
    alice, page = member("alice"), thing("page")
    settlement.close_due(at=months.end(NOVEMBER))
    late = nods.give(member=alice, thing=page, at=at(NOVEMBER, 30))
    assert late.month == NOVEMBER + 1


def test_a_nod_is_taken_back_while_its_month_is_open_and_not_after():
    alice, page = member("alice", funds="5.00"), thing("page")
    nods.give(member=alice, thing=page, at=MID_NOVEMBER)
    assert nods.take_back(member=alice, thing=page, at=MID_NOVEMBER) == NOVEMBER
    assert nods.count(page.id) == 0
    with pytest.raises(nods.NoNod):
        nods.take_back(member=alice, thing=page, at=MID_NOVEMBER)
    nods.give(member=alice, thing=page, at=MID_NOVEMBER)
    settlement.close_due(at=months.end(NOVEMBER))
    with pytest.raises(nods.MonthClosed, match="Nothing was changed"):
        nods.take_back(member=alice, thing=page, at=at(NOVEMBER + 1), month=NOVEMBER)
    assert nods.has(alice, page, NOVEMBER)


def test_the_public_count_holds_only_members_who_have_topped_up():
    alice, page = member("alice"), thing("page")
    nods.give(member=alice, thing=page, at=MID_NOVEMBER)
    assert nods.count(page.id) == 0
    top_up(alice, "5.00", month=NOVEMBER)
    nods.count_in(member=alice, month=NOVEMBER)
    assert nods.count(page.id) == 1
    assert nods.wrong_counts() == []


@pytest.mark.parametrize(("runs", "last"), [(3, 3), (6, 6), (12, 12), (None, None)])
def test_a_subscription_nods_by_itself_from_the_next_month_on(runs, last):
    alice, page = member("alice", funds="5.00"), thing("page")
    nods.give(member=alice, thing=page, at=MID_NOVEMBER)
    nods.subscribe(member=alice, thing=page, runs_months=runs, at=MID_NOVEMBER)
    for ahead in range(1, 15):
        settlement.close_due(at=at(NOVEMBER + ahead))
    given = list(Nod.objects.order_by("month").values_list("month", flat=True))
    ends = NOVEMBER + (last if last is not None else 14)
    assert given == list(range(NOVEMBER, ends + 1))
    assert nods.count(page.id) == len(given)
    assert nods.wrong_counts() == []


def test_months_that_passed_while_nothing_ran_are_caught_up():
    alice, page = member("alice"), thing("page")
    nods.subscribe(member=alice, thing=page, runs_months=3, at=MID_NOVEMBER)
    settlement.close_due(at=at(NOVEMBER + 6))
    given = list(Nod.objects.order_by("month").values_list("month", flat=True))
    assert given == [NOVEMBER + 1, NOVEMBER + 2, NOVEMBER + 3]
    assert instance.here().closed_through == NOVEMBER + 5
    assert not Subscription.objects.filter(ended_at=None).exists()


def test_a_monthly_nod_taken_back_is_not_given_again():
    alice, page = member("alice"), thing("page")
    nods.subscribe(member=alice, thing=page, runs_months=None, at=MID_NOVEMBER)
    settlement.close_due(at=at(NOVEMBER + 1))
    nods.take_back(member=alice, thing=page, at=at(NOVEMBER + 1))
    settlement.close_due(at=at(NOVEMBER + 1, 16))
    assert not nods.has(alice, page, NOVEMBER + 1)
    settlement.close_due(at=at(NOVEMBER + 2))
    assert nods.has(alice, page, NOVEMBER + 2)


def test_a_stopped_subscription_nods_no_more():
    alice, page = member("alice"), thing("page")
    nods.subscribe(member=alice, thing=page, runs_months=None, at=MID_NOVEMBER)
    assert nods.unsubscribe(member=alice, thing=page, at=MID_NOVEMBER)
    assert not nods.unsubscribe(member=alice, thing=page, at=MID_NOVEMBER)
    settlement.close_due(at=at(NOVEMBER + 1))
    assert not Nod.objects.exists()


@pytest.mark.parametrize("runs", [0, 1, 5, -3])
def test_a_subscription_of_another_length_is_refused(runs):
    with pytest.raises(nods.BadSubscription, match="3, 6 or 12"):
        nods.subscribe(member=member("alice"), thing=thing("p"), runs_months=runs, at=MID_NOVEMBER)


def test_who_is_leaving_gives_nothing_more():
    alice, page = member("alice"), thing("page")
    members.note_closing(member=alice, at=MID_NOVEMBER)
    with pytest.raises(nods.Leaving, match="nothing new is recorded"):
        nods.give(member=alice, thing=page, at=MID_NOVEMBER)
    with pytest.raises(nods.Leaving):
        nods.subscribe(member=alice, thing=page, runs_months=3, at=MID_NOVEMBER)
    assert not Nod.objects.exists()


def test_the_subscription_of_a_merged_page_goes_on_at_its_target():
    alice, page, target = member("alice"), thing("page"), thing("target")
    nods.subscribe(member=alice, thing=page, runs_months=3, at=MID_NOVEMBER)
    things.merge(thing=page, into=target, at=MID_NOVEMBER)
    settlement.close_due(at=at(NOVEMBER + 1))
    assert nods.has(alice, target, NOVEMBER + 1)


def test_described_nods_are_recorded_once_and_not_in_closed_months():
    alice, page = member("alice", funds="5.00", month=NOVEMBER - 1), thing("page")
    row = (NOVEMBER, alice.id, page.id, MID_NOVEMBER, "load")
    assert nods.record_many([row, row]) == 1
    assert nods.record_many([row]) == 0
    assert nods.count(page.id) == 1
    settlement.close_due(at=months.end(NOVEMBER))
    with pytest.raises(nods.MonthClosed, match="2026-11 is closed"):
        nods.record_many([row])


def test_described_nods_in_many_parts_keep_the_counts_right(monkeypatch):
    monkeypatch.setattr(_bulk, "CHUNK", 3)
    monkeypatch.setattr(_bulk, "MARKS", 2)
    early = [member(f"early{n}", funds="5.00") for n in range(3)]
    late = member("late", funds="5.00", month=NOVEMBER + 1)
    pages = [thing(f"page{n}") for n in range(3)]
    rows = [
        (month, giver.id, page.id, at(month), "load")
        for month in (NOVEMBER, NOVEMBER + 1)
        for giver in (*early, late, member(f"nothing{month}"))
        for page in pages
    ]
    nods.give(member=early[0], thing=pages[0], at=MID_NOVEMBER)
    assert nods.record_many(rows[::2] + rows[:5]) == 15 + 2 - 1
    assert nods.wrong_counts() == []
    assert nods.record_many(rows) == 30 - 15 - 2
    assert nods.wrong_counts() == []
    assert [nods.count(page.id) for page in pages] == [3 + 4] * 3


def test_nods_are_private_until_made_public():
    alice = member("alice")
    assert alice.public_nods is False
    members.set_privacy(member=alice, public_nods=True)
    alice.refresh_from_db()
    assert alice.public_nods is True
