"""Whose a host is: one party's share of hosts that belong to many."""

import pytest

from mickle.lib import shared_hosts
from mickle.lib._shared_hosts_list import HOUSE_WWW, NOBODY, PATHS, SUBDOMAINS
from mickle.lib.urls import identify

SHARED = sorted(SUBDOMAINS)
PATH_FORMS = sorted(PATHS.split())
GATEWAYS = sorted(NOBODY)


def test_more_than_two_hundred_hosts_are_known_to_be_shared() -> None:
    assert len(SHARED) >= 200
    assert len(PATH_FORMS) >= 100
    assert len(GATEWAYS) >= 50


def test_every_name_is_a_host_as_identities_have_it() -> None:
    for host in {*SHARED, *(form.partition("/")[0] for form in PATH_FORMS), *GATEWAYS}:
        assert identify(f"https://{host.lstrip('.')}/x").host is not None
        assert host == host.lower()
        assert not host.startswith("www.")


@pytest.mark.parametrize("host", SHARED)
def test_a_claim_of_a_shared_host_pays_nobody_below_it(host: str) -> None:
    assert shared_hosts.is_shared(host)
    assert not shared_hosts.covers(host, host, "/page")
    assert not shared_hosts.covers(host, f"alice.{host}", "/page")
    assert shared_hosts.tenant(f"alice.{host}", "/page") == f"alice.{host}"
    assert shared_hosts.registrable(f"x.alice.{host}") == f"alice.{host}"
    assert not shared_hosts.same_owner(f"alice.{host}", f"bob.{host}")
    assert not shared_hosts.same_owner(f"alice.{host}", host)


@pytest.mark.parametrize("form", PATH_FORMS)
def test_a_path_of_a_shared_host_is_one_partys(form: str) -> None:
    host, _slash, path = form.partition("/")
    alice, bob = path.replace("*", "alice7"), path.replace("*", "bob7")

    assert shared_hosts.tenant(host, f"/{alice}/page") == f"{host}/{alice}"
    assert shared_hosts.covers(f"{host}/{alice}", host, f"/{alice}/page")
    assert not shared_hosts.covers(f"{host}/{alice}", host, f"/{bob}/page")
    assert not shared_hosts.covers(host, host, f"/{alice}/page")
    assert shared_hosts.tenant(host, "/") == ""
    assert not shared_hosts.same_owner(host, host)


@pytest.mark.parametrize("host", GATEWAYS)
def test_a_page_of_a_gateway_is_nobodys(host: str) -> None:
    name = f"alice{host}" if host.startswith(".") else host

    assert shared_hosts.tenant(name, "/web/2020/https://blog.example/") == ""
    assert not shared_hosts.covers(name, name, "/ipfs/bafy")


@pytest.mark.parametrize(
    ("host", "path", "scope"),
    [
        ("blog.example", "/post", "blog.example"),
        ("alice.blog.example", "/post", "alice.blog.example"),
        ("blog.example:8443", "/post", "blog.example:8443"),
        ("blog.co.uk", "/", "blog.co.uk"),
        ("co.uk", "/", ""),
        ("alice.github.io", "/tool", "alice.github.io"),
        ("azurewebsites.net", "/", ""),
        ("dyndns.org", "/", ""),
        ("alice.dyndns.org", "/", "alice.dyndns.org"),
        ("www.ck", "/", "www.ck"),
        ("blog.ck", "/", ""),
        ("127.0.0.1", "/", "127.0.0.1"),
        ("[::1]:8080", "/", "[::1]:8080"),
        ("localhost", "/", "localhost"),
        ("com", "/", ""),
        ("bücher.example".encode("idna").decode(), "/", "xn--bcher-kva.example"),
        ("github.com", "/alice/tool", "github.com/alice"),
        ("github.com", "/topics/python", ""),
        ("github.com", "/", ""),
        ("medium.com", "/@alice/story", "medium.com/@alice"),
        ("medium.com", "/publication/story", ""),
        ("raw.githubusercontent.com", "/alice/tool/main/a", "raw.githubusercontent.com/alice/tool"),
        ("raw.githubusercontent.com", "/alice", ""),
        ("ipfs.io", "/ipfs/bafy", ""),
        ("bafy.ipfs.dweb.link", "/", ""),
        ("blog-example.translate.goog", "/", ""),
        ("mastodon.social", "/@alice/1", "mastodon.social/@alice"),
        ("mastodon.social", "/about", ""),
        ("social.example", "/@alice/109000000000000001", "social.example/@alice"),
        ("people.school.example", "/~alice/page", "people.school.example/~alice"),
        ("people.school.example", "/~alice", "people.school.example/~alice"),
        ("people.school.example", "/a/~alice", "people.school.example"),
        ("youtube.com", "/watch", ""),
        ("youtube.com", "/@alice/videos", "youtube.com/@alice"),
    ],
)
def test_the_scope_that_belongs_to_one_party(host: str, path: str, scope: str) -> None:
    assert shared_hosts.tenant(host, path) == scope


