"""Posting many transfers from one SELECT, on both databases, in a few statements."""

from datetime import datetime

from django.db import connection
from django.db.backends.utils import CursorWrapper

from mickle.ledger.models import MAY_GO_BELOW_ZERO
from mickle.lib import bulk
from mickle.lib.sql import Params, instant

# Each account is looked up by its id. Joined, and with statistics from when the tables were still
# empty, PostgreSQL reads every transfer with every account for each row that is due.
_DIFFERENT = """
SELECT due.key FROM ledger_due due
JOIN ledger_transfer t ON t.key = due.key
WHERE t.amount_micros <> due.amount_micros
   OR NOT EXISTS (SELECT 1 FROM ledger_account d WHERE d.id = t.debit_id
                  AND d.kind = due.debit_kind AND d.holder_id = due.debit_holder)
   OR NOT EXISTS (SELECT 1 FROM ledger_account c WHERE c.id = t.credit_id
                  AND c.kind = due.credit_kind AND c.holder_id = due.credit_holder)
LIMIT 1
"""
# Looked at while it was filled in another transaction, a table counts as empty for PostgreSQL
# however large it is, and plans read all of it for each row that is due.
_TAKEN_FOR_EMPTY = """
SELECT oid::regclass::text FROM pg_class
WHERE oid IN ('ledger_account'::regclass, 'ledger_transfer'::regclass)
  AND reltuples = 0 AND pg_relation_size(oid) > 0
"""
_FORGET_POSTED = """
DELETE FROM ledger_due WHERE EXISTS (SELECT 1 FROM ledger_transfer t WHERE t.key = ledger_due.key)
"""
_ACCOUNTS = """
INSERT INTO ledger_account (kind, holder_id, balance_micros)
SELECT debit_kind, debit_holder, 0 FROM ledger_due
UNION SELECT credit_kind, credit_holder, 0 FROM ledger_due
ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""
_TRANSFERS = """
INSERT INTO ledger_transfer (key, debit_id, credit_id, amount_micros, reason, month, memo, at)
SELECT due.key, d.id, c.id, due.amount_micros, %(reason)s, %(month)s, '', %(at)s
FROM ledger_due due
JOIN ledger_account d ON d.kind = due.debit_kind AND d.holder_id = due.debit_holder
JOIN ledger_account c ON c.kind = due.credit_kind AND c.holder_id = due.credit_holder
ORDER BY c.id, d.id
"""
_DELTAS = """
SELECT a.id AS id, CAST(SUM(x.amount) AS BIGINT) AS delta FROM (
  SELECT debit_kind AS kind, debit_holder AS holder, -amount_micros AS amount FROM ledger_due
  UNION ALL SELECT credit_kind, credit_holder, amount_micros FROM ledger_due
) x JOIN ledger_account a ON a.kind = x.kind AND a.holder_id = x.holder
GROUP BY a.id
"""
_LOCK = (
    "SELECT id FROM ledger_account WHERE id IN (SELECT id FROM ledger_delta) ORDER BY id FOR UPDATE"
)
_BELOW = f"""
SELECT a.kind, a.holder_id FROM ledger_account a JOIN ledger_delta d ON d.id = a.id
WHERE a.balance_micros + d.delta < 0
  AND a.kind NOT IN ({", ".join(f"'{kind}'" for kind in MAY_GO_BELOW_ZERO)}) LIMIT 1
"""
_BALANCES = """
UPDATE ledger_account SET balance_micros = balance_micros + d.delta
FROM ledger_delta d WHERE d.id = ledger_account.id
"""


class Outcome:
    """What a bulk posting did, or why it may not be done; amounts in micros."""

    def __init__(self) -> None:
        self.due = 0
        self.posted = 0
        self.new = 0
        self.different_key: str | None = None
        self.below_zero: tuple[str, int] | None = None


def post(select: str, params: Params, *, reason: str, month: int | None, at: datetime) -> Outcome:
    """Stage the SELECT's rows, leave out what was posted before, post the rest with its balances.

    The SELECT gives key, debit_kind, debit_holder, credit_kind, credit_holder, amount_micros.
    """
    done = Outcome()
    names = {"reason": reason, "month": month, "at": instant(at)}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            _look_at_empty_tables(cursor)
        bulk.stage(cursor, "ledger_due", select, params)
        cursor.execute("SELECT COUNT(*) FROM ledger_due")
        done.due = cursor.fetchone()[0]
        if done.due:
            _compare_and_post(cursor, done, names)
        cursor.execute("DROP TABLE ledger_due")
    return done


def _look_at_empty_tables(cursor: CursorWrapper) -> None:
    cursor.execute(_TAKEN_FOR_EMPTY)
    for (table,) in cursor.fetchall():
        cursor.execute(f"ANALYZE {table}")


def _compare_and_post(cursor: CursorWrapper, done: Outcome, names: Params) -> None:
    cursor.execute(_DIFFERENT)
    if found := cursor.fetchone():
        done.different_key = found[0]
        return
    cursor.execute(_FORGET_POSTED)
    done.new = done.due - cursor.rowcount
    if done.new:
        _post(cursor, done, names)


def _post(cursor: CursorWrapper, done: Outcome, names: Params) -> None:
    """Post what is due, and move the balances; or note which pot would go below nought."""
    cursor.execute(_ACCOUNTS)
    bulk.stage(cursor, "ledger_delta", _DELTAS)
    if connection.vendor == "postgresql":
        cursor.execute(_LOCK)
    cursor.execute(_BELOW)
    if found := cursor.fetchone():
        done.below_zero = (found[0], found[1])
        return
    cursor.execute(_TRANSFERS, names)
    done.posted = cursor.rowcount
    cursor.execute(_BALANCES)
    cursor.execute("DROP TABLE ledger_delta")
