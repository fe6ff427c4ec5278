"""Whom a mail goes to, what it says, and that it says nothing that is not in the books."""

import importlib
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core import mail

from mickle.closing import closing
from mickle.instance.models import Instance, Month
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.notices import notices
from mickle.notices.models import Notice, Round, Topic
from mickle.settlement import settlement
from mickle.settlement.models import IdleRun, Spend
from mickle.things.models import Thing
from tests.notices.mailing import AFTER_THE_GRACE, AT_THE_CLOSE, THREE_DAYS_BEFORE, state, to
from tests.people import (
    EUR,
    MID_NOVEMBER,
    NOVEMBER,
    creator,
    instance_at,
    member,
    thing,
    top_up,
)

SECOND = timedelta(seconds=1)


def nod(who: Member, *names: str, owner: Member | None = None, at=MID_NOVEMBER) -> None:
    for name in names:
        nods.give(member=who, thing=thing(name, owner), at=at)


def test_three_days_before_the_end_who_cannot_pay_is_told(clock):
    nod(member("empty"), "one", "two")
    nod(member("partly", funds="3.00"), "three")
    nod(member("rich", funds="5.00"), "four")
    assert clock.mail(THREE_DAYS_BEFORE - SECOND) == []
    sent = {one.to[0]: one for one in clock.mail(THREE_DAYS_BEFORE)}
    assert set(sent) == {"empty@example.org", "partly@example.org"}
    empty = sent["empty@example.org"]
    assert empty.subject == "2 nods of November 2026 pay nothing yet"
    assert "You gave 2 nods in November 2026" in empty.body
    assert "until 4 December 2026, 00:00 UTC" in empty.body
    assert "https://mickle.example/top-up" in empty.body
    partly = sent["partly@example.org"]
    assert partly.subject == "November 2026: €3.00 of €5.00 is there"
    assert "Your budget is €5.00, and you have €3.00 to give" in partly.body
    assert clock.mail() == []


def test_three_days_before_the_end_who_gave_no_nod_is_told_of_the_charity(clock):
    member("idle", funds="9.00")
    member("idle-small", funds="3.50")
    sea = members.list_charity(slug="sea", name="Sea\r\nBcc: x@example.org rescue")
    chose = member("chose", funds="9.00")
    members.set_budget(member=chose, at=months.start(NOVEMBER - 1), charity=sea)
    sent = {one.to[0].partition("@")[0]: one for one in clock.mail(THREE_DAYS_BEFORE)}
    assert set(sent) == {"idle", "idle-small", "chose"}
    assert sent["idle"].subject == "No nod of yours in November 2026 yet"
    assert "before 1 December 2026, 00:00 UTC, €5.00 of" in sent["idle"].body
    assert "goes to Library" in sent["idle"].body
    assert "€3.50 of" in sent["idle-small"].body
    assert "goes to Sea Bcc: x@example.org rescue." in sent["chose"].body


def test_who_is_neither_short_nor_idle_hears_nothing(clock):
    nod(member("paused", budget="paused"), "one")
    member("paused-idle", funds="9.00", budget="paused")
    member("never-funded")
    member("new", funds="9.00", month=NOVEMBER)
    own = creator("own")
    nods.give(member=own, thing=thing("before", None), at=MID_NOVEMBER)
    Thing.objects.update(owner=own)
    leaving = member("leaving", funds="0")
    nod(leaving, "two")
    closing.close(member=leaving, at=MID_NOVEMBER, open_nods="settle")
    gone = member("gone")
    closing.close(member=gone, at=MID_NOVEMBER, open_nods="take_back")
    assert clock.mail(THREE_DAYS_BEFORE) == []
    assert clock.close() == []


def test_without_a_listed_charity_nothing_goes_to_one(clock):
    members.unlist_charity(charity=members.default_charity())
    member("idle", funds="9.00")
    assert clock.mail(THREE_DAYS_BEFORE) == []
    assert clock.close() == []


def test_nobody_gets_two_mails_of_a_kind(clock):
    """A member without funds and without a nod is told nothing; with a nod, of the funds alone."""
    member("nothing")
    nod(member("both"), "one")
    assert to(clock.mail(THREE_DAYS_BEFORE)) == ["both"]
    assert to(clock.close()) == ["both"]
    assert Notice.objects.count() == 2


def test_at_the_close_both_are_told_what_happens_now(clock):
    nod(member("empty"), "one")
    member("idle", funds="9.00")
    sent = {one.to[0].partition("@")[0]: one for one in clock.close()}
    assert "What arrives until 4 December 2026, 00:00 UTC still counts for it" in sent["empty"].body
    assert sent["idle"].subject == "November 2026: €5.00 goes to Library"
    assert "from 4 December 2026, 00:00 UTC on, €5.00" in sent["idle"].body


