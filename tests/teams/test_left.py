"""Since when somebody is in a team no more, by themselves or through another team."""

import pytest

from mickle.teams import teams
from mickle.teams.models import Agreement
from tests.people import NOVEMBER, creator, instance_at
from tests.settlement.test_cases import in_month
from tests.teams.teaming import MID_OCTOBER, a_team, holding_from

pytestmark = pytest.mark.django_db
DECEMBER = NOVEMBER + 1


def test_a_part_that_goes_on_has_no_end_and_one_that_is_left_ends_with_its_month() -> None:
    instance_at()
    ann, ben = creator("ann"), creator("ben")
    team = holding_from(NOVEMBER, {ann: 50, ben: 50})
    assert teams.left_from(team=team, member=ben) is None
    teams.leave(team=team, member=ben, at=in_month(NOVEMBER, 10))
    assert teams.left_from(team=team, member=ben) == DECEMBER
    assert teams.left_from(team=team, member=ann) is None


def test_who_left_and_came_again_is_in_it() -> None:
    instance_at()
    ann, ben = creator("ann"), creator("ben")
    team = holding_from(NOVEMBER, {ann: 50, ben: 50})
    at = in_month(NOVEMBER, 10)
    teams.leave(team=team, member=ben, at=at)
    back = teams.propose(team=team, by=ann, percents={ann: 60, ben: 40}, at=at)
    assert teams.left_from(team=team, member=ben) == DECEMBER
    teams.answer(agreement=back, member=ben, yes=True, at=at)
    assert teams.left_from(team=team, member=ben) is None


def test_who_was_in_it_through_a_team_left_when_that_did() -> None:
    instance_at()
    ann, ben, cleo = creator("ann"), creator("ben"), creator("cleo")
    inner = a_team({ben: 50, cleo: 50}, name="Inner")
    outer = holding_from(NOVEMBER, {ann: 50, inner.party: 50})
    Agreement.objects.update(from_month=NOVEMBER)
    for who in (ben, cleo):
        assert teams.left_from(team=outer, member=who) is None
    teams.leave(team=inner, member=cleo, at=in_month(NOVEMBER, 10))
    assert teams.left_from(team=outer, member=cleo) == DECEMBER
    assert teams.left_from(team=outer, member=ben) is None


def test_a_part_that_something_else_came_before_ended_as_it_would_have_begun() -> None:
    instance_at()
    ann, ben = creator("ann"), creator("ben")
    team = a_team({ann: 50, ben: 50})
    teams.leave(team=team, member=ben, at=MID_OCTOBER)
    assert Agreement.objects.filter(team=team, from_month=DECEMBER).count() == 2
    assert teams.left_from(team=team, member=ben) == DECEMBER


def test_a_stranger_has_left_nothing() -> None:
    instance_at()
    ann, ben, dan = creator("ann"), creator("ben"), creator("dan")
    team = a_team({ann: 50, ben: 50})
    assert teams.left_from(team=team, member=dan) is None
