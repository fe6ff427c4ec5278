"""The secret that only who began a sign-in can say again (RFC 7636), and what is told of it."""

import hashlib
from base64 import urlsafe_b64encode

from django.utils.crypto import salted_hmac


def verifier(state: str) -> str:
    """The secret: nobody can tell it from the state, and it stands nowhere."""
    return salted_hmac("mickle.claims.accounts", state, algorithm="sha256").hexdigest()


def challenge(secret: str) -> str:
    """What the site is told as it begins."""
    digest = hashlib.sha256(secret.encode()).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
