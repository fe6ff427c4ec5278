"""A page that goes from one team to another: what fell due meanwhile is each one's own."""

import pytest

from mickle.ledger import ledger
from mickle.nods import nods
from mickle.settlement import _parts, arrears, settlement
from mickle.settlement.models import Received
from mickle.teams import teams
from mickle.things import things
from tests.people import EUR, MID_NOVEMBER, NOVEMBER, creator, instance_at, member, thing, top_up
from tests.settlement.test_cases import in_month
from tests.teams.teaming import MID_OCTOBER, a_team, earned, holds, put_in, settle

pytestmark = pytest.mark.django_db
DECEMBER, JANUARY, FEBRUARY, MARCH = range(NOVEMBER + 1, NOVEMBER + 5)


def test_charges_paid_together_bring_each_team_what_fell_due_while_it_was_theirs(settings):
    """Ben had a part as the giver was charged; once the page is another team's, he is charged."""
    settings.MODE, settings.CHARGE_DAYS = "arrears", 90
    instance_at("2026-10")
    ann, ben, cleo = cast = [creator(name) for name in ("ann", "ben", "cleo")]
    band = a_team(dict(zip(cast, (50, 30, 20), strict=True)))
    page = thing("song", ann)
    put_in(band, page)
    things.set_owner(thing=page, owner=None, at=MID_OCTOBER)
    giver = member("giver")
    for who in (giver, ben):
        nods.give(member=who, thing=page, at=MID_NOVEMBER)
    settle()
    page = things.set_owner(thing=page, owner=ann, at=in_month(DECEMBER, 5))
    settlement.settle(month=DECEMBER, at=in_month(JANUARY, 4))
    duo = a_team({ann: 50, cleo: 50}, name="Duo", at=in_month(JANUARY, 5))
    teams.put_in(team=duo, keeper=ann, what=page, at=in_month(JANUARY, 5))
    for month in (JANUARY, FEBRUARY):
        settlement.settle(month=month, at=in_month(month + 1, 4))
    for who in (giver, ben):
        top_up(who, "5.00", month=MARCH)

    assert arrears.collect(at=in_month(MARCH, 6)) == 2

    assert [earned(who) for who in cast] == [4_500_000, 1_350_000, 3_150_000]
    owners = Received.objects.order_by("owner").values_list("owner", "gross_micros")
    assert list(owners) == [(band.party_id, EUR("5.00")), (duo.party_id, EUR("5.00"))]
    holds()


def test_what_a_version_before_has_shared_is_not_shared_again(monkeypatch):
    """Its keys named no team; what it left unshared goes on with keys that do."""
    instance_at("2026-10")
    ann, ben = creator("ann"), creator("ben")
    team = a_team({ann: 50, ben: 50})
    pages = [thing(name, ann) for name in ("song", "tune")]
    giver = member("giver", funds="5.00")
    for page in pages:
        put_in(team, page)
        nods.give(member=giver, thing=page, at=MID_NOVEMBER)
    for name in ("FIRST", "FEWEST", "MOST"):
        monkeypatch.setattr(f"mickle.lib.chunks.{name}", 1)

    def die(label: str, _done: int, _total: int) -> None:
        if label == "teams":
            raise KeyboardInterrupt

    before = _parts._TO_MEMBERS.replace("CAST(owner AS TEXT) || ':' || CAST(thing", "CAST(thing")
    settlement.settle(month=NOVEMBER - 1, at=in_month(DECEMBER, 4))
    with monkeypatch.context() as older:
        older.setattr(_parts, "_TO_MEMBERS", before)
        with pytest.raises(KeyboardInterrupt):
            settlement.settle(month=NOVEMBER, at=in_month(DECEMBER, 4), report=die)
    settle()
    assert [earned(ann), earned(ben)] == [EUR("2.25"), EUR("2.25")]
    keys = [row.key for row in ledger.transfers(ledger.revenue(team.party_id))]
    lines = (pages[0].id, f"{team.party_id}:{pages[1].id}")
    wanted = [f"settle:2026-11:part:{line}:{who.id}" for line in lines for who in (ann, ben)]
    assert [key for key in keys if ":part:" in key] == wanted
