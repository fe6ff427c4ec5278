"""The nod page over HTTP: a GET shows, one POST records, and each outcome has its sentence."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from mickle.instance import instance
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Nod, Subscription
from mickle.things import things
from mickle.things.models import Thing
from mickle.web import parking
from tests.people import EUR, instance_at, thing, top_up
from tests.web.browsing import Person, signed_in

pytestmark = pytest.mark.django_db
URL = "https://blog.example/post"


@pytest.fixture
def alice() -> Member:
    instance_at(months.text(instance.open_month()), kind="DEMO")
    member = members.join(email="alice@example.org", username="alice", at=instance.now())
    top_up(member, "5.00", month=instance.open_month())
    return Member.objects.get(id=member.id)


def test_opening_the_page_records_nothing(alice: Member) -> None:
    before = Thing.objects.count()
    page = signed_in(alice).open("/nod", url=URL)
    assert "Nod at this" in page.text
    assert (Nod.objects.count(), Thing.objects.count()) == (0, before)


def test_one_press_records_one_nod(alice: Member) -> None:
    page = signed_in(alice).open("/nod", url=URL).send("/nod")
    assert "blog.example/post is your slice number 1" in page.text
    assert "It is now worth €5.00." in page.text
    assert Nod.objects.get().member == alice


def test_a_page_sent_again_nods_once_and_not_after_taking_back(alice: Member) -> None:
    person = signed_in(alice).open("/nod", url=URL)
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', person.html))
    person.send("/nod")
    person.client.post("/nod", fields)
    assert Nod.objects.count() == 1
    found = Thing.objects.get()
    person.open(f"/nod/{found.id}/done").send(f"/nod/{found.id}", deed="take-back")
    assert "Your coin is still whole." in person.text
    person.client.post("/nod", fields)
    assert Nod.objects.count() == 0


def test_a_nonce_of_another_session_or_thing_records_nothing(alice: Member) -> None:
    one, other = signed_in(alice), signed_in(alice)
    nonce = re.search(r'name="nonce" value="([^"]+)"', one.open("/nod", url=URL).html)[1]
    other.open("/nod", url=URL).send("/nod", nonce=nonce)
    assert "This page was open too long. Nothing was recorded" in other.text
    one.open("/nod", url="https://else.example/").send("/nod", nonce=nonce)
    assert Nod.objects.count() == 0


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_post_that_another_site_sent_records_nothing(alice: Member, site: str) -> None:
    person = signed_in(alice).open("/nod", url=URL)
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', person.html))
    refused = person.client.post("/nod", fields, headers={"Sec-Fetch-Site": site})
    assert refused.status_code == 403
    assert Nod.objects.count() == 0


def test_a_post_with_another_origin_records_nothing(alice: Member) -> None:
    person = signed_in(alice).open("/nod", url=URL)
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', person.html))
    refused = person.client.post("/nod", fields, headers={"Origin": "https://evil.example"})
    assert refused.status_code == 403
    assert person.client.post("/nod", fields).status_code == 303


def test_the_second_click_offers_the_subscription(alice: Member) -> None:
    person = signed_in(alice).open("/nod", url=URL).send("/nod").open("/nod", url=URL)
    assert "You have nodded at this in" in person.text
    assert "Nod each month?" in person.text
    monthly = f"/nod/{Thing.objects.get().id}/monthly"
    person.send(monthly, months="6")
    row = Subscription.objects.get()
    assert row.last_month - row.first_month == 5
    assert "You nod at this each month." in person.text
    person.send(monthly, deed="stop")
    assert Subscription.objects.get().ended_at is not None


@pytest.mark.parametrize("wanted", ["5", "-3", "x"])
def test_a_subscription_of_other_lengths_is_refused(alice: Member, wanted: str) -> None:
    found = thing("other")
    person = (
        signed_in(alice)
        .open(f"/nod/{found.id}/monthly")
        .send(f"/nod/{found.id}/monthly", months=wanted)
    )
    assert "Choose 3, 6 or 12 months, or until you stop it." in person.text
    assert Subscription.objects.count() == 0


def test_own_things_take_no_nod(alice: Member) -> None:
    mine = thing("mine", alice)
    person = signed_in(alice)
    assert "This is yours, so you cannot nod at it." in person.open("/nod", url=mine.url).text
    person.open("/nod", url=URL).send("/nod", url=mine.url, nonce="")
    person.client.post(f"/nod/{mine.id}", {"deed": "give"})
    assert Nod.objects.count() == 0


def test_empty_funds_are_said_and_the_nod_is_recorded(alice: Member) -> None:
    charlie = members.join(email="charlie@example.org", at=instance.now())
    person = signed_in(charlie).open("/nod", url=URL).send("/nod")
    until = months.end(instance.open_month()) + timedelta(days=2)
    assert f"pays nothing unless you top up by {until.day} {until:%B}" in person.text
    assert Nod.objects.get().member == charlie


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,hello",
        "/relative",
        "nothing",
        "",
        "https://exa mple.org/",
        "https://blog.example/" + "a" * 3_000,
        "ftp://blog.example/",
    ],
)
def test_what_is_no_web_page_gets_a_sentence(alice: Member, url: str) -> None:
    person = signed_in(alice).open("/nod", url=url)
    assert person.page.status_code == 400
    assert "Nothing was recorded." in person.text
    assert Thing.objects.count() == 0


def test_a_month_that_closed_meanwhile_is_said(alice: Member) -> None:
    person = signed_in(alice).open("/nod", url=URL)
    month = instance.open_month()
    instance.move_clock(to=months.end(month))
    person.send("/nod")
    assert "is closed. This nod counts for" in person.text
    assert Nod.objects.get().month == month + 1


def test_a_nod_of_a_closed_month_cannot_be_taken_back(alice: Member) -> None:
    month = instance.open_month()
    found = thing("kept")
    nods.give(member=alice, thing=found, at=instance.now())
    person = signed_in(alice).open("/month")
    instance.move_clock(to=months.end(month))
    instance.close(month=month, at=instance.now())
    person.send(f"/nod/{found.id}", deed="take-back")
    assert "is closed, so this nod stays" in person.text
    assert Nod.objects.count() == 1


def test_a_nod_waits_for_sign_up_and_then_counts() -> None:
    instance_at(months.text(instance.open_month()), kind="REAL")
    person = Person.new().open("/nod", url=URL).send("/nod")
    assert "is kept for 30 minutes" in person.text
    assert Nod.objects.count() == 0
    assert "Your nod is kept and counts as soon as you are in." in person.open("/sign-up").text
    person.sign_up("new@example.org")
    assert "The nod is recorded either way" in person.text
    assert Nod.objects.get().member.email == "new@example.org"


def test_a_nod_waits_for_sign_in_but_not_longer_than_half_an_hour(
    alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = Person.new().open("/nod", url=URL).send("/nod")
    monkeypatch.setattr(parking, "KEPT_FOR", timedelta(seconds=-1))
    person.sign_in("alice@example.org")
    assert person.address == "/month"
    assert Nod.objects.count() == 0


def test_a_button_of_a_list_gives_takes_back_and_answers_htmx(alice: Member) -> None:
    found = things.find_or_add(url=URL, at=instance.now(), title="A post")
    person = signed_in(alice).open("/catalogue").send(f"/nod/{found.id}", deed="give")
    assert 'aria-pressed="true"' in person.html
    assert person.address == "/catalogue"
    drawn = person.client.post(
        f"/nod/{found.id}",
        {"deed": "take-back", "csrfmiddlewaretoken": _token(person)},
        headers={"HX-Request": "true"},
    )
    assert drawn.content.decode().startswith("<form")
    assert 'aria-pressed="false"' in drawn.content.decode()


def _token(person: Person) -> str:
    return re.search(r'csrfmiddlewaretoken" value="([^"]+)"', person.html)[1]


def test_a_button_pressed_by_somebody_unknown_keeps_the_nod(alice: Member) -> None:
    found = thing("other")
    client = Client()
    answer = client.post(f"/nod/{found.id}", {"deed": "give"}, headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == "/nod/kept"
    assert "is kept for 30 minutes" in client.get("/nod/kept").content.decode()


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/", "\\\\evil", "x:y"])
def test_next_never_leaves_this_site(alice: Member, wanted: str) -> None:
    found = thing("other")
    client = Client()
    client.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.post(f"/nod/{found.id}", {"deed": "give", "next": wanted})
    assert answer["Location"] == f"/nod/{found.id}/done"


def test_a_pie_cut_by_many_nods_is_one_disc(alice: Member) -> None:
    for number in range(30):
        nods.give(member=alice, thing=thing(f"page-{number}"), at=instance.now())
    person = signed_in(alice).open("/month")
    assert person.html.count('class="cut') == 1
    assert "30 nods, €0.16 each" in person.text
    assert EUR("5.00") // 30 == 166_666
