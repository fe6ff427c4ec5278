"""Sites a member nods on without being asked: seen and taken back in one place."""

import re
from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from mickle.instance import instance
from mickle.lib.urls import display_host
from mickle.passes import passes
from mickle.passes.models import SitePass
from mickle.web import access, paths
from mickle.web.access import MemberRequest

# As many digits as fit into every key.
_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class SiteRow:
    """One pass as the page shows it."""

    row: SitePass
    host: str
    link: bool
    today: int


@access.member_only
@access.form_page
def sites(request: MemberRequest) -> HttpResponse:
    """List the passes and take one or all of them back."""
    if request.method == "POST":
        return _revoke(request)
    at = instance.now()
    today = at.toordinal()
    listed = [
        SiteRow(
            row=row,
            host=display_host(row.site),
            link=row.kind == SitePass.Kind.LINK,
            today=row.used if row.day == today else 0,
        )
        for row in passes.listed(member=request.user, at=at)
    ]
    context = {"listed": listed, "limit": settings.PASS_NODS_A_DAY}
    return render(request, "giving/sites.html", context)


def _revoke(request: MemberRequest) -> HttpResponse:
    if request.POST.get("deed") == "revoke-all":
        passes.revoke_all(member=request.user)
        messages.info(request, _("From now on every nod asks first."))
        return paths.see_other("sites")
    number = request.POST.get("pass", "")
    if _NUMBER.fullmatch(number) and passes.revoke(member=request.user, pass_id=int(number)):
        messages.info(request, _("Taken back. The next nod there asks first."))
    else:
        messages.info(request, _("This was gone already. Nothing was changed."))
    return paths.see_other("sites")
