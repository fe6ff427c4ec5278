"""A team's lines: each one's net by percent to the micro, whenever and however it is paid."""

import json

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from mickle.claims import proofs
from mickle.closing import closing
from mickle.ledger import ledger
from mickle.lib import money, months
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.payouts import payouts
from mickle.settlement import _parts, _underway, arrears, settlement
from mickle.settlement.models import Line, Part
from mickle.teams import teams
from mickle.things import things
from tests.people import EUR, MID_NOVEMBER, NOVEMBER, creator, instance_at, member, thing, top_up
from tests.settlement.test_cases import CASES, in_month
from tests.teams.teaming import (
    MID_OCTOBER,
    a_team,
    agreed,
    earned,
    holding_from,
    holds,
    put_in,
    settle,
)

pytestmark = pytest.mark.django_db
DECEMBER = NOVEMBER + 1
TEAMS = [case for case in CASES if "percents" in case]


@pytest.fixture(autouse=True)
def _october():
    instance_at("2026-10")


@pytest.fixture
def band():
    """Ann, Ben and Cleo with 50, 30 and 20 %, and Ann's page."""
    cast = [creator(name) for name in ("ann", "ben", "cleo")]
    team = a_team(dict(zip(cast, (50, 30, 20), strict=True)))
    page = thing("song", cast[0])
    put_in(team, page)
    return *cast, team, page


def give(page, *amounts, at=MID_NOVEMBER):
    for place, amount in enumerate(amounts):
        giver = member(f"giver{place}-{page.id}", funds=amount, budget=amount)
        nods.give(member=giver, thing=page, at=at)


@pytest.mark.parametrize("case", TEAMS, ids=[str(case["percents"]) for case in TEAMS])
def test_each_case_of_a_team(case):
    cast = [creator(name) for name in ("ann", "ben", "cleo")]
    page = thing("song", cast[0])
    put_in(a_team(dict(zip(cast, case["percents"], strict=True))), page)
    # 5.00 over three: the lowest two things carry a micro more.
    giver = member("alice", funds="5.00")
    for one in (page, thing("two"), thing("three")):
        nods.give(member=giver, thing=one, at=MID_NOVEMBER)

    settle()

    assert Line.objects.get(thing=page).gross_micros == case["gross_micros"]
    assert [earned(who) for who in cast] == case["received_micros"]
    assert ledger.total("FEE") == case["fee_micros"]


def test_this_months_line_is_the_owners_and_the_next_ones_the_teams(band):
    ann, ben, cleo, _team, page = band
    teams.take_out(keeper=ann, what=page, at=MID_NOVEMBER)
    nods.give(member=member("alice", funds="10.00"), thing=page, at=MID_NOVEMBER)
    nods.give(member=Member.objects.get(username="alice"), thing=page, at=in_month(DECEMBER))
    settle()
    assert [earned(who) for who in (ann, ben, cleo)] == [2_250_000, 1_350_000, 900_000]
    settlement.settle(month=DECEMBER, at=in_month(DECEMBER + 1, 4))
    holds()
    assert [earned(who) for who in (ann, ben, cleo)] == [6_750_000, 1_350_000, 900_000]


def test_a_nod_of_who_has_a_part_is_refused_and_void(band):
    ann, ben, cleo, team, page = band
    top_up(cleo, "5.00")
    inner = a_team({cleo: 100 - 1, creator("dan"): 1}, name="Inner")
    row = teams.propose(
        team=team, by=ann, percents={ann: 50, ben: 30, inner.party: 20}, at=MID_OCTOBER
    )
    assert agreed(row).state == "AGREED"
    # As a click by a pass records it, which asks nobody.
    nods.record_many([(NOVEMBER, cleo.id, page.id, MID_NOVEMBER, "button")])
    give(page, "5.00")
    settle()
    assert Nod.objects.get(member=cleo).void == "OWN"
    assert ledger.balance(ledger.funds(cleo.id)) == EUR("5.00")
    assert Line.objects.get().gross_micros == EUR("5.00")


def test_the_page_says_that_a_part_is_ones_own(band, monkeypatch):
    *_, cleo, _team, page = band
    monkeypatch.setattr("mickle.instance.instance.open_month", lambda: NOVEMBER)
    with pytest.raises(nods.OwnThing, match="through a team"):
        nods.give(member=cleo, thing=page, at=MID_NOVEMBER)
    with pytest.raises(nods.OwnThing, match="through a team"):
        nods.subscribe(member=cleo, thing=page, runs_months=3, at=MID_NOVEMBER)
    with pytest.raises(nods.OwnThing, match="through a team"):
        nods.check(thing=page, member=cleo)
    nods.check(thing=page, member=creator("dan"))


