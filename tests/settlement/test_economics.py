"""Nobody gains by nodding in a circle: a closed group gets out what it put in, less the fee."""

import random
from collections import defaultdict

import pytest

from mickle.lib import bulk
from mickle.settlement import _database, _engine
from mickle.settlement._protocol import Input
from tests.people import NOVEMBER

pytestmark = pytest.mark.django_db

ECONOMIES = 10_000
# Members and things of an economy are numbered from a multiple of this on.
SIZE = 10
Row = tuple[int, ...]


def economies(chance: random.Random) -> dict[str, list[Row]]:
    """Small closed groups: their members nod at what one of them owns, and at nothing else."""
    found: dict[str, list[Row]] = defaultdict(list)
    for first in range(SIZE, SIZE * (ECONOMIES + 1), SIZE):
        members = range(first, first + chance.randrange(1, SIZE))
        things = range(first, first + chance.randrange(1, SIZE))
        for thing in things:
            found["s_thing"].append((thing, chance.choice(members)))
        for one in members:
            # As small as it gets: shares of less than a micro and fees of less than one.
            spend = chance.choice([1, chance.randrange(1, 40), chance.randrange(1, 10**8)])
            found["s_spend"].append((one, spend))
            for thing in chance.sample(things, chance.randrange(1, len(things) + 1)):
                found["s_nod"].append((NOVEMBER, one, thing, chance.choice([1, 1, 2, 100])))
    found["s_rate"] = [(1000,)]
    return found


def kept(name: str, columns: str, rows: list[Row]) -> Input:
    """These rows as an input, in a table of the connection."""
    table = f"kept_{name}"
    bulk.keep(table, columns.split(", "), [rows], key="")
    return Input(columns, f"SELECT {columns} FROM {table}")


@pytest.fixture
def settled() -> tuple[dict[str, list[Row]], dict[int, tuple[int, int]]]:
    """Random economies, and what each owner got of them: gross and fee."""
    drawn = economies(random.Random("economies"))
    inputs = {
        name: kept(name, found.columns, drawn[name])
        for name, found in _engine.inputs(NOVEMBER, 1000).items()
    }
    _database.forget()
    with _database.opened(inputs) as engine:
        _engine.run(engine, NOVEMBER, sum(spend for _one, spend in drawn["s_spend"]))
        paid = {
            owner: (gross, fee)
            for rows in engine.rows("SELECT owner, gross, fee FROM s_owner_credit")
            for owner, gross, fee in rows
        }
    return drawn, paid


def test_no_closed_group_gets_out_more_than_it_put_in(settled):
    drawn, paid = settled
    into, out, fees = (defaultdict(int) for _sum in range(3))
    for one, spend in drawn["s_spend"]:
        into[one // SIZE] += spend
    for owner, (gross, fee) in paid.items():
        out[owner // SIZE] += gross - fee
        fees[owner // SIZE] += fee
    assert len(into) == ECONOMIES
    for group, spent in into.items():
        assert out[group] + fees[group] == spent
    assert sum(fees.values()) > 0.09 * sum(into.values())


def test_no_part_of_a_group_gains_by_what_the_others_lose_in_rounding(settled):
    """What an owner gets is what was nodded to them, and less than a micro a nod more or less."""
    drawn, paid = settled
    owner = dict(drawn["s_thing"])
    spends = dict(drawn["s_spend"])
    weights: dict[int, int] = defaultdict(int)
    for _month, one, _thing, weight in drawn["s_nod"]:
        weights[one] += weight
    ideal, nods = defaultdict(float), defaultdict(int)
    for _month, one, thing, weight in drawn["s_nod"]:
        ideal[owner[thing]] += spends[one] * weight / weights[one]
        nods[owner[thing]] += 1
    for one, due in ideal.items():
        gross, _fee = paid.get(one, (0, 0))
        assert abs(gross - due) < nods[one] + 1e-3
    assert abs(sum(gross for gross, _fee in paid.values()) - sum(ideal.values())) < 1
