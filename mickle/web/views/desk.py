"""The operator's desk: months, money that arrived, payouts, what is taken down."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mickle.claims import claims, proofs
from mickle.closing import closing
from mickle.closing.closing import Stranded
from mickle.instance import instance
from mickle.instance.models import Month
from mickle.jobs.models import Job
from mickle.ledger import ledger
from mickle.lib import months
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.payins import payins
from mickle.payins.models import Payin
from mickle.payouts import payouts
from mickle.payouts.models import Payout, PayoutFile
from mickle.settlement import arrears, settlement
from mickle.things import things
from mickle.things.models import Thing
from mickle.web import access, audits, paths, wording
from mickle.web.access import MemberRequest
from mickle.web.forms import BookForm, SendBackForm

_LISTED = 24
_RECENT = 30


@access.operator_only
@access.read_page
def all_months(request: MemberRequest) -> HttpResponse:
    """Where each month stands, and the proof of the last settled one."""
    last = Month.objects.exclude(settled_at=None).order_by("-month").first()
    return _month_page(request, last.month if last else None)


@access.operator_only
@access.read_page
def one_month(request: MemberRequest, month: int) -> HttpResponse:
    """What came in and where it went, of one month."""
    if not Month.objects.filter(month=month).exists():
        raise Http404
    return _month_page(request, month)


def _month_page(request: MemberRequest, month: int | None) -> HttpResponse:
    current = instance.open_month()
    row = Month.objects.filter(month=month).first() if month is not None else None
    totals = settlement.month_totals(row.month) if row and row.settled_at else None
    ended = list(Month.objects.filter(settled_at=None).order_by("month"))
    context = {
        "row": row,
        "totals": totals,
        "taken": row and row.settled_at and (row.settled_at - row.closed_at),
        "pool": ledger.balance(ledger.pool(month)) if month is not None else 0,
        "charges": arrears.totals(month) if month is not None else {},
        "current": current,
        "may_close": instance.now() >= months.end(current),
        "next": ended[0] if ended else None,
        "grace_until": ended and settlement.grace_ends(ended[0].month),
        "earlier": _listed_months(),
        "waiting_payouts": payouts.requested(),
        "open_claims": claims.open_claims().count() + proofs.disputes().count(),
        "unassigned": len(payins.standing()),
        "failing": Job.objects.filter(failures__gt=0).count(),
        "checks": request.GET.get("audit") == "yes" and audits.run(),
    }
    return render(request, "operator/months.html", context)


def _listed_months() -> list[dict[str, Any]]:
    return [
        {
            "row": row,
            "state": instance.state(row.month),
            "totals": settlement.month_totals(row.month) if row.settled_at else None,
            "pool": ledger.balance(ledger.pool(row.month)),
        }
        for row in Month.objects.order_by("-month")[:_LISTED]
    ]


@access.operator_only
@access.write_only
def close(request: MemberRequest) -> HttpResponse:
    """Close every month that has ended; a month that runs is refused."""
    at = instance.now()
    month = instance.open_month()
    try:
        if not settlement.close_due(at=at):
            instance.close(month=month, at=at)
    except Refused as refused:
        messages.error(request, str(refused))
    return paths.see_other("operator-months")


@access.operator_only
@access.write_only
def settle(request: MemberRequest, month: int) -> HttpResponse:
    """Settle one closed month; the answer is its proof."""
    try:
        done = settlement.settle(month=month, at=instance.now())
    except Refused as refused:
        messages.error(request, str(refused))
        return paths.see_other("operator-months")
    text = ngettext(
        "%(month)s is settled: %(members)s member gave %(sum)s, and nothing is left in the pool.",
        "%(month)s is settled: %(members)s members gave %(sum)s, and nothing is left in the pool.",
        done.members,
    )
    names = {
        "month": wording.month_name(month),
        "sum": wording.amount(done.spent_micros),
        "members": wording.number(done.members),
    }
    messages.info(request, text % names)
    return paths.see_other("operator-month", months.text(month))


@access.operator_only
@access.form_page
def cash_desk(request: MemberRequest) -> HttpResponse:
    """Book one line of the bank's statement; what names no member stands below."""
    at = instance.now()
    form = BookForm(request.POST or None, initial={"received_date": at.date()})
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                instance.hold_owners()
                payin = payins.book(at=at, **form.booked())
                _release(payin, at)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.info(request, _said(payin))
            return paths.see_other("cash-desk")
    context = {
        "form": form,
        "standing": payins.standing(),
        "overdue": {payin.id for payin in payins.overdue(at)},
        "recent": Payin.objects.select_related("member").order_by("-id")[:_RECENT],
    }
    return render(request, "operator/cash_desk.html", context)


def _release(payin: Payin, at: datetime) -> None:
    """What waited for the payer as a maker is theirs as soon as they have given enough."""
    if payin.member is not None and not payin.why:
        settlement.release_owner(member=payin.member, at=at)


def _said(payin: Payin) -> str:
    amount = wording.amount(payin.amount_micros)
    if not payin.booked_now:
        return _("This line was booked before, so nothing was booked now.")
    if payin.member is None:
        return _("%(amount)s names no member. It stands below until you assign it.") % {
            "amount": amount
        }
    if payin.why:
        return _("%(amount)s does not fit %(who)s’s account. It stands below.") % {
            "amount": amount,
            "who": payin.member.shown_name,
        }
    return _("%(amount)s booked for %(who)s.") % {
        "amount": amount,
        "who": payin.member.shown_name,
    }


