"""A year of an economy, one kill -9 a month: after each month all of it is recomputed.

A few hundred members in every run, 100,000 with twenty nods a month each with --long.
"""

import random
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from mickle.ledger import ledger
from mickle.ledger.ledger import Kind
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Budget, Member
from mickle.nods import nods
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.settlement import settlement
from mickle.settlement.models import Line, Spend
from mickle.things.models import Thing
from tests.crash.test_kill_settling import Settler
from tests.people import instance_at
from tests.settlement.test_settle import all_hold

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

JANUARY = months.parse("2027-01")
MEMBERS, MEMBERS_LONG, NODS, FIRST_THING = 300, 100_000, 20, 1_000
LOOKED_AT = 20


class Economy:
    """Members with budgets and funds, half as many pages, most of them owned."""

    def __init__(self, size: int, chance: random.Random) -> None:
        self.chance, self.size = chance, size
        instance_at("2027-01")
        members.list_charity(slug="library", name="Library")
        start = months.start(JANUARY)
        rows = (
            Member(
                username=f"m{i}",
                email=f"m{i}@example.org",
                joined_at=start,
                funded_month=JANUARY - 1,
                topped_up_micros=2_000_000,
            )
            for i in range(size)
        )
        self.ids = [one.id for one in Member.objects.bulk_create(rows, batch_size=5_000)]
        budgets = (
            Budget(member_id=one, month=JANUARY, amount_micros=chance.randrange(2, 21) * 1_000_000)
            for one in self.ids
        )
        Budget.objects.bulk_create(budgets, batch_size=5_000)
        self.things = range(FIRST_THING, FIRST_THING + size // 2)
        pages = (self._page(id_, start) for id_ in self.things)
        Thing.objects.bulk_create(pages, batch_size=5_000)

    def _page(self, id_: int, at) -> Thing:
        url = f"https://t{id_}.example/"
        owner = self.chance.choice(self.ids) if self.chance.random() < 0.8 else None
        facts = {"url": url, "raw_url": url, "host": f"t{id_}.example", "created_at": at}
        return Thing(id=id_, identity=f"v1:t{id_}.example/", owner_id=owner, **facts)

    def live(self, month: int) -> None:
        """Money comes in, nods are given, and some pages find their owners late."""
        self._fund(month)
        at = months.start(month)
        some = (self.chance.paretovariate(0.6) for _nod in range(self.size * NODS))
        pairs = {
            (self.ids[place // NODS], FIRST_THING + int(drawn) % len(self.things))
            for place, drawn in enumerate(some)
        }
        nods.record_many((month, *pair, at, "economy") for pair in sorted(pairs))
        unowned = list(Thing.objects.filter(owner=None).order_by("id").values_list("id", flat=True))
        for one in self.chance.sample(unowned, len(unowned) // 8):
            Thing.objects.filter(id=one).update(owner=self.chance.choice(self.ids))

    def _fund(self, month: int) -> None:
        ledger.post_from_select(
            "SELECT 'in:' || CAST(%(month)s AS TEXT) || ':' || CAST(m.id AS TEXT) AS key,"
            " 'PROVIDER' AS debit_kind, 0 AS debit_holder, 'FUNDS' AS credit_kind,"
            " m.id AS credit_holder, 1000000 * (m.id %% 15 + 1) AS amount_micros"
            " FROM members_member m",
            {"month": month},
            reason="TOP_UP",
            month=None,
            at=months.start(month),
        )


@pytest.fixture
def settler() -> Iterator[Settler]:
    here = Settler("--as-it-is")
    yield here
    here.stop()


def test_a_year_with_a_kill_a_month_keeps_every_invariant(settler, request):
    size = MEMBERS_LONG if request.config.getoption("--long") else MEMBERS
    economy, takes_s, killed = Economy(size, random.Random(30)), 1.0, 0
    for month in range(JANUARY, JANUARY + 12):
        economy.live(month)
        at = months.start(month + 1) + timedelta(days=4)
        began = time.monotonic()
        killed += not settler.settle(month, at, economy.chance.uniform(0, takes_s))
        settler.settle(month, at)
        takes_s = time.monotonic() - began
        # As the next worker does: the shares of a long line follow its decision.
        settlement.release_due(at=at)
        look_at(month, economy)
    assert killed > 3


def look_at(month: int, economy: Economy) -> None:
    """The audit, the rule of the fee, and what members read beside what the books say."""
    all_hold([*ledger.audit(), *settlement.audit(), *payouts.audit()])
    lines = Line.objects.filter(month=month)
    paid = lines.exclude(owner=None).values_list("gross_micros", "fee_micros")
    assert all(fee == gross // 10 for gross, fee in paid)
    whole = sum(lines.values_list("gross_micros", flat=True))
    assert whole == sum(
        Spend.objects.filter(month=month, charity=None).values_list("amount_micros", flat=True)
    )
    unclaimed = sum(Line.objects.filter(state="WAITING").values_list("gross_micros", flat=True))
    assert ledger.total(Kind.WAITING) == unclaimed
    for one in economy.chance.sample(economy.ids, LOOKED_AT):
        who = Member.objects.get(id=one)
        told = settlement.statement(member=who, month=month)
        given = [move for move in told.movements if move.row.credit.kind == Kind.POOL]
        assert sum(move.amount_micros for move in given) == -told.spend_micros
        assert sum(share.amount_micros for share in told.shares) == told.spend_micros
        assert told.funds_end_micros >= 0
    assert payins.standing() == []
