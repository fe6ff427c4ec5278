"""Headers of every page, and the refusal of unsafe requests that another site sent."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _

from mickle.web import errors

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_FIXED: Final = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# The window of a button tells it what became of the nod; every other page forgets who opened it.
_KEEPS_OPENER: Final = "/nod/window"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS: Final = frozenset({"same-origin", "none"})
_ONE_YEAR_S: Final = 31_536_000

Handler = Callable[[HttpRequest], HttpResponse]


class SecurityHeaders:
    """Writes the fixed headers, and answers 403 to an unsafe request of another site.

    Browsers send Sec-Fetch-Site; where it is missing, Django's check of Origin and token remains.
    Pages made for one person are never kept by a cache; static files set their own Cache-Control.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer with its headers."""
        if request.method not in _SAFE and not came_from_here(request):
            response = _refused(request)
        else:
            response = _worded(request, self.get_response(request))
        for name, value in _FIXED.items():
            response.headers.setdefault(name, value)
        response.headers["Cross-Origin-Opener-Policy"] = _opener_policy(request.path_info)
        response.headers.setdefault("Cache-Control", "private, no-store")
        if request.is_secure():
            response.headers.setdefault("Strict-Transport-Security", f"max-age={_ONE_YEAR_S}")
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """400 for a NUL that reached the database: PostgreSQL has it in no text."""
        if isinstance(exception, (DataError, ValueError)) and _has_nul(request):
            return errors.bad_request(request)
        return None


def _refused(request: HttpRequest) -> HttpResponse:
    # Nobody has looked yet which language this browser reads; the thread may have another's.
    with translation.override(translation.get_language_from_request(request)):
        return errors.forbidden(request, _("This request came from another site."))


def _worded(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The answer itself, or a page in the place of Django's empty 405."""
    if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or response.content:
        return response
    page = errors.wrong_method(request)
    page.headers["Allow"] = response.headers["Allow"]
    return page


def _has_nul(request: HttpRequest) -> bool:
    given = [one for asked in (request.GET, request.POST) for _name, one in asked.lists()]
    return "\0" in request.path_info or any("\0" in str(value) for one in given for value in one)


def _opener_policy(path: str) -> str:
    keeps = path == _KEEPS_OPENER or path.startswith(_KEEPS_OPENER + "/")
    return "unsafe-none" if keeps else "same-origin"


def came_from_here(request: HttpRequest) -> bool:
    """Whether the browser says that one of our own pages, or the person, made this request."""
    return request.headers.get("Sec-Fetch-Site", "none") in _OURS
