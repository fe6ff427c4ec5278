"""Rules of the fediverse, where any host may be an instance: a post keeps its host and number."""

import re

from mickle.lib import _urls_video as video
from mickle.lib._urls_page import Page

_OBJECT = re.compile(r"/users/([A-Za-z0-9_.-]+)/statuses/([0-9]{8,})")
# Numbers of posts have been as long as this since 2017; other programs' numbers never are.
_POST = re.compile(
    r"/(?:(?:web|deck)/)?(?:@|%40)([A-Za-z0-9_.-]+(?:@[A-Za-z0-9.-]+)?)/([0-9]{15,})(?:/embed)?"
)
_SHORT_OBJECT = re.compile(r"/users/([A-Za-z0-9_.-]+)/statuses/([0-9]+)")
_ACTOR = re.compile(r"/(?:users/|@|%40)([A-Za-z0-9_.-]+)(@[A-Za-z0-9.-]+)?(/.+)?")
_NUMBER_DIGITS = 15
# Only under these a rule needs to look.
_BEGINS = re.compile(r"/(?:@|%40|users/|web/|deck/|w/|videos?/|video-)")

# Instances that are known to run Mastodon, where names have no capitals.
_MASTODON = """
aus.social bsd.network c.im chaos.social climatejustice.social defcon.social det.social
disabled.social eupolicy.social fediscience.org floss.social fosstodon.org framapiaf.org
front-end.social functional.cafe genomic.social glasgow.social hachyderm.io hcommons.social
hessen.social hostux.social indieweb.social infosec.exchange ioc.exchange journa.host
kolektiva.social layer8.space lgbtqia.space livellosegreto.it m.cmx.im mamot.fr mas.to masto.ai
mastodon.art mastodon.au mastodon.cloud mastodon.design mastodon.gamedev.place mastodon.green
mastodon.ie mastodon.me.uk mastodon.nl mastodon.nz mastodon.online mastodon.scot
mastodon.sdf.org mastodon.social mastodon.uno mastodon.world mastodon.xyz mastodonapp.uk
mathstodon.xyz metalhead.club mindly.social mstdn.ca mstdn.jp mstdn.party mstdn.social newsie.social
norcal.social norden.social nrw.social octodon.social ohai.social pawoo.net phpc.social piaille.fr
ravenation.club ruby.social ruhr.social sciences.social scholar.social
sfba.social sigmoid.social social.coop social.linux.pizza social.tchncs.de social.vivaldi.net
sociale.network techhub.social tech.lgbt tilde.zone toot.cafe toot.community toot.wales
troet.cafe universeodon.com vis.social wandering.shop wue.social zirk.us
"""
MASTODON = frozenset(_MASTODON.split())


def fediverse(page: Page) -> Page:
    """A post's address for programs, `/users/NAME/statuses/N`, is `/@NAME/N` for people."""
    if not _BEGINS.match(page.path):
        return page
    path = page.path.rstrip("/")
    if found := _OBJECT.fullmatch(path):
        # With a number as long as Mastodon's the name is one of Mastodon's, without capitals.
        name = found[1].lower() if len(found[2]) >= _NUMBER_DIGITS else found[1]
        return Page(page.host, f"/@{name}/{found[2]}")
    found = _POST.fullmatch(path)
    if found is None:
        return video.peertube(page)
    short = f"/@{found[1].lower()}/{found[2]}"
    return page if path == short else Page(page.host, short)


def mastodon(page: Page) -> Page:
    """On a host that is known to run Mastodon names have no capitals, and may name their host."""
    page = fediverse(page)
    path = page.path.rstrip("/")
    found = _ACTOR.fullmatch(path)
    if found is None:
        return page
    if path.startswith("/users/") and (found[2] or found[3]):
        short = _SHORT_OBJECT.fullmatch(path)
        return Page(page.host, f"/@{short[1].lower()}/{short[2]}") if short else page
    name, at, below = found[1].lower(), (found[2] or "").lower(), found[3] or ""
    if at == f"@{page.host}":
        at = ""
    pairs = () if below[1:].isdecimal() else page.pairs
    return Page(page.host, f"/@{name}{at}{below}", pairs, page.route)
