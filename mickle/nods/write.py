"""The SQL that writes nods, for any DB-API cursor with named parameters. Imports no Django.

A nod falls in the month of its instant, or, when that month has closed, in the first one after the
fence; the database decides, in the same statement that writes.
"""

HOLD_FENCE = "SELECT pg_advisory_xact_lock_shared(7)"

# Locked against the first top-up, which counts the nods that are there when it happens.
HOLD_MEMBER = "SELECT id FROM members_member WHERE id = %(member)s FOR SHARE"

GIVE = """
INSERT INTO nods_nod (month, member_id, thing_id, at, source, void, key)
SELECT CASE WHEN closed_through >= %(month)s THEN closed_through + 1 ELSE %(month)s END,
       m.id, %(thing)s, %(at)s, %(source)s, '', %(key)s
FROM instance_instance i JOIN members_member m ON m.id = %(member)s AND m.closing_at IS NULL
WHERE i.id = 1
ON CONFLICT DO NOTHING
RETURNING month
"""

COUNT_UP = """
INSERT INTO nods_count (thing_id, total)
SELECT %(thing)s, 1 FROM members_member WHERE id = %(member)s AND funded_month IS NOT NULL
ON CONFLICT (thing_id) DO UPDATE SET total = nods_count.total + 1
"""

COUNT_DOWN = """
UPDATE nods_count SET total = total - 1
WHERE thing_id = %(thing)s AND EXISTS (
  SELECT 1 FROM members_member WHERE id = %(member)s AND funded_month <= %(month)s)
"""

TAKE_BACK = """
DELETE FROM nods_nod
WHERE month = %(month)s AND member_id = %(member)s AND thing_id = %(thing)s
  AND month > (SELECT closed_through FROM instance_instance WHERE id = 1)
"""
