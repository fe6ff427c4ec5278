"""Every share of every settled month, recomputed from the splits and the nods: no row per share."""

from mickle.settlement import _engine

# Every share of every month, one row per nod. For statements with parameters: % stands doubled.
EVERY_SHARE = f"""
WITH s_nod AS (
  SELECT month, member_id AS member, thing_id AS thing, weight FROM nods_nod WHERE void = ''
),
s_split AS (SELECT {_engine.SPLIT} FROM settlement_split)
SELECT month, member AS member_id, thing AS thing_id, amount AS amount_micros
FROM ({_engine.text("share").replace("%", "%%")}) q
"""

# The shares that have not gone back before.
SHARES = f"""
SELECT e.month AS month, e.member_id AS member_id, e.thing_id AS thing_id,
       e.amount_micros AS amount_micros
FROM ({EVERY_SHARE}) e
WHERE NOT EXISTS (
  SELECT 1 FROM settlement_returnedshare r
  WHERE r.month = e.month AND r.member_id = e.member_id AND r.thing_id = e.thing_id)
"""
