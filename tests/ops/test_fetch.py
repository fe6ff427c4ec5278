"""`mickle fetch`: what is read, in lines and for a program, or the sentence why it is not."""

import json

import pytest
from django.core.exceptions import ImproperlyConfigured

from mickle.config import _environment
from mickle.instance import street
from mickle.lib.fetch import Fetcher
from mickle.ops.main import main
from tests.lib.street import house, page, to
from tests.ops.worlds import Terminal

pytestmark = pytest.mark.django_db

PAGE = """<html lang=en><title>A\u202e page\x1b[2J</title><link rel=me href=/me>
<script type="application/ld+json">{"@type": "Person", "name": "Alice"}</script>"""


@pytest.fixture
def mickle(capsys, settings) -> Terminal:
    settings.FETCH = True
    return Terminal(capsys)


@pytest.fixture
def there(tmp_path, monkeypatch):
    with house({"/": page(PAGE.encode()), "/on": to("/")}) as server:
        one = Fetcher(
            folder=tmp_path,
            agent=street.agent(),
            allowed=lambda address, port: (address, port) == ("127.0.0.1", server.port),
            sleep=lambda _seconds: None,
        )
        monkeypatch.setattr(street, "fetcher", lambda: one)
        yield server


def test_it_says_what_it_read_in_lines(mickle, there):
    assert mickle("fetch", there.url("/on")) == 0
    lines = [line.split(maxsplit=1) for line in mickle.out.splitlines()]
    assert lines[:3] == [
        ["address", there.url("/on")],
        ["address", there.url("/")],
        ["type", "text/html"],
    ]
    assert ["title", "A page [2J"] in lines
    assert ["mes", there.url("/me")] in lines
    assert ["facts", "Person  Alice"] in lines
    assert mickle.out.replace("\n", "").isprintable()


def test_it_answers_for_a_program(mickle, there):
    assert mickle("fetch", there.url("/"), "--json") == 0
    told = json.loads(mickle.out)
    assert (told["status"], told["hops"], told["from_cache"]) == (200, [there.url("/")], False)
    assert told["reading"]["mes"] == [there.url("/me")]
    assert told["reading"]["facts"][0]["type"] == "Person"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://127.0.0.2/", "is not on the public net. Nothing was read"),
        ("http://localhost/", "is a name of local networks only"),
        ("ftp://a:secret@example.com/", "“ftp://example.com/” is not the address"),
        ("nonsense", "is not the address of a web page"),
        ("http://a:b@example.com/", "has a name or password"),
    ],
)
def test_it_says_why_it_does_not_read(mickle, there, url, sentence):
    assert mickle("fetch", url) == 1
    assert sentence in mickle.err
    assert mickle.out == ""


def test_where_nothing_is_read_from_the_web_it_asks_nobody(mickle, there, settings):
    settings.FETCH = False
    assert mickle("fetch", there.url("/")) == 1
    assert (mickle.out, mickle.err.count("\n")) == ("", 0)
    assert mickle.err.startswith("MICKLE_FETCH is off here, so nothing is read")


def test_it_says_that_there_is_no_page(mickle, there):
    assert mickle("fetch", there.url("/none")) == 1
    assert "answers 404 and no page. Nothing was read" in mickle.err


def test_the_instance_fetches_by_its_settings_and_says_who_it_is(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.BASE_URL = "https://nod.example.org"
    settings.FETCH_PROXY = "http://127.0.0.1:3128"
    settings.FETCH_RESOLVERS = ("9.9.9.9",)
    street.fetcher.cache_clear()
    one = street.fetcher()
    street.fetcher.cache_clear()
    assert one._agent.startswith("Mickle/")
    assert one._agent.endswith(" (+https://nod.example.org/robot)")
    assert (one._way.proxy, one._way.resolvers) == ("http://127.0.0.1:3128", ("9.9.9.9",))
    assert (tmp_path / "fetched" / "pages").is_dir()
    settings.BASE_URL = ""
    assert "(" not in street.agent()


@pytest.mark.parametrize(
    "text", ["https://p:1", "http://p", "socks5://p:1", "p:3128", "http://a b:1"]
)
def test_a_proxy_that_cannot_be_one_stops_the_start_without_its_password(text):
    with pytest.raises(ImproperlyConfigured, match="MICKLE_FETCH_PROXY cannot be read") as caught:
        _environment.proxy(text)
    assert text not in str(caught.value)
    assert _environment.proxy("http://user:pass@proxy.example:3128")


def test_a_server_of_names_that_is_none_stops_the_start():
    with pytest.raises(ImproperlyConfigured, match=r"MICKLE_FETCH_RESOLVERS has “dns\.example”"):
        _environment.places(["9.9.9.9", "dns.example"])
    assert _environment.places(["9.9.9.9", "[::1]:5353"]) == ("9.9.9.9", "[::1]:5353")


def test_a_server_of_names_has_a_port_that_can_be():
    for text in ("9.9.9.9:0", "9.9.9.9:99999"):
        with pytest.raises(ImproperlyConfigured):
            _environment.places([text])
    assert main(["fetch"]) == 2
