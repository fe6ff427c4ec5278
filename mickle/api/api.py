"""The door of the room: everything under /api, answered before any cookie is looked at."""

import logging
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Final

from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _

from mickle.api import _asking, _calls
from mickle.api._answers import PREFLIGHT, Problem, complete, nothing, refusal
from mickle.api._asking import Asked
from mickle.instance import instance
from mickle.lib.errors import Refused

PLACE: Final = "/api"
DESCRIPTION: Final = "/api/v1/openapi.json"
# A number that fits into every key.
_NUMBER: Final = "([0-9]{1,18})"
_AGAIN_S: Final = "5"

Call = Callable[..., HttpResponse]
Handler = Callable[[HttpRequest], HttpResponse]

# What can be asked with a token, by address and method.
ROUTES: Final[dict[str, dict[str, Call]]] = {
    "/api/v1/me": {"GET": _calls.me},
    "/api/v1/nods": {"POST": _calls.give},
    "/api/v1/nods/{thing}": {"DELETE": _calls.take_back},
    "/api/v1/things": {"GET": _calls.look},
}
_PATTERNS: Final = [
    (re.compile(path.replace("{thing}", _NUMBER)), calls) for path, calls in ROUTES.items()
]

log = logging.getLogger(__name__)


def answers(path: str) -> bool:
    """Whether an address is one of the API's, known to it or not."""
    return path == PLACE or path.startswith(f"{PLACE}/")


def refused(status: int, languages: str) -> HttpResponse:
    """The answer to what the server refuses unread; `languages` as Accept-Language says them."""
    request = HttpRequest()
    request.META["HTTP_ACCEPT_LANGUAGE"] = languages
    with translation.override(translation.get_language_from_request(request)):
        return complete(refusal(_asking.unread(status)))


class Calls:
    """The part of the API in the chain: it stands before sessions, so no cookie ever counts."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer what is asked of the API, and hand all else on."""
        if not answers(request.path_info):
            return self.get_response(request)
        # So that none counts, not even the one that says a language.
        request.COOKIES = {}
        with translation.override(translation.get_language_from_request(request)):
            return complete(_guarded(request))


def _guarded(request: HttpRequest) -> HttpResponse:
    """The answer, in JSON whatever happens."""
    try:
        # Raises for a host that is none of ours, as no middleware after this one can.
        request.get_host()
        return _answered(request)
    except (Refused, Problem) as why:
        return refusal(why)
    except SuspiciousOperation:
        return refusal(Problem(400, "invalid_request", _("The request cannot be understood.")))
    except OperationalError:
        log.exception("the database did not do what the API asked for")
        sentence = _(
            "Too much is going on. Try again in a moment; what was done already is not done twice."
        )
        return refusal(Problem(503, "server_error", sentence, Retry_After=_AGAIN_S))
    except Exception:
        log.exception("a call of the API failed")
        sentence = _("This is our fault. Try again later; what was done already is not done twice.")
        return refusal(Problem(500, "server_error", sentence))


def _answered(request: HttpRequest) -> HttpResponse:
    method = "GET" if request.method == "HEAD" else str(request.method)
    if method == "OPTIONS":
        answer = nothing()
        for name, value in PREFLIGHT.items():
            answer.headers[name] = value
        return answer
    _asking.no_token_in_the_address(request)
    if request.path_info == DESCRIPTION:
        _allowed(method, ["GET"])
        text = files("mickle.api").joinpath("openapi.json").read_bytes()
        return HttpResponse(text, content_type="application/json; charset=utf-8")
    calls, words = _route(request.path_info)
    _allowed(method, list(calls))
    asked: Asked = _asking.by_token(request, instance.now())
    return calls[method](asked, *words)


def _route(path: str) -> tuple[dict[str, Call], tuple[str, ...]]:
    for pattern, calls in _PATTERNS:
        if found := pattern.fullmatch(path):
            return calls, found.groups()
    raise Problem(404, "not_found", _("There is nothing at this address of the API."))


def _allowed(method: str, methods: list[str]) -> None:
    if method not in methods:
        named = ", ".join(methods)
        sentence = _("This address is asked by %(methods)s.") % {"methods": named}
        raise Problem(405, "method_not_allowed", sentence, Allow=named)
