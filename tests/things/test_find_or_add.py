"""One thing for one identity, whoever adds it, however often, however many at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction

from mickle.lib.urls import BadUrl
from mickle.things import things
from mickle.things.models import Tag, Thing
from tests.people import MID_NOVEMBER, creator, thing

pytestmark = pytest.mark.django_db


def add(url: str, **fields: object) -> Thing:
    return things.find_or_add(url=url, at=MID_NOVEMBER, **fields)


def test_a_new_address_becomes_a_thing_as_it_was_described() -> None:
    bob = creator("bob")

    found = add(
        "http://www.Bob.example/essay/?utm_source=x",
        title="First essay",
        description="On coins\nand pies.",
        category="text",
        language="en_GB",
        tags=["Essay", "#money", "essay"],
        added_by=bob,
    )

    row = Thing.objects.get(id=found.id)
    assert (row.identity, row.host) == ("v1:bob.example/essay", "bob.example")
    assert row.url == "http://www.bob.example/essay/"
    assert row.raw_url == "http://www.Bob.example/essay/?utm_source=x"
    assert (row.title, row.description) == ("First essay", "On coins\nand pies.")
    assert (row.category, row.language, row.tags) == ("text", "en_GB", ["essay", "money"])
    assert (row.added_by, row.owner, row.created_at) == (bob, None, MID_NOVEMBER)
    assert set(Tag.objects.values_list("thing_id", "name")) == {
        (row.id, "essay"),
        (row.id, "money"),
    }


def test_another_spelling_finds_the_same_thing_and_changes_nothing() -> None:
    first = add("https://bob.example/essay", title="First essay")

    again = add("https://www.bob.example/essay/#top", title="Mine now", tags=["spam"])

    assert again.id == first.id
    assert (again.title, again.tags, again.raw_url) == (
        "First essay",
        [],
        "https://bob.example/essay",
    )
    assert not Tag.objects.exists()


def test_looking_adds_nothing() -> None:
    seen = things.look(url="https://bob.example/essay")

    assert (seen.id, seen.identity, seen.url) == (
        None,
        "v1:bob.example/essay",
        "https://bob.example/essay",
    )
    assert things.find(url="https://bob.example/essay") is None
    assert not Thing.objects.exists()


def test_looking_and_finding_see_what_is_there() -> None:
    added = add("https://bob.example/essay")

    assert things.look(url="https://bob.example/essay?fbclid=1").id == added.id
    assert things.find(url="https://bob.example/essay/") == added


@pytest.mark.parametrize(
    "url",
    [
        *("javascript:alert(1)", "data:text/html,x", "/essay", "https://", "not an address"),
        *("https://alice:secret@bob.example/", "https://paypal.com@bob.example/"),
        "https://bob.example/" + "a" * 3_000,
    ],
)
def test_a_bad_address_adds_nothing(url: str) -> None:
    with pytest.raises(BadUrl):
        add(url)
    with pytest.raises(BadUrl):
        things.look(url=url)

    assert not Thing.objects.exists()


@pytest.mark.parametrize(
    "fields", [{"category": "essays"}, {"language": "xx_XX"}, {"language": "en"}]
)
def test_an_unknown_category_or_language_adds_nothing(fields: dict[str, str]) -> None:
    with pytest.raises(things.BadText):
        add("https://bob.example/", **fields)

    assert not Thing.objects.exists()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  <b>Bold</b>\n and <script>alert(1)</script>", "Bold and alert(1)"),
        ("<<b>script>x", "x"),
        ("1 < 2 > 0", "1 < 2 > 0"),
        ("abc\u202edef\u2066\x00\x07\ud800", "abcdef"),
        ("e\u0301t\u00e9", "\u00e9t\u00e9"),
        ("family \U0001f468\u200d\U0001f469", "family \U0001f468\u200d\U0001f469"),
        ("x" * 201, "x" * 199 + "…"),
        ("x" * 200, "x" * 200),
        ("<p>" * 600 + "x", "x"),
        ("<!-- a > b -->Title", "Title"),
    ],
)
def test_a_title_is_one_line_of_plain_text(given: str, kept: str) -> None:
    assert add("https://bob.example/", title=given).title == kept


def test_a_description_keeps_its_lines() -> None:
    found = add("https://bob.example/", description="one<br>two\r\n\r\n  three\tfour ")

    assert found.description == "one\ntwo\nthree four"


def test_tags_are_short_plain_and_few() -> None:
    found = add(
        "https://bob.example/", tags=["a,b", "", "#", "x" * 41, "<i>C</i>", *map(str, range(30))]
    )

    assert found.tags == ["a", "b", "c", *map(str, range(17))]


def test_the_next_thing_comes_after_the_highest_given_number() -> None:
    given = add("https://bob.example/given", thing_id=1_000_101)
    low = add("https://bob.example/low", thing_id=5)

    assert (given.id, low.id) == (1_000_101, 5)
    assert add("https://bob.example/next").id == 1_000_102


def test_a_number_that_another_thing_has_is_refused() -> None:
    add("https://bob.example/101", thing_id=101)

    with pytest.raises(things.IdTaken):
        add("https://bob.example/other", thing_id=101)

    assert Thing.objects.count() == 1


@pytest.mark.parametrize(
    "values",
    [
        {"identity": "v1:one.example/"},
        {"state": "GONE"},
        {"category": "essays"},
        {"state": "MERGED"},
    ],
)
def test_the_database_refuses_what_no_thing_can_be(values: dict[str, str]) -> None:
    thing("one")
    other = thing("two")

    with pytest.raises(IntegrityError), transaction.atomic():
        Thing.objects.filter(id=other.id).update(**values)


def test_the_database_refuses_impossible_merges() -> None:
    one, two = thing("one"), thing("two", creator("bob"))

    for row, values in [
        (one, {"merged_into": two}),
        (one, {"state": "MERGED", "merged_into": one}),
        (two, {"state": "MERGED", "merged_into": one}),
    ]:
        with pytest.raises(IntegrityError), transaction.atomic():
            Thing.objects.filter(id=row.id).update(**values)


@pytest.mark.django_db(transaction=True)
def test_eight_who_add_the_same_at_once_get_one_thing() -> None:
    start = Barrier(8)

    def run(who: int) -> set[int]:
        try:
            start.wait()
            return {add(f"https://bob.example/{n}?utm_id={who}", tags=["x"]).id for n in range(25)}
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(run, range(8)))

    assert found == [found[0]] * 8
    assert (len(found[0]), Thing.objects.count(), Tag.objects.count()) == (25, 25, 25)
