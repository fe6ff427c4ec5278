"""Nods in the lane, through real sockets: the same answers as the long way, without its cost."""

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from mickle.edge import lane
from mickle.edge.edge import Policy
from mickle.lib import months
from mickle.nods import nods
from mickle.nods.models import Nod
from mickle.passes import passes
from mickle.things import things
from tests import people
from tests.edge.test_lane import Served, read_one, without_date

NOW = datetime.now(UTC)
MONTH = months.of(NOW)
PAGE = "https://blog.example/1"


class Clicked(Served):
    """A server, and a member with a pass for one site."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy)
        people.instance_at(months.text(MONTH))
        self.page = things.find_or_add(url=PAGE, at=NOW)
        alice = people.member("alice", funds="5.00", month=MONTH - 1)
        code = passes.grant(member=alice, site="blog.example", nonce="n", at=NOW)
        self.token = passes.exchange(code=code, nonce="n", at=NOW).token

    def request(self, content: object, *more: str, path: str = "/c/nod", **other: str) -> bytes:
        """A click as bytes; `other` says another value of a header, or with an empty text none."""
        here = f"localhost:{self.port}"
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = {
            "Host": here,
            "Origin": f"http://{here}",
            "Content-Type": "application/json",
            "Cookie": f"a=b; __Secure-nod-1={self.token}",
            "Content-Length": str(len(body)),
        }
        headers |= {name.replace("_", "-"): text for name, text in other.items()}
        lines = [f"{name}: {text}" for name, text in headers.items() if text] + list(more)
        return "\r\n".join([f"POST {path} HTTP/1.1", *lines, "", ""]).encode() + body

    def click(self, content: object, *more: str, **other: str) -> tuple[bytes, dict]:
        with self.connect() as asked:
            asked.sendall(self.request(content, *more, **other))
            head, body = read_one(asked)
            return head, json.loads(body)


@pytest.fixture
def clicked(transactional_db) -> Iterator[Clicked]:
    here = Clicked(Policy())
    yield here
    here.stop()


# A header twice is for the long way, whatever it says.
LONG = ("X-Twice: 1", "X-Twice: 2")


def lines(head: bytes) -> list[bytes]:
    return sorted(without_date(head).split(b"\r\n"))


def test_the_lane_says_of_a_nod_what_the_long_way_says(clicked):
    ask = {"id": clicked.page.id, "key": "k"}
    for path in ("/c/nod", "/c/take-back"):
        clicked.click(ask, path="/c/nod")
        fast = clicked.click(ask, path=path)
        assert clicked.slow == 0
        clicked.click(ask, path="/c/nod")
        slow = clicked.click(ask, *LONG, path=path)
        assert clicked.slow == 1
        assert fast[1] == slow[1]
        assert lines(fast[0]) == lines(slow[0])
        assert b"\r\ndate: " in fast[0]
        clicked.slow = 0


@pytest.mark.parametrize(
    "content",
    [
        *(b"[]", b"{", b"\xff", b"", {"id": 0}, {"id": "1"}, {"url": "javascript:1"}),
        *({"id": 2**62}, {"id": 1, "pass": "unknown"}, {"url": "https://other.example/"}),
    ],
)
def test_the_lane_refuses_what_the_long_way_refuses(clicked, content):
    fast = clicked.click(content)
    assert clicked.slow == 0
    slow = clicked.click(content, *LONG)
    assert (clicked.slow, fast[1]) == (1, slow[1])
    assert fast[1]["reason"] in ("bad", "no-pass", "other-site", "unknown")
    assert lines(fast[0]) == lines(slow[0])
    assert not Nod.objects.exists()


def test_a_new_page_is_made_by_a_nod_in_the_lane(clicked):
    _head, said = clicked.click({"url": "https://blog.example/new", "key": "k"})
    assert (said["new"], said["count"], clicked.slow) == (True, 1, 0)


@pytest.mark.parametrize(
    ("more", "other"),
    [
        ((), {"Origin": "https://evil.example"}),
        ((), {"Origin": ""}),
        ((), {"Origin": "null"}),
        (("Sec-Fetch-Site: cross-site",), {}),
        ((), {"Host": "evil.example", "Origin": "http://evil.example"}),
        (("Origin: https://evil.example",), {"Origin": "https://evil.example"}),
    ],
)
def test_what_is_not_of_a_button_of_ours_never_comes_into_the_lane(clicked, more, other):
    head, said = clicked.click({"id": clicked.page.id}, *more, **other)
    assert (head.split(b" ")[1], said["reason"], clicked.slow) == (b"403", "origin", 1)
    head, said = clicked.click({"id": clicked.page.id}, Content_Type="text/plain")
    assert (head.split(b" ")[1], said["reason"]) == (b"400", "bad")
    assert not Nod.objects.exists()


def test_clicks_one_behind_the_other_are_answered_in_order(clicked):
    pages = [things.find_or_add(url=f"https://blog.example/{n}", at=NOW) for n in range(6)]
    count = b"GET /b/count?id=7 HTTP/1.1\r\nHost: h\r\n\r\n"
    whole = b"".join(clicked.request({"id": page.id}) + count for page in pages)
    with clicked.connect() as asked:
        asked.sendall(whole)
        got = b""
        while len(re.findall(rb"\r\n\r\n\{[^}]*\}", got)) < 12:
            more = asked.recv(65_536)
            assert more, got
            got += more
    said = [json.loads(one) for one in re.findall(rb"\r\n\r\n(\{[^}]*\})", got)]
    assert [one["id"] for one in said[::2]] == [page.id for page in pages]
    assert all("nodded" not in one for one in said[1::2])
    assert nods.wrong_counts() == []


def test_who_goes_away_before_the_answer_has_nodded_all_the_same(clicked):
    with clicked.connect() as asked:
        asked.sendall(clicked.request({"id": clicked.page.id}))
    until = time.monotonic() + 10
    while not Nod.objects.exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert Nod.objects.count() == 1
    assert clicked.click({"id": clicked.page.id})[1]["new"] is False


def test_a_click_whose_body_does_not_come_is_hung_up_on(clicked, monkeypatch):
    monkeypatch.setattr(lane, "HEAD_TIME_S", 0.5)
    with clicked.connect() as asked:
        asked.sendall(clicked.request({"id": clicked.page.id})[:-3])
        assert asked.recv(10) == b""
    assert not Nod.objects.exists()


def test_who_is_silent_after_a_click_is_hung_up_on(clicked, monkeypatch):
    monkeypatch.setattr(lane, "HEAD_TIME_S", 0.3)
    clicked.server.config.timeout_keep_alive = 0.3
    with clicked.connect() as asked:
        asked.sendall(clicked.request({"id": clicked.page.id}))
        head, body = read_one(asked)
        assert (head.split(b" ")[1], json.loads(body)["new"]) == (b"200", True)
        asked.settimeout(6)
        assert asked.recv(10) == b""


def test_behind_a_proxy_of_ours_the_scheme_is_the_forwarded_one(transactional_db):
    served = Clicked(Policy(proxies=("127.0.0.1",)))
    try:
        origin = f"https://localhost:{served.port}"
        content = {"id": served.page.id}
        said = served.click(content, "X-Forwarded-Proto: https", Origin=origin)[1]
        assert (said["new"], served.slow) == (True, 0)
        assert served.click(content, Origin=origin)[1]["reason"] == "origin"
    finally:
        served.stop()


def test_an_address_that_clicks_too_often_is_told_to_wait(transactional_db):
    served = Clicked(Policy(requests_a_second=1, burst=3))
    try:
        said = [served.click({"id": served.page.id})[1] for _many in range(5)]
        assert [one.get("reason") for one in said] == [None] * 3 + ["limit"] * 2
    finally:
        served.stop()
