"""A member's nods of a month as statements read them: thousands at once, so no models."""

from typing import NamedTuple

from django.db import connection

from mickle.members.models import Member
from mickle.settlement import _past
from mickle.settlement.models import Line
from mickle.things.models import Thing
from mickle.things.things import Page

_OF = """
SELECT n.thing_id, n.weight, n.void, t.title, t.url, t.host, l.state
FROM nods_nod n JOIN things_thing t ON t.id = n.thing_id
LEFT JOIN settlement_line l ON l.month = n.month AND l.thing_id = n.thing_id
WHERE n.month = %s AND n.member_id = %s ORDER BY n.thing_id
"""


class Nodded(NamedTuple):
    """A nod, and the state of its line once the month is settled."""

    thing_id: int
    weight: int
    void: str
    thing: Page
    line: str


class Share(NamedTuple):
    """One nod; its state: paid, waiting, released, returned, void or nothing.

    In a forecast planned, where it would be paid. In arrears also due, until its charge is paid,
    and dropped, if it never was.
    """

    thing: Thing | Page
    amount_micros: int
    fee_micros: int
    state: str
    weight: int


def of(member: Member, month: int) -> list[Nodded]:
    """In order of thing id, the order of shares; raises NoArchive."""
    with connection.cursor() as cursor:
        cursor.execute(_OF, [month, member.id])
        found = [
            Nodded(id_, weight, void, Page(id_, title, url, host), (line or "").lower())
            for id_, weight, void, title, url, host, line in cursor.fetchall()
        ]
    return found or _left(member, month)


def _left(member: Member, month: int) -> list[Nodded]:
    """The same of nods that have left the table."""
    past = _past.of(member, month)
    ids = [nod.thing_id for nod in past]
    pages = {
        row[0]: Page(*row)
        for row in Thing.objects.filter(id__in=ids).values_list("id", "title", "url", "host")
    }
    rows = Line.objects.filter(month=month, thing__in=ids)
    states = {thing: state.lower() for thing, state in rows.values_list("thing_id", "state")}
    return [
        Nodded(
            nod.thing_id, nod.weight, nod.void, pages[nod.thing_id], states.get(nod.thing_id, "")
        )
        for nod in past
    ]
