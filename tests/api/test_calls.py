"""What a program can do with a token."""

import json
from datetime import timedelta

import pytest
from django.conf import LazySettings

from mickle.instance import instance
from mickle.lib import months
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.programs.models import Program
from mickle.settlement import settlement
from mickle.things import things
from mickle.things.models import Thing
from tests.api.calling import ME, NODS, caller, error
from tests.people import EUR, creator, member, thing

pytestmark = pytest.mark.django_db
URL = "https://blog.example/essay"


def test_a_nod_makes_the_thing_and_the_same_again_is_the_same(reader, alice):
    first, again = reader.nod(URL), reader.nod("http://www.blog.example/essay/?utm_source=x")
    assert (first.status_code, again.status_code) == (201, 200)
    made = Thing.objects.get()
    month = instance.open_month()
    nod = Nod.objects.get()
    assert (nod.member, nod.thing, nod.month, nod.source) == (alice, made, month, "api")
    assert (made.added_by, made.title) == (alice, "")
    assert made.to_read_at is not None
    assert nods.count(made.id) == 1
    assert first.json() == {
        "nod": {
            "month": months.text(month),
            "at": nod.at.isoformat(timespec="seconds"),
            "already": False,
            "nods_this_month": 1,
        },
        "thing": {
            "id": made.id,
            "url": URL,
            "title": "",
            "host": "blog.example",
            "page": f"http://testserver/thing/{made.id}",
        },
    }
    assert again.json()["nod"] == first.json()["nod"] | {"already": True}


def test_a_page_is_not_called_as_a_program_says(reader):
    assert reader.nod(URL, title="Send money here").status_code == 201
    assert Thing.objects.get().title == ""


