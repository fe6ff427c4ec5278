"""T19: no address that somebody typed into a link of ours leads a browser off this site."""

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest
from ada_url import URL
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.utils.encoding import iri_to_uri

from mickle.claims import accounts
from mickle.claims._sites import Key
from mickle.instance import instance
from mickle.lib import months, urls
from mickle.members.models import Member
from mickle.notices import notices
from mickle.notices.models import Topic
from mickle.web import paths
from tests.people import instance_at, member, thing

pytestmark = pytest.mark.django_db
HERE = "http://testserver"
KEY = Key("id", "secret", "profile")
WAYS_OUT: list[str] = json.loads(Path(__file__).with_name("redirects.json").read_text())
# One rule says what is ours; each place that asks it is asked for some of every kind.
SOME, FEW = WAYS_OUT[::4], WAYS_OUT[::12]
_LINK = re.compile(r"""\b(?:href|src|action|formaction|content|hx-post|data-[a-z]+)="([^"]*)\"""")


@pytest.fixture
def alice() -> Member:
    instance_at(months.text(instance.open_month()), kind="TEST")
    return member("alice", funds="5.00", month=instance.open_month() - 1)


@pytest.fixture
def client(alice) -> Client:
    found = Client()
    found.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    return found


def leads_to(location: str, page: str) -> str:
    """Where a browser goes, by the web's own rules for addresses."""
    return str(URL(location, base=HERE + page).origin)


def off_site(ways: list[str], ask: Callable[[str], HttpResponse], page: str) -> list[str]:
    """The ways that lead out, or that an answer fails at; some answer has to lead somewhere."""
    wrong, led = [], 0
    for way in ways:
        answer = ask(way)
        location = answer.headers.get("Location", "")
        led += bool(location)
        outward = bool(location) and leads_to(location, page) != HERE
        if outward or answer.status_code >= 500:
            wrong.append(f"{way!r}: {answer.status_code} {location}")
    assert led, "nothing leads anywhere"
    return wrong


def test_there_are_as_many_ways_out_as_were_asked_for():
    assert len(WAYS_OUT) == len(set(WAYS_OUT)) >= 250
    out = [way for way in WAYS_OUT if _is_out(way)]
    assert len(out) > 150
    assert leads_to("/month", "/sign-in") == HERE


def _is_out(way: str) -> bool:
    try:
        return leads_to(way, "/sign-in") != HERE
    except ValueError:
        return False


def test_the_one_rule_lets_no_way_out_pass():
    passed = [way for way in WAYS_OUT if paths.is_ours(way)]
    assert [way for way in passed if leads_to(iri_to_uri(way), "/sign-in") != HERE] == []
    assert [way for way in passed if leads_to(way, "/sign-in") != HERE] == []
    assert len(passed) > 20
    assert all(map(paths.is_ours, ("/", "/month", "/nods?month=2026-11", "/a//b", "/@x")))


@pytest.mark.parametrize("page", ["/sign-in", "/sign-up"])
def test_who_is_signed_in_already_is_led_nowhere_else(client, page):
    assert off_site(SOME, lambda way: client.get(page, {"next": way}), page) == []
    inside = client.get(page, {"next": "/nods?month=2026-11"})
    assert inside.headers["Location"] == "/nods?month=2026-11"


def test_signing_out_leads_nowhere_else(alice):
    stranger = Client()
    ask = lambda way: stranger.post("/sign-out", {"next": way})  # noqa: E731 - reads as one
    assert off_site(WAYS_OUT, ask, "/sign-out") == []


@pytest.mark.parametrize("deed", ["nod", "monthly"])
def test_a_press_on_a_list_leads_nowhere_else(client, deed):
    page = thing("blog")
    address = f"/nod/{page.id}" if deed == "nod" else f"/nod/{page.id}/monthly"
    fields = {"deed": "take-back"} if deed == "nod" else {"deed": "stop"}

    def ask(way: str) -> HttpResponse:
        # What was refused is told in a cookie, and would grow.
        client.cookies.pop("messages", None)
        return client.post(address, fields | {"next": way})

    assert off_site(SOME if deed == "nod" else FEW, ask, address) == []
    assert ask("/catalogue?page=2").headers["Location"] == "/catalogue?page=2"


