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

# For who both raises and lowers counts, so that two who do never wait for each other.
HOLD_COUNTS = """
SELECT thing_id FROM nods_count
WHERE thing_id IN (SELECT CAST(value->>0 AS BIGINT) FROM {rows})
ORDER BY thing_id FOR UPDATE
"""

GIVE = """
INSERT INTO nods_nod (month, member_id, thing_id, at, source, void, key, evidence)
SELECT CASE WHEN i.closed_through >= g.month THEN i.closed_through + 1 ELSE g.month END,
       m.id, g.thing, %(at)s, %(source)s, '', g.key, g.evidence
FROM (SELECT CAST(value->>0 AS BIGINT) AS member, CAST(value->>1 AS BIGINT) AS thing,
             CAST(value->>2 AS INTEGER) AS month, value->>3 AS key,
             CAST(value->>4 AS INTEGER) AS evidence
      FROM {rows}) g
JOIN members_member m ON m.id = g.member AND m.closing_at IS NULL
JOIN instance_instance i ON i.id = 1
WHERE TRUE
ON CONFLICT DO NOTHING
RETURNING month, member_id, thing_id
"""

# Counts are raised in order of thing, as everybody does who raises several.
_COUNT = """
INSERT INTO nods_count (thing_id, total)
SELECT g.thing_id, CAST(COUNT(*) AS BIGINT)
FROM {new} g
JOIN members_member m ON m.id = g.member_id AND m.funded_month IS NOT NULL
WHERE TRUE
GROUP BY g.thing_id
ORDER BY g.thing_id
ON CONFLICT (thing_id) DO UPDATE SET total = nods_count.total + excluded.total
RETURNING thing_id, total
"""
COUNT_UP = _COUNT.replace(
    "{new}",
    """
(SELECT CAST(value->>0 AS BIGINT) AS member_id, CAST(value->>1 AS BIGINT) AS thing_id
 FROM {rows})""",
)

# Both in one statement of PostgreSQL, for who holds the members already: the nods that are new, and
# with no month the totals of their things.
GIVE_AND_COUNT = f"""
WITH given AS ({GIVE}), counted AS ({_COUNT.replace("{new}", "given")})
SELECT month, member_id, thing_id FROM given
UNION ALL
SELECT NULL, thing_id, total FROM counted
"""

COUNT_DOWN = """
UPDATE nods_count SET total = total - 1
WHERE thing_id = %(thing)s AND EXISTS (
  SELECT 1 FROM members_member WHERE id = %(member)s AND funded_month <= %(month)s)
RETURNING thing_id, total
"""

TAKE_BACK = """
DELETE FROM nods_nod
WHERE month = %(month)s AND member_id = %(member)s AND thing_id = %(thing)s
  AND month > (SELECT closed_through FROM instance_instance WHERE id = 1)
RETURNING member_id, thing_id
"""

TELL = f"NOTIFY {CHANNEL}"
