"""A maker's pages: my pages, what they brought, and the way of the money out."""

import secrets
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from mickle.claims import claims
from mickle.claims.models import Claim, Proof
from mickle.instance import instance
from mickle.ledger import ledger
from mickle.lib import money, months
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.members.models import Member
from mickle.payins import payins
from mickle.payouts import payouts
from mickle.payouts.models import Payout
from mickle.settlement import settlement
from mickle.things import things
from mickle.things.models import Thing
from mickle.web import access, charts, drawing, paths, rows, tables, wording
from mickle.web.access import MemberRequest
from mickle.web.forms import AccountForm, AddThingForm, ThingForm, WithdrawForm
from mickle.web.views.catalogue import category_names
from mickle.web.views.proving import WAYS
from mickle.web.views.teaming import asking

_CHART_MONTHS = 12
_PAYOUTS_SHOWN = 20


@access.member_only
@access.read_page
def my_things(request: MemberRequest) -> HttpResponse:
    """What a member owns or claims, and what it earned so far."""
    member = request.user
    owned = Thing.objects.filter(owner=member).select_related("owner").order_by("title", "id")
    claimed = Claim.objects.filter(member=member).exclude(state=Claim.State.GRANTED)
    context = {
        "things": rows.of(owned, member),
        "shown": [
            (proof, WAYS[proof.method])
            for proof in Proof.objects.filter(member=member, state__in=Proof.LIVE).order_by("text")
        ],
        "claims": claimed.select_related("thing").order_by("-id"),
        "revenue": ledger.balance(ledger.revenue(member.id)),
        "may_receive": members.may_receive(member),
        "asked": asking(member),
    }
    return render(request, "making/my_things.html", context)


@access.member_only
@access.form_page
def add_thing(request: MemberRequest) -> HttpResponse:
    """Add a page or work of one's own: it stands in the catalogue at once, and a claim is made."""
    form = AddThingForm(request.POST or None, categories=category_names())
    if request.method == "POST" and form.is_valid():
        try:
            thing = _add_and_claim(request.user, form)
        except Refused as refused:
            form.refuse(refused)
        else:
            return paths.see_other("thing", thing.id)
    return render(request, "making/add_thing.html", {"form": form})


def _add_and_claim(member: Member, form: AddThingForm) -> Thing:
    fields = form.described()
    note = fields.pop("note")
    at = instance.now()
    thing = things.find_or_add(at=at, added_by=member, read=False, **fields)
    if thing.owner_id != member.id:
        claims.make(thing=thing, member=member, at=at, note=note)
    return thing


@access.member_only
@access.form_page
def edit_thing(request: MemberRequest, thing_id: int) -> HttpResponse:
    """Change what stands in the catalogue about one's own thing."""
    thing = get_object_or_404(Thing, id=thing_id, owner=request.user)
    start = {
        "title": thing.title,
        "description": thing.description,
        "category": thing.category,
        "language": thing.language,
        "tags": ", ".join(thing.tags),
        "hidden": thing.hidden,
    }
    form = ThingForm(request.POST or None, initial=start, categories=category_names())
    if request.method == "POST" and form.is_valid():
        try:
            things.describe(thing=thing, at=instance.now(), **form.described())
        except Refused as refused:
            form.refuse(refused)
        else:
            return paths.see_other("thing", thing.id)
    return render(request, "making/edit_thing.html", {"form": form, "thing": thing})


@access.member_only
@access.write_only
def refuse_nods(request: MemberRequest, thing_id: int) -> HttpResponse:
    """The maker wants no nods for this, for ever; what waits goes back at once."""
    thing = get_object_or_404(Thing, id=thing_id, owner=request.user)
    if request.POST.get("sure") != "yes":
        messages.error(request, _("Tick the box: a refusal is for ever. Nothing was changed."))
        return paths.see_other("edit-thing", thing_id)
    try:
        settlement.refuse(thing=thing, at=instance.now())
    except Refused as refused:
        messages.error(request, str(refused))
    return paths.see_other("thing", thing_id)


