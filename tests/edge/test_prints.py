"""Codes and posters over the edge: for whom there is one, and that they hold nobody up."""

import asyncio
import sqlite3
import threading
import time

import pytest

from mickle.edge import _prints
from mickle.edge.edge import Policy
from mickle.nods import nods
from mickle.things import things
from mickle.things.models import Thing
from tests import people, qr
from tests.edge.street import Street
from tests.edge.test_printing import page
from tests.people import MID_NOVEMBER

HOST = {"host": "localhost:8000"}
NOD = "http://localhost:8000/nod?url="


@pytest.fixture
def essay() -> Thing:
    made = people.thing("essay")
    for name in ("alice", "dora", "emil"):
        nods.give(member=people.member(name, funds="5.00"), thing=made, at=MID_NOVEMBER)
    return made


def code(street: Street, query: str, **headers: str) -> str:
    """The text of the code that is answered."""
    answer = street.get("/b/qr.svg", query, **(HOST | headers))
    assert answer.status == 200, answer.body
    return qr.text(answer.body.decode())


def test_a_code_opens_the_nod_page_of_a_number_or_an_address(street, essay):
    assert code(street, f"id={essay.id}") == NOD + "https://essay.example/"
    assert (
        code(street, "url=http://www.essay.example/?utm_source=x") == NOD + "https://essay.example/"
    )
    assert code(street, "url=https://never.example/seen") == NOD + "https://never.example/seen"


def test_what_was_merged_has_the_code_of_its_target(street, essay):
    double = people.thing("double")
    things.merge(thing=double, into=essay, at=MID_NOVEMBER)
    assert code(street, f"id={double.id}") == NOD + "https://essay.example/"


def test_a_poster_has_the_title_and_host_of_its_page(street, essay):
    answer = street.get("/b/qr.pdf", f"id={essay.id}&lang=de", **HOST)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'inline; filename="nod.pdf"'
    words = page(answer.body)[1]
    assert words.startswith("Essay\nessay.example\n")
    assert "Der Code öffnet localhost:8000." in words
    unknown = street.get("/b/qr.pdf", "url=https://www.never.example/seen", **HOST)
    assert page(unknown.body)[1].startswith("never.example\n")


def test_what_is_not_here_or_takes_no_nods_has_no_code(street, essay):
    things.take_down(thing=essay, at=MID_NOVEMBER)
    for number in (essay.id, 999):
        answer = street.get("/b/qr.svg", f"id={number}", **HOST)
        assert answer.status == 404
        assert answer.json["error"] == f"There is no page number {number} that takes nods."


@pytest.mark.parametrize(
    "query", ["", "id=x", "id=1&id=2", "url=javascript:alert(1)", "id=1&lang=xx"]
)
def test_a_question_that_cannot_be_answered_is_told_why(alone, query):
    answer = alone.get("/b/qr.pdf", query, **HOST)
    assert answer.status == 400
    assert answer.json["error"].endswith(".")


def test_the_code_leads_where_the_pages_are_whatever_host_was_asked(street, essay):
    here = Street(Policy(pages_origin="https://nod.example", button_origin="https://b.example"))
    expected = "https://nod.example/nod?url=https://essay.example/"
    for host in ("localhost", "evil.example", ""):
        assert code(here, f"id={essay.id}", host=host) == expected
    here.close()


def test_without_a_set_address_only_hosts_of_this_instance_are_printed(street, essay):
    query = f"id={essay.id}"
    for host in ("evil.example", "", "localhost.evil.example", "localhost@evil.example", "x/../y"):
        assert street.get("/b/qr.svg", query, host=host).status == 400
    # Asked by two of its names, each has its own: the answer of one is never given to the other.
    assert code(street, query, host="127.0.0.1:8000").startswith("http://127.0.0.1:8000/")
    assert code(street, query, host="localhost").startswith("http://localhost/")
    assert code(street, query, host="[::1]:8000").startswith("http://[::1]:8000/")


def test_who_has_the_code_is_told_so_and_caches_may_keep_it(street, essay):
    query = f"id={essay.id}"
    for path in ("/b/qr.svg", "/b/qr.pdf"):
        first = street.get(path, query, **HOST, cookie="a=b")
        assert first.headers["cache-control"] == "public, max-age=60, stale-while-revalidate=3600"
        assert first.headers["cross-origin-resource-policy"] == "cross-origin"
        assert not {"set-cookie", "vary"} & first.headers.keys()
        again = street.get(path, query, **HOST, if_none_match=first.headers["etag"])
        assert (again.status, again.body) == (304, b"")


