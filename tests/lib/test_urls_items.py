"""An item of a feed: its own page where the feed's owner has it, else the guid in the feed."""

import pytest

from mickle.lib.urls import BadUrl, identify, identify_item

FEED = "https://blog.example/feed.xml"


@pytest.mark.parametrize(
    ("feed", "item", "page"),
    [
        (FEED, {"guid": "https://blog.example/post", "permalink": True}, "blog.example/post"),
        (
            FEED,
            {"guid": "7", "link": "https://blog.example/post?utm_source=rss"},
            "blog.example/post",
        ),
        (FEED, {"guid": "7", "link": "https://www.blog.example/post"}, "blog.example/post"),
        (
            "https://feeds.blog.example/",
            {"guid": "7", "link": "https://blog.example/post"},
            "blog.example/post",
        ),
        (
            "https://www.youtube.com/feeds/videos.xml?channel_id=UC1",
            {"guid": "yt:video:x", "link": "https://www.youtube.com/watch?v=dQw4w9WgXcQ"},
            "youtube.com/watch?v=dQw4w9WgXcQ",
        ),
        (
            "https://github.com/alice/tool/releases.atom",
            {"guid": "tag:1", "link": "https://github.com/alice/tool/releases/tag/1"},
            "github.com/alice/tool/releases/tag/1",
        ),
    ],
)
def test_an_item_is_its_page(feed: str, item: dict, page: str) -> None:
    assert identify_item(feed, **item).identity == f"v1:{page}"


@pytest.mark.parametrize(
    ("feed", "item"),
    [
        # What a blog links to is not the blog's.
        (FEED, {"guid": "7", "link": "https://stranger.example/essay"}),
        (FEED, {"guid": "https://stranger.example/essay", "permalink": True}),
        ("https://alice.github.io/feed", {"guid": "7", "link": "https://bob.github.io/post"}),
        (
            "https://raw.githubusercontent.com/alice/site/main/feed",
            {"guid": "7", "link": "https://raw.githubusercontent.com/bob/site/main/post"},
        ),
        # A podcast may give every episode the same link.
        (FEED, {"guid": "7", "link": FEED}),
        (FEED, {"guid": "7", "link": "no address"}),
        (FEED, {"guid": "https://blog.example/?p=7", "permalink": False}),
    ],
)
def test_without_a_page_of_its_own_an_item_is_its_guid(feed: str, item: dict) -> None:
    found = identify_item(feed, **item)

    assert found.rule == "feed item"
    assert found.host == identify(feed).host
    assert found.identity.partition("#!guid/")[2]
    assert identify(found.url).identity == found.identity
    assert identify_item(feed, **item | {"guid": "8", "permalink": False}) != found


@pytest.mark.parametrize("guid", ["a b", "a%20b", "a+b", "ä", "#", "a/../b", "?q=1&utm_source=x"])
def test_any_text_is_a_guid_of_its_own(guid: str) -> None:
    one = identify_item(FEED, guid=guid)
    others = [identify_item(FEED, guid=guid + end) for end in ("x", "/", "#", "%", "?")]

    assert one.identity not in {other.identity for other in others}
    assert identify(one.url).identity == one.identity


@pytest.mark.parametrize(
    ("feed", "guid"),
    [(FEED, ""), (FEED, "  "), ("https://github.com/alice/tool/releases.atom", "7")],
)
def test_an_item_that_cannot_be_told_from_its_feed_is_refused(feed: str, guid: str) -> None:
    with pytest.raises(BadUrl, match="neither a page"):
        identify_item(feed, guid=guid)
