"""The numbers that other sites embed."""

import re
import sqlite3
from collections.abc import Callable

import psycopg
import pytest

from mickle.edge import _clock, _counts, _database, _drawing, _kept
from mickle.edge.edge import Policy
from mickle.nods import nods
from mickle.things import things
from mickle.things.models import Thing
from tests import people
from tests.edge.street import Street
from tests.people import MID_NOVEMBER


@pytest.fixture
def essay() -> Thing:
    """A page three members who have topped up nodded at."""
    made = people.thing("essay")
    for name in ("alice", "dora", "emil"):
        nods.give(member=people.member(name, funds="5.00"), thing=made, at=MID_NOVEMBER)
    return made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    at = [1000.0]
    monkeypatch.setattr(_clock, "now", lambda: at[0])

    def forward(seconds: float) -> None:
        at[0] += seconds

    return forward


def test_a_count_is_asked_by_number_or_by_address(street, essay):
    assert street.get("/b/count", f"id={essay.id}").json == {"id": essay.id, "count": 3}
    asked = "http://www.essay.example/?utm_source=x"
    found = street.get("/b/count", "url=http%3A%2F%2Fwww.essay.example%2F%3Futm_source%3Dx").json
    assert found == {"id": essay.id, "url": asked, "count": 3}


def test_many_counts_come_in_the_order_asked(street, essay):
    other = people.thing("other")
    found = street.get("/b/count", f"id={other.id}&url=https://essay.example/&id=999&id={other.id}")
    assert [row["count"] for row in found.json] == [0, 3, 0, 0]
    assert [row["id"] for row in found.json] == [other.id, essay.id, 999, other.id]


def test_an_address_that_is_none_spoils_no_other(street, essay):
    bad = ("javascript:alert(1)", "https://essay.example/" + "x" * 3_000)
    found = street.get("/b/count", f"url={bad[0]}&id={essay.id}&url={bad[1]}").json
    assert [row["count"] for row in found] == [0, 3, 0]
    assert [row.get("url") for row in found] == [bad[0], None, bad[1]]
    assert [bool(row.get("error")) for row in found] == [True, False, True]
    # Nothing of it is looked up, or kept.
    assert [one.thing_id for one in street.edge._counts.known] == [essay.id]
    none = street.get("/b/count", f"url={bad[0]}&url={bad[1]}").json
    assert [row["count"] for row in none] == [0, 0]
    assert street.get("/b/count", f"url={bad[0]}").status == 400


def test_the_tag_of_a_frame_is_of_all_that_stands_in_it(street, essay):
    moved = Street(Policy(pages_origin="https://moved.example"))
    here, there = (one.get("/b/frame", f"id={essay.id}") for one in (street, moved))
    moved.close()
    assert here.body != there.body
    assert here.headers["etag"] != there.headers["etag"]
    held = street.get("/b/frame", f"id={essay.id}", if_none_match=here.headers["etag"])
    assert held.status == 304


def test_an_unknown_page_answers_nought_and_costs_no_row(street):
    assert street.get("/b/count", "url=https://never.example/seen").json == {
        "id": None,
        "url": "https://never.example/seen",
        "count": 0,
    }
    assert not Thing.objects.exists()


def test_what_was_taken_down_shows_no_number_and_what_was_merged_shows_its_target(street, essay):
    double = people.thing("double")
    things.merge(thing=double, into=essay, at=MID_NOVEMBER)
    assert street.get("/b/count", "url=https://double.example/").json["count"] == 3
    down = people.thing("down")
    nods.give(member=people.member("fred", funds="5.00"), thing=down, at=MID_NOVEMBER)
    things.take_down(thing=down, at=MID_NOVEMBER)
    assert street.get("/b/count", f"id={down.id}").json["count"] == 0


def test_a_count_is_fresh_within_a_second(street, essay, clock):
    query = f"id={essay.id}"
    assert street.get("/b/count", query).json["count"] == 3
    nods.give(member=people.member("gina", funds="5.00"), thing=essay, at=MID_NOVEMBER)
    clock(0.5)
    assert street.get("/b/count", query).json["count"] == 3
    clock(0.5)
    assert street.get("/b/count", query).json["count"] == 4


def test_many_who_ask_at_once_are_read_for_once(street, essay, monkeypatch):
    seen = []
    real = _counts.look_up

    def look_up(database, asked):
        seen.append(asked)
        return real(database, asked)

    monkeypatch.setattr(_counts, "look_up", look_up)
    found = street.together(*(f"id={essay.id}&id={n}" for n in range(900, 940)))
    assert {answer.json[0]["count"] for answer in found} == {3}
    assert len(seen) <= 2
    # Each once; the essay's count may be known from its nods.
    looked_up = [one.thing_id for asked in seen for one in asked if one.thing_id != essay.id]
    assert sorted(looked_up) == list(range(900, 940))


