"""Whose a host is: where everybody has a subdomain or a path, one party's share of it.

A claim of a host is a claim of what belongs to one party there; a page whose party cannot be told
is nobody's to claim by its host. The public suffix list is read with its private half.
"""

import re
from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList

from mickle.lib._shared_hosts_list import HOUSE_WWW, NOBODY, PATHS, SUBDOMAINS
from mickle.lib._urls_fediverse import MASTODON
from mickle.lib._urls_reserved import RESERVED

_HOSTS_REMEMBERED = 10_000
_ADDRESS = re.compile(r"[0-9.]+|\[.*\]")
# On any host: a person's home as servers have named them since 1993, and a post of the fediverse.
_PERSON = re.compile(r"/(~[^/]+|@[^/]+(?=/[0-9]{15,}))(?:/.*)?")


def registrable(host: str) -> str:
    """The part of a host that one party registers or is given; empty for a shared name itself."""
    return _registrable(_bare(host))


def domain(host: str) -> str:
    """The name that the one party of a host has from a registry; empty where there is none."""
    bare = _bare(host)
    if "." not in bare or _ADDRESS.fullmatch(bare) or _is_divided(bare):
        return ""
    listed = _registries().privatesuffix(bare) or ""
    return listed if listed == _registrable(bare) else ""


def is_shared(host: str) -> bool:
    """Whether others than the host's owner have subdomains below it, by name or by registration."""
    return _is_shared(_bare(host))


def is_house(host: str) -> bool:
    """Whether a host that begins with `www.` is the same party's as without it."""
    above = _bare(host).removeprefix("www.")
    return above in HOUSE_WWW or not _is_shared(above)


def tenant(host: str, path: str) -> str:
    """The scope around a page that belongs to one party: a host, or a host and the path's begin.

    Empty where no single party can be told; the host is folded as identities have it.
    """
    bare = _bare(host)
    if _is_nobodys(bare):
        return ""
    if bare in _paths() or bare in MASTODON:
        return _share(bare, path)
    if found := _PERSON.fullmatch(path):
        return f"{host}/{found[1]}"
    return "" if _is_shared(bare) else host


def speaker(host: str, path: str) -> str:
    """Who decides what a page answers: its host, one party there, or, where nobody can tell, it.

    A server of the fediverse answers for all of its people.
    """
    if host in MASTODON:
        return host
    return tenant(host, path) or host + path


def is_one_partys(host: str) -> bool:
    """Whether one party runs all of a host, though many may have accounts there."""
    return host in MASTODON or tenant(host, "/") == host


def covers(scope: str, host: str, path: str) -> bool:
    """Whether a claim of a scope is one of this page; a claim of a parent is none of its child."""
    return bool(scope) and tenant(host, path) == scope


def same_owner(one: str, other: str) -> bool:
    """Whether two hosts are surely one party's, because it registered the name above both."""
    above = registrable(one)
    shared = any(_is_divided(host) for host in (_bare(one), _bare(other), above))
    return bool(above) and above == registrable(other) and not shared


def _bare(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@cache
def _registries() -> PublicSuffixList:
    """The half of the list in which registries stand."""
    return PublicSuffixList(only_icann=True)


@cache
def _paths() -> dict[str, list[list[str]]]:
    """For each host the forms of path that stand for one party, the longest first."""
    found: dict[str, list[list[str]]] = {}
    for line in PATHS.split():
        host, _slash, path = line.partition("/")
        found.setdefault(host, []).append(path.split("/"))
    for forms in found.values():
        forms.sort(key=len, reverse=True)
    return found


@lru_cache(_HOSTS_REMEMBERED)
def _registrable(host: str) -> str:
    if _ADDRESS.fullmatch(host):
        return host
    if "." not in host:
        return "" if _suffixes().is_public(host, accept_unknown=False) else host
    listed, labels = _suffixes().privatesuffix(host) or "", host.split(".")
    # The longest name that is shared decides, and the label before it is the party's.
    at = next((at for at in range(len(labels)) if ".".join(labels[at:]) in SUBDOMAINS), None)
    if at is None or not listed:
        return listed
    return max(".".join(labels[at - 1 :]), listed, key=len) if at else ""


def _is_shared(host: str) -> bool:
    if "." not in host or _ADDRESS.fullmatch(host):
        return not _registrable(host)
    # The same as nothing to register, and the only thing asked of hosts by the thousand.
    return host in SUBDOMAINS or bool(_suffixes().is_public(host))


def _is_nobodys(host: str) -> bool:
    if host in NOBODY:
        return True
    labels = host.split(".")
    return any("." + ".".join(labels[at:]) in NOBODY for at in range(1, len(labels) - 1))


def _is_divided(host: str) -> bool:
    """Whether pages of one host belong to several parties."""
    return host in _paths() or host in MASTODON or _is_nobodys(host)


def _share(host: str, path: str) -> str:
    names = path.split("/")[1:]
    for form in _paths().get(host, [["@*"]]):
        given = names[: len(form)]
        if len(given) == len(form) and all(map(_fits, form, given)):
            own = form[0] != "*" or given[0].lower() not in RESERVED.get(host, ())
            return f"{host}/{'/'.join(given)}" if own else ""
    return ""


def _fits(form: str, name: str) -> bool:
    if not form.endswith("*"):
        return form == name
    return len(name) >= len(form) and name.startswith(form[:-1]) and name not in (".", "..")
