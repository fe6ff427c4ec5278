"""Who may open a page: members, or operators. Everybody else is told nothing about it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mickle.members.models import Member

View = Callable[..., HttpResponse]

__all__ = ["MemberRequest", "form_page", "member_only", "operator_only", "read_page", "write_only"]

read_page = require_GET
write_only = require_POST
form_page = require_http_methods(["GET", "HEAD", "POST"])
member_only = login_required


class MemberRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: Member


def operator_only(view: View) -> View:
    """For others the page is not there: 404, also for members."""

    @wraps(view)
    def guarded(request: MemberRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_operator:
            raise Http404
        return view(request, *args, **kwargs)

    return login_required(guarded)
