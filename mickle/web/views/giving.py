"""A giver's pages: this month, nods by month, monthly nods, statements."""

from collections.abc import Iterable
from itertools import count
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mickle.instance import instance
from mickle.instance.models import Month
from mickle.ledger import ledger
from mickle.lib import months, urls
from mickle.lib.errors import Refused
from mickle.members.models import Member
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.settlement import arrears, past, settlement
from mickle.settlement.models import Spend
from mickle.settlement.past import ListedNod
from mickle.settlement.settlement import NoStatement, Statement
from mickle.things.models import Thing
from mickle.web import access, errors, nodding, paths, rows, tables, wording
from mickle.web.access import MemberRequest
from mickle.web.forms import AddressField
from mickle.web.views.teaming import asking

_LISTED_MONTHS = 60


@access.member_only
@access.read_page
def dashboard(request: MemberRequest) -> HttpResponse:
    """This month: the pie, the rows beside it, and what the money does."""
    member = request.user
    seen = settlement.preview(member=member, at=instance.now())
    unpaid = Month.objects.filter(settled_at=None).order_by("month").first()
    context = {
        "asked": asking(member),
        "seen": seen,
        "coin": nodding.coin_in(seen),
        "states": [_state_class(one.state) for one in seen.shares if one.state != "void"],
        "rows": _by_owners(_share_rows(seen.shares, member)),
        "money": _money(member, seen.month),
        "steps": _steps(member),
        "left": seen.left_micros - seen.spend_micros,
        "unpaid": _unpaid(member, unpaid.month) if unpaid else None,
        "charges": arrears.open_charges(member),
    }
    return render(request, "giving/dashboard.html", context)


def _state_class(state: str) -> str:
    return "" if state in ("planned", "paid", "released") else "wait"


def _share_rows(shares: Iterable[Any], member: Member) -> list[dict[str, Any]]:
    running = nods.subscriptions(member).values_list("thing_id", "thing__merged_into")
    monthly = {id_ for both in running for id_ in both}
    # As on the pie: what does not count has no slice, and no number.
    numbers = count(1)
    return [
        {
            "no": "" if share.state == "void" else next(numbers),
            "thing": share.thing,
            "title": rows.title_of(share.thing),
            "amount_micros": share.amount_micros,
            "fee_micros": share.fee_micros,
            "state": share.state,
            "monthly": share.thing.id in monthly,
        }
        for share in shares
    ]


