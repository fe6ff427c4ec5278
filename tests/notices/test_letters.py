"""One polite letter a year to makers for whom something waits, and never one they did not allow."""

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.db import IntegrityError
from django.test import Client

from mickle.instance import street
from mickle.instance.models import Instance
from mickle.lib import fetch, funding, months, reading
from mickle.lib.fetch import Fetched
from mickle.nods import nods
from mickle.notices import letters
from mickle.notices.letters import Waits
from mickle.notices.models import Letter
from mickle.notices.notices import NotSent
from mickle.ops import deeds, looking
from mickle.settlement import settlement
from mickle.things import things
from mickle.things.models import Thing
from tests.notices.mailing import AFTER_THE_GRACE as AT
from tests.notices.mailing import Clock
from tests.people import NOVEMBER, creator, member

pytestmark = pytest.mark.django_db
YEAR = timedelta(days=366)
FUNDING = '{"entity": {"email": "Maker@Blog.example"}}'


class Site:
    """A web where some hosts publish something."""

    def __init__(self, **pages: str) -> None:
        self.pages = {f"https://{host.replace('_', '.')}": text for host, text in pages.items()}
        self.asked: list[str] = []

    def get(self, url: str, *, at: datetime, crawl: bool = False) -> Fetched:
        assert crawl
        self.asked.append(url)
        if url not in self.pages:
            raise fetch.Unreachable("server", host="x", status="503")
        return Fetched(url, 200, "text/html", self.pages[url], "", (url,), at, False, False)


@pytest.fixture
def web(clock: Clock, settings, monkeypatch) -> Site:
    """A real instance that writes to makers; blog.example publishes an address."""
    settings.FETCH = settings.WRITE_TO_MAKERS = True
    Instance.objects.update(kind="REAL")
    site = Site()
    site.pages["https://blog.example/funding.json"] = FUNDING
    monkeypatch.setattr(street, "fetcher", lambda: site)
    return site


def given(*urls: str, givers: int = 3, at: datetime = AT) -> list[Thing]:
    """Pages that some members nodded at in November, which is settled."""
    pages = [things.find_or_add(url=url, at=months.start(NOVEMBER)) for url in urls]
    for number in range(givers):
        who = member(f"giver{number}", funds="20.00")
        for page in pages:
            nods.give(member=who, thing=page, at=months.start(NOVEMBER))
    settlement.settle(month=NOVEMBER, at=at)
    return pages


def write(at: datetime = AT) -> list[str]:
    """Do what is due; to whom was written just now."""
    before = len(mail.outbox)
    if deeds.makers_to_write_to(at):
        deeds.write_to_makers(at)
    return [one.to[0] for one in mail.outbox[before:]]


def test_who_has_a_site_is_told_once_a_year_what_waits(web):
    given("https://blog.example/a", "https://blog.example/b")
    assert write() == ["maker@blog.example"]
    (letter,) = mail.outbox
    assert letter.subject == "€15.00 waits for the makers of blog.example"
    assert "6 times, and €15.00 is set aside" in letter.body
    assert "https://mickle.example/mine/show?url=https%3A%2F%2Fblog.example%2F" in letter.body
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert not set(re.findall(r"giver\d", letter.body))
    assert Letter.objects.get().state == "SENT"
    assert "maker" not in str(Letter.objects.values())

    assert write(AT + timedelta(days=365)) == []
    assert write(AT + YEAR) == ["maker@blog.example"]


def test_a_page_in_german_is_written_to_in_german(web):
    (page,) = given("https://blog.example/a")
    Thing.objects.filter(id=page.id).update(language="de_DE")
    write()
    assert "wartet auf die Urheber von blog.example" in mail.outbox[0].subject


@pytest.mark.parametrize("setting", ["WRITE_TO_MAKERS", "FETCH", "BASE_URL"])
def test_nobody_is_written_to_unless_whoever_runs_it_wants_it(web, settings, setting):
    given("https://blog.example/a")
    setattr(settings, setting, "" if setting == "BASE_URL" else False)
    assert write() == []
    assert web.asked == []


@pytest.mark.parametrize("kind", ["DEMO", "TEST"])
def test_a_demo_or_test_writes_to_nobody(web, kind):
    given("https://blog.example/a")
    Instance.objects.update(kind=kind)
    assert write() == []


def test_of_fewer_than_three_givers_nothing_is_told(web):
    given("https://blog.example/a", givers=2)
    assert write() == []


def test_who_has_an_owner_or_refused_is_not_written_to(web):
    owned, refused = given("https://blog.example/a", "https://blog.example/b")
    things.set_owner(thing=owned, owner=creator("bob"), at=AT)
    settlement.refuse(thing=refused, at=AT)
    assert write() == []


@pytest.mark.parametrize("url", ["https://github.com/bob/tool", "https://uni.example/~bob/x"])
def test_of_what_a_person_has_at_a_host_its_owner_is_not_told(web, url):
    web.pages[f"https://{urlsplit(url).netloc}/funding.json"] = FUNDING
    given(url)
    assert write() == []
    assert web.asked == []


