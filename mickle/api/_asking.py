"""What is asked of the API: by which program, with which token and which JSON."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from threading import Lock
from time import monotonic
from typing import Any, Final
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from mickle.api._answers import Problem
from mickle.lib import urls
from mickle.lib.buckets import Buckets
from mickle.members.models import Member
from mickle.programs import programs, secret
from mickle.programs.models import Program

BODY_BYTES: Final = 16_384
_BEARER: Final = re.compile(r"bearer +(\S+)", re.IGNORECASE)
_NAMES_OF_TOKENS: Final = frozenset({"access_token", "token", "api_key"})
# Up to this many requests come at once, a tenth of those of an hour.
_BURST: Final = 10
_KEY_CHARACTERS: Final = 255


@dataclass(frozen=True)
class Asked:
    """A request of a program that may act for a member."""

    request: HttpRequest
    program: Program
    at: datetime

    @property
    def member(self) -> Member:
        """For whom it acts."""
        return self.program.member

    @property
    def base(self) -> str:
        """The address of this instance, as the settings have it or else as it was asked for."""
        return settings.BASE_URL or f"{self.request.scheme}://{self.request.get_host()}"

    def query(self, name: str) -> str:
        """A parameter of the address, or an empty text."""
        return str(self.request.GET.get(name, ""))


class Limit:
    """How much the programs of one member may ask, each process by itself."""

    def __init__(self, an_hour: int) -> None:
        burst = max(an_hour // _BURST, 1)
        self._buckets = Buckets(a_second=an_hour / 3600, burst=burst)
        self._lock = Lock()

    def take(self, member_id: int) -> None:
        """Count a request; raises Problem beyond the limit."""
        now = monotonic()
        with self._lock:
            if self._buckets.take(member_id, now):
                return
            wait_s = int(self._buckets.wait_s(member_id, now)) + 1
        raise Problem(
            429,
            "rate_limit_exceeded",
            _("These are many requests in a short time. Nothing was done; try again later."),
            Retry_After=str(wait_s),
        )


@lru_cache(maxsize=4)
def limit(an_hour: int) -> Limit:
    """The limit of this process."""
    return Limit(an_hour)


def no_token_in_the_address(request: HttpRequest) -> None:
    """Refuse a token where servers, proxies and browsers keep it; raises Problem."""
    address = unquote(f"{request.path_info}?{request.META.get('QUERY_STRING', '')}")
    if secret.holds_token(address) or not _NAMES_OF_TOKENS.isdisjoint(request.GET):
        raise Problem(
            400,
            "invalid_request",
            _(
                "A token belongs in the header Authorization; an address is kept in logs. "
                "Take this token back and make another."
            ),
        )


def by_token(request: HttpRequest, at: datetime) -> Asked:
    """Who asks, by the token alone.

    Raises Problem without one or too often, programs.Unknown or programs.Suspended.
    """
    given = _BEARER.fullmatch(request.headers.get("Authorization", "").strip())
    if given is None:
        raise Problem(
            401,
            "unauthorized",
            _("This needs a token, in the header “Authorization: Bearer mickle_…”."),
        )
    program = programs.find(token=given[1], at=at)
    limit(settings.API_REQUESTS_AN_HOUR).take(program.member_id)
    return Asked(request, program, at)


def content(request: HttpRequest) -> dict[str, Any]:
    """The JSON object that was sent; raises Problem."""
    if request.content_type != "application/json":
        raise Problem(
            415, "invalid_request", _("Send JSON, with “Content-Type: application/json”.")
        )
    if _announced(request) > BODY_BYTES:
        raise unread(413)
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Problem(400, "invalid_request", _("The body is no JSON object."))
    return found


def unread(status: int) -> Problem:
    """Why a request is refused before anybody reads it, by status."""
    if status == 413:  # noqa: PLR2004
        sentence = _("This is more than %(most)s bytes. Nothing was done.")
        return Problem(status, "invalid_request", sentence % {"most": BODY_BYTES})
    if status == 408:  # noqa: PLR2004
        sentence = _("The request took too long to arrive. Nothing was done.")
        return Problem(status, "invalid_request", sentence)
    return Problem(status, "not_found", _("Only buttons, counts and scripts are at this address."))


def _announced(request: HttpRequest) -> int:
    """Bytes of the body; Django reads no more than what is announced."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isdecimal() else 0


def text(found: dict[str, Any], name: str, *, needed: bool = False) -> str:
    """A text of the JSON; raises Problem for anything else, or for none where it is needed."""
    value = found.get(name)
    value = "" if value is None else value
    if not isinstance(value, str) or (needed and not value.strip()):
        sentence = _("“%(name)s” has to be a text.") % {"name": name}
        raise Problem(400, "invalid_parameters", sentence)
    return value


def key(request: HttpRequest) -> str:
    """What a program calls this nod, to ask for it again; raises Problem."""
    given = request.headers.get("Idempotency-Key", "")
    if len(given) > _KEY_CHARACTERS:
        sentence = _("An Idempotency-Key has up to %(most)s letters.") % {"most": _KEY_CHARACTERS}
        raise Problem(400, "invalid_parameters", sentence)
    return given


def key_of(given: str, program: Program, address: str) -> str:
    """The key that is kept: of one nod, whatever else is called so by this program or another.

    It stays the same when the thing of the address is merged into another one.
    """
    named = f"api {program.pk} {urls.identify(address).identity} {given}"
    return hashlib.sha256(named.encode()).hexdigest() if given else ""
