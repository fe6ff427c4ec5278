"""The operator's office: charities, members and invitations, the clock, the books."""

from datetime import UTC, datetime

from django.conf import settings
from django.contrib import messages
from django.core.mail import send_mail
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template import loader
from django.urls import reverse
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.instance.models import Month
from mickle.ledger import ledger
from mickle.ledger.ledger import Kind
from mickle.lib import months
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.models import Charity, Invite, Member, WaitingPerson
from mickle.payouts import payouts
from mickle.providers import sepa
from mickle.settlement import settlement
from mickle.web import access, audits, paths, tables, wording
from mickle.web.access import MemberRequest
from mickle.web.forms import CharityForm, ClockForm

_LISTED = 100
_MONTHS = 24


@access.operator_only
@access.form_page
def charities(request: MemberRequest) -> HttpResponse:
    """The organisations, what each was given and has not been paid."""
    form = CharityForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            fields = form.cleaned_data
            fields["iban"] = sepa.iban(fields["iban"]) if fields["iban"] else ""
            members.list_charity(**fields)
        except Refused as refused:
            form.refuse(refused)
        else:
            return paths.see_other("charities")
    held = ledger.balances(Kind.CHARITY)
    listed = [
        {"row": row, "held": held.get(row.id, 0)}
        for row in Charity.objects.order_by("-listed", "name")
    ]
    return render(request, "operator/charities.html", {"form": form, "listed": listed})


@access.operator_only
@access.write_only
def charity_deed(request: MemberRequest, charity_id: int) -> HttpResponse:
    """Pay an organisation what it holds, or pay it and take it off the list."""
    charity = get_object_or_404(Charity, id=charity_id)
    at = instance.now()
    try:
        made = payouts.pay_charity(charity=charity, at=at, key=f"by-hand:{at.isoformat()}")
        if request.POST.get("deed") == "unlist":
            members.unlist_charity(charity=charity)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        if made is not None:
            text = _("%(amount)s for %(who)s goes out with the next payment file.")
            names = {"amount": wording.amount(made.amount_micros), "who": charity.name}
            messages.info(request, text % names)
    return paths.see_other("charities")


@access.operator_only
@access.read_page
def people(request: MemberRequest) -> HttpResponse:
    """Members by name, invitations, and who waits for one. Never what somebody nodded at."""
    wanted = request.GET.get("q", "").strip()
    rows = Member.objects.filter(closed_at=None, is_team=False).order_by("-id")
    if wanted:
        found = members.find(wanted)
        rows = rows.filter(id=found.id) if found else rows.none()
    listed = list(rows[:_LISTED])
    funds = ledger.balances(Kind.FUNDS, [member.id for member in listed])
    context = {
        "q": wanted,
        "total": Member.objects.filter(closed_at=None, is_team=False).count(),
        "listed": [{"member": member, "funds": funds.get(member.id, 0)} for member in listed],
        "invites": Invite.objects.filter(uses_left__gt=0).order_by("-id"),
        "waiting": WaitingPerson.objects.filter(invited_at=None).order_by("id")[:_LISTED],
    }
    return render(request, "operator/people.html", context)


@access.operator_only
@access.write_only
def invite(request: MemberRequest) -> HttpResponse:
    """Make an invitation code."""
    uses = paths.number(request.POST.get("uses", ""))
    members.invite(at=instance.now(), uses=min(uses, 1_000) or 1)
    return paths.see_other("people")


@access.operator_only
@access.write_only
def invite_waiting(request: MemberRequest, person_id: int) -> HttpResponse:
    """Mail an invitation to somebody on the waiting list; once."""
    person = get_object_or_404(WaitingPerson, id=person_id)
    made = members.invite_waiting(person=person, at=instance.now())
    if made is not None:
        link = request.build_absolute_uri(f"{reverse('account_signup')}?invite={made.code}")
        names = {"instance": settings.INSTANCE_NAME}
        send_mail(
            _("There is a place for you at %(instance)s") % names,
            loader.render_to_string("mail/invitation.txt", {"link": link}),
            settings.DEFAULT_FROM_EMAIL,
            [person.email],
        )
        messages.info(request, _("A mail with a code is on its way."))
    return paths.see_other("people")


@access.operator_only
@access.write_only
def suspend(request: MemberRequest, member_id: int) -> HttpResponse:
    """Suspend a member or let them go on; what they own waits meanwhile."""
    member = get_object_or_404(Member, id=member_id)
    stop = request.POST.get("deed") == "suspend"
    members.suspend(member=member, at=instance.now() if stop else None)
    return paths.see_other("people")


@access.operator_only
@access.write_only
def make_operator(request: MemberRequest, member_id: int) -> HttpResponse:
    """Let another member run the instance, or no longer; nobody does it for themselves."""
    member = get_object_or_404(Member, id=member_id)
    try:
        if member.pk == request.user.pk:
            messages.error(request, _("Another operator does this for you. Nothing was changed."))
        else:
            members.set_operator(member=member, is_operator=request.POST.get("deed") == "make")
    except Refused as refused:
        messages.error(request, str(refused))
    return paths.see_other("people")


@access.operator_only
@access.form_page
def clock(request: MemberRequest) -> HttpResponse:
    """Move the clock of a demo or test instance forward; ended months close at once."""
    now = instance.now()
    start = months.end(months.of(now))
    form = ClockForm(request.POST or None, initial={"to": start})
    if request.method == "POST" and form.is_valid():
        try:
            at = instance.move_clock(to=_utc(form.cleaned_data["to"]))
            settlement.close_due(at=at)
        except Refused as refused:
            form.refuse(refused)
        else:
            return paths.see_other("operator-months")
    month = instance.open_month()
    return render(request, "operator/clock.html", {"form": form, "now": now, "month": month})


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@access.operator_only
@access.read_page
def books(request: MemberRequest) -> HttpResponse:
    """What every kind of account holds, and the months to take away as CSV."""
    at = instance.now()
    sums = ledger.trial_balance(at)
    known = list(Month.objects.order_by("-month").values_list("month", flat=True)[:_MONTHS])
    context = {
        "at": at,
        "sums": [
            {"kind": kind, "out": out, "into": into, "balance": into - out}
            for kind, (out, into) in sums.items()
        ],
        "total": sum(into - out for out, into in sums.values()),
        "months": [instance.open_month(), *known],
        "checks": request.GET.get("audit") == "yes" and audits.run(),
    }
    return render(request, "operator/books.html", context)


@access.operator_only
@access.read_page
def journal(_request: MemberRequest, month: int) -> HttpResponse:
    """Every transfer of a month as CSV."""
    return tables.journal_csv(month)


@access.operator_only
@access.read_page
def trial_balance(_request: MemberRequest, month: int) -> HttpResponse:
    """The trial balance at the end of a month as CSV."""
    return tables.trial_balance_csv(month)
