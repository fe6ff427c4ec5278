"""The whole product beside plain dictionaries: random deeds, the same balances after each.

Hypothesis prints how to replay a run that fails. 40,000 steps on SQLite and 10,000 on PostgreSQL, a
million on each with --long. Each deed is as durable as in life: what is written there, the next one
finds.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import wraps
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from mickle.closing import closing
from mickle.lib import months
from mickle.lib.money import whole_minor
from mickle.members import members
from mickle.nods import nods
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.settlement import settlement
from mickle.teams import teams
from mickle.things import things
from tests.crash.dying import dying
from tests.model.both import IBAN, NAMES, PAGES, Both

# So low that earnings go out within a few months.
PAYOUT_MIN_MICROS = 2_000_000
ACCOUNT = {"iban": IBAN, "holder_name": "Whoever it is"}
# Deeds of a month.
LONGEST = 50
# Who has which part of the one team there is.
PARTED = (
    {"bob": 67, "charlie": 33},
    {"bob": 50, "charlie": 30, "dora": 20},
    {"alice": 34, "bob": 33, "charlie": 33},
    {"bob": 1, "dora": 99},
)
GRACE = timedelta(days=3)
STEPS = 200
QUICK, LONG = {"sqlite": 40_000, "postgresql": 10_000}, 1_000_000
# Split so that two workers can share them.
PARTS = 4

name = st.sampled_from(NAMES)
page = st.sampled_from(PAGES)
cents = st.integers(1, 2_000).map(lambda c: c * 10_000)
# A settlement passes some hundreds of boundaries.
death = st.one_of(*[st.none()] * 4, st.integers(1, 400))


def unless_gone(deed: Callable[..., None]) -> Callable[..., None]:
    """Nobody whose account is closed does anything."""

    @wraps(deed)
    def of(self: "Product", who: str, **drawn: Any) -> None:
        if who not in self.plain.gone:
            deed(self, who, **drawn)

    return of


class Product(Both):
    """Does each deed to the product and to the model."""

    def __init__(self) -> None:
        super().__init__()
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
            self._nod(who, what)
        self.team = teams.found(
            by=self.members["bob"], name="Band", percents=self.parts(PARTED[0]), at=self.at
        )
        self.agreed(PARTED[0])
        self.share("page0", inside=True)
        self.subscribe(who="alice", what="page0")

    @rule(who=name, amount=cents)
    @unless_gone
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
    @unless_gone
    def set_budget(self, who, amount, paused):
        members.set_budget(
            member=self.members[who], at=self.at, amount_micros=amount, paused=paused
        )
        self.plain.budget[who], self.plain.paused[who] = amount, paused

    @rule(who=name, pages=st.lists(page, min_size=1, max_size=5, unique=True))
    @unless_gone
    def nod(self, who, pages):
        for what in pages:
            self._nod(who, what)

    def _nod(self, who: str, what: str) -> None:
        if not self.plain.counts(who, what):
            with pytest.raises((nods.OwnThing, nods.NotNoddable)):
                nods.give(member=self.members[who], thing=self.fresh(what), at=self.at)
            return
        given = nods.give(member=self.members[who], thing=self.fresh(what), at=self.at)
        nod = (self.plain.month, who, self.plain.target(what))
        assert given.new == (nod not in self.plain.nods)
        self.plain.nods.add(nod)

    @rule(who=name, what=page)
    @unless_gone
    def take_back(self, who, what):
        given = self.plain.nods_at(who, what)
        if given:
            nods.take_back(member=self.members[who], thing=self.things[what], at=self.at)
            self.plain.nods -= given
        else:
            with pytest.raises(nods.NoNod):
                nods.take_back(member=self.members[who], thing=self.things[what], at=self.at)

    @rule(who=name, what=page)
    @unless_gone
    def subscribe(self, who, what):
        if self.plain.counts(who, what):
            nods.subscribe(
                member=self.members[who], thing=self.fresh(what), runs_months=None, at=self.at
            )
            self.plain.subscribed.add((who, self.plain.target(what)))

    @rule(who=name, what=page)
    @unless_gone
    def claim(self, who, what):
        if self.plain.owner[what] is None and self.plain.stands(what):
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

    @precondition(lambda self: len(self.plain.percents) < 2 + min(self.passed, 1))
    @rule(percents=st.sampled_from(PARTED))
    def agree(self, percents):
        if not self.plain.gone.isdisjoint(percents):
            return
        by = next(iter(self.plain.team(self.plain.month + 1)))
        teams.propose(
            team=self.team, by=self.members[by], percents=self.parts(percents), at=self.at
        )
        self.agreed(percents)

    @precondition(lambda self: len(self.plain.refused) < min(self.passed, 2))
    @rule(what=page)
    def refuse(self, what):
        if self.plain.stands(what):
            settlement.refuse(thing=self.fresh(what), at=self.at)
            self.plain.refuse(what)

    @precondition(lambda self: len(self.plain.into) < min(self.passed, 3))
    @rule(first=st.integers(0, 5), second=st.integers(0, 4))
    def merge(self, first, second):
        stand = [one for one in PAGES if self.plain.stands(one)]
        # First those into which another was merged before.
        chained = sorted(stand, key=lambda one: one not in self.plain.into.values())
        free = [one for one in chained if self.plain.owner[one] is None]
        if free and len(stand) > 2:
            what = free[first % len(free)]
            stand.remove(what)
            into = stand[second % len(stand)]
            things.merge(thing=self.fresh(what), into=self.fresh(into), at=self.at)
            self.plain.merge(what, into)
            self.release_all()

    @rule(who=name, what=page, ago=st.integers(1, 6))
    @unless_gone
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
    @precondition(lambda self: self.deeds > 30)
    @rule(months_pass=st.sampled_from((1,) * 15 + (7,) + (1,) * 15), die_at=death)
    def settle(self, months_pass, die_at):
        for _month in range(months_pass):
            self._settle(die_at)

    def _settle(self, die_at: int | None = None) -> None:
        self._settle_month(die_at)
        self.plain.settle()
        self.deeds = 0

    def _settle_month(self, die_at: int | None) -> None:
        """Settle the month; where the process dies in it the next one goes on."""
        due = {"month": self.plain.month, "at": months.start(self.plain.month + 1) + GRACE}
        if die_at is None:
            settlement.settle(**due)
            return
        with dying(die_at):
            settlement.settle(**due)
        with suppress(settlement.AlreadySettled):
            settlement.settle(**due)
        settlement.release_due(at=due["at"])

    @rule(who=name)
    @unless_gone
    def withdraw(self, who):
        whole = whole_minor(self.plain.revenue[who])
        if ("REVENUE", who) in self.plain.transit:
            return
        if whole < PAYOUT_MIN_MICROS:
            with pytest.raises(payouts.BelowMinimum):
                payouts.request(member=self.members[who], at=self.at, key=self.key())
            return
        payouts.request(member=self.members[who], at=self.at, key=self.key())
        self.plain.withdraw(who, whole)

    @rule(who=name, wanted=st.none() | cents)
    @unless_gone
    def refund(self, who, wanted):
        whole = whole_minor(self.plain.funds[who])
        if ("REFUND", who) in self.plain.transit:
            return
        deed = {"member": self.members[who], "at": self.at, "key": self.key()} | ACCOUNT
        if whole < (wanted or 1):
            with pytest.raises(payouts.NotRefundable):
                payouts.refund(**deed, amount_micros=wanted)
            return
        payouts.refund(**deed, amount_micros=wanted)
        self.plain.refund(who, wanted or whole)

    @precondition(lambda self: not self.plain.gone and self.passed > 1)
    @rule(who=name)
    def close(self, who):
        """Who was never in the team, and has nothing on its way, is gone at once."""
        if any(who in parts for _month, parts in self.plain.percents):
            return
        if any(name == who for _kind, name in self.plain.transit):
            return
        done = closing.close(member=self.members[who], at=self.at, open_nods="take_back", **ACCOUNT)
        assert done.done_at is not None
        self.plain.close(who)

    @precondition(lambda self: self.plain.transit)
    @rule(fails=st.booleans())
    def bank(self, fails):
        file = payouts.make_file(at=self.at)
        by_id = {member.id: name for name, member in self.members.items()}
        for one in file.payouts.all():
            if fails:
                payouts.mark_failed(payout=one, at=self.at, why="closed")
            else:
                payouts.mark_executed(payout=one, at=self.at)
            self.plain.arrive(one.kind, by_id[one.member_id], fails=fails)
        if fails:
            self.release_all()

    @rule(who=name, amount=st.integers(1, 5_000_000))
    @unless_gone
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
        # Some runs draw no settlement by themselves.
        if self.deeds == LONGEST:
            self._settle()
        self.compare()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
# A dead process closes no cursor.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("part", range(PARTS))
@override_settings(BANK_IBAN=IBAN, BANK_NAME="Mickle Test", PAYOUT_MIN_MICROS=PAYOUT_MIN_MICROS)
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