@pytest.mark.parametrize(
    "host", ["com", "co.uk", "www.ck", "blog.ck", "kobe.jp", "a.kobe.jp", "localhost", "10.0.0.1"]
)
def test_a_name_is_shared_where_there_is_nothing_to_register(host: str) -> None:
    assert shared_hosts.is_shared(host) is (shared_hosts.registrable(host) == "")


def test_a_claim_of_a_parent_is_none_of_its_child() -> None:
    assert shared_hosts.covers("blog.example", "blog.example", "/post")
    assert not shared_hosts.covers("blog.example", "alice.blog.example", "/post")
    assert not shared_hosts.covers("", "co.uk", "/")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("blog.example", "www.blog.example", True),
        ("feeds.blog.example", "blog.example", True),
        ("a.blog.co.uk", "b.blog.co.uk", True),
        ("a.co.uk", "b.co.uk", False),
        ("alice.github.io", "x.alice.github.io", True),
        ("alice.github.io", "bob.github.io", False),
        ("alice.wordpress.com", "bob.wordpress.com", False),
        ("github.com", "gist.github.com", False),
        ("sites.google.com", "docs.google.com", False),
        ("blog.example", "blog.example.evil.example", False),
        ("notblog.example", "blog.example", False),
    ],
)
def test_two_hosts_are_one_partys_by_what_it_registered(one: str, other: str, same: bool) -> None:
    assert shared_hosts.same_owner(one, other) is same


@pytest.mark.parametrize(
    ("host", "path", "speaker"),
    [
        ("blog.example.org", "/~bob/cv", "blog.example.org/~bob"),
        ("blog.example.org", "/busy", "blog.example.org"),
        ("sites.google.com", "/view/bob/cv", "sites.google.com/view/bob"),
        ("sites.google.com", "/x", "sites.google.com/x"),
        ("github.io", "/x", "github.io/x"),
        ("web.archive.org", "/web/1/x", "web.archive.org/web/1/x"),
        ("mastodon.social", "/@bob", "mastodon.social"),
        ("mastodon.social", "/api/v1/accounts/5", "mastodon.social"),
    ],
)
def test_who_decides_what_a_page_answers(host: str, path: str, speaker: str) -> None:
    assert shared_hosts.speaker(host, path) == speaker


@pytest.mark.parametrize("host", sorted(HOUSE_WWW))
def test_www_is_the_house_where_that_is_known(host: str) -> None:
    assert shared_hosts.is_shared(host)
    assert identify(f"https://www.{host}/a").identity == identify(f"https://{host}/a").identity


@pytest.mark.parametrize(
    "host", ["github.io", "neocities.org", "co.uk", "blogspot.com", "netlify.app"]
)
def test_www_may_be_somebody_elsewhere(host: str) -> None:
    assert identify(f"https://www.{host}/a").identity != identify(f"https://{host}/a").identity
