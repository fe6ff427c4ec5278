"""The lines of teams: each one's net and fee go to the team's members by their parts.

Line by line, so that every statement adds up to the micro. A part is rounded down, and micros left
over go to the larger part, then the lower member id: `money.weighed_parts` says the same. Nothing
rests with the team.
"""

from datetime import datetime

from django.db import connection

from mickle.ledger import ledger
from mickle.ledger.ledger import Kind
from mickle.lib import bulk, chunks, months
from mickle.lib.chunks import Report
from mickle.lib.sql import Params
from mickle.settlement.models import Line, Part
from mickle.teams import teams
from mickle.teams.models import Team

# From the freeze: who owns a line that is a team's, and the team's parts. Where nobody of an older
# note is left, a new one is made.
NOTED = """
INSERT INTO settlement_part (month, thing_id, owner_id, member_id, weight)
SELECT DISTINCT o.month, o.thing_id, o.owner_id, x.member, x.weight
FROM {owned} o JOIN teams_part x ON x.team = o.owner_id AND x.staying = 1
WHERE NOT EXISTS (
  SELECT 1 FROM settlement_part p JOIN members_member m ON m.id = p.member_id
  WHERE p.month = o.month AND p.thing_id = o.thing_id AND p.owner_id = o.owner_id
    AND m.closed_at IS NULL)
ON CONFLICT DO NOTHING
"""
# Whose account is closed has no part any more. The weights of a team sum to 10^8 at most. From the
# lines to their parts: the other way round SQLite would read every part of the month.
_CUT = """
SELECT month, thing, owner, member, net_base AS net_base, fee_base AS fee_base,
       net - CAST(SUM(net_base) OVER line AS BIGINT) AS net_left,
       fee - CAST(SUM(fee_base) OVER line AS BIGINT) AS fee_left,
       ROW_NUMBER() OVER (PARTITION BY month, thing, owner ORDER BY weight DESC, member) AS place
FROM (
  SELECT month, thing, owner, member, weight, net, fee,
         (net / total) * weight + ((net % total) * weight) / total AS net_base,
         (fee / total) * weight + ((fee % total) * weight) / total AS fee_base
  FROM (
    SELECT b.month AS month, b.thing AS thing, b.owner AS owner, p.member_id AS member,
           p.weight AS weight, b.net AS net, b.fee AS fee,
           CAST(SUM(p.weight) OVER (PARTITION BY b.month, b.thing, b.owner) AS BIGINT) AS total
    FROM ({brought}) b CROSS JOIN settlement_part p CROSS JOIN members_member m
    WHERE p.month = b.month AND p.thing_id = b.thing AND p.owner_id = b.owner
      AND m.id = p.member_id AND m.closed_at IS NULL
  ) weighed
) cut
WINDOW line AS (PARTITION BY month, thing, owner)
"""
_SHARED = """
SELECT month, thing, owner, member,
       net_base + CASE WHEN place <= net_left THEN 1 ELSE 0 END AS net,
       fee_base + CASE WHEN place <= fee_left THEN 1 ELSE 0 END AS fee
FROM ({cut}) q
"""
_ADD = """
UPDATE settlement_part SET net_micros = settlement_part.net_micros + s.net,
       fee_micros = settlement_part.fee_micros + s.fee
FROM s_part s
WHERE settlement_part.month = s.month AND settlement_part.thing_id = s.thing
  AND settlement_part.owner_id = s.owner AND settlement_part.member_id = s.member
  AND settlement_part.month = %(month)s AND settlement_part.thing_id IN (SELECT thing FROM s_part)
"""
# A page may go from one team to another, and charges of both be paid together. Versions before
# wrote no team into the key. What one of them posted does not come here again, whatever its key: a
# part is posted in the transaction that notes its line as shared, its release as finished or its
# charges as paid.
_TO_MEMBERS = f"""
SELECT %(key)s || ':' || CAST(owner AS TEXT) || ':' || CAST(thing AS TEXT)
         || ':' || CAST(member AS TEXT) AS key,
       '{Kind.REVENUE}' AS debit_kind, owner AS debit_holder,
       '{Kind.REVENUE}' AS credit_kind, member AS credit_holder, net AS amount_micros
FROM s_part WHERE month = %(month)s AND net > 0
"""
# From the parts to their lines: of the lines of a range most are no team's. The range of those is
# said by what it is not, as `_shares.of_month` says why.
_OF_LINES = """
SELECT month, thing_id AS thing, owner_id AS owner, gross_micros - fee_micros AS net,
       fee_micros AS fee
FROM (SELECT DISTINCT thing_id AS shared FROM settlement_part
      WHERE month = {month:d} AND thing_id > {after:d} AND thing_id <= {upto:d}) s
CROSS JOIN settlement_line
WHERE month = {month:d} AND thing_id = shared AND owner_id IS NOT NULL
  AND NOT thing_id <= {after:d} AND NOT thing_id > {upto:d}
"""


def note(line: Line) -> None:
    """Who has which part of a line just released to a team; in its transaction."""
    team = Team.objects.filter(party=line.owner_id).first()
    if team is None:
        return
    people = teams.staying_people(team=team, month=line.month)
    Part.objects.bulk_create(
        Part(
            month=line.month, thing_id=line.thing_id, owner_id=team.party_id, member_id=member,
            weight=weight,
        )
        for member, weight in people.items()
    )  # fmt: skip


def share(*, month: int, at: datetime, report: Report) -> int:
    """Share what a month's lines brought its teams; how many transfers are new.

    What was shared before stays: each range is one transaction, and a part with it.
    """

    def write(span: chunks.Range) -> int:
        lines = _OF_LINES.format(month=month, **span._asdict()) + _NOT_SHARED
        return of(lines, month=month, key=f"settle:{months.text(month)}:part", at=at)

    things = f"SELECT DISTINCT thing_id AS k FROM settlement_part WHERE month = {month:d}"
    return chunks.walk(things, write, label="teams", report=report)


# Its members have something of it by now.
_NOT_SHARED = """
AND gross_micros > 0 AND NOT EXISTS (
  SELECT 1 FROM settlement_part p
  WHERE p.month = settlement_line.month AND p.thing_id = settlement_line.thing_id
    AND p.net_micros + p.fee_micros > 0)
"""


def share_line(line: Line, at: datetime) -> int:
    """Share what a released line brought, once its fee is posted; in the caller's transaction."""
    if not Part.objects.filter(month=line.month, thing_id=line.thing_id).exists():
        return 0
    span = {"after": line.thing_id - 1, "upto": line.thing_id}
    key = f"release:{months.text(line.month)}:part"
    return of(_OF_LINES.format(month=line.month, **span), month=line.month, key=key, at=at)


def of(brought: str, *, month: int, key: str, at: datetime) -> int:
    """Share what a SELECT of month, thing, owner, net and fee says; in the caller's transaction.

    The transfers are those of one month, and their keys begin as said.
    """
    cut = _SHARED.format(cut=_CUT.format(brought=brought))
    with connection.cursor() as cursor:
        bulk.stage(cursor, "s_part", cut, key="month, thing, owner, member")
        cursor.execute(_ADD, {"month": month})
    names: Params = {"key": key, "month": month}
    posted = ledger.post_from_select(_TO_MEMBERS, names, reason="PART", month=month, at=at)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE s_part")
    return posted