@access.operator_only
@access.write_only
def assign(request: MemberRequest, payin_id: int) -> HttpResponse:
    """Give money of nobody known to a member."""
    payin = get_object_or_404(Payin, id=payin_id)
    member = members.find(request.POST.get("member", "").strip())
    at = instance.now()
    if member is None:
        messages.error(request, _("No member has this name or e-mail. Nothing was booked."))
        return paths.see_other("cash-desk")
    try:
        with transaction.atomic():
            instance.hold_owners()
            _release(payins.assign(payin=payin, member=member, at=at), at)
    except Refused as refused:
        messages.error(request, str(refused))
    return paths.see_other("cash-desk")


@access.operator_only
@access.form_page
def send_back(request: MemberRequest, payin_id: int) -> HttpResponse:
    """Return money of nobody known to its payer."""
    payin = get_object_or_404(Payin, id=payin_id)
    start = {"iban": payin.payer_account, "holder_name": payin.payer_name}
    form = SendBackForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            payouts.send_back(payin_id=payin.id, at=instance.now(), **form.cleaned_data)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.info(request, _("It goes back with the next payment file."))
            return paths.see_other("cash-desk")
    return render(request, "operator/send_back.html", {"form": form, "payin": payin})


@access.operator_only
@access.form_page
def payout_list(request: MemberRequest) -> HttpResponse:
    """What waits for a file, the files, what the bank did, and what has to be sent again."""
    came_back = [(one, _again_form(request, one)) for one in closing.stranded()]
    for one, form in came_back:
        if form.is_valid():
            try:
                closing.send_again(member=one.member, at=instance.now(), **form.cleaned_data)
            except Refused as refused:
                form.refuse(refused)
            else:
                messages.info(request, _("It goes out with the next payment file."))
                return paths.see_other("payouts")
    asked = list(payouts.requested())
    held = payouts.why_held(asked, at=instance.now())
    files = PayoutFile.objects.order_by("-id")[:_LISTED]
    context = {
        "came_back": came_back,
        "requested": [(one, held.get(one.id, "")) for one in asked],
        "sent": Payout.objects.filter(state=Payout.State.SENT)
        .select_related("member", "charity", "file")
        .order_by("file_id", "id"),
        "files": files,
        "ended": Payout.objects.exclude(state__in=Payout.LIVE)
        .select_related("member", "charity")
        .order_by("-id")[:_RECENT],
    }
    return render(request, "operator/payouts.html", context)


def _again_form(request: MemberRequest, one: Stranded) -> SendBackForm:
    """Where to send it now; filled in where this is the account that was sent."""
    last = Payout.objects.filter(member=one.member).order_by("-id").first()
    return SendBackForm(
        request.POST if request.POST.get("member") == str(one.member.id) else None,
        initial={"holder_name": last.holder_name if last is not None else ""},
        auto_id=f"again-{one.member.id}-%s",
    )


@access.operator_only
@access.write_only
def make_file(request: MemberRequest) -> HttpResponse:
    """Put all that waits in one file for the bank."""
    try:
        file = payouts.make_file(at=instance.now())
    except Refused as refused:
        messages.error(request, str(refused))
        return paths.see_other("payouts")
    messages.info(request, _("%(file)s is written. Download it below.") % {"file": file.message_id})
    return paths.see_other("payouts")


@access.operator_only
@access.read_page
def payout_file(_request: MemberRequest, file_id: int) -> HttpResponse:
    """The file's bytes, the same at each download."""
    file = get_object_or_404(PayoutFile, id=file_id)
    response = HttpResponse(file.content, content_type="application/xml")
    response["Content-Disposition"] = f'attachment; filename="{file.message_id}.xml"'
    return response


@access.operator_only
@access.write_only
def file_executed(request: MemberRequest, file_id: int) -> HttpResponse:
    """The bank did the whole file."""
    file = get_object_or_404(PayoutFile, id=file_id)
    try:
        payouts.mark_file_executed(file=file, at=instance.now())
    except Refused as refused:
        messages.error(request, str(refused))
    return paths.see_other("payouts")


@access.operator_only
@access.write_only
def payout_mark(request: MemberRequest, payout_id: int) -> HttpResponse:
    """What the bank did with one payout: executed, or failed or returned with its reason."""
    payout = get_object_or_404(Payout, id=payout_id)
    at = instance.now()
    deed = request.POST.get("deed")
    try:
        if deed == "executed":
            payouts.mark_executed(payout=payout, at=at)
        elif deed in ("failed", "returned"):
            payouts.mark_failed(payout=payout, at=at, why=request.POST.get("why", "")[:200])
        elif deed == "clear":
            payouts.clear(payout=payout, by=request.user)
        else:
            messages.error(request, wording.unknown_deed())
    except Refused as refused:
        messages.error(request, str(refused))
    return paths.see_other("payouts")


@access.operator_only
@access.form_page
def take_down(request: MemberRequest, thing_id: int) -> HttpResponse:
    """Say what taking a thing down does, then do it."""
    thing = get_object_or_404(Thing, id=thing_id)
    if request.method == "POST":
        try:
            things.take_down(thing=thing, at=instance.now())
        except Refused as refused:
            messages.error(request, str(refused))
        return paths.see_other("thing", thing_id)
    return render(request, "operator/take_down.html", {"thing": thing})


@access.operator_only
@access.write_only
def put_back(request: MemberRequest, thing_id: int) -> HttpResponse:
    """Undo a take-down."""
    try:
        things.put_back(thing=get_object_or_404(Thing, id=thing_id), at=instance.now())
    except Refused as refused:
        messages.error(request, str(refused))
    return paths.see_other("thing", thing_id)
