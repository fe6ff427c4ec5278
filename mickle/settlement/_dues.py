"""Arrears at month end: what each member owes, in whole cents, and what is asked for.

A spend is the part of the budget that falls to what somebody may receive. Nods at the rest are put
off: each falls due with the first month that finds somebody who may receive for it, within six.
All of it in ranges of members, each in a transaction of its own; run again, it goes on.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from mickle.instance import instance
from mickle.lib import bulk, chunks
from mickle.lib.chunks import Range, Report
from mickle.lib.money import LIMIT_MICROS
from mickle.lib.sql import Params, Value, instant
from mickle.nods import nods
from mickle.settlement import _parts, _texts
from mickle.settlement._waiting import EXPIRES_AFTER_MONTHS
from mickle.settlement.models import Charge, Due

# The nods put off whose turn it may be: what stands before `month` and has not fallen due.
_PUT_OFF = """
n.void = 'LATER' AND n.month >= %(month)s - %(later)s AND n.month < %(month)s
AND NOT EXISTS (SELECT 1 FROM settlement_due d
  WHERE d.member_id = n.member_id AND d.month = n.month AND d.thing_id = n.thing_id)
AND NOT EXISTS (SELECT 1 FROM settlement_returnedshare r
  WHERE r.member_id = n.member_id AND r.month = n.month AND r.thing_id = n.thing_id)
"""
# Their things, so that the freeze notes who owns those too.
THINGS = f"SELECT DISTINCT n.thing_id AS thing FROM nods_nod n WHERE {_PUT_OFF}"
_OWNED = """
SELECT o.thing_id AS thing FROM settlement_owned o WHERE o.month = {month:d} AND o.receives
"""
_CLAIMED = f"""
SELECT s.thing AS thing, o.owner_id AS owner FROM ({THINGS}) s
JOIN things_thing t ON t.id = s.thing
JOIN things_thing w ON w.id = COALESCE(t.merged_into_id, t.id)
JOIN settlement_owned o ON o.month = %(month)s AND o.thing_id = w.id AND o.receives
WHERE w.state NOT IN ('REFUSED', 'TAKEN_DOWN')
"""
_WEIGHTS = """
SELECT member_id AS member,
       CAST(SUM(CASE WHEN void = '' THEN weight ELSE 0 END) AS BIGINT) AS received,
       CAST(SUM(weight) AS BIGINT) AS total
FROM nods_nod WHERE month = %(month)s AND void IN ('', 'LATER') GROUP BY member_id
"""
_CONCERNED = f"""
SELECT member FROM s_weight
UNION SELECT n.member_id FROM s_claimed c JOIN nods_nod n ON n.thing_id = c.thing WHERE {_PUT_OFF}
"""

_BUDGET = "COALESCE(b.amount_micros, %(default_budget)s)"
# What a part of a member's budget of a month comes to, to be rounded down to what can be charged.
# In two parts, so that it never leaves 64 bits.
_PART = "(budget / total) * part + ((budget %% total) * part) / total"
_PLAN = """
LEFT JOIN members_budget b ON b.member_id = m.id AND b.month = (
  SELECT MAX(x.month) FROM members_budget x WHERE x.member_id = m.id AND x.month <= {month})
"""
_GIVES = "COALESCE(b.paused, %(false)s) = %(false)s AND m.closed_at IS NULL"
_SPENDS = f"""
INSERT INTO settlement_spend (month, member_id, amount_micros, charity_id)
SELECT %(month)s, member, amount - amount %% %(unit)s, NULL FROM (
  SELECT member, {_PART} AS amount FROM (
    SELECT w.member AS member, {_BUDGET} AS budget, w.received AS part, w.total AS total
    FROM s_weight w JOIN members_member m ON m.id = w.member {_PLAN.format(month="%(month)s")}
    WHERE w.member > %(after)s AND w.member <= %(upto)s AND {_GIVES}
  ) w
) p WHERE amount >= %(unit)s
ON CONFLICT (month, member_id) DO NOTHING
"""
_DUES = """
INSERT INTO settlement_due (month, member_id, amount_micros, billed)
SELECT month, member_id, amount_micros, month FROM settlement_spend
WHERE month = %(month)s AND member_id > %(after)s AND member_id <= %(upto)s
ON CONFLICT DO NOTHING
"""
_ALL_OF_IT = """
(SELECT CAST(SUM(x.weight) AS BIGINT) FROM nods_nod x
 WHERE x.month = n.month AND x.member_id = n.member_id AND x.void IN ('', 'LATER'))
