"""Writing many nods at once: subscriptions and described worlds."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from itertools import islice

from django.db import connection
from django.db.backends.utils import CursorWrapper

from mickle.lib import bulk
from mickle.lib.sql import Params, Value, instant
from mickle.teams.asking import PARTNERS

NodRow = tuple[int, int, int, datetime, str] | tuple[int, int, int, datetime, str, int]
COLUMNS = ("month", "member_id", "thing_id", "at", "source", "weight")

# Few statements, each counting a popular thing once; and a bar that moves while they run.
CHUNK = 100_000
# SQLite takes 32,766 parameters a statement.
MARKS = 5_000

# The monthly nods at what is the member's own through a team.
_SHARED = PARTNERS.format(
    asked="""
SELECT s.id AS place, t.id AS thing, s.member_id AS member
FROM nods_subscription s
JOIN things_thing chosen ON chosen.id = s.thing_id
JOIN things_thing t ON t.id = COALESCE(chosen.merged_into_id, chosen.id)
WHERE s.ended_at IS NULL AND {which} AND t.owner_id IN (SELECT keeper_id FROM teams_putin)
"""
)
_DUE = "s.first_month <= %(month)s AND s.renewed_through < %(month)s"
_RENEW = f"""
INSERT INTO nods_nod (month, member_id, thing_id, at, source, void, key)
SELECT %(month)s, s.member_id, t.id, %(at)s, 'subscription', '', ''
FROM nods_subscription s
JOIN members_member m ON m.id = s.member_id
JOIN things_thing chosen ON chosen.id = s.thing_id
JOIN things_thing t ON t.id = COALESCE(chosen.merged_into_id, chosen.id)
WHERE s.ended_at IS NULL AND {_DUE}
  AND (s.last_month IS NULL OR s.last_month >= %(month)s)
  AND m.closed_at IS NULL AND m.closing_at IS NULL
  AND t.state = 'ACTIVE' AND (t.owner_id IS NULL OR t.owner_id <> s.member_id)
  AND s.id NOT IN (SELECT place FROM ({_SHARED.format(which=_DUE)}) shared)
ON CONFLICT DO NOTHING
RETURNING month, member_id, thing_id
"""

# Without the WHERE SQLite would read the ON as that of a join.
_RECORD = """
INSERT INTO nods_nod (month, member_id, thing_id, at, source, void, key, weight)
SELECT month, member_id, thing_id, at, source, '', '', weight FROM nods_given WHERE TRUE
ON CONFLICT DO NOTHING
RETURNING month, member_id, thing_id
"""

# What was inserted never leaves the database.
_INSERT_AND_COUNT = """
WITH new AS ({insert}), counted AS (
  INSERT INTO nods_count (thing_id, total)
  SELECT thing_id, COUNT(*) FROM new
  JOIN nods_givers g ON g.id = new.member_id AND g.funded_month <= new.month
  GROUP BY thing_id ORDER BY thing_id
  ON CONFLICT (thing_id) DO UPDATE SET total = nods_count.total + excluded.total
)
SELECT COUNT(*) FROM new
"""

# A member whose first top-up runs is waited for, and then read as it left them. Kept in a table
# with statistics: joined with all members it takes minutes where those still know an empty table.
_HOLD_GIVERS = """
SELECT id, funded_month FROM members_member WHERE id IN ({who}) ORDER BY id FOR SHARE
"""
_SUBSCRIBED = "SELECT member_id FROM nods_subscription WHERE ended_at IS NULL"
_GIVEN = "SELECT member_id FROM nods_given"

_NOTE_RENEWED = """
UPDATE nods_subscription SET renewed_through = %(month)s
WHERE ended_at IS NULL AND first_month <= %(month)s AND renewed_through < %(month)s
"""

_ADD_COUNT = """
INSERT INTO nods_count (thing_id, total) VALUES (%s, %s)
ON CONFLICT (thing_id) DO UPDATE SET total = nods_count.total + excluded.total
"""

_COUNT_IN = """
INSERT INTO nods_count (thing_id, total)
SELECT thing_id, 1 FROM nods_nod WHERE member_id = %(member)s AND month = %(month)s
ORDER BY thing_id
ON CONFLICT (thing_id) DO UPDATE SET total = nods_count.total + 1
"""

_WRONG_COUNTS = """
SELECT t.id, COALESCE(c.total, 0), COALESCE(r.total, 0) + COALESCE(p.total, 0)
FROM things_thing t
LEFT JOIN nods_count c ON c.thing_id = t.id
LEFT JOIN nods_pastcount p ON p.thing_id = t.id
LEFT JOIN (
  SELECT n.thing_id AS thing_id, COUNT(*) AS total FROM nods_nod n
  JOIN members_member m ON m.id = n.member_id
  WHERE m.funded_month <= n.month GROUP BY n.thing_id
) r ON r.thing_id = t.id
WHERE COALESCE(c.total, 0) <> COALESCE(r.total, 0) + COALESCE(p.total, 0)
LIMIT 5
"""


def renew(*, month: int, at: datetime) -> int:
    """Insert the subscriptions' nods of a month and count those of members who have topped up."""
    with connection.cursor() as cursor:
        written = _insert(cursor, _RENEW, {"month": month, "at": instant(at)}, who=_SUBSCRIBED)
        cursor.execute(_NOTE_RENEWED, {"month": month})
    return written


