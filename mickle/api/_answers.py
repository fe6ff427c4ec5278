"""Answers of the API: JSON, and for a refusal one code and one sentence."""

import json
from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpResponse

from mickle.lib.errors import Refused
from mickle.lib.months import BadMonth
from mickle.lib.urls import BadUrl
from mickle.nods import nods
from mickle.programs import programs

# Any page may ask, because the address of a page decides nothing here: what is asked for without a
# token is public, a token is in the hands of whoever sends it, and no cookie is read. Without
# `Access-Control-Allow-Credentials` a browser sends none along either.
CROSS_ORIGIN: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After, WWW-Authenticate",
}
PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
    "Access-Control-Max-Age": "86400",
}
_FIXED: Final = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
}
# The status and the code of each refusal that the rooms below may say.
_REFUSALS: Final[Mapping[type, tuple[int, str]]] = {
    BadUrl: (400, "invalid_parameters"),
    BadMonth: (400, "invalid_parameters"),
    programs.Unknown: (401, "unauthorized"),
    programs.Suspended: (403, "forbidden"),
    nods.OwnThing: (403, "thing_owner"),
    nods.NotNoddable: (403, "forbidden"),
    nods.Leaving: (403, "forbidden"),
    nods.MonthClosed: (403, "forbidden"),
    nods.NoNod: (404, "not_found"),
}


class Problem(Exception):
    """The API itself refuses; `headers` go with the answer."""

    def __init__(self, status: int, code: str, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        self.status, self.code, self.headers = status, code, headers


def said(content: Any, status: int = 200) -> HttpResponse:
    """An answer in JSON."""
    body = json.dumps(content, ensure_ascii=False)
    return HttpResponse(body, status=status, content_type="application/json; charset=utf-8")


def nothing() -> HttpResponse:
    """An answer without a body."""
    return HttpResponse(status=204, headers={"Content-Type": "application/json"})


def refusal(why: Refused | Problem) -> HttpResponse:
    """The answer to what was refused."""
    if isinstance(why, Problem):
        answer = _refusal(why.status, why.code, str(why))
        for name, value in why.headers.items():
            answer.headers[name.replace("_", "-")] = value
        return answer
    kinds = (kind for kind in type(why).__mro__ if kind in _REFUSALS)
    status, code = _REFUSALS[next(kinds, BadUrl)]
    return _refusal(status, code, str(why))


def _refusal(status: int, code: str, sentence: str) -> HttpResponse:
    answer = said({"error": code, "error_description": sentence}, status)
    if status == 401:  # noqa: PLR2004 - RFC 9110 asks for the header with this status
        answer.headers["WWW-Authenticate"] = 'Bearer realm="mickle"'
    return answer


def complete(answer: HttpResponse) -> HttpResponse:
    """The answer with the headers that all of them have."""
    for name, value in (_FIXED | CROSS_ORIGIN).items():
        answer.headers[name] = value
    if answer.content:
        answer.headers["Content-Length"] = str(len(answer.content))
    return answer
