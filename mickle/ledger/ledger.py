"""The door of the books: post, reverse, read, seal, audit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _

from mickle.ledger import _audit, _bulk
from mickle.ledger._audit import Check
from mickle.ledger.models import MAY_GO_BELOW_ZERO, Account, Kind, Pot, Transfer
from mickle.lib import months
from mickle.lib.chunks import Range
from mickle.lib.errors import Refused
from mickle.lib.money import LIMIT_MICROS
from mickle.lib.sql import Params, Value, instant

_BALANCE = "SELECT balance_micros FROM ledger_account WHERE kind = %s AND holder_id = %s"

__all__ = [
    "COST",
    "FEE",
    "LOSS",
    "PROVIDER",
    "Check",
    "Insufficient",
    "KeyReused",
    "Kind",
    "Pot",
    "Row",
    "audit",
    "balance",
    "balances",
    "balances_sql",
    "charity",
    "find",
    "funds",
    "hold",
    "hold_pots",
    "journal",
    "payout",
    "pool",
    "post",
    "post_from_select",
    "revenue",
    "reverse",
    "seal",
    "total",
    "transfers",
    "trial_balance",
    "unassigned",
    "waiting",
]

FEE, COST, LOSS, PROVIDER = Pot(Kind.FEE), Pot(Kind.COST), Pot(Kind.LOSS), Pot(Kind.PROVIDER)


class Insufficient(Refused):
    """The pot holds less than the amount; nothing was posted."""


class KeyReused(Refused):
    """The key belongs to another transfer; nothing was posted."""


@dataclass(frozen=True)
class Row:
    """A transfer as readers see it; amounts in micros."""

    id: int
    key: str
    debit: Pot
    credit: Pot
    amount_micros: int
    reason: str
    month: int | None
    memo: str
    at: datetime


def funds(member_id: int) -> Pot:
    """What a member has to give."""
    return Pot(Kind.FUNDS, member_id)


def waiting(member_id: int) -> Pot:
    """What is set aside, still the member's own."""
    return Pot(Kind.WAITING, member_id)


def revenue(member_id: int) -> Pot:
    """What an owner has earned."""
    return Pot(Kind.REVENUE, member_id)


def pool(month: int) -> Pot:
    """What a month's settlement has taken in and not yet handed on; ends at nought."""
    return Pot(Kind.POOL, month)


def charity(charity_id: int) -> Pot:
    """What an organisation has been given and not yet been paid."""
    return Pot(Kind.CHARITY, charity_id)


def balances_sql(kind: Kind) -> str:
    """SQL text giving holder_id and balance_micros of all pots of a kind, for bulk readers."""
    return f"SELECT holder_id, balance_micros FROM ledger_account WHERE kind = '{kind.value}'"


def payout(payout_id: int = 0) -> Pot:
    """What is on its way out."""
    return Pot(Kind.PAYOUT, payout_id)


def unassigned(payin_id: int) -> Pot:
    """Money of no known member."""
    return Pot(Kind.UNASSIGNED, payin_id)


def post(
    *,
    key: str,
    debit: Pot,
    credit: Pot,
    amount_micros: int,
    reason: str,
    at: datetime,
    month: int | None = None,
    memo: str = "",
    reverses: str | None = None,
) -> bool:
    """Move an amount between two pots, once per key; True when it was posted by this call.

    Raises Insufficient when the debit pot holds less, KeyReused when the key has other content.
    """
    if not 0 < amount_micros <= LIMIT_MICROS:
        raise ValueError(f"an amount of {amount_micros} micros cannot be posted")
    with transaction.atomic():
        _share_seal_lock()
        ids = _account_ids(debit, credit)
        reversed_id = Transfer.objects.only("id").get(key=reverses).id if reverses else None
        inserted = _insert(
            [key, *ids, amount_micros, reason, month, memo[:200], reversed_id, instant(at)],
        )
        if not inserted:
            _must_equal(key, debit, credit, amount_micros)
            return False
        # In order of id, so that two postings never wait for each other in a ring.
        for account_id in sorted(ids):
            _move(account_id, -amount_micros if account_id == ids[0] else amount_micros)
    return True