"""
# Once and for all of it: SQLite would sum the weights anew wherever the total is named.
_LATE = f"""
INSERT INTO settlement_due (month, member_id, thing_id, owner_id, amount_micros, billed)
SELECT month, member, thing, owner, amount - amount %% %(unit)s, %(month)s FROM (
  WITH late AS MATERIALIZED (
    SELECT n.month AS month, n.member_id AS member, n.thing_id AS thing, c.owner AS owner,
           {_BUDGET} AS budget, n.weight AS part, {_ALL_OF_IT} AS total
    FROM s_claimed c JOIN nods_nod n ON n.thing_id = c.thing
    JOIN members_member m ON m.id = n.member_id {_PLAN.format(month="n.month")}
    WHERE {_PUT_OFF} AND n.member_id > %(after)s AND n.member_id <= %(upto)s
      AND n.member_id <> c.owner AND {_GIVES}
      AND NOT EXISTS (SELECT 1 FROM teams_part x WHERE x.team = c.owner AND x.member = n.member_id)
  )
  SELECT month, member, thing, owner, {_PART} AS amount FROM late
) p WHERE amount >= %(unit)s
ON CONFLICT DO NOTHING
"""
# Whose parts are fixed with the owner.
_PARTS = _parts.NOTED.format(
    owned="""(SELECT month, thing_id, owner_id FROM settlement_due
 WHERE billed = %(month)s AND thing_id IS NOT NULL
   AND member_id > %(after)s AND member_id <= %(upto)s)"""
)

_CARRIED = "charge_id IS NULL AND member_id > %(after)s AND member_id <= %(upto)s"
# No more than funds may hold at once; the rest is carried on to the next month, oldest first. Kept
# beside: within a statement PostgreSQL may add it up anew for each row.
_FITTING_ROW = "id BIGINT, member_id BIGINT, amount_micros BIGINT, billed BIGINT"
_FITTING = f"""
SELECT id, member_id, amount_micros, billed FROM (
  SELECT id, member_id, amount_micros, billed,
         SUM(amount_micros) OVER (PARTITION BY member_id ORDER BY billed, id) AS upto
  FROM settlement_due WHERE {_CARRIED}
) q WHERE upto <= %(most)s OR upto = amount_micros
"""
# What stayed too small to be charged for long enough is not charged any more.
_CHARGES = f"""
INSERT INTO settlement_charge
  (month, member_id, amount_micros, state, tries, try_at, asked_at, decided_at)
SELECT %(month)s, member_id, amount,
       CASE WHEN amount >= %(least)s THEN '{Charge.State.ASKED}' ELSE '{Charge.State.DROPPED}' END,
       1, %(try_at)s, %(at)s, CASE WHEN amount >= %(least)s THEN NULL ELSE %(at)s END
FROM (SELECT member_id, CAST(SUM(amount_micros) AS BIGINT) AS amount, MIN(billed) AS oldest
      FROM s_fitting GROUP BY member_id) d
WHERE amount >= %(least)s OR oldest <= %(month)s - %(later)s
ON CONFLICT (member_id, month) DO NOTHING
"""
_IN_CHARGES = """
UPDATE settlement_due SET charge_id = (
  SELECT c.id FROM settlement_charge c
  WHERE c.member_id = settlement_due.member_id AND c.month = %(month)s)
WHERE id IN (
  SELECT f.id FROM s_fitting f
  JOIN settlement_charge c ON c.member_id = f.member_id AND c.month = %(month)s
  WHERE NOT EXISTS (SELECT 1 FROM settlement_due d WHERE d.charge_id = c.id))
"""


def names(month: int) -> dict[str, Value]:
    """What the texts of this file are bound to."""
    return {
        "month": month,
        "later": EXPIRES_AFTER_MONTHS,
        "false": False,
        "default_budget": settings.BUDGET_DEFAULT_MICROS,
        "unit": 10 ** (6 - settings.CURRENCY_DECIMALS),
    }


def freeze(*, month: int, report: Report) -> None:
    """Put off what nobody may receive, and fix what every member owes for a closed month.

    Owners are noted and void nods marked.
    """
    nods.put_off_at_freeze(month=month, received=_OWNED.format(month=month))
    bound = names(month)
    _texts.stage("s_weight", _WEIGHTS, bound, key="member")
    _texts.stage("s_claimed", _CLAIMED, bound, key="thing")
    _texts.stage("s_concerned", _CONCERNED, bound, key="member")

    def fix(span: Range) -> int:
        # Who leaves has left before, or leaves after and is let off then.
        instance.take_owners()
        within = {**bound, **span._asdict()}
        return sum(_texts.execute(text, within) for text in (_SPENDS, _DUES, _LATE, _PARTS))

    chunks.walk("SELECT member AS k FROM s_concerned", fix, label="freeze", report=report)
    _texts.drop("s_weight", "s_claimed", "s_concerned")


def drop_carried_on(*, month: int, at: datetime, report: Report) -> int:
    """Charge nobody any more for what was carried on: from this month on members top up first."""
    if not Due.objects.filter(charge=None).exists():
        return 0
    return ask(month=month, at=at, report=report, least=LIMIT_MICROS + 1, later=0)


def ask(
    *,
    month: int,
    at: datetime,
    report: Report,
    least: int | None = None,
    later: int = EXPIRES_AFTER_MONTHS,
) -> int:
    """Charge every member who owes enough, once for each month; how many charges there are.

    What was too little for so many months is dropped.
    """
    bound: Params = {
        **names(month),
        "least": settings.CHARGE_MIN_MICROS if least is None else least,
        "later": later,
        "most": settings.FUNDS_MAX_MICROS,
        "at": instant(at),
        "try_at": instant(at + timedelta(days=settings.CHARGE_DAYS)),
    }

    def charge(span: Range) -> int:
        # Who is paid funds back has them already, or leaves what is asked for now.
        instance.take_owners()
        within = {**bound, **span._asdict()}
        with connection.cursor() as cursor:
            bulk.refill(cursor, "s_fitting", _FITTING_ROW, _FITTING, within)
        made = _texts.execute(_CHARGES, within)
        _texts.execute(_IN_CHARGES, within)
        return made

    owing = "SELECT DISTINCT member_id AS k FROM settlement_due WHERE charge_id IS NULL"
    made = chunks.walk(owing, charge, label="charges", report=report)
    # What funds hold of them is asked every minute, of all that are open.
    _texts.look_at("settlement_due", "settlement_charge")
    return made
