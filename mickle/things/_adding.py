"""Writing things and their tags: one, or a million described ones."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import connection
from django.db.backends.utils import CursorWrapper

from mickle.lib import bulk, urls
from mickle.lib.sql import instant
from mickle.lib.urls import Identity
from mickle.things import _makers, _texts
from mickle.things.models import Tag, Thing

CHUNK = 10_000

_COLUMNS = (
    *(
        "identity",
        "url",
        "raw_url",
        "host",
        "maker",
        "title",
        "description",
        "category",
        "language",
    ),
    *("tags", "hidden", "owner_id", "state", "created_at"),
)
_NAMES = ", ".join(_COLUMNS)
_INSERT_NUMBERED = f"""
INSERT INTO things_thing (id, {_NAMES})
SELECT id, {_NAMES} FROM things_given WHERE id IS NOT NULL ON CONFLICT DO NOTHING
"""
_INSERT_OTHERS = f"""
INSERT INTO things_thing ({_NAMES})
SELECT {_NAMES} FROM things_given WHERE id IS NULL ON CONFLICT DO NOTHING
"""
# Two looks into the index a row; a join takes minutes where the statistics know an empty table.
_FIND = """
SELECT identity, (SELECT t.id FROM things_thing t WHERE t.identity = given.identity),
  (SELECT t.tags FROM things_thing t WHERE t.identity = given.identity)
FROM things_given given
"""
_TAG_COLUMNS = ("thing_id", "name")
_INSERT_TAG = "INSERT INTO things_tag (thing_id, name) VALUES (%s, %s) ON CONFLICT DO NOTHING"
_INSERT_TAGS = """
INSERT INTO things_tag (thing_id, name)
SELECT thing_id, name FROM things_tagged WHERE TRUE ON CONFLICT DO NOTHING
"""

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
    return Thing(
        identity=found.identity,
        url=found.url,
        raw_url=found.raw,
        host=found.host,
        maker=_makers.of(found),
    )


def chunks(rows: Iterable[NewThing]) -> Iterator[list[NewThing]]:
    """The rows in lists of a size one statement takes."""
    source = iter(rows)
    while chunk := list(islice(source, CHUNK)):
        yield chunk


def insert(chunk: Sequence[NewThing]) -> list[int | None]:
    """Insert what is new of a chunk; ids in its order, None where an id is another thing's."""
    identities = [urls.admit(row.url) for row in chunk]
    given = [_values(row, one) for row, one in zip(chunk, identities, strict=True)]
    with (
        connection.cursor() as cursor,
        bulk.staged(cursor, "things_given", ("id", *_COLUMNS), given, like="things_thing"),
    ):
        cursor.execute(_INSERT_NUMBERED)
        cursor.execute(_INSERT_OTHERS)
        cursor.execute(_FIND)
        found = {identity: (id_, tags) for identity, id_, tags in cursor.fetchall()}
        known = (one for one in found.values() if one[0] is not None)
        _insert_tags(cursor, ((id_, json.loads(tags)) for id_, tags in known))
    return [found[one.identity][0] for one in identities]


def _values(row: NewThing, found: Identity) -> tuple[object, ...]:
    tags: object = _texts.tags(row.tags)
    if connection.vendor == "sqlite":
        tags = json.dumps(tags)
    return (
        *(row.thing_id, found.identity, found.url, found.raw, found.host, _makers.of(found)),
        *(_texts.title(row.title), _texts.description(row.description)),
        *(row.category, row.language, tags, row.hidden),
        *(row.owner_id, Thing.State.ACTIVE.value),
        instant(row.created_at),
    )


def _insert_tags(cursor: CursorWrapper, things: Iterable[tuple[int, Sequence[str]]]) -> None:
    rows = [(thing_id, name) for thing_id, names in things for name in names]
    if rows:
        with bulk.staged(cursor, "things_tagged", _TAG_COLUMNS, rows, like="things_tag"):
            cursor.execute(_INSERT_TAGS)


def write_tags(thing_id: int, names: Sequence[str]) -> None:
    """Insert the tag rows of a thing; those there already stay."""
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT_TAG, [(thing_id, name) for name in names])


def replace_tags(thing_id: int, names: Sequence[str]) -> None:
    """Make the tag rows of a thing those of its new list."""
    Tag.objects.filter(thing_id=thing_id).exclude(name__in=names).delete()
    write_tags(thing_id, names)


def advance_ids() -> None:
    """Let the next id of the database's choosing lie above every id given by hand."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_ADVANCE)
