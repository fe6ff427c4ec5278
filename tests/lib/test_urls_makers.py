"""Whose account made a page: only where its address alone is proof."""

import pytest

from mickle.lib import urls
from mickle.lib.urls import Maker

SURE = {
    "https://github.com/Alice": ("github", "alice"),
    "https://github.com/Alice/tool": ("github", "alice"),
    "https://github.com/alice/tool.git": ("github", "alice"),
    "https://github.com/alice/tool/releases/tag/1.0": ("github", "alice"),
    "https://github.com/alice/tool/blob/main/README.md": ("github", "alice"),
    "https://raw.githubusercontent.com/alice/tool/main/a": ("github", "alice"),
    "https://alice.github.io/tool/": ("github", "alice"),
    "https://gitlab.com/Group": ("gitlab", "group"),
    "https://gitlab.com/_Bob/tool": ("gitlab", "_bob"),
    "https://x.com/_bob": ("x", "_bob"),
    "https://gitlab.com/group/sub/tool": ("gitlab", "group"),
    "https://gitlab.com/group/sub/tool/-/tree/main/src": ("gitlab", "group"),
    "https://codeberg.org/Alice/tool": ("codeberg", "alice"),
    "https://codeberg.org/alice/tool/src/branch/main/a": ("codeberg", "alice"),
    "https://alice.codeberg.page/": ("codeberg", "alice"),
    "https://mastodon.social/@Alice": ("mastodon.social", "alice"),
    "https://mastodon.social/@alice/1": ("mastodon.social", "alice"),
    "https://mastodon.social/users/Alice": ("mastodon.social", "alice"),
    "https://social.example/@alice/109000000000000001": ("social.example", "alice"),
    "https://social.example/users/alice/statuses/109000000000000001": ("social.example", "alice"),
    "https://x.com/Jack": ("x", "jack"),
    "https://twitter.com/jack": ("x", "jack"),
    "https://www.instagram.com/Alice/": ("instagram", "alice"),
    "https://soundcloud.com/alice": ("soundcloud", "alice"),
    "https://m.soundcloud.com/alice/song?si=x": ("soundcloud", "alice"),
    "https://soundcloud.com/alice/sets/all": ("soundcloud", "alice"),
    "https://www.youtube.com/@Alice": ("youtube", "@alice"),
    "https://www.youtube.com/@alice/videos": ("youtube", "@alice"),
    "https://www.youtube.com/channel/UC4QobU6STFB0P71PMvOGN5A": (
        "youtube",
        "UC4QobU6STFB0P71PMvOGN5A",
    ),
    "https://www.flickr.com/photos/alice/123/in/photostream": ("flickr", "alice"),
    "https://www.flickr.com/photos/12345678%40N00/": ("flickr", "12345678@N00"),
    "https://www.flickr.com/people/alice/": ("flickr", "alice"),
    "https://alice.tumblr.com/post/123/words": ("tumblr", "alice"),
    "https://www.tumblr.com/alice/733128390912982016": ("tumblr", "alice"),
    "https://alice.bandcamp.com/album/first": ("bandcamp", "alice"),
    "https://www.reddit.com/u/Alice": ("reddit", "alice"),
    "https://medium.com/@Alice": ("medium", "alice"),
    "https://alice.medium.com/": ("medium", "alice"),
    "https://bsky.app/profile/Alice.bsky.social": ("bluesky", "alice.bsky.social"),
    "https://bsky.app/profile/alice.bsky.social/post/3kabc": ("bluesky", "alice.bsky.social"),
    "https://bsky.app/profile/did:plc:abc/post/3kabc": ("bluesky", "did:plc:abc"),
    "https://vimeo.com/alice": ("vimeo", "alice"),
    "https://500px.com/p/alice": ("500px", "alice"),
}
# Each with the way a sloppy rule would name somebody.
UNSURE = {
    "https://x.com/mallory/status/20": "X shows a post under any name",
    "https://x.com/i/status/20": "",
    "https://x.com/explore": "a page of the house",
    "https://x.com/jack/lists": "",
    "https://medium.com/@mallory/a-story-1a2b3c4d5e6f": "Medium finds a story by its number",
    "https://alice.medium.com/a-story-1a2b3c4d5e6f": "the same",
    "https://medium.com/alice": "a publication",
    "https://help.medium.com/": "a host of the house",
    "https://github.com/": "",
    "https://github.com/topics/python": "a page of the house",
    "https://github.com/features": "the same",
    "https://github.com/sponsors/alice": "the same",
    "https://github.com/orgs/alice": "the same",
    "https://github.com/Topics/python": "the same in capitals",
    "https://github.com/alice/tool/issues/1": "anybody writes issues",
    "https://github.com/alice/tool/pull/1": "anybody sends requests",
    "https://github.com/alice/tool/commit/abc1234": "GitHub shows a fork's commit here",
    "https://github.com/alice/tool/tree/abc1234": "and a fork's files",
    "https://github.com/alice/tool/blob/0123456789012345678901234567890123456789/a": "the same",
    "https://github.com/alice/tool/blob/refs/pull/1/head/a": "and a request's",
    "https://raw.githubusercontent.com/alice/tool/abc1234/a": "and raw",
    "https://gist.github.com/alice/0123456789abcdef0123456789abcdef": "a gist is found by number",
    "https://sub.alice.github.io/": "no host that GitHub gives",
    "https://gitlab.com/explore/projects": "a page of the house",
    "https://gitlab.com/alice/tool/-/issues/1": "anybody writes issues",
    "https://gitlab.com/alice/tool/issues/1": "the same without the dash",
    "https://gitlab.com/alice/tool/-/merge_requests/1": "anybody sends requests",
    "https://gitlab.com/-/snippets/1": "",
    "https://codeberg.org/explore/repos": "a page of the house",
    "https://codeberg.org/alice/tool/issues/1": "anybody writes issues",
    "https://codeberg.org/alice/tool/src/commit/abc1234/a": "a hash may be anybody's",
    "https://mastodon.social/@alice@social.example/109000000000000001": "another instance's",
    "https://mastodon.social/explore": "",
    "https://shop.example/@alice": "a host of which nothing is known",
    "https://shop.example/@alice/12": "the same",
    "https://www.instagram.com/p/CuZ8w0xoLXk/": "",
    "https://www.instagram.com/alice/p/CuZ8w0xoLXk/": "Instagram finds a post by its code",
    "https://www.instagram.com/explore/": "a page of the house",
    "https://soundcloud.com/discover": "a page of the house",
    "https://soundcloud.com/alice/likes": "others' songs",
    "https://soundcloud.com/alice/reposts": "others' songs",
    "https://www.youtube.com/watch?v=dQw4w9WgXcQ": "",
    "https://www.youtube.com/playlist?list=PLa": "a list may hold others' videos",
    "https://www.youtube.com/alice": "",
    "https://www.flickr.com/photos/tags/cat": "a page of the house",
    "https://www.flickr.com/photos/alice/galleries/1": "others' pictures",
    "https://www.tumblr.com/explore": "a page of the house",
    "https://help.tumblr.com/": "a host of the house",
    "https://daily.bandcamp.com/": "a host of the house",
    "https://bandcamp.com/alice": "a fan",
    "https://www.reddit.com/r/alice": "a place of many",
    "https://www.reddit.com/user/alice/comments/abc/t/": "Reddit finds a post by its number",
    "https://bsky.app/profile/alice": "no handle",
    "https://vimeo.com/76979871": "",
    "https://vimeo.com/features": "a page of the house",
    "https://vimeo.com/channels/staffpicks": "the same",
    "https://pypi.org/project/flask/": "a project may have many",
    "https://en.wikipedia.org/wiki/Alice": "",
    "https://blog.example/alice": "",
    "https://github.com.evil.example/alice": "another host",
    "https://github.com:8443/alice": "another port",
}


