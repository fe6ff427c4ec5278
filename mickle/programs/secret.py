"""What a token looks like, and what is kept of it. No Django: log lines are cleaned by it."""

import hashlib
import re
import secrets
from typing import Final

# What scanners for leaked secrets know it by; 43 letters are 256 bits.
PREFIX: Final = "mickle_"
_TOKEN: Final = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")
_SHOWN: Final = PREFIX + "***"


def new() -> str:
    """A token nobody has."""
    return PREFIX + secrets.token_urlsafe(32)


def is_token(text: str) -> bool:
    """Whether a text has the form of a token."""
    return _TOKEN.fullmatch(text) is not None


def holds_token(text: str) -> bool:
    """Whether something in a text has the form of a token."""
    return _TOKEN.search(text) is not None


def without(text: str) -> str:
    """The same text with each token in it struck out."""
    return _TOKEN.sub(_SHOWN, text)


def hashed(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
