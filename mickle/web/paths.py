"""Where a page goes next: only ever to another page of this instance."""

from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse
from django.urls.converters import IntConverter
from django.utils.http import url_has_allowed_host_and_scheme

from mickle.lib import months

_DIGITS = 18


def number(text: str) -> int:
    """An id as a form sends it; 0, which nothing has, for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0


def is_ours(wanted: str) -> bool:
    """Whether what somebody asks to be led to is a path of this instance.

    Browsers leave tabs and line breaks out of an address before they read it.
    """
    plain = wanted.startswith("/") and wanted.isprintable()
    return plain and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)


def next_or(request: HttpRequest, default: str, *args: object) -> str:
    """The form's `next` if it is a path of this instance, else the named page."""
    wanted = request.POST.get("next", "")
    return wanted if is_ours(wanted) else resolve_url(default, *args)


def before(request: HttpRequest) -> str:
    """The page of this instance that the browser came from, as a path; empty if it was none."""
    said = request.headers.get("Referer", "")
    # A browser says a whole address; anything else would be taken for the name of a page.
    whole = said.startswith(("http://", "https://"))
    if not whole or not url_has_allowed_host_and_scheme(said, {request.get_host()}):
        return ""
    parts = urlsplit(said)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return path if is_ours(path) else ""


def see_other(to: str, *args: object) -> HttpResponse:
    """303: the browser fetches the answer by GET, and a reload repeats nothing."""
    response = HttpResponseRedirect(resolve_url(to, *args))
    response.status_code = 303
    return response


def base(request: HttpRequest) -> str:
    """The address of this instance, as the settings have it or else as it was asked for."""
    return settings.BASE_URL or f"{request.scheme}://{request.get_host()}"


def nod_page(url: str) -> str:
    """The nod page for an address."""
    return f"{reverse('nod')}?{urlencode({'url': url})}"


class MonthConverter:
    """2026-11 in an address, the month as an integer in the view."""

    regex = r"[0-9]{4}-(?:0[1-9]|1[0-2])"

    def to_python(self, value: str) -> int:
        """The month; 0000-01 and the like are no address."""
        try:
            return months.parse(value)
        except months.BadMonth as bad:
            raise ValueError(value) from bad

    def to_url(self, value: int | str) -> str:
        """Also takes the text form."""
        return value if isinstance(value, str) else months.text(value)


class NumberConverter(IntConverter):
    """The number of a row; what fits into no key is no address."""

    regex = r"[0-9]{1,18}"