def test_all_waits_until_everybody_has_topped_up(band):
    ann, ben, cleo, team, page = band
    members.note_top_up(member=cleo, amount_micros=-EUR("0.01"), month=NOVEMBER - 1)
    give(page, "5.00", "5.00")
    settle()
    assert [earned(who) for who in (ann, ben, cleo)] == [0, 0, 0]
    assert settlement.waiting_for(page) == (2, EUR("10.00"))
    assert not settlement.has_to_release()
    assert settlement.release_owner(member=ann, at=in_month(DECEMBER, 5)) == 0
    # New parts hold from next month on; what waits is November's.
    row = teams.propose(
        team=team, by=ann, percents={ann: 20, ben: 30, cleo: 50}, at=in_month(DECEMBER, 5)
    )
    assert agreed(row, in_month(DECEMBER, 5)).state == "AGREED"

    members.note_top_up(member=cleo, amount_micros=EUR("0.01"), month=NOVEMBER - 1)
    assert settlement.has_to_release()
    assert settlement.release_owner(member=cleo, at=in_month(DECEMBER, 6)) == EUR("9.00")

    assert [earned(who) for who in (ann, ben, cleo)] == [4_500_000, 2_700_000, 1_800_000]
    assert not settlement.has_to_release()
    holds()


def test_a_long_line_is_released_and_then_shared(band, monkeypatch):
    ann, ben, cleo, _team, page = band
    for name in ("FIRST", "FEWEST", "MOST"):
        monkeypatch.setattr(f"mickle.lib.chunks.{name}", 2)
    monkeypatch.setattr(_underway, "AT_ONCE", 2)
    members.suspend(member=ben, at=MID_NOVEMBER)
    give(page, "5.00", "5.00", "5.00", "5.00", "5.00")
    settle()
    members.suspend(member=ben, at=None)
    settlement.release(thing=page, at=in_month(DECEMBER, 5))
    holds()
    assert [earned(who) for who in (ann, ben, cleo)] == [0, 0, 0]
    settlement.release_due(at=in_month(DECEMBER, 5))
    assert [earned(who) for who in (ann, ben, cleo)] == [11_250_000, 6_750_000, 4_500_000]
    holds()


def test_shares_of_who_gets_a_part_go_back_at_the_release(band):
    ann, ben, cleo, _team, page = band
    top_up(cleo, "5.00")
    page = things.set_owner(thing=page, owner=None, at=MID_OCTOBER)
    nods.give(member=cleo, thing=page, at=MID_NOVEMBER)
    give(page, "5.00")
    settle()
    things.set_owner(thing=page, owner=ann, at=in_month(DECEMBER, 5))
    settlement.release(thing=page, at=in_month(DECEMBER, 5))
    assert ledger.balance(ledger.funds(cleo.id)) == EUR("5.00")
    assert [earned(who) for who in (ann, ben, cleo)] == [2_250_000, 1_350_000, 900_000]
    holds()


def test_what_a_lost_proof_leaves_waits_for_the_team(band):
    ann, ben, cleo, _team, page = band
    give(page, "5.00")
    things.set_owner(thing=page, owner=None, at=MID_NOVEMBER)
    settle()
    assert ledger.total("WAITING") == EUR("5.00")
    # Somebody else who shows it has put another page into a team, and not this one.
    dan = creator("dan")
    holding_from(NOVEMBER, {dan: 50, creator("fay"): 50}, thing("another", dan))
    things.set_owner(thing=page, owner=dan, at=in_month(DECEMBER, 5))
    settlement.release_due(at=in_month(DECEMBER, 5))
    assert [earned(who) for who in (ann, ben, cleo, dan)] == [0, 0, 0, EUR("4.50")]
    holds()


def test_each_reads_the_own_part_of_each_page(band):
    ann, ben, _cleo, _team, page = band
    alone = thing("alone", ben)
    give(page, "5.00", "5.00", "5.00")
    give(alone, "2.00")
    settle()
    found = settlement.owner_statement(member=ben, month=NOVEMBER)
    first, other = found.lines
    assert (first.thing, first.nods, first.team, first.team_micros) == (
        page, 3, "Band", EUR("13.50"),
    )  # fmt: skip
    assert (first.gross_micros, first.fee_micros, first.net_micros) == (
        EUR("4.50"), EUR("0.45"), EUR("4.05"),
    )  # fmt: skip
    assert (other.thing, other.net_micros) == (None, EUR("1.80"))
    assert found.net_micros == EUR("5.85") == earned(ben)
    assert settlement.owner_months(ben) == [(NOVEMBER, EUR("5.85"))]
    assert settlement.owner_months(ann) == [(NOVEMBER, EUR("6.75"))]


