"""Who may open a page: members, or operators. Everybody else is told nothing about it."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mickle.members.models import Member
from mickle.web import paths

View = Callable[..., HttpResponse]

_FORM_KEY = re.compile(r"[0-9a-z]{1,32}")

__all__ = [
    "MemberRequest",
    "form_key",
    "form_page",
    "member_only",
    "operator_only",
    "read_page",
    "write_only",
]

read_page = require_safe
write_only = require_POST
form_page = require_http_methods(["GET", "HEAD", "POST"])


class MemberRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: Member


def member_only(view: View) -> View:
    """Others sign in first, and go on to the page they wanted or pressed a button of."""
    reading = login_required(view)

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST" and not request.user.is_authenticated:
            # Where a form is sent to there may be no page to go on to.
            return redirect_to_login(paths.before(request) or reverse("dashboard"))
        return reading(request, *args, **kwargs)

    return guarded


def form_key(request: HttpRequest) -> str:
    """What a page named its form, so that sent twice it counts once; empty where none of ours is.

    No database keeps every letter that somebody may send in its place.
    """
    named = request.POST.get("key", "")
    return named if _FORM_KEY.fullmatch(named) else ""


def operator_only(view: View) -> View:
    """For others the page is not there: 404, also for members."""

    @wraps(view)
    def guarded(request: MemberRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_operator:
            raise Http404
        return view(request, *args, **kwargs)

    return member_only(guarded)
