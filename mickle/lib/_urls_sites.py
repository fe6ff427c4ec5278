"""What single sites are known to do: one small pure function each, found by host in a table.

A rule returns the page in the one form its site stands for, or unchanged when it is not sure. A
rule applied to its own result changes nothing. To add a site: a function, its hosts in SITES, and
its pairs in tests/lib/test_urls_sites.py.
"""

import re
from collections.abc import Callable

from ada_url import URLSearchParams

from mickle.lib import _urls_works as works
from mickle.lib._urls_page import Page

_RULES_AT_MOST = 4
Rule = Callable[[Page], Page]

_VIDEO = re.compile(r"[A-Za-z0-9_-]{11}")
# Words of as many letters as a video's id that stand in its place.
_NO_VIDEO = ("videoseries", "live_stream")
_VIDEO_PATH = re.compile(r"/(?:embed|shorts|live|v|e)/([A-Za-z0-9_-]{11})")
_POST = re.compile(r"/(?:[A-Za-z0-9_]{1,20}|i/web)/status(?:es)?/([0-9]+)(?:/.*)?")
_HANDLE = re.compile(r"/@?[A-Za-z0-9_]{1,20}")
_REPOSITORY = re.compile(r"/([^/]+)(?:/([^/]+)(/.+)?)?")
_DOT_GIT = re.compile(r"(?<=.)(?:\.git)+$", re.IGNORECASE)
_WIKI_MOBILE = re.compile(r"(?:([a-z-]+)\.)?m\.((?:wik[a-z]+|mediawiki)\.org)")
_WIKI_PLAIN = re.compile(r"%(21|24|27|28|29|2A|2C|3A|3B|40)")
_FEDIVERSE = re.compile(r"/users/([A-Za-z0-9_.-]+)/statuses/([0-9]{8,})")


def youtube(page: Page) -> Page:
    """A video is its eleven characters, wherever it plays; a handle has no capitals."""
    page = page._replace(host="youtube.com").without("si", "feature", "pp", "ab_channel", "app")
    path = page.path.rstrip("/")
    video = page.value("v") if path == "/watch" else ""
    if found := _VIDEO_PATH.fullmatch(path):
        video = found[1]
    if _VIDEO.fullmatch(video) and video not in _NO_VIDEO:
        return Page("youtube.com", "/watch", (f"v={video}",))
    if path in ("/playlist", "/embed/videoseries") and page.value("list"):
        return page._replace(path="/playlist").only("list")
    if path.startswith("/@"):
        handle, _, tab = path[1:].partition("/")
        return page._replace(path=f"/{handle.lower()}/{'' if tab == 'featured' else tab}")
    return page


def youtu_be(page: Page) -> Page:
    """The short form of YouTube: the path is the video."""
    video = page.path.strip("/")
    if _VIDEO.fullmatch(video):
        return Page("youtube.com", "/watch", (f"v={video}",))
    return page


def x(page: Page) -> Page:
    """A post is its number: X shows it under any name, so the name proves nothing."""
    page = page._replace(host="x.com")
    path = page.path.rstrip("/")
    if page.route.startswith("!/") and path == "":
        path = page.route[1:]
    if found := _POST.fullmatch(path):
        return Page("x.com", f"/i/status/{found[1]}")
    if _HANDLE.fullmatch(path):
        return Page("x.com", path.lower(), page.without(*_X_TRACKING).pairs)
    return page.without(*_X_TRACKING)


_X_TRACKING = ("s", "t", "ref_src", "ref_url", "lang", "cn", "cxt", "twsrc")


def github(page: Page) -> Page:
    """Owner and repository have no capitals; what lies below them has."""
    found = _REPOSITORY.fullmatch(page.path.rstrip("/"))
    if found is None:
        return page
    owner, name, below = (part or "" for part in found.groups())
    if name and not below:
        name, page = _DOT_GIT.sub("", name), page.without("tab")
    path = f"/{owner}/{name}".rstrip("/").lower() + below
    return page._replace(path=path, route="")


def wiki(page: Page) -> Page:
    """Phones get another host; titles are the same with a space, an underline or an escape."""
    host, path = page.host, page.path
    if found := _WIKI_MOBILE.fullmatch(host):
        host = f"{found[1]}.{found[2]}" if found[1] not in (None, "www") else found[2]
    page = page._replace(host=host)
    if name := _title(page):
        path, page = f"/wiki/{name}", page.only()
    if not path.startswith("/wiki/"):
        return page
    title = _WIKI_PLAIN.sub(lambda found: chr(int(found[1], 16)), path[6:].replace("%20", "_"))
    if host.endswith(".wikipedia.org"):
        title = title[:1].upper() + title[1:]
    return page._replace(path="/wiki/" + title)


