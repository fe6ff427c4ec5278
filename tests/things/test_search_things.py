"""Words find things by title, description and address, on both databases alike."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mickle.things import _search, _search_index, things
from mickle.things.models import Thing
from mickle.things.things import NewThing
from tests.people import MID_NOVEMBER

pytestmark = pytest.mark.django_db


def add(url: str, title: str = "", description: str = "") -> Thing:
    return things.find_or_add(url=url, at=MID_NOVEMBER, title=title, description=description)


def found(words: str) -> set[str]:
    return set(Thing.objects.filter(id__in=things.matching(words)).values_list("title", flat=True))


@pytest.fixture
def _library() -> None:
    add("https://bob.example/blog/first-essay", "Coins and Pies", "How a budget is split.")
    add("https://carol.example/", "Œuvres complètes", "Gedichte über Äpfel_und_Birnen")
    add("https://video.example/v2/intro?id=naïve", "Introduction", "A coin, tossed: 3.14 times")


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ("coin", {"Coins and Pies", "Introduction"}),
        ("COINS pie", {"Coins and Pies"}),
        ("essay", {"Coins and Pies"}),
        ("bob.example", {"Coins and Pies"}),
        ("example", {"Coins and Pies", "Œuvres complètes", "Introduction"}),
        ("œuvres", {"Œuvres complètes"}),
        ("äpfel birn", {"Œuvres complètes"}),
        ("v2", {"Introduction"}),
        ("v", set()),
        ("3.14", {"Introduction"}),
        ("in", set()),
        ("int", {"Introduction"}),
        ("oins", set()),
        ("coin -pies", {"Coins and Pies"}),
        ("coin OR nothing", set()),
        ("\"'*:&|!()<->", set()),
        ("", set()),
        ("https://www.bob.example/blog/first-essay/?utm_id=1", {"Coins and Pies"}),
        ("https://bob.example/blog", {"Coins and Pies"}),
        ("javascript:alert(1)", set()),
        ("coin " * 500, {"Coins and Pies", "Introduction"}),
    ],
)
def test_words_find_what_begins_with_each_of_them(words: str, titles: set[str]) -> None:
    assert found(words) == titles


@pytest.mark.usefixtures("_library")
def test_a_very_common_word_is_enough_without_what_it_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_search, "FOUND_AT_MOST", 1)
    assert found("coin") == {"Introduction"}

    add("https://later.example/", "Coinage")

    assert found("coin") == {"Introduction"}
    assert found("coina") == {"Coinage"}


@pytest.mark.usefixtures("_library")
def test_searching_leaves_the_planner_of_the_database_as_it_was() -> None:
    with CaptureQueriesContext(connection) as queries:
        things.matching("coin")

    switches = [one["sql"] for one in queries if "enable_seqscan" in one["sql"]]
    off, back = "SET LOCAL enable_seqscan = off", "SET LOCAL enable_seqscan TO DEFAULT"
    assert switches == ([off, back] * 2 if connection.vendor == "postgresql" else [])


@pytest.mark.usefixtures("_library")
def test_search_follows_what_is_said_of_a_thing() -> None:
    coins = Thing.objects.get(title="Coins and Pies")
    things.describe(thing=coins, at=MID_NOVEMBER, title="Cakes", hidden=True)

    assert found("cake") == {"Cakes"}
    assert found("pies") == set()
    coins.delete()
    assert found("cake") == set()


def test_search_finds_what_was_loaded_in_bulk() -> None:
    things.bulk_add([NewThing("https://a.example/", MID_NOVEMBER, title="Loaded")] * 2)

    assert found("loaded") == {"Loaded"}


@pytest.mark.usefixtures("_library")
def test_the_index_is_installed_anew_when_it_is_missing() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("DROP INDEX things_search")
        else:
            cursor.execute("DROP TABLE things_search")
            for name in ("added", "removed", "changed"):
                cursor.execute(f"DROP TRIGGER things_search_{name}")

    _search_index.install()
    _search_index.install()

    assert found("coins") == {"Coins and Pies"}
    add("https://later.example/", "Coins later")
    assert found("coins") == {"Coins and Pies", "Coins later"}
