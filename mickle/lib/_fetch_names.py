"""Where a host is and what its TXT records say, asked of resolvers, never of a file of hosts."""

import time

import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver

from mickle.lib._fetch_said import failure
from mickle.lib.resolvers import place

# Each as `resolvers.place` reads it.
Resolvers = tuple[str, ...]

_ANSWERS = 100
# A host without IPv6 often has a server of names that says nothing about it.
_SECOND_S = 2.0


class _Silent(Exception):
    """No resolver gave an answer, nor said that there is none."""


def addresses_of(host: str, *, resolvers: Resolvers, timeout_s: float) -> list[str]:
    """All addresses of a host, IPv4 first; raises Unreachable where there are none."""
    ends = time.monotonic() + timeout_s
    found: list[str] = []
    silent = False
    for kind, most_s in (("A", timeout_s), ("AAAA", _SECOND_S)):
        try:
            found += _asked(host, kind, resolvers, min(most_s, ends - time.monotonic()))
        except _Silent:
            silent = True
    if not found:
        raise failure("dns" if silent else "no_name", host=host)
    return found[:_ANSWERS]


def txt(name: str, *, resolvers: Resolvers = (), timeout_s: float = 5.0) -> list[str]:
    """The TXT records of a name that two resolvers agree on, or the one there is; may be empty.

    Raises Unreachable where one of them gives no answer.
    """
    known = resolvers or _of_system(name)
    said: list[list[str]] = []
    ends = time.monotonic() + timeout_s
    for turn, one in enumerate(known[:2]):
        left = (ends - time.monotonic()) / (len(known[:2]) - turn)
        try:
            said.append(_asked(name, "TXT", (one,), left))
        except _Silent:
            raise failure("dns", host=name) from None
    return [text for text in said[0] if all(text in other for other in said[1:])]


def checked(resolvers: Resolvers) -> Resolvers:
    """The resolvers as they are; raises ValueError for what names none."""
    for one in resolvers:
        place(one)
    return resolvers


def _of_system(name: str) -> Resolvers:
    servers = _resolver((), name).nameservers
    return tuple(one if isinstance(one, str) else one.answer_nameserver() for one in servers)


def _asked(name: str, kind: str, resolvers: Resolvers, timeout_s: float) -> list[str]:
    """The answers, empty where there are none; raises _Silent."""
    if timeout_s <= 0:
        raise _Silent
    try:
        whole = dns.name.from_text(name.removesuffix(".") + ".")
        answer = _resolver(resolvers, name).resolve(
            whole, kind, lifetime=timeout_s, search=False, raise_on_no_answer=False
        )
    except (dns.resolver.NXDOMAIN, dns.name.LabelTooLong, dns.name.NameTooLong):
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise _Silent from error
    rdatas = list(answer.rrset or ())[:_ANSWERS]
    if kind == "TXT":
        return [b"".join(one.strings).decode("utf-8", "replace") for one in rdatas]
    return [one.address for one in rdatas]


def _resolver(resolvers: Resolvers, name: str) -> dns.resolver.Resolver:
    try:
        resolver = dns.resolver.Resolver(configure=not resolvers)
    except dns.resolver.NoResolverConfiguration:
        raise failure("dns", host=name) from None
    if resolvers:
        resolver.nameservers = [dns.nameserver.Do53Nameserver(*place(one)) for one in resolvers]
    return resolver
