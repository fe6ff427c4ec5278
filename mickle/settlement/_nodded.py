"""A member's nods of a month as statements read them: thousands at once, so no models."""

from typing import NamedTuple

from django.db import connection

from mickle.members.models import Member
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


def of(member: Member, month: int) -> list[Nodded]:
    """In order of thing id, the order of shares."""
    with connection.cursor() as cursor:
        cursor.execute(_OF, [month, member.id])
        return [
            Nodded(id_, weight, void, Page(id_, title, url, host), (line or "").lower())
            for id_, weight, void, title, url, host, line in cursor.fetchall()
        ]
