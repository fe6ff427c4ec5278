"""One world with given ids comes to the same bytes on SQLite and on PostgreSQL."""

import hashlib
import random

import pytest

from mickle.ledger import ledger
from mickle.lib import months
from mickle.members.models import Member
from mickle.nods import nods
from mickle.settlement import _proof, settlement
from mickle.settlement.models import Line, Split
from mickle.things.models import Thing
from tests.people import EARLY_DECEMBER, MID_NOVEMBER, NOVEMBER, instance_at

PEOPLE, PAGES = 400, 90
# Of all splits, lines and balances below; both databases have to come to it.
SAME = "e591dbffffda734d01d468b563e04147d35dfb9d632594b16088b9877ee44808"


def world() -> None:
    chance = random.Random("same bytes")
    instance_at("2026-11")
    Member.objects.bulk_create(
        Member(
            id=1000 + i,
            username=f"m{i}",
            email=f"m{i}@example.org",
            joined_at=MID_NOVEMBER,
            funded_month=NOVEMBER - 1,
            topped_up_micros=chance.choice([0, 2_000_000]),
        )
        for i in range(PEOPLE)
    )
    Thing.objects.bulk_create(
        Thing(
            id=5000 + i,
            identity=f"v1:t{i}.example/",
            url=f"https://t{i}.example/",
            raw_url=f"https://t{i}.example/",
            host=f"t{i}.example",
            owner_id=chance.choice([None, 1000 + chance.randrange(PEOPLE)]),
            created_at=MID_NOVEMBER,
        )
        for i in range(PAGES)
    )
    rows = {
        (NOVEMBER, 1000 + i, 5000 + chance.randrange(PAGES))
        for i in range(PEOPLE)
        for _nod in range(chance.randrange(12))
    }
    nods.record_many((*row, MID_NOVEMBER, "random") for row in sorted(rows))
    fund(chance)


def fund(chance: random.Random) -> None:
    for i in range(PEOPLE):
        ledger.post(
            key=f"in:{i}",
            debit=ledger.PROVIDER,
            credit=ledger.funds(1000 + i),
            amount_micros=chance.randrange(1, 9_000_000),
            reason="TOP_UP",
            at=months.start(NOVEMBER - 1),
        )


def result() -> str:
    parts = [
        sorted(Split.objects.values_list("member_id", "n", "slice_micros", "rem", "cut_thing")),
        sorted(Line.objects.values_list("thing_id", "nods", "gross_micros", "fee_micros", "state")),
        *(sorted(ledger.balances(kind).items()) for kind in ("FUNDS", "WAITING", "REVENUE")),
        ledger.balance(ledger.FEE),
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


# The root of its proof, where the key is this one.
KEY = "ab" * 32
SAME_ROOT = "0d7c92a804f477bdca689de9513b9f713c17bf3f0b311ffe45c796f692683808"


@pytest.mark.django_db
def test_both_databases_come_to_the_same_bytes(monkeypatch):
    monkeypatch.setattr(_proof.secrets, "token_hex", lambda _size: KEY)
    world()
    done = settlement.settle(month=NOVEMBER, at=EARLY_DECEMBER)
    assert result() == SAME
    assert done.proof_root == SAME_ROOT
