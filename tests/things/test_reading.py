"""A page is called as it calls itself, whatever a link said, unless its owner has a word for it."""

from datetime import timedelta

import pytest

from mickle.things import things
from mickle.things.models import Thing
from tests.people import MID_NOVEMBER as AT
from tests.people import creator, member

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def add(url: str, **fields: object) -> Thing:
    return things.find_or_add(url=url, at=AT, **fields)


def read(thing: Thing, title: str, language: str = "") -> Thing:
    things.note_read(thing=thing, title=title, language=language, at=AT)
    return Thing.objects.get(id=thing.id)


def test_a_new_page_is_to_be_read_once():
    essay = add("https://blog.example/essay")
    assert list(things.to_read(AT)) == [essay]

    essay = read(essay, "An essay", "en-gb")

    assert (essay.title, essay.language) == ("An essay", "en_GB")
    assert list(things.to_read(AT + 24 * HOUR)) == []
    assert add("https://blog.example/essay") == essay
    assert list(things.to_read(AT + 24 * HOUR)) == []


def test_what_a_link_called_it_gives_way_to_the_page():
    essay = add("https://blog.example/essay", title="Send money here")
    assert read(essay, "An essay").title == "An essay"


def test_what_an_owner_called_it_stays():
    essay = add("https://blog.example/essay", title="Mine", language="de_DE")
    things.set_owner(thing=essay, owner=creator("bob"), at=AT)
    essay = read(essay, "An essay", "en")
    assert (essay.title, essay.language) == ("Mine", "de_DE")


def test_an_owner_who_said_nothing_takes_what_the_page_says():
    essay = add("https://blog.example/essay")
    things.set_owner(thing=essay, owner=creator("bob"), at=AT)
    essay = read(essay, "An essay", "en")
    assert (essay.title, essay.language) == ("An essay", "en_GB")


def test_a_page_without_a_title_keeps_what_it_has():
    assert read(add("https://blog.example/a", title="A"), "").title == "A"
    assert read(add("https://blog.example/b"), "  ").title == ""


def test_a_title_is_text_and_of_one_line():
    given = "<script>alert(1)</script>An\nessay \u202egnp.exe" + "x" * 5_000
    title = read(add("https://blog.example/essay"), given).title
    assert title.startswith("alert(1)An essay gnp.exe")
    assert len(title) <= 200


@pytest.mark.parametrize(
    ("said", "known"), [("de", "de_DE"), ("en-US", "en_GB"), ("he", "iw_IL"), ("zh_TW", "zh_CN")]
)
def test_a_language_is_known_by_its_first_part(said, known):
    assert read(add("https://blog.example/essay"), "T", said).language == known


def test_a_language_nobody_knows_is_none():
    assert read(add("https://blog.example/essay"), "T", "tlh-Latn").language == ""


def test_a_silent_page_is_read_again_on_three_days():
    essay = add("https://blog.example/essay")
    for day in range(3):
        at = AT + timedelta(days=day)
        assert list(things.to_read(at)) == [essay]
        things.note_silence(thing=Thing.objects.get(id=essay.id), at=at)
        assert list(things.to_read(at + 23 * HOUR)) == []
    at = AT + timedelta(days=3)
    things.note_silence(thing=Thing.objects.get(id=essay.id), at=at)
    assert list(things.to_read(AT + timedelta(days=99))) == []


def test_who_adds_many_hosts_has_the_rest_read_later():
    alice = member("alice")
    for number in range(12):
        add(f"https://host{number}.example/", added_by=alice)
    assert things.to_read(AT).count() == 10
    add("https://host3.example/another", added_by=alice)
    assert things.to_read(AT).count() == 10
    add("https://other.example/", added_by=member("eve"))
    assert things.to_read(AT).count() == 11
    assert things.to_read(AT + HOUR).count() == 14


def test_what_is_known_is_not_read():
    add("https://blog.example/essay", title="T", read=False)
    assert not things.to_read(AT).exists()
