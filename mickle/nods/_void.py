"""The marks of a freeze: which nods of a closed month do not count, and why.

What has to be marked is read first, and written in short transactions; run again, it goes on.
"""

from collections import Counter

from django.db import connection

from mickle.lib import bulk, chunks
from mickle.lib.chunks import Range
from mickle.lib.sql import Params
from mickle.nods.models import Nod

# In these texts CROSS JOIN keeps SQLite to the order written: from the few that may not count to
# their nods, where it would read every nod of the month.
# `again`: the member's nod at the target, or at a thing that comes before it there, counts already.
_MERGED = """
SELECT n.member_id AS member, n.thing_id AS thing, t.merged_into_id AS target,
       CASE WHEN EXISTS (
         SELECT 1 FROM nods_nod other
         WHERE other.month = n.month AND other.member_id = n.member_id
           AND other.thing_id = t.merged_into_id)
       OR EXISTS (
         SELECT 1 FROM things_thing sibling
         JOIN nods_nod other ON other.thing_id = sibling.id
         WHERE sibling.merged_into_id = t.merged_into_id AND sibling.id < t.id
           AND other.month = n.month AND other.member_id = n.member_id)
       THEN 1 ELSE 0 END AS again
FROM things_thing t CROSS JOIN nods_nod n
WHERE t.state = 'MERGED' AND n.thing_id = t.id AND n.month = %(month)s AND n.void = ''
"""
_IN_RANGE = "member > %(after)s AND member <= %(upto)s"
_VOID_AGAIN = f"""
UPDATE nods_nod SET void = 'MERGED'
WHERE void = '' AND (month, member_id, thing_id) IN (
  SELECT %(month)s, member, thing FROM nods_merged WHERE again = 1 AND {_IN_RANGE})
"""
_MOVED = f"""
SELECT v.thing AS thing, v.target AS target
FROM nods_merged v JOIN members_member m ON m.id = v.member
WHERE v.again = 0 AND m.funded_month <= %(month)s AND {_IN_RANGE}
"""
# Counts change in order of thing, as everybody does who changes several.
_HOLD_COUNTS = f"""
SELECT thing_id FROM nods_count WHERE thing_id IN (
  SELECT thing FROM ({_MOVED}) a UNION SELECT target FROM ({_MOVED}) b)
ORDER BY thing_id FOR UPDATE
"""
_COUNT_OUT = f"""
UPDATE nods_count
SET total = total - (SELECT COUNT(*) FROM ({_MOVED}) a WHERE a.thing = nods_count.thing_id)
WHERE thing_id IN (SELECT thing FROM ({_MOVED}) b)
"""
_COUNT_IN = f"""
INSERT INTO nods_count (thing_id, total)
SELECT target, COUNT(*) FROM ({_MOVED}) a GROUP BY target ORDER BY target
ON CONFLICT (thing_id) DO UPDATE SET total = nods_count.total + excluded.total
"""
_MOVE = f"""
UPDATE nods_nod SET thing_id = (
  SELECT target FROM nods_merged v WHERE v.member = member_id AND v.thing = thing_id)
WHERE (month, member_id, thing_id) IN (
  SELECT %(month)s, member, thing FROM nods_merged WHERE again = 0 AND {_IN_RANGE})
"""
_VOIDED = """
SELECT n.member_id AS member, n.thing_id AS thing, 'OWN' AS void
FROM ({owned}) o CROSS JOIN nods_nod n
WHERE n.member_id = o.owner AND n.thing_id = o.thing AND n.month = %(month)s AND n.void = ''
UNION ALL
SELECT n.member_id, n.thing_id, t.state
FROM things_thing t CROSS JOIN nods_nod n
WHERE t.state IN ('REFUSED', 'TAKEN_DOWN') AND n.thing_id = t.id AND n.month = %(month)s
  AND n.void = ''
"""
_VOID = f"""
UPDATE nods_nod SET void = %(void)s
WHERE void = '' AND (month, member_id, thing_id) IN (
  SELECT %(month)s, member, thing FROM nods_voided WHERE void = %(void)s AND {_IN_RANGE})
"""
# A lookup of each nod's thing, which a nod of a busy month has seen before.
_PUT_OFF = """
UPDATE nods_nod SET void = 'LATER'
WHERE void = '' AND month = %(month)s AND member_id > %(after)s AND member_id <= %(upto)s
  AND NOT EXISTS (SELECT 1 FROM ({received}) r WHERE r.thing = nods_nod.thing_id)
"""


def put_off(*, month: int, received: str) -> int:
    """Mark what counts and is none of the things that a SELECT of `thing` gives; how many."""
    text = _PUT_OFF.format(received=received)

    def mark_range(span: Range) -> int:
        with connection.cursor() as cursor:
            cursor.execute(text, {"month": month, **span._asdict()})
            return int(cursor.rowcount)

    return chunks.walk(givers(month), mark_range)


def givers(month: int) -> str:
    """The members who have nods of a month, each found by itself, for `chunks.walk`.

    For a range of them as DISTINCT SQLite reads and sorts all that come after it.
    """
    return (
        "SELECT m.id AS k FROM members_member m WHERE EXISTS"
        f" (SELECT 1 FROM nods_nod n WHERE n.month = {month:d} AND n.member_id = m.id)"
    )


def mark(*, month: int, owned: str) -> Counter[str]:
    """Mark what does not count in a month, and move the nods of merged things to their target.

    `owned` is a SELECT of the thing and owner that count; returns how many by reason.
    """
    found: Counter[str] = Counter()
    with connection.cursor() as cursor:
        bulk.stage(cursor, "nods_merged", _MERGED, {"month": month}, key="member, thing")
    chunks.walk(_members("nods_merged"), lambda span: _merge(span, month, found))
    with connection.cursor() as cursor:
        voided = _VOIDED.format(owned=owned)
        bulk.stage(cursor, "nods_voided", voided, {"month": month}, key="member, thing, void")
    chunks.walk(_members("nods_voided"), lambda span: _void(span, month, found))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE nods_merged")
        cursor.execute("DROP TABLE nods_voided")
    return found


def _members(table: str) -> str:
    return f"SELECT DISTINCT member AS k FROM {table}"


def _merge(span: Range, month: int, found: Counter[str]) -> int:
    names: Params = {"month": month, **span._asdict()}
    with connection.cursor() as cursor:
        cursor.execute(_VOID_AGAIN, names)
        found[Nod.Void.MERGED] += cursor.rowcount
        if connection.vendor == "postgresql":
            cursor.execute(_HOLD_COUNTS, names)
        cursor.execute(_COUNT_OUT, names)
        cursor.execute(_COUNT_IN, names)
        cursor.execute(_MOVE, names)
        return int(cursor.rowcount)


def _void(span: Range, month: int, found: Counter[str]) -> int:
    marked = 0
    with connection.cursor() as cursor:
        for void in (Nod.Void.OWN, Nod.Void.REFUSED, Nod.Void.TAKEN_DOWN):
            cursor.execute(_VOID, {"month": month, "void": void.value, **span._asdict()})
            found[void] += cursor.rowcount
            marked += cursor.rowcount
    return marked
