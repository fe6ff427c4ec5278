"""Signing in at a site to show that an account there is one's own: away, back, and done."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from mickle.claims import accounts
from mickle.claims.accounts import Return, Site
from mickle.instance import instance, street
from mickle.lib.errors import Refused
from mickle.web import access, paths
from mickle.web.access import MemberRequest

_HOST_CHARACTERS = 300


@access.member_only
@access.write_only
def start(request: MemberRequest) -> HttpResponse:
    """On to a site, by a link: browsers keep a form from leading there."""
    kind, host = request.POST.get("site", ""), request.POST.get("host", "")
    try:
        site = accounts.site(kind=kind, host=host[:_HOST_CHARACTERS])
        away = accounts.start(
            member=request.user,
            session=_browser(request),
            site=site,
            back=_back(site),
            line=street.fetcher(),
            at=instance.now(),
        )
    except Refused as refused:
        messages.error(request, str(refused))
        return paths.see_other("prove")
    return render(request, "making/away.html", {"site": site, "away": away})


@access.member_only
@access.form_page
def back(request: MemberRequest, site: str, host: str) -> HttpResponse:
    """Back from a site: one more press, because opening a page changes nothing."""
    if request.method != "POST":
        return render(request, "making/back.html", _came(request, site, host))
    try:
        there = accounts.site(kind=site, host=host)
        proof = accounts.finish(
            member=request.user,
            session=_browser(request),
            site=there,
            back=_back(there),
            returned=_returned(request),
            line=street.fetcher(),
            at=instance.now(),
        )
    except Refused as refused:
        messages.error(request, str(refused))
        return paths.see_other("prove")
    return paths.see_other("proof-way", proof.id)


def _came(request: MemberRequest, kind: str, host: str) -> dict[str, object]:
    """What came back, without asking anybody."""
    try:
        site = accounts.site(kind=kind, host=host)
    except Refused as refused:
        return {"said": str(refused)}
    returned = _returned(request)
    return {"site": site, "came": returned.state and returned.code and not returned.error}


def _back(site: Site) -> str:
    """The one address a site sends members back to."""
    return settings.BASE_URL + reverse("account-back", args=[site.kind, site.host])


def _browser(request: MemberRequest) -> str:
    return request.session.session_key or ""


def _returned(request: MemberRequest) -> Return:
    word = request.GET
    return Return(
        state=word.get("state", ""),
        code=word.get("code", ""),
        error=word.get("error", ""),
        issuer=word.get("iss", ""),
    )
