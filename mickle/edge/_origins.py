"""Who is asking, and under which names this instance is known to browsers. Pure."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.http.request import split_domain_port, validate_host

Headers = Sequence[tuple[bytes, bytes]]
_IPV6_PREFIX = 64


def header(headers: Headers, name: bytes) -> str:
    """The first value of a header, or an empty text."""
    return next((value.decode("latin-1") for key, value in headers if key == name), "")


def _all(headers: Headers, name: bytes) -> str:
    """All values of a header, as if sent in one line."""
    return ",".join(value.decode("latin-1") for key, value in headers if key == name)


class Origins:
    """The origins of pages and buttons; each is the asker's own where no setting names one."""

    def __init__(self, *, pages: str, button: str, hosts: Sequence[str]) -> None:
        self._pages, self._button, self._hosts = pages, button, list(hosts)
        self._known = lru_cache(maxsize=256)(self._named)

    def pages(self, scope: Mapping[str, Any]) -> str:
        """Where the pages are."""
        return self._pages or self._asked(scope)

    def button(self, scope: Mapping[str, Any]) -> str:
        """Where buttons are served, and the only origin that may post a nod; empty: nowhere."""
        return self._button or self.pages(scope)

    def button_at(self, scheme: str, host: bytes) -> str:
        """The same, for who has the scheme and the Host header in hand."""
        return self._button or self._pages or self._known(scheme, host.decode("latin-1"))

    def _asked(self, scope: Mapping[str, Any]) -> str:
        return self._known(scope["scheme"], header(scope["headers"], b"host"))

    def _named(self, scheme: str, host: str) -> str:
        name, _port = split_domain_port(host)
        return f"{scheme}://{host}" if name and validate_host(name, self._hosts) else ""


class Askers:
    """The address an asker is known by: of IPv6 a whole /64, behind proxies what they forward."""

    def __init__(self, proxies: Iterable[str]) -> None:
        self._everybody = "*" in (trusted := list(proxies))
        self._proxies = [ipaddress.ip_network(one, strict=False) for one in trusted if one != "*"]
        self._folded = lru_cache(maxsize=8192)(self._fold)

    def of(self, client: Sequence[Any] | None, headers: Headers) -> str:
        """The asker of a request; a socket of this machine counts as one asker."""
        address = str(client[0]) if client else ""
        if (self._proxies or self._everybody) and self._trusted(address):
            for hop in reversed(_all(headers, b"x-forwarded-for").split(",")):
                if hop.strip():
                    address = hop.strip()
                    if self._everybody or not self._trusted(address):
                        break
        return self._folded(address)

    def scheme(self, client: Sequence[Any] | None, headers: Headers, own: str) -> str:
        """How the asker's browser came: as a proxy of ours says, else as the socket does."""
        if self._proxies or self._everybody:
            told = header(headers, b"x-forwarded-proto").strip()
            if told in ("http", "https") and self._trusted(str(client[0]) if client else ""):
                return told
        return own

    def _trusted(self, address: str) -> bool:
        if self._everybody or not address:
            return True
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._proxies)

    def _fold(self, address: str) -> str:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            # What is no address is one asker, so that invented names are no way round.
            return ""
        if isinstance(found, ipaddress.IPv4Address):
            return str(found)
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, _IPV6_PREFIX), strict=False))
