"""Two who change a team at once, and a yes while the month closes."""

import threading

import pytest
from django.db import connection, transaction

from mickle.instance import instance
from mickle.settlement import settlement
from mickle.teams import teams
from mickle.teams.models import Agreement
from tests.concurrency.test_showing import waits_or_is_done
from tests.concurrency.together import together
from tests.people import EARLY_DECEMBER, MID_NOVEMBER, NOVEMBER, creator, instance_at
from tests.teams.teaming import a_team, agreed, holds

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def cast():
    instance_at("2026-11")
    return [creator(name) for name in ("ann", "ben", "cleo", "dan")]


def test_of_two_who_propose_at_once_one_does(cast):
    ann, ben, *_ = cast
    team = a_team({ann: 50, ben: 50}, at=MID_NOVEMBER)

    def propose(client: int) -> Agreement:
        parts = {cast[client]: 60, cast[1 - client]: 40}
        return teams.propose(team=team, by=cast[client], percents=parts, at=MID_NOVEMBER)

    answers = together(2, propose)
    assert sorted(type(answer).__name__ for answer in answers) == ["Agreement", "AlreadyProposed"]
    assert Agreement.objects.filter(state="OPEN").count() == 1


def test_two_teams_that_each_take_in_the_other_at_once_make_no_circle(cast):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    ann, ben, cleo, dan = cast
    one = a_team({ann: 50, ben: 50}, name="One", at=MID_NOVEMBER)
    other = a_team({cleo: 50, dan: 50}, name="Other", at=MID_NOVEMBER)
    rows = [
        teams.propose(team=one, by=ann, percents={ann: 50, other.party: 50}, at=MID_NOVEMBER),
        teams.propose(team=other, by=cleo, percents={cleo: 50, one.party: 50}, at=MID_NOVEMBER),
    ]
    for answer in rows[1].answers.filter(yes_at=None).exclude(member=dan):
        teams.answer(agreement=rows[1], member=answer.member, yes=True, at=MID_NOVEMBER)
    said: list[object] = []

    def say_the_last_yes() -> None:
        said.extend(
            together(
                1,
                lambda _client: teams.answer(
                    agreement=rows[1], member=dan, yes=True, at=MID_NOVEMBER
                ),
            )
        )

    second = threading.Thread(target=say_the_last_yes)
    with transaction.atomic():
        assert agreed(rows[0], MID_NOVEMBER).state == "AGREED"
        second.start()
        waits_or_is_done(second)
    second.join()
    assert [type(answer).__name__ for answer in said] == ["InACircle"]
    holds()


def test_the_last_two_who_say_yes_at_once_agree_once(cast):
    ann, ben, cleo, _dan = cast
    team = teams.found(by=ann, name="Trio", percents={ann: 40, ben: 30, cleo: 30}, at=MID_NOVEMBER)
    row = teams.open_agreement(team)
    answers = together(
        2,
        lambda client: teams.answer(
            agreement=row, member=cast[1 + client], yes=True, at=MID_NOVEMBER
        ),
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert teams.history(team).filter(what="AGREED").count() == 1
    assert set(teams.people(team=team, month=NOVEMBER + 1)) == {ann.id, ben.id, cleo.id}


def test_a_month_that_closes_waits_for_a_yes(cast):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    ann, ben, *_ = cast
    team = teams.found(by=ann, name="Duo", percents={ann: 50, ben: 50}, at=MID_NOVEMBER)

    def close() -> None:
        try:
            settlement.close_due(at=EARLY_DECEMBER)
        finally:
            connection.close()

    closer = threading.Thread(target=close)
    with transaction.atomic():
        row = agreed(teams.open_agreement(team), MID_NOVEMBER)
        closer.start()
        waits_or_is_done(closer)
        assert instance.here().closed_through == NOVEMBER - 1
    closer.join()
    assert instance.here().closed_through == NOVEMBER
    # Announced in November, so it holds from December on: no month that was closed without it.
    assert row.from_month == NOVEMBER + 1
    assert teams.people(team=team, month=NOVEMBER) == {}
