"""Signing up and in over HTTP: by code, by password, by invitation; and leaving."""

import re
import time
from types import SimpleNamespace

import pytest
from django.conf import LazySettings
from django.core import mail
from django.core.cache import cache

from mickle.instance import instance
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Charity, Member, WaitingPerson
from tests.people import EUR, instance_at
from tests.web.browsing import Person, mailed_code, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _instance() -> None:
    instance_at(months.text(instance.open_month()), kind="REAL")


def test_signing_up_needs_an_address_and_the_code_alone() -> None:
    members.list_charity(slug="sea", name="Sea rescue")
    person = Person.new().sign_up("Alice@Example.org")
    assert person.address == "/month"
    assert "Fill your coin" in person.text
    plan = members.plan(person.member, instance.open_month())
    assert (plan.budget_micros, plan.charity) == (EUR("5.00"), Charity.objects.get())
    assert person.member.email == "alice@example.org"
    assert not person.member.has_usable_password()


def test_a_wrong_code_lets_nobody_in() -> None:
    person = Person.new().open("/sign-up").send("", email="alice@example.org")
    person.send("", code="WRONG-CODE")
    assert "This is not the code of the newest mail." in person.text
    assert "_auth_user_id" not in person.client.session


def test_a_new_code_replaces_the_one_before() -> None:
    person = Person.new().open("/sign-up").send("", email="alice@example.org")
    first = mailed_code("alice@example.org")
    cache.clear()
    person.page = person.client.post(
        "/sign-up/code", {**_token(person), "action": "resend"}, follow=True
    )
    assert mailed_code("alice@example.org") != first
    assert "not the code of the newest mail" in person.send("", code=first).text
    assert person.send("", code=mailed_code("alice@example.org")).address == "/month"


def test_an_address_longer_than_mail_takes_is_refused_at_its_field() -> None:
    long = f"a@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 62}.example"
    person = Person.new().open("/sign-up").send("", email=long)
    assert person.page.status_code == 200
    assert "Nothing was changed. To mend: E-mail" in person.text
    assert long in person.html
    assert not Member.objects.exists()
    assert not mail.outbox


def test_a_real_instance_never_shows_the_code() -> None:
    person = Person.new().open("/sign-up").send("", email="alice@example.org")
    assert mailed_code("alice@example.org") not in person.html


def test_a_demo_shows_the_code_but_not_an_operators() -> None:
    instance_at(months.text(instance.open_month()), kind="DEMO")
    members.join(email="ines@example.org", at=instance.now(), is_operator=True)
    person = Person.new().open("/sign-up").send("", email="alice@example.org")
    assert mailed_code("alice@example.org") in person.html
    person = Person.new().open("/sign-in").send("", login="ines@example.org")
    assert mailed_code("ines@example.org") not in person.html


def test_the_same_page_answers_a_known_and_an_unknown_address() -> None:
    Person.new().sign_up("alice@example.org")
    cache.clear()
    known = Person.new().open("/sign-up").send("", email="alice@example.org")
    unknown = Person.new().open("/sign-up").send("", email="bob@example.org")
    assert known.text.replace("alice", "bob") == unknown.text
    assert "You are a member already" in [m.subject for m in mail.outbox]


def test_too_many_requests_are_told_to_wait() -> None:
    Person.new().sign_up("alice@example.org")
    again = Person.new().open("/sign-up").send("", email="alice@example.org")
    assert again.page.status_code == 429
    assert "Wait a minute" in again.text


def test_a_member_signs_in_by_code_or_by_password() -> None:
    Person.new().sign_up("alice@example.org")
    assert Person.new().sign_in("alice@example.org").address == "/month"
    members.join(email="bob@example.org", at=instance.now(), password="a long enough one")
    person = (
        Person.new()
        .open("/sign-in")
        .send("", login="bob@example.org", password="a long enough one")
    )
    assert person.address == "/month"
    wrong = Person.new().open("/sign-in").send("", login="bob@example.org", password="another one")
    assert "do not belong together" in wrong.text


def test_a_closed_account_cannot_sign_in() -> None:
    person = Person.new().sign_up("alice@example.org")
    person.open("/settings/close").send("", open_nods="take_back", sure="on")
    assert "Your account is being closed." in person.text
    assert Member.objects.filter(email="alice@example.org").count() == 0


def test_signing_out_takes_a_press() -> None:
    person = Person.new().sign_up("alice@example.org")
    assert "Sign out" in person.open("/sign-out").text
    assert "_auth_user_id" in person.client.session
    person.send("")
    assert "_auth_user_id" not in person.client.session


def test_by_invitation_a_code_is_used_once(settings: LazySettings) -> None:
    settings.SIGN_UP = "invite"
    code = members.invite(at=instance.now()).code
    Person.new().sign_up("alice@example.org", invite=code)
    late = Person.new().open("/sign-up").send("", email="bob@example.org", invite=code)
    assert "This invitation is unknown or used up." in late.text
    assert Member.objects.count() == 1


