"""Which addresses are one thing, which are refused, and what is kept of them."""

import json
from pathlib import Path

import pytest

from mickle.lib import urls

CASES = json.loads(Path(__file__).with_name("urls.json").read_text(encoding="utf-8"))


def identity(url: str) -> str:
    return urls.identify(url).identity


@pytest.mark.parametrize("group", CASES["same"], ids=lambda group: group[0])
def test_addresses_of_one_list_are_one_thing(group: list[str]) -> None:
    assert {identity(url) for url in group} == {identity(group[0])}


@pytest.mark.parametrize("group", CASES["different"], ids=lambda group: group[0])
def test_addresses_of_one_list_are_different_things(group: list[str]) -> None:
    assert len({identity(url) for url in group}) == len(group)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.com/a/?x=1", "https://example.com/a?x=1"),
        ("https://example.com/a?&x=1&", "https://example.com/a?x=1"),
        ("https://example.com/a?x[]=1", "https://example.com/a?x%5b%5D=1"),
        ("https://example.com/a|b", "https://example.com/a%7Cb"),
        ("https://example.com/100%", "https://example.com/100%25"),
        ("https://example.com/%7Ealice", "https://example.com/~alice"),
        ("https://example.com/a?UTM_Source=x", "https://example.com/a"),
        ("https://app.example/#/", "https://app.example/"),
        ("https://app.example/#!/", "https://app.example/"),
        ("https://www.www.example.com/", "https://example.com/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("  https://example.com/a \n", "https://example.com/a"),
    ],
)
def test_spellings_that_mean_the_same(one: str, other: str) -> None:
    assert identity(one) == identity(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://www.github.io/", "https://github.io/"),
        ("https://www.com/", "https://com/"),
        ("https://example.com/a//b", "https://example.com/a/b"),
        ("https://example.com/a//", "https://example.com/a"),
        ("https://example.com//", "https://example.com/"),
        ("https://example.com/a?x", "https://example.com/a?x="),
        ("https://example.com/a?ref=1", "https://example.com/a"),
        ("https://example.com/a?q=a+b", "https://example.com/a?q=a%2Bb"),
        ("https://example.com/a?t=1", "https://example.com/a?t=2"),
        ("https://example.com/?utm=1", "https://example.com/"),
        ("http://example.com:443/a", "https://example.com/a"),
        ("https://example.com/%2561", "https://example.com/%61"),
        ("https://example.com/%%36%31", "https://example.com/a"),
        ("https://faß.example/", "https://fass.example/"),
        ("https://m.example.com/", "https://example.com/"),
    ],
)
def test_spellings_that_are_not_surely_the_same(one: str, other: str) -> None:
    assert identity(one) != identity(other)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("javascript:alert(1)", "https://"),
        ("JaVaScRiPt:alert(1)//https://example.com", "https://"),
        ("data:text/html,hello", "https://"),
        ("ftp://example.com/a", "“ftp:”"),
        ("file:///etc/passwd", "“file:”"),
        ("mailto:a@example.com", "https://"),
        ("/relative/page", "whole address"),
        ("//example.com/a", "whole address"),
        ("example.com/a", "whole address"),
        ("page.html", "whole address"),
        ("", "not a web address"),
        ("   ", "not a web address"),
        ("https://", "not a web address"),
        ("https://exa mple.com/", "not a web address"),
        ("https://example.com:99999/", "not a web address"),
        ("https://[::1/", "not a web address"),
        ("https://a\ud800b.example/", "not a web address"),
        ("https://./", "names no host"),
        ("https://example.com../a", "names no host"),
        ("https://.example.com/", "names no host"),
        (f"https://{'a' * 64}.example/", "names no host"),
        ("https://example.com/a\nb", "line break"),
        ("https://exa\tmple.com/", "line break"),
        ("https://example.com/\x00", "line break"),
        ("https://example.com/caf\ufffd", "could not be read"),
        ("https://example.com/" + "a" * 1_981, "2001 characters"),
        ("https://example.com/" + "a" * 2_980, "3000 characters"),
        ("https://example.com/" + "é" * 400, "2420 characters"),
    ],
)
def test_what_is_no_address_of_a_page_is_refused_in_a_sentence(url: str, words: str) -> None:
    with pytest.raises(urls.BadUrl, match=words):
        urls.identify(url)


def test_an_address_of_two_thousand_characters_is_the_longest() -> None:
    found = urls.identify("https://example.com/" + "a" * 1_980)

    assert len(found.url) == 2_000


@pytest.mark.parametrize(
    "begin", ["http://example.com/", "http://a.example:443/", "https://[::1]:80/"]
)
def test_the_longest_address_has_a_place_and_a_maker_or_none(begin: str) -> None:
    found = urls.identify(begin + "a" * (2_000 - len(begin)))

    assert urls.place(found) == found.host
    assert urls.maker(found) is None


