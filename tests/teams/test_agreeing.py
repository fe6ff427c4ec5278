"""Nobody is in a team, or has less in it, without a yes; all of it from next month on."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from mickle.members import members
from mickle.members.models import Member
from mickle.settlement import settlement
from mickle.teams import teams
from mickle.teams.models import Agreement, Percent
from mickle.things.models import Scope
from tests.people import EARLY_DECEMBER, NOVEMBER, creator, instance_at, thing
from tests.teams.teaming import MID_OCTOBER, OCTOBER, a_team, agreed, holds, put_in

pytestmark = pytest.mark.django_db
DECEMBER = NOVEMBER + 1


@pytest.fixture(autouse=True)
def cast():
    instance_at("2026-10")
    return [creator(name) for name in ("ann", "ben", "cleo", "dan")]


def parts(team, month=NOVEMBER):
    return teams.people(team=team, month=month)


def test_a_team_begins_next_month_once_all_have_said_yes(cast):
    ann, ben, cleo, _dan = cast
    team = teams.found(
        by=ann, name=" The \n Band ", percents={ann: 50, ben: 30, cleo: 20}, at=MID_OCTOBER
    )
    assert team.party.name == "The Band"
    row = teams.open_agreement(team)
    teams.answer(agreement=row, member=ben, yes=True, at=MID_OCTOBER)
    assert parts(team) == {}
    row = teams.answer(agreement=row, member=cleo, yes=True, at=MID_OCTOBER)
    assert (row.state, row.from_month) == ("AGREED", NOVEMBER)
    assert parts(team, OCTOBER) == {}
    assert parts(team) == {ann.id: 5, ben.id: 3, cleo.id: 2}
    said = [(entry.what, entry.by, entry.from_month) for entry in teams.history(team)]
    assert said == [
        ("AGREED", ann, NOVEMBER), ("YES", cleo, None), ("YES", ben, None),
        ("PROPOSED", ann, None), ("FOUNDED", ann, None),
    ]  # fmt: skip


def test_a_yes_after_the_close_never_changes_a_closed_month(cast):
    ann, ben, *_ = cast
    team = teams.found(by=ann, name="Duo", percents={ann: 50, ben: 50}, at=MID_OCTOBER)
    settlement.close_due(at=EARLY_DECEMBER)
    # By a clock that is behind: November is closed, so it holds from January on.
    row = agreed(teams.open_agreement(team), MID_OCTOBER)
    assert row.from_month == DECEMBER + 1


def test_a_no_ends_it_and_nothing_begins(cast):
    ann, ben, *_ = cast
    team = teams.found(by=ann, name="Duo", percents={ann: 50, ben: 50}, at=MID_OCTOBER)
    row = teams.answer(agreement=teams.open_agreement(team), member=ben, yes=False, at=MID_OCTOBER)
    assert row.state == "ENDED"
    assert parts(team) == {}
    with pytest.raises(teams.NotAsked):
        teams.answer(agreement=row, member=ben, yes=True, at=MID_OCTOBER)


@pytest.mark.parametrize(
    ("given", "says"),
    [([50, 49], "99"), ([50, 51], "101"), ([100, 0], "1 %"), ([101, -1], "1 %"), ([100], "two")],
)
def test_parts_that_are_no_hundred_percent_are_refused(cast, given, says):
    percents = dict(zip(cast, given, strict=False))
    with pytest.raises(teams.BadPercents, match=says):
        teams.found(by=cast[0], name="Band", percents=percents, at=MID_OCTOBER)
    assert not Agreement.objects.exists()


def test_who_has_less_is_asked_and_who_has_more_is_not(cast):
    ann, ben, cleo, dan = cast
    team = a_team({ann: 50, ben: 30, cleo: 20})
    row = teams.propose(
        team=team, by=cleo, percents={ann: 40, ben: 40, cleo: 10, dan: 10}, at=MID_OCTOBER
    )
    asked = [(one.member, one.yes_at is None) for one in row.answers.order_by("member_id")]
    assert asked == [(ann, True), (cleo, False), (dan, True)]
    with pytest.raises(teams.NotAsked):
        teams.answer(agreement=row, member=ben, yes=False, at=MID_OCTOBER)
    with pytest.raises(teams.AlreadyProposed):
        teams.propose(team=team, by=ann, percents={ann: 100}, at=MID_OCTOBER)
    assert agreed(row).from_month == NOVEMBER
    assert parts(team) == {ann.id: 4, ben.id: 4, cleo.id: 1, dan.id: 1}


def test_nobody_is_put_out_without_a_yes(cast):
    ann, ben, *_ = cast
    team = a_team({ann: 50, ben: 50})
    row = teams.propose(team=team, by=ann, percents={ann: 100}, at=MID_OCTOBER)
    assert row.state == "OPEN"
    assert parts(team) == {ann.id: 1, ben.id: 1}
    assert agreed(row).state == "AGREED"
    assert parts(team) == {ann.id: 1}


def test_only_who_is_in_it_changes_it(cast):
    ann, ben, cleo, _dan = cast
    team = a_team({ann: 50, ben: 50})
    with pytest.raises(teams.NotInTeam):
        teams.propose(team=team, by=cleo, percents={cleo: 100}, at=MID_OCTOBER)
    with pytest.raises(teams.NotInTeam):
        teams.leave(team=team, member=cleo, at=MID_OCTOBER)
    with pytest.raises(teams.NotInTeam):
        teams.found(by=cleo, name="Others", percents={ann: 50, ben: 50}, at=MID_OCTOBER)


def test_who_leaves_gives_the_others_their_part_by_theirs(cast):
    ann, ben, cleo, _dan = cast
    team = a_team({ann: 50, ben: 30, cleo: 20})
    page = thing("song", cleo)
    put_in(team, page)
    teams.leave(team=team, member=cleo, at=MID_OCTOBER.replace(month=11))
    assert parts(team) == {ann.id: 5, ben.id: 3, cleo.id: 2}
    assert teams.percents(team=team, month=DECEMBER) == {ann.id: 63, ben.id: 37}
    # What cleo had put in goes with her.
    assert teams.team_of(thing=page, month=NOVEMBER) == team
    assert teams.team_of(thing=page, month=DECEMBER) is None
    holds()


def test_the_last_who_leaves_ends_the_team(cast):
    ann, ben, *_ = cast
    team = a_team({ann: 50, ben: 50})
    for who in (ann, ben):
        teams.leave(team=team, member=who, at=MID_OCTOBER)
    assert parts(team) == {}
    holds()


def test_a_team_may_be_in_a_team(cast):
    ann, ben, cleo, dan = cast
    inner = a_team({ann: 60, ben: 40}, name="Inner")
    outer = a_team({cleo: 50, dan: 10, inner.party: 40}, name="Outer")
    assert parts(outer) == {ann.id: 12, ben.id: 8, cleo.id: 25, dan.id: 5}
    # Who is in it twice has both parts.
    row = teams.propose(team=outer, by=ben, percents={ann: 50, inner.party: 50}, at=MID_OCTOBER)
    assert agreed(row).state == "AGREED"
    assert parts(outer) == {ann.id: 4, ben.id: 1}


def test_who_left_a_team_before_it_came_into_another_is_in_none(cast):
    ann, ben, cleo, dan = cast
    inner = a_team({ann: 60, ben: 40}, name="Inner")
    teams.leave(team=inner, member=ben, at=EARLY_DECEMBER)
    outer = a_team({cleo: 50, inner.party: 50}, name="Outer", at=EARLY_DECEMBER)
    scope = Scope.objects.create(
        kind="HOST", text="cleo.example", host="cleo.example", owner=cleo, since_at=MID_OCTOBER
    )
    put_in(outer, scope, EARLY_DECEMBER)
    assert list(teams.of(ann)) == [inner, outer]
    assert list(teams.of(ben)) == [inner]
    # Nor is what he earned held by a proof that never brought him anything.
    theirs = {(cleo.id, "cleo.example")}
    assert teams.keepers([ann.id, ben.id, dan.id]) == {ann.id: theirs, ben.id: set(), dan.id: set()}
    # What was put in after he had gone neither.
    own = Scope.objects.create(
        kind="HOST", text="ann.example", host="ann.example", owner=ann, since_at=MID_OCTOBER
    )
    put_in(inner, own, EARLY_DECEMBER)
    assert teams.keepers([ben.id]) == {ben.id: set()}


def test_who_leaves_before_it_begins_still_reads_what_they_agreed_to(cast):
    ann, ben, *_ = cast
    team = a_team({ann: 50, ben: 50})
    teams.leave(team=team, member=ben, at=MID_OCTOBER)
    assert list(teams.of(ben)) == [team]


def test_everybody_of_a_team_is_asked_where_it_comes_into_another(cast):
    ann, ben, cleo, _dan = cast
    inner = a_team({ann: 60, ben: 40}, name="Inner")
    outer = teams.found(by=cleo, name="Outer", percents={cleo: 50, inner.party: 50}, at=MID_OCTOBER)
    row = teams.open_agreement(outer)
    teams.answer(agreement=row, member=ann, yes=True, at=MID_OCTOBER)
    assert parts(outer) == {}
    teams.answer(agreement=row, member=ben, yes=True, at=MID_OCTOBER)
    assert set(parts(outer)) == {ann.id, ben.id, cleo.id}


def test_a_team_is_never_a_part_of_itself(cast):
    ann, ben, cleo, dan = cast
    inner = a_team({ann: 60, ben: 40}, name="Inner")
    outer = a_team({cleo: 50, inner.party: 50}, name="Outer")
    with pytest.raises(teams.InACircle, match="part of itself"):
        teams.propose(
            team=inner, by=ann, percents={ann: 30, ben: 30, outer.party: 40}, at=MID_OCTOBER
        )
    with pytest.raises(teams.InACircle, match="part of itself"):
        teams.propose(team=inner, by=ann, percents={ann: 60, inner.party: 40}, at=MID_OCTOBER)
    third = a_team({dan: 50, outer.party: 50}, name="Third")
    fourth = a_team({dan: 50, third.party: 50}, name="Fourth")
    with pytest.raises(teams.InACircle, match="4"):
        teams.found(by=dan, name="Fifth", percents={dan: 50, fourth.party: 50}, at=MID_OCTOBER)
    holds()


def test_two_that_are_proposed_at_once_make_no_circle(cast):
    ann, ben, cleo, dan = cast
    one = a_team({ann: 50, ben: 50}, name="One")
    other = a_team({cleo: 50, dan: 50}, name="Other")
    first = teams.propose(team=one, by=ann, percents={ann: 50, other.party: 50}, at=MID_OCTOBER)
    second = teams.propose(team=other, by=cleo, percents={cleo: 50, one.party: 50}, at=MID_OCTOBER)
    assert agreed(first).state == "AGREED"
    with pytest.raises(teams.InACircle):
        agreed(second)
    second.refresh_from_db()
    assert second.state == "OPEN"
    holds()


def test_a_thing_is_put_in_and_taken_out_from_next_month_on(cast):
    ann, ben, cleo, _dan = cast
    page = thing("song", ann)
    team = a_team({ann: 50, ben: 50})
    put_in(team, page)
    assert teams.team_of(thing=page, month=OCTOBER) is None
    assert teams.team_of(thing=page, month=NOVEMBER) == team
    assert teams.shares_in(member=ben, thing=page, month=NOVEMBER)
    teams.take_out(keeper=ann, what=page, at=MID_OCTOBER.replace(month=11))
    assert teams.team_of(thing=page, month=NOVEMBER) == team
    assert teams.team_of(thing=page, month=DECEMBER) is None
    with pytest.raises(teams.NotYours):
        teams.put_in(team=team, keeper=ben, what=page, at=MID_OCTOBER)
    other = thing("other", cleo)
    with pytest.raises(teams.NotInTeam):
        teams.put_in(team=team, keeper=cleo, what=other, at=MID_OCTOBER)


def test_all_of_a_place_is_put_in_and_what_comes_there_later(cast):
    ann, ben, *_ = cast
    scope = Scope.objects.create(
        kind="HOST", text="band.example", host="band.example", owner=ann, since_at=MID_OCTOBER
    )
    page = thing("band", ann)
    team = a_team({ann: 50, ben: 50})
    put_in(team, scope)
    assert teams.team_of(thing=page, month=NOVEMBER) is None
    page.scope = scope
    page.save()
    assert teams.team_of(thing=page, month=NOVEMBER) == team
    # Whoever has it next has not put it in.
    page.owner = ben
    assert teams.team_of(thing=page, month=NOVEMBER) is None


def test_the_newest_word_on_a_place_counts_for_its_pages_and_every_team_reads_it(cast):
    ann, ben, cleo, _dan = cast
    scope = Scope.objects.create(
        kind="HOST", text="band.example", host="band.example", owner=ann, since_at=MID_OCTOBER
    )
    page = thing("band", ann)
    page.scope = scope
    page.save()
    one, other = (a_team({ann: 50, who: 50}, name=who.username) for who in (ben, cleo))
    put_in(one, page)
    put_in(other, scope)
    assert teams.team_of(thing=page, month=NOVEMBER) == other
    assert [(row.team, row.thing) for row in teams.kept_in(ann)] == [(other, None)]
    assert teams.history(one).first().what == "TAKEN_OUT"

    teams.take_out(keeper=ann, what=page, at=MID_OCTOBER)
    assert teams.team_of(thing=page, month=NOVEMBER) is None
    assert teams.history(other).first().what == "TAKEN_OUT"
    assert [row.team for row in teams.kept_in(ann)] == [other]


def test_a_page_shown_in_another_way_by_now_goes_with_its_keeper_too(cast):
    ann, ben, *_ = cast
    wide, narrow = (
        Scope.objects.create(
            kind="HOST", text=text, host="band.example", owner=ann, since_at=MID_OCTOBER
        )
        for text in ("band.example", "band.example/song")
    )
    page = thing("band", ann)
    page.scope = wide
    page.save()
    team = a_team({ann: 50, ben: 50})
    put_in(team, page)
    page.scope = narrow
    page.save()
    # Said of the place, and no more of this page.
    teams.take_out(keeper=ann, what=wide, at=MID_OCTOBER)
    assert teams.team_of(thing=page, month=NOVEMBER) == team
    assert [row.thing for row in teams.kept_in(ann)] == [page]
    teams.leave(team=team, member=ann, at=MID_OCTOBER)
    assert teams.team_of(thing=page, month=NOVEMBER) is None


def test_the_tables_keep_percents_and_answers_as_they_have_to_be(cast):
    team = a_team({cast[0]: 50, cast[1]: 50})
    row = Percent.objects.first()
    for wrong in (0, 101):
        with pytest.raises(IntegrityError), transaction.atomic():
            Percent.objects.filter(id=row.id).update(percent=wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        Agreement.objects.filter(team=team).update(from_month=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Member.objects.filter(is_team=True).update(is_operator=True)
    Percent.objects.filter(id=row.id).update(percent=49)
    assert [check.name for check in teams.audit() if not check.ok] == [
        "Parts of teams sum to 100 %"
    ]


@pytest.mark.parametrize(
    "change",
    ["UPDATE teams_entry SET by_id = by_id", "DELETE FROM teams_entry"],
)
def test_the_history_is_never_changed(cast, change):
    a_team({cast[0]: 50, cast[1]: 50})
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER teams_entry_no_update")
        assert [check.name for check in teams.audit() if not check.ok] == [
            "Triggers guard the history of teams"
        ]


def test_a_circle_in_the_tables_is_seen(cast):
    ann, ben, cleo, _dan = cast
    one = a_team({ann: 50, ben: 50}, name="One")
    other = a_team({cleo: 50, one.party: 50}, name="Other")
    Percent.objects.filter(agreement__team=one, party=ben).update(party=other.party_id)
    assert [check.name for check in teams.audit() if not check.ok] == [
        "No team is a part of itself"
    ]


def test_nobody_unknown_or_leaving_is_in_a_team(cast):
    ann, ben, *_ = cast
    with pytest.raises(teams.NoParty):
        teams.party("nobody-here")
    members.note_closing(member=ben, at=MID_OCTOBER)
    with pytest.raises(teams.NoParty):
        teams.party("ben")
    ben.refresh_from_db()
    with pytest.raises(teams.NoParty):
        teams.found(by=ann, name="Duo", percents={ann: 50, ben: 50}, at=MID_OCTOBER)
    assert members.find(a_team({ann: 50, cast[2]: 50}).party.username) is None


def test_who_has_closed_since_the_form_was_read_is_in_no_team(cast):
    ann, ben, *_ = cast
    team = a_team({ann: 50, cast[2]: 50})
    members.note_closing(member=Member.objects.get(id=ben.id), at=MID_OCTOBER)
    members.erase(member=Member.objects.get(id=ben.id), at=MID_OCTOBER)
    assert ben.closed_at is None
    with pytest.raises(teams.NoParty):
        teams.propose(team=team, by=ann, percents={ann: 50, ben: 50}, at=MID_OCTOBER)
    with pytest.raises(teams.NoParty):
        teams.found(by=ann, name="Duo", percents={ann: 50, ben: 50}, at=MID_OCTOBER)
