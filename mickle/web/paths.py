"""Where a page goes next: only ever to another page of this instance."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme


def next_or(request: HttpRequest, default: str, *args: object) -> str:
    """The form's `next` if it is a path of this instance, else the named page."""
    wanted = request.POST.get("next", "")
    ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if ours else resolve_url(default, *args)


def see_other(to: str, *args: object) -> HttpResponse:
    """303: the browser fetches the answer by GET, and a reload repeats nothing."""
    response = HttpResponseRedirect(resolve_url(to, *args))
    response.status_code = 303
    return response