def test_the_kept_address_opens_the_same_page() -> None:
    found = urls.identify("HTTP://WWW.Example.com/a/?b=2&utm_source=x&a=1#frag")

    assert found.url == "http://www.example.com/a/?b=2&a=1"
    assert found.identity == "v1:example.com/a?a=1&b=2"
    assert found.host == "example.com"
    assert found.raw == "HTTP://WWW.Example.com/a/?b=2&utm_source=x&a=1#frag"


def test_credentials_are_dropped_everywhere_and_flagged() -> None:
    found = urls.identify("https://alice:secret@example.com/a")

    assert found.had_credentials
    assert "secret" not in f"{found.identity} {found.url} {found.raw} {found.host}"
    assert not urls.identify("https://example.com/@alice").had_credentials


def test_a_password_behind_a_redirect_is_flagged_too() -> None:
    found = urls.identify("https://l.facebook.com/l.php?u=https%3A%2F%2Fa%3Ab%40example.com%2F")

    assert found.had_credentials
    assert found.identity == "v1:example.com/"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://alice:secret@example.com/a", "password"),
        ("https://:secret@example.com/a", "password"),
        ("https://paypal.com@evil.example/", "evil.example"),
        ("https://www%2epaypal%2ecom@evil.example/", "evil.example"),
    ],
)
def test_an_address_with_a_password_or_a_false_host_is_not_admitted(url: str, words: str) -> None:
    with pytest.raises(urls.BadUrl, match=words):
        urls.admit(url)


def test_a_plain_name_in_front_of_the_host_is_only_dropped() -> None:
    assert urls.admit("https://user@example.com/a").identity == "v1:example.com/a"


def test_a_chain_of_redirects_without_end_is_refused() -> None:
    url = "https://example.com/"
    for _step in range(6):
        url = "https://href.example/" if not url else f"https://exit.sc/?url={_escaped(url)}"

    with pytest.raises(urls.BadUrl, match="only leads on"):
        urls.identify(url)


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace(":", "%3A").replace("/", "%2F")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://bücher.example/", "bücher.example"),
        ("https://例え.テスト/", "例え.テスト"),
        ("https://ドメイン名例.jp/", "ドメイン名例.jp"),
        ("https://москва.рф:8080/", "москва.рф:8080"),
        ("https://сор.рф/", "сор.рф"),
        ("https://भारत.example/", "भारत.example"),
        ("https://pаypal.com/a", "xn--pypal-4ve.com"),
        ("https://аррӏе.com/", "xn--80ak6aa92e.com"),
        ("https://example.com/", "example.com"),
        ("https://łódź.example/", "łódź.example"),
        ("https://straße.example/", "straße.example"),
        ("https://việtnam.example/", "việtnam.example"),
        ("https://ノート.example/", "ノート.example"),
        ("https://abcノート.example/", "abcノート.example"),
        ("https://ɡoogle.com/", "xn--oogle-qmc.com"),
        ("https://ɑpple.com/", "xn--pple-p5b.com"),
        ("https://ıcloud.com/", "xn--cloud-m4a.com"),
        ("https://exampleǃ.com/", "xn--example-bec.com"),
        ("https://ᎪᏢᏢᏞᎬ.com/", "xn--g9de3mpaa.com"),
        ("https://ոսօց.com/", "xn--mbbkmp.com"),
        ("https://сёор.com/", "xn--n1aeb8d.com"),
        ("https://ёжик.com/", "ёжик.com"),
        ("https://ονκα.com/", "xn--mxarih.com"),
        ("https://bank.comノlogin.evil.com/", "bank.xn--comlogin-634g.evil.com"),
        ("https://bank.comーlogin.evil.com/", "bank.xn--comlogin-0g5g.evil.com"),
        ("https://bank.com丶x.evil.com/", "bank.xn--comx-dh5f.evil.com"),
        ("https://一.example/", "xn--4gq.example"),
    ],
)
def test_a_host_is_shown_in_its_script_unless_it_could_deceive(url: str, shown: str) -> None:
    assert urls.identify(url).display_host == shown


@pytest.mark.parametrize(
    ("address", "origin", "site"),
    [
        ("https://www.Blog.Example/post?x=1", "https://www.blog.example", "blog.example"),
        ("http://blog.example:8080", "http://blog.example:8080", "blog.example:8080"),
        ("https://blog.example@evil.example/", "https://evil.example", "evil.example"),
        ("https://www.google.com/url?q=https://a.example/", "https://www.google.com", "google.com"),
        ("null", "", ""),
        ("", "", ""),
        ("javascript:alert(1)", "", ""),
        ("data:text/html,x", "", ""),
        ("about:blank", "", ""),
        ("file:///etc/passwd", "", ""),
    ],
)
def test_the_site_of_an_address_is_the_one_it_stands_on(
    address: str, origin: str, site: str
) -> None:
    assert (urls.origin_of(address), urls.site_of(address)) == (origin, site)