def test_choosing_a_language_leads_back_to_pages_of_ours_alone(alice):
    stranger = Client()

    def ask(way: str) -> HttpResponse:
        return stranger.post("/language", {"language": "de"}, headers={"Referer": way})

    sent = [way for way in WAYS_OUT if "\n" not in way and "\r" not in way]
    assert off_site(sent, ask, "/language") == []
    assert ask(f"{HERE}/terms").headers["Location"] == "/terms"


def test_a_path_that_looks_like_a_host_leads_nowhere(alice):
    stranger, wrong = Client(), []
    for way in FEW:
        path = "/" + way.lstrip("/").partition("?")[0].partition("#")[0]
        for address in (path, f"/{path}", f"/{path}/"):
            answer = stranger.generic("GET", address)
            location = answer.headers.get("Location", "")
            if location and leads_to(location, "/") != HERE:
                wrong.append(f"{address!r}: {location}")
    assert wrong == []


def signing_in(way: str) -> Iterator[HttpResponse]:
    """The answers on the way in, with a way on that somebody else chose."""
    cache.clear()
    stranger = Client()
    yield stranger.get("/sign-in", {"next": way})
    login = {"login": "alice@example.org", "password": "correct horse battery", "next": way}
    yield stranger.post("/sign-in", login)


def test_signing_in_leads_nowhere_else(alice, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    alice.set_password("correct horse battery")
    alice.save(update_fields=["password"])
    wrong = []
    for way in FEW:
        form, done = signing_in(way)
        assert done.status_code == 302, way
        if leads_to(done.headers["Location"], "/sign-in") != HERE:
            wrong.append(way)
        wrong += [f"{way!r}: {link}" for link in links_out(form, "/sign-in")]
    assert wrong == []


def links_out(answer: HttpResponse, page: str) -> list[str]:
    """The links of a page that lead out or run; none of ours does where nobody is named."""
    found = []
    for link in map(unescape, _LINK.findall(answer.content.decode())):
        try:
            if leads_to(link, page) != HERE:
                found.append(link)
        except ValueError:
            continue
    return found


def test_the_nod_page_links_to_the_page_it_names_and_nowhere_else(client):
    wrong = []
    for way in FEW:
        for page in ("/nod", "/nod/window"):
            answer = client.get(page, {"url": way, "title": way, "host": way, "nonce": "n" * 9})
            assert answer.status_code in (200, 400), way
            named = [str(URL(link).host) for link in links_out(answer, page) if "://" in link]
            hosts = {host for host in named if host not in answer.content.decode()}
            runs = [link for link in links_out(answer, page) if not link.startswith("http")]
            wrong += [f"{way!r}: {one}" for one in (*hosts, *runs)]
    assert wrong == []


def test_a_member_goes_to_the_server_that_was_named_and_to_no_other(alice, settings):
    """The one place that leads away says where to, and asks for a press on it."""
    settings.FETCH, settings.BASE_URL = True, "https://here.example"
    named = 0
    for way in WAYS_OUT:
        try:
            site = accounts.site(kind="mastodon", host=way)
        except accounts.NotOffered:
            continue
        named += 1
        away = site.leave(KEY, back="https://here.example/back", state="s", challenge="c")
        assert str(URL(away).origin) == f"https://{site.host}", way
        # What a page calls it is that very host.
        assert urls.site_of(f"https://{site.called}/") == site.host, way
    assert named > 20


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("/mine/show", "url"),
        ("/buttons", "url"),
        ("/mine/accounts/mastodon/social.example/back", "iss"),
        ("/catalogue", "q"),
        ("/mail/stop/LETTER", "next"),
    ],
)
def test_no_page_makes_a_link_of_what_it_is_asked_for(client, alice, page, name):
    letter = notices.stop_token(member=alice, topic=Topic.REMINDERS)
    address = page.replace("LETTER", letter)
    wrong = []
    for way in FEW:
        answer = client.get(address, {name: way})
        assert (answer.status_code, answer.headers.get("Location")) == (200, None), way
        wrong += [f"{way!r}: {link}" for link in links_out(answer, page)]
    if page.startswith("/mail"):
        done = client.post(f"{address}?next=//evil.example", {"next": "//evil.example"})
        assert (done.status_code, done.headers.get("Location")) == (200, None)
    assert wrong == []
