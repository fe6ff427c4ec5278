"""Hands on what a month's pool took in: to what waits, to owners, the fee, and to charities.

In ranges of members, things and owners, each in a transaction of its own; run again, it goes on.
"""

from datetime import datetime

from django.db import connection

from mickle.ledger import ledger
from mickle.ledger.ledger import Kind
from mickle.lib import chunks, months
from mickle.lib.chunks import Range, Report
from mickle.lib.sql import Params, instant
from mickle.settlement import _parts

_SPLITS = """
INSERT INTO settlement_split
  (month, member_id, n, total_weight, slice_micros, rem, cut_remainder, cut_thing, final_at)
SELECT %(month)s, member, n, total, slice, rem, cut_remainder, cut_thing, %(at)s FROM s_split
WHERE member > %(after)s AND member <= %(upto)s
ON CONFLICT (month, member_id) DO NOTHING
"""
_LINES = """
INSERT INTO settlement_line
  (month, thing_id, owner_id, nods, gross_micros, fee_micros, state, decided_at)
SELECT %(month)s, thing, owner, nods, gross, fee,
       CASE WHEN owner IS NULL THEN 'WAITING' ELSE 'PAID' END, %(at)s
FROM s_line WHERE thing > %(after)s AND thing <= %(upto)s
ON CONFLICT (month, thing_id) DO NOTHING
"""
_GIFTS = f"""
SELECT 'settle:' || %(text)s || ':gift:' || CAST(charity_id AS TEXT) AS key,
       '{Kind.POOL}' AS debit_kind, %(month)s AS debit_holder,
       '{Kind.CHARITY}' AS credit_kind, charity_id AS credit_holder,
       CAST(SUM(amount_micros) AS BIGINT) AS amount_micros
FROM settlement_spend WHERE month = %(month)s AND charity_id IS NOT NULL GROUP BY charity_id
"""
_WAITING = f"""
SELECT 'settle:' || %(text)s || ':waiting:' || CAST(member AS TEXT) AS key,
       '{Kind.POOL}' AS debit_kind, %(month)s AS debit_holder,
       '{Kind.WAITING}' AS credit_kind, member AS credit_holder, waiting AS amount_micros
FROM s_member_debit WHERE waiting > 0 AND member > %(after)s AND member <= %(upto)s
"""
_OWNERS = f"""
SELECT 'settle:' || %(text)s || ':owner:' || CAST(owner AS TEXT) AS key,
       '{Kind.POOL}' AS debit_kind, %(month)s AS debit_holder,
       '{Kind.REVENUE}' AS credit_kind, owner AS credit_holder, gross AS amount_micros
FROM s_owner_credit WHERE gross > 0 AND owner > %(after)s AND owner <= %(upto)s
"""
_FEES = f"""
SELECT 'settle:' || %(text)s || ':fee:' || CAST(owner AS TEXT) AS key,
       '{Kind.REVENUE}' AS debit_kind, owner AS debit_holder,
       '{Kind.FEE}' AS credit_kind, 0 AS credit_holder, fee AS amount_micros
FROM s_owner_credit WHERE fee > 0 AND owner > %(after)s AND owner <= %(upto)s
"""


def post(*, month: int, at: datetime, arrears: bool, report: Report) -> int:
    """Write the splits and lines of a computed month and post it; how many transfers are new.

    In arrears nothing is posted: the pool took nothing in, and charges bring what they bring.
    """
    names: Params = {"month": month, "text": months.text(month)}

    def transfers(select: str, *, reason: str, **bound: int) -> int:
        return ledger.post_from_select(
            select, {**names, **bound}, reason=reason, month=month, at=at
        )

    def to_members(span: Range) -> int:
        _write(_SPLITS, month, at, span)
        return 0 if arrears else transfers(_WAITING, reason="SET_ASIDE", **span._asdict())

    def to_owners(span: Range) -> int:
        paid = transfers(_OWNERS, reason="SHARE", **span._asdict())
        return paid + transfers(_FEES, reason="FEE", **span._asdict())

    posted = transfers(_GIFTS, reason="GIFT")
    posted += chunks.walk(
        "SELECT member AS k FROM s_split", to_members, label="members", report=report
    )
    chunks.walk(
        "SELECT thing AS k FROM s_line",
        lambda span: _write(_LINES, month, at, span),
        label="lines",
        report=report,
    )
    if arrears:
        return 0
    posted += chunks.walk(
        "SELECT owner AS k FROM s_owner_credit", to_owners, label="pay", report=report
    )
    return posted + _parts.share(month=month, at=at, report=report)


def _write(text: str, month: int, at: datetime, span: Range) -> int:
    with connection.cursor() as cursor:
        cursor.execute(text, {"month": month, "at": instant(at), **span._asdict()})
        return int(cursor.rowcount)
