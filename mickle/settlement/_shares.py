"""Every share of every settled month, recomputed from the splits and the nods: no row per share.

For statements with parameters: % stands doubled.
"""

from mickle.settlement import _engine

# Written beside each table: from a join no database tells that the range is one of both, and a
# whole month is read for each.
_RANGE = "month = %(month)s AND member_id > %(after)s AND member_id <= %(upto)s"
_TAKEN = f"""
WITH s_nod AS (
  SELECT month, member_id AS member, thing_id AS thing, weight FROM nods_nod
  WHERE void = '' AND {{range}}
),
s_split AS (SELECT {_engine.SPLIT} FROM settlement_split WHERE {{range}})
"""
AMOUNTS = _engine.text("share").replace("%", "%%")
_EACH = f"""{_TAKEN}
SELECT month, member AS member_id, thing AS thing_id, amount AS amount_micros FROM ({AMOUNTS}) q
"""
_KEPT = f"""
SELECT e.month AS month, e.member_id AS member_id, e.thing_id AS thing_id,
       e.amount_micros AS amount_micros
FROM ({_EACH}) e
WHERE NOT EXISTS (
  SELECT 1 FROM settlement_returnedshare r
  WHERE {{range}}
    AND r.month = e.month AND r.member_id = e.member_id AND r.thing_id = e.thing_id)
"""

# Every share of every month, one row per nod.
EVERY_SHARE = _EACH.format(range="1 = 1")
# The shares that have not gone back before.
SHARES = _KEPT.format(range="1 = 1")
# Those of the members after one and up to another, of one month.
SHARES_WITHIN = _KEPT.format(range=_RANGE)
# What `share.sql` reads, of the same members.
TAKEN_WITHIN = _TAKEN.format(range=_RANGE)


def of_month(month: int) -> str:
    """Every share of one month, for a join to some of the members after one and up to another.

    The range is said by what it is not: PostgreSQL turns it round and looks it up, and SQLite looks
    up each member. It would take any range to be shorter, and read all of it for each of them.
    """
    members = "NOT member_id <= %(after)s AND NOT member_id > %(upto)s"
    return _EACH.format(range=f"month = {month:d} AND {members}")
