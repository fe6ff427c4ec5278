"""The calls: each reads what is asked, calls one verb and says what came of it."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from mickle.api import _asking
from mickle.api._answers import Problem, nothing, said
from mickle.api._asking import Asked
from mickle.instance import instance
from mickle.lib import money, months
from mickle.members.models import Member
from mickle.nods import nods
from mickle.settlement import settlement
from mickle.things import things
from mickle.things.models import Thing

SOURCE = "api"


def me(asked: Asked) -> HttpResponse:
    """Whose token it is, and the coin of the open month as it stands."""
    seen = settlement.preview(member=asked.member, at=asked.at)
    found = {
        "username": asked.member.username,
        "month": months.text(seen.month),
        "nods": seen.counting,
        "paused": seen.paused,
        "currency": settings.CURRENCY,
    }
    return said(found | _amount("budget", seen.budget_micros) | _amount("spend", seen.spend_micros))


def _amount(name: str, micros: int | None) -> dict[str, object]:
    """An amount twice, as commands say it: decimal text under its name, and micros."""
    text = None if micros is None else money.trimmed(micros, settings.CURRENCY_DECIMALS)
    return {name: text, f"{name}_micros": micros}


def give(asked: Asked) -> HttpResponse:
    """Nod at an address: 201, or 200 where this month has the nod already."""
    found = _asking.content(asked.request)
    address = _asking.text(found, "url", needed=True)
    # Not kept: a page is called as it calls itself, whatever a stranger says.
    _asking.text(found, "title")
    called = _asking.key(asked.request)
    thing = things.find_or_add(url=address, at=asked.at, added_by=asked.member)
    key = _asking.key_of(called, asked.program, address)
    given = nods.give(member=asked.member, thing=thing, at=asked.at, source=SOURCE, key=key)
    recorded = nods.given_at(asked.member, thing, given.month)
    nod = {
        "month": months.text(given.month),
        "at": (recorded or asked.at).isoformat(timespec="seconds"),
        "already": not given.new,
        "nods_this_month": given.nods_this_month,
    }
    return said({"nod": nod, "thing": _thing(asked, thing)}, 201 if given.new else 200)


def take_back(asked: Asked, thing_id: str) -> HttpResponse:
    """Take a nod back while its month is open; 204."""
    thing = Thing.objects.filter(id=int(thing_id)).first()
    if thing is None:
        raise Problem(404, "not_found", _("There is no page with this number."))
    # An empty one is a mistake, and no word to take back what was given since.
    month = months.parse(asked.query("month")) if "month" in asked.request.GET else None
    nods.take_back(member=asked.member, thing=thing, at=asked.at, month=month)
    return nothing()


def look(asked: Asked) -> HttpResponse:
    """What an address is here; records nothing and fetches nothing."""
    address = asked.query("url")
    if not address:
        raise Problem(400, "invalid_parameters", _("Say which address: ?url=ADDRESS."))
    found = things.look(url=address)
    known = found.pk is not None
    answer = {"known": known, "identity": found.identity} | _thing(asked, found)
    return said(answer | (_figures(asked.member, found) if known else {}))


def _thing(asked: Asked, thing: Thing) -> dict[str, object]:
    known = thing.pk is not None
    return {
        "id": thing.pk,
        "url": thing.url,
        "title": thing.title,
        "host": thing.host,
        "page": asked.base + reverse("thing", args=[thing.pk]) if known else None,
    }


def _figures(member: Member, thing: Thing) -> dict[str, Any]:
    """What the public page of a thing shows, and whether this member nodded this month."""
    owner = thing.owner
    return {
        "state": thing.state.lower(),
        "nods": nods.count(thing.id),
        "nodded": nods.has(member, thing, instance.open_month()),
        "owner": {"username": owner.username, "name": owner.shown_name} if owner else None,
        "waiting": _waiting(thing),
    }


def _waiting(thing: Thing) -> dict[str, object] | None:
    count, micros = settlement.waiting_shown(thing)
    if not count:
        return None
    return {"nods": count, "currency": settings.CURRENCY} | _amount("amount", micros)
