"""The one way out to pages of others: the fetcher of this instance."""

from functools import cache
from importlib import metadata

from django.conf import settings

from mickle.lib import fetch

# Where a page explains to owners of sites who asked, and how to keep it away.
EXPLAINED_AT = "/robot"


def agent() -> str:
    """The User-Agent, with the address that explains it where the instance has one."""
    name = f"Mickle/{metadata.version('mickle')}"
    return f"{name} (+{settings.BASE_URL}{EXPLAINED_AT})" if settings.BASE_URL else name


@cache
def fetcher() -> fetch.Fetcher:
    """Reads pages for every room; what it keeps is in the data folder, shared by all processes."""
    return fetch.Fetcher(
        folder=settings.DATA_DIR / "fetched",
        agent=agent(),
        proxy=settings.FETCH_PROXY,
        resolvers=settings.FETCH_RESOLVERS,
    )
