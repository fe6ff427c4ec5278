"""Dying at every boundary: between all SQL statements, before and after each commit.

Death is an exception no code catches, after which the open transaction is gone, as with kill -9.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from django.db import connection

from mickle.instance.models import Instance, Month
from mickle.ledger.models import Account, Transfer
from mickle.members.models import Charity, Member
from mickle.nods.models import Count, Nod, Past, PastCount
from mickle.payins.models import Payin
from mickle.payouts.models import Payout
from mickle.settlement import _proof
from mickle.settlement.models import (
    Charge,
    Due,
    Line,
    Part,
    Proof,
    ProofBlock,
    Received,
    ReturnedShare,
    Run,
    Spend,
    Split,
)
from mickle.teams.models import Agreement, Entry, Team
from tests.emptying import KEPT, empty


class Died(BaseException):
    """The process is gone."""


class Boundaries:
    """Counts the boundaries passed and dies at one of them."""

    def __init__(self, die_at: int) -> None:
        self.die_at = die_at
        self.passed = 0
        self.where = ""

    def pass_by(self, what: str) -> None:
        """Go past a boundary, or die there."""
        self.passed += 1
        if self.passed == self.die_at:
            self.where = what
            raise Died(what)

    def around(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        """Wrap a statement: what is after one is before the next, or before a commit."""
        # Death before a PRAGMA is death after the statement before it.
        if not sql.startswith("PRAGMA"):
            self.pass_by(f"before {' '.join(sql.split()[:4])}")
        return execute(sql, *rest)


def _hang_up() -> None:
    """What the dead process had open is gone: its temporary tables, its locks, what it had set."""
    if connection.vendor == "postgresql":
        # As a new connection is, but the server need not read its catalogue again for it.
        with connection.cursor() as cursor:
            cursor.execute("DISCARD ALL")
        connection.init_connection_state()
    else:
        connection.close()


@contextmanager
def dying(die_at: int) -> Iterator[Boundaries]:
    """Die at the given boundary of what runs inside; swallow the death."""
    boundaries, commit = Boundaries(die_at), connection._commit

    def committing() -> None:
        try:
            boundaries.pass_by("before a commit")
        except Died:
            connection._rollback()
            raise
        commit()
        boundaries.pass_by("after a commit")

    connection._commit = committing
    try:
        with connection.execute_wrapper(boundaries.around):
            yield boundaries
    except Died:
        _hang_up()
    finally:
        connection._commit = commit


def _arrears() -> dict[str, list[Any]]:
    """What was asked for afterwards, and what came of it."""
    return {
        "charges": sorted(
            Charge.objects.values_list("month", "member__username", "amount_micros", "state")
        ),
        "dues": sorted(
            (due.month, due.member.username, due.thing_id or 0, due.amount_micros, due.billed)
            for due in Due.objects.exclude(charge=None).select_related("member")
        ),
        "received": sorted(
            Received.objects.values_list(
                "month", "thing__url", "nods", "gross_micros", "fee_micros"
            )
        ),
    }


def _teams() -> dict[str, list[Any]]:
    """What was agreed on, and what the members of teams have of each line."""
    return {
        "parts": sorted(
            Part.objects.values_list(
                "month", "thing__url", "member__username", "weight", "net_micros", "fee_micros"
            )
        ),
        "agreed": sorted(Agreement.objects.values_list("team_id", "state", "from_month")),
        "history": sorted(Entry.objects.values_list("team_id", "what", "by__username")),
    }


def _nods() -> dict[str, list[Any]]:
    given = Nod.objects.values_list("month", "member__username", "thing__url", "weight", "void")
    return {
        "nods": sorted(given),
        "past": sorted(Past.objects.values_list("month", "member__username", "nods")),
        "counts": sorted(Count.objects.values_list("thing__url", "total")),
        "past counts": sorted(PastCount.objects.values_list("thing__url", "total")),
    }


def picture() -> dict[str, list[Any]]:
    """Everything the books and the month hold, with names in place of ids, hashed anew."""
    # The key of a proof is another each time, and with it the root; the audit hashes all of it.
    return _facts() | {"proved": [_proof.check().ok]}


def picture_to_the_root() -> dict[str, list[Any]]:
    """The same where keys are drawn alike: equal roots say as much as hashing once more."""
    proofs = Proof.objects.order_by("month").values_list(*_proof._FACTS)
    blocks = ProofBlock.objects.order_by("month", "place")
    return _facts() | {
        "roots": list(proofs),
        "blocks": [(one.month, one.place, bytes(one.leaves)) for one in blocks],
    }


def _names() -> dict[int, str]:
    """Who is called what; who stands for a team has a name that is drawn."""
    teams = dict.fromkeys(Team.objects.values_list("party_id", flat=True), "a team")
    return dict(Member.objects.values_list("id", "username")) | teams


def _facts() -> dict[str, list[Any]]:
    names = _names()
    charities = dict(Charity.objects.values_list("id", "slug"))
    holders = {"CHARITY": charities, "FUNDS": names, "WAITING": names, "REVENUE": names}

    def pot(account: Account) -> tuple[str, str]:
        named = holders.get(account.kind, {})
        return account.kind, str(named.get(account.holder_id, ""))

    transfers = Transfer.objects.select_related("debit", "credit")
    return {
        "balances": sorted((*pot(a), a.balance_micros) for a in Account.objects.all()),
        "transfers": sorted(
            (t.reason, *pot(t.debit), *pot(t.credit), t.amount_micros, t.month or 0)
            for t in transfers
        ),
        "spends": sorted(Spend.objects.values_list("month", "member__username", "amount_micros")),
        "splits": sorted(Split.objects.values_list("month", "member__username", "n", "rem")),
        "lines": sorted(
            Line.objects.values_list("month", "thing__url", "state", "gross_micros", "fee_micros")
        ),
        **_nods(),
        **_arrears(),
        **_teams(),
        "returned": sorted(ReturnedShare.objects.values_list("month", "member__username")),
        "proofs": sorted(
            (row.month, row.members, row.shares, row.spent_micros, row.fee_micros, bool(row.root))
            for row in Proof.objects.all()
        ),
        "leaves": sorted((one.month, len(one.leaves)) for one in ProofBlock.objects.all()),
        "unproved": [Run.objects.filter(proof_root="").count()],
        "months": sorted((m.month, bool(m.settled_at)) for m in Month.objects.all()),
        "members": sorted(
            (names[who.id], who.topped_up_micros, who.funded_month) for who in Member.objects.all()
        ),
        "payins": sorted(Payin.objects.values_list("amount_micros", "why")),
        "payouts": sorted(Payout.objects.values_list("kind", "amount_micros", "state")),
        "fence": list(Instance.objects.values_list("closed_through", flat=True)),
    }


class Kept:
    """The world as it was prepared, put back by copying it instead of building it anew."""

    def __init__(self, prepare: Callable[[], Any]) -> None:
        empty()
        self.world = prepare()
        self.copy: sqlite3.Connection | None = None
        self.putting_back = ""
        if connection.vendor == "sqlite":
            self.copy = sqlite3.connect(":memory:")
            connection.connection.backup(self.copy)
        else:
            self.putting_back = _kept_beside()

    def again(self) -> Any:
        """Forget what came since; whoever the deed is done to, as the database has them."""
        if self.copy is None:
            with connection.cursor() as cursor:
                cursor.execute(self.putting_back)
        else:
            connection.ensure_connection()
            self.copy.backup(connection.connection)
        return deepcopy(self.world)

    def forget(self) -> None:
        """Leave no copy behind."""
        if self.copy is not None:
            self.copy.close()
            return
        with connection.cursor() as cursor:
            cursor.execute("SET client_min_messages = warning; DROP SCHEMA kept CASCADE")


# Every table with its columns; what a statement computes is no column to write.
_TABLES = """
SELECT c.relname, string_agg(quote_ident(a.attname), ', ')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
  AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY c.relname
