"""Runs the portable texts in the database, over views that show one month."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from importlib import resources

from django.db import connection
from django.db.backends.utils import CursorWrapper

from mickle.lib.sql import instant
from mickle.members import members

_VIEWS = ("s_nod", "s_spend", "s_thing", "s_rate", "s_split", "s_share", "s_line")
# The columns of a split under the names the texts read.
SPLIT = (
    "month, member_id AS member, total_weight AS total, slice_micros AS slice, rem,"
    " cut_remainder, cut_thing"
)


@cache
def text(name: str) -> str:
    """One of the portable SQL texts beside this file."""
    return (resources.files("mickle.settlement") / f"{name}.sql").read_text(encoding="utf-8")


@contextmanager
def month_in_view(month: int, basis_points: int) -> Iterator[None]:
    """Show one month to the portable texts: they take no parameters, these views are the month."""
    receivers, params = members.receivers().values("id").query.sql_with_params()
    selects = {
        "s_nod": "SELECT month, member_id AS member, thing_id AS thing, weight FROM nods_nod"
        f" WHERE month = {month:d} AND void = ''",
        "s_spend": "SELECT member_id AS member, amount_micros AS spend FROM settlement_spend"
        f" WHERE month = {month:d} AND charity_id IS NULL",
        "s_thing": "SELECT t.id AS thing, r.id AS owner FROM things_thing t"
        " LEFT JOIN s_receiver r ON r.id = t.owner_id",
        "s_rate": f"SELECT {basis_points:d} AS bp",
        "s_split": f"SELECT {SPLIT} FROM settlement_split WHERE month = {month:d}",
        "s_share": text("share"),
        "s_line": "SELECT thing_id AS thing, owner_id AS owner, gross_micros AS gross,"
        f" fee_micros AS fee FROM settlement_line WHERE month = {month:d}",
    }
    with connection.cursor() as cursor:
        _drop(cursor)
        cursor.execute(f"CREATE TEMP TABLE s_receiver AS {receivers}", params or None)
        cursor.execute("CREATE UNIQUE INDEX s_receiver_id ON s_receiver (id)")
        for name in _VIEWS:
            cursor.execute(f"CREATE TEMP VIEW {name} AS {selects[name]}")
        yield
        _drop(cursor)


def _drop(cursor: CursorWrapper) -> None:
    for name in reversed(_VIEWS):
        cursor.execute(f"DROP VIEW IF EXISTS {name}")
    cursor.execute("DROP TABLE IF EXISTS s_receiver")


def cut(month: int, final_at: datetime) -> int:
    """Write how each spend is cut; returns how many."""
    return _write(
        "INSERT INTO settlement_split"
        " (month, member_id, n, total_weight, slice_micros, rem, cut_remainder, cut_thing,"
        " final_at)"
        " SELECT %(month)s, member, n, total, slice, rem, cut_remainder, cut_thing, %(at)s FROM ("
        + text("split")
        + ") q",
        month,
        final_at,
    )


def draw_lines(month: int, at: datetime) -> int:
    """Write the line of each thing; returns how many."""
    return _write(
        "INSERT INTO settlement_line"
        " (month, thing_id, owner_id, nods, gross_micros, fee_micros, state, decided_at)"
        " SELECT %(month)s, thing, owner, nods, gross, fee,"
        " CASE WHEN owner IS NULL THEN 'WAITING' ELSE 'PAID' END, %(at)s"
        " FROM (" + text("line") + ") q",
        month,
        at,
    )


def _write(statement: str, month: int, at: datetime) -> int:
    # The texts use % as an operator; parameters need it doubled outside their names.
    doubled = statement.replace("%", "%%").replace("%%(", "%(")
    with connection.cursor() as cursor:
        cursor.execute(doubled, {"month": month, "at": instant(at)})
        written = int(cursor.rowcount)
        if connection.vendor == "postgresql":
            # What was just written is read next; without statistics the plans would be poor.
            cursor.execute("ANALYZE settlement_spend, settlement_split, settlement_line")
    return written
