"""The door of the room: grant, exchange, trust a site's links, revoke."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, QuerySet, When
from django.utils.translation import gettext as _

from mickle.lib.errors import Refused
from mickle.members.models import Member
from mickle.passes.models import SitePass
from mickle.passes.write import KEPT_FOR, hashed

CODE_FOR = timedelta(minutes=2)
AT_MOST = 200
# What scanners for leaked secrets know it by.
PREFIX = "mkp_"


class BadCode(Refused):
    """The code is unknown, too old, used before, or of another window."""


@dataclass(frozen=True)
class Exchanged:
    """The secret that a browser keeps, and the site it is for."""

    token: str
    site: str


def grant(*, member: Member, site: str, nonce: str, at: datetime) -> str:
    """Let a browser nod on a site without being asked; returns the one-time code for its button.

    The code works once, within two minutes, with the nonce of the button that opened the window.
    The passes longest unused beyond 200 are dropped.
    """
    code = secrets.token_urlsafe(32)
    with transaction.atomic():
        _drop_old(member, at)
        SitePass.objects.create(
            member=member,
            site=site,
            code_hash=hashed(code),
            nonce_hash=hashed(nonce),
            code_until=at + CODE_FOR,
            made_at=at,
            used_at=at,
            expires_at=at + CODE_FOR,
        )
    return code


def _drop_old(member: Member, at: datetime) -> None:
    rows = SitePass.objects.filter(member=member)
    rows.filter(expires_at__lte=at).delete()
    spare = rows.order_by("-used_at", "-id").values_list("id", flat=True)[AT_MOST - 1 :]
    SitePass.objects.filter(id__in=list(spare)).delete()


def exchange(*, code: str, nonce: str, at: datetime) -> Exchanged:
    """Exchange a code for the pass itself, once; raises BadCode.

    A code that comes a second time was stolen or copied, so the pass it made is gone.
    """
    token = PREFIX + secrets.token_urlsafe(32)
    # The index holds codes only, and SQLite takes it where the statement says so, too.
    known = SitePass.objects.filter(code_hash=hashed(code)).exclude(code_hash="")
    fresh = known.filter(token_hash="", nonce_hash=hashed(nonce), code_until__gt=at)
    # Codes that nobody was given begin no transaction.
    if known.exists():
        with transaction.atomic():
            # Of two at once one moves the row.
            if fresh.update(token_hash=hashed(token), used_at=at, expires_at=at + KEPT_FOR):
                return Exchanged(token, known.get().site)
            known.exclude(token_hash="").delete()
    raise BadCode(_("This code was used or is too old. Nod once more in the window."))


def trust_link(*, member: Member, site: str, at: datetime) -> None:
    """Let the nod page record at once when the member comes to it from this site."""
    with transaction.atomic():
        _drop_old(member, at)
        SitePass.objects.update_or_create(
            member=member,
            site=site,
            kind=SitePass.Kind.LINK,
            defaults={"used_at": at, "expires_at": at + KEPT_FOR},
            create_defaults={"made_at": at, "used_at": at, "expires_at": at + KEPT_FOR},
        )


def link_trusted(*, member: Member, site: str, at: datetime) -> bool:
    """Whether the member wants links of this site to record at once."""
    rows = SitePass.objects.filter(member=member, site=site, kind=SitePass.Kind.LINK)
    return rows.filter(expires_at__gt=at).exists()


def use_link(*, member: Member, site: str, at: datetime) -> bool:
    """Count a nod that a trusted link records; False beyond the day's limit or without the trust.

    The trust ends ninety days after its last use.
    """
    today = at.toordinal()
    rows = SitePass.objects.filter(
        member=member, site=site, kind=SitePass.Kind.LINK, expires_at__gt=at
    )
    # Of two at once beyond the limit one finds no row.
    with transaction.atomic():
        moved = rows.exclude(day=today, used__gte=settings.PASS_NODS_A_DAY).update(
            used=Case(When(day=today, then=F("used") + 1), default=1),
            day=today,
            used_at=at,
            expires_at=at + KEPT_FOR,
        )
    return bool(moved)


def listed(*, member: Member, at: datetime) -> QuerySet[SitePass]:
    """The passes a member has, used last first; codes nobody exchanged are none."""
    rows = SitePass.objects.filter(member=member, expires_at__gt=at)
    return rows.exclude(kind=SitePass.Kind.BUTTON, token_hash="").order_by("-used_at", "-id")


def revoke(*, member: Member, pass_id: int) -> bool:
    """Take a pass back at once, in every browser that holds it; False when it was gone."""
    deleted, _by_table = SitePass.objects.filter(member=member, id=pass_id).delete()
    return bool(deleted)


def revoke_all(*, member: Member) -> int:
    """Take all passes of a member back; how many there were."""
    deleted, _by_table = SitePass.objects.filter(member=member).delete()
    return deleted
