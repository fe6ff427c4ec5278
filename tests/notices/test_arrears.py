"""In arrears an owner is told of a month once it is decided what it brought."""

from datetime import timedelta

import pytest

from mickle.members.models import Member
from mickle.nods import nods
from mickle.notices.models import Notice
from mickle.settlement import arrears
from tests.notices.mailing import AFTER_THE_GRACE, Clock, state, to
from tests.people import MID_NOVEMBER, NOVEMBER, creator, member, thing, top_up

DECEMBER = NOVEMBER + 1


@pytest.fixture
def bob(clock: Clock, settings) -> Member:
    """An owner, at whose page Alice and Charlie nodded in a month that is settled."""
    settings.MODE = "arrears"
    bob = creator("bob")
    page = thing("page", bob)
    for name in ("alice", "charlie"):
        nods.give(member=member(name), thing=page, at=MID_NOVEMBER)
    clock.close()
    sent = clock.settle()
    assert to(sent) == ["alice", "alice", "charlie", "charlie"]
    assert {one.subject for one in sent if "statement" in one.subject} == {
        "Your statement of November 2026"
    }
    return bob


def later(clock: Clock, days: int) -> list[str]:
    """What a worker does of it so many days after the settlement; who gets a statement."""
    at = AFTER_THE_GRACE + timedelta(days=days)
    arrears.collect(at=at)
    arrears.ask_again(at=at)
    return to([one for one in clock.mail(at) if "statement" in one.subject])


def pay(name: str) -> None:
    top_up(Member.objects.get(username=name), "5.00", month=DECEMBER)


def test_who_is_paid_by_all_is_told_within_a_week(bob, clock):
    pay("alice")
    assert later(clock, 1) == []
    pay("charlie")
    assert [later(clock, day) for day in range(2, 30)] == [[]] * 5 + [["bob"]] + [[]] * 22
    assert state(bob, "STATEMENT") == Notice.State.SENT


def test_who_is_not_paid_by_all_is_told_once_nobody_is_asked_any_more(bob, clock, mailoutbox):
    pay("alice")
    assert [day for day in range(1, 60) if later(clock, day)] == [21]
    [mail] = [one for one in mailoutbox if one.to == ["bob@example.org"]]
    assert "Your pages received €5.00 for 1 nod of November 2026" in mail.body
    assert "€4.50" in mail.body


def test_who_is_paid_by_nobody_is_told_nothing(bob, clock):
    assert [later(clock, day) for day in range(1, 60)] == [[]] * 59
    assert state(bob, "STATEMENT") == Notice.State.MOOT


def test_to_wait_for_what_is_paid_is_no_failure(bob, clock):
    assert later(clock, 14) == []
    row = Notice.objects.get(member=bob, kind="STATEMENT")
    assert (row.state, row.tries, row.why) == (Notice.State.WAITING, 0, "")
    assert row.try_at == clock.at + timedelta(days=7)


def test_who_leaves_meanwhile_waits_for_no_statement(bob, clock):
    Member.objects.filter(id=bob.id).update(closing_at=clock.at)
    assert later(clock, 7) == []
    assert state(bob, "STATEMENT") == Notice.State.MOOT
