"""The engine that needs nothing else: the books' own database, in tables of this connection.

What is going to be posted is in such tables too, whichever engine computed it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from django.db import connection

from mickle.lib import bulk
from mickle.settlement._protocol import Engine, Input, Row

_BATCH = 10_000
_VIEWS = ("s_share", "s_nod", "s_spend", "s_thing", "s_rate")
_TABLES = ("s_split", "s_line", "s_member_debit", "s_owner_credit")


class Database:
    """Computes where the books are."""

    def __init__(self) -> None:
        version = ".".join(map(str, connection.get_database_version()))
        self.name = f"{connection.display_name} {version}"

    def view(self, name: str, select: str) -> None:
        """Make it a view of this connection."""
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMP VIEW {name} AS {select}")

    def keep(self, name: str, select: str, *, key: str) -> None:
        """Make it a table of this connection."""
        with connection.cursor() as cursor:
            bulk.stage(cursor, name, select, key=key)

    def rows(self, select: str) -> Iterator[Sequence[Row]]:
        """Read it in batches."""
        with connection.cursor() as cursor:
            cursor.execute(select)
            while rows := cursor.fetchmany(_BATCH):
                yield rows


@contextmanager
def opened(inputs: Mapping[str, Input]) -> Iterator[Database]:
    """The database over its own rows; what it computes stays until `forget`."""
    engine = Database()
    for name, found in inputs.items():
        engine.view(name, found.select)
    yield engine


def forget() -> None:
    """Drop all that was computed on this connection."""
    with connection.cursor() as cursor:
        for name in _VIEWS:
            cursor.execute(f"DROP VIEW IF EXISTS {name}")
        for name in _TABLES:
            cursor.execute(f"DROP TABLE IF EXISTS {name}")


def bring(engine: Engine, month: int, texts: Mapping[str, tuple[str, str]]) -> None:
    """Keep here what another engine computed: the key and the columns of each table by name."""
    if isinstance(engine, Database):
        return
    for name, (key, columns) in texts.items():
        batches = engine.rows(f"SELECT {month:d} AS month, {columns} FROM {name}")
        bulk.keep(name, ["month", *columns.split(", ")], batches, key=key)
