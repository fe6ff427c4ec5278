"""Error pages in the look. The one for our own faults asks the database nothing: it may be why."""

import logging
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.utils.translation import gettext as _

from mickle.settlement.settlement import NoArchive

log = logging.getLogger(__name__)


def _page(request: HttpRequest | None, status: int, title: str, text: str) -> HttpResponse:
    context = {"status": int(status), "title": title, "text": text}
    # Who asks is known only once the middleware has run.
    asked = request if hasattr(request, "user") else None
    return HttpResponse(loader.render_to_string("error.html", context, asked), status=status)


def bad_request(
    request: HttpRequest,
    exception: Exception | None = None,  # noqa: ARG001 - Django passes it by name
) -> HttpResponse:
    """400: the request is not one a page of ours makes."""
    text = _("The address or the form could not be read. Nothing was changed.")
    return _page(request, HTTPStatus.BAD_REQUEST, _("This request makes no sense here"), text)


def forbidden(request: HttpRequest, exception: Exception | str | None = None) -> HttpResponse:
    """403: known, and not allowed."""
    why = exception if isinstance(exception, str) else _("This page is not for your account.")
    text = _("%(why)s Nothing was changed.") % {"why": why}
    return _page(request, HTTPStatus.FORBIDDEN, _("Not allowed"), text)


def form_refused(request: HttpRequest, **_facts: object) -> HttpResponse:
    """403: the form's token is missing, old or of another session."""
    text = _(
        "The form was open too long, or cookies are off. Nothing was changed. "
        "Go back, load the page again and send it once more."
    )
    return _page(request, HTTPStatus.FORBIDDEN, _("This form is no longer valid"), text)


def not_found(
    request: HttpRequest,
    exception: Exception | None = None,  # noqa: ARG001 - Django passes it by name
) -> HttpResponse:
    """404: nothing at this address, or nothing that this member may see."""
    text = _(
        "The page may have moved, or the link lost a letter on the way. Your money is not affected."
    )
    return _page(request, HTTPStatus.NOT_FOUND, _("Nothing at this address"), text)


def wrong_method(request: HttpRequest) -> HttpResponse:
    """405: a form is sent here, and there is no page to read."""
    text = _("A button sends to this address, and there is nothing here to read.")
    return _page(request, HTTPStatus.METHOD_NOT_ALLOWED, _("Not a page"), text)


def away(request: HttpRequest, why: str) -> HttpResponse:
    """503: it is kept elsewhere, and cannot be read there now."""
    return _page(request, HTTPStatus.SERVICE_UNAVAILABLE, _("Not to be read right now"), why)


def from_archives(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Say what cannot be read where an archive is away."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except NoArchive as why:
            # What is wrong there, and where, is for who runs this.
            log.error("%s: %s", request.path, why)  # noqa: TRY400
            text = _(
                "What you look for is in an archive, and that cannot be read now. Nothing is lost; "
                "whoever runs this has been told."
            )
            return away(request, text)

    return guarded


def broken(_request: HttpRequest) -> HttpResponse:
    """500: our fault; what was half done was undone by the database."""
    text = _(
        "This is our fault. What the page was doing was undone as a whole, "
        "so your money is not affected. Try again in a minute."
    )
    return _page(None, HTTPStatus.INTERNAL_SERVER_ERROR, _("Something broke here"), text)
