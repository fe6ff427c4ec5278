"""A drawn month that is in a file, in a process of its own: `python -m bench.growing DEED FILE`.

It fills an instance in columns: the rooms' own verbs take rows one by one as they are made.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from django.db import connection, transaction

from bench import child, world
from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import months
from mickle.lib.money import MICROS
from mickle.members import members as people
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.ops import database
from mickle.payins import payins
from mickle.things import things as pages

# Rows in one transaction of SQLite, whose log would else grow as large as its database.
AT_ONCE = 1_000_000
NodRow = tuple[int, int, int, datetime, str]


def fill(month: world.Month) -> dict[str, float]:
    """Write the month into an empty instance."""
    database.make_ready()
    began = time.perf_counter()
    instance.begin(month=world.when())
    first = _join(month)
    _top_up(month, first)
    _add_pages(month, first)
    with _without_indexes():
        for rows in _nods(month, first):
            nods.record_many(rows)
    # What the clock makes due is done: what is measured later is the month end alone.
    ledger.seal(at=instance.now())
    return {"seconds": time.perf_counter() - began, "nods": Nod.objects.count()}


def _join(month: world.Month) -> int:
    """Make the members; the number of the first, whom the others follow."""
    at = months.start(world.when() - 1)
    described = (
        people.NewMember(username=f"m{n}", joined_at=at, budget_micros=budget * MICROS)
        for n, budget in enumerate(month.budget.tolist())
    )
    ids = people.join_many(described, budget_month=world.when())
    assert ids[-1] - ids[0] == len(ids) - 1
    return ids[0]


def _top_up(month: world.Month, first: int) -> None:
    funds = month.funds.tolist()
    for start in range(0, len(funds), AT_ONCE):
        payins.top_up_many(
            [
                payins.Described(first + n, f"m{n}", funds[n] * MICROS, world.when() - 1)
                for n in range(start, min(start + AT_ONCE, len(funds)))
            ]
        )


def _add_pages(month: world.Month, first: int) -> None:
    at = instance.now()
    described = (
        pages.NewThing(
            url=f"https://t{n}.example/",
            created_at=at,
            thing_id=n + 1,
            title=f"Thing {n}",
            owner_id=first + owner if owner >= 0 else None,
        )
        for n, owner in enumerate(month.owner.tolist())
    )
    with transaction.atomic():
        pages.bulk_add(described)


def _nods(month: world.Month, first: int) -> Iterator[Iterator[NodRow]]:
    """The nods, in as many goes as the database likes: PostgreSQL checks keys at an end of each."""
    size = month.member.size
    at_once = AT_ONCE if connection.vendor == "sqlite" else size
    for start in range(0, size, at_once):
        yield _rows(month, first, start, min(start + at_once, size))


def _rows(month: world.Month, first: int, start: int, end: int) -> Iterator[NodRow]:
    when = world.when()
    at = months.start(when)
    for some in range(start, end, world.BLOCK):
        part = slice(some, min(some + world.BLOCK, end))
        both = zip(month.member[part].tolist(), month.thing[part].tolist(), strict=True)
        for member, thing in both:
            yield when, first + member, thing + 1, at, "page"


@contextmanager
def _without_indexes() -> Iterator[None]:
    """Write the indexes that are not in order of member at the end, each at one go."""
    indexes = Nod._meta.indexes  # noqa: SLF001 - Django's own way to them
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.remove_index(Nod, index)
    yield
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.add_index(Nod, index)


if __name__ == "__main__":
    deed, path = sys.argv[1], Path(sys.argv[2])
    drawn = partial(world.read, path)
    print(json.dumps(fill(drawn()) if deed == "fill" else child.settled(drawn)))
