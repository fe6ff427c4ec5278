"""Many top-ups at once, as a described world gives them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import groupby, islice
from typing import TypeVar

from mickle.ledger import ledger
from mickle.lib import months
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.payins.models import Payin

Item = TypeVar("Item")
PROVIDER = "load"
CHUNK = 1_000

_SELECT = """
SELECT 'payin:' || CAST(id AS TEXT) AS key, 'PROVIDER' AS debit_kind, 0 AS debit_holder,
       'FUNDS' AS credit_kind, member_id AS credit_holder, amount_micros
FROM payins_payin
WHERE provider = 'load' AND id BETWEEN %(first)s AND %(last)s
"""


@dataclass(frozen=True, slots=True)
class Described:
    """Funds of a member as a described world gives them, there since the start of a month."""

    member: Member
    amount_micros: int
    month: int

    @property
    def key(self) -> str:
        """What makes a second loading of the same world book nothing."""
        return f"{PROVIDER}:{self.member.username.lower()}:{months.text(self.month)}"


def new_ones(rows: Sequence[Described]) -> tuple[list[Described], Described | None]:
    """Those not booked before, and the first that was booked with another amount."""
    booked: dict[str, int] = {}
    for chunk in _chunks(rows):
        found = Payin.objects.filter(key__in=[row.key for row in chunk])
        booked.update(found.values_list("key", "amount_micros"))
    new = [row for row in rows if row.key not in booked]
    other = (row for row in rows if booked.get(row.key, row.amount_micros) != row.amount_micros)
    return new, next(other, None)


def leaving(rows: Sequence[Described]) -> Member | None:
    """The first whose account is closed or being closed; locks all, so that nobody leaves now."""
    ids = sorted({row.member.id for row in rows})
    for first in range(0, len(ids), CHUNK):
        some = Member.objects.filter(id__in=ids[first : first + CHUNK]).order_by("id")
        for one in some.select_for_update(no_key=True):
            if one.closing_at or one.closed_at:
                return one
    return None


def book(rows: Sequence[Described], *, open_month: int) -> None:
    """Write the payins, post them to the funds and note the top-ups; in a transaction."""
    first_time = {row.member.id: row.month for row in rows if row.member.funded_month is None}
    for month, group in groupby(sorted(rows, key=_month), key=_month):
        _book_month(month, list(group))
    members.note_top_ups([(row.member.id, row.amount_micros, row.month) for row in rows])
    for chunk in _chunks(sorted(first_time)):
        for giver in Member.objects.filter(
            id__in=Nod.objects.filter(member_id__in=chunk).values("member_id")
        ):
            for month in range(first_time[giver.id], open_month + 1):
                nods.count_in(member=giver, month=month)


def _month(row: Described) -> int:
    return row.month


def _book_month(month: int, rows: list[Described]) -> None:
    at = months.start(month)
    ids: list[int] = []
    for chunk in _chunks(rows):
        made = Payin.objects.bulk_create(
            Payin(
                key=row.key,
                provider=PROVIDER,
                amount_micros=row.amount_micros,
                reference=row.key,
                received_date=at.astimezone(UTC).date(),
                member=row.member,
                booked_at=at,
            )
            for row in chunk
        )
        ids += [payin.id for payin in made]
    ledger.post_from_select(
        _SELECT,
        {"first": min(ids), "last": max(ids)},
        reason="TOP_UP",
        month=None,
        at=at,
        expected=len(rows),
    )


def _chunks(rows: Iterable[Item]) -> Iterator[list[Item]]:
    source = iter(rows)
    while chunk := list(islice(source, CHUNK)):
        yield chunk
