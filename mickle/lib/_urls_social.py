"""Rules of sites where people post: a post is its number or code, a person a name."""

import re

from mickle.lib._urls_page import Page, lowered
from mickle.lib._urls_reserved import MEDIUM, TUMBLR

_POST = re.compile(
    r"/(?:[A-Za-z0-9_]{1,20}|i|i/web)/status(?:es)?/([0-9]+)(?:/(?:photo|video)/[0-9]+)?"
)
_HANDLE = re.compile(r"/([A-Za-z0-9_]{1,20})(/.*)?")
_X_AT = re.compile(r"^/@(?=[A-Za-z0-9_])")
_X_ROUTE = re.compile(r"!(/@?[A-Za-z0-9_]+(?:/[A-Za-z0-9_]+)*)/?")
_X_MARKS = ("s", "t", "ref_src", "ref_url", "lang", "cn", "cxt", "twsrc", "src", "mx")
_X_FRAMES = ("platform.twitter.com", "platform.x.com")

_REDDIT = re.compile(
    r"(?:(?:/(?:r|u|user)/[^/]+)?/comments|/gallery)/([a-z0-9]+)(?:/[^/]*(?:/([a-z0-9]+))?)?"
)
_REDDIT_PLACE = re.compile(r"/(r|u|user)/([A-Za-z0-9_-]+)(/.+)?")
_REDDIT_MARKS = ("rdt", "share_id", "ref", "ref_source", "ref_campaign")

_INSTAGRAM = re.compile(
    r"(?:/[A-Za-z0-9._]+)?/(?:p|reel|reels|tv)/([A-Za-z0-9_-]{5,})(?:/embed(?:/captioned)?)?"
)
_NO_CODE = ("audio",)
_THREADS = re.compile(r"/@([A-Za-z0-9._]+)(/post/[A-Za-z0-9_-]+)?(?:/embed)?")
_FACEBOOK_MARKS = ("mibextid", "rdid", "share_url", "refsrc", "_rdr", "__tn__", "__cft__%5B0%5D")

_BLUESKY = re.compile(r"/profile/([^/]+)(/.+)?")
_BLUESKY_POST = re.compile(r"/post/[a-z0-9]+")
_BLUESKY_FRAME = re.compile(r"/embed/(did:[a-z]+:[^/]+)/app\.bsky\.feed\.post/([a-z0-9]+)")

_TUMBLR_POST = re.compile(r"/post/([0-9]+)(?:/[^/]*)?(?:/amp)?")
_TUMBLR_PATH = re.compile(
    r"/(?:(?:dashboard/)?blog/(?:view/)?)?([a-z0-9]+(?:-[a-z0-9]+)*)/([0-9]{9,})(?:/[^/]*)?"
)
_TUMBLR_VIEW = re.compile(r"/blog/view/([a-z0-9]+(?:-[a-z0-9]+)*)")

_MEDIUM_STORY = re.compile(r"/(?:[^/]*-)?([0-9a-f]{10,12})")
_MEDIUM_NAME = re.compile(r"/@([A-Za-z0-9._-]+)(/.+)?")
_MEDIUM_MARKS = ("source", "sk", "gi")


def x(page: Page) -> Page:
    """A post is its number: X shows it under any name, so the name proves nothing."""
    path = page.path.rstrip("/")
    if page.host in _X_FRAMES:
        number = page.value("id") if path == "/embed/Tweet.html" else ""
        return Page("x.com", f"/i/status/{number}") if number.isdecimal() else page
    route = page.route
    if path == "" and (found := _X_ROUTE.fullmatch(route)):
        path, route = found[1], ""
    path = _X_AT.sub("/", path)
    if found := _HANDLE.fullmatch(path):
        path = f"/{found[1].lower()}{found[2] or ''}"
    if found := _POST.fullmatch(path):
        return Page("x.com", f"/i/status/{found[1]}")
    return Page("x.com", path or "/", page.without(*_X_MARKS).pairs, route)


