"""The nod page and the window of a button: one flow, two forms.

A GET shows; only a POST with token and nonce records.
"""

from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.lib import months
from mickle.lib.errors import Refused
from mickle.lib.urls import display_host
from mickle.members.models import Member
from mickle.nods import nods
from mickle.passes import passes
from mickle.things import things
from mickle.things.models import Thing
from mickle.web import access, asking, nodding, parking, paths, rows, wording
from mickle.web.access import MemberRequest
from mickle.web.asking import Asked, Form, Offer


@access.form_page
def nod(request: HttpRequest) -> HttpResponse:
    """/nod?url=ENCODED&by=OWNER: what the plain link of every button opens."""
    return _page(request, window=False)


@access.form_page
def window(request: HttpRequest) -> HttpResponse:
    """/nod/window?url=&nonce=&title=&host=: what the frame of a button opens."""
    return _page(request, window=True)


def _page(request: HttpRequest, *, window: bool) -> HttpResponse:
    try:
        asked = asking.read(request, window=window)
    except Refused as refused:
        return _refused(request, refused, 400)
    if request.method == "POST":
        return _record(request, asked)
    return _settled(request, asked) or _confirm(request, asked)


def _refused(request: HttpRequest, refused: Refused, status: int = 409) -> HttpResponse:
    return render(request, "nod/refused.html", {"why": str(refused)}, status=status)


def _settled(request: HttpRequest, asked: Asked) -> HttpResponse | None:
    """The page for what needs no confirmation: own, refused, nodded at already."""
    member = request.user if isinstance(request.user, Member) else None
    thing = asked.thing
    try:
        nods.check(thing=thing, member=member)
    except nods.OwnThing as own:
        context = {"title": rows.title_of(thing), "thing": thing, "said": str(own)}
        return render(request, "nod/own.html", context)
    except Refused as refused:
        return _refused(request, refused)
    month = instance.open_month()
    if member is None or thing.pk is None or not nods.has(member, thing, month):
        return None
    return _monthly(request, member, thing, asked.form)


def _confirm(request: HttpRequest, asked: Asked, note: str = "") -> HttpResponse:
    seen = asked.thing
    offer = Offer.NOTHING if note else asking.offer(request, asked, at=instance.now())
    own = asked.title_is_its_own and seen.pk is None
    context = {
        "thing": seen,
        "title": rows.title_of(seen) if own or seen.pk else rows.short(seen.url),
        "called": "" if own or seen.pk else seen.title,
        "asked": asked,
        "offer": offer,
        "nonce": parking.new_nonce(
            request,
            seen.identity,
            opener=asked.form.opener,
            offer=offer,
            title=seen.title if own else "",
        ),
        "note": note,
    }
    if isinstance(request.user, Member):
        coin = nodding.coin_of(request.user)
        context |= {
            "coin": coin,
            "nth": coin.slices + 1,
            "states": [""] * coin.slices + ["next"],
        }
    return render(request, "nod/confirm.html", context)


def _record(request: HttpRequest, asked: Asked) -> HttpResponse:
    nonce, opener = request.POST.get("nonce", ""), asked.form.opener
    if not isinstance(request.user, Member):
        intent = parking.read_nonce(request, nonce, asked.thing.identity, opener=opener)
        parking.park(request, asked.thing.url, intent.title)
        return paths.see_other("nod-kept")
    intent = parking.use_nonce(request, nonce, asked.thing.identity, opener=opener)
    if intent.worth is parking.Nonce.FOREIGN:
        note = _("This page was open too long. Nothing was recorded; nod once more.")
        return _confirm(request, asked, note)
    at = instance.now()
    try:
        thing = things.find_or_add(
            url=asked.thing.url, at=at, title=intent.title, added_by=request.user
        )
        if intent.worth is parking.Nonce.USED:
            return paths.see_other(asked.form.done_at(thing))
        return _give(request, request.user, replace(asked, thing=thing), intent, at)
    except Refused as refused:
        return _refused(request, refused)


def _give(
    request: HttpRequest, member: Member, asked: Asked, intent: parking.Intent, at: datetime
) -> HttpResponse:
    thing, site = asked.thing, asked.thing.host
    at_once = intent.offer == Offer.AT_ONCE
    if at_once and not passes.use_link(member=member, site=site, at=at):
        note = _("Links on %(site)s have counted often enough today, so this one asks.")
        return _confirm(request, asked, note % {"site": display_host(site)})
    key = parking.key_of(request.POST.get("nonce", ""))
    given = nods.give(member=member, thing=thing, at=at, key=key)
    _say_month(request, given)
    code = _tick(request, member, asked, intent, at)
    if code:
        # The code stands in this one answer and in no address, so nothing leads here again.
        return _done(request, member, thing, asked.form, code)
    if not given.new and not asked.form.window:
        return paths.see_other("monthly", thing.id)
    return paths.see_other(asked.form.done_at(thing))


