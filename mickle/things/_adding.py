"""Writing things and their tags: one, or a million described ones."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import connection

from mickle.lib import urls
from mickle.lib.sql import instant
from mickle.lib.urls import Identity
from mickle.things import _texts
from mickle.things.models import Tag, Thing

Values = tuple[str | int | datetime | None, ...]

# 14 values a row stay below SQLite's 32,766 parameters a statement.
CHUNK = 2_000

_COLUMNS = (
    *("identity", "url", "raw_url", "host", "title", "description", "category", "language"),
    *("tags", "hidden", "owner_id", "state", "created_at"),
)
_INSERT = "INSERT INTO {table} ({columns}) VALUES {values} ON CONFLICT DO NOTHING"

# Ids given by hand leave the sequence behind; it only ever moves forward.
_ADVANCE = """
SELECT setval(pg_get_serial_sequence('things_thing', 'id'), found.highest)
FROM (SELECT MAX(id) AS highest FROM things_thing) found
WHERE found.highest > (SELECT last_value FROM things_thing_id_seq)
"""


@dataclass(frozen=True, slots=True)
class NewThing:
    """A thing as a described world gives it; `thing_id` None lets the database choose."""

    url: str
    created_at: datetime
    thing_id: int | None = None
    title: str = ""
    description: str = ""
    category: str = Thing.Category.REST
    language: str = ""
    tags: Sequence[str] = ()
    hidden: bool = False
    owner_id: int | None = None


def fresh(found: Identity) -> Thing:
    """An unsaved thing of an identity."""
    return Thing(identity=found.identity, url=found.url, raw_url=found.raw, host=found.host)


def chunks(rows: Iterable[NewThing]) -> Iterator[list[NewThing]]:
    """The rows in lists of a size one statement takes."""
    source = iter(rows)
    while chunk := list(islice(source, CHUNK)):
        yield chunk


def insert(chunk: Sequence[NewThing]) -> list[int | None]:
    """Insert what is new of a chunk; ids in its order, None where an id is another thing's."""
    identities = [urls.admit(row.url) for row in chunk]
    numbered = [(row, one) for row, one in zip(chunk, identities, strict=True) if row.thing_id]
    others = [(row, one) for row, one in zip(chunk, identities, strict=True) if not row.thing_id]
    _write(
        "things_thing",
        ("id", *_COLUMNS),
        [(row.thing_id, *_values(row, one)) for row, one in numbered],
    )
    _write("things_thing", _COLUMNS, [_values(row, one) for row, one in others])
    wanted = {one.identity for one in identities}
    listed = Thing.objects.filter(identity__in=wanted).values_list("identity", "id", "tags")
    known = {identity: (thing_id, tags) for identity, thing_id, tags in listed.iterator()}
    write_tags(known.values())
    return [known[one.identity][0] if one.identity in known else None for one in identities]


def _values(row: NewThing, found: Identity) -> Values:
    return (
        *(found.identity, found.url, found.raw, found.host),
        *(_texts.title(row.title), _texts.description(row.description)),
        *(row.category, row.language, json.dumps(_texts.tags(row.tags)), row.hidden),
        *(row.owner_id, Thing.State.ACTIVE.value),
        instant(row.created_at),
    )


def _write(table: str, columns: Sequence[str], rows: Sequence[Values]) -> None:
    if not rows:
        return
    one = "(" + ", ".join(["%s"] * len(columns)) + ")"
    text = _INSERT.format(
        table=table, columns=", ".join(columns), values=", ".join([one] * len(rows))
    )
    with connection.cursor() as cursor:
        cursor.execute(text, [value for row in rows for value in row])


def write_tags(things: Iterable[tuple[int, Sequence[str]]]) -> None:
    """Insert the tag rows of things; those there already stay."""
    rows = [(thing_id, name) for thing_id, names in things for name in names]
    for start in range(0, len(rows), CHUNK):
        _write("things_tag", ("thing_id", "name"), rows[start : start + CHUNK])


def replace_tags(thing_id: int, names: Sequence[str]) -> None:
    """Make the tag rows of a thing those of its new list."""
    Tag.objects.filter(thing_id=thing_id).exclude(name__in=names).delete()
    write_tags([(thing_id, names)])


def advance_ids() -> None:
    """Let the next id of the database's choosing lie above every id given by hand."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_ADVANCE)
