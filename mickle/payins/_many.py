"""Many top-ups at once, as a described world gives them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from itertools import groupby, islice
from typing import TypeVar

from django.db import connection
from django.db.models import Q

from mickle.ledger import ledger
from mickle.lib import bulk, months
from mickle.lib.sql import day, instant
from mickle.members import members
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.payins.models import Payin

Item = TypeVar("Item")
PROVIDER = "load"
CHUNK = 1_000
_COLUMNS = (
    *("id", "key", "provider", "amount_micros", "reference", "payer_name", "payer_account"),
    *("received_date", "bank_text", "member_id", "why", "booked_at"),
)

_SELECT = """
SELECT 'payin:' || CAST(id AS TEXT) AS key, 'PROVIDER' AS debit_kind, 0 AS debit_holder,
       'FUNDS' AS credit_kind, member_id AS credit_holder, amount_micros
FROM payins_payin
WHERE provider = 'load' AND id BETWEEN %(first)s AND %(last)s
"""


@dataclass(frozen=True)
class Described:
    """Funds of a member as a described world gives them, there since the start of a month.

    `dated` says that the world itself names the month; else it was chosen when the world was read.
    """

    member_id: int
    username: str
    amount_micros: int
    month: int
    dated: bool = True

    @cached_property
    def key(self) -> str:
        """What makes a second loading of the same world book nothing."""
        return f"{PROVIDER}:{self.username.lower()}:{months.text(self.month)}"


def new_ones(rows: Sequence[Described]) -> tuple[list[Described], str]:
    """Those not booked before, and the key of the first that was booked with another amount."""
    if not Payin.objects.filter(provider=PROVIDER).exists():
        return list(rows), ""
    new, other = [], ""
    for chunk in _chunks(rows):
        booked = _booked(chunk)
        for row in chunk:
            earlier = booked.get(row.username.lower(), {})
            if row.dated or row.key in earlier:
                # Of what has a month only that month speaks.
                earlier = {key: micros for key, micros in earlier.items() if key == row.key}
            if not earlier:
                new.append(row)
            elif row.amount_micros not in earlier.values():
                other = other or max(earlier)
    return new, other


def _booked(rows: Sequence[Described]) -> dict[str, dict[str, int]]:
    """By name what may have been booked for these rows before: keys and amounts."""
    undated = [row.member_id for row in rows if not row.dated]
    found = Payin.objects.filter(
        Q(key__in=[row.key for row in rows]) | Q(member_id__in=undated), provider=PROVIDER
    )
    booked: dict[str, dict[str, int]] = {}
    for key, amount_micros in found.values_list("key", "amount_micros"):
        booked.setdefault(key.split(":")[1], {})[key] = amount_micros
    return booked


def hold(rows: Sequence[Described]) -> set[int] | None:
    """Lock the members, so that nobody leaves now; the ids of those without a top-up before.

    None where an account is closed or being closed.
    """
    unfunded: set[int] = set()
    for chunk in _chunks(sorted({row.member_id for row in rows})):
        some = Member.objects.filter(id__in=chunk).order_by("id").select_for_update(no_key=True)
        for id_, month, *left in some.values_list("id", "funded_month", "closing_at", "closed_at"):
            if any(left):
                return None
            if month is None:
                unfunded.add(id_)
    return unfunded


def book(rows: Sequence[Described], *, unfunded: set[int], open_month: int) -> None:
    """Write the payins, post them to the funds and note the top-ups; in a transaction."""
    first_time = {row.member_id: row.month for row in rows if row.member_id in unfunded}
    for month, group in groupby(sorted(rows, key=_month), key=_month):
        _book_month(month, list(group))
    members.note_top_ups([(row.member_id, row.amount_micros, row.month) for row in rows])
    for chunk in _chunks(sorted(first_time) if Nod.objects.exists() else []):
        for giver in Member.objects.filter(
            id__in=Nod.objects.filter(member_id__in=chunk).values("member_id")
        ):
            for month in range(first_time[giver.id], open_month + 1):
                nods.count_in(member=giver, month=month)


def _month(row: Described) -> int:
    return row.month


def _book_month(month: int, rows: list[Described]) -> None:
    at = months.start(month)
    on, booked_at = day(at.astimezone(UTC).date()), instant(at)
    with connection.cursor() as cursor:
        ids = bulk.next_ids(cursor, "payins_payin", len(rows))
        payins = (
            (
                *(id_, row.key, PROVIDER, row.amount_micros, row.key, "", ""),
                *(on, "", row.member_id, "", booked_at),
            )
            for id_, row in zip(ids, rows, strict=True)
        )
        bulk.write(cursor, "payins_payin", _COLUMNS, payins)
    ledger.post_from_select(
        _SELECT,
        {"first": ids[0], "last": ids[-1]},
        reason="TOP_UP",
        month=None,
        at=at,
        expected=len(rows),
    )


def _chunks(rows: Iterable[Item]) -> Iterator[list[Item]]:
    source = iter(rows)
    while chunk := list(islice(source, CHUNK)):
        yield chunk