def test_a_part_of_who_closes_falls_to_the_rest_and_nothing_is_lost(band):
    ann, ben, cleo, team, page = band
    give(page, "5.00", "5.00")
    settle()
    dec = in_month(DECEMBER, 5)
    closing.close(
        member=cleo, at=dec, open_nods="settle", iban="DE89370400440532013000", holder_name="Cleo"
    )
    cleo.refresh_from_db()
    assert cleo.closed_at is not None
    # 1.80 earned; December's part is the others'.
    giver = Member.objects.get(username=f"giver0-{page.id}")
    top_up(giver, "5.00", month=DECEMBER)
    nods.give(member=giver, thing=page, at=in_month(DECEMBER, 6))
    settlement.settle(month=DECEMBER, at=in_month(DECEMBER + 1, 4))
    holds()
    assert earned(cleo) == 0
    assert [earned(who) for who in (ann, ben)] == [7_312_500, 4_387_500]
    assert teams.percents(team=team, month=DECEMBER + 1) == {ann.id: 63, ben.id: 37}
    assert closing.audit()[0].ok


def test_who_closes_while_a_month_is_frozen_has_their_part_first(band):
    *_, cleo, _team, page = band
    give(page, "5.00")
    run = {"month": NOVEMBER, "at": in_month(DECEMBER, 4)}
    settlement.settle(month=NOVEMBER - 1, at=in_month(DECEMBER, 4))
    settlement.close_due(at=in_month(DECEMBER, 4))
    settlement._run.begin(**run)
    settlement._freeze.freeze(**run, arrears=False, report=lambda *_said: None)
    asked = closing.close(
        member=cleo, at=in_month(DECEMBER, 4), open_nods="settle",
        iban="DE89370400440532013000", holder_name="Cleo",
    )  # fmt: skip
    assert (asked.done_at, asked.waits_for_month) == (None, NOVEMBER)
    settle()
    closing.finish_due(at=in_month(DECEMBER, 5))
    asked.refresh_from_db()
    assert asked.done_at is not None
    assert payouts.requested().get(member=cleo).amount_micros == EUR("0.90")


def test_in_arrears_each_charge_is_shared_as_it_is_paid(band, settings):
    settings.MODE = "arrears"
    ann, ben, cleo, _team, page = band
    givers = [member(f"giver{number}", budget="3.33") for number in range(3)]
    for giver in givers:
        nods.give(member=giver, thing=page, at=MID_NOVEMBER)
    settle()
    assert Part.objects.filter(net_micros__gt=0).count() == 0
    for place, giver in enumerate(givers):
        top_up(giver, "3.33", month=DECEMBER)
        # 3.33 less 0.333.
        arrears.collect(at=in_month(DECEMBER, 6 + place))
        holds()
        assert arrears.is_owed(cleo) == (place < 2)
    assert [earned(who) for who in (ann, ben, cleo)] == [4_495_500, 2_697_300, 1_798_200]
    assert settlement.owner_statement(member=cleo, month=NOVEMBER).net_micros == 1_798_200


def test_in_arrears_what_is_claimed_later_is_the_teams_of_then(band, settings):
    settings.MODE = "arrears"
    ann, ben, cleo, team, page = band
    page = things.set_owner(thing=page, owner=None, at=MID_NOVEMBER)
    giver = member("giver", budget="5.00")
    for who in (giver, ben):
        nods.give(member=who, thing=page, at=MID_NOVEMBER)
    settle()
    things.set_owner(thing=page, owner=ann, at=in_month(DECEMBER, 5))
    settlement.settle(month=DECEMBER, at=in_month(DECEMBER + 1, 4))
    top_up(giver, "5.00", month=DECEMBER + 1)
    arrears.collect(at=in_month(DECEMBER + 1, 6))
    holds()
    # What is their own is never charged.
    assert not arrears.open_charges(ben).exists()
    assert [earned(who) for who in (ann, ben, cleo)] == [2_250_000, 1_350_000, 900_000]
    assert team.party_id == Part.objects.first().owner_id


def test_a_part_of_who_is_gone_falls_to_the_rest(band, settings):
    settings.MODE = "arrears"
    ann, ben, cleo, _team, page = band
    giver = member("giver", budget="5.00")
    nods.give(member=giver, thing=page, at=MID_NOVEMBER)
    settle()
    members.erase(member=cleo, at=in_month(DECEMBER, 5))
    top_up(giver, "5.00", month=DECEMBER)
    arrears.collect(at=in_month(DECEMBER, 6))
    assert [earned(who) for who in (ann, ben, cleo)] == [2_812_500, 1_687_500, 0]
    holds()


