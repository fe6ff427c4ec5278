"""What the statement of a month foresees beside what its settlement gives: random small worlds."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from mickle.instance import instance
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Budget, Charity, Member
from mickle.nods import nods
from mickle.settlement import settlement
from mickle.settlement.settlement import NoStatement, Statement
from mickle.things.models import Thing
from tests.people import (
    EARLY_DECEMBER,
    EUR,
    MID_NOVEMBER,
    NOVEMBER,
    creator,
    instance_at,
    member,
    thing,
    top_up,
)
from tests.settlement.test_stages import give

pytestmark = pytest.mark.django_db

MEMBERS, THINGS = 12, 14
# What waits of the first two comes back with the last two.
MAY, JUNE = NOVEMBER + 6, NOVEMBER + 7
NODDED = (NOVEMBER, NOVEMBER + 1, MAY, JUNE)


def world(chance: random.Random) -> list[Member]:
    """Members with any plan and any nods; things of theirs and of nobody."""
    instance_at("2026-11")
    charity = Charity.objects.create(name="Sea", slug="sea", is_default=chance.random() < 0.8)
    people = [member(f"m{i}") for i in range(MEMBERS)]
    for who in people:
        if chance.random() < 0.8:
            top_up(who, chance.choice(["0.01", "1.99", "7.13", "30.00", "90.00"]))
    Budget.objects.bulk_create(
        Budget(
            member=who,
            month=month,
            amount_micros=chance.randrange(200, 1_001) * 10_000,
            paused=chance.random() < 0.15,
            charity=chance.choice([None, charity]),
        )
        for who in people
        for month in (NOVEMBER, JUNE)
        if chance.random() < 0.6
    )
    for i in range(THINGS):
        thing(f"t{i}", chance.choice([None] * 6 + people), thing_id=100 + i)
    rows = {
        (month, who.id, 100 + chance.randrange(THINGS))
        for month in NODDED
        for who in people
        for _nod in range(chance.choice([0, 1, 3, 6]))
    }
    nods.record_many(
        (*row, MID_NOVEMBER, "random", chance.choice([1, 1, 2, 7])) for row in sorted(rows)
    )
    return people


def unsettle(people: list[Member], chance: random.Random, at: datetime) -> None:
    """Whatever may happen before a month ends: other owners, merges, refusals, money."""
    for page in Thing.objects.order_by("id"):
        drawn = chance.random()
        if drawn < 0.1:
            page.state = Thing.State.TAKEN_DOWN
        elif drawn < 0.2:
            settlement.refuse(thing=page, at=at)
            continue
        elif drawn < 0.4:
            page.owner = chance.choice(people)
        page.save(update_fields=["state", "owner"])
    active = list(Thing.objects.filter(state="ACTIVE").order_by("id"))
    target = chance.choice(active)
    nobodys = [page.id for page in active if page.owner_id is None and page != target]
    merged = Thing.objects.filter(id__in=nobodys[:3])
    merged.update(state=Thing.State.MERGED, merged_into=target)
    for who in chance.sample(people, 4):
        top_up(who, "3.00", key=f"later:{who.id}")
    Member.objects.filter(id=people[0].id).update(closing_at=at)
    settlement.release_due(at=at)


def clock(at: datetime) -> None:
    """At least so late; the real one goes on."""
    if instance.now() < at:
        instance.move_clock(to=at)


def after(month: int) -> datetime:
    return months.end(month) + timedelta(days=3, hours=12)


def facts(found: Statement) -> dict[str, Any]:
    """What has to be equal; owners are paid at once, or when they are charged for."""
    paid = "due" if found.arrears else "paid"
    return {
        "shares": [
            (one.thing.id, one.amount_micros, one.weight, one.state.replace("planned", paid))
            for one in found.shares
        ],
        "spend": found.spend_micros,
        "charity": found.charity,
        "funds": (found.funds_start_micros, found.funds_end_micros, found.carried_micros),
    }


@pytest.mark.parametrize(
    ("seed", "mode", "policy"),
    [(1, "prepaid", "charity"), (2, "prepaid", "keep"), (3, "arrears", "charity")],
)
def test_a_forecast_is_what_the_settlement_gives(seed, mode, policy, settings):
    settings.MODE, settings.IDLE_POLICY = mode, policy
    chance = random.Random(f"{seed}{mode}{policy}")
    people = world(chance)
    for month in range(NOVEMBER, MAY):
        settlement.settle(month=month, at=after(month))
    unsettle(people, chance, months.end(MAY))
    settlement.close_due(at=months.start(JUNE))
    clock(months.start(JUNE) + timedelta(days=2))
    people = list(Member.objects.order_by("id"))
    foreseen = {
        (who, month): settlement.statement(member=who, month=month)
        for who in people
        for month in (MAY, JUNE)
    }
    assert all(one.forecast for one in foreseen.values())
    states = {share.state for one in foreseen.values() for share in one.shares}
    assert states >= {"planned", "waiting", "void"}
    told = set()

    def look(label: str, _done: int, _total: int) -> None:
        # While it is settled too, range by range.
        some = people if label == "compute" else people[:2]
        for who in () if label in told else some:
            found = settlement.statement(member=who, month=JUNE)
            assert (label, found.forecast) == (label, True)
            assert (label, who.username, facts(found)) == (
                *(label, who.username, facts(foreseen[who, JUNE])),
            )
        told.add(label)

    settlement.settle(month=MAY, at=after(MAY))
    same(foreseen, MAY)
    settlement.settle(month=JUNE, at=after(JUNE), report=look)
    assert {"owners", "compute", "lines", "proof"} <= told
    same(foreseen, JUNE)


def same(foreseen: dict[tuple[Member, int], Statement], settled: int) -> None:
    for (who, month), before in foreseen.items():
        if month == settled:
            found = settlement.statement(member=who, month=month)
            assert not found.forecast
            assert (who.username, facts(before)) == (who.username, facts(found))


@pytest.mark.parametrize("month", [NOVEMBER - 1, NOVEMBER + 12 * 900])
def test_a_month_that_has_not_begun_or_was_over_before_has_no_statement(month):
    instance_at("2026-11")
    with pytest.raises(NoStatement, match="so it has no statement"):
        settlement.statement(member=member("alice"), month=month)


def test_money_that_came_after_the_close_is_counted_in_the_month_it_paid_for():
    instance_at("2026-11", kind="TEST")
    alice = member("alice", funds="1.00")
    give(alice, thing("page", creator("bob")))
    clock(EARLY_DECEMBER)
    settlement.close_due(at=EARLY_DECEMBER)
    top_up(alice, "20.00", month=NOVEMBER + 1)

    def funds(month: int) -> tuple[int, ...]:
        found = settlement.statement(member=alice, month=month)
        moved = sum(move.amount_micros for move in found.movements)
        start, end = found.funds_start_micros, found.funds_end_micros
        assert start + moved + found.carried_micros == end
        return start, found.carried_micros, end

    for settled in (False, True):
        assert funds(NOVEMBER) == (EUR("1.00"), EUR("4.00"), 0)
        assert funds(NOVEMBER + 1) == (0, -EUR("4.00"), EUR("16.00"))
        if not settled:
            settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)


def test_a_month_of_which_nothing_can_be_charged_puts_nothing_off(settings):
    settings.MODE = "arrears"
    instance_at("2026-11", kind="TEST")
    alice = member("alice", budget="paused")
    give(alice, thing("nobody's"))
    clock(EARLY_DECEMBER)
    for settled in (False, True):
        [share] = settlement.statement(member=alice, month=NOVEMBER).shares
        assert (share.state, share.amount_micros) == ("nothing", 0)
        if not settled:
            settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)


def test_a_coin_on_its_way_to_a_charity_is_foreseen_until_it_is_there():
    instance_at("2026-11", kind="TEST")
    members.list_charity(slug="library", name="Library")
    alice, told = member("alice", funds="5.00"), []

    def look(_label: str = "", _done: int = 0, _total: int = 0) -> None:
        found = settlement.statement(member=alice, month=NOVEMBER)
        told.append((found.forecast, found.spend_micros, found.charity is not None))

    clock(EARLY_DECEMBER)
    look()
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER, report=look)
    look()
    assert set(told[:-1]) == {(True, EUR("5.00"), True)}
    assert told[-1] == (False, EUR("5.00"), True)
