"""Many members at once, as a described world gives them."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, make_password
from django.db import connection

from mickle.lib import bulk
from mickle.lib.sql import Value, instant
from mickle.members.models import Charity

CHUNK = 10_000

_BUDGET_COLUMNS = ("member_id", "month", "amount_micros", "paused", "charity_id")
_NOTED_COLUMNS = ("id", "topped_up_micros", "funded_month")
_NOTE = """
UPDATE members_member
SET topped_up_micros = members_member.topped_up_micros + noted.topped_up_micros,
    funded_month = COALESCE(members_member.funded_month, noted.funded_month)
FROM (
  SELECT id, SUM(topped_up_micros) AS topped_up_micros, MIN(funded_month) AS funded_month
  FROM members_noted GROUP BY id
) noted WHERE members_member.id = noted.id
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


def insert(rows: Iterable[NewMember], *, budget_month: int, default_micros: int) -> list[int]:
    """Write the members and their budgets; returns the ids in the order of the rows."""
    written: list[int] = []
    with connection.cursor() as cursor:
        for chunk in _chunks(rows):
            ids = bulk.next_ids(cursor, "members_member", len(chunk))
            made = [_fields(id_, row) for id_, row in zip(ids, chunk, strict=True)]
            bulk.write(cursor, "members_member", tuple(made[0]), [tuple(m.values()) for m in made])
            budgets = (
                (id_, budget_month, row.budget_micros or default_micros, False, _charity(row))
                for id_, row in zip(ids, chunk, strict=True)
                if row.budget_micros is not None or row.charity is not None
            )
            bulk.write(cursor, "members_budget", _BUDGET_COLUMNS, budgets)
            written += ids
    return written


def _fields(id_: int, row: NewMember) -> dict[str, Value]:
    return {
        "id": id_,
        "username": row.username,
        "email": row.email.strip().lower(),
        "password": make_password(row.password) if row.password else _unusable(),
        "name": row.name.strip(),
        "about": row.about,
        "city": row.city,
        "country": row.country,
        "url": row.url,
        "language": "",
        "is_operator": row.is_operator,
        "public_nods": row.public_nods,
        "joined_at": instant(row.joined_at),
    }


def _charity(row: NewMember) -> int | None:
    return row.charity.id if row.charity is not None else None


def _unusable() -> str:
    # Django's own takes forty draws of a letter; what follows the mark is never compared.
    return UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20)


def note_top_ups(rows: Sequence[tuple[int, int, int]]) -> None:
    """Keep the sums topped up by many members: (member id, micros, month)."""
    with (
        connection.cursor() as cursor,
        bulk.staged(
            cursor,
            "members_noted",
            _NOTED_COLUMNS,
            rows,
            like="members_member",
        ),
    ):
        cursor.execute(_NOTE)


def _chunks(rows: Iterable[NewMember]) -> Iterator[list[NewMember]]:
    source = iter(rows)
    while chunk := list(islice(source, CHUNK)):
        yield chunk