def _by_owners(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of a forecast, with whose each thing is."""
    owners = Member.objects.in_bulk({row["thing"].owner_id for row in listed})
    return [row | {"owner": owners.get(row["thing"].owner_id)} for row in listed]


def _money(member: Member, month: int) -> dict[str, int]:
    listed = settlement.moves(member)
    start, topped = settlement.funds_at_start(listed, month), settlement.topped_up(listed, month)
    return {
        "start": start,
        "topped_up": topped,
        "other": ledger.balance(ledger.funds(member.id)) - start - topped,
        "earned": _earned(member, month),
        "given": settlement.given(listed),
        "waiting": ledger.balance(ledger.waiting(member.id)),
    }


def _earned(member: Member, month: int) -> int:
    """What came in a month, less the fee; what a bank sent back was earned before."""
    revenue = ledger.revenue(member.id)
    moved = ledger.transfers(revenue, since=months.start(month))
    came = sum(
        row.amount_micros
        for row in moved
        if row.credit == revenue and row.debit.kind != ledger.Kind.PAYOUT
    )
    return came - sum(row.amount_micros for row in moved if row.credit.kind == ledger.Kind.FEE)


def _steps(member: Member) -> dict[str, bool]:
    """What comes next for somebody new; empty once each was done."""
    done = {
        "nod": bool(nods.months_of(member)),
        "top_up": member.funded_month is not None or settings.MODE == "arrears",
    }
    return {} if all(done.values()) else done


def _unpaid(member: Member, month: int) -> dict[str, int] | None:
    """A closed month whose nods pay nothing unless funds arrive before the freeze."""
    if settings.MODE == "arrears" or ledger.balance(ledger.funds(member.id)):
        return None
    counting = settlement.forecast(member=member, month=month).counting
    return {"month": month, "nods": counting} if counting else None


class LinkForm(forms.Form):
    """Any address of the web."""

    url = AddressField(
        label=gettext_lazy("Web address"),
        begins=True,
        help_text=gettext_lazy(
            "Of a page, a channel, a project, a person: anything good with an address."
        ),
    )

    def clean_url(self) -> str:
        """Only an address a nod can be for."""
        typed = str(self.cleaned_data["url"]).strip()
        try:
            urls.admit(typed)
        except Refused as refused:
            raise forms.ValidationError(str(refused)) from refused
        return typed


@access.member_only
@access.form_page
def add_link(request: MemberRequest) -> HttpResponse:
    """Nod at any address typed in: the nod page asks before anything is recorded."""
    form = LinkForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return paths.see_other(paths.nod_page(form.cleaned_data["url"]))
    return render(request, "giving/add_link.html", {"form": form})


@access.member_only
@access.read_page
@errors.from_archives
def my_nods(request: MemberRequest) -> HttpResponse:
    """Every nod by month; the ones of the open month can be taken back."""
    member = request.user
    known = sorted({*nods.months_of(member), instance.open_month()}, reverse=True)[:_LISTED_MONTHS]
    month = _asked_month(request, known[0])
    given: Iterable[Nod | ListedNod] = nods.of_month(member, month)
    # What comes back between the first two looks is seen by the third.
    given = given or past.nods_of(member=member, month=month) or nods.of_month(member, month)
    context = {
        "month": month,
        "known": known,
        "open": month >= instance.open_month(),
        "rows": [
            {"thing": nod.thing, "title": rows.title_of(nod.thing), "nod": nod}
            for nod in sorted(given, key=lambda nod: nod.at, reverse=True)
        ],
    }
    return render(request, "giving/my_nods.html", context)


def _asked_month(request: MemberRequest, default: int) -> int:
    text = request.GET.get("month", "")
    try:
        return months.parse(text) if text else default
    except Refused as refused:
        raise Http404 from refused


@access.member_only
@access.read_page
def subscriptions(request: MemberRequest) -> HttpResponse:
    """Nods that repeat each month."""
    resting = nods.resting(member=request.user, month=instance.open_month())
    running = [
        {
            "row": row,
            "title": rows.title_of(row.thing),
            "thing": row.thing,
            "rests": row.thing_id in resting,
        }
        for row in nods.subscriptions(request.user)
    ]
    return render(request, "giving/subscriptions.html", {"running": running})


@access.member_only
@access.read_page
def statements(request: MemberRequest) -> HttpResponse:
    """The months of a member, newest first."""
    member = request.user
    spent = dict(Spend.objects.filter(member=member).values_list("month", "amount_micros"))
    known = sorted({*spent, *nods.months_of(member)}, reverse=True)[:_LISTED_MONTHS]
    listed = [
        {"month": month, "spend": spent.get(month, 0), "state": instance.state(month)}
        for month in known
    ]
    return render(request, "giving/statements.html", {"listed": listed})


@access.member_only
@access.read_page
@errors.from_archives
def statement(request: MemberRequest, month: int) -> HttpResponse:
    """What became of the coin, share by share; of a month that is not settled, what would."""
    found = _statement(request, month)
    context = {
        "found": found,
        "rows": _share_rows(found.shares, request.user),
        "states": _pie_states(found),
        "movements": tables.movements(found),
        "counting": any(share.state != "void" for share in found.shares),
        "proved": bool(found.spend_micros) and settlement.proof(month) is not None,
    }
    return render(request, "giving/statement.html", context)


@access.member_only
@access.read_page
@errors.from_archives
def statement_as(request: MemberRequest, month: int, form: str) -> HttpResponse:
    """The same as CSV or JSON."""
    found = _statement(request, month)
    if form == "csv":
        return tables.statement_csv(found)
    if form == "json":
        return JsonResponse(tables.statement_json(found))
    raise Http404


def _statement(request: MemberRequest, month: int) -> Statement:
    try:
        return settlement.statement(member=request.user, month=month)
    except NoStatement as refused:
        raise Http404(str(refused)) from refused


def _pie_states(found: Statement) -> list[str]:
    if found.charity is not None:
        return ["gift"]
    # What was put off is no part of what was charged.
    apart = ("waiting", "returned", "released") if found.arrears else ()
    counting = [share for share in found.shares if share.amount_micros]
    return [_state_class(share.state) for share in counting if share.state not in apart]


@access.member_only
@access.write_only
def take_back_waiting(request: MemberRequest, month: int, thing_id: int) -> HttpResponse:
    """Return one's own waiting share to one's funds."""
    thing = get_object_or_404(Thing, id=thing_id)
    try:
        micros = settlement.take_back_waiting(
            member=request.user, month=month, thing=thing, at=instance.now()
        )
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        text = _("%(amount)s came back to your funds.") if micros else _("It is never charged.")
        messages.info(request, text % {"amount": wording.amount(micros)})
    return paths.see_other("statement", months.text(month))
