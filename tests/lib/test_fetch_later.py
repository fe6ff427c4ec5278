"""A host that asks to be left alone is, for as long as it says and a day at most."""

import os
import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from mickle.lib import _fetch_later
from mickle.lib.fetch import Call, Unasked, Unreachable
from tests.lib.street import AT, Clock, fetcher, house, page

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()
DATE = "Mon, 30 Nov 2026 12:00:00 GMT"
DAY = 86_400


@pytest.mark.parametrize(
    ("said", "date", "seconds"),
    [
        ("120", "", 120),
        (" 120 ", "", 120),
        ("0", "", 0),
        ("86401", "", DAY),
        ("9" * 400, "", DAY),
        ("Mon, 30 Nov 2026 12:10:00 GMT", "", 600),
        ("Mon, 30 Nov 2026 12:10:00 GMT", "Mon, 30 Nov 2026 12:09:00 GMT", 60),
        ("Monday, 30-Nov-26 12:10:00 GMT", DATE, 600),
        ("Mon Nov 30 12:10:00 2026", DATE, 600),
        ("Mon, 30 Nov 2026 12:10:00 +0200", DATE, 0),
        ("Fri, 30 Nov 2029 12:10:00 GMT", DATE, DAY),
        ("Mon, 30 Nov 2026 11:00:00 GMT", DATE, 0),
        ("Mon, 30 Nov 2026 12:10:00 GMT", "no date", 600),
        *[(said, "", 0) for said in ("", "soon", "-5", "1.5", "1e3", "٣", "60, 60", "Mon, 99 Nov")],
    ],
)
def test_seconds_or_a_date_and_nothing_else(said, date, seconds):
    assert _fetch_later.seconds(said, date=date, now=NOW) == seconds


def later(status: str = "503 Later", said: str = "7200") -> bytes:
    return page(b"", f"Retry-After: {said}", status=status)


@pytest.mark.parametrize(
    ("status", "why"), [("503 Later", "problem of its own"), ("429 Too Many", "asked too often")]
)
def test_a_host_is_left_alone_as_long_as_it_asks_and_nobody_sleeps(tmp_path, status, why):
    clock = Clock()
    with house({"/busy": later(status), "*": page()}) as there:
        one = fetcher(tmp_path, ("127.0.0.1", there.port), clock=clock.read, sleep=clock.sleep)
        one.get(there.url("/kept"), at=AT)
        with pytest.raises(Unreachable, match=why):
            one.get(there.url("/busy"), at=AT)
        begun = clock.now
        for url in ("/busy", "/other"):
            with pytest.raises(Unreachable, match="left alone"):
                one.get(there.url(url), at=AT + timedelta(minutes=20))
        # What was read before is there all the same, for whoever asks.
        assert one.get(there.url("/kept"), at=AT).from_cache
        other = fetcher(tmp_path, ("127.0.0.1", there.port), clock=clock.read, sleep=clock.sleep)
        with pytest.raises(Unreachable, match="left alone"):
            other.get(there.url("/other"), at=AT)
        assert clock.now == begun
        assert there.asked == ["/kept", "/busy"]

        clock.now += 7_199
        with pytest.raises(Unreachable, match="left alone"):
            one.get(there.url("/other"), at=AT)
        clock.now += 2
        assert one.get(there.url("/other"), at=AT).status == 200


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "500 Oops", "302 Found"])
def test_other_answers_ask_for_nothing(tmp_path, status):
    with house({"/busy": later(status), "*": page()}) as there:
        one = fetcher(tmp_path, ("127.0.0.1", there.port))
        try:
            one.get(there.url("/busy"), at=AT)
        except Unreachable:
            assert status == "500 Oops"
        assert one.get(there.url("/other"), at=AT).status == 200


def test_what_one_asks_for_on_a_host_of_many_holds_the_others_for_minutes_once_an_hour(tmp_path):
    """Or who has a page there would decide, again and again, when those of others are looked at."""
    clock = Clock()
    began, others = clock.now, ("/~alice/", "/", "/about")
    with house({"/~bob/": later(said="700"), "*": page()}) as there:
        one = fetcher(tmp_path, ("127.0.0.1", there.port), clock=clock.read, sleep=clock.sleep)

        def read(path: str, after_s: float) -> bool:
            clock.now = began + after_s
            try:
                one.get(there.url(path), at=AT, fresh_after=AT + timedelta(days=1))
            except Unreachable:
                return False
            return True

        assert not read("/~bob/", 0)
        for after_s, bobs_times, free in ((590, 1, False), (610, 1, True), (710, 2, True)):
            for lock in (tmp_path / "turns").iterdir():
                os.utime(lock, (1, 1))
            one._turns.prune()
            assert not read("/~bob/", after_s)
            assert there.asked.count("/~bob/") == bobs_times
            assert [read(path, after_s + 2 * n) for n, path in enumerate(others)] == [free] * 3
        assert not read("/~bob/", 3_590)
        assert read("/~alice/", 3_598)
        assert not read("/~bob/", 4_300)
        assert not read("/~alice/", 4_890)
        assert read("/~alice/", 4_901)


