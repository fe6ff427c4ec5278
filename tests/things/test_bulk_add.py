"""Many things at once: as if each were added alone, and again without a change."""

import pytest
from django.db import transaction

from mickle.lib.urls import BadUrl
from mickle.things import _adding, things
from mickle.things.models import Tag, Thing
from mickle.things.things import NewThing
from tests.people import MID_NOVEMBER, creator

pytestmark = pytest.mark.django_db


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