def test_a_host_is_told_of_its_own_pages_alone(web):
    given("https://blog.example/~bob/x", "https://blog.example/a")
    write()
    assert "3 times, and €7.50 is set aside" in mail.outbox[0].body


def test_a_site_without_an_address_is_asked_once_a_year(web):
    web.pages.clear()
    given("https://blog.example/a")
    assert write() == []
    asked = len(web.asked)
    assert asked == 2
    assert Letter.objects.get().state == "NONE"
    assert write(AT + timedelta(days=100)) == []
    assert len(web.asked) == asked


def test_who_has_two_sites_gets_one_letter(web):
    web.pages["https://shop.example/"] = '<link rel=payment href="mailto:MAKER@blog.example?x">'
    given("https://blog.example/a", "https://shop.example/a")
    assert write() == ["maker@blog.example"]
    assert write(AT + timedelta(hours=1)) == []
    assert sorted(Letter.objects.values_list("state", flat=True)) == ["NONE", "SENT"]


def test_one_press_ends_it_for_every_site_and_opening_the_page_does_not(web):
    web.pages["https://shop.example/funding.json"] = FUNDING
    given("https://blog.example/a", "https://shop.example/a")
    write()
    path = urlsplit(re.search(r"https://\S+/letter/\S+", mail.outbox[0].body)[0]).path
    person = Client(enforce_csrf_checks=True)
    assert "no more letters about" in person.get(path).content.decode()
    assert write(AT + YEAR) == ["maker@blog.example"]

    assert "Nobody writes to this address" in person.post(path).content.decode()
    assert person.post(path).status_code == 200
    assert [write(AT + YEAR * years) for years in (2, 3, 4)] == [[], [], []]


def test_a_no_holds_when_the_key_of_the_instance_is_another(web, settings):
    web.pages["https://shop.example/funding.json"] = FUNDING
    given("https://blog.example/a", "https://shop.example/a")
    write()
    path = urlsplit(re.search(r"https://\S+/letter/\S+", mail.outbox[0].body)[0]).path
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "of now"
    assert Client().post(path).status_code == 200
    assert [write(AT + YEAR * years) for years in (1, 2)] == [[], []]


def test_a_link_that_is_none_says_so(client, web):
    answer = client.post("/letter/nothing")
    assert answer.status_code == 404
    assert "This link is not whole" in answer.content.decode()


def test_what_died_while_it_was_sent_is_not_sent_again(web, monkeypatch):
    given("https://blog.example/a")

    def dies(*_all: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mickle.notices._post.Line.hand_over", dies)
    with pytest.raises(KeyboardInterrupt):
        write()
    monkeypatch.undo()
    assert Letter.objects.get().state == "CLAIMED"
    with pytest.raises(IntegrityError):
        Letter.objects.create(host="blog.example", year=AT.year, state="NONE", told_at=AT)


def test_a_mail_server_that_is_away_changes_nothing(web, settings):
    given("https://blog.example/a")
    settings.EMAIL_BACKEND = "mickle.notices.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    with pytest.raises(NotSent):
        write()
    assert not Letter.objects.exists()


def test_the_database_lets_no_second_letter_of_a_year_through(web):
    waits = Waits("blog.example", 3, 1, "")
    assert letters.write(waits=waits, address="maker@blog.example", at=AT)
    with pytest.raises(IntegrityError):
        letters.write(waits=waits, address="other@blog.example", at=AT)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (FUNDING, ["Maker@Blog.example"]),
        ('{"funding": {"channels": [{"address": "mailto:pay@a.example"}]}}', ["pay@a.example"]),
        ('{"funding": {"channels": [{"address": "https://a.example/@x"}]}}', []),
        ('{"entity": {"email": ["a@b.example"]}}', []),
        ("[]", []),
        ("no json", []),
    ],
)
def test_addresses_of_a_funding_file(said, found):
    assert funding.mails(said) == found


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ('<link rel="payment" href="mailto:a@b.example">', ("a@b.example",)),
        ('<a rel="payment nofollow" href=" MAILTO:a%40b.example?subject=x">', ("a@b.example",)),
        ('<a rel="ugc payment" href="mailto:a@b.example">', ()),
        ('<a href="mailto:a@b.example">', ()),
        ('<a rel="me" href="mailto:a@b.example">', ()),
    ],
)
def test_addresses_of_a_page_are_those_for_payment(page, found):
    said = reading.read(f"<title>T</title>{page}", url="https://b.example/", type="text/html")
    assert said.mails == found


def test_another_host_says_nothing_of_this_one(web):
    class Led(Site):
        def get(self, url: str, *, at: datetime, crawl: bool = False) -> Fetched:
            return super().get(url, at=at, crawl=crawl)._replace(url="https://other.example/")

    site = Led()
    site.pages["https://blog.example/funding.json"] = FUNDING
    assert looking.published("blog.example", site, AT) == ""
