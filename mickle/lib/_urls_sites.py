"""What single sites are known to do: one small pure function each, found by host in a table.

A rule returns the page in the one form its site stands for, or unchanged when it is not sure. A
rule applied to its own result changes nothing. To add a site: a function, its hosts in SITES, and
its pairs in tests/lib/urls.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from mickle.lib import _urls_code as code
from mickle.lib import _urls_fediverse as fediverse
from mickle.lib import _urls_social as social
from mickle.lib import _urls_video as video
from mickle.lib import _urls_works as works
from mickle.lib._urls_page import Page

GENERAL = "general"
_RULES_AT_MOST = 4
_HOSTS_REMEMBERED = 10_000
Rule = Callable[[Page], Page]


class Site(NamedTuple):
    """A rule and the name it goes by."""

    name: str
    rule: Rule


def _moved(host: str) -> Rule:
    return lambda page: page.at(host, page.path)


# A name beginning with a dot stands for every host under it.
_TABLE: list[tuple[str, Rule, str]] = [
    (
        "youtube",
        video.youtube,
        """
        youtube.com m.youtube.com music.youtube.com gaming.youtube.com youtube-nocookie.com
        youtube.googleapis.com
        """,
    ),
    ("youtube", video.youtu_be, "youtu.be"),
    ("vimeo", video.vimeo, "vimeo.com player.vimeo.com m.vimeo.com"),
    (
        "x",
        social.x,
        """
        x.com mobile.x.com twitter.com m.twitter.com mobile.twitter.com platform.twitter.com
        platform.x.com
        """,
    ),
    ("instagram", social.instagram, "instagram.com m.instagram.com instagr.am"),
    ("threads", social.threads, "threads.com threads.net"),
    (
        "facebook",
        social.facebook,
        "facebook.com m.facebook.com mbasic.facebook.com touch.facebook.com web.facebook.com",
    ),
    ("bluesky", social.bluesky, "bsky.app embed.bsky.app"),
    ("tumblr", social.tumblr, "tumblr.com .tumblr.com"),
    ("medium", social.medium, "medium.com .medium.com"),
    (
        "reddit",
        social.reddit,
        """
        reddit.com m.reddit.com np.reddit.com new.reddit.com old.reddit.com i.reddit.com
        amp.reddit.com sh.reddit.com pay.reddit.com ssl.reddit.com
        """,
    ),
    ("reddit", social.redd_it, "redd.it"),
    ("github", code.github, "github.com"),
    ("gist", code.gist, "gist.github.com"),
    ("gitlab", code.gitlab, "gitlab.com"),
    ("codeberg", code.codeberg, "codeberg.org"),
    ("pypi", code.pypi, "pypi.org pypi.python.org"),
    ("soundcloud", works.soundcloud, "soundcloud.com m.soundcloud.com"),
    ("spotify", works.spotify, "open.spotify.com"),
    ("bandcamp", works.bandcamp, ".bandcamp.com"),
    ("flickr", works.flickr, "flickr.com m.flickr.com secure.flickr.com"),
    ("500px", works.five_hundred, "500px.com"),
    ("arxiv", works.arxiv, "arxiv.org export.arxiv.org"),
    ("doi", works.doi, "doi.org dx.doi.org"),
    (
        "stackexchange",
        works.question,
        "stackoverflow.com serverfault.com superuser.com askubuntu.com .stackexchange.com",
    ),
    (
        "wikipedia",
        works.wiki,
        """
        wikipedia.org .wikipedia.org wiktionary.org .wiktionary.org wikibooks.org .wikibooks.org
        wikinews.org .wikinews.org wikiquote.org .wikiquote.org wikisource.org .wikisource.org
        wikiversity.org .wikiversity.org wikivoyage.org .wikivoyage.org .wikimedia.org
        wikimedia.org wikidata.org .wikidata.org mediawiki.org .mediawiki.org
        """,
    ),
    ("twitch", _moved("twitch.tv"), "twitch.tv m.twitch.tv"),
    ("mastodon", fediverse.mastodon, " ".join(fediverse.MASTODON)),
]
SITES: dict[str, Site] = {
    host: Site(name, rule) for name, rule, hosts in _TABLE for host in hosts.split()
}
_ANYWHERE = Site(GENERAL, fediverse.fediverse)


@lru_cache(_HOSTS_REMEMBERED)
def site_of(host: str) -> Site:
    """The site a host belongs to; what holds for any host where none is known."""
    family = ".".join(("", *host.rsplit(".", 2)[-2:]))
    return SITES.get(host) or SITES.get(family) or _ANYWHERE


def settle(page: Page) -> tuple[Page, str]:
    """The page in the one form its site stands for, and the name of the rule that gave it."""
    site = site_of(page.host)
    # A rule may lead to the host of another rule, and that one to its own form.
    for _step in range(_RULES_AT_MOST):
        settled = site.rule(page)
        if settled is page or settled.host == page.host:
            break
        page, following = settled, site_of(settled.host)
        if following.rule is site.rule:
            break
        site = following
    if site is _ANYWHERE and settled != page:
        return settled, "peertube" if settled.path.startswith("/w/") else "fediverse"
    return settled, site.name
