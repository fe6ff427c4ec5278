"""A member's nods of a month as statements read them: thousands at once, so no models."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection

from mickle.members.models import Member
from mickle.settlement import _past
from mickle.settlement.models import Line
from mickle.things.models import Thing

_OF = """
SELECT n.thing_id, t.title, t.url, t.host, n.weight, n.void, LOWER(COALESCE(l.state, ''))
FROM nods_nod n JOIN things_thing t ON t.id = n.thing_id
LEFT JOIN settlement_line l ON l.month = n.month AND l.thing_id = n.thing_id
WHERE n.month = %s AND n.member_id = %s ORDER BY n.thing_id
"""


class Nodded(NamedTuple):
    """A thing with a nod at it, and the state of its line once the month is settled."""

    id: int
    title: str
    url: str
    host: str
    weight: int
    void: str
    line: str

    def __str__(self) -> str:
        return self.title or self.url


_RUNNING = """
SELECT n.weight, n.void, t.id, t.title, t.url, t.host, t.state, t.owner_id, t.merged_into_id
FROM nods_nod n JOIN things_thing t ON t.id = n.thing_id
WHERE n.month = %s AND n.member_id = %s ORDER BY n.thing_id
"""


class There(NamedTuple):
    """A thing as a month that is not settled sees it."""

    id: int
    title: str
    url: str
    host: str
    state: str
    owner_id: int | None
    merged_into_id: int | None

    def __str__(self) -> str:
        return self.title or self.url


class Running(NamedTuple):
    """A nod of such a month."""

    weight: int
    void: str
    thing: There


class Share(NamedTuple):
    """One nod; its state: paid, waiting, released, returned, void or nothing.

    In a forecast planned, where it would be paid. In arrears also due, until its charge is paid,
    and dropped, if it never was.
    """

    thing: There | Nodded
    amount_micros: int
    fee_micros: int
    state: str
    weight: int


def of(member: Member, month: int) -> list[Nodded]:
    """In order of thing id, the order of shares; raises NoArchive."""
    # What comes back between the first two looks is seen by the third.
    return _here(member, month) or _left(member, month) or _here(member, month)


def _here(member: Member, month: int) -> list[Nodded]:
    with connection.cursor() as cursor:
        cursor.execute(_OF, [month, member.id])
        return list(map(Nodded._make, cursor.fetchall()))


def running(member: Member, month: int) -> list[Running]:
    """The nods of a month that is not settled, in order of thing id."""
    with connection.cursor() as cursor:
        cursor.execute(_RUNNING, [month, member.id])
        return [Running(weight, void, There(*thing)) for weight, void, *thing in cursor.fetchall()]


def there(ids: Iterable[int]) -> dict[int, There]:
    """Things by number."""
    rows = Thing.objects.filter(id__in=ids).values_list(*There._fields)
    return {row[0]: There(*row) for row in rows}


def _left(member: Member, month: int) -> list[Nodded]:
    """The same of nods that have left the table."""
    past = _past.of(member, month)
    ids = [nod.thing_id for nod in past]
    pages = {
        row[0]: row
        for row in Thing.objects.filter(id__in=ids).values_list("id", "title", "url", "host")
    }
    rows = Line.objects.filter(month=month, thing__in=ids)
    states = {thing: state.lower() for thing, state in rows.values_list("thing_id", "state")}
    return [
        Nodded(*pages[nod.thing_id], nod.weight, nod.void, states.get(nod.thing_id, ""))
        for nod in past
    ]