def test_a_reason_that_is_gone_by_the_time_of_sending_is_no_mail(clock):
    paid, nodded = member("paid"), member("nodded", funds="9.00")
    nod(paid, "one")
    clock.at = THREE_DAYS_BEFORE
    assert notices.plan(at=clock.at) == 2
    top_up(paid, "5.00", month=NOVEMBER)
    nod(nodded, "two", at=THREE_DAYS_BEFORE)
    assert clock.mail() == []
    assert state(paid, "REMINDER") == state(nodded, "REMINDER") == "MOOT"


def test_what_earlier_months_will_take_is_not_there_for_this_one(clock):
    """Seven euros with October waiting to be settled leave two for November."""
    who = member("who", funds="7.00")
    nod(who, "one")
    settlement.close_due(at=AT_THE_CLOSE)
    december = NOVEMBER + 1
    nod(who, "two", at=AT_THE_CLOSE)
    sent = clock.mail(months.end(december) - timedelta(days=3))
    assert [one.subject for one in sent] == ["December 2026: €2.00 of €5.00 is there"]


def test_what_was_set_aside_six_months_ago_is_there_as_it_comes_back(clock):
    may = NOVEMBER - 6
    instance_at(months.text(may))
    part = member("part", funds="3.00", month=may - 1)
    whole = member("whole", funds="5.00", month=may - 1)
    waits = thing("waits")
    for who in (part, whole):
        nods.give(member=who, thing=waits, at=months.start(may))
    for month in range(may, NOVEMBER):
        settlement.settle(month=month, at=months.end(month))
    for who in (part, whole):
        nods.give(member=who, thing=waits, at=MID_NOVEMBER)
    # Behind the statements of the months before.
    *statements, sent = clock.mail(THREE_DAYS_BEFORE)
    assert {one.subject.partition(" of ")[0] for one in statements} == {"Your statement"}
    assert sent.to == ["part@example.org"]
    assert sent.subject == "November 2026: €3.00 of €5.00 is there"
    assert "Of that, €3.00 was set aside six months ago and comes back now." in sent.body
    assert [one.to for one in clock.close()] == [["part@example.org"]]
    settlement.settle(month=NOVEMBER, at=AT_THE_CLOSE)
    assert Spend.objects.get(month=NOVEMBER, member=part).amount_micros == EUR("3.00")
    assert Spend.objects.get(month=NOVEMBER, member=whole).amount_micros == EUR("5.00")


def test_a_reminder_after_the_month_is_none(clock):
    nod(member("empty"), "one")
    clock.at = THREE_DAYS_BEFORE
    notices.plan(at=clock.at)
    assert [one.subject for one in clock.close()] == ["1 nod of November 2026 pays nothing yet"]
    assert Notice.objects.get(kind="REMINDER").state == "MOOT"


def test_after_a_standstill_the_grace_in_the_mail_runs_from_the_close(clock):
    nod(member("empty"), "one")
    [sent] = clock.close(AT_THE_CLOSE + timedelta(days=9))
    assert "until 13 December 2026, 00:00 UTC" in sent.body


def test_what_was_settled_by_hand_at_once_is_not_told_as_open(clock):
    nod(member("empty"), "one")
    settlement.settle(month=NOVEMBER, at=AT_THE_CLOSE)
    assert clock.mail(AT_THE_CLOSE) == []
    assert set(Round.objects.values_list("kind", flat=True)) == {"CLOSE", "STATEMENT"}


def test_a_statement_tells_what_was_given_and_earned(clock):
    bob = creator("bob")
    alice = member("alice", funds="5.00")
    nod(alice, "p1", "p2", owner=bob)
    nod(alice, "p3", "p4", "p5", "p6")
    clock.close()
    sent = {one.to[0].partition("@")[0]: one for one in clock.settle()}
    assert set(sent) == {"alice", "bob"}
    assert sent["alice"].subject == "Your statement of November 2026"
    body = sent["alice"].body
    assert "You gave €5.00 in November 2026, to 6 pages:" in body
    assert "€0.833334  P1" in body
    assert "  and 1 more" in body
    assert "€3.333332 of it is set aside" in body
    assert "https://mickle.example/statements/2026-11" in body
    earned = sent["bob"].body
    assert "received €1.666668 for 2 nods" in earned
    assert "fee was €0.166666" in earned
    assert "€1.500002 is yours" in earned
    assert clock.mail(AFTER_THE_GRACE + timedelta(days=1)) == []


def test_a_statement_of_an_idle_month_names_the_charity(clock):
    member("idle", funds="9.00")
    clock.close()
    [sent] = clock.settle()
    assert "You gave €5.00 in November 2026. It went to Library, as you gave no nod." in sent.body


def test_who_gave_and_received_nothing_gets_no_statement(clock):
    nod(member("empty"), "one")
    clock.close()
    assert clock.settle() == []


