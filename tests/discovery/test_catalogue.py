"""The catalogue lists what can be nodded at, in four orders, and never goes too deep."""

from datetime import datetime, timedelta

import pytest

from mickle.discovery import _ranking, discovery
from mickle.lib import months
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.things import things
from mickle.things.models import Thing
from mickle.things.things import NewThing
from tests.people import MID_NOVEMBER, creator, instance_at, member, thing, top_up

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NOW = MID_NOVEMBER


def add(name: str, *, at: datetime = NOW, **fields: object) -> Thing:
    url = f"https://{name}.example/"
    return things.find_or_add(url=url, at=at, title=name, **fields)


def listed(**asked: object) -> list[str]:
    return [one.title.lower() for one in discovery.catalogue(at=NOW, **asked).things]


def nod(row: Thing, *givers: Member, at: datetime = NOW) -> None:
    for who in givers:
        nods.give(member=who, thing=row, at=at)


@pytest.fixture
def givers(monkeypatch: pytest.MonkeyPatch) -> list[Member]:
    # How long a look took decides no test: each is as quick as can be, so none is kept.
    monkeypatch.setattr(_ranking, "monotonic", lambda: 0.0)
    instance_at("2026-10")
    return [member(f"giver{n}", funds="5.00", month=months.of(NOW) - 1) for n in range(4)]


def test_new_lists_the_newest_first() -> None:
    add("old", at=NOW - 2 * DAY)
    add("newest")
    add("new", at=NOW - DAY)

    assert listed(order="new") == ["newest", "new", "old"]