def test_what_the_host_itself_asks_for_holds_all_of_its_own_pages(tmp_path):
    """And what is another party's for minutes, which may then be told the same for itself."""
    clock = Clock()
    with house({"/busy": later(), "*": page()}) as there:
        one = fetcher(tmp_path, ("127.0.0.1", there.port), clock=clock.read, sleep=clock.sleep)
        with pytest.raises(Unreachable):
            one.get(there.url("/busy"), at=AT)
        clock.now += 601
        with pytest.raises(Unreachable, match="left alone"):
            one.get(there.url("/other"), at=AT)
        assert one.get(there.url("/~alice/"), at=AT).status == 200


def test_another_host_is_not_meant(tmp_path):
    pages = {"/busy": later(), "*": page()}
    with house(pages) as there, house(pages, "127.0.0.2") as beside:
        places = [("127.0.0.1", there.port), ("127.0.0.2", beside.port)]
        one = fetcher(tmp_path, *places)
        with pytest.raises(Unreachable):
            one.get(there.url("/busy"), at=AT)
        assert one.get(beside.url("/other", "127.0.0.2"), at=AT).status == 200


def test_the_wish_outlives_the_tidying_of_locks_and_ends_with_a_clock_set_back(tmp_path):
    clock = Clock()
    with house({"/busy": later(), "*": page()}) as there:
        one = fetcher(tmp_path, ("127.0.0.1", there.port), clock=clock.read, sleep=clock.sleep)
        with pytest.raises(Unreachable):
            one.get(there.url("/busy"), at=AT)
        (lock,) = (tmp_path / "turns").iterdir()
        os.utime(lock, (1, 1))
        one._turns.prune()
        with pytest.raises(Unreachable, match="left alone"):
            one.get(there.url("/other"), at=AT)
        clock.now -= 1_000_000
        assert one.get(there.url("/other"), at=AT).status == 200
        os.utime(lock, (1, 1))
        one._turns.prune()
        assert not lock.exists()


def test_a_call_that_a_member_waits_for_is_made_and_its_wish_is_kept_for_pages(tmp_path):
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    with house({"*": later("429 Too Many")}) as there:
        there.wrap = lambda sock: server.wrap_socket(sock, server_side=True)
        one = fetcher(tmp_path, ("127.0.0.1", there.port), tls=client)
        url = f"https://127.0.0.1:{there.port}/"
        for _twice in range(2):
            with pytest.raises(Unasked, match="asked too often"):
                one.call(Call(url))
        with pytest.raises(Unreachable, match="left alone"):
            one.get(url, at=AT)
        assert there.asked == ["/", "/"]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (f"{NOW + 1_800:.0f}", 1_800),
        (f" {NOW + 1_800:.0f} ", 1_800),
        ("2026-11-30T12:30:00.000000Z", 1_800),
        ("2026-11-30T13:30:00+01:00", 1_800),
        ("2026-11-30T12:30:00", 1_800),
        (f"{NOW + 10 * DAY:.0f}", DAY),
        ("9999-12-31T23:59:59-23:59", DAY),
        (f"{NOW - 1:.0f}", 0),
        ("2026-11-30T11:00:00Z", 0),
        *[(said, 0) for said in ("", "soon", "1800", "9" * 400, "-5")],
    ],
)
def test_when_a_limit_begins_anew(said, seconds):
    assert _fetch_later.until(said, now=NOW) == seconds


def test_who_asked_too_often_leaves_the_host_alone_until_its_limit_begins_anew(tmp_path):
    """As GitHub says it: by a refusal, a count and an instant."""
    clock = Clock()
    used_up = ("X-RateLimit-Remaining: 0", f"X-RateLimit-Reset: {clock.now + 1_800:.0f}")
    pages = {
        "/user/1": page(b"{}", *used_up, status="403 rate limit exceeded"),
        "/private": page(b"{}", "X-RateLimit-Remaining: 7", status="403 Forbidden"),
        "*": page(),
    }
    with house(pages) as there:
        one = fetcher(tmp_path, ("127.0.0.1", there.port), clock=clock.read, sleep=clock.sleep)
        assert one.get(there.url("/private"), at=AT).status == 403
        with pytest.raises(Unasked, match="asked too often"):
            one.get(there.url("/user/1"), at=AT)
        clock.now += 1_700
        with pytest.raises(Unasked, match="left alone"):
            one.get(there.url("/user/2"), at=AT)
        clock.now += 200
        assert one.get(there.url("/user/2"), at=AT).status == 200
