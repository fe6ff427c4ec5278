"""Money in and back: top up, play money, refund of funds."""

import secrets
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import money
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.models import Member
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.providers import sepa
from mickle.settlement import arrears, settlement
from mickle.web import access, paths, wording
from mickle.web.access import MemberRequest
from mickle.web.forms import RefundForm, TopUpForm

_OFFERED = (5, 10, 20, 50)


@access.member_only
@access.read_page
def top_up(request: MemberRequest) -> HttpResponse:
    """How to transfer an amount: account, reference, QR code; a GET with the amount asked for."""
    member = request.user
    plan = members.plan(member, instance.open_month())
    charges = list(arrears.open_charges(member))
    funds = ledger.balance(ledger.funds(member.id))
    lacks = sum(charge.amount_micros for charge in charges) - funds
    room = _room(member)
    wanted = _in_whole_units(lacks) if lacks > 0 else plan.budget_micros * 2
    asked = {"amount": wording.typed(min(wanted, room) or wanted)}
    form = TopUpForm(request.GET if "amount" in request.GET else asked, room=room)
    amount = form.cleaned_data["amount"] if form.is_valid() else None
    account = _house()
    context = {
        "form": form,
        "funds": funds,
        "budget": plan.budget_micros,
        "months_left": funds // plan.budget_micros,
        "offered": [value * money.MICROS for value in _OFFERED],
        "amount": amount,
        "reference": payins.reference(member),
        "account": account,
        "needs_to_receive": _needs_to_receive(request),
        "charges": charges,
        "play_key": secrets.token_hex(8),
    }
    if amount and account:
        context["qr"] = _qr(account, amount, payins.reference(member))
    return render(request, "giving/top_up.html", context)


def _room(member: Member) -> int:
    """What still fits into a member's funds; a transfer of more would only come back."""
    have = ledger.balance(ledger.funds(member.id))
    return money.whole_minor(max(settings.FUNDS_MAX_MICROS - have, 0), settings.CURRENCY_DECIMALS)


def _in_whole_units(micros: int) -> int:
    """Rounded up to what a bank can send."""
    unit = 10 ** (6 - settings.CURRENCY_DECIMALS)
    return money.whole_minor(micros + unit - 1, settings.CURRENCY_DECIMALS)


def _house() -> sepa.Account | None:
    """The account to pay to; None while the operator has named none."""
    try:
        return sepa.house_account(real=instance.here().is_real)
    except Refused:
        return None


def _qr(to: sepa.Account, amount: int, reference: str) -> str:
    label = _("QR code with the details of this transfer")
    drawn = sepa.epc_qr_svg(to=to, reference=reference, amount_micros=amount, label=label)
    return SafeString(drawn)


def _needs_to_receive(request: MemberRequest) -> int:
    """What a maker still has to top up before anything can be paid to them."""
    if settings.RECEIVE_POLICY != "funded" or not request.user.things.exists():
        return 0
    return max(settings.RECEIVE_MIN_MICROS - request.user.topped_up_micros, 0)


@access.member_only
@access.write_only
def play_money(request: MemberRequest) -> HttpResponse:
    """Top up with play money; a demo instance only."""
    # Sent twice it counts once, so what fitted the first time is no error the second.
    form = TopUpForm(request.POST, room=settings.FUNDS_MAX_MICROS)
    at = instance.now()
    if not form.is_valid():
        # There the field says what is wrong with it.
        asked = urlencode({"amount": request.POST.get("amount", "")})
        return paths.see_other(f"{reverse('top-up')}?{asked}")
    amount = form.cleaned_data["amount"]
    key = f"{request.user.id}:{access.form_key(request)}"
    try:
        with transaction.atomic():
            instance.hold_owners()
            payins.play(member=request.user, amount_micros=amount, at=at, key=key)
            settlement.release_owner(member=request.user, at=at)
    except Refused as refused:
        messages.error(request, str(refused))
        return paths.see_other("top-up")
    text = _("%(amount)s of play money is yours to give.")
    messages.info(request, text % {"amount": wording.amount(amount)})
    return paths.see_other("dashboard")


@access.member_only
@access.form_page
def refund(request: MemberRequest) -> HttpResponse:
    """Ask for funds back at par, to where they came from; typed only where nobody knows that."""
    member = request.user
    at = instance.now()
    kept = arrears.kept(member)
    most = payouts.refundable(member=member, at=at, kept_micros=kept)
    origin = payins.origin(member)
    form = _refund_form(request, most, origin)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        to = origin or sepa.Account(said["holder_name"], said["iban"])
        try:
            payouts.refund(
                member=member,
                amount_micros=said["amount"],
                iban=to.iban,
                holder_name=to.name,
                at=at,
                key=said["key"],
                kept=arrears.kept,
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.info(request, _("Your refund is on its way. It comes by bank transfer."))
            return paths.see_other("settings")
    return render(request, "giving/refund.html", {"form": form, "most": most, "kept": kept})


def _refund_form(request: MemberRequest, most: int, origin: sepa.Account | None) -> RefundForm:
    start = {"amount": most, "key": secrets.token_hex(8)}
    form = RefundForm(request.POST or None, initial=start)
    if origin is not None:
        # Money that came by transfer goes nowhere else, whoever is signed in and whatever is sent.
        del form.fields["iban"], form.fields["holder_name"]
        form.fields["amount"].help_text = _(
            "It goes to %(name)s, %(iban)s, where it came from."
        ) % {
            "name": origin.name,
            "iban": sepa.groups(origin.iban),
        }
    return form
