"""Many members at once, as a described world gives them."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, make_password
from django.db import connection

from mickle.members.models import Budget, Charity, Member

# 16 columns a row stay below SQLite's 32,766 parameters a statement.
CHUNK = 1_000

_NOTE = """
UPDATE members_member
SET topped_up_micros = topped_up_micros + %s, funded_month = COALESCE(funded_month, %s)
WHERE id = %s
"""
_NOTE_LISTS = """
UPDATE members_member
SET topped_up_micros = topped_up_micros + given.micros,
    funded_month = COALESCE(funded_month, given.month)
FROM unnest(%s::bigint[], %s::bigint[], %s::int[]) AS given(id, micros, month)
WHERE members_member.id = given.id
"""


@dataclass(frozen=True, slots=True)
class NewMember:
    """A member as a described world gives them; without a password nobody signs in with one."""

    username: str
    joined_at: datetime
    email: str = ""
    password: str | None = None
    name: str = ""
    about: str = ""
    city: str = ""
    country: str = ""
    url: str = ""
    is_operator: bool = False
    public_nods: bool = False
    budget_micros: int | None = None
    charity: Charity | None = None


def insert(rows: Iterable[NewMember], *, budget_month: int, default_micros: int) -> int:
    """Write the members and their budgets; returns how many."""
    written = 0
    for chunk in _chunks(rows):
        made = Member.objects.bulk_create([_row(row) for row in chunk])
        budgets = [
            Budget(
                member=member,
                month=budget_month,
                amount_micros=row.budget_micros or default_micros,
                charity=row.charity,
            )
            for member, row in zip(made, chunk, strict=True)
            if row.budget_micros is not None or row.charity is not None
        ]
        Budget.objects.bulk_create(budgets)
        written += len(made)
    return written


def _row(row: NewMember) -> Member:
    return Member(
        username=row.username,
        email=row.email.strip().lower(),
        password=make_password(row.password) if row.password else _unusable(),
        name=row.name.strip(),
        about=row.about,
        city=row.city,
        country=row.country,
        url=row.url,
        is_operator=row.is_operator,
        public_nods=row.public_nods,
        joined_at=row.joined_at,
    )


def _unusable() -> str:
    # Django's own takes forty draws of a letter; what follows the mark is never compared.
    return UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20)


def note_top_ups(rows: Sequence[tuple[int, int, int]]) -> None:
    """Keep the sums topped up by many members: (member id, micros, month)."""
    if not rows:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_NOTE_LISTS, [list(column) for column in zip(*rows, strict=True)])
        else:
            cursor.executemany(_NOTE, [(micros, month, id_) for id_, micros, month in rows])


def _chunks(rows: Iterable[NewMember]) -> Iterator[list[NewMember]]:
    source = iter(rows)
    while chunk := list(islice(source, CHUNK)):
        yield chunk
