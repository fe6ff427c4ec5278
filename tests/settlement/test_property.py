"""The split in SQL beside a plain model: random members, share by share, no micro lost.

Twice 10,000 of them in each run, a million with --long.
"""

import random
from collections import defaultdict

import pytest

from mickle.ledger import ledger
from mickle.lib import money, months
from mickle.members.models import Budget, Member
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.settlement import settlement
from mickle.settlement.models import Line, Spend, Split
from mickle.things.models import Thing
from tests.people import EARLY_DECEMBER, MID_NOVEMBER, NOVEMBER, instance_at
from tests.settlement.test_settle import all_hold

MEMBERS, THINGS, FIRST_THING = 10_000, 700, 1_000
QUICK, LONG = 2, 100
# Half of the members give every nod the weight 1, a quarter another one, a quarter any of these.
WEIGHTS = (1, 1, 1, 2, 3, 4, 7, 30, 100)


def world(seed: int) -> dict[int, int]:
    """Random members, budgets, funds, owners and nods; returns the funds by member id."""
    chance = random.Random(seed)
    instance_at("2026-11")
    ids = random_people(chance)
    random_things(ids, chance)
    rows = {
        (NOVEMBER, one, FIRST_THING + int(chance.paretovariate(0.6)) % THINGS)
        for one in ids
        for _nod in range(int(chance.lognormvariate(1.2, 1)))
    }
    weigh = {one: chance.choice([(1,), (1,), (chance.randrange(2, 101),), WEIGHTS]) for one in ids}
    nods.record_many(
        (*row, MID_NOVEMBER, "random", chance.choice(weigh[row[1]])) for row in sorted(rows)
    )
    return fund(ids, chance)


def random_people(chance: random.Random) -> list[int]:
    """Members with random budgets, some paused, some who have not put 2.00 in; their ids."""
    people = Member.objects.bulk_create(
        Member(
            username=f"m{i}",
            email=f"m{i}@example.org",
            joined_at=MID_NOVEMBER,
            funded_month=NOVEMBER - 1,
            topped_up_micros=chance.choice([0, 1_990_000, 2_000_000, 9_000_000]),
        )
        for i in range(MEMBERS)
    )
    ids = [one.id for one in people]
    Budget.objects.bulk_create(
        Budget(
            member_id=one,
            month=NOVEMBER - chance.randrange(3),
            amount_micros=chance.randrange(200, 10_001) * 10_000,
            paused=chance.random() < 0.05,
        )
        for one in ids
        if chance.random() < 0.9
    )
    return ids


def random_things(ids: list[int], chance: random.Random) -> None:
    """Things with a random owner or none, a few of them refused."""
    Thing.objects.bulk_create(
        Thing(
            id=FIRST_THING + i,
            identity=f"v1:t{i}.example/",
            url=f"https://t{i}.example/",
            raw_url=f"https://t{i}.example/",
            host=f"t{i}.example",
            owner_id=chance.choice([None, chance.choice(ids)]),
            state="REFUSED" if chance.random() < 0.03 else "ACTIVE",
            created_at=MID_NOVEMBER,
        )
        for i in range(THINGS)
    )


def fund(ids: list[int], chance: random.Random) -> dict[int, int]:
    """Put random funds in, in one posting."""
    amounts = {
        one: chance.choice([0, 1, 7, chance.randrange(12_000_000), chance.randrange(10**8)])
        for one in ids
    }
    for start in range(0, len(ids), 400):
        part = [(one, amounts[one]) for one in ids[start : start + 400] if amounts[one]]
        rows = " UNION ALL ".join(f"SELECT {one} AS m, {micros} AS a" for one, micros in part)
        ledger.post_from_select(
            "SELECT 'in:' || CAST(m AS TEXT) AS key, 'PROVIDER' AS debit_kind, 0 AS debit_holder,"
            f" 'FUNDS' AS credit_kind, m AS credit_holder, a AS amount_micros FROM ({rows}) q",
            {},
            reason="TOP_UP",
            month=None,
            at=months.start(NOVEMBER - 1),
            expected=len(part),
        )
    return amounts


class Model:
    """The rules of the month in plain Python, one member after the other."""

    def __init__(self, funds: dict[int, int]) -> None:
        self.shares: dict[tuple[int, int], int] = {}
        self.spend: dict[int, int] = {}
        self.line: dict[int, int] = defaultdict(int)
        self.waiting: dict[int, int] = defaultdict(int)
        self.revenue: dict[int, int] = defaultdict(int)
        self.things = {one.id: one for one in Thing.objects.all()}
        self.receiving = set(
            Member.objects.filter(topped_up_micros__gte=2_000_000).values_list("id", flat=True)
        )
        plans = {row.member_id: row for row in Budget.objects.order_by("month")}
        given: dict[int, dict[int, int]] = defaultdict(dict)
        for member, thing, weight in Nod.objects.values_list("member_id", "thing_id", "weight"):
            given[member][thing] = weight
        for member, liked in given.items():
            plan = plans.get(member)
            if plan is None or not plan.paused:
                budget = plan.amount_micros if plan else 5_000_000
                self._member(member, min(budget, funds[member]), liked)
        self.fee = {
            thing: money.fee(gross, 1000) if self._owner(thing) else 0
            for thing, gross in self.line.items()
        }
        for thing, gross in self.line.items():
            if owner := self._owner(thing):
                self.revenue[owner] += gross - self.fee[thing]

    def _owner(self, thing: int) -> int | None:
        owner = self.things[thing].owner_id
        return owner if owner in self.receiving else None

    def _member(self, member: int, spend: int, liked: dict[int, int]) -> None:
        valid = {
            thing: weight
            for thing, weight in liked.items()
            if self.things[thing].state == "ACTIVE" and self.things[thing].owner_id != member
        }
        if not valid or not spend:
            return
        self.spend[member] = spend
        for thing, share in money.share_out(spend, valid).items():
            self.shares[member, thing] = share
            if share:
                self.line[thing] += share
                if self._owner(thing) is None:
                    self.waiting[member] += share


def shares_of_the_database() -> dict[tuple[int, int], int]:
    splits = {row.member_id: row for row in Split.objects.all()}
    return {
        (nod.member_id, nod.thing_id): splits[nod.member_id].share_micros(nod.thing_id, nod.weight)
        for nod in Nod.objects.filter(void="")
        if nod.member_id in splits
    }


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A world for each seed."""
    if "seed" in metafunc.fixturenames:
        worlds = LONG if metafunc.config.getoption("--long") else QUICK
        metafunc.parametrize("seed", range(1, worlds + 1))


@pytest.mark.django_db
def test_the_sql_equals_the_plain_model_share_by_share(seed):
    funds = world(seed)
    model = Model(funds)
    settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert dict(Spend.objects.values_list("member_id", "amount_micros")) == model.spend
    assert shares_of_the_database() == model.shares
    assert dict(Line.objects.values_list("thing_id", "gross_micros")) == model.line
    assert dict(Line.objects.values_list("thing_id", "fee_micros")) == model.fee
    assert positive(ledger.balances("WAITING")) == model.waiting
    assert positive(ledger.balances("REVENUE")) == positive(model.revenue)
    left = {one: micros - model.spend.get(one, 0) for one, micros in funds.items()}
    assert positive(ledger.balances("FUNDS")) == positive(left)
    all_hold([*ledger.audit(), *settlement.audit()])


def positive(amounts: dict[int, int]) -> dict[int, int]:
    return {holder: micros for holder, micros in amounts.items() if micros}