def test_a_line_is_shared_once(band):
    ann, *_rest, page = band
    give(page, "5.00")
    settle()
    done = {"month": NOVEMBER, "at": in_month(DECEMBER, 5), "report": lambda *_said: None}
    assert _parts.share(**done) == 0
    assert earned(ann) == EUR("2.25")
    holds()


def test_the_audit_sees_what_rests_with_a_team_and_parts_that_are_not_the_line(band):
    ann, *_rest, team, page = band
    give(page, "5.00")
    settle()
    Part.objects.filter(member=ann).update(net_micros=1)
    assert [check.name for check in settlement.audit() if not check.ok] == [
        "Parts of teams equal their lines"
    ]
    top_up(ann, "1.00", month=DECEMBER)
    ledger.post(
        key="lost", debit=ledger.funds(ann.id), credit=ledger.revenue(team.party_id),
        amount_micros=5, reason="PART", at=in_month(DECEMBER, 5),
    )  # fmt: skip
    assert "Nothing rests with a team" in [
        check.name for check in settlement.audit() if not check.ok
    ]


def test_money_that_others_brought_is_held_as_theirs_is(band):
    ann, _ben, cleo, team, _page = band
    proof = proofs.begin(member=ann, address="https://band.example/", method="FILE", at=MID_OCTOBER)
    type(proof).objects.filter(id=proof.id).update(
        state="SHOWN", shown_at=MID_OCTOBER, looked_at=MID_OCTOBER,
        notice_until_at=MID_NOVEMBER,
    )  # fmt: skip
    scope = things.give_scope(
        kind="HOST", text=proof.text, host=proof.host, owner=ann, at=MID_OCTOBER
    )
    put_in(team, scope)
    dan = creator("dan")
    asked = dict.fromkeys((ann.id, cleo.id, dan.id), MID_NOVEMBER)
    assert proofs.held(asked).keys() == {ann.id, cleo.id}
    assert proofs.notice_until(cleo.id, MID_OCTOBER) == MID_NOVEMBER
    assert proofs.notice_until(dan.id, MID_OCTOBER) is None
    for when, looks in ((MID_OCTOBER, 0), (MID_NOVEMBER, 1)):
        wanted = proofs.asked_through_teams({cleo.id: when, dan.id: MID_NOVEMBER}, "looked_at")
        assert proofs.to_look_at(MID_OCTOBER, unseen=wanted, untried=wanted).count() == looks
    type(proof).objects.filter(id=proof.id).update(looked_at=MID_NOVEMBER)
    assert proofs.held(asked) == {}
    type(proof).objects.filter(id=proof.id).update(state="LOST")
    assert proofs.held(asked).keys() == {ann.id, cleo.id}


AMOUNTS = st.one_of(st.integers(0, 30), st.integers(0, 10**15))


@given(
    st.lists(
        st.tuples(AMOUNTS, AMOUNTS, st.lists(st.integers(1, 10**6), min_size=1, max_size=6)),
        min_size=1,
        max_size=5,
    )
)
def test_sql_cuts_as_the_plain_function_does(rows):
    """The parts of made-up lines, share by share."""
    brought, parts, wanted = [], [], {}
    for line, (net, fee, weights) in enumerate(rows, 1):
        brought.append(
            f"SELECT 1 AS month, {line} AS thing, 7 AS owner, {net} AS net, {fee} AS fee"
        )
        named = dict(enumerate(weights, 100))
        nets, fees = money.weighed_parts(net, named), money.weighed_parts(fee, named)
        for who, weight in named.items():
            parts.append(
                f"SELECT 1 AS month, {line} AS thing_id, 7 AS owner_id, {who} AS member_id,"
                f" CAST({weight} AS BIGINT) AS weight"
            )
            wanted[line, who] = nets[who], fees[who]
    text = _parts._SHARED.format(cut=_parts._CUT.format(brought=" UNION ALL ".join(brought)))
    with_parts = (
        f"WITH settlement_part AS ({' UNION ALL '.join(parts)}),"
        " members_member AS (SELECT member_id AS id, NULL AS closed_at FROM settlement_part)"
    )
    # Nobody of these is in the tables, so they stand in front of them; each once.
    with_parts = with_parts.replace("SELECT member_id AS id", "SELECT DISTINCT member_id AS id")
    with connection.cursor() as cursor:
        cursor.execute(f"{with_parts} SELECT thing, member, net, fee FROM ({text}) q")
        found = {(line, who): (net, fee) for line, who, net, fee in cursor.fetchall()}
    assert json.dumps(sorted(found.items())) == json.dumps(sorted(wanted.items()))
    assert months.text(NOVEMBER) == "2026-11"
