"""Arrears in SQL beside a plain model: random members and weights, two months, some who pay."""

import random
from collections import defaultdict
from datetime import timedelta

import pytest

from mickle.ledger import ledger
from mickle.lib import money, months
from mickle.members.models import Budget, Member
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.settlement import arrears, settlement
from mickle.settlement.models import Charge, Received
from mickle.things.models import Thing
from tests.people import EARLY_DECEMBER, MID_NOVEMBER, NOVEMBER
from tests.settlement import test_property
from tests.settlement.test_property import positive
from tests.settlement.test_settle import all_hold

DECEMBER, CENT, LEAST = NOVEMBER + 1, 10_000, 2_000_000
MID_DECEMBER = MID_NOVEMBER + timedelta(days=30)


class Model:
    """The rules in plain Python: what each member is charged, and what it brings to whom."""

    def __init__(self, funds: dict[int, int]) -> None:
        self.funds = dict(funds)
        self.plans = defaultdict(list)
        for row in Budget.objects.order_by("month"):
            self.plans[row.member_id].append(row)
        self.put_off: dict[tuple[int, int], int] = {}
        # By member: (month, thing, micros) of each share that is due and not charged yet.
        self.due: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        self.charged: dict[int, list[list[tuple[int, int, int]]]] = defaultdict(list)
        self.gross: dict[tuple[int, int], int] = defaultdict(int)

    def settle(self, month: int) -> None:
        things = {one.id: one for one in Thing.objects.all()}
        received = set(
            Member.objects.filter(topped_up_micros__gte=2_000_000).values_list("id", flat=True)
        )
        owner = {t.id: t.owner_id for t in things.values() if t.owner_id in received}
        for (member, thing), micros in list(self.put_off.items()):
            if thing in owner and things[thing].state == "ACTIVE" and owner[thing] != member:
                self.due[member].append((month - 1, thing, micros))
                del self.put_off[member, thing]
        given: dict[int, dict[int, int]] = defaultdict(dict)
        rows = Nod.objects.filter(month=month).values_list("member_id", "thing_id", "weight")
        for member, thing, weight in rows:
            if things[thing].state == "ACTIVE" and things[thing].owner_id != member:
                given[member][thing] = weight
        for member, liked in given.items():
            self._member(member, month, liked, owner)
        for member, dues in list(self.due.items()):
            if sum(micros for _month, _thing, micros in dues) >= LEAST:
                self.charged[member].append(self.due.pop(member))

    def _member(
        self, member: int, month: int, liked: dict[int, int], owner: dict[int, int]
    ) -> None:
        plans = [plan for plan in self.plans[member] if plan.month <= month]
        if plans and plans[-1].paused:
            return
        budget, total = plans[-1].amount_micros if plans else 5_000_000, sum(liked.values())
        mine = {thing: weight for thing, weight in liked.items() if thing in owner}
        spend = budget * sum(mine.values()) // total // CENT * CENT
        if spend:
            shares = money.share_out(spend, mine).items()
            self.due[member] += [(month, thing, micros) for thing, micros in shares]
        for thing in set(liked) - set(mine):
            if part := budget * liked[thing] // total // CENT * CENT:
                self.put_off[member, thing] = part

    def collect(self) -> None:
        for member, charges in self.charged.items():
            charges.sort(key=lambda dues: sum(micros for _month, _thing, micros in dues))
            while charges and self.funds[member] >= sum(micros for _m, _t, micros in charges[0]):
                for month, thing, micros in charges.pop(0):
                    self.funds[member] -= micros
                    if micros:
                        self.gross[month, thing] += micros


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_charged_and_received_equals_the_plain_model(seed, settings, monkeypatch):
    settings.MODE = "arrears"
    monkeypatch.setattr(test_property, "MEMBERS", 1_500)
    model, chance = Model(test_property.world(seed)), random.Random(seed)
    settle(model, NOVEMBER)
    nobodys = list(Thing.objects.filter(owner=None).order_by("id"))
    owners = list(Member.objects.filter(topped_up_micros__gte=2_000_000).order_by("id"))
    for page in chance.sample(nobodys, len(nobodys) // 2):
        Thing.objects.filter(id=page.id).update(owner=chance.choice(owners))
    ids = list(Member.objects.order_by("id").values_list("id", flat=True))
    pairs = {(one, 1_000 + chance.randrange(700)) for one in ids for _nod in range(2)}
    nods.record_many((DECEMBER, *pair, MID_DECEMBER, "random", 1) for pair in sorted(pairs))
    settle(model, DECEMBER)
    assert Charge.objects.filter(state="PAID").exists()
    assert Charge.objects.filter(state="ASKED").exists()


def settle(model: Model, month: int) -> None:
    model.settle(month)
    at = EARLY_DECEMBER + (months.end(month) - months.end(NOVEMBER))
    settlement.settle(month=month, at=at)
    asked: dict[int, list[int]] = defaultdict(list)
    for charge in arrears.open_charges():
        asked[charge.member_id].append(charge.amount_micros)
    assert {one: sorted(found) for one, found in asked.items()} == {
        one: sorted(sum(micros for _m, _t, micros in dues) for dues in charges)
        for one, charges in model.charged.items()
        if charges
    }
    arrears.collect(at=at)
    model.collect()
    assert positive(ledger.balances("FUNDS")) == positive(model.funds)
    facts = Received.objects.values_list("month", "thing_id", "gross_micros", "fee_micros")
    assert {(row[0], row[1]): row[2:] for row in facts} == {
        key: (gross, gross // 10) for key, gross in model.gross.items()
    }
    all_hold([*ledger.audit(), *settlement.audit()])