def shared(*, member_id: int, month: int) -> set[int]:
    """The ids of a member's monthly nods that rest in a month: the pages are their teams'."""
    with connection.cursor() as cursor:
        text = _SHARED.format(which="s.member_id = %(member)s")
        cursor.execute(text, {"member": member_id, "month": month})
        return {place for place, _member in cursor.fetchall()}


def record(rows: Iterable[NodRow]) -> int:
    """Insert described nods in chunks; repeats change nothing."""
    written, source = 0, iter(rows)
    with connection.cursor() as cursor, bulk.filling(cursor, "nods_nod"):
        while chunk := list(islice(source, CHUNK)):
            given = (_weighed(row) for row in chunk)
            with bulk.staged(cursor, "nods_given", COLUMNS, given, like="nods_nod"):
                written += _insert(cursor, _RECORD, {}, who=_GIVEN)
    return written


def _weighed(row: NodRow) -> tuple[Value, ...]:
    month, member, thing, at, source, *weight = row
    return (month, member, thing, instant(at), source, *(weight or (1,)))


def _insert(cursor: CursorWrapper, text: str, names: Params, *, who: str) -> int:
    """Insert what is new and add it to the public counts; returns how many."""
    if connection.vendor == "postgresql":
        bulk.stage(cursor, "nods_givers", _HOLD_GIVERS.format(who=who), key="id")
        cursor.execute(_INSERT_AND_COUNT.format(insert=text), names)
        written: int = cursor.fetchone()[0]
        return written
    cursor.execute(text, names)
    new = cursor.fetchall()
    for month in sorted({row[0] for row in new}):
        _count(cursor, month, [row[1:] for row in new if row[0] == month])
    return len(new)


def _count(cursor: CursorWrapper, month: int, pairs: list[tuple[int, int]]) -> None:
    funded = _funded(cursor, {member for member, _thing in pairs}, month)
    totals = Counter(thing for member, thing in pairs if member in funded)
    cursor.executemany(_ADD_COUNT, sorted(totals.items()))


def _funded(cursor: CursorWrapper, member_ids: set[int], month: int) -> set[int]:
    found: set[int] = set()
    ordered = sorted(member_ids)
    for start in range(0, len(ordered), MARKS):
        part = ordered[start : start + MARKS]
        marks = ", ".join(["%s"] * len(part))
        cursor.execute(
            f"SELECT id FROM members_member WHERE funded_month <= %s AND id IN ({marks})",
            [month, *part],
        )
        found.update(row[0] for row in cursor.fetchall())
    return found


def count_in(*, member_id: int, month: int) -> None:
    """Count a member's nods of a month that were given before the first top-up."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_IN, {"member": member_id, "month": month})


def wrong_counts() -> list[tuple[int, int, int]]:
    """Things whose public count differs from its nods."""
    with connection.cursor() as cursor:
        cursor.execute(_WRONG_COUNTS)
        found: list[tuple[int, int, int]] = cursor.fetchall()
    return found
