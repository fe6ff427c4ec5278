"""Pages that do nothing but send on to the address in a parameter."""

from mickle.lib._urls_page import Page, spoken

# (host, path) -> the names the address may stand under; a path of `*` is any.
_DOORS: dict[tuple[str, str], tuple[str, ...]] = {
    ("l.facebook.com", "/l.php"): ("u",),
    ("lm.facebook.com", "/l.php"): ("u",),
    ("facebook.com", "/l.php"): ("u",),
    ("facebook.com", "/flx/warn"): ("u",),
    ("l.messenger.com", "/l.php"): ("u",),
    ("l.instagram.com", ""): ("u",),
    ("l.threads.com", ""): ("u",),
    ("l.threads.net", ""): ("u",),
    ("l.wl.co", "/l"): ("u",),
    ("youtube.com", "/redirect"): ("q",),
    ("consent.youtube.com", "/m"): ("continue",),
    ("consent.youtube.com", "/ml"): ("continue",),
    ("consent.google.com", "/ml"): ("continue",),
    ("google.com", "/url"): ("url", "q"),
    ("google.de", "/url"): ("url", "q"),
    ("google.fr", "/url"): ("url", "q"),
    ("google.co.uk", "/url"): ("url", "q"),
    ("t.umblr.com", "/redirect"): ("z",),
    ("out.reddit.com", "*"): ("url",),
    ("vk.com", "/away.php"): ("to",),
    ("away.vk.com", "/away.php"): ("to",),
    ("steamcommunity.com", "/linkfilter"): ("url", "u"),
    ("slack-redir.net", "/link"): ("url",),
    ("duckduckgo.com", "/l"): ("uddg",),
    ("getpocket.com", "/redirect"): ("url",),
    ("linkedin.com", "/redir/redirect"): ("url",),
    ("linkedin.com", "/safety/go"): ("url",),
    ("link.zhihu.com", ""): ("target",),
    ("link.juejin.cn", ""): ("target",),
    ("medium.com", "/m/global-identity"): ("redirectUrl",),
    ("medium.com", "/m/global-identity-2"): ("redirectUrl",),
    ("exit.sc", ""): ("url",),
    ("gate.sc", ""): ("url",),
    ("w.soundcloud.com", "/player"): ("url",),
}
_HOSTS = frozenset(host for host, _path in _DOORS)


def sent_on(page: Page) -> str:
    """The address a redirecting page leads to, or the empty text for any other page."""
    if page.host not in _HOSTS:
        return ""
    names = _DOORS.get((page.host, page.path.rstrip("/"))) or _DOORS.get((page.host, "*"), ())
    targets = {
        spoken(value)
        for name, _, value in (pair.partition("=") for pair in page.pairs)
        if value and name in names
    }
    # Of two addresses nobody says which one is followed.
    target = targets.pop() if len(targets) == 1 else ""
    return target if target[:8].lower().startswith(("http://", "https://")) else ""
