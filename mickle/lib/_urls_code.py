"""Rules of sites that keep code: owners and repositories have no capitals, files have."""

import re

from mickle.lib._urls_page import Page, lowered
from mickle.lib._urls_reserved import CODEBERG, GITHUB, GITLAB, GITLAB_WORDS

_REPOSITORY = re.compile(r"/([^/]+)(?:/([^/]+)(/.+)?)?")
_DOT_GIT = re.compile(r"(?<=[^./])(?:\.git)+$", re.IGNORECASE)
_GITHUB_MARKS = ("tab", "ref", "source")
_PYPI = re.compile(r"/(?:project|pypi)/([A-Za-z0-9._-]+)(/[^/]+)?")


def github(page: Page) -> Page:
    """Owner and repository have no capitals; what lies below them has."""
    found = _REPOSITORY.fullmatch(page.path.rstrip("/"))
    if found is None:
        return page
    owner, name, below = (part or "" for part in found.groups())
    # HEAD is the default branch whatever its name; `main` may be any branch.
    if below == "/tree/HEAD":
        below = ""
    if name and not below:
        name = _DOT_GIT.sub("", name)
        if owner.lower() not in GITHUB:
            page = page.without(*_GITHUB_MARKS)
    path = lowered(f"/{owner}/{name}".rstrip("/")) + below
    return Page(page.host, path, page.pairs)


def gist(page: Page) -> Page:
    """An owner has no capitals, and a gist is also named as git names it."""
    owner, slash, name = page.path.rstrip("/")[1:].partition("/")
    return Page(page.host, f"/{lowered(owner)}{slash}{_DOT_GIT.sub('', name)}", page.pairs)


def gitlab(page: Page) -> Page:
    """Groups and projects have no capitals, as deep as they lie; what lies below them has."""
    parts = page.path.strip("/").split("/")
    if parts[0].lower() in GITLAB:
        return page
    ends = (at for at, part in enumerate(parts) if part == "-" or (at > 1 and part in GITLAB_WORDS))
    end = next(ends, len(parts))
    above, below = [lowered(part) for part in parts[:end]], parts[end:]
    if below == ["-", "tree", "HEAD"]:
        below = []
    if not below and len(above) > 1:
        above[-1] = _DOT_GIT.sub("", above[-1])
    return page.at(page.host, "/" + "/".join(above + below))


def codeberg(page: Page) -> Page:
    """Owner and repository have no capitals; what lies below them has."""
    found = _REPOSITORY.fullmatch(page.path.rstrip("/"))
    if found is None or found[1].lower() in CODEBERG:
        return page
    owner, name, below = (part or "" for part in found.groups())
    if not below:
        name = _DOT_GIT.sub("", name)
    return page.at(page.host, lowered(f"/{owner}/{name}".rstrip("/")) + below)


def pypi(page: Page) -> Page:
    """A project's name is the same in capitals, and with a dash, an underline or a dot."""
    found = _PYPI.fullmatch(page.path.rstrip("/"))
    if found is None:
        return page
    name = re.sub(r"[-_.]+", "-", found[1]).lower()
    return Page("pypi.org", f"/project/{name}{found[2] or ''}", page.pairs)
