"""What a mail says at the close is what the settlement does, if nothing changes until then."""

import random
from datetime import timedelta

import pytest

from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.notices import _facts, notices
from mickle.notices._facts import Idle, Short
from mickle.notices.models import Notice
from mickle.settlement import settlement
from mickle.settlement.models import Spend
from mickle.things import things
from mickle.things.models import Thing
from tests.notices.mailing import Clock
from tests.people import EUR, NOVEMBER, member, thing, top_up

MONTHS, PEOPLE = 8, 24


def somebody(number: int, chance: random.Random, charities: list) -> Member:
    who = member(f"m{number:02}", month=NOVEMBER)
    if chance.random() < 0.4:
        choice = chance.choice([{"charity": chance.choice(charities)}, {"paused": True}])
        members.set_budget(member=who, at=months.start(NOVEMBER), **choice)
    return who


def live(who: Member, month: int, pages: list[Thing], chance: random.Random, often: float) -> None:
    """Top up or not, and nod or not, in a month."""
    at = months.start(month) + timedelta(days=1)
    if chance.random() < 0.3:
        top_up(who, f"{chance.randrange(1, 20)}.{chance.randrange(100):02}", month=month)
    if chance.random() < often:
        for page in chance.sample(pages, chance.randrange(1, 4)):
            if page.owner_id != who.id and page.state == Thing.State.ACTIVE:
                nods.give(member=who, thing=page, at=at)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("policy", "often"), [("charity", 0.4), ("keep", 0.1)])
def test_what_is_told_at_the_close_is_what_is_settled(clock: Clock, settings, policy, often, seed):
    settings.IDLE_POLICY = policy
    chance = random.Random(seed)
    charities = [members.list_charity(slug=s, name=s) for s in ("sea", "air")]
    people = [somebody(number, chance, charities) for number in range(PEOPLE)]
    pages = [thing(f"p{n}", chance.choice([None, *people])) for n in range(8)]
    told = set()
    for month in range(NOVEMBER, NOVEMBER + MONTHS):
        for who in people:
            live(who, month, pages, chance, often)
        if chance.random() < 0.3:
            # Nods that are given already do not count then.
            things.take_down(thing=chance.choice(pages), at=months.start(month))
            pages = list(Thing.objects.order_by("id"))
        clock.at = months.end(month)
        settlement.close_due(at=clock.at)
        notices.plan(at=clock.at)
        planned = set(
            Notice.objects.filter(month=month, kind="CLOSE").values_list("member_id", flat=True)
        )
        facts = {
            who.id: _facts.of(Notice(member=who, month=month, kind="CLOSE"), clock.at)
            for who in Member.objects.order_by("id")
        }
        # Nobody whom it concerns was left out.
        assert {id_ for id_, one in facts.items() if one is not None} <= planned
        settlement.settle(month=month, at=clock.at)
        for who in people:
            spend = Spend.objects.filter(member=who, month=month).first()
            told.add(compare(who, month, facts[who.id], spend))
    assert told == {"short", "idle", "paid", "nothing"}


def compare(who: Member, month: int, told: object, spend: Spend | None) -> str:
    given = spend.amount_micros if spend is not None else 0
    charity = spend.charity if spend is not None else None
    if isinstance(told, Idle):
        assert (given, charity) == (told.amount_micros, told.charity)
        return "idle"
    assert charity is None
    if isinstance(told, Short):
        assert given == told.left_micros
        assert told.left_micros < told.budget_micros
        return "short"
    if spend is None:
        return "nothing"
    # Whoever is told nothing and gives, gives the whole budget.
    assert given == members.plan(who, month).budget_micros == EUR("5.00")
    return "paid"