@pytest.mark.parametrize(("url", "account"), SURE.items())
def test_the_site_itself_says_who_made_it(url: str, account: tuple[str, str]) -> None:
    assert urls.maker(url) == Maker(*account)


@pytest.mark.parametrize("url", UNSURE)
def test_nobody_is_named_where_it_is_not_sure(url: str) -> None:
    assert urls.maker(url) is None


def test_an_identity_and_its_text_have_the_maker_of_the_address() -> None:
    found = urls.identify("https://github.com/Alice/tool")

    assert urls.maker(found) == urls.maker(found.identity) == Maker("github", "alice")


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("https://blog.example/", "general"),
        ("https://youtu.be/dQw4w9WgXcQ", "youtube"),
        ("https://github.com/alice", "github"),
        ("https://en.m.wikipedia.org/wiki/A", "wikipedia"),
        ("https://alice.bandcamp.com/", "bandcamp"),
        ("https://mastodon.social/@alice", "mastodon"),
        ("https://social.example/users/alice/statuses/109000000000000001", "fediverse"),
        ("https://tube.example/videos/watch/9c9de5e8-0a1e-484a-b099-e80766180a6d", "peertube"),
        ("https://l.facebook.com/l.php?u=https%3A%2F%2Fblog.example%2F", "door: l.facebook.com"),
        (
            "https://l.facebook.com/l.php?u=https%3A%2F%2Fyoutu.be%2FdQw4w9WgXcQ",
            "door: l.facebook.com, youtube",
        ),
    ],
)
def test_the_rule_that_gave_an_identity_has_a_name(url: str, rule: str) -> None:
    assert urls.identify(url).rule == rule


@pytest.mark.parametrize(
    ("url", "account"),
    [
        ("https://git.example/Alice", "alice"),
        ("https://git.example/Alice/Tool/-/tree/main/A", "alice"),
        ("https://git.example/alice/tool/-/issues/1", None),
        ("https://git.example/explore", None),
        ("https://other.example/alice/tool", None),
    ],
)
def test_a_host_that_is_known_to_run_gitlab_has_accounts_as_gitlab_has(url, account) -> None:
    found = urls.maker(url, gitlabs={"git.example"})
    assert found == (Maker("git.example", account) if account else None)
    assert urls.maker(url) is None
