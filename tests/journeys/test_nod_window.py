"""The nod page in both its forms over HTTP: every state, what it offers, and who may ask for it."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from django.conf import LazySettings

from mickle.instance import instance
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.passes import passes
from mickle.passes.models import SitePass
from mickle.things import things
from mickle.things.models import Thing
from tests.people import instance_at, thing, top_up
from tests.web.browsing import Person, signed_in

pytestmark = pytest.mark.django_db
URL = "https://blog.example/post"
SITE = "https://blog.example"
BUTTON = {"url": URL, "nonce": "n" * 22, "host": SITE}
FORMS = ("/nod", "/nod/window")
FOLLOWED = {
    "Referer": f"{SITE}/",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-User": "?1",
    "Sec-Fetch-Site": "cross-site",
}


@pytest.fixture
def alice() -> Member:
    instance_at(months.text(instance.open_month()), kind="DEMO")
    member = members.join(email="alice@example.org", username="alice", at=instance.now())
    top_up(member, "5.00", month=instance.open_month())
    return Member.objects.get(id=member.id)


def came(person: Person, path: str, headers: dict[str, str], **query: str) -> Person:
    """Open a page with headers that only a browser sets."""
    person.page = person.client.get(path, query, headers=headers, follow=True)
    return person


def told(person: Person) -> dict[str, object] | None:
    """What the page hands to the button that opened it."""
    found = re.search(r'data-told="([^"]*)"', person.html)
    return json.loads(unescape(found[1])) if found else None


def fields(person: Person) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', person.html))


@pytest.mark.parametrize("path", FORMS)
def test_a_get_of_either_form_records_nothing(alice: Member, path: str) -> None:
    passes.trust_link(member=alice, site="blog.example", at=instance.now())
    before = (Thing.objects.count(), SitePass.objects.count())
    person = came(signed_in(alice), path, FOLLOWED, **BUTTON)
    assert "Nod at this" in person.text
    assert ("data-at-once" in person.html) is (path == "/nod")
    assert (Nod.objects.count(), Thing.objects.count(), SitePass.objects.count()) == (0, *before)


def test_the_window_records_and_tells_its_button(alice: Member) -> None:
    person = signed_in(alice).open("/nod/window", **BUTTON).send("/nod/window")
    nod = Nod.objects.get()
    assert "Nodded. Thank you." in person.text
    assert "You can take it back until" in person.text
    assert told(person) == {
        "mickle": 1,
        "nonce": BUTTON["nonce"],
        "nodded": True,
        "id": nod.thing_id,
        "month": months.text(nod.month),
    }
    assert 'data-to="http://testserver"' in person.html


@pytest.mark.parametrize(
    ("button", "base", "to"),
    [
        ("https://button.example", "https://nod.example", "https://button.example"),
        ("", "https://nod.example", "https://nod.example"),
    ],
)
def test_the_button_is_told_at_its_own_origin_only(
    alice: Member, settings: LazySettings, button: str, base: str, to: str
) -> None:
    settings.BUTTON_ORIGIN, settings.BASE_URL = button, base
    person = signed_in(alice).open("/nod/window", **BUTTON).send("/nod/window")
    assert f'data-to="{to}"' in person.html


@pytest.mark.parametrize("nonce", ["", "short", "a" * 200, '"><script>alert(1)</script>'])
def test_a_window_without_a_nonce_tells_nobody_and_offers_no_pass(
    alice: Member, nonce: str
) -> None:
    person = signed_in(alice).open("/nod/window", url=URL, host=SITE, nonce=nonce)
    assert "without asking" not in person.text
    assert "<script>alert" not in person.html
    person.send("/nod/window")
    assert "Nodded. Thank you." in person.text
    assert told(person) is None


def test_the_tick_hands_over_a_code_once_and_only_in_the_page(
    alice: Member, caplog: pytest.LogCaptureFixture
) -> None:
    person = signed_in(alice).open("/nod/window", **BUTTON)
    assert "Count my nods on blog.example without asking" in person.text
    sent = {**fields(person), "pass": "yes"}
    person.page = person.client.post("/nod/window", sent)
    code = str(told(person)["code"])
    assert person.page.status_code == 200
    assert "no-store" in person.page["Cache-Control"]
    assert person.html.count(code) == 1
    assert code not in str(person.page.headers) + str(person.page.cookies) + caplog.text
    assert code not in str(dict(person.client.session))
    again = person.client.post("/nod/window", sent, follow=True)
    assert "Nodded. Thank you." in again.content.decode()
    assert "code" not in again.content.decode().partition("data-told")[2].partition('"></div>')[0]
    assert SitePass.objects.count() == 1
    got = passes.exchange(code=code, nonce=BUTTON["nonce"], at=instance.now())
    assert got.site == "blog.example"


@pytest.mark.parametrize(
    "host",
    [
        "",
        "null",
        "https://evil.example",
        "https://blog.example.evil.example",
        "https://blog.example:8443",
        "https://blog.example@evil.example",
        "javascript:blog.example",
        "https://www.google.com/url?q=https://blog.example/",
    ],
)
def test_no_pass_is_offered_or_granted_for_a_foreign_host(alice: Member, host: str) -> None:
    person = signed_in(alice).open("/nod/window", **{**BUTTON, "host": host})
    assert "without asking" not in person.text
    sent = {**fields(person), "pass": "yes", "host": SITE}
    person.page = person.client.post("/nod/window", sent, follow=True)
    assert "Nodded. Thank you." in person.text
    assert "code" not in told(person)
    assert SitePass.objects.count() == 0


@pytest.mark.parametrize("host", ["http://blog.example", "https://www.blog.example"])
def test_the_host_is_folded_as_the_thing_is(alice: Member, host: str) -> None:
    person = signed_in(alice).open("/nod/window", **{**BUTTON, "host": host})
    assert "Count my nods on blog.example without asking" in person.text


def test_a_nonce_is_good_for_one_thing_one_form_and_one_button(alice: Member) -> None:
    person = signed_in(alice).open("/nod/window", **BUTTON)
    good = fields(person)
    for wrong in (
        {"opener": "other-button-nonce"},
        {"opener": ""},
        {"url": "https://blog.example/other"},
        {"nonce": good["nonce"] + "x"},
        {"nonce": ""},
    ):
        person.page = person.client.post("/nod/window", {**good, **wrong, "pass": "yes"})
        assert "Nothing was recorded; nod once more." in person.text, wrong
    person.page = person.client.post("/nod", {**good, "pass": "yes"})
    assert "Nothing was recorded" in person.text
    assert (Nod.objects.count(), SitePass.objects.count()) == (0, 0)


@pytest.mark.parametrize("path", [*FORMS, "/nod/{id}", "/nod/window/{id}", "/settings/sites"])
@pytest.mark.parametrize("trick", ["token", "origin", "site", "get", "text", "nonce"])
def test_no_trick_records_changes_or_grants(alice: Member, path: str, trick: str) -> None:
    known = things.find_or_add(url=URL, at=instance.now())
    other = things.find_or_add(url=f"{SITE}/nodded", at=instance.now())
    nods.give(member=alice, thing=other, at=instance.now())
    passes.trust_link(member=alice, site="kept.example", at=instance.now())
    person = signed_in(alice).open("/nod/window", **BUTTON)
    good = {**fields(person), "pass": "yes", "deed": "give"}
    if path == "/settings/sites":
        good["deed"] = "revoke-all"
    address = path.format(id=known.id)
    client = person.client
    if trick == "token":
        answer = client.post(address, {**good, "csrfmiddlewaretoken": ""})
    elif trick == "origin":
        answer = client.post(address, good, headers={"Origin": "https://evil.example"})
    elif trick == "site":
        answer = client.post(address, good, headers={"Sec-Fetch-Site": "cross-site"})
    elif trick == "get":
        answer = client.get(address, good)
    elif trick == "text":
        answer = client.post(address, json.dumps(good), content_type="text/plain")
    else:
        answer = client.post("/nod/window", {k: v for k, v in good.items() if k != "nonce"})
    assert trick in ("get", "nonce") or answer.status_code == 403
    assert list(Nod.objects.values_list("thing_id", flat=True)) == [other.id]
    assert list(SitePass.objects.values_list("site", flat=True)) == ["kept.example"]


@pytest.mark.parametrize("path", FORMS)
def test_what_was_nodded_at_is_said_at_once_with_both_ways_on(alice: Member, path: str) -> None:
    person = signed_in(alice).open(path, **BUTTON).send(path).open(path, **BUTTON)
    assert "You have nodded at this in" in person.text
    assert "Nod each month?" in person.text
    assert "data-at-once" not in person.html
    found = Thing.objects.get()
    person.send(path + f"/{found.id}", deed="take-back")
    assert "Your coin is still whole." in person.text
    assert Nod.objects.count() == 0
    if path == "/nod/window":
        assert told(person)["nodded"] is False
        assert person.send(path + f"/{found.id}", deed="give").address.endswith("/done")
        assert told(person)["nodded"] is True


@pytest.mark.parametrize("path", FORMS)
def test_own_and_refused_things_say_so_and_record_nothing(alice: Member, path: str) -> None:
    mine, refused, gone = thing("mine", alice), thing("refused"), thing("gone")
    things.refuse(thing=refused, at=instance.now())
    things.take_down(thing=gone, at=instance.now())
    person = signed_in(alice)
    for one, sentence in (
        (mine, "This is yours, so you cannot nod at it."),
        (refused, "Its maker does not want nods, so nothing was recorded."),
        (gone, "This page was taken down here, so nothing was recorded."),
    ):
        passes.trust_link(member=alice, site=one.host, at=instance.now())
        came(person, path, {**FOLLOWED, "Referer": one.url}, **{**BUTTON, "url": one.url})
        assert sentence in person.text
        assert "data-at-once" not in person.html
        assert "Nod at this" not in person.text
    assert Nod.objects.count() == 0


def test_empty_funds_say_how_many_nods_pay_nothing_and_until_when(alice: Member) -> None:
    charlie = members.join(email="charlie@example.org", at=instance.now())
    nods.give(member=charlie, thing=thing("other"), at=instance.now())
    person = signed_in(charlie).open("/nod/window", **BUTTON).send("/nod/window")
    month = instance.open_month()
    last = months.end(month) + timedelta(days=2)
    wanted = f"2 nods of {months.start(month):%B} pay nothing unless you top up by {last.day}"
    assert wanted in person.text
    assert "Take it back" in person.text
    assert told(person)["nodded"] is True


def test_the_window_keeps_the_nod_of_somebody_who_signs_in(alice: Member) -> None:
    person = Person.new().open("/nod/window", **BUTTON)
    assert "without asking" not in person.text
    person.send("/nod/window")
    assert "is kept for 30 minutes" in person.text
    assert Nod.objects.count() == 0
    person.sign_in("alice@example.org")
    assert "Nodded. Thank you." in person.text
    assert Nod.objects.get().member == alice


def test_the_link_page_offers_trust_only_to_those_who_come_from_the_site(alice: Member) -> None:
    person = signed_in(alice)
    for referer in ("", "https://evil.example/", "https://www.google.com/url?q=" + URL):
        came(person, "/nod", {"Referer": referer}, url=URL, host=SITE, nonce=BUTTON["nonce"])
        assert "without asking" not in person.text, referer
    came(person, "/nod", {"Referer": f"{SITE}/"}, url=URL)
    assert "Count my nods on blog.example without asking" in person.text
    person.send("/nod", **{"pass": "yes"})
    assert "From now on, links on blog.example count at once." in person.text
    assert "Sites I nod on" in person.text
    assert SitePass.objects.get().kind == SitePass.Kind.LINK


def test_a_trusted_link_sends_the_form_by_itself_and_counts_its_use(alice: Member) -> None:
    passes.trust_link(member=alice, site="blog.example", at=instance.now())
    person = signed_in(alice)
    for left_out in (
        {"Referer": "https://evil.example/"},
        {"Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-User": ""},
    ):
        came(person, "/nod", {**FOLLOWED, **left_out}, url=URL)
        assert "data-at-once" not in person.html
    came(person, "/nod", FOLLOWED, url=URL)
    assert "data-at-once" in person.html
    assert "Count my nods" not in person.text
    person.send("/nod")
    assert "Nodded. Thank you." in person.text
    assert "Take it back" in person.text
    assert "Your nods on blog.example count without asking." in person.text
    assert SitePass.objects.get().used == 1


def test_a_pass_of_another_browser_is_said_to_be_of_one(alice: Member) -> None:
    code = passes.grant(member=alice, site="blog.example", nonce="n", at=instance.now())
    passes.exchange(code=code, nonce="n", at=instance.now())
    person = signed_in(alice).open("/nod/window", **BUTTON).send("/nod/window")
    assert "In a browser of yours nods on blog.example count without asking." in person.text
    assert "Your nods on blog.example" not in person.text


def test_empty_funds_are_said_of_a_nod_that_stands_as_well(alice: Member) -> None:
    page = things.find_or_add(url=URL, at=instance.now())
    nods.give(member=alice, thing=page, at=instance.now())
    said = "The nods pay nothing unless you top up by"
    assert said not in signed_in(alice).open("/nod/window", **BUTTON).text
    poor = members.join(email="poor@example.org", username="poor", at=instance.now())
    nods.give(member=poor, thing=page, at=instance.now())
    assert said in signed_in(poor).open("/nod/window", **BUTTON).text


def test_a_trusted_link_asks_again_beyond_the_limit_of_a_day(
    alice: Member, settings: LazySettings
) -> None:
    settings.PASS_NODS_A_DAY = 1
    passes.trust_link(member=alice, site="blog.example", at=instance.now())
    person = signed_in(alice)
    came(person, "/nod", FOLLOWED, url=URL).send("/nod")
    came(person, "/nod", FOLLOWED, url=f"{SITE}/second").send("/nod")
    assert "have counted often enough today" in person.text
    assert Nod.objects.count() == 1
    person.send("/nod")
    assert Nod.objects.count() == 2


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/nod", {"Referer": f"{SITE}/"}),
        ("/nod/window", {"Referer": f"{SITE}/"}),
        ("/nod/window", {"Sec-Fetch-Site": "same-origin"}),
        ("/nod/window", {"Referer": "http://testserver/"}),
    ],
)
def test_the_title_of_the_site_itself_is_kept(
    alice: Member, path: str, headers: dict[str, str]
) -> None:
    person = came(signed_in(alice), path, headers, **BUTTON, title="  A \u202epost\u0007 ")
    assert "A post" in person.text
    assert "\u202e" not in person.html
    person.send(path)
    assert Thing.objects.get().title == "A post"


@pytest.mark.parametrize("path", FORMS)
def test_the_title_of_somebody_else_is_shown_as_such_and_not_kept(alice: Member, path: str) -> None:
    wild = "<b>Bank</b><script>alert(1)</script>" + "x" * 10_000
    elsewhere = {"Referer": "https://evil.example/", "Sec-Fetch-Site": "cross-site"}
    person = came(signed_in(alice), path, elsewhere, **BUTTON, title=wild)
    assert "The link calls it “ Bankalert(1)xxx" in person.text
    assert '<h1 class="cut-off"><bdi>blog.example/post</bdi></h1>' in person.html
    assert "<script>alert" not in person.html
    assert "x" * 200 not in person.html
    person.send(path)
    assert Thing.objects.get().title == ""
    came(person, path, elsewhere, **BUTTON, title="Another")
    assert "Another" not in person.text


@pytest.mark.parametrize("path", FORMS)
def test_a_button_may_name_the_page_by_its_number(alice: Member, path: str) -> None:
    known = things.find_or_add(url=URL, at=instance.now(), title="A post")
    person = signed_in(alice).open(path, id=str(known.id), nonce=BUTTON["nonce"])
    assert "A post" in person.text
    person.send(path)
    assert Nod.objects.get().thing_id == known.id
    for unknown in ("999999", "-1", "x", "9" * 5_000, ""):
        assert person.open(path, id=unknown).page.status_code == 400


def test_a_host_that_imitates_is_shown_in_its_plain_letters(alice: Member) -> None:
    person = signed_in(alice).open("/nod/window", url="https://\u0430\u0440\u0440\u04cf\u0435.com/")
    assert "\u0430\u0440\u0440" not in person.html
    assert "xn--80ak6aa92e.com" in person.text


def test_nothing_in_the_window_leads_to_a_strangers_address(alice: Member) -> None:
    person = signed_in(alice).open("/nod/window", **BUTTON, next="https://evil.example/")
    person.send("/nod/window")
    assert "evil.example" not in person.html
    person.send(f"/nod/window/{Thing.objects.get().id}", deed="take-back")
    assert person.address == f"/nod/window/{Thing.objects.get().id}/done"
