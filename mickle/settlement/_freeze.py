"""The freeze: what expired comes back, void nods are marked, each spend is fixed and taken in."""

from datetime import datetime

from django.conf import settings
from django.db import connection

from mickle.ledger import ledger
from mickle.ledger.ledger import Kind
from mickle.lib.sql import Value
from mickle.nods import nods
from mickle.settlement import _waiting
from mickle.settlement.models import Spend

EXPIRES_AFTER_MONTHS = 6
# With the policy `keep` this many idle months stay; the next one and each further one gives.
IDLE_MONTHS_KEPT = 5

_NODS_GIVEN = """
SELECT member_id, COUNT(*) AS given,
       SUM(CASE WHEN void = '' THEN 1 ELSE 0 END) AS valid
FROM nods_nod WHERE month = %(month)s GROUP BY member_id
"""

# Everyone with funds, with the plan that counted when the month closed.
_PLANNED = f"""
SELECT m.id AS member_id, m.funded_month AS funded_month, f.balance_micros AS funds,
       COALESCE(b.amount_micros, %(default_budget)s) AS budget,
       COALESCE(b.paused, %(false)s) AS paused,
       CASE WHEN c.listed THEN c.id END AS charity_id,
       COALESCE(g.given, 0) AS given, COALESCE(g.valid, 0) AS valid,
       CASE WHEN m.closing_at IS NULL THEN 0 ELSE 1 END AS closing
FROM members_member m
JOIN ({ledger.balances_sql(Kind.FUNDS)} AND balance_micros > 0) f ON f.holder_id = m.id
LEFT JOIN members_budget b ON b.member_id = m.id AND b.month = (
  SELECT MAX(x.month) FROM members_budget x WHERE x.member_id = m.id AND x.month <= %(month)s)
LEFT JOIN members_charity c ON c.id = b.charity_id
LEFT JOIN ({_NODS_GIVEN}) g ON g.member_id = m.id
"""

_SPEND = "CASE WHEN budget < funds THEN budget ELSE funds END"

_SPEND_ON_NODS = f"""
INSERT INTO settlement_spend (month, member_id, amount_micros, charity_id)
SELECT %(month)s, member_id, {_SPEND}, NULL FROM ({_PLANNED}) p
WHERE valid > 0 AND paused = %(false)s
"""

# Idle: no nod was given, though the member could have: not paused, not new, not leaving.
_IDLE = "given = 0 AND paused = %(false)s AND closing = 0 AND funded_month < %(month)s"

_COUNT_IDLE = f"""
INSERT INTO settlement_idlerun (member_id, months)
SELECT member_id, 1 FROM ({_PLANNED}) p WHERE {_IDLE}
ON CONFLICT (member_id) DO UPDATE SET months = settlement_idlerun.months + 1
"""

_END_IDLE = """
DELETE FROM settlement_idlerun WHERE member_id IN (
  SELECT member_id FROM nods_nod WHERE month = %(month)s)
"""

_SPEND_IDLE = f"""
INSERT INTO settlement_spend (month, member_id, amount_micros, charity_id)
SELECT %(month)s, p.member_id, {_SPEND}, COALESCE(p.charity_id, d.id) FROM ({_PLANNED}) p
LEFT JOIN members_charity d ON d.is_default AND d.listed
WHERE {_IDLE} AND COALESCE(p.charity_id, d.id) IS NOT NULL
"""

_KEPT_LONG_ENOUGH = """
 AND p.member_id IN (SELECT member_id FROM settlement_idlerun WHERE months > %(kept)s)
"""

_TAKE_IN = f"""
SELECT 'settle:' || %(text)s || ':spend:' || CAST(member_id AS TEXT) AS key,
       '{Kind.FUNDS}' AS debit_kind, member_id AS debit_holder,
       '{Kind.POOL}' AS credit_kind, month AS credit_holder, amount_micros
FROM settlement_spend WHERE month = %(month)s
"""


def freeze(*, month: int, month_text: str, at: datetime) -> int:
    """Fix what every member gives for a closed month and take it in; returns how many give."""
    _waiting.expire(month=month - EXPIRES_AFTER_MONTHS, at=at)
    nods.void_at_freeze(month=month)
    names: dict[str, Value] = {
        "month": month,
        "false": False,
        "default_budget": settings.BUDGET_DEFAULT_MICROS,
        "kept": IDLE_MONTHS_KEPT,
    }
    keep = settings.IDLE_POLICY == "keep"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A load that was undone can leave statistics that say these are empty.
            cursor.execute("ANALYZE members_member, members_budget, ledger_account, nods_nod")
        cursor.execute(_SPEND_ON_NODS, names)
        cursor.execute(_END_IDLE, names)
        if keep:
            cursor.execute(_COUNT_IDLE, names)
        cursor.execute(_SPEND_IDLE + (_KEPT_LONG_ENOUGH if keep else ""), names)
    givers = Spend.objects.filter(month=month).count()
    ledger.post_from_select(
        _TAKE_IN,
        {"month": month, "text": month_text},
        reason="SPEND",
        month=month,
        at=at,
        expected=givers,
    )
    return givers
