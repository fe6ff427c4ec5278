"""What may change about a thing, and what is for ever."""

import pytest

from mickle.things import things
from mickle.things.models import Tag, Thing
from tests.people import EARLY_DECEMBER, MID_NOVEMBER, creator, thing

pytestmark = pytest.mark.django_db
AT = EARLY_DECEMBER


def fresh(row: Thing) -> Thing:
    return Thing.objects.get(id=row.id)


def test_describing_changes_what_is_said_and_nothing_else() -> None:
    essay = things.find_or_add(
        url="https://bob.example/", at=MID_NOVEMBER, title="Old", tags=["a", "b"]
    )

    said = things.describe(
        thing=essay,
        at=AT,
        title=" New\u202e ",
        description="<i>One</i>",
        category="video",
        language="sv_SE",
        tags=["b", "C"],
        hidden=True,
    )

    assert said == fresh(essay)
    assert (said.title, said.description, said.category) == ("New", "One", "video")
    assert (said.language, said.tags, said.hidden) == ("sv_SE", ["b", "c"], True)
    assert (said.identity, said.created_at, said.updated_at) == (
        essay.identity,
        MID_NOVEMBER,
        AT,
    )
    assert set(Tag.objects.values_list("name", flat=True)) == {"b", "c"}


def test_describing_one_field_leaves_the_others() -> None:
    essay = things.find_or_add(
        url="https://bob.example/", at=MID_NOVEMBER, title="Old", tags=["a"], category="audio"
    )

    said = things.describe(thing=essay, at=AT, title="New")

    assert (said.title, said.tags, said.category) == ("New", ["a"], "audio")
    assert Tag.objects.get().name == "a"


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "x" * 201},
        {"description": "x" * 1_001},
        {"category": ""},
        {"language": "english"},
    ],
)
def test_a_text_that_does_not_fit_changes_nothing(fields: dict[str, str]) -> None:
    essay = thing("essay")

    with pytest.raises(things.BadText):
        things.describe(thing=essay, at=AT, hidden=True, **fields)

    assert not fresh(essay).hidden


def test_only_what_describes_a_thing_is_described() -> None:
    with pytest.raises(ValueError, match="owner"):
        things.describe(thing=thing("essay"), at=AT, owner=None)


def test_a_thing_without_an_owner_gets_one_and_loses_it() -> None:
    bob, essay = creator("bob"), thing("essay")

    assert things.set_owner(thing=essay, owner=bob, at=AT).owner == bob
    assert things.set_owner(thing=essay, owner=bob, at=AT).owner == bob
    assert things.set_owner(thing=essay, owner=None, at=AT).owner is None


def test_an_owned_thing_is_nobody_elses() -> None:
    bob, mallory = creator("bob"), creator("mallory")
    essay = thing("essay", bob)

    with pytest.raises(things.AlreadyOwned):
        things.set_owner(thing=essay, owner=mallory, at=AT)

    assert fresh(essay).owner == bob


def test_a_refused_or_merged_thing_gets_no_owner() -> None:
    bob, refused, merged = creator("bob"), thing("refused"), thing("merged")
    things.refuse(thing=refused, at=AT)
    things.merge(thing=merged, into=thing("target"), at=AT)

    for row in (refused, merged):
        with pytest.raises(things.NotOwnable):
            things.set_owner(thing=row, owner=bob, at=AT)
        assert fresh(row).owner is None


def test_a_refusal_is_for_ever() -> None:
    essay = thing("essay")

    assert things.refuse(thing=essay, at=AT)
    assert not things.refuse(thing=essay, at=AT)
    with pytest.raises(things.Final):
        things.put_back(thing=essay, at=AT)
    with pytest.raises(things.Final):
        things.take_down(thing=essay, at=AT)

    assert fresh(essay).state == "REFUSED"


def test_a_take_down_can_be_undone() -> None:
    essay = thing("essay")

    assert things.take_down(thing=essay, at=AT)
    assert fresh(essay).state == "TAKEN_DOWN"
    assert not things.take_down(thing=essay, at=AT)
    assert things.put_back(thing=essay, at=AT)
    assert not things.put_back(thing=essay, at=AT)
    assert fresh(essay).state == "ACTIVE"


def test_a_merged_thing_is_found_as_its_target() -> None:
    one, two = thing("one"), thing("two", creator("bob"))

    assert things.merge(thing=one, into=two, at=AT) == two

    assert things.find(url=one.url) == two
    assert things.look(url=one.url).owner == two.owner
    assert things.find_or_add(url=one.url, at=AT) == two
    with pytest.raises(things.Final):
        things.take_down(thing=one, at=AT)


def test_merging_a_target_moves_what_was_merged_into_it() -> None:
    one, two, three = thing("one"), thing("two"), thing("three")
    things.merge(thing=one, into=two, at=AT)

    things.merge(thing=two, into=three, at=AT)

    assert {fresh(one).merged_into, fresh(two).merged_into} == {three}


def test_merging_takes_nothing_from_an_owner() -> None:
    one, two = thing("one", creator("bob")), thing("two", creator("carol"))

    for target in (two, thing("three")):
        with pytest.raises(things.CannotMerge, match="owner"):
            things.merge(thing=one, into=target, at=AT)

    assert fresh(one).state == "ACTIVE"


def test_merging_goes_in_no_circle_and_into_nothing_gone() -> None:
    one, two, gone = thing("one"), thing("two"), thing("gone")
    things.merge(thing=one, into=two, at=AT)
    things.take_down(thing=gone, at=AT)

    for source, target in [(two, two), (two, one), (one, two), (two, gone), (gone, two)]:
        with pytest.raises(things.CannotMerge):
            things.merge(thing=source, into=target, at=AT)
