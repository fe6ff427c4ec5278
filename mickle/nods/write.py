"""The SQL that writes nods, for any DB-API cursor with named parameters. Imports no Django.

A nod falls in the month of its instant, or, when that month has closed, in the first one after the
fence; the database decides, in the same statement that writes. One text gives one nod or hundreds:
`rows` is a JSON list of [member, thing, month, key, evidence], read by what `ROWS` names.
"""

ROWS = {
    "sqlite": "json_each(%(rows)s)",
    "postgresql": "jsonb_array_elements(CAST(%(rows)s AS jsonb))",
}

# Processes that show counts listen here on PostgreSQL; a batch says once that counts changed.
CHANNEL = "mickle_counts"

HOLD_FENCE = "SELECT pg_advisory_xact_lock_shared(7)"

# Locked against the first top-up, which counts the nods that are there when it happens; in order,
# so that two who hold several never wait for each other.
HOLD_MEMBERS = """
SELECT id FROM members_member
WHERE id IN (SELECT CAST(value->>0 AS BIGINT) FROM {rows})
ORDER BY id FOR SHARE
"""

# For who both raises and lowers counts, after the nods, so that two who do never wait for each
# other.
HOLD_COUNTS = """
SELECT thing_id FROM nods_count
WHERE thing_id IN (SELECT CAST(value->>0 AS BIGINT) FROM {rows})
ORDER BY thing_id FOR UPDATE
"""

_ASKED = """
      SELECT m.id AS member, m.funded_month AS funded, r.thing AS thing, r.month AS month,
             r.key AS key, r.evidence AS evidence
      FROM (SELECT CAST(value->>0 AS BIGINT) AS member, CAST(value->>1 AS BIGINT) AS thing,
                   CAST(value->>2 AS INTEGER) AS month, value->>3 AS key,
                   CAST(value->>4 AS INTEGER) AS evidence
            FROM {rows}) r
      JOIN members_member m ON m.id = r.member AND m.closing_at IS NULL"""
_HELD = f"{_ASKED}\n      ORDER BY m.id, r.thing FOR SHARE OF m"
_GIVE = """
INSERT INTO nods_nod (month, member_id, thing_id, at, source, void, key, evidence)
SELECT CASE WHEN i.closed_through >= g.month THEN i.closed_through + 1 ELSE g.month END,
       g.member, g.thing, %(at)s, %(source)s, '', g.key, g.evidence
FROM {asked} g
JOIN instance_instance i ON i.id = 1
WHERE TRUE
ON CONFLICT DO NOTHING
RETURNING month, member_id, thing_id
"""
GIVE = _GIVE.replace("{asked}", f"({_ASKED})")
# The same for PostgreSQL where nobody holds the members yet: in order, as by HOLD_MEMBERS.
HOLD_AND_GIVE = _GIVE.replace("{asked}", f"({_HELD})")

# Counts are raised in order of thing, as everybody does who raises several.
_COUNT = """
INSERT INTO nods_count (thing_id, total)
SELECT g.thing, CAST(COUNT(*) AS BIGINT)
FROM {given}
GROUP BY g.thing
ORDER BY g.thing
ON CONFLICT (thing_id) DO UPDATE SET total = nods_count.total + excluded.total
RETURNING thing_id, total
"""
COUNT_UP = _COUNT.replace(
    "{given}",
    """
(SELECT CAST(value->>0 AS BIGINT) AS member, CAST(value->>1 AS BIGINT) AS thing FROM {rows}) g
JOIN members_member m ON m.id = g.member AND m.funded_month IS NOT NULL
WHERE TRUE""",
)

COUNT_DOWN = """
UPDATE nods_count SET total = total - 1
WHERE thing_id = %(thing)s AND EXISTS (
  SELECT 1 FROM members_member WHERE id = %(member)s AND funded_month <= %(month)s)
RETURNING thing_id, total
"""

# Given before a merge, a nod stands at what was merged until the freeze; given once more after it,
# it stands at both. All of them are one nod, whichever of the addresses it is taken back at.
TAKE_BACK = """
DELETE FROM nods_nod
WHERE month = %(month)s AND member_id = %(member)s AND thing_id IN (
    SELECT COALESCE(a.merged_into_id, a.id) FROM things_thing a WHERE a.id = %(thing)s
    UNION ALL
    SELECT t.id FROM things_thing a
    JOIN things_thing t ON t.merged_into_id = COALESCE(a.merged_into_id, a.id)
    WHERE a.id = %(thing)s)
  AND month > (SELECT closed_through FROM instance_instance WHERE id = 1)
RETURNING member_id, thing_id
"""

TELL = f"NOTIFY {CHANNEL}"

# On PostgreSQL alone: nods and counts in one statement, and who shows counts is told of those that
# changed. All nods are there before the first count is raised, for they are put in its order.
# Who has topped up is read of the members as they are held: the statement reads all else as it was
# before it waited for a first top-up, and a nod that came behind that would be counted by neither.
# It gives the nods, then the counts: put beside each other each nod would be compared with each.
_FUNDED = """
(SELECT member_id AS member, thing_id AS thing FROM given) g
WHERE g.member = ANY (ARRAY(SELECT h.member FROM held h WHERE h.funded IS NOT NULL))"""
GIVE_AND_COUNT = f"""
WITH held AS ({_HELD}), given AS ({_GIVE.replace("{asked}", "held")}), counted AS ({
    _COUNT.replace("{given}", _FUNDED)
})
SELECT g.month, g.member_id, g.thing_id, CAST(NULL AS BIGINT) FROM given g
UNION ALL
SELECT NULL, NULL, c.thing_id,
       CASE WHEN pg_notify('{CHANNEL}', '') IS NULL THEN 0 ELSE c.total END FROM counted c
"""
