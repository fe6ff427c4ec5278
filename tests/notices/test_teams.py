"""Whoever is asked for a yes in a team is told so once, and nobody else."""

from datetime import timedelta

import pytest

from mickle.members.models import Member
from mickle.notices import notices
from mickle.notices.models import Notice, Topic
from mickle.teams import teams
from mickle.teams.models import Agreement, Team
from tests.people import MID_NOVEMBER, member

DAY = timedelta(days=1)


@pytest.fixture
def cast(clock) -> dict[str, Member]:
    clock.at = MID_NOVEMBER
    return {name: member(name) for name in ("ben", "chris", "dana")}


def ask(cast: dict[str, Member], name: str = "Band", at=MID_NOVEMBER, **parts: int) -> Team:
    """A team that the first of them proposes."""
    percents = {cast[who]: percent for who, percent in parts.items()}
    return teams.found(by=next(iter(percents)), name=name, percents=percents, at=at)


def told(sent) -> list[str]:
    return sorted(one.to[0].partition("@")[0] for one in sent)


def test_who_is_asked_into_a_team_is_told_and_nobody_else(clock, cast):
    ask(cast, ben=60, chris=40)

    assert notices.to_plan(clock.at)
    (sent,) = clock.mail()

    assert sent.to == ["chris@example.org"]
    assert sent.subject == "ben asks you for a yes: Band"
    assert "Yours would be 40 %." in sent.body
    assert "https://mickle.example/mine/teams" in sent.body
    assert "List-Unsubscribe" in sent.extra_headers
    assert not notices.to_plan(clock.at)
    assert clock.mail(clock.at + 2 * DAY) == []


def test_who_has_answered_or_was_asked_in_vain_is_told_nothing(clock, cast):
    team = ask(cast, ben=50, chris=30, dana=20)
    assert notices.plan(at=clock.at) == 2
    teams.answer(agreement=teams.open_agreement(team), member=cast["dana"], yes=False, at=clock.at)
    assert clock.mail() == []
    assert set(Notice.objects.values_list("state", flat=True)) == {"MOOT"}


def test_who_has_less_is_asked_too_and_who_has_more_is_not(clock, cast):
    team = ask(cast, ben=60, chris=40)
    row = teams.open_agreement(team)
    teams.answer(agreement=row, member=cast["chris"], yes=True, at=clock.at)
    less = {cast["ben"]: 70, cast["chris"]: 30}

    teams.propose(team=team, by=cast["ben"], percents=less, at=clock.at)

    assert told(clock.mail()) == ["chris"]


def test_one_mail_a_day_tells_of_however_many_teams(clock, cast):
    for number in range(7):
        ask(cast, f"Band {number}", ben=50, chris=50)
    (sent,) = clock.mail()
    assert sent.body.count("Yours would be 50 %.") == 5
    assert "more teams" in sent.body
    ask(cast, "Late", at=clock.at + DAY / 2, dana=50, chris=50)
    assert clock.mail(clock.at + DAY / 2) == []
    (next_day,) = clock.mail(clock.at + DAY / 2)
    assert next_day.subject == "dana asks you for a yes: Late"
    assert clock.mail(clock.at + 3 * DAY) == []


def test_who_wants_no_such_mail_gets_none(clock, cast):
    notices.silence(member=cast["chris"], topic=Topic.TEAMS, at=clock.at)
    ask(cast, ben=50, chris=50)
    assert not notices.to_plan(clock.at)
    assert clock.mail() == []
    assert notices.wants(cast["ben"])[Topic.TEAMS]


def test_it_comes_in_the_members_language_and_names_are_one_line(clock, cast):
    Member.objects.filter(username="chris").update(language="de")
    Member.objects.filter(username="ben").update(name="Ben\u202e\r\nBcc: x@example.org")
    ask(cast, ben=50, chris=50)
    (sent,) = clock.mail()
    assert sent.subject == "Ben Bcc: x@example.org bittet dich um ein Ja: Band"
    assert "Deiner wäre 50 %." in sent.body
    assert "\u202e" not in sent.body


def test_a_part_through_another_team_has_no_percent_of_its_own(clock, cast):
    inner = ask(cast, "Inner", ben=50, chris=50)
    teams.answer(agreement=teams.open_agreement(inner), member=cast["chris"], yes=True, at=clock.at)
    Agreement.objects.update(from_month=Agreement.objects.get().from_month - 1)
    outer = {cast["dana"]: 50, inner.party: 50}
    teams.found(by=cast["dana"], name="Outer", percents=outer, at=clock.at)
    sent = clock.mail()
    assert told(sent) == ["ben", "chris"]
    assert all("through another team" in one.body for one in sent)