"""


def _kept_beside() -> str:
    """Copy every table of PostgreSQL into a schema of its own; the statements that put it back.

    New rows get other ids each time, as they do after a death.
    """
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS kept CASCADE; CREATE SCHEMA kept")
        cursor.execute(_TABLES)
        tables, filled = cursor.fetchall(), []
        for table, columns in tables:
            if table in KEPT:
                continue
            cursor.execute(f'CREATE TABLE kept."{table}" AS SELECT {columns} FROM "{table}"')
            if cursor.rowcount:
                filled.append((table, columns))
    # The books refuse to be emptied, except in a session that replays what stood elsewhere.
    return ";".join(
        (
            "BEGIN",
            "SET LOCAL session_replication_role = replica",
            *(f'DELETE FROM "{table}"' for table, _columns in tables if table not in KEPT),
            *(
                f'INSERT INTO "{table}" ({columns}) OVERRIDING SYSTEM VALUE'
                f' SELECT {columns} FROM kept."{table}"'
                for table, columns in filled
            ),
            "COMMIT",
        )
    )


def die_everywhere(prepare: Callable[[], Any], deed: Callable[[Any], None]) -> int:
    """Run the deed once undisturbed, then die at each boundary and run it again; all end equal.

    Returns how many boundaries there were.
    """
    # The key of a proof is drawn; drawn alike, two runs have the same root.
    alike = SimpleNamespace(token_hex=lambda size: "5a" * size)
    with patch.object(_proof, "secrets", alike):
        kept = Kept(prepare)
        try:
            return _die_everywhere(kept, deed)
        finally:
            kept.forget()


def _die_everywhere(kept: Kept, deed: Callable[[Any], None]) -> int:
    deed(kept.again())
    undisturbed = picture_to_the_root()
    assert _proof.check().ok
    die_at = 0
    while True:
        die_at += 1
        world = kept.again()
        with dying(die_at) as boundaries:
            deed(world)
        if not boundaries.where:
            assert picture_to_the_root() == undisturbed
            return die_at - 1
        deed(world)
        assert picture_to_the_root() == undisturbed, f"died {boundaries.where} (boundary {die_at})"
