"""The whole product beside plain dictionaries: random deeds, the same balances after each.

Hypothesis prints how to replay a run that fails. 20,000 steps on SQLite and 5,000 on PostgreSQL, a
million on each with --long.
"""

from collections import defaultdict
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test import override_settings
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from mickle.ledger import ledger
from mickle.lib import months
from mickle.lib.money import whole_minor
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.settlement import settlement
from mickle.teams import teams
from mickle.things import things
from mickle.things.models import Thing
from tests.model.plain import Plain
from tests.people import NOVEMBER, instance_at, thing

IBAN = "DE89370400440532013000"
NAMES = ("alice", "bob", "charlie", "dora")
PAGES = tuple(f"page{i}" for i in range(6))
# Who has which part of the one team there is.
PARTED = (
    {"bob": 67, "charlie": 33},
    {"bob": 50, "charlie": 30, "dora": 20},
    {"alice": 34, "bob": 33, "charlie": 33},
    {"bob": 1, "dora": 99},
)
STEPS = 200
# What the rules come to depends on no database; what does shows within hundreds.
QUICK, LONG = {"sqlite": 20_000, "postgresql": 5_000}, 1_000_000
# Split so that two workers can share them.
PARTS = 4

# Asked after each step, so it is not put together anew.
POTS = """
SELECT kind, holder_id, balance_micros FROM ledger_account
UNION ALL
SELECT 'open lines', 0, CAST(COALESCE(SUM(gross_micros), 0) AS BIGINT)
FROM settlement_line WHERE state = 'WAITING'
"""

name = st.sampled_from(NAMES)
page = st.sampled_from(PAGES)
cents = st.integers(1, 2_000).map(lambda c: c * 10_000)


