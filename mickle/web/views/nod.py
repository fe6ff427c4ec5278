"""The nod page and its window. A GET shows; only a POST with token and nonce records."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.lib import months
from mickle.lib.errors import Refused
from mickle.nods import nods
from mickle.things import things
from mickle.things.models import Thing
from mickle.web import access, nodding, parking, paths, rows, wording
from mickle.web.access import MemberRequest


@access.form_page
def nod(request: HttpRequest) -> HttpResponse:
    """/nod?url=ENCODED&by=OWNER: what the plain link of every button opens."""
    url = request.POST.get("url", "") if request.method == "POST" else request.GET.get("url", "")
    try:
        seen = things.look(url=url)
    except Refused as refused:
        return render(request, "nod/refused.html", {"why": str(refused)}, status=400)
    if request.method == "POST":
        return _record(request, seen)
    if seen.owner is not None and seen.owner == request.user:
        return render(request, "nod/own.html", {"title": rows.title_of(seen), "thing": seen})
    return _confirm(request, seen)


def _confirm(request: HttpRequest, seen: Thing, note: str = "") -> HttpResponse:
    context = {
        "thing": seen,
        "title": rows.title_of(seen),
        "nonce": parking.new_nonce(request, seen.identity),
        "note": note,
    }
    if request.user.is_authenticated:
        coin = nodding.coin_of(request.user)
        context |= {
            "coin": coin,
            "nth": coin.slices + 1,
            "states": [""] * coin.slices + ["next"],
        }
    return render(request, "nod/confirm.html", context)


def _record(request: HttpRequest, seen: Thing) -> HttpResponse:
    if not request.user.is_authenticated:
        parking.park(request, seen.url)
        return paths.see_other("nod-kept")
    nonce = request.POST.get("nonce", "")
    worth = parking.use_nonce(request, nonce, seen.identity)
    if worth is parking.Nonce.FOREIGN:
        note = _("This page was open too long. Nothing was recorded; nod once more.")
        return _confirm(request, seen, note)
    at = instance.now()
    try:
        thing = things.find_or_add(url=seen.url, at=at, added_by=request.user)
        if worth is parking.Nonce.USED:
            return paths.see_other("nod-done", thing.id)
        given = nods.give(member=request.user, thing=thing, at=at, key=parking.key_of(nonce))
    except Refused as refused:
        return render(request, "nod/refused.html", {"why": str(refused)}, status=409)
    _say_month(request, given)
    return (
        paths.see_other("nod-done", thing.id) if given.new else paths.see_other("monthly", thing.id)
    )


def _say_month(request: HttpRequest, given: nods.Given) -> None:
    shown = request.POST.get("month", "")
    if shown and shown != months.text(given.month):
        text = _("%(closed)s is closed. This nod counts for %(open)s.")
        closed = wording.month_name(given.month - 1, beside=given.month)
        opened = wording.month_name(given.month, beside=given.month)
        messages.info(request, text % {"closed": closed, "open": opened})


@access.read_page
def kept(request: HttpRequest) -> HttpResponse:
    """The nod of somebody who is not signed in waits half an hour."""
    url = parking.parked(request)
    if url is None or request.user.is_authenticated:
        return paths.see_other("home")
    try:
        seen = things.look(url=url)
    except Refused as refused:
        return render(request, "nod/refused.html", {"why": str(refused)}, status=400)
    return render(request, "nod/kept.html", {"title": rows.title_of(seen), "thing": seen})


@access.member_only
@access.read_page
def done(request: MemberRequest, thing_id: int) -> HttpResponse:
    """What the nod made of the coin: a slice, nothing while funds are empty, or taken back."""
    thing = get_object_or_404(Thing, id=thing_id)
    coin = nodding.coin_of(request.user)
    listed = list(nods.of_month(request.user, coin.month).values_list("thing_id", flat=True))
    context = {
        "thing": thing,
        "title": rows.title_of(thing),
        "coin": coin,
        "states": _newest_last(listed, thing_id),
    }
    if thing_id not in listed:
        return render(request, "nod/taken_back.html", context)
    if coin.funds_micros == 0 and not coin.paused:
        return render(request, "nod/empty.html", context)
    return render(request, "nod/done.html", context)


def _newest_last(listed: list[int], thing_id: int) -> list[str]:
    """The slice just cut stands last, where the look draws it."""
    return [""] * len([one for one in listed if one != thing_id]) + ["new"] * (thing_id in listed)


@access.member_only
@access.form_page
def monthly(request: MemberRequest, thing_id: int) -> HttpResponse:
    """Offer the subscription: after a second click, and by the link of the first."""
    thing = get_object_or_404(Thing, id=thing_id)
    month = instance.open_month()
    if request.method == "POST":
        return _subscribe(request, thing)
    context = {
        "thing": thing,
        "title": rows.title_of(thing),
        "month": month,
        "nodded": nods.has(request.user, thing, month),
        "running": nods.subscriptions(request.user).filter(thing=thing).first(),
        "coin": nodding.coin_of(request.user),
        "first_month": month + 1,
    }
    return render(request, "nod/monthly.html", context)


def _subscribe(request: MemberRequest, thing: Thing) -> HttpResponse:
    wanted = request.POST.get("months", "")
    runs = {"3": 3, "6": 6, "12": 12, "": None}.get(wanted, 0)
    at = instance.now()
    try:
        if request.POST.get("deed") == "stop":
            nods.unsubscribe(member=request.user, thing=thing, at=at)
        else:
            nods.subscribe(member=request.user, thing=thing, runs_months=runs, at=at)
    except Refused as refused:
        messages.error(request, str(refused))
    return paths.see_other(paths.next_or(request, "monthly", thing.id))


@access.write_only
def nod_at(request: HttpRequest, thing_id: int) -> HttpResponse:
    """Give or take back from a list; with htmx only the button is drawn anew."""
    thing = get_object_or_404(Thing, id=thing_id)
    if not request.user.is_authenticated:
        parking.park(request, thing.url)
        response = paths.see_other("nod-kept")
        if "HX-Request" in request.headers:
            response = HttpResponse(headers={"HX-Redirect": response["Location"]})
        return response
    at = instance.now()
    try:
        if request.POST.get("deed") == "take-back":
            nods.take_back(member=request.user, thing=thing, at=at, month=_month(request))
        elif not nods.give(member=request.user, thing=thing, at=at).new:
            return _again(request, thing)
    except Refused as refused:
        messages.error(request, str(refused))
    if "HX-Request" in request.headers:
        return _button(request, thing)
    return paths.see_other(paths.next_or(request, "nod-done", thing.id))


def _month(request: HttpRequest) -> int | None:
    text = request.POST.get("month", "")
    return months.parse(text) if text else None


def _again(request: HttpRequest, thing: Thing) -> HttpResponse:
    if "HX-Request" in request.headers:
        return _button(request, thing)
    return paths.see_other("monthly", thing.id)


def _button(request: HttpRequest, thing: Thing) -> HttpResponse:
    row = rows.of([thing], request.user)[0]
    large = request.POST.get("size") == "large"
    return render(request, "parts/nod_button.html", {"thing": row, "large": large})
