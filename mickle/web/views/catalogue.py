"""The catalogue, and the page of one thing with its buttons."""

from datetime import datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from mickle.claims import accounts, claims, proofs
from mickle.claims.models import Claim
from mickle.discovery import discovery
from mickle.instance import instance
from mickle.lib.errors import Refused
from mickle.nods.models import Nod
from mickle.settlement import settlement
from mickle.things.models import Thing
from mickle.web import access, missing, nodding, paths, rows, snippets
from mickle.web.access import MemberRequest
from mickle.web.forms import ClaimForm
from mickle.web.snippets import Snippet

_LAST_PAGE = 10_000
_DIGITS = 18


def category_names() -> dict[str, str]:
    """The categories in the page's language."""
    return {
        "text": _("Text"),
        "images": _("Images"),
        "audio": _("Audio"),
        "video": _("Video"),
        "software": _("Software"),
        "people": _("People"),
        "rest": _("Rest"),
    }


def _orders() -> dict[str, str]:
    return {
        "trending": _("Trending"),
        "new": _("New"),
        "most": _("Most nodded"),
        "none": _("Nobody nodded yet"),
    }


@access.read_page
def catalogue(request: HttpRequest) -> HttpResponse:
    """Things by category, language and tag, found by words."""
    asked = {
        "q": request.GET.get("q", "").strip()[:200],
        "category": request.GET.get("category", ""),
        "language": request.GET.get("language", ""),
        "tag": request.GET.get("tag", ""),
        "order": request.GET.get("order", "trending"),
    }
    page = _page_number(request)
    found = discovery.catalogue(
        q=asked["q"],
        category=asked["category"],
        language=asked["language"],
        tag=asked["tag"],
        order=asked["order"],
        page=page,
        at=instance.now(),
    )
    context = asked | {
        "things": rows.of(found.things, request.user),
        "total": found.total,
        "total_is_more": found.total_is_more,
        "first": found.first,
        "last": found.last,
        "categories": _choices(asked, "category", {"": _("Everything")} | category_names()),
        "orders": _choices(asked, "order", _orders()),
        "plain_query": _query(asked, language="", tag=""),
        "previous_query": _query(asked, page=page - 1) if page > 1 else "",
        "next_query": _query(asked, page=page + 1) if found.has_next else "",
    }
    return render(request, "front/catalogue.html", context)


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    # Python reads no number of some thousand digits.
    asked = int(text[:_DIGITS]) if text.isdecimal() else 1
    return min(max(asked, 1), _LAST_PAGE)


def _query(asked: dict[str, str], **changed: object) -> str:
    wanted = {**asked, **changed}
    if wanted["order"] == "trending":
        wanted["order"] = ""
    return urlencode({name: value for name, value in wanted.items() if value})


def _choices(asked: dict[str, str], name: str, labels: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"label": label, "query": _query(asked, **{name: value}), "chosen": asked[name] == value}
        for value, label in labels.items()
    ]


@access.read_page
def thing(request: HttpRequest, thing_id: int) -> HttpResponse:
    """One thing: its count, what waits for it, and the snippets of its button."""
    found = get_object_or_404(
        Thing.objects.select_related("owner", "scope", "merged_into"), id=thing_id
    )
    if found.merged_into is not None:
        return redirect("thing", found.merged_into.id)
    context = {
        "thing": rows.of([found], request.user)[0],
        "full": found,
        "category": category_names()[found.category],
        "gone": _gone(found),
        "this_month": _nods_this_month(found),
        "claim_form": ClaimForm(),
        "show": f"{reverse('prove')}?{urlencode({'url': found.url})}",
        "under_notice": _under_notice(found),
        "sign_in_at": accounts.site_of_maker(found.maker) if found.maker else None,
        "base": paths.base(request),
        "images": _images(found),
        "poster": f"/b/qr.pdf?id={found.id}&lang={get_language()}",
        "places": _places(paths.base(request), found),
    }
    context |= _waiting(found)
    if request.user.is_authenticated:
        context["coin"] = nodding.coin_of(request.user)
        context["claim"] = Claim.objects.filter(
            thing=found, member=request.user, state=Claim.State.OPEN
        ).first()
    return render(request, "front/thing.html", context)


def _under_notice(found: Thing) -> datetime | None:
    """Until when anybody may object to how the owner came to have it."""
    if found.scope is None or found.owner_id is None:
        return None
    return proofs.notice_until(found.owner_id, instance.now(), found.scope.text)


def _gone(found: Thing) -> str:
    if found.state == Thing.State.REFUSED:
        return _("Its maker does not want nods, so it takes none.")
    if found.state == Thing.State.TAKEN_DOWN:
        return _("This page was taken down here, so it takes no nods.")
    return ""


def _nods_this_month(found: Thing) -> int:
    """Like the count on the button: only members who have ever topped up."""
    return Nod.objects.filter(
        thing=found, month=instance.open_month(), member__funded_month__isnull=False
    ).count()


def _waiting(found: Thing) -> dict[str, int | None]:
    nods, micros = settlement.waiting_shown(found)
    return {"waiting_nods": nods, "waiting_micros": micros}


def _images(found: Thing) -> list[dict[str, Any]]:
    sizes = (("wide", 160, 36), ("compact", 110, 20), ("tall", 55, 62))
    return [
        {
            "src": f"/b/count.svg?id={found.id}&size={name}&lang={get_language()}",
            "width": width,
            "height": height,
            "alt": _("Button with the count of nods"),
        }
        for name, width, height in sizes
    ]


def _places(base: str, found: Thing) -> list[tuple[str, list[Snippet]]]:
    """The snippets by place; the address of the thing is inside, so they work anywhere."""
    facts = snippets.Facts(
        pages=base,
        button=settings.BUTTON_ORIGIN or base,
        url=found.url,
        thing_id=found.id,
        title=found.title,
        by=found.owner.username if found.owner else "",
        language=get_language() or "en",
    )
    by_place = groupby(snippets.all_of(facts), key=lambda one: one.place)
    return [(place, list(those)) for place, those in by_place]


@access.member_only
@access.write_only
def claim(request: MemberRequest, thing_id: int) -> HttpResponse:
    """Say "this is mine"; an operator looks and decides."""
    found = get_object_or_404(Thing, id=thing_id)
    form = ClaimForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(missing.problems(form["note"])))
        return paths.see_other("thing", thing_id)
    try:
        claims.make(
            thing=found, member=request.user, at=instance.now(), note=form.cleaned_data["note"]
        )
    except Refused as refused:
        messages.error(request, str(refused))
    return paths.see_other("thing", thing_id)
