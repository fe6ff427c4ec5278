"""Pages for anybody: what Mickle is, its figures, and the small print."""

from importlib import metadata
from typing import Any

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from mickle.discovery import discovery
from mickle.instance import instance
from mickle.instance.models import FeeRate
from mickle.ledger import ledger
from mickle.lib import money
from mickle.lib.errors import Refused
from mickle.members import members
from mickle.settlement import settlement
from mickle.web import access, languages, paths, rows

_SERIES = (1, 2, 5, 10)
_SHOWN_AT_HOME = 4
_SHOWN_MONTHS = 24


@access.read_page
def home(request: HttpRequest) -> HttpResponse:
    """What it is in ten seconds: a coin to cut, and the last month's real figures."""
    rate = instance.fee_basis_points(instance.open_month())
    budget = settings.BUDGET_DEFAULT_MICROS
    listed = discovery.catalogue(order="trending", at=instance.now()).things[:_SHOWN_AT_HOME]
    context = {
        "fee_whole_percent": money.plain(rate * 10_000, 2).rstrip("0").rstrip("."),
        "says": _says(),
        "picks": _picks(),
        "series": [_cut(budget, nods, rate) for nods in _SERIES],
        "ten": _cut(budget, 10, rate),
        "last": next(iter(_settled_months(1)), None),
        "things": rows.of(listed, request.user),
    }
    return render(request, "front/home.html", context)


def _says() -> list[tuple[str, str]]:
    return [
        ("one", _("{n} nod. Its maker gets {net}, and the fee is {fee}.")),
        ("other", _("{n} nods. Each maker gets {net}. You still give {budget}.")),
    ]


def _picks() -> list[str]:
    return [
        _("A podcast"),
        _("A comic"),
        _("A bug fix"),
        _("A recipe"),
        _("A local story"),
        _("A map"),
        _("A song"),
        _("A free library"),
    ]


def _cut(budget: int, nods: int, rate: int) -> dict[str, Any]:
    gross = budget // nods
    fee = money.fee(gross, rate)
    return {
        "nods": nods,
        "states": [""] * nods,
        "gross": gross,
        "fee": fee,
        "net": gross - fee,
        "all_fee": fee * nods,
        "all_net": (gross - fee) * nods,
    }


def _settled_months(at_most: int) -> list[dict[str, Any]]:
    return [
        {
            "month": row.month,
            "row": row,
            "head": settlement.proof_head(row),
            "pool_micros": ledger.balance(ledger.pool(row.month)),
        }
        for row in settlement.proofs(at_most)
    ]


@access.read_page
def figures(request: HttpRequest) -> HttpResponse:
    """Every settled month in figures that name nobody."""
    return render(request, "front/figures.html", {"listed": _settled_months(_SHOWN_MONTHS)})


@access.read_page
def terms(request: HttpRequest) -> HttpResponse:
    """The rules of money on one page, with this instance's own limits."""
    context = {
        "funds_max": settings.FUNDS_MAX_MICROS,
        "payout_cost": settings.PAYOUT_COST_MICROS,
        "grace_hours": settings.GRACE_HOURS,
        "charge_min": settings.CHARGE_MIN_MICROS,
        "charge_days": settings.CHARGE_DAYS,
        "charge_times": max(settings.CHARGE_TRIES, 1),
        "announced": FeeRate.objects.filter(from_month__gt=instance.open_month()).order_by(
            "from_month"
        ),
    }
    return render(request, "front/terms.html", context)


@access.read_page
def privacy(request: HttpRequest) -> HttpResponse:
    """What is kept of whom, and for how long."""
    return render(request, "front/privacy.html")


@access.read_page
def imprint(request: HttpRequest) -> HttpResponse:
    """Who runs this instance."""
    context = {"address": settings.OPERATOR_ADDRESS, "email": settings.OPERATOR_EMAIL}
    return render(request, "front/imprint.html", context)


@access.read_page
def robot(request: HttpRequest) -> HttpResponse:
    """For owners of sites: what the fetcher reads there, and how to keep it away."""
    return render(request, "front/robot.html", {"refusal": "User-agent: Mickle\nDisallow: /"})


@access.read_page
def source(request: HttpRequest) -> HttpResponse:
    """Which version runs here, and where its source is, as the licence asks."""
    return render(request, "front/source.html", {"version": metadata.version("mickle")})


@access.write_only
def set_language(request: HttpRequest) -> HttpResponse:
    """Keep the language chosen at the foot of a page; a signed-in member's for every device."""
    language = request.POST.get("language", "")
    response = paths.see_other(paths.before(request) or "home")
    if language in dict(settings.LANGUAGES):
        languages.keep(response, language)
        if request.user.is_authenticated:
            members.describe(member=request.user, language=language)
    return response


@access.write_only
def waiting_list(request: HttpRequest) -> HttpResponse:
    """Ask for an invitation, as often as one may sign up."""
    # Whoever asks is nobody yet, and each address stays.
    too_many: HttpResponse | None = ratelimit.consume_or_429(request, action="signup")
    if too_many is not None:
        return too_many
    try:
        members.wait_for_invite(email=request.POST.get("email", ""), at=instance.now())
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.info(request, _("You are on the list. A mail tells you when there is a place."))
    return paths.see_other("account_signup")
