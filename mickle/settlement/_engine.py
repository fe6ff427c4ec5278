"""Computes a frozen month in the database: the portable texts over views that show one month.

Nothing is written that others see, so nobody waits however long it takes.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Sum

from mickle.lib import bulk
from mickle.settlement.models import Spend

NAME = "database"

# What the texts read; what they give is a table each, of this connection, that the next one reads.
_VIEWS = ("s_share", "s_nod", "s_spend", "s_thing", "s_rate")
_TEXTS = {"split": "member", "line": "thing", "member_debit": "member", "owner_credit": "owner"}
# The columns of a split under the names the texts read.
SPLIT = (
    "month, member_id AS member, total_weight AS total, slice_micros AS slice, rem,"
    " cut_remainder, cut_thing"
)
_SUMS = """
SELECT (SELECT COUNT(*) FROM s_split),
       (SELECT COALESCE(SUM(n), 0) FROM s_split),
       (SELECT COUNT(*) FROM s_line),
       (SELECT COALESCE(SUM(total * slice + rem), 0) FROM s_split),
       (SELECT COALESCE(SUM(gross), 0) FROM s_line),
       (SELECT COALESCE(SUM(waiting), 0) FROM s_member_debit),
       (SELECT COALESCE(SUM(gross), 0) FROM s_owner_credit),
       (SELECT COALESCE(SUM(fee), 0) FROM s_owner_credit)
"""


class DoesNotAddUp(AssertionError):
    """A result that is no split of what was taken in; nothing of it was posted."""


@dataclass(frozen=True)
class Result:
    """What a frozen month comes to, before it is posted; amounts in micros."""

    sha256: str
    splits: int
    nods: int
    lines: int
    spent_micros: int
    waiting_micros: int
    paid_micros: int
    fee_micros: int


@cache
def text(name: str) -> str:
    """One of the portable SQL texts beside this file."""
    return (resources.files("mickle.settlement") / f"{name}.sql").read_text(encoding="utf-8")


def compute(month: int, basis_points: int) -> Result:
    """Compute a frozen month into s_split, s_line, s_member_debit and s_owner_credit; check it.

    The tables belong to this connection, until `forget`. Raises DoesNotAddUp.
    """
    with connection.cursor() as cursor:
        _forget(cursor)
        for name, select in _inputs(month, basis_points).items():
            cursor.execute(f"CREATE TEMP VIEW {name} AS {select}")
        for name, key in _TEXTS.items():
            select = f"SELECT {month:d} AS month, q.* FROM ({text(name)}) q"
            bulk.stage(cursor, f"s_{name}", select, key=key)
            if name == "split":
                cursor.execute(f"CREATE TEMP VIEW s_share AS {text('share')}")
        return _checked(cursor, month)


def forget() -> None:
    """Drop what was computed."""
    with connection.cursor() as cursor:
        _forget(cursor)


def _forget(cursor: CursorWrapper) -> None:
    for name in _VIEWS:
        cursor.execute(f"DROP VIEW IF EXISTS {name}")
    for name in _TEXTS:
        cursor.execute(f"DROP TABLE IF EXISTS s_{name}")


def _inputs(month: int, basis_points: int) -> dict[str, str]:
    return {
        "s_nod": "SELECT month, member_id AS member, thing_id AS thing, weight FROM nods_nod"
        f" WHERE month = {month:d} AND void = ''",
        "s_spend": "SELECT member_id AS member, amount_micros AS spend FROM settlement_spend"
        f" WHERE month = {month:d} AND charity_id IS NULL",
        "s_thing": "SELECT t.id AS thing, o.owner_id AS owner FROM things_thing t"
        " LEFT JOIN settlement_owned o"
        f" ON o.month = {month:d} AND o.thing_id = t.id AND o.receives",
        "s_rate": f"SELECT {basis_points:d} AS bp",
    }


def _checked(cursor: CursorWrapper, month: int) -> Result:
    cursor.execute(_SUMS)
    splits, nods, lines, spent, gross, waiting, paid, fee = map(int, cursor.fetchone())
    spends = Spend.objects.filter(month=month, charity=None).aggregate(sum=Sum("amount_micros"))
    taken_in = spends["sum"] or 0
    if not taken_in == spent == gross == waiting + paid:
        raise DoesNotAddUp(
            f"{taken_in} micros were taken in, {spent} split, {gross} are in lines,"
            f" {waiting} wait and {paid} are for owners"
        )
    return Result(_hash(cursor), splits, nods, lines, spent, waiting, paid, fee)


def _hash(cursor: CursorWrapper) -> str:
    """SHA-256 over the splits and the lines in order of their keys, a row a line."""
    digest = hashlib.sha256()
    for columns, table, key in (
        ("member, n, total, slice, rem, cut_remainder, cut_thing", "s_split", "member"),
        ("thing, COALESCE(owner, 0), nods, gross, fee", "s_line", "thing"),
    ):
        cursor.execute(f"SELECT {columns} FROM {table} ORDER BY {key}")
        for rows in _batches(cursor):
            digest.update("".join(" ".join(map(str, row)) + "\n" for row in rows).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _batches(cursor: CursorWrapper) -> Iterator[list[tuple[int, ...]]]:
    while rows := cursor.fetchmany(10_000):
        yield rows