def test_memory_is_bounded(street, monkeypatch):
    monkeypatch.setattr(_kept, "AT_MOST", 3)
    for number in range(1, 8):
        street.get("/b/count", f"id={number}")
    assert list(street.edge._kept) == [f"/b/count?id={n}".encode() for n in (5, 6, 7)]
    street.get("/b/count", "&".join(f"id={n}" for n in range(100, 200)) + "&x=" + "y" * 1000)
    assert len(street.edge._kept) == 3


def test_a_broken_database_gives_the_number_before_or_a_sentence(
    street, essay, clock, monkeypatch, caplog
):
    query = f"id={essay.id}"
    assert street.get("/b/count", query).json["count"] == 3

    def broken(_database, _asked):
        raise sqlite3.OperationalError("gone")

    monkeypatch.setattr(_counts, "look_up", broken)
    clock(2)
    assert street.get("/b/count", query).json["count"] == 3
    answer = street.get("/b/count", "id=77")
    assert answer.status == 503
    assert "Try again" in answer.json["error"]
    assert "counts could not be read" in caplog.text


def test_a_lost_connection_is_opened_again(street, essay, monkeypatch):
    real, failed = _counts.look_up, []

    def once(database, asked):
        if not failed:
            failed.append(1)
            raise psycopg.OperationalError("server closed the connection")
        return real(database, asked)

    monkeypatch.setattr(_counts, "look_up", once)
    assert street.get("/b/count", f"id={essay.id}").json["count"] == 3


def test_svg_answers_with_size_theme_and_language(street, essay):
    answer = street.get("/b/count.svg", f"id={essay.id}&size=tall&theme=dark&lang=de")
    assert answer.body == _drawing.button(3, "tall", "dark", "de")
    assert answer.headers["content-type"] == "image/svg+xml; charset=utf-8"


def test_headers_let_every_site_embed_it_and_nothing_more(street, essay):
    for path in ("/b/count", "/b/count.svg"):
        answer = street.get(path, f"id={essay.id}", cookie="a=b", origin="https://blog.example")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "public, max-age=1, stale-while-revalidate=5"
        assert answer.headers["content-length"] == str(len(answer.body))
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert not {"set-cookie", "vary", "server"} & answer.headers.keys()
    assert answer.headers["content-security-policy"].endswith("'unsafe-inline'; sandbox")


def test_who_has_the_answer_is_told_so(street, essay):
    query = f"id={essay.id}"
    first = street.get("/b/count", query)
    tag = first.headers["etag"]
    assert re.fullmatch(r'W/"[^"]+"', tag)
    for held in (tag, f'"x", {tag}', tag.removeprefix("W/"), "*"):
        again = street.get("/b/count", query, if_none_match=held)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == tag
        assert "content-length" not in again.headers
    assert street.get("/b/count", query, if_none_match='W/"other"').status == 200


def test_head_says_the_length_and_sends_nothing(street, essay):
    whole = street.get("/b/count.svg", f"id={essay.id}")
    head = street.get("/b/count.svg", f"id={essay.id}", method="HEAD")
    assert head.body == b""
    assert head.headers == whole.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(alone, method):
    answer = alone.get("/b/count", "id=1", method=method)
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.headers["content-length"] == str(len(answer.body))


@pytest.mark.parametrize(
    "query",
    [
        *("", "id=", "id=x", "id=-1", "id=1.5", "id=%C2%B2", "id=" + "9" * 19, "id=" + "9" * 400),
        *(
            "url=",
            "url=javascript:alert(1)",
            "url=/relative",
            "url=https://x.example/caf%E9",
            "url=https://x.example/" + "a" * 3000,
        ),
        *("id=1&size=huge", "id=1&theme=pink", "id=1&lang=xx", "&".join(["id=1"] * 101)),
        "url=https://x.example/" + "a" * 130_000,
    ],
)
def test_a_question_that_cannot_be_answered_is_told_why(alone, query):
    answer = alone.get("/b/count", query)
    assert answer.status == 400
    assert answer.json["error"].endswith(".")
    assert answer.headers["cache-control"] == "no-store"


def test_one_picture_shows_one_count(alone):
    assert alone.get("/b/count.svg", "id=1&id=2").status == 400


def test_other_addresses_under_b_do_not_exist(alone):
    assert alone.get("/b/elsewhere").status == 404


def test_many_numbers_are_read_in_one_statement(street, essay):
    asked = frozenset(_counts.Asked(essay.id + n) for n in range(50))
    database, statements = _database.connect(), []
    real = database.query
    database.query = lambda text, names: statements.append(text) or real(text, names)
    found = _counts.look_up(database, asked)
    database.close()
    assert len(statements) == 1
    assert found[_counts.Asked(essay.id)] == (essay.id, 3)