def reddit(page: Page) -> Page:
    """A post is its number; names of places have no capitals; a comment is a page of its own."""
    path = page.path.rstrip("/")
    if found := _REDDIT.fullmatch(path):
        post, comment = found.groups()
        if comment is None:
            return Page("reddit.com", f"/comments/{post}")
        return Page("reddit.com", f"/comments/{post}/_/{comment}")
    page = page.at("reddit.com", page.path).without(*_REDDIT_MARKS)
    if found := _REDDIT_PLACE.fullmatch(path):
        kind, name, below = found.groups()
        kind = "user" if kind == "u" else kind
        return page.at(page.host, f"/{kind}/{name.lower()}{below or ''}")
    return page


def redd_it(page: Page) -> Page:
    """The short form of Reddit: the path is the post."""
    return reddit(Page("reddit.com", f"/comments{page.path}")) if page.path.strip("/") else page


def instagram(page: Page) -> Page:
    """A post is its code, as picture, reel or video, under its author's name or alone."""
    name, slash, below = page.path.rstrip("/")[1:].partition("/")
    path = f"/{lowered(name)}{slash}{below}"
    found = _INSTAGRAM.fullmatch(path)
    if found and found[1] not in _NO_CODE:
        return Page("instagram.com", f"/p/{found[1]}")
    return page.at("instagram.com", path).without("hl")


def threads(page: Page) -> Page:
    """Threads moved to another end of its name; sharing adds marks."""
    page = page.at("threads.com", page.path).without("xmt", "slof")
    if found := _THREADS.fullmatch(_with_at(page.path.rstrip("/"))):
        return page.at(page.host, f"/@{found[1].lower()}{found[2] or ''}")
    return page


def facebook(page: Page) -> Page:
    """Phones get other hosts, and sharing adds marks; numbers in the query are the page."""
    return page.at("facebook.com", page.path).without(*_FACEBOOK_MARKS)


def bluesky(page: Page) -> Page:
    """A post is its author, as handle or as DID, and its key; a handle has no capitals."""
    path = page.path.rstrip("/").replace("%3A", ":")
    if page.host == "embed.bsky.app":
        framed = _BLUESKY_FRAME.fullmatch(path)
        return Page("bsky.app", f"/profile/{framed[1]}/post/{framed[2]}") if framed else page
    page = page.without("ref_src", "ref_url")
    found = _BLUESKY.fullmatch(path)
    if found is None:
        return page
    who, below = found[1], found[2] or ""
    path = f"/profile/{who if who.startswith('did:') else lowered(who)}{below}"
    return Page(page.host, path, () if _BLUESKY_POST.fullmatch(below) else page.pairs)


def tumblr(page: Page) -> Page:
    """A post is its blog and number; the blog is a host, or a name in the path."""
    path = page.path.rstrip("/")
    name, dot, _rest = page.host.rpartition(".tumblr.com")
    if not dot:
        return _tumblr_path(page, path.lower())
    if "." in name or name in TUMBLR:
        return page
    found = _TUMBLR_POST.fullmatch(path)
    return Page(page.host, f"/post/{found[1]}") if found else page


def _tumblr_path(page: Page, path: str) -> Page:
    if found := _TUMBLR_VIEW.fullmatch(path):
        return Page(f"{found[1]}.tumblr.com", "/")
    found = _TUMBLR_PATH.fullmatch(path)
    if found is None or found[1] in TUMBLR:
        return page
    return Page(f"{found[1]}.tumblr.com", f"/post/{found[2]}")


def medium(page: Page) -> Page:
    """A story is its writer and number; a writer is a host, or a name in the path."""
    path = _with_at(page.path.rstrip("/"))
    name, dot, _rest = page.host.rpartition(".medium.com")
    if dot and ("." in name or name in MEDIUM):
        return page
    if dot and (path == "" or _MEDIUM_STORY.fullmatch(path)):
        path = f"/@{name}{path}"
        page = page.at("medium.com", page.path)
    page = page.without(*_MEDIUM_MARKS)
    found = _MEDIUM_NAME.fullmatch(path)
    if found is None or page.host != "medium.com":
        return page
    name, below = found[1].lower(), found[2] or ""
    if story := _MEDIUM_STORY.fullmatch(below):
        return Page("medium.com", f"/@{name}/{story[1]}")
    return page.at(page.host, f"/@{name}{below}")


def _with_at(path: str) -> str:
    """A path whose first name begins with its sign as it is written, not escaped."""
    return "/@" + path[4:] if path.startswith("/%40") else path