@pytest.mark.parametrize("crowds", [1, 2, 3])
def test_nobody_drives_what_others_nod_at_out_of_trending(
    givers: list[Member], monkeypatch: pytest.MonkeyPatch, crowds: int
) -> None:
    monkeypatch.setattr(_ranking, "_NODS_READ", 20)
    monkeypatch.setattr(_ranking, "_OF_ONE_READ", 5)
    liked = add("liked")
    nod(liked, givers[0], at=NOW - DAY)
    for n in range(25 * crowds):
        nod(add(f"page{n}"), givers[1 + n // 25], at=NOW - timedelta(seconds=25 * crowds - n))

    heat = _ranking.trending(NOW)

    assert liked.id in heat
    assert len(heat) == 1 + 5 * crowds
    # Each person's newest count.
    assert listed()[0] == f"page{25 * crowds - 1}"


def test_all_nods_of_one_person_count_where_all_are_read(
    givers: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_ranking, "_OF_ONE_READ", 5)
    for n in range(10):
        nod(add(f"page{n}"), givers[0])

    assert len(_ranking.trending(NOW)) == 10


def test_trending_is_people_halved_every_three_days(givers: list[Member]) -> None:
    one, two, four = add("one"), add("two"), add("four")
    never = add("never", at=NOW - DAY)
    # Heat 1, then 2 * 0.5 ** (2/3) = 1.26, then 4 * 0.25 = 1 - and a little less.
    nod(one, givers[0])
    nod(two, *givers[:2], at=NOW - 2 * DAY)
    nod(four, *givers, at=NOW - 6 * DAY - timedelta(hours=1))

    assert listed() == ["two", "one", "four", never.title]
    assert listed(order="no-such-order") == listed()


def test_a_person_who_nods_in_two_months_is_one_person(givers: list[Member]) -> None:
    at = datetime.fromisoformat("2026-11-01T12:00:00+00:00")
    again, both = add("again"), add("both")
    nod(again, givers[0], at=at - DAY)
    nod(again, givers[0], at=at)
    nod(both, givers[1], at=at)
    nod(both, givers[2], at=at - 6 * DAY)

    found = discovery.catalogue(at=at).things

    assert [one.title for one in found] == ["both", "again"]


def test_who_never_topped_up_moves_nothing(givers: list[Member]) -> None:
    liked, pushed = add("liked", at=NOW - DAY), add("pushed")
    nod(liked, givers[0])
    nod(pushed, *(member(f"puppet{n}") for n in range(3)))

    assert listed() == ["liked", "pushed"]
    assert listed(order="most") == ["liked"]
    assert listed(order="none") == ["pushed"]


def test_nods_written_by_other_hands_count_alike(givers: list[Member]) -> None:
    one, two = add("one"), add("two", at=NOW - DAY)
    nod(one, givers[0])
    for who in givers[1:]:
        Nod.objects.create(month=months.of(NOW), member=who, thing=two, at=NOW)

    assert listed() == ["two", "one"]


def test_old_nods_are_no_trend(givers: list[Member]) -> None:
    add("newer")
    nod(add("older", at=NOW - DAY), *givers, at=NOW - 31 * DAY)

    assert listed() == ["newer", "older"]


def test_most_nodded_counts_all_nods_ever(givers: list[Member]) -> None:
    nod(add("once"), givers[0])
    nod(add("thrice"), *givers[:3], at=NOW - 31 * DAY)
    add("never")

    assert listed(order="most") == ["thrice", "once"]
    nods.take_back(member=givers[0], thing=Thing.objects.get(title="once"), at=NOW)
    assert listed(order="most") == ["thrice"]
    assert listed(order="none") == ["never", "once"]


def test_what_takes_no_nods_is_in_no_list(givers: list[Member]) -> None:
    rows = {name: add(name) for name in ("hidden", "refused", "down", "merged", "stays")}
    for row in rows.values():
        nod(row, givers[0])
    things.describe(thing=rows["hidden"], at=NOW, hidden=True)
    things.refuse(thing=rows["refused"], at=NOW)
    things.take_down(thing=rows["down"], at=NOW)
    things.merge(thing=rows["merged"], into=rows["stays"], at=NOW)

    for order in ("trending", "new", "most"):
        assert listed(order=order) == ["stays"]
    assert listed(q="example") == ["stays"]
    assert listed(order="none") == []


def test_filters_hold_in_every_order(givers: list[Member]) -> None:
    wanted = add("wanted", category="audio", language="de_DE", tags=["Jazz"])
    add("unheard", category="audio", language="de_DE", tags=["jazz"])
    others = [
        add("video", category="video", language="de_DE", tags=["jazz"]),
        add("danish", category="audio", language="da_DK", tags=["jazz"]),
        add("untagged", category="audio", language="de_DE", tags=["jazzy"]),
    ]
    for row in (wanted, *others):
        nod(row, givers[0])
    asked = {"category": "audio", "language": "de_DE", "tag": " JAZZ"}

    assert listed(order="trending", **asked) == ["wanted", "unheard"]
    assert listed(order="new", **asked) == ["unheard", "wanted"]
    assert listed(order="most", **asked) == ["wanted"]
    assert listed(order="none", **asked) == ["unheard"]
    assert listed(q="unheard", **asked) == ["unheard"]
    assert listed(category="no-such") == listed(q="!?") == []


def test_a_search_for_an_address_finds_its_thing() -> None:
    add("bob")
    add("bob-too")

    assert listed(q=" https://www.bob.example/?utm_id=1 ") == ["bob"]
    assert listed(q="bob", order="new") == ["bob-too", "bob"]


def test_pages_follow_each_other_without_gap_or_repeat(givers: list[Member]) -> None:
    rows = [add(f"n{number:03}", at=NOW + number * timedelta(seconds=1)) for number in range(70)]
    for row in rows[10:45]:
        nod(row, givers[0])

    for order, length in (("trending", 70), ("new", 70), ("most", 35), ("none", 35)):
        pages = [discovery.catalogue(order=order, page=n, at=NOW + DAY) for n in (1, 2, 3, 4)]
        names = [one.title for page in pages for one in page.things]
        assert (len(names), len(set(names))) == (length, length)
        assert {page.total for page in pages} == {length}
        assert (pages[0].first, pages[0].last, pages[0].has_next) == (1, 30, True)
        last = pages[(length - 1) // 30]
        assert (last.last, last.has_next) == (length, False)
        assert (pages[3].first, list(pages[3].things)) == (0, [])


def test_no_list_goes_deeper_than_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "DEEPEST", 40)
    instance_at()
    things.bulk_add(
        NewThing(f"https://a.example/{n}", NOW + n * DAY, tags=["t"]) for n in range(50)
    )

    for asked in ({"order": "new"}, {"order": "trending"}):
        page = discovery.catalogue(page=2, at=NOW, **asked)
        assert (page.total, page.total_is_more) == (40, True)
        assert (page.first, page.last, page.has_next) == (31, 40, False)
        assert discovery.catalogue(page=10_000, at=NOW, **asked).things == []
    tagged = discovery.catalogue(tag="t", order="new", at=NOW)
    assert (tagged.total, tagged.total_is_more) == (40, True)


def test_a_ranking_that_took_long_is_kept_and_one_that_did_not_is_fresh(
    monkeypatch: pytest.MonkeyPatch, givers: list[Member]
) -> None:
    clock = iter([0.0, 0.001, 0.0, 0.5])
    monkeypatch.setattr(_ranking, "monotonic", lambda: next(clock))
    first, second = add("first"), add("second")
    nod(first, givers[0])
    assert _ranking.most_nodded() == [first.id]
    nod(second, *givers[:2])
    assert _ranking.most_nodded() == [second.id, first.id]
    nod(first, *givers[1:])

    assert _ranking.most_nodded() == [second.id, first.id]


def test_a_page_costs_the_same_few_queries(
    django_assert_max_num_queries: object, givers: list[Member]
) -> None:
    bob = creator("bob")
    for number in range(35):
        nod(thing(f"n{number}", bob), givers[0])

    with django_assert_max_num_queries(5):
        owners = {one.owner for one in discovery.catalogue(at=NOW).things}
    assert owners == {bob}


def test_money_that_comes_later_counts_what_was_nodded(givers: list[Member]) -> None:
    late = member("late")
    nod(add("one"), late, givers[0])
    nod(add("two"), givers[1])
    assert listed() == ["two", "one"]

    top_up(late, "5.00", month=months.of(NOW))

    assert listed() == ["one", "two"]
