"""Nods that leave the table once their month is kept elsewhere; how many they were stays.

And those that come back. Who lets go and who puts back wait for each other, range by range.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from mickle.lib import bulk
from mickle.lib.chunks import Range
from mickle.lib.sql import Params

LEAVING_LOCK = 15

_IN_RANGE = "n.month = %(month)s AND n.member_id > %(after)s AND n.member_id <= %(upto)s"
_NOTE = f"""
INSERT INTO nods_past (month, member_id, nods)
SELECT n.month, n.member_id, COUNT(*) FROM nods_nod n WHERE {_IN_RANGE}
GROUP BY n.month, n.member_id ORDER BY n.member_id
"""
# As many as they have in the number on the button.
_COUNTED = f"""
SELECT n.thing_id AS thing_id, COUNT(*) AS total
FROM nods_nod n JOIN members_member m ON m.id = n.member_id{{noted}}
WHERE m.funded_month <= n.month AND {_IN_RANGE} GROUP BY n.thing_id ORDER BY n.thing_id
"""
_COUNT = f"""
INSERT INTO nods_pastcount (thing_id, total) {_COUNTED.format(noted="")}
ON CONFLICT (thing_id) DO UPDATE SET total = nods_pastcount.total + excluded.total
"""
_GO = """
DELETE FROM nods_nod
WHERE month = %(month)s AND member_id > %(after)s AND member_id <= %(upto)s
"""

_BACK = "nods_back"
_COLUMNS = ("month", "member_id", "thing_id", "weight", "at", "source", "void", "evidence")
_NOTED = "month = %(month)s AND member_id > %(after)s AND member_id <= %(upto)s"
_RETURNED = _COUNTED.format(
    noted=" JOIN nods_past p ON p.month = n.month AND p.member_id = n.member_id"
)
_UNCOUNT_ALL = f"""
DELETE FROM nods_pastcount WHERE thing_id IN (
  SELECT b.thing_id FROM {_BACK} b
  JOIN nods_pastcount p ON p.thing_id = b.thing_id AND p.total = b.total)
"""
_UNCOUNT = f"""
UPDATE nods_pastcount SET total = nods_pastcount.total - b.total FROM {_BACK} b
WHERE nods_pastcount.thing_id = b.thing_id
"""


class NotAsMany(AssertionError):
    """What comes back is not what left; nothing of it was written."""


def let_go(month: int, span: Range) -> int:
    """Let the nods of a range of members go, in the caller's transaction; how many."""
    names: Params = {"month": month, **span._asdict()}
    with connection.cursor() as cursor:
        _alone(cursor)
        cursor.execute(_NOTE, names)
        cursor.execute(_COUNT, names)
        cursor.execute(_GO, names)
        return int(cursor.rowcount)


def put_back(month: int, span: Range, rows: Sequence[Sequence[Any]]) -> int:
    """Put the nods back that left of a range of members, in the caller's transaction; how many.

    None of those whom somebody else has put back. Raises NotAsMany.
    """
    names: Params = {"month": month, **span._asdict()}
    with connection.cursor() as cursor:
        _alone(cursor)
        cursor.execute(f"SELECT member_id, nods FROM nods_past WHERE {_NOTED}", names)
        left = dict(cursor.fetchall())
        # Those of the others are there: somebody else has put them back meanwhile.
        back = [row for row in rows if row[1] in left]
        if not left:
            return 0
        noted = sum(left.values())
        if noted != len(back):
            raise NotAsMany(f"{len(back)} nods of month {month} come back, and {noted} have left")
        bulk.write(cursor, "nods_nod", _COLUMNS, back)
        bulk.refill(cursor, _BACK, "thing_id BIGINT, total BIGINT", _RETURNED, names)
        cursor.execute(f"DELETE FROM nods_past WHERE {_NOTED}", names)
        cursor.execute(_UNCOUNT_ALL)
        cursor.execute(_UNCOUNT)
    return noted


def _alone(cursor: CursorWrapper) -> None:
    """On SQLite there is one writer anyway."""
    if connection.vendor == "postgresql":
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LEAVING_LOCK])