def test_who_has_no_invitation_waits_on_a_list(settings: LazySettings) -> None:
    settings.SIGN_UP = "invite"
    person = Person.new().open("/sign-up").send("/waiting-list", email="Bob@example.org")
    assert "You are on the list." in person.text
    assert WaitingPerson.objects.get().email == "bob@example.org"
    person.send("/waiting-list", email="no address")
    assert "is not an e-mail address" in person.text
    ines = members.join(email="ines@example.org", at=instance.now(), is_operator=True)
    row = WaitingPerson.objects.get()
    desk = signed_in(ines).open("/operator/people")
    desk.client.post(f"/operator/people/waiting/{row.id}", _token(desk))
    desk.client.post(f"/operator/people/waiting/{row.id}", _token(desk))
    sent = [m for m in mail.outbox if "There is a place for you" in m.subject]
    assert [m.to for m in sent] == [["bob@example.org"]]
    invited = Person.new().open(re.search(r"http://testserver(\S+)", sent[0].body)[1])
    invite = re.search(r'name="invite" value="([^"]+)"', invited.html)[1]
    invited.send("", email="bob@example.org", invite=invite)
    invited.send("", code=mailed_code("bob@example.org"))
    assert invited.address == "/month"


def test_the_waiting_list_takes_no_more_in_a_minute_than_sign_up() -> None:
    person = Person.new().open("/sign-up")
    said = []
    for number in range(25):
        fields = {**_token(person), "email": f"{number}@example.org"}
        said.append(person.client.post("/waiting-list", fields).status_code)
    assert said == [303] * 20 + [429] * 5
    assert WaitingPerson.objects.count() == 20


@pytest.mark.parametrize(("path", "field"), [("/sign-in", "login"), ("/sign-up", "email")])
def test_no_address_gets_more_than_twenty_mails_an_hour_unasked(
    path: str, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    members.join(email="alice@example.org", at=instance.now())
    now = [time.time()]
    clock = SimpleNamespace(time=lambda: now[0], monotonic=time.monotonic, sleep=time.sleep)
    monkeypatch.setattr("allauth.core.internal.ratelimit.time", clock)
    for _time in range(30):
        now[0] += 100
        Person.new().open(path).send("", **{field: "alice@example.org"})
    assert 15 < len(mail.outbox) <= 20


def _token(person: Person) -> dict[str, str]:
    return {"csrfmiddlewaretoken": person.html.split('csrfmiddlewaretoken" value="')[1][:64]}


def test_the_language_is_kept_and_the_way_back_stays_here() -> None:
    person = Person.new().open("/terms")
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', person.html)[1]
    answer = person.client.post(
        "/language",
        {"language": "de", "csrfmiddlewaretoken": token},
        headers={"Referer": "https://evil.example/"},
    )
    assert answer["Location"] == "/"
    assert 'lang="de"' in person.open("/").html


def test_a_member_reads_their_language_on_the_next_device_too() -> None:
    first = Person.new().sign_up("alice@example.org")
    first.send("/language", language="de")
    assert 'lang="de"' in Person.new().sign_in("alice@example.org").html


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("1.99", "A coin is 2.00 to 100.00 EUR a month."),
        ("100.01", "A coin is 2.00 to 100.00 EUR a month."),
        ("ten", "“ten” is not an amount."),
        ("5.001", "Whole cents, for example 12.50."),
        ("-5", "“-5” is not an amount."),
    ],
)
def test_a_budget_that_is_none_says_why_at_its_field(typed: str, sentence: str) -> None:
    member = members.join(email="alice@example.org", at=instance.now())
    person = signed_in(member).open("/settings").send("", deed="budget", amount=typed)
    assert sentence in person.text
    assert 'aria-invalid="true"' in person.html
    assert members.plan(member, instance.open_month()).budget_micros == EUR("5.00")


def test_budget_pause_and_charity_are_kept() -> None:
    members.list_charity(slug="sea", name="Sea rescue")
    trees = members.list_charity(slug="trees", name="Trees")
    member = members.join(email="alice@example.org", at=instance.now())
    person = signed_in(member).open("/settings")
    person.send("", deed="budget", amount="12,50", paused="on", charity=str(trees.id))
    plan = members.plan(member, instance.open_month())
    assert (plan.budget_micros, plan.paused, plan.charity) == (EUR("12.50"), True, trees)
    person.send("", deed="profile", name="Alice", about="", url="", public_nods="on")
    member.refresh_from_db()
    assert (member.name, member.public_nods) == ("Alice", True)


def test_signing_in_leads_to_the_page_that_asked_for_it() -> None:
    Person.new().sign_up("alice@example.org")
    person = Person.new().open("/settings").send("", login="alice@example.org")
    assert person.send("", code=mailed_code("alice@example.org")).address == "/settings"


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_signing_in_never_leads_elsewhere(wanted: str) -> None:
    members.join(email="bob@example.org", at=instance.now(), password="a long enough one")
    person = Person.new().open("/sign-in", next=wanted)
    person.send("", login="bob@example.org", password="a long enough one", next=wanted)
    assert person.page.redirect_chain[-1][0] == "/month"
