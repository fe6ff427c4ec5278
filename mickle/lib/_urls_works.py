"""Rules of sites that show one work under several addresses: papers, posts, packages, songs."""

import re

from mickle.lib._urls_page import Page

_VIMEO = re.compile(r"(?:/video)?/([0-9]+)")
_ARXIV = re.compile(
    r"/(?:abs|pdf|html)/([a-z-]+(?:\.[A-Z]{2})?/[0-9]{7}|[0-9]{4}\.[0-9]{4,5})(v[0-9]+)?"
)
_PYPI = re.compile(r"/(?:project|pypi)/([A-Za-z0-9._-]+)(/[^/]+)?")
_QUESTION = re.compile(r"/(?:questions/([0-9]+)(?:/(?![0-9]+$)[^/]+)?|q/([0-9]+)(?:/[0-9]+)?)")
_REDDIT = re.compile(r"(?:/(?:r|user)/[^/]+)?/comments/([a-z0-9]+)(?:/[^/]*)?")
_REDDIT_PLACE = re.compile(r"/(?:r|u|user)/[A-Za-z0-9_-]+")
_SPOTIFY = re.compile(
    r"(?:/intl-[a-z]+)?(?:/embed)?/(album|artist|episode|playlist|show|track)/([A-Za-z0-9]+)"
)
_INSTAGRAM = re.compile(r"(?:/[A-Za-z0-9._]+)?/(?:p|reel|tv)/([A-Za-z0-9_-]+)")


def vimeo(page: Page) -> Page:
    """A video is its number; one with a key (`h`) is private and stays as it is."""
    found = _VIMEO.fullmatch(page.path.rstrip("/"))
    return page if found is None or page.value("h") else Page("vimeo.com", f"/{found[1]}")


def arxiv(page: Page) -> Page:
    """A paper is its number (and version), as abstract, PDF or page."""
    found = _ARXIV.fullmatch(page.path.rstrip("/").removesuffix(".pdf"))
    return page if found is None else Page("arxiv.org", f"/abs/{found[1]}{found[2] or ''}")


def doi(page: Page) -> Page:
    """A DOI has no capitals and no query."""
    return Page("doi.org", page.path.lower()) if page.path.startswith("/10.") else page


def pypi(page: Page) -> Page:
    """A project's name is the same in capitals, and with a dash, an underline or a dot."""
    found = _PYPI.fullmatch(page.path.rstrip("/"))
    if found is None:
        return page
    name = re.sub(r"[-_.]+", "-", found[1]).lower()
    return Page("pypi.org", f"/project/{name}{found[2] or ''}", page.pairs)


def question(page: Page) -> Page:
    """A question on a Stack Exchange site is its number; an answer to it is another page."""
    found = _QUESTION.fullmatch(page.path.rstrip("/"))
    return page if found is None else Page(page.host, f"/questions/{found[1] or found[2]}")


def reddit(page: Page) -> Page:
    """A post is its number; names of places have no capitals; a comment is a page of its own."""
    page = page._replace(host="reddit.com")
    path = page.path.rstrip("/")
    if found := _REDDIT.fullmatch(path):
        return Page("reddit.com", f"/comments/{found[1]}")
    if _REDDIT_PLACE.fullmatch(path):
        return page._replace(path=re.sub(r"^/u/", "/user/", path.lower()))
    return page


def redd_it(page: Page) -> Page:
    """The short form of Reddit: the path is the post."""
    return reddit(Page("reddit.com", f"/comments{page.path}")) if page.path.strip("/") else page


def spotify(page: Page) -> Page:
    """A work is its kind and id, in every language and in a frame."""
    found = _SPOTIFY.fullmatch(page.path.rstrip("/"))
    return page if found is None else Page(page.host, f"/{found[1]}/{found[2]}")


def instagram(page: Page) -> Page:
    """A post is its code, as picture, reel or video, under its author's name or alone."""
    found = _INSTAGRAM.fullmatch(page.path.rstrip("/"))
    return (
        page._replace(host="instagram.com")
        if found is None
        else Page("instagram.com", f"/p/{found[1]}")
    )


def soundcloud(page: Page) -> Page:
    """Phones get another host, and sharing adds a mark."""
    return page._replace(host="soundcloud.com").without("si")
