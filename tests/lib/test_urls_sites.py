"""What is known of single sites: each pair is one thing, or surely two."""

import pytest

from mickle.lib.urls import identify

SAME = [
    ("https://www.youtube.com/v/dQw4w9WgXcQ", "https://youtu.be/dQw4w9WgXcQ"),
    ("https://www.youtube.com/@Handle", "https://m.youtube.com/@handle/featured?si=x"),
    (
        "https://www.youtube.com/embed/videoseries?list=PLx",
        "https://youtube.com/playlist?list=PLx&si=1",
    ),
    ("https://www.youtube.com/redirect?q=https%3A%2F%2Fexample.com%2Fa", "https://example.com/a"),
    ("https://x.com/i/web/status/20", "https://twitter.com/jack/statuses/20"),
    ("https://twitter.com/#!/jack", "https://x.com/Jack?ref_src=twsrc"),
    ("https://github.com/Foo/Bar?tab=readme-ov-file#install", "https://www.github.com/foo/bar"),
    ("https://github.com/Foo/bar/issues/1", "https://github.com/foo/Bar/issues/1"),
    ("https://en.wikipedia.org/wiki/who's_who", "https://en.wikipedia.org/wiki/Who%27s%20who"),
    (
        "https://de.wikipedia.org/w/index.php?title=Z%C3%BCrich",
        "https://de.m.wikipedia.org/wiki/Zürich",
    ),
    (
        "https://commons.m.wikimedia.org/wiki/File:A.jpg",
        "https://commons.wikimedia.org/wiki/File%3AA.jpg",
    ),
    ("https://m.wikidata.org/wiki/Q42", "https://www.wikidata.org/wiki/Q42"),
    (
        "https://mastodon.social/users/a/statuses/109000000000000001",
        "https://mastodon.social/@a/109000000000000001",
    ),
    ("https://old.reddit.com/r/x/comments/1/", "https://www.reddit.com/r/x/comments/1"),
    (
        "https://www.google.com/url?sa=t&url=https%3A%2F%2Fexample.com%2Fa%3Fb%3D1",
        "https://example.com/a?b=1",
    ),
    ("https://vk.com/away.php?to=http%3A%2F%2Fexample.com", "https://example.com/"),
    ("https://player.vimeo.com/video/76979871?badge=0", "https://vimeo.com/76979871"),
    ("https://arxiv.org/pdf/1706.03762v5.pdf", "http://export.arxiv.org/abs/1706.03762v5"),
    ("https://arxiv.org/abs/math.GT/0309136", "https://arxiv.org/pdf/math.GT/0309136"),
    ("http://dx.doi.org/10.1000/ABC.1", "https://doi.org/10.1000/abc.1"),
    ("https://pypi.org/project/Flask_Login/", "https://pypi.python.org/pypi/flask-login"),
    (
        "https://stackoverflow.com/questions/11227809/why-is",
        "https://stackoverflow.com/q/11227809/1",
    ),
    ("https://tex.stackexchange.com/q/1", "https://tex.stackexchange.com/questions/1/what?rq=1"),
    ("https://old.reddit.com/r/x/comments/abc/a_title/", "https://redd.it/abc"),
    ("https://www.reddit.com/u/Alice", "https://reddit.com/user/alice/"),
    (
        "https://open.spotify.com/intl-de/track/4uLU6hMC?si=x",
        "https://open.spotify.com/embed/track/4uLU6hMC",
    ),
    ("https://www.instagram.com/reel/Cabc_-1/?igsh=x", "https://instagram.com/alice/p/Cabc_-1"),
    ("https://m.soundcloud.com/a/b?si=1", "https://soundcloud.com/a/b"),
]
DIFFERENT = [
    ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", "https://www.youtube.com/watch?v=short"),
    ("https://www.youtube.com/@a/videos", "https://www.youtube.com/@a"),
    ("https://www.youtube.com/c/a", "https://www.youtube.com/user/a"),
    ("https://youtu.be/", "https://www.youtube.com/"),
    ("https://x.com/jack/status/20", "https://x.com/jack/status/21"),
    ("https://x.com/jack/lists", "https://x.com/jack"),
    ("https://x.com/search?q=a", "https://x.com/search?q=b"),
    ("https://github.com/foo/bar/blob/main/A", "https://github.com/foo/bar/blob/main/a"),
    ("https://github.com/foo", "https://github.com/foo/bar"),
    ("https://github.com/foo?tab=stars", "https://github.com/foo?tab=followers"),
    ("https://gist.github.com/foo/bar", "https://github.com/foo/bar"),
    ("https://en.wikipedia.org/wiki/Polish", "https://de.wikipedia.org/wiki/Polish"),
    ("https://en.wikipedia.org/wiki/Red_Meat", "https://en.wikipedia.org/wiki/Red_meat"),
    ("https://en.wiktionary.org/wiki/Polish", "https://en.wiktionary.org/wiki/polish"),
    ("https://en.wikipedia.org/w/index.php?title=A&oldid=1", "https://en.wikipedia.org/wiki/A"),
    ("https://l.facebook.com/l.php?u=javascript%3Aalert(1)", "https://l.facebook.com/l.php"),
    ("https://example.com/l.php?u=https%3A%2F%2Fa.example", "https://a.example/"),
    ("https://youtube.com.evil.example/watch?v=dQw4w9WgXcQ", "https://youtu.be/dQw4w9WgXcQ"),
    (
        "https://www.youtube.com/embed/live_stream?channel=UCa",
        "https://www.youtube.com/embed/live_stream?channel=UCb",
    ),
    ("https://vimeo.com/76979871?h=abc", "https://vimeo.com/76979871"),
    ("https://arxiv.org/abs/1706.03762v1", "https://arxiv.org/abs/1706.03762v2"),
    ("https://pypi.org/project/flask/1.0/", "https://pypi.org/project/flask/"),
    ("https://pypi.org/search/?q=a", "https://pypi.org/search/?q=b"),
    ("https://stackoverflow.com/questions/1/why/2", "https://stackoverflow.com/questions/1/why"),
    (
        "https://stackoverflow.com/questions/tagged/a",
        "https://stackoverflow.com/questions/tagged/b",
    ),
    ("https://a.stackexchange.com/q/1", "https://b.stackexchange.com/q/1"),
    ("https://reddit.com/r/x/comments/abc/t/c1", "https://reddit.com/r/x/comments/abc/t/c2"),
    ("https://reddit.com/r/x/comments/abc/t/c1", "https://reddit.com/r/x/comments/abc/t"),
    ("https://reddit.com/r/x", "https://reddit.com/user/x"),
    ("https://open.spotify.com/track/4uLU6hMC", "https://open.spotify.com/album/4uLU6hMC"),
    ("https://open.spotify.com/track/4uLU6hMC", "https://open.spotify.com/track/4ulu6hmc"),
    ("https://www.instagram.com/p/Cabc", "https://www.instagram.com/p/CABC"),
    ("https://www.instagram.com/alice/", "https://www.instagram.com/bob/"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_a_site_shows_one_thing_under_both(one: str, other: str) -> None:
    assert identify(one).identity == identify(other).identity


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_a_site_shows_two_things(one: str, other: str) -> None:
    assert identify(one).identity != identify(other).identity


def test_a_known_thing_is_linked_in_its_sites_own_form() -> None:
    assert identify("https://youtu.be/dQw4w9WgXcQ?t=3").url == (
        "https://youtube.com/watch?v=dQw4w9WgXcQ"
    )


def test_nobody_puts_another_name_on_a_post() -> None:
    assert identify("https://x.com/mallory/status/20").url == "https://x.com/i/status/20"
