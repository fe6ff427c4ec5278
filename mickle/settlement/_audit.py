"""The invariants of settled months, recomputed from nods, spends and the books."""

from collections.abc import Iterator

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet, Sum

from mickle.instance.models import Month
from mickle.ledger import ledger
from mickle.ledger.ledger import Check, Kind
from mickle.lib import money, months
from mickle.nods import nods
from mickle.nods.models import Count
from mickle.settlement import _underway
from mickle.settlement._charges import RECEIVED
from mickle.settlement._shares import EVERY_SHARE, SHARES
from mickle.settlement.models import Charge, Line, Part, Received, Run, Spend, Split, Underway
from mickle.teams.models import Team

FEES = "Fees follow the rate of their month"
TEAMS = "Nothing rests with a team"
WAITING = "Waiting accounts equal waiting shares"

# Where nods have left, the proof of the month is made anew from its archive, and that compares each
# member's shares with their spend; the lines of it then have to come to the spends. Each month
# once: a row for each member, and PostgreSQL looks through all of them for every line.
_LEFT = "SELECT DISTINCT month FROM nods_past"
# Whatever stands in a cut, it takes the first of the remainders; so one sum shows it is right.
_WRONG_SPLITS = f"""
SELECT s.month, s.member_id FROM settlement_spend s
LEFT JOIN settlement_split p ON p.month = s.month AND p.member_id = s.member_id
LEFT JOIN (SELECT month, member_id, COUNT(*) AS n, SUM(weight) AS total
           FROM nods_nod WHERE void = ''
           GROUP BY month, member_id) g ON g.month = s.month AND g.member_id = s.member_id
LEFT JOIN (SELECT month, member_id, SUM(amount_micros) AS given FROM ({EVERY_SHARE}) e
           GROUP BY month, member_id) h ON h.month = s.month AND h.member_id = s.member_id
LEFT JOIN nods_past a ON a.month = s.month AND a.member_id = s.member_id
JOIN instance_month m ON m.month = s.month AND m.settled_at IS NOT NULL
WHERE (s.charity_id IS NULL
       AND (p.n IS NULL OR p.total_weight * p.slice_micros + p.rem <> s.amount_micros
            OR (a.nods IS NULL AND (g.n <> p.n OR g.total <> p.total_weight
                                    OR h.given <> s.amount_micros))))
   OR (s.charity_id IS NOT NULL AND p.n IS NOT NULL)
LIMIT 5
"""
# A line holds what its nods carry, less the shares that went back before it was decided.
_WRONG_LINES = f"""
SELECT l.month, l.thing_id, l.gross_micros, COALESCE(s.gross, 0) FROM settlement_line l
LEFT JOIN (SELECT month, thing_id, CAST(SUM(amount_micros) AS BIGINT) AS gross
           FROM ({SHARES}) x GROUP BY month, thing_id) s
  ON s.month = l.month AND s.thing_id = l.thing_id
WHERE l.gross_micros <> COALESCE(s.gross, 0) AND l.month NOT IN ({_LEFT})
UNION ALL
SELECT s.month, 0, MAX(l.gross), CAST(SUM(s.amount_micros) AS BIGINT)
FROM settlement_spend s JOIN (
  SELECT month, CAST(SUM(gross) AS BIGINT) AS gross FROM (
    SELECT month, gross_micros AS gross FROM settlement_line
    UNION ALL SELECT r.month, r.amount_micros FROM settlement_returnedshare r
    JOIN settlement_run x ON x.month = r.month AND NOT x.arrears
  ) whole WHERE month IN ({_LEFT}) GROUP BY month) l ON l.month = s.month
WHERE s.charity_id IS NULL GROUP BY s.month HAVING SUM(s.amount_micros) <> MAX(l.gross)
LIMIT 5
"""
_WAITING = f"""
SELECT s.member_id, CAST(SUM(s.amount_micros) AS BIGINT) FROM ({SHARES}) s
JOIN settlement_line l ON l.month = s.month AND l.thing_id = s.thing_id
LEFT JOIN settlement_underway u ON u.month = s.month AND u.thing_id = s.thing_id
WHERE l.state = 'WAITING' OR s.member_id > u.upto
GROUP BY s.member_id
"""
_WRONG_CHARGES = """
SELECT c.id, c.amount_micros, COALESCE(d.due, 0) FROM settlement_charge c
LEFT JOIN (SELECT charge_id, CAST(SUM(amount_micros) AS BIGINT) AS due FROM settlement_due
           WHERE charge_id IS NOT NULL GROUP BY charge_id) d ON d.charge_id = c.id
WHERE c.amount_micros <> COALESCE(d.due, 0)
LIMIT 5
"""
_PAID = f"""settlement_due d JOIN settlement_charge p ON p.id = d.charge_id AND p.state = 'PAID'
  AND d.month NOT IN ({_LEFT})"""