def test_who_wants_none_gets_none_and_both_topics_are_apart(clock):
    quiet = member("quiet", funds="3.00")
    nod(quiet, "one")
    notices.silence(member=quiet, topic=Topic.REMINDERS, at=clock.at)
    notices.silence(member=quiet, topic=Topic.REMINDERS, at=clock.at)
    assert clock.mail(THREE_DAYS_BEFORE) == []
    assert clock.close() == []
    assert to(clock.settle()) == ["quiet"]
    notices.hear(member=quiet, topic=Topic.REMINDERS)
    assert notices.wants(quiet) == dict.fromkeys(Topic, True)


def test_who_says_so_after_it_was_planned_gets_none_either(clock):
    quiet = member("quiet")
    nod(quiet, "one")
    clock.at = THREE_DAYS_BEFORE
    notices.plan(at=clock.at)
    notices.silence(member=quiet, topic=Topic.REMINDERS, at=clock.at)
    assert clock.mail() == []
    assert state(quiet, "REMINDER") == "MOOT"


def test_an_address_that_nobody_proved_gets_nothing(clock):
    who = member("who")
    nod(who, "one")
    EmailAddress.objects.create(user=who, email=who.email, verified=False, primary=True)
    assert clock.mail(THREE_DAYS_BEFORE) == []
    EmailAddress.objects.update(verified=True)
    assert to(clock.close()) == ["who"]


def test_months_before_this_instance_was_made_are_old_news(clock):
    """A described world brings months that ended long ago."""
    nod(member("empty"), "one")
    Instance.objects.update(made_at=AT_THE_CLOSE)
    assert clock.mail(THREE_DAYS_BEFORE) == []
    assert clock.close() == []
    assert clock.settle() == []


def test_a_mail_is_in_the_language_of_its_member(clock):
    speaks, other, none = member("speaks"), member("other"), member("none")
    for who, language in ((speaks, "de"), (other, "tlh"), (none, "")):
        members.describe(member=who, language=language)
        nod(who, f"page-{who.username}")
    sent = {one.to[0].partition("@")[0]: one for one in clock.mail(THREE_DAYS_BEFORE)}
    assert sent["speaks"].subject == "1 Danke vom November 2026 zahlt noch nichts"
    assert "4. Dezember 2026, 00:00 UTC" in sent["speaks"].body
    assert (
        sent["other"].subject == sent["none"].subject == "1 nod of November 2026 pays nothing yet"
    )


def test_months_closed_before_there_were_mails_are_old_news(clock):
    nod(member("empty"), "one")
    settlement.close_due(at=AT_THE_CLOSE)
    first = importlib.import_module("mickle.notices.migrations.0001_initial")
    first.old_news(apps, None)
    clock.at = AT_THE_CLOSE
    assert clock.mail() == []
    assert clock.settle() == []
    december = months.end(NOVEMBER + 1)
    nod(Member.objects.get(username="empty"), "two", at=AT_THE_CLOSE)
    assert to(clock.close(december)) == ["empty"]


def idle_for(who: Member, settled: int) -> None:
    """Months in a row without a nod, counted by the settlements up to September."""
    IdleRun.objects.create(member=who, months=settled, through=NOVEMBER - 2)


@pytest.fixture
def keep(settings, clock):
    settings.IDLE_POLICY = "keep"
    Month.objects.create(
        month=NOVEMBER - 1,
        fee_basis_points=1000,
        closed_at=months.start(NOVEMBER),
    )
    return clock


def test_kept_months_are_told_30_and_7_days_before_the_sixth(keep):
    sixth, fifth, seventh = (member(n, funds="50.00", month=NOVEMBER - 9) for n in "abc")
    idle_for(sixth, 4)
    idle_for(fifth, 3)
    idle_for(seventh, 5)
    end = months.end(NOVEMBER)
    assert keep.mail(end - timedelta(days=30, seconds=1)) == []
    sent = keep.mail(end - timedelta(days=30))
    assert to(sent) == ["a", "c"]
    assert "no nod in the last 5 months, and your money stayed with you" in sent[0].body
    assert "€5.00 of what you have to give goes to Library" in sent[0].body
    assert to(keep.mail(end - timedelta(days=7))) == ["a", "c"]
    assert keep.mail(THREE_DAYS_BEFORE) == []
    assert to(keep.close()) == ["a", "c"]
    assert fifth.username not in to(mail.outbox)


def test_a_nod_in_between_starts_the_kept_months_anew(keep):
    who = member("who", funds="50.00", month=NOVEMBER - 9)
    idle_for(who, 9)
    nods.record_many([(NOVEMBER, who.id, thing("one").id, MID_NOVEMBER, "test")])
    december = NOVEMBER + 1
    settlement.close_due(at=AT_THE_CLOSE)
    assert keep.mail(months.end(december) - timedelta(days=30)) == []


def test_where_idle_months_are_kept_short_funds_are_told_all_the_same(keep):
    nod(member("empty"), "one")
    assert to(keep.mail(THREE_DAYS_BEFORE)) == ["empty"]