def test_a_nod_is_taken_back_while_its_month_is_open(reader, alice):
    page = thing("page")
    path = f"{NODS}/{page.id}"
    assert error(reader.ask("DELETE", path)) == (404, "not_found")
    reader.nod(page.url)
    last = months.text(instance.open_month() - 1)
    assert error(reader.ask("DELETE", f"{path}?month={last}")) == (403, "forbidden")
    assert error(reader.ask("DELETE", f"{path}?month=2026-13")) == (400, "invalid_parameters")
    assert nods.count(page.id) == 1
    gone = reader.ask("DELETE", f"{path}?month={months.text(instance.open_month())}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert (nods.count(page.id), Nod.objects.count()) == (0, 0)
    assert error(reader.ask("DELETE", f"{NODS}/{page.id + 1}")) == (404, "not_found")


@pytest.mark.parametrize("named", ["", "%20", "2026-1", "9999-12", "0999-12"])
def test_a_month_that_is_none_takes_no_nod_back(reader, named):
    reader.nod(URL)
    path = f"{NODS}/{Thing.objects.get().id}?month={named}"
    assert error(reader.ask("DELETE", path)) == (400, "invalid_parameters")
    assert Nod.objects.count() == 1


def test_a_nod_of_somebody_else_stays(reader):
    page, bob = thing("page"), member("bob", funds="5.00")
    nods.give(member=bob, thing=page, at=instance.now())
    assert error(reader.ask("DELETE", f"{NODS}/{page.id}")) == (404, "not_found")
    assert Nod.objects.get().member == bob


def test_asked_again_with_its_key_a_nod_of_a_month_that_ended_is_the_first(reader):
    begun = instance.open_month()
    assert reader.ask("POST", NODS, {"url": URL}, **{"Idempotency-Key": "one"}).status_code == 201
    instance.move_clock(to=months.end(begun))
    instance.close(month=begun, at=instance.now())
    again = reader.ask("POST", NODS, {"url": URL}, **{"Idempotency-Key": "one"})
    assert (again.status_code, again.json()["nod"]["month"]) == (200, months.text(begun))
    other = reader.ask("POST", NODS, {"url": URL + "2"}, **{"Idempotency-Key": "one"})
    assert (other.status_code, other.json()["nod"]["month"]) == (201, months.text(begun + 1))
    second = caller(Program.objects.get().member, "second")
    theirs = second.ask("POST", NODS, {"url": URL}, **{"Idempotency-Key": "one"})
    assert (theirs.status_code, theirs.json()["nod"]["month"]) == (201, months.text(begun + 1))
    assert reader.nod(URL).status_code == 200
    assert Nod.objects.count() == 3


@pytest.mark.parametrize("ended", [False, True])
def test_asked_again_with_its_key_a_nod_at_what_was_merged_since_is_the_first(reader, ended):
    old, new, begun = thing("old"), thing("new"), instance.open_month()
    asked = {"path": NODS, "body": {"url": old.url}, "Idempotency-Key": "one"}
    first = reader.ask("POST", **asked).json()
    things.merge(thing=old, into=new, at=instance.now())
    instance.move_clock(to=months.end(begun) if ended else instance.now() + timedelta(days=1))
    if ended:
        instance.close(month=begun, at=instance.now())
    again = reader.ask("POST", **asked)
    assert (again.status_code, again.json()["thing"]["id"]) == (200, new.id)
    assert again.json()["nod"] == first["nod"] | {"already": True}
    assert Nod.objects.count() == 1


def test_what_an_address_is_makes_no_row(reader):
    found = reader.look("https://WWW.new.example/a/?utm_source=x").json()
    assert found == {
        "known": False,
        "identity": "v1:new.example/a",
        "id": None,
        "url": "https://www.new.example/a/",
        "title": "",
        "host": "new.example",
        "page": None,
    }
    assert not Thing.objects.exists()


def test_what_an_address_is_says_what_its_public_page_says(reader, alice):
    bob = creator("bob")
    page = thing("page", bob)
    nods.give(member=alice, thing=page, at=instance.now())
    found = reader.look(page.url).json()
    assert (found["known"], found["id"], found["title"]) == (True, page.id, "Page")
    assert (found["state"], found["nods"], found["nodded"]) == ("active", 1, True)
    assert found["owner"] == {"username": "bob", "name": "bob"}
    assert found["waiting"] is None
    assert found["page"] == f"http://testserver/thing/{page.id}"


@pytest.mark.parametrize(("givers", "amount"), [(2, None), (3, "15.00")])
def test_what_waits_is_a_sum_from_three_givers_on(reader, givers, amount):
    page, month = thing("page"), instance.open_month()
    for n in range(givers):
        who = member(f"m{n}", funds="5.00", month=month)
        nods.give(member=who, thing=page, at=instance.now())
    instance.move_clock(to=months.end(month))
    settlement.settle(month=month, at=months.end(month + 1))
    waiting = reader.look(page.url).json()["waiting"]
    assert (waiting["nods"], waiting["amount"]) == (givers, amount)


def test_a_merged_page_is_the_one_it_was_merged_into(reader):
    old, new = thing("old"), thing("new")
    things.merge(thing=old, into=new, at=instance.now())
    assert reader.look(old.url).json()["id"] == new.id
    assert reader.nod(old.url).json()["thing"]["id"] == new.id


def test_me_is_the_coin_of_the_month_and_no_more(reader, alice, settings: LazySettings):
    reader.nod(URL)
    assert reader.ask("GET", ME).json() == {
        "username": "alice",
        "month": months.text(instance.open_month()),
        "nods": 1,
        "paused": False,
        "currency": "EUR",
        "budget": "5.00",
        "budget_micros": EUR("5.00"),
        "spend": "5.00",
        "spend_micros": EUR("5.00"),
    }
    settings.CURRENCY, settings.CURRENCY_DECIMALS = "JPY", 0
    assert reader.ask("GET", ME).json()["budget"] == "5"


def test_who_has_no_funds_reads_that_the_month_gives_nothing(reader):
    poor = caller(member("poor"))
    assert poor.nod(URL).status_code == 201
    found = poor.ask("GET", ME).json()
    assert (found["budget"], found["spend"], found["nods"]) == ("5.00", "0.00", 1)


def test_in_arrears_the_month_gives_the_budget_whatever_the_funds(reader, settings: LazySettings):
    settings.MODE = "arrears"
    poor = caller(member("poor"))
    assert poor.nod(URL).status_code == 201
    assert poor.ask("GET", ME).json()["spend"] == "5.00"


def test_the_description_needs_no_token_and_head_is_get(reader, client):
    answer = client.get("/api/v1/openapi.json")
    assert json.loads(answer.content)["openapi"].startswith("3.1")
    assert reader.ask("HEAD", ME).status_code == 200


def test_sentences_are_in_the_language_that_is_asked_for(reader, alice):
    own = thing("own", alice)
    answer = reader.ask("POST", NODS, {"url": own.url}, **{"Accept-Language": "de"})
    assert "Das ist deins" in answer.json()["error_description"]
    reader.client.cookies["django_language"] = "de"
    answer = reader.ask("POST", NODS, {"url": own.url}, **{"Accept-Language": "en"})
    assert "This is yours" in answer.json()["error_description"]
