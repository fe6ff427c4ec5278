"""A member's public page over HTTP: nods are private by default, and never anybody else's."""

import re

import pytest

from mickle.instance import instance
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.things import things
from mickle.things.models import Thing
from tests.people import NOVEMBER, instance_at, member, thing
from tests.web.browsing import Person, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Member:
    instance_at("2026-11", kind="TEST")
    return member("alice", funds="20.00", budget="7.00")


def nod_at(who: Member, *names: str) -> None:
    for name in names:
        found = Thing.objects.filter(title=name.title()).first() or thing(name)
        nods.give(member=who, thing=found, at=months.start(NOVEMBER))


def make_public(who: Member) -> None:
    members.set_privacy(member=who, public_nods=True)


def test_nods_are_private_by_default_also_before_operators_and_oneself(alice: Member) -> None:
    nod_at(alice, "secret")
    ines = members.join(email="ines@example.org", at=instance.now(), is_operator=True)
    for person in (Person.new(), signed_in(ines), signed_in(alice)):
        page = person.open("/people/alice")
        assert "What this member nods at is private." in page.text
        assert "Secret" not in page.text


def test_public_nods_are_the_members_own_and_say_neither_when_nor_how_much(alice: Member) -> None:
    charlie = member("charlie", funds="5.00")
    make_public(alice)
    nod_at(alice, "mine")
    nod_at(charlie, "theirs")
    page = Person.new().open("/people/alice")
    assert "Mine" in page.text
    assert "Theirs" not in page.text
    main = page.html.split("<main")[1].split("</main>")[0]
    # Sixty-four drawn letters of a form may say anything.
    main = re.sub(r'(name="csrfmiddlewaretoken" value=)"\w+"', r"\1", main)
    assert "€" not in main
    assert "2026" not in main
    assert "Nov" not in main
    make_public(charlie)
    assert "Mine" not in Person.new().open("/people/charlie").text


def test_nods_that_are_hidden_again_are_gone(alice: Member) -> None:
    make_public(alice)
    nod_at(alice, "secret")
    members.set_privacy(member=alice, public_nods=False)
    assert "Secret" not in Person.new().open("/people/alice").text


def test_what_is_left_out_of_lists_is_left_out_here(alice: Member) -> None:
    make_public(alice)
    nod_at(alice, "hidden", "down", "refused", "shown")
    by_title = {row.title: row for row in Thing.objects.all()}
    Thing.objects.filter(id=by_title["Hidden"].id).update(hidden=True)
    things.take_down(thing=by_title["Down"], at=instance.now())
    things.refuse(thing=by_title["Refused"], at=instance.now())
    text = Person.new().open("/people/alice").text
    assert "Shown" in text
    assert not any(title in text for title in ("Hidden", "Down", "Refused"))


def test_the_fifty_newest_stand_there_each_once(alice: Member) -> None:
    make_public(alice)
    nod_at(alice, *(f"page-{number:02}" for number in range(51)))
    instance.move_clock(to=max(months.start(NOVEMBER + 1), instance.now()).replace(microsecond=1))
    instance.close(month=NOVEMBER, at=instance.now())
    nods.give(member=alice, thing=Thing.objects.get(title="Page-00"), at=instance.now())
    html = Person.new().open("/people/alice").html
    titles = [f"Page-{number:02}" for number in range(51)]
    assert [html.count(f"<bdi>{title}</bdi></a>") for title in titles].count(1) == 50
    assert "<bdi>Page-01</bdi></a>" not in html
    assert html.index("Page-00") < html.index("Page-50")


def test_a_page_leads_to_its_owner_and_the_owner_to_their_pages(alice: Member) -> None:
    members.describe(member=alice, name="Alice A.", about="Writes.", url="https://alice.example/")
    mine = thing("mine", alice)
    Thing.objects.filter(id=thing("quiet", alice).id).update(hidden=True)
    for path in (f"/thing/{mine.id}", "/catalogue"):
        assert '<a href="/people/alice"><bdi>Alice A.</bdi></a>' in Person.new().open(path).html
    page = Person.new().open("/people/alice")
    assert "Writes." in page.text
    assert '<a href="https://alice.example/" rel="nofollow noreferrer">' in page.html
    assert "Mine" in page.text
    assert "Quiet" not in page.text


def test_members_find_their_own_page_in_their_settings(alice: Member) -> None:
    person = signed_in(alice).open("/settings")
    assert 'href="/people/alice"' in person.html
    assert "This is what others see of you." in person.open("/people/alice").text
    assert "what others see of you" not in Person.new().open("/people/alice").text


def test_a_name_has_one_address(alice: Member) -> None:
    assert Person.new().open("/people/ALICE").address == "/people/alice"


def test_nobody_is_there_who_left_or_never_came(alice: Member) -> None:
    members.erase(member=alice, at=instance.now())
    for name in ("alice", f"closed-{alice.id}", "nobody"):
        assert Person.new().open(f"/people/{name}").page.status_code == 404