class Product(RuleBasedStateMachine):
    """Does each deed to the product and to the model."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        instance_at("2026-11")
        self.plain = Plain(NOVEMBER)
        self.serial = self.deeds = 0
        members.list_charity(slug="library", name="Library")
        self.members: dict[str, Member] = {}
        self.things: dict[str, Thing] = {}
        for one in NAMES:
            self.members[one] = members.join(
                email=f"{one}@example.org", username=one, at=months.start(NOVEMBER)
            )
            payouts.set_account(member=self.members[one], iban=IBAN, holder_name=one)
            self.plain.join(one)
        for place, one in enumerate(PAGES):
            self.things[one] = thing(one, thing_id=100 + place)
            self.plain.order[one] = 100 + place
            self.plain.owner[one] = None
        self._begin()

    def _begin(self) -> None:
        """Three have funds; Bob may receive for a page, Dora, who put nothing in, may not.

        Some nods are there, so that there is something to release from the first month on, and to
        share for the team of Bob and Charlie from the second.
        """
        for who in ("alice", "bob", "charlie"):
            self._top_up(who, 50_000_000)
        for what, who in (("page0", "bob"), ("page1", "dora")):
            things.set_owner(thing=self.things[what], owner=self.members[who], at=self.at)
            self.plain.owner[what] = who
        for who, what in (("alice", "page0"), ("alice", "page1"), ("charlie", "page2")):
            self.nod(who, what)
        self.team = teams.found(
            by=self.members["bob"], name="Band", percents=self.parts(PARTED[0]), at=self.at
        )
        self._agreed(PARTED[0])
        self.share("page0", inside=True)
        self.subscribe("alice", "page0")

    def parts(self, percents: dict[str, int]) -> dict[Member, int]:
        return {self.members[who]: percent for who, percent in percents.items()}

    def _agreed(self, percents: dict[str, int]) -> None:
        """Everybody who is asked says yes."""
        asked = teams.open_agreement(self.team)
        for answer in asked.answers.filter(yes_at=None).order_by("member_id") if asked else ():
            teams.answer(agreement=asked, member=answer.member, yes=True, at=self.at)
        self.plain.agree(percents)

    def teardown(self) -> None:
        """Audit the world of this example, and forget it."""
        try:
            checks = [
                *ledger.audit(),
                *settlement.audit(),
                *payins.audit(),
                *payouts.audit(),
                *teams.audit(),
            ]
            assert [check for check in checks if not check.ok] == []
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    @property
    def at(self) -> datetime:
        return months.start(self.plain.month) + timedelta(days=10)

    def key(self) -> str:
        self.serial += 1
        return f"key {self.serial}"

    def fresh(self, one: str) -> Thing:
        return Thing.objects.get(id=self.things[one].id)

    @rule(who=name, amount=cents)
    def top_up(self, who, amount):
        if self.plain.funds[who] + amount <= 600_000_000:
            self._top_up(who, amount)

    def _top_up(self, who: str, amount: int) -> None:
        payins.top_up(
            member=self.members[who], amount_micros=amount, reference=self.key(), at=self.at
        )
        settlement.release_owner(member=self.members[who], at=self.at)
        self.plain.top_up(who, amount)

    @rule(who=name, amount=st.integers(200, 10_000).map(lambda c: c * 10_000), paused=st.booleans())
    def set_budget(self, who, amount, paused):
        members.set_budget(
            member=self.members[who], at=self.at, amount_micros=amount, paused=paused
        )
        self.plain.budget[who], self.plain.paused[who] = amount, paused

    @rule(who=name, what=page)
    def nod(self, who, what):
        if not self.plain.counts(who, what):
            with pytest.raises((nods.OwnThing, nods.NotNoddable)):
                nods.give(member=self.members[who], thing=self.fresh(what), at=self.at)
            return
        given = nods.give(member=self.members[who], thing=self.fresh(what), at=self.at)
        nod = (self.plain.month, who, what)
        assert given.new == (nod not in self.plain.nods)
        self.plain.nods.add(nod)

    @rule(who=name, what=page)
    def take_back(self, who, what):
        nod = (self.plain.month, who, what)
        if nod in self.plain.nods:
            nods.take_back(member=self.members[who], thing=self.things[what], at=self.at)
            self.plain.nods.remove(nod)
        else:
            with pytest.raises(nods.NoNod):
                nods.take_back(member=self.members[who], thing=self.things[what], at=self.at)

    @rule(who=name, what=page)
    def subscribe(self, who, what):
        if self.plain.counts(who, what):
            nods.subscribe(
                member=self.members[who], thing=self.fresh(what), runs_months=None, at=self.at
            )
            self.plain.subscribed.add((who, what))

    @rule(who=name, what=page)
    def claim(self, who, what):
        if self.plain.owner[what] is None and what not in self.plain.refused:
            things.set_owner(thing=self.fresh(what), owner=self.members[who], at=self.at)
            settlement.release(thing=self.things[what], at=self.at)
            self.plain.owner[what] = who
            self.plain.release(what)

    @rule(what=page, inside=st.booleans())
    def share(self, what, inside):
        owner = self.plain.owner[what]
        if owner not in self.plain.team(self.plain.month + 1):
            return
        keeper, one = self.members[owner], self.things[what]
        if inside:
            teams.put_in(team=self.team, keeper=keeper, what=one, at=self.at)
        else:
            teams.take_out(keeper=keeper, what=one, at=self.at)
        self.plain.say(what, owner, inside=inside)

    @precondition(lambda self: len(self.plain.percents) < 3)
    @rule(percents=st.sampled_from(PARTED))
    def agree(self, percents):
        by = next(iter(self.plain.team(self.plain.month + 1)))
        teams.propose(
            team=self.team, by=self.members[by], percents=self.parts(percents), at=self.at
        )
        self._agreed(percents)

    @precondition(lambda self: len(self.plain.refused) < 2)
    @rule(what=page)
    def refuse(self, what):
        if what not in self.plain.refused:
            settlement.refuse(thing=self.fresh(what), at=self.at)
            self.plain.refuse(what)

    @rule(who=name, what=page, ago=st.integers(1, 6))
    def take_back_waiting(self, who, what, ago):
        key = (self.plain.month - ago, who, what)
        deed = {"member": self.members[who], "thing": self.things[what], "month": key[0]}
        if key in self.plain.waiting:
            returned = settlement.take_back_waiting(**deed, at=self.at)
            assert returned == self.plain.waiting[key]
            self.plain.funds[who] += self.plain.waiting.pop(key)
        else:
            with pytest.raises(settlement.NotWaiting):
                settlement.take_back_waiting(**deed, at=self.at)

    # A month in which something happened shows more than three in which nothing did.
    @precondition(lambda self: self.deeds > 4)
    @rule(months_pass=st.sampled_from((1,) * 14 + (2, 7)))
    def settle(self, months_pass):
        for _month in range(months_pass):
            end = months.start(self.plain.month + 1) + timedelta(days=3)
            settlement.settle(month=self.plain.month, at=end)
            self.plain.settle()
        self.deeds = 0

    @rule(who=name)
    def withdraw(self, who):
        whole = whole_minor(self.plain.revenue[who])
        if who in self.plain.transit:
            return
        if whole < 10_000_000:
            with pytest.raises(payouts.BelowMinimum):
                payouts.request(member=self.members[who], at=self.at, key=self.key())
            return
        payouts.request(member=self.members[who], at=self.at, key=self.key())
        self.plain.revenue[who] -= whole
        self.plain.transit[who] = whole

    @precondition(lambda self: self.plain.transit)
    @rule(fails=st.booleans())
    def bank(self, fails):
        file = payouts.make_file(at=self.at)
        for one in file.payouts.select_related("member"):
            if fails:
                payouts.mark_failed(payout=one, at=self.at, why="closed")
                self.plain.revenue[one.member.username] += one.amount_micros
            else:
                payouts.mark_executed(payout=one, at=self.at)
            del self.plain.transit[one.member.username]

    @rule(who=name, amount=st.integers(1, 5_000_000))
    def move_to_funds(self, who, amount):
        if 0 < amount <= self.plain.revenue[who] and amount % 10_000 == 0:
            payins.to_funds(
                member=self.members[who], amount_micros=amount, at=self.at, key=self.key()
            )
            self.plain.revenue[who] -= amount
            self.plain.funds[who] += amount

    @invariant()
    def balances_are_equal(self):
        self.deeds += 1
        plain = self.plain
        pots: dict[str, dict[int, int]] = defaultdict(dict)
        with connection.cursor() as cursor:
            cursor.execute(POTS)
            for kind, holder, micros in cursor.fetchall():
                pots[kind][holder] = micros
        for kind, wanted in (
            ("FUNDS", plain.funds),
            ("REVENUE", plain.revenue),
            ("WAITING", {one: plain.waits(one) for one in NAMES}),
        ):
            assert {one: pots[kind].get(m.id, 0) for one, m in self.members.items()} == wanted
        assert sum(pots["FEE"].values()) == plain.fee
        assert sum(pots["CHARITY"].values()) == plain.charity
        assert sum(pots["PAYOUT"].values()) == sum(plain.transit.values())
        assert pots["open lines"][0] == sum(plain.waiting.values())


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("part", range(PARTS))
@override_settings(BANK_IBAN=IBAN, BANK_NAME="Mickle Test")
def test_the_product_equals_the_plain_model(request, part):
    steps = LONG if request.config.getoption("--long") else QUICK[connection.vendor]
    run(
        Product,
        settings=settings(
            max_examples=steps // STEPS // PARTS,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