@access.member_only
@access.read_page
def revenue(request: MemberRequest) -> HttpResponse:
    """What was earned: the sum, charts of days and months, and the things of one month."""
    member = request.user
    sums = dict(settlement.owner_months(member))
    month = _shown_month(request, sums)
    have = ledger.balance(ledger.revenue(member.id))
    context = {
        "have": have,
        "stays": have - _whole(have),
        "account": payouts.account(member),
        "live": Payout.objects.filter(
            member=member, kind=Payout.Kind.REVENUE, state__in=Payout.LIVE
        ).first(),
        "month": month,
        "known": sorted(sums, reverse=True),
        "found": settlement.owner_statement(member=member, month=month) if month else None,
        "bars": _bars(sums),
        "sums": sorted(sums.items(), reverse=True),
        "move_key": secrets.token_hex(8),
        "days": charts.nods_a_day(owner=member, month=instance.open_month(), now=instance.now()),
        "things": Thing.objects.filter(owner=member).count(),
        "payouts": Payout.objects.filter(member=member).order_by("-id")[:_PAYOUTS_SHOWN],
    }
    return render(request, "making/revenue.html", context)


def _whole(micros: int) -> int:
    return money.whole_minor(micros, settings.CURRENCY_DECIMALS)


def _shown_month(request: MemberRequest, sums: dict[int, int]) -> int | None:
    text = request.GET.get("month", "")
    try:
        return months.parse(text) if text else max(sums, default=None)
    except Refused as refused:
        raise Http404 from refused


def _bars(sums: dict[int, int]) -> list[drawing.Bar]:
    if not sums:
        return []
    last = max(sums)
    first = last - _CHART_MONTHS + 1
    return [
        drawing.Bar(
            label=wording.month_short(month),
            value=sums.get(month, 0),
            wide_only=(last - month) % 2 == 1,
        )
        for month in range(first, last + 1)
    ]


@access.member_only
@access.read_page
def revenue_csv(request: MemberRequest, month: int) -> HttpResponse:
    """The lines of a month as CSV."""
    return tables.owner_csv(settlement.owner_statement(member=request.user, month=month))


@access.member_only
@access.form_page
def payout_account(request: MemberRequest) -> HttpResponse:
    """Where earnings go, and from which amount on."""
    known = payouts.account(request.user)
    start = (
        {
            "holder_name": known.holder_name,
            "iban": known.iban,
            "minimum": known.minimum_micros,
        }
        if known
        else {}
    )
    form = AccountForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            payouts.set_account(
                member=request.user,
                iban=form.cleaned_data["iban"],
                holder_name=form.cleaned_data["holder_name"],
                minimum_micros=form.cleaned_data["minimum"],
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            return paths.see_other("withdraw")
    return render(request, "making/account.html", {"form": form, "known": known})


@access.member_only
@access.form_page
def withdraw(request: MemberRequest) -> HttpResponse:
    """Choose an amount, see what it costs, confirm: two steps, the second one asks for money."""
    member = request.user
    account = payouts.account(member)
    if account is None:
        return paths.see_other("payout-account")
    have = ledger.balance(ledger.revenue(member.id))
    start = {"amount": _whole(have), "key": secrets.token_hex(8)}
    form = WithdrawForm(request.POST or None, initial=start)
    context: dict[str, Any] = {"form": form, "have": have, "account": account}
    if request.method == "POST" and form.is_valid():
        try:
            return _withdraw_step(request, form, context)
        except Refused as refused:
            form.refuse(refused)
    return render(request, "making/withdraw.html", context)


def _withdraw_step(
    request: MemberRequest, form: WithdrawForm, context: dict[str, Any]
) -> HttpResponse:
    amount, key = form.cleaned_data["amount"], form.cleaned_data["key"]
    if request.POST.get("deed") != "confirm":
        quote = payouts.quote(member=request.user, amount_micros=amount)
        return render(request, "making/confirm.html", context | {"quote": quote, "key": key})
    payouts.request(member=request.user, amount_micros=amount, at=instance.now(), key=key)
    messages.info(
        request,
        _("%(amount)s is on its way. It arrives one or two days after the next bank run.")
        % {"amount": wording.amount(amount)},
    )
    return paths.see_other("revenue")


@access.member_only
@access.write_only
def to_funds(request: MemberRequest) -> HttpResponse:
    """Move what was earned to what can be given, all whole cents of it."""
    try:
        moved = payins.to_funds(
            member=request.user, at=instance.now(), key=access.form_key(request)
        )
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        text = _("%(amount)s is now yours to give.")
        messages.info(request, text % {"amount": wording.amount(moved)})
    return paths.see_other("revenue")
