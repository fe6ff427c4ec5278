"""Nods of months long settled leave the table of nods, where the settings say so; or come back.

Only what is whole in its archive goes, read and computed again right before; and only of months
that nothing is decided of any more. Members go one range after the other, and come back so: what
stopped goes on.
"""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.instance.models import Month
from mickle.lib import chunks, months
from mickle.lib.chunks import Range, Report
from mickle.lib.errors import Refused
from mickle.lib.sql import instant
from mickle.nods import nods
from mickle.nods.models import Nod, Past
from mickle.settlement import _archive
from mickle.settlement._archive import NoArchive
from mickle.settlement._waiting import EXPIRES_AFTER_MONTHS
from mickle.settlement.models import Archive, Charge, Due, Line, Run, Underway

# Nods: as many take some milliseconds to be written, and fifty to be found in an archive.
AT_ONCE, READ_AT_ONCE = 125, 10_000
# In one statement: somebody else may be letting them go, or putting them back.
_THERE_AND_GONE = """
SELECT (SELECT COUNT(*) FROM nods_nod WHERE month = %(month)s)
  + (SELECT CAST(COALESCE(SUM(nods), 0) AS BIGINT) FROM nods_past WHERE month = %(month)s)
"""


class WouldLeave(Refused):
    """What came back would leave again, as the settings are."""


def due(open_month: int) -> list[int]:
    """The months whose nods may leave, oldest first; reads only."""
    old = (
        Archive.objects.filter(month__lte=_last(open_month))
        .order_by("month")
        .values_list("month", flat=True)
    )
    return [month for month in old if Nod.objects.filter(month=month).exists() and _is_over(month)]


def _last(open_month: int) -> int:
    """The newest month whose nods may leave; the settings may say none."""
    after = settings.NODS_LEAVE_AFTER
    return open_month - 1 - after if after else -1


def _is_over(month: int) -> bool:
    """Whether nobody decides about a share of the month any more."""
    first = Month.objects.filter(settled_at=None).order_by("month").first()
    unsettled = first.month if first is not None else instance.here().closed_through + 1
    # What is published is made from the nods, once.
    if not Run.objects.filter(month=month).exclude(proof_root="").exists():
        return False
    # What is put off in arrears falls due within as many months.
    if month >= unsettled - EXPIRES_AFTER_MONTHS:
        return False
    lines = Line.objects.filter(month=month, state=Line.State.WAITING)
    asked = Due.objects.filter(Q(charge=None) | Q(charge__state=Charge.State.ASKED), month=month)
    posting = Underway.objects.filter(month=month)
    return not (lines.exists() or asked.exists() or posting.exists())


def leave(*, month: int, report: Report) -> int:
    """Let the nods of a month that is due go; how many. Raises NoArchive, with none gone."""
    _check(month)
    return chunks.walk(
        nods.givers(month),
        lambda span: nods.let_go(month=month, span=span),
        label="leave",
        report=report,
    )


def put_back(*, month: int, report: Report) -> int:
    """Put the nods of a month back that have left; how many. Raises NoArchive or WouldLeave."""
    name = months.text(month)
    if month <= _last(instance.open_month()):
        raise WouldLeave(
            _(
                "With MICKLE_NODS_LEAVE_AFTER=%(n)s the nods of %(month)s would leave again."
                " Nothing was changed: set more months, or 0, and start what is running anew."
            )
            % {"n": settings.NODS_LEAVE_AFTER, "month": name}
        )
    left = Past.objects.filter(month=month).order_by("member_id")
    total, done, seen = left.count(), 0, 0
    if not total:
        raise NoArchive(_("No nods of %(month)s have left.") % {"month": name})
    _check(month)
    with chunks.durable_together():
        while some := _together(left.values_list("member_id", "nods")[:READ_AT_ONCE], READ_AT_ONCE):
            # Read before anything is locked.
            rows = _read(month, some)
            while part := _together(some.items(), AT_ONCE):
                done += _write(month, [row for row in rows if row[1] in part], part)
                for member in part:
                    del some[member]
                seen += len(part)
                report("return", seen, total)
    return done


def _write(month: int, rows: list[tuple[Any, ...]], members: Mapping[int, int]) -> int:
    """Put the nods of these members back in a short transaction; how many."""
    span = Range(min(members) - 1, max(members))
    began = time.perf_counter()
    with transaction.atomic():
        done = nods.put_back(month=month, span=span, rows=rows)
    chunks.let_others(time.perf_counter() - began)
    return done


def _read(month: int, some: Mapping[int, int]) -> list[tuple[Any, ...]]:
    """The nods of some members, in order, as they were in the table."""
    columns = "weight, given_at, source, void, evidence"
    return [
        (month, member, thing, weight, instant(at.replace(tzinfo=UTC)), *more)
        for member, thing, weight, at, *more in _archive.nods_of(month, some, columns=columns)
    ]


def _together(left: Iterable[tuple[int, int]], most: int) -> dict[int, int]:
    """The first members whose nods are so many at most; at least one, and how many each has."""
    found: dict[int, int] = {}
    sum_ = 0
    for member, count in left:
        sum_ += count
        if found and sum_ > most:
            break
        found[member] = count
    return found


def _check(month: int) -> None:
    """Raise NoArchive unless the archive is whole and has the nods there are and have left."""
    kept = _archive.check(month=month).rows["nods"]
    with connection.cursor() as cursor:
        cursor.execute(_THERE_AND_GONE, {"month": month})
        (there,) = cursor.fetchone()
    if there != kept:
        raise NoArchive(
            _(
                "The archive of %(month)s has %(kept)s nods and the books have %(there)s. Nothing"
                " was changed: run mickle audit."
            )
            % {"month": months.text(month), "kept": kept, "there": there}
        )