def _title(page: Page) -> str:
    """The title in an address like /w/index.php?title=T and nothing else, or the empty text."""
    name = page.value("title").replace("+", "%20").replace("?", "%3F")
    alone = page.path.rstrip("/") == "/w/index.php" and len(page.pairs) == 1
    # Dots would lead out of /wiki/.
    return name if alone and "/." not in f"/{name}" else ""


def fediverse(page: Page) -> Page:
    """A post's address for programs, `/users/NAME/statuses/N`, is `/@NAME/N` for people."""
    if found := _FEDIVERSE.fullmatch(page.path.rstrip("/")):
        return Page(page.host, f"/@{found[1]}/{found[2]}")
    return page


def _moved(host: str) -> Rule:
    return lambda page: page._replace(host=host)


SITES: dict[str, Rule] = {
    "youtube.com": youtube,
    "m.youtube.com": youtube,
    "music.youtube.com": youtube,
    "youtube-nocookie.com": youtube,
    "youtu.be": youtu_be,
    "x.com": x,
    "mobile.x.com": x,
    "twitter.com": x,
    "m.twitter.com": x,
    "mobile.twitter.com": x,
    "github.com": github,
    "m.facebook.com": _moved("facebook.com"),
    "mbasic.facebook.com": _moved("facebook.com"),
    "touch.facebook.com": _moved("facebook.com"),
    "soundcloud.com": works.soundcloud,
    "m.soundcloud.com": works.soundcloud,
    "reddit.com": works.reddit,
    "m.reddit.com": works.reddit,
    "np.reddit.com": works.reddit,
    "new.reddit.com": works.reddit,
    "old.reddit.com": works.reddit,
    "redd.it": works.redd_it,
    "instagram.com": works.instagram,
    "m.instagram.com": works.instagram,
    "open.spotify.com": works.spotify,
    "vimeo.com": works.vimeo,
    "player.vimeo.com": works.vimeo,
    "arxiv.org": works.arxiv,
    "export.arxiv.org": works.arxiv,
    "doi.org": works.doi,
    "dx.doi.org": works.doi,
    "pypi.org": works.pypi,
    "pypi.python.org": works.pypi,
    "stackoverflow.com": works.question,
    "serverfault.com": works.question,
    "superuser.com": works.question,
    "askubuntu.com": works.question,
}

# Rules for every host under a name of two labels.
_WIKIS = """
wikipedia.org wiktionary.org wikibooks.org wikinews.org wikiquote.org wikisource.org
wikiversity.org wikivoyage.org wikimedia.org wikidata.org mediawiki.org
"""
FAMILIES: dict[str, Rule] = dict.fromkeys(_WIKIS.split(), wiki)
FAMILIES["stackexchange.com"] = works.question

# Pages that do nothing but send on to the address in a parameter: (host, path) -> its names.
_DOORS: dict[tuple[str, str], tuple[str, ...]] = {
    ("l.facebook.com", "/l.php"): ("u",),
    ("lm.facebook.com", "/l.php"): ("u",),
    ("facebook.com", "/l.php"): ("u",),
    ("l.instagram.com", ""): ("u",),
    ("youtube.com", "/redirect"): ("q",),
    ("google.com", "/url"): ("url", "q"),
    ("t.umblr.com", "/redirect"): ("z",),
    ("vk.com", "/away.php"): ("to",),
    ("steamcommunity.com", "/linkfilter"): ("url", "u"),
    ("slack-redir.net", "/link"): ("url",),
    ("duckduckgo.com", "/l"): ("uddg",),
    ("exit.sc", ""): ("url",),
}


def sent_on(page: Page) -> str:
    """The address a redirecting page leads to, or the empty text for any other page."""
    for name in _DOORS.get((page.host, page.path.rstrip("/")), ()):
        if page.value(name):
            # Read as a form is read: + is a space, escapes are UTF-8.
            target: str = URLSearchParams("&".join(page.pairs)).get(name)
            if target[:8].lower().startswith(("http://", "https://")):
                return target
    return ""


def settle(page: Page) -> Page:
    """The page in the one form its site stands for."""
    # A rule may lead to the host of another rule, and that one to its own form.
    for _step in range(_RULES_AT_MOST):
        rule = SITES.get(page.host)
        if rule is None:
            rule = FAMILIES.get(".".join(page.host.rsplit(".", 2)[-2:]), fediverse)
        settled = rule(page)
        if settled == page:
            break
        page = settled
    return page
