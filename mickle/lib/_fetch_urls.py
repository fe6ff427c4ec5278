"""An address that may be asked for: read as browsers read it, and without anything hidden in it."""

import re
from ipaddress import ip_address
from typing import NamedTuple

from ada_url import URL

from mickle.lib._fetch_said import failure

LIMIT_CHARACTERS = 2_000
_LOCAL = """
localhost local localdomain internal intranet lan home corp private arpa onion test invalid alt
"""
_LOCAL_NAMES = frozenset(_LOCAL.split())
_NAME_CHARACTERS = 253
_LABEL_CHARACTERS = 63
_HIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]")


class Target(NamedTuple):
    """Where a request goes: `host` without brackets, `url` without its fragment."""

    url: str
    scheme: str
    host: str
    port: int
    path: str
    literal: bool

    @property
    def authority(self) -> str:
        """What stands in the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme]
        return host if self.port == usual else f"{host}:{self.port}"


def target(url: str, base: str | None = None) -> Target:
    """The address, resolved against the page that named it; raises Forbidden."""
    raw = url.strip(" ")
    if len(raw) > LIMIT_CHARACTERS or _HIDDEN.search(raw):
        raise failure("url", url=_shown(raw))
    try:
        read = URL(raw, base) if base else URL(raw)
    except ValueError:
        raise failure("url", url=_shown(raw)) from None
    if read.protocol not in ("http:", "https:") or len(read.href) > LIMIT_CHARACTERS:
        raise failure("url", url=_shown(raw))
    host = read.hostname.strip("[]")
    if read.username or read.password or "@" in _authority(raw):
        raise failure("userinfo", host=host)
    literal = _is_literal(host)
    if not literal:
        _check_name(host)
    port = int(read.port or (443 if read.protocol == "https:" else 80))
    href = read.href.partition("#")[0]
    return Target(href, read.protocol[:-1], host, port, read.pathname + read.search, literal)


def _authority(raw: str) -> str:
    """What stands between the slashes, before anybody tidied it (`https://@host/`)."""
    found = re.match(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?[/\\]{2,}([^/\\?#]*)", raw)
    return found[1] if found else ""


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _check_name(host: str) -> None:
    """Names without a dot, and those kept for local use, are nobody's on the public net."""
    labels = host.removesuffix(".").split(".")
    fit = (
        all(0 < len(label) <= _LABEL_CHARACTERS for label in labels)
        and len(host) <= _NAME_CHARACTERS
    )
    if len(labels) == 1 or labels[-1] in _LOCAL_NAMES or not fit:
        raise failure("name", host=_shown(host))


def _shown(text: str) -> str:
    """A text of a stranger's for a sentence: short, no password, nothing that rules a terminal."""
    text = re.sub(r"[/\\]{2}[^/\\]{0,2000}@", "//", text)
    return "".join(c if c.isprintable() else "?" for c in text[:200])
