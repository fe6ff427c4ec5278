"""What a worker reads of new pages: a title, and never the name of a person who did not join."""

from datetime import UTC, datetime

import pytest

from mickle.instance import street
from mickle.lib import fetch
from mickle.lib.fetch import Fetched
from mickle.ops import deeds, looking
from mickle.things import things
from mickle.things.models import Merger, Thing
from tests.people import MID_NOVEMBER as AT

pytestmark = pytest.mark.django_db
PAGE = '<html lang="de"><title>Ein Aufsatz</title><h1>x</h1></html>'


class Reader:
    """Answers each address with a page, or with what a fetcher raises."""

    def __init__(self, *, fails: fetch.Failed | None = None) -> None:
        self.fails, self.asked = fails, []

    def get(self, url: str, *, at: datetime, crawl: bool = False) -> Fetched:
        assert crawl, "robots.txt decides about pages that nobody asked to be read"
        self.asked.append(url)
        if self.fails is not None:
            raise self.fails
        return Fetched(url, 200, "text/html", PAGE, "", (url,), at, False, False)


class Site(Reader):
    """Has pages of its own, and nothing else."""

    def __init__(self, pages: dict[str, str]) -> None:
        super().__init__()
        self.pages = pages

    def get(self, url: str, *, at: datetime, crawl: bool = False) -> Fetched:
        found = super().get(url, at=at, crawl=crawl)
        if url not in self.pages:
            raise fetch.Unreachable("server", host="blog.example", status="503")
        return found._replace(text=self.pages[url])


def add(url: str) -> Thing:
    return things.find_or_add(url=url, at=AT)


def fresh(thing: Thing) -> Thing:
    return Thing.objects.get(id=thing.id)


def test_a_page_says_what_it_is_called():
    essay = add("https://blog.example/essay")
    looking.read(essay, Reader(), AT)
    assert (fresh(essay).title, fresh(essay).language) == ("Ein Aufsatz", "de_DE")


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/jane",
        "https://mastodon.social/@jane",
        "https://soundcloud.com/jane",
        "https://www.youtube.com/@jane",
    ],
)
def test_of_a_person_not_even_the_name_is_read(url):
    reader, page = Reader(), add(url)
    looking.read(page, reader, AT)
    assert reader.asked == []
    assert fresh(page).title == ""
    assert not things.to_read(AT).exists()


def test_what_robots_or_a_rule_forbids_is_not_asked_again():
    essay = add("https://blog.example/essay")
    looking.read(essay, Reader(fails=fetch.Forbidden("robots", host="blog.example")), AT)
    assert fresh(essay).to_read_at is None


def test_a_silent_page_is_asked_again_tomorrow():
    essay = add("https://blog.example/essay")
    silent = fetch.Unreachable("server", host="blog.example", status="503")
    looking.read(essay, Reader(fails=silent), AT)
    assert fresh(essay).to_read_at.day == AT.day + 1


def test_a_worker_reads_a_few_at_a_time(monkeypatch, settings):
    reader = Reader()
    monkeypatch.setattr(street, "fetcher", lambda: reader)
    for number in range(7):
        add(f"https://blog.example/{number}")
    assert not deeds.pages_to_read(AT)
    settings.FETCH = True

    assert deeds.pages_to_read(AT)
    deeds.read_pages(AT)
    assert len(reader.asked) == 5
    deeds.read_pages(AT)
    assert len(reader.asked) == 7
    assert not deeds.pages_to_read(AT)


def of(canonical: str) -> str:
    return f'<title>T</title><link rel="canonical" href="{canonical}"><h1>x</h1>'


@pytest.mark.parametrize(
    ("there", "noted"),
    [
        (of("https://blog.example/essay"), True),
        (of("/essay"), True),
        # It names a third page, itself by another query, or nothing.
        (of("https://blog.example/"), False),
        (of("https://blog.example/essay?p=1"), False),
        ("<title>T</title>", False),
        (of("javascript:alert(1)"), False),
    ],
)
def test_a_page_that_says_it_is_another_is_noted_where_that_one_agrees(there, noted):
    page = add("https://blog.example/essay?p=1")
    essay = add("https://blog.example/essay")
    looking.read(page, Site({page.url: of("/essay"), essay.url: there}), AT)
    assert [row.thing for row in things.said_same()] == ([page] if noted else [])


def test_a_page_of_another_party_is_not_even_asked():
    page = add("https://blog.example/essay")
    web = Site({page.url: of("https://news.example/essay")})
    looking.read(page, web, AT)
    assert web.asked == [page.url]


def test_a_page_that_does_not_answer_agrees_to_nothing():
    page = add("https://blog.example/essay?p=1")
    looking.read(page, Site({page.url: of("/essay")}), AT)
    assert fresh(page).title == "T"
    assert not Merger.objects.exists()


LISTING = '{"services": [[["example"], ["https://rdap.registry.test/v1/"]]]}'
TOLD = (
    '{"objectClassName": "domain", "ldhName": "blog.example",'
    ' "events": [{"eventAction": "registration", "eventDate": "2026-11-02T00:00:00Z"}]}'
)


class Registries:
    """Answers as a fetcher does; what nobody wrote down is silent."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.pages = {
            "https://data.iana.org/rdap/dns.json": LISTING,
            "https://rdap.registry.test/v1/domain/blog.example": TOLD,
        }

    def get(self, url: str, *, at: datetime) -> Fetched:
        self.asked.append(url)
        if url not in self.pages:
            raise fetch.Unreachable("server", host="rdap.registry.test", status="503")
        kind = "application/rdap+json"
        return Fetched(url, 200, kind, self.pages[url], "", (url,), at, False, False)


def test_a_registry_says_since_when_a_domain_is_somebodys(settings):
    there = Registries()
    web = looking.Web(there)
    assert web.registered_at("blog.example", AT) == datetime(2026, 11, 2, tzinfo=UTC)
    # No registry by RDAP, one that is silent, a list that cannot be had: nothing is known.
    assert web.registered_at("blog.de", AT) is None
    assert web.registered_at("other.example", AT) is None
    del there.pages["https://data.iana.org/rdap/dns.json"]
    assert web.registered_at("blog.example", AT) is None
    there.asked.clear()
    settings.RDAP = False
    assert web.registered_at("blog.example", AT) is None
    assert there.asked == []
