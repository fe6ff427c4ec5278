"""An operator merges two addresses of one work, over HTTP."""

import pytest

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import months
from mickle.members import members
from mickle.nods import nods
from mickle.settlement import settlement
from mickle.things import things
from mickle.things.models import Merger, Thing
from tests.people import EUR, NOVEMBER, creator, instance_at, member
from tests.web.browsing import Person, signed_in

pytestmark = pytest.mark.django_db
AT = months.start(NOVEMBER)


@pytest.fixture
def ines() -> Person:
    instance_at("2026-11", kind="TEST")
    return signed_in(members.join(email="ines@example.org", at=AT, is_operator=True))


def add(url: str) -> Thing:
    return things.find_or_add(url=url, at=AT)


def test_what_waits_at_one_address_is_paid_to_the_owner_of_the_other(ines: Person) -> None:
    bob, alice = creator("bob"), member("alice", funds="20.00")
    page, essay = add("https://blog.example/e?p=1"), add("https://blog.example/e")
    things.set_owner(thing=essay, owner=bob, at=AT)
    nods.give(member=alice, thing=page, at=AT)
    instance.move_clock(to=months.end(NOVEMBER + 1))
    settlement.settle(month=NOVEMBER, at=instance.now())
    before = ledger.balance(ledger.revenue(bob.id))

    ines.open("/operator/same?page=https://blog.example/e%3Fp%3D1&same=https://blog.example/e")
    assert "Merge these two?" in ines.text
    assert "need not be one party" not in ines.text
    assert Merger.objects.count() == 0
    ines.send("/operator/same/merge", page=page.id, same=essay.id, note=" ")
    assert "Say how it can be seen. Nothing was changed." in ines.text
    assert Merger.objects.count() == 0
    ines.open("/operator/same?page=https://blog.example/e%3Fp%3D1&same=https://blog.example/e")
    ines.send("/operator/same/merge", page=page.id, same=essay.id, note="Same text.")

    assert ledger.balance(ledger.revenue(bob.id)) - before == EUR("4.50")
    assert "Same text." in ines.text
    assert things.find(url=page.url) == essay


def test_what_pages_say_is_decided_with_one_press(ines: Person) -> None:
    for name in ("one", "two"):
        things.note_same(
            thing=add(f"https://blog.example/{name}?p=1"),
            url=add(f"https://blog.example/{name}").url,
            at=AT,
        )
    first, second = things.said_same()
    ines.open("/operator/same")
    assert "https://blog.example/one?p=1" in ines.text
    ines.send(f"/operator/same/{first.id}", deed="merge")
    ines.send(f"/operator/same/{second.id}", deed="apart")
    assert "No page says so just now." in ines.text
    assert things.find(url=first.thing.url).url == "https://blog.example/one"
    assert things.find(url=second.thing.url) == second.thing


def test_two_hosts_are_looked_at_twice_and_what_is_owned_stays(ines: Person) -> None:
    page, other = add("https://blog.example/e"), add("https://news.example/e")
    ines.open("/operator/same?page=https://blog.example/e&same=https://news.example/e")
    assert "need not be one party" in ines.text
    things.set_owner(thing=page, owner=creator("bob"), at=AT)
    ines.send("/operator/same/merge", page=page.id, same=other.id, note="Same.")
    assert "This has an owner" in ines.text
    assert things.find(url=page.url) == page


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("nothing", "This is not a whole address."),
        ("https://nowhere.example/", "Nobody has nodded at this address here yet."),
        ("https://blog.example/e", "This is the same page already."),
    ],
)
def test_what_is_no_page_here_is_said(ines: Person, page: str, told: str) -> None:
    essay = add("https://blog.example/e")
    ines.open(f"/operator/same?page={page}&same=https://blog.example/e")
    if page == essay.url:
        ines.send("/operator/same/merge", page=essay.id, same=essay.id, note="x")
    assert told in ines.text
