"""Nods on their way: the single-use nonce of a confirmation, and the nod kept until sign-in."""

import hashlib
import secrets
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


def new_nonce(request: HttpRequest, identity: str) -> str:
    """A nonce for this session and thing; issuing one writes nothing."""
    content = {"s": _session_mark(request), "t": _mark(identity), "n": secrets.token_hex(8)}
    return signing.dumps(content, salt=_NONCE_SALT)


def use_nonce(request: HttpRequest, nonce: str, identity: str) -> Nonce:
    """Use a nonce; FRESH exactly once, FOREIGN when too old or of another session or thing."""
    try:
        content = signing.loads(nonce, salt=_NONCE_SALT, max_age=KEPT_FOR)
    except signing.BadSignature:
        return Nonce.FOREIGN
    if (content["s"], content["t"]) != (_session_mark(request), _mark(identity)):
        return Nonce.FOREIGN
    used = request.session.get(_USED, [])
    if content["n"] in used:
        return Nonce.USED
    request.session[_USED] = [*used, content["n"]][-_USED_KEPT:]
    return Nonce.FRESH


def key_of(nonce: str) -> str:
    """The idempotency key of the nod that this nonce confirms."""
    return _mark(nonce)


def park(request: HttpRequest, url: str) -> None:
    """Keep a nod of somebody who is not signed in; called by a POST only."""
    request.session[_PARKED] = signing.dumps({"url": url}, salt=_PARKED_SALT)


def parked(request: HttpRequest) -> str | None:
    """The address of the nod that is kept, if there is one and it is not too old."""
    try:
        content = signing.loads(
            request.session.get(_PARKED, ""), salt=_PARKED_SALT, max_age=KEPT_FOR
        )
    except signing.BadSignature:
        return None
    return str(content["url"])


def unpark(request: HttpRequest) -> str | None:
    """The same, and no longer kept."""
    url = parked(request)
    request.session.pop(_PARKED, None)
    return url


def _session_mark(request: HttpRequest) -> str:
    return _mark(request.session.session_key or "")


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
