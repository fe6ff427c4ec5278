"""One beginning for the product and the model, and what is the same of both after each deed."""

from collections import defaultdict
from datetime import datetime, timedelta

from django.db import connection
from hypothesis.stateful import RuleBasedStateMachine

from mickle.ledger import ledger
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.settlement import settlement
from mickle.teams import teams
from mickle.teams.models import Team
from mickle.things.models import Thing
from tests.emptying import empty
from tests.model.plain import Plain
from tests.people import NOVEMBER, instance_at, thing

IBAN = "DE89370400440532013000"
NAMES = ("alice", "bob", "charlie", "dora")
PAGES = tuple(f"page{i}" for i in range(6))

# Asked after each step, so it is not put together anew.
POTS = """
SELECT kind, holder_id, balance_micros FROM ledger_account
UNION ALL
SELECT 'open lines', 0, CAST(COALESCE(SUM(gross_micros), 0) AS BIGINT)
FROM settlement_line WHERE state = 'WAITING'
"""


class Both(RuleBasedStateMachine):
    """The product and the model with the same people and pages."""

    team: Team

    def __init__(self) -> None:
        super().__init__()
        empty()
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

    def parts(self, percents: dict[str, int]) -> dict[Member, int]:
        return {self.members[who]: percent for who, percent in percents.items()}

    def agreed(self, percents: dict[str, int]) -> None:
        """Everybody who is asked says yes."""
        asked = teams.open_agreement(self.team)
        for answer in asked.answers.filter(yes_at=None).order_by("member_id") if asked else ():
            teams.answer(agreement=asked, member=answer.member, yes=True, at=self.at)
        self.plain.agree(percents)

    def teardown(self) -> None:
        """Audit the world of this example."""
        checks = [
            *ledger.audit(),
            *settlement.audit(),
            *payins.audit(),
            *payouts.audit(),
            *teams.audit(),
        ]
        assert [check for check in checks if not check.ok] == []

    @property
    def at(self) -> datetime:
        return months.start(self.plain.month) + timedelta(days=10)

    @property
    def passed(self) -> int:
        """How many months have: what happens once or twice does not all happen in the first."""
        return self.plain.month - NOVEMBER

    def key(self) -> str:
        self.serial += 1
        return f"key {self.serial}"

    def fresh(self, one: str) -> Thing:
        return Thing.objects.get(id=self.things[one].id)

    def release_all(self) -> None:
        """What somebody came to receive for."""
        settlement.release_due(at=self.at)
        self.plain.release_all()

    def compare(self) -> None:
        """Every pot holds what the model says."""
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
        assert sum(pots["PAYOUT"].values()) == sum(
            amount for amount, _counted in plain.transit.values()
        )
        assert pots["open lines"][0] == sum(plain.waiting.values())
