"""Nods on their way: the single-use nonce of a confirmation, and the nod kept until sign-in."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final

from django.core import signing
from django.http import HttpRequest

KEPT_FOR: Final = timedelta(minutes=30)
_NONCE_SALT: Final = "mickle.web.nod"
_PARKED_SALT: Final = "mickle.web.parked"
_PARKED: Final = "parked_nod"
_USED: Final = "used_nonces"
_USED_KEPT: Final = 50


class Nonce(Enum):
    """What a confirmation's nonce is worth."""

    FRESH = "fresh"
    USED = "used"
    FOREIGN = "foreign"


@dataclass(frozen=True)
class Intent:
    """What a confirmation stands for: what its page offered, and the title its thing may have."""

    worth: Nonce
    offer: str = ""
    title: str = ""


@dataclass(frozen=True)
class Parked:
    """A nod that is kept until its owner signs in."""

    url: str
    title: str


def new_nonce(
    request: HttpRequest, identity: str, *, opener: str = "", offer: str = "", title: str = ""
) -> str:
    """A nonce for this session, thing and opening button; issuing one writes nothing.

    What the page was allowed to offer is signed into it, so that no form claims more.
    """
    content = {
        "s": _session_mark(request),
        "t": _mark(identity),
        "o": _mark(opener),
        "n": secrets.token_hex(8),
        "offer": offer,
        "title": title,
    }
    return signing.dumps(content, salt=_NONCE_SALT)


def read_nonce(request: HttpRequest, nonce: str, identity: str, *, opener: str = "") -> Intent:
    """What a nonce is worth; FOREIGN when too old or of another session, thing or button."""
    content = _content(nonce)
    told = (_session_mark(request), _mark(identity), _mark(opener))
    if (content.get("s"), content.get("t"), content.get("o")) != told:
        return Intent(Nonce.FOREIGN)
    used = content["n"] in request.session.get(_USED, [])
    return Intent(Nonce.USED if used else Nonce.FRESH, content["offer"], content["title"])


def use_nonce(request: HttpRequest, nonce: str, identity: str, *, opener: str = "") -> Intent:
    """The same, and it is FRESH exactly once."""
    found = read_nonce(request, nonce, identity, opener=opener)
    if found.worth is Nonce.FRESH:
        used = [*request.session.get(_USED, []), _content(nonce)["n"]]
        request.session[_USED] = used[-_USED_KEPT:]
    return found


def _content(nonce: str) -> dict[str, str]:
    try:
        return dict(signing.loads(nonce, salt=_NONCE_SALT, max_age=KEPT_FOR))
    except signing.BadSignature:
        return {}


def key_of(nonce: str) -> str:
    """The idempotency key of the nod that this nonce confirms."""
    return _mark(nonce)


def park(request: HttpRequest, url: str, title: str = "") -> None:
    """Keep a nod of somebody who is not signed in; called by a POST only."""
    request.session[_PARKED] = signing.dumps({"url": url, "title": title}, salt=_PARKED_SALT)


def parked(request: HttpRequest) -> Parked | None:
    """The nod that is kept, if there is one and it is not too old."""
    try:
        content = signing.loads(
            request.session.get(_PARKED, ""), salt=_PARKED_SALT, max_age=KEPT_FOR
        )
    except signing.BadSignature:
        return None
    return Parked(content["url"], content.get("title", ""))


def unpark(request: HttpRequest) -> Parked | None:
    """The same, and no longer kept."""
    found = parked(request)
    request.session.pop(_PARKED, None)
    return found


def _session_mark(request: HttpRequest) -> str:
    return _mark(request.session.session_key or "")


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
