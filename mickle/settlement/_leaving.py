"""Nods of months long settled leave the table of nods, where the settings say so.

Only what is whole in its archive goes, read and computed again right before; and only of months
that nothing is decided of any more. Members go one range after the other: what stopped goes on.
"""

from django.conf import settings
from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.instance.models import Month
from mickle.lib import chunks, months
from mickle.lib.chunks import Report
from mickle.nods import nods
from mickle.nods.models import Nod, Past
from mickle.settlement import _archive
from mickle.settlement._archive import NoArchive
from mickle.settlement._waiting import EXPIRES_AFTER_MONTHS
from mickle.settlement.models import Archive, Charge, Due, Line, Run, Underway


def due(open_month: int) -> list[int]:
    """The months whose nods may leave, oldest first; reads only."""
    if not settings.NODS_LEAVE_AFTER:
        return []
    last = open_month - 1 - settings.NODS_LEAVE_AFTER
    old = Archive.objects.filter(month__lte=last).order_by("month").values_list("month", flat=True)
    return [month for month in old if Nod.objects.filter(month=month).exists() and _is_over(month)]


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
    kept = _archive.check(month=month).rows["nods"]
    gone = Past.objects.filter(month=month).aggregate(sum=Sum("nods"))["sum"] or 0
    there = Nod.objects.filter(month=month).count()
    if gone + there != kept:
        raise NoArchive(
            _(
                "The archive of %(month)s has %(kept)s nods and the books have %(there)s. Nothing"
                " was changed: run mickle audit."
            )
            % {"month": months.text(month), "kept": kept, "there": gone + there}
        )
    members = f"SELECT DISTINCT member_id AS k FROM nods_nod WHERE month = {month:d}"
    return chunks.walk(
        members, lambda span: nods.let_go(month=month, span=span), label="leave", report=report
    )
