"""Where hosts are, TXT records that two resolvers agree on, and the way through a proxy."""

import socket
from collections.abc import Callable
from contextlib import suppress

import pytest

from mickle.lib import _fetch_names, fetch
from mickle.lib.fetch import Forbidden, Limits, Unreachable
from tests.lib.street import AT, fetcher, house, page, registry

NAME = "_mickle-challenge.good.com"


def say(*records: tuple[str, str]) -> Callable:
    return lambda _name, kind, _n: [one for one in records if one[0] in (kind, "CNAME")]


def code_of(call: Callable) -> str:
    with pytest.raises(Unreachable) as caught:
        call()
    return caught.value.code


def test_ipv4_comes_first_and_all_addresses_are_given():
    with registry(say(("A", "8.8.8.8"), ("A", "9.9.9.9"), ("AAAA", "2620:fe::fe"))) as names:
        found = _fetch_names.addresses_of("good.com", resolvers=(names.place,), timeout_s=2)
    assert found == ["8.8.8.8", "9.9.9.9", "2620:fe::fe"]


@pytest.mark.parametrize(
    ("said", "code"), [("NXDOMAIN", "no_name"), ([], "no_name"), ("SERVFAIL", "dns"), (None, "dns")]
)
def test_no_address_is_said_with_why(tmp_path, said, code):
    with registry(lambda *_asked: said) as names:
        one = fetcher(tmp_path, resolvers=(names.place,), limits=Limits(seconds=0.4))
        assert code_of(lambda: one.get("http://good.com/", at=AT)) == code


def test_who_says_nothing_about_ipv6_is_reached_by_ipv4():
    with registry(lambda _n, kind, _c: [("A", "8.8.8.8")] if kind == "A" else "SERVFAIL") as names:
        found = _fetch_names.addresses_of("good.com", resolvers=(names.place,), timeout_s=1)
    assert found == ["8.8.8.8"]


def test_a_name_is_asked_for_whole_and_no_file_of_hosts_is_read():
    asked = []
    with registry(lambda name, *_more: asked.append(name) or "NXDOMAIN") as names:
        for host in ("localhost", "good.com", "good.com."):
            with suppress(Unreachable):
                _fetch_names.addresses_of(host, resolvers=(names.place,), timeout_s=1)
    assert set(asked) == {"localhost", "good.com"}


def test_txt_is_what_one_resolver_says_where_there_is_one():
    with registry(say(("TXT", "token=1"), ("TXT", "other"))) as names:
        assert fetch.txt(NAME, resolvers=(names.place,)) == ["token=1", "other"]


def test_txt_is_what_two_resolvers_agree_on():
    with (
        registry(say(("TXT", "both"), ("TXT", "first"))) as one,
        registry(say(("TXT", "second"), ("TXT", "both"))) as two,
    ):
        assert fetch.txt(NAME, resolvers=(one.place, two.place)) == ["both"]


@pytest.mark.parametrize("said", ["NXDOMAIN", []])
def test_no_txt_is_an_answer(said):
    with registry(lambda *_asked: said) as one, registry(say(("TXT", "x"))) as two:
        assert fetch.txt(NAME, resolvers=(one.place,)) == []
        assert fetch.txt(NAME, resolvers=(two.place, one.place)) == []


@pytest.mark.parametrize("said", ["SERVFAIL", "REFUSED", None])
def test_a_resolver_that_fails_is_no_answer(said):
    with registry(lambda *_asked: said) as one, registry(say(("TXT", "x"))) as two:
        for places in ((one.place,), (two.place, one.place), (one.place, two.place)):
            assert code_of(lambda p=places: fetch.txt(NAME, resolvers=p, timeout_s=0.4)) == "dns"


def test_txt_follows_a_name_for_another():
    with registry(say(("CNAME", "else.where.com"), ("TXT", "there"))) as names:
        assert fetch.txt(NAME, resolvers=(names.place,)) == ["there"]


@pytest.mark.parametrize("name", ["a" * 64 + ".com", ".".join(["abc"] * 80), "a..b"])
def test_a_name_that_cannot_be_has_no_txt(name):
    with registry(say(("TXT", "x"))) as names:
        with suppress(Unreachable):
            assert fetch.txt(name, resolvers=(names.place,)) == []
        assert not names.asked


@pytest.mark.parametrize("text", ["9.9.9.9", "127.0.0.1:5353", "2620:fe::fe", "[2620:fe::fe]:53"])
def test_a_resolver_is_an_address_with_or_without_a_port(tmp_path, text):
    assert fetcher(tmp_path, resolvers=(text,))


@pytest.mark.parametrize("text", ["", "dns.example", "9.9.9.9:x", "https://9.9.9.9/"])
def test_a_resolver_that_is_none_is_told_at_the_start(tmp_path, text):
    with pytest.raises(ValueError):
        fetcher(tmp_path, resolvers=(text,))


def test_behind_a_proxy_the_proxy_finds_hosts_and_addresses_are_still_looked_at(tmp_path):
    with house({"http://good.com:80/": page(b"by proxy", kind="text/plain")}) as proxy:
        place = f"http://user:wo%72d@127.0.0.1:{proxy.port}"
        one = fetcher(tmp_path, proxy=place, resolvers=("127.0.0.1:1",))
        assert one.get("http://good.com/", at=AT).text == "by proxy"
        assert "\r\nProxy-Authorization: Basic dXNlcjp3b3Jk\r\n" in proxy.heads[0]
        for url, code in (
            ("http://127.0.0.1/", "address"),
            ("https://[::ffff:10.0.0.1]/", "address"),
            ("http://localhost/", "name"),
            ("http://good.com:22/", "port"),
            ("http://8.8.8.8:22/", "address"),
        ):
            with pytest.raises(Forbidden) as caught:
                one.get(url, at=AT)
            assert caught.value.code == code
        assert proxy.asked == ["http://good.com:80/"]


def test_a_tunnel_through_a_proxy_ends_where_the_name_is_proved(tmp_path):
    def tunnel(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        assert sock.recv(5)[:1] == b"\x16"

    with house({"*": tunnel}) as proxy:
        one = fetcher(tmp_path, proxy=f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(Unreachable):
            one.get("https://good.com/", at=AT)
        assert proxy.heads[0].startswith("CONNECT good.com:443 HTTP/1.1\r\n")


def test_a_proxy_that_refuses_or_is_gone_is_said(tmp_path):
    with house({"*": page(b"", status="403 No")}) as proxy:
        one = fetcher(tmp_path, proxy=f"http://127.0.0.1:{proxy.port}")
        assert code_of(lambda: one.get("https://good.com/", at=AT)) == "connect"
    assert code_of(lambda: one.get("https://good.com/2", at=AT)) == "connect"