def _tick(
    request: HttpRequest, member: Member, asked: Asked, intent: parking.Intent, at: datetime
) -> str:
    """Do what the tick says where the page offered it; the code for the button, if there is one."""
    site = asked.thing.host
    if not request.POST.get("pass"):
        return ""
    if intent.offer == Offer.BUTTON:
        return passes.grant(member=member, site=site, nonce=asked.form.opener, at=at)
    if intent.offer == Offer.LINK:
        passes.trust_link(member=member, site=site, at=at)
        text = _("From now on, links on %(site)s count at once.")
        messages.info(request, text % {"site": display_host(site)})
    return ""


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
    waiting = parking.parked(request)
    if waiting is None or request.user.is_authenticated:
        return paths.see_other("home")
    try:
        seen = things.look(url=waiting.url, title=waiting.title)
    except Refused as refused:
        return _refused(request, refused, 400)
    return render(request, "nod/kept.html", {"title": rows.title_of(seen), "thing": seen})


@access.member_only
@access.read_page
def done(request: MemberRequest, thing_id: int) -> HttpResponse:
    """What the nod made of the coin: a slice, nothing while funds are empty, or taken back."""
    return _done(request, request.user, get_object_or_404(Thing, id=thing_id), Form())


@access.member_only
@access.read_page
def window_done(request: MemberRequest, thing_id: int) -> HttpResponse:
    """The same in the window, which tells the button that opened it."""
    thing = get_object_or_404(Thing, id=thing_id)
    return _done(request, request.user, thing, _window_form(request.GET.get("nonce", "")))


def _window_form(nonce: str) -> Form:
    return Form(window=True, opener=asking.opener_or_none(nonce))


def _done(
    request: HttpRequest, member: Member, thing: Thing, form: Form, code: str = ""
) -> HttpResponse:
    coin = nodding.coin_of(member)
    listed = list(nods.of_month(member, coin.month).values_list("thing_id", flat=True))
    nodded = thing.id in listed
    kinds = passes.listed(member=member, at=instance.now()).filter(site=thing.host)
    context = {
        "thing": thing,
        "title": rows.title_of(thing),
        "coin": coin,
        "states": _newest_last(listed, thing.id),
        "granted": bool(code),
        "passed": set(kinds.values_list("kind", flat=True)),
        "change_at": form.change_at(thing),
    } | form.told(request, thing, coin.month, nodded=nodded, code=code)
    if not nodded:
        return render(request, "nod/taken_back.html", context)
    if _pays_nothing(coin):
        return render(request, "nod/empty.html", context)
    return render(request, "nod/done.html", context)


def _pays_nothing(coin: nodding.Coin) -> bool:
    """Whether nods are recorded and pay nothing, which is said wherever one stands."""
    return coin.funds_micros == 0 and not coin.paused and settings.MODE == "prepaid"


def _newest_last(listed: list[int], thing_id: int) -> list[str]:
    """The slice just cut stands last, where the look draws it."""
    return [""] * len([one for one in listed if one != thing_id]) + ["new"] * (thing_id in listed)


@access.member_only
@access.form_page
def monthly(request: MemberRequest, thing_id: int) -> HttpResponse:
    """Offer the subscription: by the link of a nod just given."""
    thing = get_object_or_404(Thing, id=thing_id)
    if request.method == "POST":
        return _subscribe(request, thing)
    return _monthly(request, request.user, thing, Form())


def _monthly(request: HttpRequest, member: Member, thing: Thing, form: Form) -> HttpResponse:
    """A thing nodded at already: the subscription, and taking back."""
    month, coin = instance.open_month(), nodding.coin_of(member)
    nodded = nods.has(member, thing, month)
    context = {
        "thing": thing,
        "title": rows.title_of(thing),
        "month": month,
        "nodded": nodded,
        "running": nods.running(member, thing),
        "coin": coin,
        "pays_nothing": nodded and _pays_nothing(coin),
        "first_month": month + 1,
        "change_at": form.change_at(thing),
    } | form.told(request, thing, month, nodded=nodded)
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


@access.member_only
@access.write_only
def window_at(request: MemberRequest, thing_id: int) -> HttpResponse:
    """Take back, or give again after all, in the window."""
    thing = get_object_or_404(Thing, id=thing_id)
    try:
        _give_or_take_back(request, request.user, thing)
    except Refused as refused:
        messages.error(request, str(refused))
    return paths.see_other(_window_form(request.POST.get("opener", "")).done_at(thing))


@access.write_only
def nod_at(request: HttpRequest, thing_id: int) -> HttpResponse:
    """Give or take back from a list; with htmx only the button is drawn anew."""
    thing = get_object_or_404(Thing, id=thing_id)
    if not isinstance(request.user, Member):
        parking.park(request, thing.url)
        response = paths.see_other("nod-kept")
        if "HX-Request" in request.headers:
            response = HttpResponse(headers={"HX-Redirect": response["Location"]})
        return response
    try:
        if not _give_or_take_back(request, request.user, thing):
            return _again(request, thing)
    except Refused as refused:
        messages.error(request, str(refused))
    if "HX-Request" in request.headers:
        return _button(request, thing)
    return paths.see_other(paths.next_or(request, "nod-done", thing.id))


def _give_or_take_back(request: HttpRequest, member: Member, thing: Thing) -> bool:
    """Do what the pressed button says; False for a nod that was there already."""
    at = instance.now()
    if request.POST.get("deed") == "take-back":
        nods.take_back(member=member, thing=thing, at=at, month=_month(request))
        return True
    return nods.give(member=member, thing=thing, at=at).new


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
