"""What the nod page is asked: which page is meant, who asks, and what may be offered to whom."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from mickle.lib import months, urls
from mickle.members.models import Member
from mickle.passes import passes
from mickle.things import things
from mickle.things.models import Thing
from mickle.web import paths

# The nonce a button gives its window: long enough to be unguessable, short enough to carry on.
_OPENER: Final = re.compile(r"[A-Za-z0-9._~-]{8,128}")

# As many digits as fit into every key.
_NUMBER: Final = re.compile(r"[0-9]{1,18}")


class Offer(StrEnum):
    """What a confirmation may do besides the nod."""

    NOTHING = ""
    BUTTON = "BUTTON"
    LINK = "LINK"
    AT_ONCE = "AT_ONCE"


@dataclass(frozen=True)
class Form:
    """Which of its two forms the nod page has: a page of its own, or the window of a button.

    `opener` is the nonce of the button that opened the window, and what it is told carries it.
    """

    window: bool = False
    opener: str = ""

    def confirm_at(self) -> str:
        """Where the confirmation is sent."""
        return reverse("nod-window" if self.window else "nod")

    def change_at(self, thing: Thing) -> str:
        """Where taking back and giving again are sent."""
        return reverse("nod-window-at" if self.window else "nod-at", args=[thing.id])

    def done_at(self, thing: Thing) -> str:
        """What the nod made of the coin."""
        if not self.window:
            return reverse("nod-done", args=[thing.id])
        query = "?" + urlencode({"nonce": self.opener}) if self.opener else ""
        return reverse("nod-window-done", args=[thing.id]) + query

    def told(
        self, request: HttpRequest, thing: Thing, month: int, *, nodded: bool, code: str = ""
    ) -> dict[str, Any]:
        """For the template: what the button is told, and the one origin where it may be heard."""
        if not self.opener:
            return {"form": self}
        said = {
            "mickle": 1,
            "nonce": self.opener,
            "nodded": nodded,
            "id": thing.id,
            "month": months.text(month),
        }
        if code:
            said["code"] = code
        return {"form": self, "told": json.dumps(said), "told_to": button_origin(request)}


@dataclass(frozen=True)
class Asked:
    """A link or a button that was followed, understood.

    `from_own_page` is what the browser itself says of the page before; `for_own_page` is what the
    button says of the page it stands on.
    """

    thing: Thing
    form: Form
    from_own_page: bool
    for_own_page: bool
    from_button: bool

    @property
    def title_is_its_own(self) -> bool:
        """Whether the title comes from the site of the thing and not from whoever made a link."""
        return self.from_own_page or (self.for_own_page and self.from_button)


def read(request: HttpRequest, *, window: bool) -> Asked:
    """What a request asks for; raises BadUrl."""
    fields = request.POST if request.method == "POST" else request.GET
    address = fields.get("url", "") or _address_of(fields.get("id", ""))
    thing = things.look(url=address, title=fields.get("title", ""))
    opener = fields.get("opener" if request.method == "POST" else "nonce", "") if window else ""
    host = fields.get("host", "") if window else ""
    referer = request.headers.get("Referer", "")
    same = request.headers.get("Sec-Fetch-Site") == "same-origin"
    return Asked(
        thing=thing,
        form=Form(window, opener_or_none(opener)),
        from_own_page=urls.site_of(referer) == thing.host,
        for_own_page=urls.site_of(host) == thing.host,
        from_button=same or urls.origin_of(referer) == urls.origin_of(button_origin(request)),
    )


def _address_of(number: str) -> str:
    """The address of a thing given by its number here, as some buttons name it."""
    known = _NUMBER.fullmatch(number) and Thing.objects.filter(id=int(number)).first()
    return known.url if known else ""


def opener_or_none(text: str) -> str:
    """The nonce of a button, or nothing where it can be none."""
    return text if _OPENER.fullmatch(text) else ""


def offer(request: HttpRequest, asked: Asked, *, at: datetime) -> Offer:
    """What this member may be offered here: a pass for buttons, the trust in links, its use."""
    if not isinstance(request.user, Member):
        return Offer.NOTHING
    if asked.form.window:
        fits = asked.for_own_page and asked.form.opener
        return Offer.BUTTON if fits else Offer.NOTHING
    if request.method == "POST" or not asked.from_own_page:
        return Offer.NOTHING
    if not passes.link_trusted(member=request.user, site=asked.thing.host, at=at):
        return Offer.LINK
    # By a click: a script or a redirect of the site leads here without one.
    followed = (
        request.headers.get("Sec-Fetch-Dest") == "document"
        and request.headers.get("Sec-Fetch-User") == "?1"
    )
    return Offer.AT_ONCE if followed else Offer.NOTHING


def button_origin(request: HttpRequest) -> str:
    """Where buttons are served, and the only place that hears what became of a nod."""
    return str(settings.BUTTON_ORIGIN or paths.base(request))
