"""Laws of the identity that hold for every address, known or not."""

from hypothesis import assume, example, given
from hypothesis import strategies as st

from mickle.lib.urls import BadUrl, Identity, identify

HOSTS = st.sampled_from(
    [
        "example.com",
        "www.example.com",
        "www.www.example.com:8443",
        "bücher.example.",
        "[::1]",
        "www.youtube.com",
        "youtu.be",
        "x.com",
        "twitter.com",
        "github.com",
        "en.m.wikipedia.org",
        "m.wikidata.org",
        "mastodon.social",
        "l.facebook.com",
        "www.google.com",
        "player.vimeo.com",
        "arxiv.org",
        "dx.doi.org",
        "pypi.python.org",
        "old.reddit.com",
        "redd.it",
        "instagram.com",
        "open.spotify.com",
        "tex.stackexchange.com",
    ]
)
PIECES = """
%61 %2F %2f %25 %C3%A9 %zz .. // /./ watch embed/ dQw4w9WgXcQ videoseries live_stream status/20
@Alice i/web wiki/ w/index.php users/a/statuses/123456789 l.php url foo/bar.git Foo/ .git
video/ 1 abs/ pdf/ 1706.03762v5 .pdf 10.1/AbC pypi/A_b project/a..B/ r/A/ u/B comments/a1/ comments/
questions/1/ q/2/ why intl-de/ track/Ab1 p/Ab1 reel/
"""
TOKENS = st.sampled_from([*"aAzé/ %.;:@+'![]|^{}~-_=,", *PIECES.split()])
TEXT = st.lists(TOKENS, max_size=8).map("".join)
NAMES = st.sampled_from(["a", "b", "A", "v", "u", "url", "q", "list", "title", "tab", "si", "x[]"])
VALUES = st.one_of(TEXT, st.just("dQw4w9WgXcQ"), st.just("https%3A%2F%2Fexample.com%2Fb%3Fq%3D1"))
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=4)


@st.composite
def addresses(draw: st.DrawFn) -> str:
    pairs = "&".join(f"{name}={value}" for name, value in draw(PAIRS))
    scheme, fragment = draw(st.sampled_from(["http", "https"])), draw(TEXT)
    return f"{scheme}://{draw(HOSTS)}/{draw(TEXT)}?{pairs}#{fragment}"


def understood(url: str) -> Identity:
    try:
        return identify(url)
    except BadUrl:
        assume(False)
        raise


@given(addresses())
@example("https://example.com/%%36%31")
@example("https://www.youtube.com/embed/videoseries?list=dQw4w9WgXcQ")
@example("https://touch.facebook.com/users/a/statuses/123456789")
@example("https://mbasic.facebook.com/l.php?u=https%3A%2F%2Fexample.com%2F")
@example("https://en.m.wikipedia.org/w/index.php/?title=../What?")
@example("https://commons.m.wikimedia.org/wiki/a%2F.%2Fb")
@example("https://gitlab.com/alice/...git")
@example("https://github.com/alice/...git")
@example("https://gist.github.com/alice/a//.git")
@example("https://doi.org/10.1000%2F..%2Fa")
@example("https://www.tumblr.com/xn--alice/733128390912982016")
@example("https://www.instagram.com/Reel/CuZ8w0xoLXk/")
@example("https://www.instagram.com/P/CuZ8w0xoLXk/embed/?hl=de")
@example("https://twitter.com/I/web/status/20")
def test_understanding_twice_changes_nothing(url: str) -> None:
    once = understood(url)
    twice = identify(once.url)

    assert (twice.identity, twice.url, twice.host) == (once.identity, once.url, once.host)
    assert identify("https://" + once.identity.removeprefix("v1:")).identity == once.identity


@given(host=HOSTS, path=TEXT, pairs=PAIRS, data=st.data())
def test_the_order_of_different_parameters_means_nothing(
    host: str, path: str, pairs: list[tuple[str, str]], data: st.DataObject
) -> None:
    distinct = list({name: f"{name}={value}" for name, value in pairs}.values())
    shuffled = data.draw(st.permutations(distinct))
    # The mark of a fragment ends the address: a space at its very end would be no part of it.
    one = understood(f"https://{host}/{path}?{'&'.join(distinct)}#")

    assert identify(f"https://{host}/{path}?{'&'.join(shuffled)}#").identity == one.identity


@given(addresses(), st.sampled_from(["utm_campaign=x", "fbclid=1", "gclid=2&utm_id=3"]))
def test_tracking_at_the_end_changes_nothing(url: str, tracking: str) -> None:
    address, _hash, fragment = url.partition("#")

    assert identify(f"{address}&{tracking}#{fragment}").identity == understood(url).identity


@given(st.text(max_size=60))
@example("https://\ud800")
@example("https://xn--/")
def test_any_text_is_an_address_or_a_refusal(text: str) -> None:
    for url in (text, "https://" + text, "https://example.com/" + text):
        try:
            said = identify(url).identity + "."
        except BadUrl as refusal:
            said = str(refusal)
        assert said.endswith(".")
