"""The operator's page of jobs: what ran last, what is due next, and how the mails stand."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mickle.instance import instance
from mickle.instance.models import Month
from mickle.jobs.models import Job
from mickle.lib import months
from mickle.lib.errors import Refused
from mickle.notices import notices
from mickle.notices.models import Kind, Notice
from mickle.settlement import settlement
from mickle.web import access, paths
from mickle.web.access import MemberRequest

# A worker that lives does one job an hour at least.
SILENT = timedelta(hours=2)
_LISTED = 50

NAMES: dict[str, Promise] = {
    "close-months": gettext_lazy("Close months, give the nods of subscriptions"),
    "settle-months": gettext_lazy("Settle months"),
    "prove-months": gettext_lazy("Prove months settled by an older version"),
    "look-at-proofs": gettext_lazy("Look at what shows whose a place is"),
    "release": gettext_lazy("Release what no longer has to wait"),
    "play-charges": gettext_lazy("Pay charges with play money"),
    "collect-charges": gettext_lazy("Pass paid charges on to makers"),
    "ask-again": gettext_lazy("Ask again for what was charged"),
    "pay-charities": gettext_lazy("Set charities’ money on its way"),
    "return-money": gettext_lazy("Send back money of nobody known"),
    "finish-closings": gettext_lazy("Finish accounts that are being closed"),
    "seal-books": gettext_lazy("Seal the books"),
    "plan-mails": gettext_lazy("Find out who gets a mail"),
    "send-mails": gettext_lazy("Send mails"),
    "read-pages": gettext_lazy("Read what new pages are called"),
    "write-to-makers": gettext_lazy("Write to a maker for whom something waits"),
    "archive-months": gettext_lazy("Archive settled months"),
    "let-nods-leave": gettext_lazy("Let nods of old months leave the database"),
    "keep-house": gettext_lazy("Tidy up, once an hour"),
}
KINDS: dict[str, Promise] = {
    Kind.IDLE_30: gettext_lazy("30 days before an idle month gives"),
    Kind.IDLE_7: gettext_lazy("7 days before an idle month gives"),
    Kind.REMINDER: gettext_lazy("Three days before the month ends"),
    Kind.CLOSE: gettext_lazy("At the month’s end"),
    Kind.STATEMENT: gettext_lazy("Statement"),
    Kind.CHARGE: gettext_lazy("Asks for a month’s charge"),
    Kind.CHARGE_2: gettext_lazy("Asks for a charge once more"),
    Kind.CHARGE_3: gettext_lazy("Asks for a charge for the last time"),
    Kind.TEAM: gettext_lazy("Asked in a team"),
}


def is_worked(at: datetime) -> bool:
    """Whether a worker has done something within the last two hours."""
    rows = Job.objects.filter(done_at__isnull=False).order_by("-done_at")
    last = rows.values_list("done_at", flat=True).first()
    return last is not None and at < last + SILENT


@access.operator_only
@access.read_page
def jobs(request: MemberRequest) -> HttpResponse:
    """What the clock has made due, and whether it was done."""
    at = instance.now()
    known = {row.name: row for row in Job.objects.all()}
    mails = notices.counts()
    context = {
        "worked": is_worked(at),
        "jobs": [(title, known.get(name)) for name, title in NAMES.items()],
        "due": _due(at),
        "mails": mails,
        "any_mail": any(mails.values()),
        "unresolved": [(KINDS[row.kind], row) for row in notices.unresolved()[:_LISTED]],
    }
    return render(request, "operator/jobs.html", context)


def _due(at: datetime) -> list[dict[str, Any]]:
    """What comes next by itself, and when; first what is late."""
    current = instance.open_month()
    end = months.end(current)
    remind_at = end - timedelta(days=3)
    found = [{"what": _("Close"), "month": current, "at": end}]
    if at < remind_at:
        found.append({"what": _("Reminders"), "month": current, "at": remind_at})
    for row in Month.objects.filter(settled_at=None).order_by("month"):
        ends = settlement.grace_ends(row.month)
        found.append({"what": _("Settle"), "month": row.month, "at": ends})
    return sorted(found, key=lambda one: one["at"])


@access.operator_only
@access.write_only
def mail_again(request: MemberRequest, notice_id: int) -> HttpResponse:
    """Send a mail once more that was refused or may not have arrived."""
    notice = get_object_or_404(Notice, id=notice_id)
    try:
        notices.send_again(notice=notice, at=instance.now())
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.info(request, _("It waits to be sent once more."))
    return paths.see_other("operator-jobs")
