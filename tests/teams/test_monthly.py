"""Monthly nods at what became one's own through a team."""

import pytest

from mickle.nods import nods
from mickle.nods.models import Nod, Subscription
from mickle.settlement import settlement
from mickle.teams import teams
from mickle.things import things
from tests.people import MID_NOVEMBER, NOVEMBER, creator, instance_at, thing
from tests.settlement.test_cases import in_month
from tests.teams.teaming import a_team, put_in
from tests.web.browsing import signed_in

pytestmark = pytest.mark.django_db
DECEMBER = NOVEMBER + 1


def test_a_monthly_nod_rests_while_the_page_is_ones_own_teams(monkeypatch):
    instance_at("2026-11")
    ann, ben, dan = (creator(name) for name in ("ann", "ben", "dan"))
    page, before = thing("page", ann), thing("before")
    things.merge(thing=before, into=page, at=MID_NOVEMBER)
    for who, what in ((ben, before), (dan, page)):
        nods.subscribe(member=who, thing=page, runs_months=None, at=MID_NOVEMBER)
        Subscription.objects.filter(member=who).update(thing=what)
    outer = a_team(
        {ann: 50, a_team({ben: 60, ann: 40}, at=MID_NOVEMBER).party: 50}, at=MID_NOVEMBER
    )
    put_in(outer, page, at=MID_NOVEMBER)
    assert nods.resting(member=ben, month=NOVEMBER) == set()
    assert nods.resting(member=ben, month=DECEMBER) == {before.id}
    monkeypatch.setattr("mickle.instance.instance.open_month", lambda: DECEMBER)
    assert "yours, so it rests" in signed_in(ben).open("/nods/monthly").text
    assert "yours, so it rests" not in signed_in(dan).open("/nods/monthly").text
    settlement.close_due(at=in_month(DECEMBER))
    assert [(one.month, one.member) for one in Nod.objects.all()] == [(DECEMBER, dan)]
    teams.take_out(keeper=ann, what=page, at=in_month(DECEMBER))
    for owner in (None, dan):
        things.set_owner(thing=page, owner=owner, at=in_month(DECEMBER + 1))
    assert nods.resting(member=dan, month=DECEMBER + 1) == {page.id}
    settlement.close_due(at=in_month(DECEMBER + 1))
    assert [one.member for one in Nod.objects.filter(month=DECEMBER + 1)] == [ben]
