"""The proof of a month: hashed once all of it is posted, published when it is settled.

What is on record is a function of the month's facts and of one key, so a run that stopped writes
the same again.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from importlib import metadata
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from mickle.instance.models import Month
from mickle.ledger import ledger
from mickle.ledger.ledger import Check
from mickle.lib import merkle, months, proof_files, proofs
from mickle.lib.chunks import Report, untold
from mickle.lib.proofs import Head
from mickle.members.models import Member
from mickle.nods.models import Nod, Past
from mickle.settlement import _archive, _database, _hashing, _texts, _totals, _tree
from mickle.settlement._archive import NoArchive
from mickle.settlement._totals import Totals
from mickle.settlement.models import Line, Proof, Run, Split

# What a row says once it is proved.
_FACTS = (
    *("engine", "members", "shares", "nods", "things", "spent_micros", "paid_micros"),
    *("fee_micros", "waiting_micros", "charity_micros", "shows_parts", "input_sha256"),
    *("output_sha256", "before", "tree", "root", "proved_at"),
)
_READ = ("settlement_spend", "settlement_split", "settlement_owned")
# Fewer people than this, and a sum would tell what one of them gave or received.
PEOPLE = 3
CHECK = "Each settled month has the proof its shares come to"


class AnotherProof(AssertionError):
    """What is on record is not what the month comes to; it is not published."""


def prove(*, month: int, at: datetime, report: Report = untold) -> str:
    """Hash a month that is posted and put it on record; its root. Safe to run again.

    Raises AnotherProof, or _hashing.NotWhole where the shares are not what was taken in.
    """
    row, _new = Proof.objects.get_or_create(
        month=month, defaults={"key": secrets.token_hex(32), "currency": settings.CURRENCY}
    )
    if row.root:
        return row.root
    _texts.look_at(*_READ)
    found = _hashing.hashed(month, bytes.fromhex(row.key), report)
    _tree.write(month, found.leaves)
    totals = _totals.totals(month)
    _describe(row, found, totals)
    row.shows_parts = _shows_parts(month, totals)
    row.engine = _engine_of(month)
    row.root = head(row).root
    row.proved_at = at
    row.save(update_fields=_FACTS)
    return row.root


def unproved() -> list[int]:
    """The months that an older version settled, without a proof; one that is gone stays gone."""
    rows = Month.objects.filter(settled_at__isnull=False).order_by("month")
    runs = dict(Run.objects.values_list("month", "proof_root"))
    proved = set(_proved().values_list("month", flat=True))
    listed = rows.values_list("month", flat=True)
    return [month for month in listed if not runs.get(month, month in proved)]


def prove_earlier(*, at: datetime) -> int:
    """Prove the months without a proof that an older version settled, in order; how many."""
    listed = unproved()
    for month in listed:
        root = prove(month=month, at=at)
        Run.objects.filter(month=month).update(proof_root=root)
    return len(listed)


def _proved() -> QuerySet[Proof]:
    return Proof.objects.exclude(root="")


def _describe(row: Proof, found: _hashing.Hashed, totals: Totals) -> None:
    """Fill in what the books say of a month, whoever asks and whenever; raises AnotherProof."""
    if left := ledger.balance(ledger.pool(row.month)):
        raise AnotherProof(f"the pool of {months.text(row.month)} holds {left} micros")
    for name in ("spent", "paid", "fee", "waiting", "charity"):
        setattr(row, f"{name}_micros", getattr(totals, f"{name}_micros"))
    row.nods, row.things = totals.nods, totals.things
    row.members, row.shares = len(found.leaves), found.shares
    row.input_sha256 = found.input.hex()
    runs = Run.objects.in_bulk([row.month - 1, row.month])
    run, before = runs.get(row.month), runs.get(row.month - 1)
    row.output_sha256 = run.result_sha256 if run is not None else ""
    row.before = before.proof_root if before is not None else ""
    row.tree = merkle.root(found.leaves).hex()
    if _tree.on_record(row.month) != row.tree:
        raise AnotherProof(f"{months.text(row.month)} has blocks of another tree on record")


def _engine_of(month: int) -> str:
    """What computed the month and what keeps the books, with their versions."""
    run = Run.objects.filter(month=month).first()
    books = _database.Database().name
    # An older version named no engine; most often it is the books' own database.
    engines = [] if run is None else [name for name in run.engine.split(", ") if " " in name]
    return ", ".join(dict.fromkeys([f"Mickle {metadata.version('mickle')}", *engines, books]))


def _shows_parts(month: int, totals: Totals) -> bool:
    """Whether every part that is not nought is of enough people, and can so be published."""
    waits = [Line.State.WAITING, Line.State.RELEASED, Line.State.RETURNED]
    return (
        (not totals.charity_micros or totals.gifts >= PEOPLE)
        and (not totals.paid_micros or totals.owners >= PEOPLE)
        and (not totals.paid_micros or _many_give(month, [Line.State.PAID]))
        and (not totals.waiting_micros or _many_give(month, waits))
    )


def _many_give(month: int, states: Sequence[str]) -> bool:
    """Whether enough members have a share in lines of these states."""
    lines = Line.objects.filter(month=month, state__in=states)
    if lines.filter(nods__gte=PEOPLE).exists():
        return True
    # No page of many: a small month, or one of pages with a nod or two.
    given = Nod.objects.filter(month=month, void="", thing_id__in=lines.values("thing_id"))
    givers = given.filter(member_id__in=Split.objects.filter(month=month).values("member_id"))
    return len(givers.values("member_id").distinct()[:PEOPLE]) == PEOPLE


def head(row: Proof) -> Head:
    """What is published of a month: no sum that is of one or two people."""
    key = bytes.fromhex(row.key)
    parts, whole = row.shows_parts and row.members >= PEOPLE, row.members >= PEOPLE
    empty = not row.members
    return Head(
        month=months.text(row.month),
        currency=row.currency,
        members=row.members,
        shares=row.shares,
        given=row.spent_micros if whole or empty else None,
        paid=row.paid_micros if parts or empty else None,
        fee=row.fee_micros if parts or empty else None,
        waiting=row.waiting_micros if parts or empty else None,
        charity=row.charity_micros if parts or empty else None,
        pool=0,
        before=row.before or None,
        input=proofs.blinded(key, "input", bytes.fromhex(row.input_sha256)),
        output=proofs.blinded(key, "output", bytes.fromhex(row.output_sha256)),
        tree=row.tree,
    )


def published(month: int) -> Proof | None:
    """The proof of a settled month; None for a month without one."""
    return _public().filter(month=month).first()


def newest(at_most: int) -> list[Proof]:
    """The proofs of the newest settled months, newest first."""
    return list(_public().order_by("-month")[:at_most])


def _public() -> QuerySet[Proof]:
    """The proofs of months that are settled: before, nothing of a month is told."""
    done = Month.objects.filter(settled_at__isnull=False)
    return _proved().filter(month__in=done.values("month"))


def month_file(row: Proof) -> dict[str, Any]:
    """What is published of a month, for programs."""
    assert row.proved_at is not None
    return proof_files.of_month(
        head(row), engine=row.engine, proved_at=row.proved_at.isoformat(timespec="seconds")
    )


def member_file(*, member: Member, month: int) -> dict[str, Any] | None:
    """A member's own shares with the way from them to the root; None where there is nothing.

    Milliseconds, however many members there are: one block is read, and the roots of the others.
    Raises NoArchive where the shares are in an archive that cannot be read, or is another.
    """
    row = published(month)
    try:
        return _member_file(row, member) if row is not None else None
    except (_hashing.NotWhole, _tree.NoSuchLeaf) as error:
        if Past.objects.filter(month=month, member=member).exists():
            # What was hashed was in the table, and is now what an archive says it was.
            raise _archive.differs(month) from error
        raise


def _member_file(row: Proof, member: Member) -> dict[str, Any] | None:
    month = row.month
    own = _hashing.own_of(month, member.id)
    if own is None:
        return None
    key = bytes.fromhex(row.key)
    place, beside = _tree.way(month, _hashing.leaf(key, own))
    return proof_files.of_shares(
        head(row),
        salt=proofs.salt(key, member.id),
        place=place,
        beside=beside,
        shares=own.texts,
    )


def check() -> Check:
    """Whether the proof on record is what each settled month comes to, hashed anew."""
    seen = 0
    roots = dict(Run.objects.exclude(proof_root="").values_list("month", "proof_root"))
    for month in Month.objects.filter(settled_at__isnull=False).order_by("month"):
        row, root = published(month.month), roots.get(month.month)
        if row is None:
            # A month that an older version settled is proved in a minute, or with the next one.
            wrong = "its proof is gone" if root else ""
        else:
            wrong = _wrong(row) if root in (None, row.root) else "it was settled with another root"
            seen += row.members
        if wrong:
            return Check(CHECK, seen, False, f"{month}: {wrong}")
    return Check(CHECK, seen, True)


def _wrong(row: Proof) -> str:
    """What of a proof on record is not so; empty where all is."""
    again = Proof(month=row.month, key=row.key, currency=row.currency, engine=row.engine)
    # Later take-backs leave a line with fewer givers, and what was published stays so.
    again.shows_parts, again.proved_at = row.shows_parts, row.proved_at
    try:
        found = _hashing.hashed(row.month, bytes.fromhex(row.key), untold)
        _describe(again, found, _totals.totals(row.month))
        again.root = head(again).root
    except (_hashing.NotWhole, AnotherProof, NoArchive, ValueError) as error:
        # ValueError: what stands there is no hash.
        return str(error)
    differs = [name for name in _FACTS if getattr(row, name) != getattr(again, name)]
    return f"{', '.join(differs)} on record is not what the books come to" if differs else ""
