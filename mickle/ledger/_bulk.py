"""Posting many transfers from one SELECT, on both databases, in a few statements."""

from datetime import datetime

from django.db import connection
from django.db.backends.utils import CursorWrapper

from mickle.ledger.models import MAY_GO_BELOW_ZERO
from mickle.lib import bulk
from mickle.lib.sql import Params, instant

_DUE = (
    "key TEXT, debit_kind TEXT, debit_holder BIGINT, credit_kind TEXT, credit_holder BIGINT,"
    " amount_micros BIGINT, debit_id BIGINT, credit_id BIGINT"
)
_DELTA = "id BIGINT, delta BIGINT"
# With the accounts there are: what follows looks at their numbers alone. A look into the index for
# each row, where a join reads the whole table for a range of it.
_ACCOUNT = (
    "(SELECT a.id FROM ledger_account a WHERE a.kind = {side}_kind AND a.holder_id = {side}_holder)"
)
_FOUND = f"""
SELECT key, debit_kind, debit_holder, credit_kind, credit_holder, amount_micros,
       {_ACCOUNT.format(side="debit")}, {_ACCOUNT.format(side="credit")}
FROM ({{select}}) q
"""
_POSTED = """
SELECT COUNT((SELECT t.id FROM ledger_transfer t WHERE t.key = due.key)) FROM ledger_due due
"""
_DIFFERENT = """
SELECT due.key FROM ledger_due due
JOIN ledger_transfer t ON t.key = due.key
WHERE t.amount_micros <> due.amount_micros
   OR t.debit_id <> COALESCE(due.debit_id, 0) OR t.credit_id <> COALESCE(due.credit_id, 0)
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
SELECT debit_kind, debit_holder, 0 FROM ledger_due WHERE debit_id IS NULL
UNION SELECT credit_kind, credit_holder, 0 FROM ledger_due WHERE credit_id IS NULL
ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""
_NUMBERED = f"UPDATE ledger_due SET {{side}}_id = {_ACCOUNT} WHERE {{side}}_id IS NULL"
_MISSING = "SELECT COUNT(*) FROM ledger_due WHERE debit_id IS NULL OR credit_id IS NULL"
_TRANSFERS = """
INSERT INTO ledger_transfer (key, debit_id, credit_id, amount_micros, reason, month, memo, at)
SELECT key, debit_id, credit_id, amount_micros, %(reason)s, %(month)s, '', %(at)s FROM ledger_due
"""
_DELTAS = """
SELECT x.id AS id, CAST(SUM(x.amount) AS BIGINT) AS delta FROM (
  SELECT debit_id AS id, -amount_micros AS amount FROM ledger_due
  UNION ALL SELECT credit_id, amount_micros FROM ledger_due
) x GROUP BY x.id
"""
# Row by row, in order: who moves some of the same pots at the same time waits, and nobody for ever.
_LOCK = """
SELECT COUNT((SELECT a.id FROM ledger_account a WHERE a.id = d.id FOR UPDATE))
FROM (SELECT id FROM ledger_delta ORDER BY id) d
"""
_BELOW = f"""
SELECT a.kind, a.holder_id FROM ledger_account a JOIN ledger_delta d ON d.id = a.id
WHERE d.delta < 0 AND a.balance_micros + d.delta < 0
  AND a.kind NOT IN ({", ".join(f"'{kind}'" for kind in MAY_GO_BELOW_ZERO)}) {{named}} LIMIT 1
"""
_BALANCES = """
UPDATE ledger_account SET balance_micros = balance_micros + d.delta
FROM ledger_delta d WHERE d.id = ledger_account.id {named}
"""
# PostgreSQL takes an array for a few rows, whatever is in it, and finds them by the index. For a
# join with a range of pots it reads all pots: it takes what is in memory to be on a disk.
_NAMED = "AND {account}.id = ANY(ARRAY(SELECT id FROM ledger_delta))"


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
        found = _FOUND.format(select=select)
        done.due = bulk.refill(cursor, "ledger_due", _DUE, found, params)
        if done.due:
            _compare_and_post(cursor, done, names)
    return done


def _look_at_empty_tables(cursor: CursorWrapper) -> None:
    cursor.execute(_TAKEN_FOR_EMPTY)
    for (table,) in cursor.fetchall():
        cursor.execute(f"ANALYZE {table}")


def _compare_and_post(cursor: CursorWrapper, done: Outcome, names: Params) -> None:
    done.new = done.due - _count(cursor, _POSTED)
    if done.new < done.due:
        cursor.execute(_DIFFERENT)
        if found := cursor.fetchone():
            done.different_key = found[0]
            return
        cursor.execute(_FORGET_POSTED)
    if done.new:
        _post(cursor, done, names)


def _count(cursor: CursorWrapper, query: str) -> int:
    cursor.execute(query)
    return int(cursor.fetchone()[0])


def _post(cursor: CursorWrapper, done: Outcome, names: Params) -> None:
    """Post what is due, and move the balances; or note which pot would go below nought."""
    if _count(cursor, _MISSING):
        cursor.execute(_ACCOUNTS)
        for side in ("debit", "credit"):
            cursor.execute(_NUMBERED.format(side=side))
    bulk.refill(cursor, "ledger_delta", _DELTA, _DELTAS)
    if connection.vendor == "postgresql":
        cursor.execute(_LOCK)
    cursor.execute(_BELOW.format(named=_named("a")))
    if found := cursor.fetchone():
        done.below_zero = (found[0], found[1])
        return
    cursor.execute(_TRANSFERS, names)
    done.posted = cursor.rowcount
    cursor.execute(_BALANCES.format(named=_named("ledger_account")))


def _named(account: str) -> str:
    return _NAMED.format(account=account) if connection.vendor == "postgresql" else ""
