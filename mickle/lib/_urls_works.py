"""Rules of sites that show one work under several addresses: papers, pictures, songs, articles."""

import re

from mickle.lib._urls_page import Page, lowered

_ARXIV = re.compile(
    r"/(?:abs|pdf|html|format)/"
    r"(?:([a-z-]+)(?:\.[A-Z]{2})?/([0-9]{7})|([0-9]{4}\.[0-9]{4,5}))(v[0-9]+)?"
)
# What a DOI may have escaped or not; the resolver reads both.
_DOI_PLAIN = re.compile(r"%(21|24|27|28|29|2A|2C|2F|3A|3B|3D|40)")
_QUESTION = re.compile(r"/(?:questions/([0-9]+)(?:/(?![0-9]+$)[^/]+)?|q/([0-9]+)(?:/[0-9]+)?)")
_SPOTIFY = re.compile(
    r"(?:/intl-[a-z]+)?(?:/embed)?/(album|artist|episode|playlist|show|track)/([A-Za-z0-9]+)"
)
_SPOTIFY_MARKS = ("si", "nd", "dlsi", "context", "go")

_SOUNDCLOUD_MARKS = ("si", "ref", "in", "in_system_playlist", "p", "c")
_FLICKR_PHOTO = re.compile(r"/photos/([^/]+)/([0-9]+)(?:/(?:in/[^/]+|lightbox))?")
_FLICKR_SETS = re.compile(r"/photos/([^/]+)/(?:sets|albums)(/[0-9]+)?")
_FIVE_HUNDRED = re.compile(r"/photo/([0-9]+)(?:/[^/]*)?")
_BANDCAMP = re.compile(r"/(?:album|track)/[^/]+")

_WIKI_MOBILE = re.compile(r"(?:([a-z-]+)\.)?m\.((?:wik[a-z]+|mediawiki)\.org)")
_WIKI_PLAIN = re.compile(r"%(21|24|27|28|29|2A|2C|3A|3B|40)")
_WIKI_MARKS = ("wprov", "mobileaction", "useskin")


def arxiv(page: Page) -> Page:
    """A paper is its number (and version), as abstract, PDF or page."""
    found = _ARXIV.fullmatch(page.path.rstrip("/").removesuffix(".pdf"))
    if found is None:
        return page
    archive, old, new, version = found.groups()
    return Page("arxiv.org", f"/abs/{new or f'{archive}/{old}'}{version or ''}")


def doi(page: Page) -> Page:
    """A DOI has no capitals and no query."""
    path = _DOI_PLAIN.sub(_character, page.path)
    # Dots would lead out of the name.
    path = page.path if "/." in path else path
    return Page("doi.org", lowered(path)) if path.startswith("/10.") else page


def question(page: Page) -> Page:
    """A question on a Stack Exchange site is its number; an answer to it is another page."""
    found = _QUESTION.fullmatch(page.path.rstrip("/"))
    return page if found is None else Page(page.host, f"/questions/{found[1] or found[2]}")


def spotify(page: Page) -> Page:
    """A work is its kind and id, in every language and in a frame."""
    found = _SPOTIFY.fullmatch(page.path.rstrip("/"))
    if found is None:
        return page.without(*_SPOTIFY_MARKS)
    return Page(page.host, f"/{found[1]}/{found[2]}")


def soundcloud(page: Page) -> Page:
    """Phones get another host, and sharing adds marks."""
    return page.at("soundcloud.com", page.path).without(*_SOUNDCLOUD_MARKS)


def flickr(page: Page) -> Page:
    """A picture is its owner and number, in whatever row it is looked at."""
    path = page.path.rstrip("/").replace("%40", "@")
    if found := _FLICKR_PHOTO.fullmatch(path):
        return Page("flickr.com", f"/photos/{found[1]}/{found[2]}")
    if found := _FLICKR_SETS.fullmatch(path):
        path = f"/photos/{found[1]}/albums{found[2] or ''}"
    return page.at("flickr.com", path or "/")


def five_hundred(page: Page) -> Page:
    """A picture is its number; its title behind it may change."""
    found = _FIVE_HUNDRED.fullmatch(page.path.rstrip("/"))
    return Page(page.host, f"/photo/{found[1]}") if found else page


def bandcamp(page: Page) -> Page:
    """A record or song is its path; what stands behind says where it was found."""
    return page.only() if _BANDCAMP.fullmatch(page.path.rstrip("/")) else page


def wiki(page: Page) -> Page:
    """Phones get another host; titles are the same with a space, an underline or an escape."""
    host, path = page.host, page.path
    if "m." in host and (found := _WIKI_MOBILE.fullmatch(host)):
        host = f"{found[1]}.{found[2]}" if found[1] not in (None, "www") else found[2]
    page = page.at(host, page.path).without(*_WIKI_MARKS)
    if name := _title(page):
        path, page = f"/wiki/{name}", page.only()
    if not path.startswith("/wiki/"):
        return page
    title = _WIKI_PLAIN.sub(_character, path[6:].replace("%20", "_"))
    if host.endswith(".wikipedia.org"):
        title = title[:1].upper() + title[1:]
    return page.at(page.host, "/wiki/" + title)


def _title(page: Page) -> str:
    """The title in an address like /w/index.php?title=T and nothing else, or the empty text."""
    name = page.value("title").replace("+", "%20").replace("?", "%3F")
    alone = page.path.rstrip("/") == "/w/index.php" and len(page.pairs) == 1
    # Dots would lead out of /wiki/.
    return name if alone and "/." not in f"/{name}" else ""


def _character(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))
