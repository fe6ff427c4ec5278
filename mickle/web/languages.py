"""The language of a browser: a cookie, and for members what they chose on another device."""

from django.conf import settings
from django.http import HttpResponse

_ONE_YEAR_S = 365 * 24 * 3600


def keep(response: HttpResponse, language: str) -> None:
    """Let this browser see pages in a language for a year."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=_ONE_YEAR_S,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