def _share_seal_lock() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_audit.SEAL_LOCK])


def _account_ids(*pots: Pot) -> list[int]:
    wanted = Q()
    for pot in pots:
        wanted |= Q(kind=pot.kind, holder_id=pot.holder_id)
    found = {(a.kind, a.holder_id): a.id for a in Account.objects.filter(wanted)}
    missing = sorted(pot for pot in pots if tuple(pot) not in found)
    if missing:
        rows = [Account(kind=pot.kind, holder_id=pot.holder_id) for pot in missing]
        Account.objects.bulk_create(rows, ignore_conflicts=True)
        found = {(a.kind, a.holder_id): a.id for a in Account.objects.filter(wanted)}
    return [found[pot.kind, pot.holder_id] for pot in pots]


def _insert(values: Sequence[Value]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_transfer (key, debit_id, credit_id, amount_micros, reason, month,"
            " memo, reverses_id, at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (key) DO NOTHING RETURNING id",
            values,
        )
        return cursor.fetchone() is not None


def _must_equal(key: str, debit: Pot, credit: Pot, amount_micros: int) -> None:
    row = find(key)
    if row is None or (row.debit, row.credit, row.amount_micros) != (debit, credit, amount_micros):
        raise KeyReused(
            _("“%(key)s” was booked before with other content. Nothing was booked now.")
            % {"key": key}
        )


def _move(account_id: int, delta: int) -> None:
    with connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(MAY_GO_BELOW_ZERO))
        cursor.execute(
            "UPDATE ledger_account SET balance_micros = balance_micros + %s"
            f" WHERE id = %s AND (balance_micros + %s >= 0 OR kind IN ({marks}))",
            [delta, account_id, delta, *MAY_GO_BELOW_ZERO],
        )
        if cursor.rowcount != 1:
            raise Insufficient(_("There is less in this account than that. Nothing was moved."))


def post_from_select(
    select: str,
    params: Params,
    *,
    reason: str,
    month: int | None,
    at: datetime,
    expected: int | None = None,
) -> int:
    """Post one transfer for each row of a SELECT; returns how many were new.

    The SELECT gives key, debit_kind, debit_holder, credit_kind, credit_holder, amount_micros.
    `expected` is the number of rows the caller knows it has to give; another number is a defect.
    """
    with transaction.atomic():
        _share_seal_lock()
        done = _bulk.post(select, params, reason=reason, month=month, at=at)
        if done.different_key is not None:
            raise KeyReused(
                _("“%(key)s” was booked before with other content. Nothing was booked now.")
                % {"key": done.different_key}
            )
        if done.below_zero is not None:
            kind, holder = done.below_zero
            raise Insufficient(
                _("%(kind)s %(holder)s holds less than is due. Nothing was moved.")
                % {"kind": kind, "holder": holder}
            )
        if done.posted != done.new:
            # Of two rows with one key the trigger lets one in, and the balances would count both.
            raise AssertionError(f"{done.new} transfers for {reason}, but {done.posted} keys")
        if expected is not None and done.due != expected:
            raise AssertionError(f"{done.due} transfers were due for {reason}, not {expected}")
    return done.posted


def hold(kind: Kind, span: Range) -> None:
    """Let the pots of a range of holders stand until the caller's transaction ends.

    On SQLite the writer's own lock does this already.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM ledger_account WHERE kind = %s AND holder_id > %s"
                " AND holder_id <= %s ORDER BY id FOR UPDATE",
                [kind, *span],
            )


def hold_pots(select: str, params: Params) -> None:
    """The same for the pots whose kind and holder a SELECT gives, in the order of every posting."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT a.id FROM ledger_account a JOIN ({select}) w"
                " ON w.kind = a.kind AND w.holder = a.holder_id ORDER BY a.id FOR UPDATE OF a",
                params,
            )