_WRONG_RECEIPTS = f"""
SELECT month, thing, SUM(nods), SUM(gross) FROM (
  SELECT month, thing, owner, nods, gross
  FROM ({RECEIVED.format(paid=_PAID, shares=EVERY_SHARE)}) due
  UNION ALL
  SELECT month, thing_id, owner_id, -nods, -gross_micros FROM settlement_received
  WHERE month NOT IN ({_LEFT})
) q GROUP BY month, thing, owner HAVING SUM(nods) <> 0 OR SUM(gross) <> 0
LIMIT 5
"""
# What a team's line brought is its members'; of a long line once its last share is posted.
_WRONG_PARTS = """
SELECT month, thing, owner, SUM(net), SUM(fee) FROM (
  SELECT l.month AS month, l.thing_id AS thing, l.owner_id AS owner,
         l.gross_micros - l.fee_micros AS net, l.fee_micros AS fee
  FROM settlement_line l JOIN teams_team t ON t.party_id = l.owner_id
  JOIN instance_month m ON m.month = l.month AND m.settled_at IS NOT NULL
  LEFT JOIN settlement_underway u ON u.month = l.month AND u.thing_id = l.thing_id
  JOIN settlement_run r ON r.month = l.month AND NOT r.arrears
  WHERE u.upto IS NULL
  UNION ALL
  SELECT r.month, r.thing_id, r.owner_id, r.gross_micros - r.fee_micros, r.fee_micros
  FROM settlement_received r JOIN teams_team t ON t.party_id = r.owner_id
  UNION ALL
  SELECT p.month, p.thing_id, p.owner_id, -p.net_micros, -p.fee_micros FROM settlement_part p
  JOIN instance_month m ON m.month = p.month AND m.settled_at IS NOT NULL
) q GROUP BY month, thing, owner HAVING SUM(net) <> 0 OR SUM(fee) <> 0
LIMIT 5
"""


def checks() -> Iterator[Check]:
    """Every invariant of the settled months."""
    settled = list(Month.objects.filter(settled_at__isnull=False).values_list("month", flat=True))
    pools = ledger.balances(Kind.POOL)
    left = {month: micros for month, micros in pools.items() if micros and month in set(settled)}
    detail = ", ".join(f"{months.text(m)}: {micros}" for m, micros in left.items())
    yield Check("The pool of each settled month is nought", len(settled), not left, detail)
    yield _no_rows("Shares equal spend", Split.objects.count(), _WRONG_SPLITS)
    yield _no_rows("Lines equal their shares", Line.objects.count(), _WRONG_LINES)
    running = Run.objects.exclude(stage=Run.Stage.DONE).first()
    if running is None:
        yield _fees()
        yield _waiting()
        yield _teams()
    else:
        detail = f"{months.text(running.month)} is being settled: compared when it is done"
        for name in (FEES, WAITING, TEAMS):
            yield Check(name, 0, True, detail)
    yield _no_rows("Parts of teams equal their lines", Part.objects.count(), _WRONG_PARTS)
    yield _spends_booked()
    yield _no_rows("Charges equal what was due", Charge.objects.count(), _WRONG_CHARGES)
    yield _no_rows("Paid charges reached their lines", Received.objects.count(), _WRONG_RECEIPTS)
    wrong = nods.wrong_counts()
    yield Check(
        "Counts equal nods", Count.objects.count(), not wrong, "; ".join(str(row) for row in wrong)
    )


def _no_rows(name: str, count: int, query: str) -> Check:
    with connection.cursor() as cursor:
        cursor.execute(query, {})
        wrong = cursor.fetchall()
    return Check(name, count, not wrong, "; ".join(str(row) for row in wrong))


def _fees() -> Check:
    rates = dict(Month.objects.values_list("month", "fee_basis_points"))
    # In arrears a line says what was decided, and what came of it is kept apart.
    # Of a long line the fee of what is posted.
    later = Underway.objects.filter(month=OuterRef("month"), thing=OuterRef("thing"))
    lines = Line.objects.filter(~Exists(later), owner__isnull=False)
    prepaid = lines.exclude(month__in=Run.objects.filter(arrears=True).values("month"))
    summed, seen = 0, 0
    for rows in (prepaid, Received.objects.all()):
        facts = rows.values_list("month", "gross_micros", "fee_micros")
        for month, gross, fee in facts.iterator(5000):
            seen += 1
            summed += fee
            if fee != money.fee(gross, rates[month]):
                return Check(FEES, seen, False, months.text(month))
    released = _lines_underway().exclude(owner=None).values("month", "thing_id")
    going = {(row.month, row.thing_id): _underway.fee_so_far(row) for row in Underway.objects.all()}
    summed += sum(going[one["month"], one["thing_id"]] for one in released)
    _out, booked = ledger.trial_balance()[Kind.FEE]
    detail = f"{booked} booked, {summed} due"
    return Check(FEES, seen, summed == booked, detail)


def _waiting() -> Check:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {})
        due = {member: micros for member, micros in cursor.fetchall() if micros}
    booked = {member: micros for member, micros in ledger.balances(Kind.WAITING).items() if micros}
    wrong = sorted(set(due.items()) ^ set(booked.items()))[:5]
    return Check(WAITING, len(due), not wrong, str(wrong or ""))


def _lines_underway() -> QuerySet[Line]:
    """The long lines of which shares are still to be posted."""
    rows = Underway.objects.filter(month=OuterRef("month"), thing=OuterRef("thing"))
    return Line.objects.filter(Exists(rows))


def _teams() -> Check:
    """Whatever a team received went on to its members, but for a long line being released."""
    done = Team.objects.exclude(party__in=_lines_underway().exclude(owner=None).values("owner"))
    ids = list(done.values_list("party_id", flat=True))
    left = {id_: micros for id_, micros in ledger.balances(Kind.REVENUE, ids).items() if micros}
    return Check(TEAMS, len(ids), not left, str(left or ""))


def _spends_booked() -> Check:
    prepaid = Spend.objects.exclude(month__in=Run.objects.filter(arrears=True).values("month"))
    parts = (prepaid, Charge.objects.filter(state=Charge.State.PAID))
    spent = sum(rows.aggregate(sum=Sum("amount_micros"))["sum"] or 0 for rows in parts)
    _out, taken_in = ledger.trial_balance()[Kind.POOL]
    detail = f"{taken_in} taken in, {spent} spent"
    count = sum(rows.count() for rows in parts)
    return Check("Spends were taken in, each once", count, spent == taken_in, detail)
