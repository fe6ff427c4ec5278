"""Since when a domain is somebody's, as its registry says by RDAP (RFC 9082, 9083, 9224).

Pure: where to ask and what the answer says. Whatever is odd in an answer says nothing.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

# Which registry answers for which ending; RFC 9224 names the file.
BOOTSTRAP = "https://data.iana.org/rdap/dns.json"
# "Registered again" is said of a name that was free in between.
_BEGINS = ("registration", "reregistration")
# Nobody had a domain before; no clock says so later.
_YEARS = range(1985, 9000)


def address(listing: str, domain: str) -> str:
    """Where a domain is asked after, from the list of all registries; "" where none answers.

    Of several registries the one of the longest ending; of its servers the first by https.
    """
    found: dict[str, str] = {}
    for endings, servers in _services(_read(listing)):
        by_https = next((one for one in servers if one.startswith("https://")), "")
        for ending in endings if by_https else ():
            found.setdefault(ending.lower(), by_https)
    labels = domain.lower().split(".")
    for first in range(1, len(labels)):
        if base := found.get(".".join(labels[first:])):
            return f"{base.rstrip('/')}/domain/{quote(domain)}"
    return ""


def _services(listing: Any) -> Iterator[tuple[list[str], list[str]]]:
    services = listing.get("services") if isinstance(listing, dict) else None
    for service in services if isinstance(services, list) else ():
        match service:
            case [list() as endings, list() as servers]:
                yield _texts(endings), _texts(servers)


def _texts(listed: list[Any]) -> list[str]:
    return [one for one in listed if isinstance(one, str)]


def registered_at(answer: str, domain: str) -> datetime | None:
    """When a domain was registered last, in UTC; None where it is not said."""
    found = _read(answer)
    if not isinstance(found, dict) or found.get("objectClassName") != "domain":
        return None
    named = found.get("ldhName")
    if not isinstance(named, str) or named.lower().rstrip(".") != domain.lower():
        return None
    events = found.get("events")
    return max(filter(None, map(_begin, events if isinstance(events, list) else ())), default=None)


def _begin(event: Any) -> datetime | None:
    match event:
        case {"eventAction": str() as action, "eventDate": str() as date} if action in _BEGINS:
            try:
                at = datetime.fromisoformat(date)
            except ValueError:
                return None
            # A zone may be one that no place is in, and PostgreSQL takes none of those.
            return at.astimezone(UTC) if at.tzinfo is not None and at.year in _YEARS else None
    return None


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