def reverse(*, key: str, of: str, reason: str, at: datetime, memo: str = "") -> bool:
    """Undo a transfer by a second one the other way round; once for each transfer."""
    row = find(of)
    if row is None:
        raise LookupError(f"there is no transfer {of}")
    return post(
        key=key,
        debit=row.credit,
        credit=row.debit,
        amount_micros=row.amount_micros,
        reason=reason,
        month=row.month,
        memo=memo,
        reverses=of,
        at=at,
    )


def balance(pot: Pot) -> int:
    """Micros in a pot; 0 for one that was never used."""
    with connection.cursor() as cursor:
        cursor.execute(_BALANCE, [pot.kind, pot.holder_id])
        found = cursor.fetchone()
    return int(found[0]) if found is not None else 0


def balances(kind: str, holder_ids: Iterable[int] | None = None) -> dict[int, int]:
    """Micros by holder for all pots of a kind, or for the holders named."""
    rows = Account.objects.filter(kind=kind)
    if holder_ids is not None:
        rows = rows.filter(holder_id__in=list(holder_ids))
    return dict(rows.values_list("holder_id", "balance_micros"))


def total(kind: str) -> int:
    """Micros in all pots of a kind together."""
    return Account.objects.filter(kind=kind).aggregate(sum=Sum("balance_micros"))["sum"] or 0


def find(key: str) -> Row | None:
    """The transfer with this key."""
    row = Transfer.objects.select_related("debit", "credit").filter(key=key).first()
    return _row(row) if row is not None else None


def transfers(
    pot: Pot, *, since: datetime | None = None, until: datetime | None = None
) -> list[Row]:
    """Transfers in and out of a pot in `[since, until)`, oldest first."""
    account = Account.objects.filter(kind=pot.kind, holder_id=pot.holder_id).first()
    if account is None:
        return []
    rows = Transfer.objects.filter(Q(debit=account) | Q(credit=account))
    return _between(rows, since, until)


def journal(month: int) -> list[Row]:
    """Every transfer booked in a month, oldest first."""
    return _between(Transfer.objects.all(), months.start(month), months.end(month))


def _between(rows: QuerySet[Transfer], since: datetime | None, until: datetime | None) -> list[Row]:
    if since is not None:
        rows = rows.filter(at__gte=since)
    if until is not None:
        rows = rows.filter(at__lt=until)
    found = rows.select_related("debit", "credit").order_by("at", "id")
    return [_row(row) for row in found]


def _row(row: Transfer) -> Row:
    return Row(
        id=row.id,
        key=row.key,
        debit=Pot(row.debit.kind, row.debit.holder_id),
        credit=Pot(row.credit.kind, row.credit.holder_id),
        amount_micros=row.amount_micros,
        reason=row.reason,
        month=row.month,
        memo=row.memo,
        at=row.at,
    )


def trial_balance(until: datetime | None = None) -> dict[str, tuple[int, int]]:
    """Debits and credits in micros by kind of account, of all transfers before an instant."""
    rows = Transfer.objects.all() if until is None else Transfer.objects.filter(at__lt=until)
    out = dict(rows.values_list("debit__kind").annotate(sum=Sum("amount_micros")))
    into = dict(rows.values_list("credit__kind").annotate(sum=Sum("amount_micros")))
    return {kind: (out.get(kind, 0), into.get(kind, 0)) for kind in Kind.values}


def seal(*, at: datetime) -> int:
    """Seal the transfers that no batch covers yet; returns how many."""
    return _audit.seal(at=at)


def is_sealed() -> bool:
    """Whether a batch covers every transfer."""
    return _audit.is_sealed()


def audit() -> list[Check]:
    """Recompute the books; each invariant by name with how much it looked at."""
    return list(_audit.checks())
