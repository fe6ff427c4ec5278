"""Nods that leave the table once their month is kept elsewhere; how many they were stays."""

from django.db import connection

from mickle.lib.chunks import Range
from mickle.lib.sql import Params

_IN_RANGE = "n.month = %(month)s AND n.member_id > %(after)s AND n.member_id <= %(upto)s"
_NOTE = f"""
INSERT INTO nods_past (month, member_id, nods)
SELECT n.month, n.member_id, COUNT(*) FROM nods_nod n WHERE {_IN_RANGE}
GROUP BY n.month, n.member_id ORDER BY n.member_id
"""
# As many as they have in the number on the button.
_COUNT = f"""
INSERT INTO nods_pastcount (thing_id, total)
SELECT n.thing_id, COUNT(*) FROM nods_nod n JOIN members_member m ON m.id = n.member_id
WHERE m.funded_month <= n.month AND {_IN_RANGE} GROUP BY n.thing_id ORDER BY n.thing_id
ON CONFLICT (thing_id) DO UPDATE SET total = nods_pastcount.total + excluded.total
"""
_GO = """
DELETE FROM nods_nod
WHERE month = %(month)s AND member_id > %(after)s AND member_id <= %(upto)s
"""


def let_go(month: int, span: Range) -> int:
    """Let the nods of a range of members go, in the caller's transaction; how many."""
    names: Params = {"month": month, **span._asdict()}
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, names)
        cursor.execute(_COUNT, names)
        cursor.execute(_GO, names)
        return int(cursor.rowcount)