def test_a_new_title_is_on_the_poster_after_a_minute(street, essay, monkeypatch):
    at = [1000.0]
    monkeypatch.setattr(_prints.time, "monotonic", lambda: at[0])
    query = f"id={essay.id}"
    street.get("/b/qr.pdf", query, **HOST)
    essay.title = "New"
    essay.save(update_fields=["title"])
    assert page(street.get("/b/qr.pdf", query, **HOST).body)[1].startswith("Essay\n")
    at[0] += _prints.FRESH_S
    assert page(street.get("/b/qr.pdf", query, **HOST).body)[1].startswith("New\n")


def test_the_same_code_asked_many_times_at_once_is_drawn_once(street, essay, monkeypatch):
    drawn = []
    real = _prints._print
    monkeypatch.setattr(_prints, "_print", lambda *key: drawn.append(key) or real(*key))
    asked = [street.ask("/b/qr.svg", f"id={essay.id}", **HOST) for _one in range(20)]
    answers = street.loop.run_until_complete(gathered(asked))
    assert {answer.status for answer in answers} == {200}
    assert len(drawn) == 1


def test_who_has_many_drawn_is_told_to_wait_and_others_are_not(transactional_db):
    people.instance_at()
    street = Street(Policy(requests_a_second=1, burst=60, proxies=("127.0.0.1",)))
    one, other = {"x_forwarded_for": "10.0.0.1"} | HOST, {"x_forwarded_for": "10.0.0.2"} | HOST
    poster = "url=https://page-{}.example/"
    found = [street.get("/b/qr.pdf", poster.format(number), **one).status for number in range(4)]
    again = street.get("/b/qr.pdf", poster.format(0), **other)
    kept = [street.get("/b/qr.pdf", poster.format(0), **other).status for _time in range(5)]
    street.close()
    assert (found, again.status) == ([200, 200, 429, 429], 200)
    # What is drawn already costs what a count costs.
    assert kept == [200] * 5


async def gathered(asked):
    return await asyncio.gather(*asked)


def test_memory_is_bounded(street, essay, monkeypatch):
    monkeypatch.setattr(_prints, "KEPT_AT_MOST", 3)
    for number in range(6):
        street.get("/b/qr.svg", f"url=https://page-{number}.example/", **HOST)
        street.get("/b/qr.svg", f"url=https://page-{number}.example/&title=x{number}", **HOST)
    kept = [key.asked.url for key in street.edge._prints._kept]
    assert kept == [f"https://page-{number}.example/" for number in (3, 4, 5)]


def test_drawing_holds_up_no_count_and_a_crowd_is_told_to_come_again(street, essay, monkeypatch):
    go = threading.Event()
    real = _prints._print
    monkeypatch.setattr(_prints, "_print", lambda *key: go.wait(20) and real(*key))
    monkeypatch.setattr(_prints, "WAITING_AT_MOST", 2)

    async def crowd():
        first = [
            asyncio.create_task(street.ask("/b/qr.svg", f"url=https://p{n}.example/", **HOST))
            for n in range(2)
        ]
        await asyncio.sleep(0)
        late = await street.ask("/b/qr.svg", "url=https://late.example/", **HOST)
        begun = time.monotonic()
        count = await street.ask("/b/count", f"id={essay.id}")
        took = time.monotonic() - begun
        go.set()
        return late, count, took, [await one for one in first]

    late, count, took, first = street.loop.run_until_complete(crowd())
    assert late.status == 503
    assert "Try again" in late.json["error"]
    assert count.json["count"] == 3
    assert took < 5
    assert [answer.status for answer in first] == [200, 200]
    assert street.get("/b/qr.svg", "url=https://late.example/", **HOST).status == 200


def test_a_broken_database_is_told_and_not_remembered(street, essay, monkeypatch, caplog):
    real = _prints._found

    def broken(_database, _asked):
        raise sqlite3.OperationalError("gone")

    monkeypatch.setattr(_prints, "_found", broken)
    assert street.get("/b/qr.svg", f"id={essay.id}", **HOST).status == 503
    monkeypatch.setattr(_prints, "_found", real)
    assert street.get("/b/qr.svg", f"id={essay.id}", **HOST).status == 200
    assert "could not be looked up" in caplog.text


def test_an_address_too_long_for_a_code_is_told_so(street):
    long = "https://long.example/" + "%25" * 600
    answer = street.get("/b/qr.svg", "url=" + long.replace("%", "%25"), **HOST)
    assert answer.status == 400
    assert answer.json["error"] == "This address is too long for a QR code."


def test_shields_is_told_the_count_in_its_own_form(street, essay):
    answer = street.get("/b/shields.json", f"id={essay.id}")
    assert answer.json == {"schemaVersion": 1, "label": "nods", "message": "3", "color": "96471d"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"].startswith("public, max-age=1")
    german = street.get("/b/shields.json", f"id={essay.id}&lang=de").json
    assert german["label"] == "Danke"
    assert street.get("/b/shields.json", "url=https://never.example/").json["message"] == "0"
    assert street.get("/b/shields.json", "id=1&id=2").status == 400
