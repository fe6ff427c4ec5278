"""Pages that are one work: what they say themselves, what an operator decides, and its record."""

import pytest
from django.db import IntegrityError, transaction

from mickle.things import things
from mickle.things.models import Merger, Thing
from mickle.things.things import CannotMerge
from tests.people import MID_NOVEMBER as AT
from tests.people import creator, member

pytestmark = pytest.mark.django_db


def add(url: str) -> Thing:
    return things.find_or_add(url=url, at=AT)


def says(page: Thing, url: str) -> bool:
    return things.note_same(thing=page, url=url, at=AT)


def test_what_a_page_says_waits_for_a_decision_once_both_are_known():
    page = add("https://blog.example/essay?p=1")
    assert says(page, "https://blog.example/essay")
    assert not says(page, "https://blog.example/essay")
    assert not things.said_same().exists()

    essay = add("https://blog.example/essay")
    (row,) = things.said_same()
    things.merge(thing=page, into=essay, by=member("olga"), note="It says so.", at=AT)

    assert not things.said_same().exists()
    assert things.find(url="https://blog.example/essay?p=1") == essay
    row.refresh_from_db()
    assert (row.state, row.into, row.note) == ("MERGED", essay, "It says so.")
    assert (row.decided_by.username, row.decided_at) == ("olga", AT)


def test_what_a_page_said_last_counts():
    page = add("https://blog.example/essay?p=1")
    says(page, "https://blog.example/a")
    says(page, "https://blog.example/b")
    assert [row.identity for row in Merger.objects.all()] == ["v1:blog.example/b"]


def test_two_kept_apart_are_not_asked_about_again():
    page, essay = add("https://blog.example/essay?p=1"), add("https://blog.example/essay")
    says(page, essay.url)
    olga = member("olga")
    assert things.keep_apart(merger=things.said_same().get(), by=olga, at=AT)
    assert not things.keep_apart(merger=Merger.objects.get(), by=olga, at=AT)
    assert not says(page, essay.url)
    assert not things.said_same().exists()


@pytest.mark.parametrize(
    ("page", "other"),
    [
        ("https://blog.example/a", "https://news.example/a"),
        ("https://a.github.io/x", "https://b.github.io/x"),
        ("https://github.com/ann/tool", "https://github.com/bob/tool"),
        ("https://uni.example/~ann/x", "https://uni.example/~bob/x"),
        ("https://web.archive.org/web/2020/https://a.example/", "https://a.example/"),
        ("https://blog.example/a", "https://www.blog.example/a?utm_source=x"),
    ],
)
def test_a_page_speaks_for_no_other_party_and_says_nothing_new_of_itself(page, other):
    assert not says(add(page), other)


@pytest.mark.parametrize(
    ("page", "other"),
    [
        ("https://blog.example/a?p=1", "https://blog.example/a"),
        ("https://m.blog.example/a", "https://blog.example/a"),
        ("https://uni.example/~ann/x", "https://uni.example/~ann/y"),
        ("https://ann.github.io/x/index.html", "https://ann.github.io/x"),
    ],
)
def test_a_page_speaks_for_its_own_party(page, other):
    assert says(add(page), other)


def test_what_has_an_owner_is_never_merged_and_never_asked_about():
    page, essay = add("https://blog.example/essay?p=1"), add("https://blog.example/essay")
    says(page, essay.url)
    things.set_owner(thing=page, owner=creator("bob"), at=AT)
    assert not things.said_same().exists()
    with pytest.raises(CannotMerge):
        things.merge(thing=page, into=essay, at=AT)
    assert Merger.objects.get().state == "SAID"


def test_every_merge_is_on_record_and_a_thing_is_merged_once():
    one, two, three = (add(f"https://blog.example/{name}") for name in "abc")
    things.merge(thing=one, into=two, at=AT)
    things.merge(thing=two, into=three, at=AT)
    said = {(row.thing_id, row.into_id) for row in Merger.objects.filter(state="MERGED")}
    assert said == {(one.id, two.id), (two.id, three.id)}
    with pytest.raises(IntegrityError), transaction.atomic():
        Merger.objects.create(
            thing=one, identity="v1:x", into=three, state="MERGED", said_at=AT, decided_at=AT
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Merger.objects.create(thing=three, identity="v1:x", state="MERGED", said_at=AT)
