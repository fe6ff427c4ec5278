"""Hands on what a month's pool took in: to charities, to what waits, to owners, and the fee."""

from datetime import datetime

from mickle.ledger import ledger
from mickle.ledger.ledger import Kind
from mickle.lib.sql import Params
from mickle.settlement import _engine

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
FROM ({{member_debit}}) q WHERE waiting > 0
"""
_OWNERS = f"""
SELECT 'settle:' || %(text)s || ':owner:' || CAST(owner AS TEXT) AS key,
       '{Kind.POOL}' AS debit_kind, %(month)s AS debit_holder,
       '{Kind.REVENUE}' AS credit_kind, owner AS credit_holder, gross AS amount_micros
FROM ({{owner_credit}}) q WHERE gross > 0
"""
_FEES = f"""
SELECT 'settle:' || %(text)s || ':fee:' || CAST(owner AS TEXT) AS key,
       '{Kind.REVENUE}' AS debit_kind, owner AS debit_holder,
       '{Kind.FEE}' AS credit_kind, 0 AS credit_holder, fee AS amount_micros
FROM ({{owner_credit}}) q WHERE fee > 0
"""


def post(*, month: int, month_text: str, at: datetime) -> int:
    """Post the month's gifts, waiting, gross and fee; returns how many transfers."""
    names: Params = {"month": month, "text": month_text}
    texts = {name: _engine.text(name) for name in ("member_debit", "owner_credit")}
    steps = [("GIFT", _GIFTS), ("SET_ASIDE", _WAITING), ("SHARE", _OWNERS), ("FEE", _FEES)]
    return sum(
        ledger.post_from_select(select.format(**texts), names, reason=reason, month=month, at=at)
        for reason, select in steps
    )
