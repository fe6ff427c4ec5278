"""What a settled month came to as a whole."""

from typing import NamedTuple

from django.db import connection

# Asked twice in each settlement and for each month of an audit: one statement, put together once.
_TOTALS = """
SELECT s.members, s.gifts, n.nods, l.owners, l.things, l.waiting, s.spent, l.paid, l.fee, s.charity
FROM (
  SELECT COUNT(*) AS members, COUNT(charity_id) AS gifts,
         COALESCE(SUM(amount_micros), 0) AS spent,
         COALESCE(SUM(CASE WHEN charity_id IS NOT NULL THEN amount_micros END), 0) AS charity
  FROM settlement_spend WHERE month = %(month)s
) s
CROSS JOIN (
  SELECT COUNT(*) AS things, COUNT(CASE WHEN state <> 'PAID' THEN 1 END) AS waiting,
         COUNT(DISTINCT CASE WHEN state = 'PAID' THEN owner_id END) AS owners,
         COALESCE(SUM(CASE WHEN state = 'PAID' THEN gross_micros END), 0) AS paid,
         COALESCE(SUM(CASE WHEN state = 'PAID' THEN fee_micros END), 0) AS fee
  FROM settlement_line WHERE month = %(month)s
) l
CROSS JOIN (
  SELECT COALESCE(SUM(n), 0) AS nods FROM settlement_split WHERE month = %(month)s
) n
"""


class Totals(NamedTuple):
    """What a settled month came to, for operators and the public figures."""

    members: int
    gifts: int
    nods: int
    owners: int
    things: int
    waiting_things: int
    spent_micros: int
    paid_micros: int
    fee_micros: int
    charity_micros: int

    @property
    def givers(self) -> int:
        """How many gave to pages."""
        return self.members - self.gifts

    @property
    def waiting_micros(self) -> int:
        """What was set aside when the month was settled."""
        return self.spent_micros - self.paid_micros - self.charity_micros


def totals(month: int) -> Totals:
    """What a settled month came to; waiting as it was then."""
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS, {"month": month})
        return Totals(*map(int, cursor.fetchone()))
