"""Which mails a member gets, ending them by the address in a mail, and the operator's page."""

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from mickle.instance import instance
from mickle.jobs.models import Job
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.notices import notices
from mickle.notices.models import Notice, Silence, Topic
from tests.people import instance_at, member, thing
from tests.web.browsing import Person, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Member:
    instance_at(months.text(instance.open_month()), kind="TEST")
    return member("alice", month=instance.open_month())


def link(who: Member, topic: Topic = Topic.REMINDERS) -> str:
    return f"/mail/stop/{notices.stop_token(member=who, topic=topic)}"


def silent(who: Member) -> list[str]:
    return sorted(Silence.objects.filter(member=who).values_list("topic", flat=True))


def test_a_member_chooses_mails_in_the_settings(alice):
    person = signed_in(alice).open("/settings")
    assert 'name="reminders" id="id_reminders" checked' in person.html.replace(
        ' aria-describedby="id_reminders_helptext"', ""
    )
    person.send("", deed="mail", statements="on", teams="on")
    assert "Mails that guard your account come always." in person.text
    assert silent(alice) == ["REMINDERS"]
    person.open("/settings").send("", deed="mail", reminders="on", statements="on", teams="on")
    assert silent(alice) == []


def test_the_address_in_a_mail_asks_before_it_ends_anything(alice):
    person = Person.new().open(link(alice))
    assert "Do you want no more reminders by mail?" in person.text
    assert silent(alice) == []
    person.send("")
    assert "No reminder comes by mail any more." in person.text
    assert silent(alice) == ["REMINDERS"]
    # Once more changes nothing.
    person.open(link(alice)).send("")
    assert silent(alice) == ["REMINDERS"]


def test_a_mail_program_ends_them_by_one_post_without_a_cookie(alice):
    client = Client(enforce_csrf_checks=True)
    answer = client.post(
        link(alice, Topic.STATEMENTS),
        "List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 200
    assert silent(alice) == ["STATEMENTS"]
    said = Person.new().open(link(alice, Topic.TEAMS)).send("")
    assert "No mail about teams comes any more." in said.text
    assert silent(alice) == ["STATEMENTS", "TEAMS"]


@pytest.mark.parametrize("broken", ["x", "a:b:c", "%00", "é"])
def test_an_address_that_is_not_whole_changes_nothing(alice, broken):
    client = Client()
    whole = link(alice)
    for path in (f"/mail/stop/{broken}", whole[:-1], f"{whole[:11]}A{whole[12:]}"):
        for answer in (client.get(path), client.post(path)):
            assert answer.status_code == 404
    assert "This link is not whole" in client.get(link(alice)[:-1]).content.decode()
    assert silent(alice) == []


def test_the_address_of_one_member_ends_nobody_elses_mails(alice):
    bob = member("bob", month=instance.open_month())
    Client().post(link(bob))
    assert silent(alice) == []
    assert silent(bob) == ["REMINDERS"]


def test_the_address_of_a_closed_account_is_no_more(alice):
    path = link(alice)
    members.note_closing(member=alice, at=instance.now())
    members.erase(member=alice, at=instance.now())
    assert Client().post(path).status_code == 404


@pytest.fixture
def ines(alice) -> Person:
    return signed_in(members.join(email="ines@example.org", at=instance.now(), is_operator=True))


def test_an_operator_sees_that_nobody_works_and_what_comes_next(ines):
    ines.open("/operator/jobs")
    assert "No worker has done anything for two hours" in ines.text
    assert "None yet. The first ones are due three days before the month ends." in ines.text
    Job.objects.create(name="keep-house", done_at=instance.now())
    ines.open("/operator/jobs")
    assert "No worker has done anything" not in ines.text
    assert "Close" in ines.text


def test_an_operator_sees_what_fails_and_why(ines):
    now = instance.now()
    Job.objects.create(
        name="send-mails",
        failures=3,
        why="The mail server is away.",
        try_at=now + timedelta(minutes=4),
    )
    ines.open("/operator")
    assert "1 job fails and is tried again by itself." in ines.text
    ines.open("/operator/jobs")
    assert "The mail server is away." in ines.text
    assert "Failed 3 times in a row" in ines.text


def test_an_operator_sends_a_mail_in_doubt_once_more(ines, alice):
    nods.give(member=alice, thing=thing("page"), at=instance.now())
    end = months.end(instance.open_month())
    if instance.now() < end - timedelta(days=2):
        instance.move_clock(to=end - timedelta(days=2))
    notices.plan(at=instance.now())
    Notice.objects.update(state="CLAIMED", claimed_at=instance.now())
    notices.send_due(at=instance.now(), go_on=lambda: None)
    assert mail.outbox == []
    row = Notice.objects.get()
    ines.open("/operator/jobs")
    assert "alice Three days before the month ends" in ines.text
    assert "in doubt" in ines.text
    ines.send(f"/operator/jobs/mails/{row.id}")
    assert "It waits to be sent once more." in ines.text
    notices.send_due(at=instance.now(), go_on=lambda: None)
    assert [one.to for one in mail.outbox] == [["alice@example.org"]]
