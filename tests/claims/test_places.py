"""Which page lies in a place, and what part of a host an address names."""

import pytest

from mickle.claims import _places, proofs
from mickle.lib._shared_hosts_list import NOBODY, SUBDOMAINS

BLOG = "uni.example/bob"


@pytest.mark.parametrize(
    ("text", "address", "lies"),
    [
        (BLOG, "https://uni.example/bob", True),
        (BLOG, "http://www.uni.example/bob/", True),
        (BLOG, "https://uni.example/bob/essay?x=1", True),
        (BLOG, "https://uni.example/bob?x=1", True),
        (BLOG, "https://uni.example/bobby", False),
        (BLOG, "https://uni.example/bob2/essay", False),
        (BLOG, "https://uni.example/", False),
        (BLOG, "https://uni.example/bob/../eve", False),
        (BLOG, "https://uni.example/%62ob/x", True),
        (BLOG, "https://uni.example/Bob", False),
        (BLOG, "https://evil.example/uni.example/bob", False),
        ("uni.example", "https://uni.example:8443/bob", False),
        ("uni.example", "https://uni.example/anything", True),
        ("uni.example", "https://www.uni.example/", True),
        ("uni.example", "https://a.uni.example/", False),
        ("uni.example", "https://uni.example.evil.example/", False),
        ("uni.example", "https://uni.example@evil.example/", False),
        ("uni.example", "javascript:alert(1)", False),
    ],
)
def test_what_lies_in_a_place(text: str, address: str, lies: bool) -> None:
    assert _places.covers(text, address) is lies


@pytest.mark.parametrize(
    ("address", "whole_host", "kind", "text"),
    [
        ("https://Blog.Example/", False, "HOST", "blog.example"),
        ("https://www.blog.example", False, "HOST", "blog.example"),
        ("https://blog.example/a/b?c=d", True, "HOST", "blog.example"),
        ("https://blog.example/a/b?c=d#e", False, "PATH", "blog.example/a/b"),
        ("https://bücher.example/", False, "HOST", "xn--bcher-kva.example"),
        ("https://bob.github.io/tool", True, "HOST", "bob.github.io"),
        ("https://github.com/Bob/Tool.git", False, "PATH", "github.com/bob/tool"),
        ("https://medium.com/@bob", False, "PATH", "medium.com/@bob"),
        ("https://uni.example/~bob/essays", False, "PATH", "uni.example/~bob/essays"),
    ],
)
def test_an_address_names_exactly_one_place(address, whole_host, kind, text) -> None:
    place = _places.of(address, whole_host=whole_host)
    assert (place.kind, place.text) == (kind, text)


def is_nobodys(address: str) -> bool:
    try:
        _places.of(address, whole_host=False)
    except proofs.NotOnePlace:
        return True
    return False


def test_a_host_that_many_share_is_nobodys_and_a_part_of_it_is_one_partys():
    assert len(SUBDOMAINS) > 200
    assert [host for host in SUBDOMAINS if not is_nobodys(f"https://{host}/")] == []
    parts = {host: _places.of(f"https://alice.{host}/x", whole_host=True) for host in SUBDOMAINS}
    assert [host for host, part in parts.items() if part.text != f"alice.{host}"] == []


def test_a_host_that_shows_pages_of_others_is_nobodys():
    hosts = [name for name in NOBODY if not name.startswith(".")]
    paths = ("/", "/ipfs/abc", "/https://blog.example/")
    assert len(hosts) > 50
    assert [
        host for host in hosts for path in paths if not is_nobodys(f"https://{host}{path}")
    ] == []
