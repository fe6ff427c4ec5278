"""A member's own settings: budget, charity, privacy, mails, and leaving."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from mickle.closing import closing
from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.providers import sepa
from mickle.settlement import arrears
from mickle.web import access, paths
from mickle.web.access import MemberRequest
from mickle.web.forms import BudgetForm, CloseForm, ProfileForm
from mickle.web.views import mails


@access.member_only
@access.form_page
def settings_page(request: MemberRequest) -> HttpResponse:
    """Budget, and what others may see; each form says what it changes."""
    member = request.user
    at = instance.now()
    plan = members.plan(member, instance.open_month())
    deed = request.POST.get("deed", "")
    budget = BudgetForm(
        request.POST if deed == "budget" else None,
        initial={
            "amount": plan.budget_micros,
            "paused": plan.paused,
            "charity": plan.charity,
        },
    )
    profile = ProfileForm(
        request.POST if deed == "profile" else None,
        initial={
            "name": member.name,
            "about": member.about,
            "url": member.url,
            "public_nods": member.public_nods,
        },
    )
    mail = mails.form_of(member, request.POST if deed == "mail" else None)
    if deed == "budget" and budget.is_valid() and _set_budget(request, budget):
        return paths.see_other("settings")
    if deed == "profile" and profile.is_valid() and _set_profile(request, profile):
        return paths.see_other("settings")
    if deed == "mail" and mail.is_valid() and mails.keep(request, mail):
        return paths.see_other("settings")
    context = {
        "budget": budget,
        "profile": profile,
        "mail": mail,
        "plan": plan,
        "month": instance.open_month(),
        "refundable": payouts.refundable(member=member, at=at, kept_micros=arrears.kept(member)),
    }
    return render(request, "giving/settings.html", context)


def _set_budget(request: MemberRequest, form: BudgetForm) -> bool:
    try:
        members.set_budget(
            member=request.user,
            at=instance.now(),
            amount_micros=form.cleaned_data["amount"],
            paused=form.cleaned_data["paused"],
            charity=form.cleaned_data.get("charity"),
        )
    except Refused as refused:
        form.refuse(refused)
        return False
    messages.info(request, _("Kept. It counts from the open month on."))
    return True


def _set_profile(request: MemberRequest, form: ProfileForm) -> bool:
    fields = dict(form.cleaned_data)
    members.set_privacy(member=request.user, public_nods=fields.pop("public_nods"))
    members.describe(member=request.user, **fields)
    messages.info(request, _("Kept."))
    return True


@access.member_only
@access.form_page
def close_account(request: MemberRequest) -> HttpResponse:
    """Leave for good: says where every cent goes before it asks."""
    member = request.user
    at = instance.now()
    origin = payouts.account(member) or payins.origin(member)
    start = (
        {
            "iban": sepa.groups(origin.iban),
            "holder_name": getattr(origin, "holder_name", "") or getattr(origin, "name", ""),
        }
        if origin
        else {}
    )
    form = CloseForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            closing.close(
                member=member,
                at=at,
                open_nods=form.cleaned_data["open_nods"],
                iban=form.cleaned_data["iban"],
                holder_name=form.cleaned_data["holder_name"],
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            logout(request)
            messages.info(request, _("Your account is being closed. Thank you for every nod."))
            return paths.see_other("home")
    context = {
        "form": form,
        "funds": ledger.balance(ledger.funds(member.id)),
        "waiting": ledger.balance(ledger.waiting(member.id)),
        "revenue": ledger.balance(ledger.revenue(member.id)),
    }
    return render(request, "giving/close.html", context)
