"""Programs that nod for a member: from the page that makes a token to what the nod pays."""

import json
import re
import shlex

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from mickle.claims import claims
from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.programs.models import Program
from mickle.settlement import settlement
from mickle.things.models import Thing
from tests.people import EUR, creator, instance_at, member, thing
from tests.web.browsing import Person, signed_in

pytestmark = pytest.mark.django_db
PAGE = "/settings/programs"
TOKEN = re.compile(r"mickle_[\w-]{43}")


@pytest.fixture
def alice() -> Member:
    instance_at(months.text(instance.open_month()), kind="DEMO")
    return member("alice", funds="20.00", budget="5.00")


def made(person: Person, name: str = "my feed reader") -> str:
    """The token of a new program, as its page tells it."""
    person.open(PAGE).send(PAGE, deed="make", name=name)
    found = set(TOKEN.findall(person.html))
    assert len(found) == 1
    return found.pop()


def pasted(line: str) -> object:
    """Do what a line for the terminal says; the JSON that came."""
    words = shlex.split(line.replace("\\\n", " "))
    assert words.pop(0) == "curl"
    address, headers, body = words[0], {}, ""
    for option, value in zip(words[1::2], words[2::2], strict=True):
        if option == "-H":
            headers |= dict([value.split(": ", 1)])
        else:
            assert option == "-d"
            body = value
    kind = headers.pop("Content-Type")
    path = "/" + address.removeprefix("http://testserver/")
    answer = Client().post(path, body, content_type=kind, headers=headers)
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_what_a_token_may_learn_of_nods_is_said_where_it_is_made(alice):
    person, page = signed_in(alice), thing("page")
    headers = {"Authorization": f"Bearer {made(person)}"}
    for nodded in (False, True):
        if nodded:
            nods.give(member=alice, thing=page, at=instance.now())
        answer = Client().get("/api/v1/things", {"url": page.url}, headers=headers)
        assert answer.json()["nodded"] is nodded
    assert "whether a page it names is among them" in person.open(PAGE).html


def test_a_nod_by_a_program_at_a_page_of_nobody_is_its_makers_when_it_is_claimed(
    alice: Member,
) -> None:
    person = signed_in(alice).open("/settings")
    assert f'href="{PAGE}"' in person.html
    made(person)
    line = re.findall(r"<code>(curl .*?)</code>", person.html, re.DOTALL)[0]
    said = pasted(line.replace("&quot;", '"').replace("&#x27;", "'"))
    page = Thing.objects.get(id=said["thing"]["id"])
    assert said["nod"]["month"] == months.text(instance.open_month())
    assert "last used" in person.open(PAGE).text

    month = instance.open_month()
    instance.move_clock(to=months.end(month + 1))
    settlement.settle(month=month, at=instance.now())
    assert ledger.balance(ledger.waiting(alice.id)) == EUR("5.00")
    bob, at = creator("bob"), instance.now()
    ines = members.join(email="ines@example.org", at=at, is_operator=True)
    claims.grant(claim=claims.make(thing=page, member=bob, at=at), by=ines, at=at)
    settlement.release(thing=page, at=at)
    assert ledger.balance(ledger.revenue(bob.id)) == EUR("4.50")
    assert ledger.balance(ledger.waiting(alice.id)) == 0


def test_a_token_is_told_once_and_stands_in_no_table(alice: Member) -> None:
    person = signed_in(alice)
    token = made(person)
    assert "no-store" in person.page["Cache-Control"]
    assert token not in person.open(PAGE).html
    assert "never used" in person.text
    kept = [json.dumps(one.get_decoded()) for one in Session.objects.all()]
    kept += [str(vars(row)) for row in Program.objects.all()]
    assert len(kept) == 2
    assert not [one for one in kept if token in one]


def test_the_form_that_is_sent_again_makes_no_second_token(alice: Member) -> None:
    person = signed_in(alice)
    made(person)
    person.open(PAGE).send(PAGE, deed="make", name="my feed reader")
    assert "A program of yours has this name already." in person.text
    assert not TOKEN.search(person.html)
    for name in ("", "x" * 61):
        person.open(PAGE).send(PAGE, deed="make", name=name)
        assert "Nothing was changed." in person.text
    assert Program.objects.count() == 1


def test_one_is_taken_back_by_one_press_and_its_neighbour_stays(alice: Member) -> None:
    person = signed_in(alice)
    first, second = made(person, "<b>first</b>"), made(person, "second")
    assert "&lt;b&gt;first" in person.open(PAGE).html
    wanted = str(Program.objects.get(name="<b>first</b>").id)
    theirs = signed_in(member("bob")).open(PAGE)
    assert "first" not in theirs.text
    theirs.client.post(PAGE, {"deed": "revoke", "program": wanted})
    person.send(PAGE, deed="revoke", program=wanted)
    assert "This program can do nothing for you any more." in person.text
    for number in (wanted, "", "x", "9" * 5_000):
        person.send(PAGE, deed="revoke", program=number)
        assert "This was gone already." in person.text
    answers = [
        Client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code
        for token in (first, second)
    ]
    assert answers == [401, 200]
