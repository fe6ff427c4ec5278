"""Many things at once: as if each were added alone, and again without a change."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import transaction

from mickle.lib.urls import BadUrl
from mickle.things import _adding, things
from mickle.things.models import Tag, Thing
from mickle.things.things import NewThing
from tests.people import MID_NOVEMBER, creator

pytestmark = pytest.mark.django_db


MADE = {
    "https://github.com/Bob/tool": "github:bob",
    "https://bob.github.io/": "github:bob",
    "https://github.com/bob/tool/issues/1": "",
    "https://social.example/@bob/109000000000000001": "social.example:bob",
    "https://bob.example/": "",
    f"https://github.com/{'b' * 400}": "",
}


def new(url: str, **fields: object) -> NewThing:
    return NewThing(url=url, created_at=MID_NOVEMBER, **fields)


def test_rows_become_things_in_their_order() -> None:
    bob = creator("bob")

    ids = things.bulk_add(
        [
            new("https://a.example/", thing_id=101, title="A <b>work</b>", tags=["One", "two"]),
            new("https://b.example/", owner_id=bob.id, category="audio", hidden=True),
            new("https://c.example/", thing_id=7, language="de_DE"),
            new("https://www.a.example/?utm_id=1", title="Again"),
        ]
    )

    assert (ids[0], ids[2], ids[3]) == (101, 7, 101)
    first = Thing.objects.get(id=101)
    assert (first.title, first.tags, first.state) == ("A work", ["one", "two"], "ACTIVE")
    assert list(first.tag_rows.order_by("name").values_list("name", flat=True)) == ["one", "two"]
    second = Thing.objects.get(id=ids[1])
    assert (second.owner, second.category, second.hidden) == (bob, "audio", True)
    assert (second.host, second.created_at) == ("b.example", MID_NOVEMBER)
    assert Thing.objects.filter(created_at=MID_NOVEMBER).count() == 3


def test_the_same_rows_twice_are_the_same_things(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_adding, "CHUNK", 3)
    rows = [new(f"https://a.example/{n}", thing_id=200 - n, tags=["x"]) for n in range(10)]

    first = things.bulk_add(rows)

    assert first == [200 - n for n in range(10)]
    assert things.bulk_add(rows) == first
    assert (Thing.objects.count(), Tag.objects.count()) == (10, 10)
    later = things.find_or_add(url="https://later.example/", at=MID_NOVEMBER)
    assert later.id > 200


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (new("https://b.example/", thing_id=1), things.IdTaken),
        (new("javascript:alert(1)"), BadUrl),
        (new("https://alice:secret@b.example/"), BadUrl),
        (new("https://b.example/", category="essays"), things.BadText),
    ],
)
def test_one_bad_row_adds_nothing(bad: NewThing, error: type[Exception]) -> None:
    with pytest.raises(error), transaction.atomic():
        things.bulk_add([new("https://a.example/", thing_id=1), bad])

    assert not Thing.objects.exists()


def test_a_known_thing_with_another_number_stays_itself() -> None:
    known = things.find_or_add(url="https://a.example/", at=MID_NOVEMBER, title="First")

    assert things.bulk_add([new("https://a.example/", thing_id=900, title="Other")]) == [known.id]
    assert Thing.objects.get().title == "First"


def test_each_knows_who_made_it_also_what_was_there_before(monkeypatch) -> None:
    bob = creator("bob")
    handle = {"kind": "HANDLE", "text": "github.com/bob", "host": "github.com"}
    things.give_scope(**handle, maker="github:bob", owner=bob, at=MID_NOVEMBER)

    things.bulk_add([new(url) for url in MADE])

    rows = Thing.objects.order_by("id")
    assert list(rows.values_list("maker", flat=True)) == list(MADE.values())
    assert [row.owner == bob for row in rows] == [made == "github:bob" for made in MADE.values()]
    # As a version that knew no makers left them.
    rows.update(maker="")
    earlier = import_module("mickle.things.migrations.0004_makers")
    monkeypatch.setattr(earlier, "AT_ONCE", 2)
    earlier.name(apps, None)
    assert list(rows.values_list("maker", flat=True)) == list(MADE.values())
