"""The lane for busy counts, through real sockets and the real server."""

import asyncio
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import uvicorn

from mickle.edge import lane
from mickle.edge.edge import Edge, Policy
from mickle.edge.lane import Lane
from tests import people

COUNT = b"/b/count?id=7"
# One of each kind of answer that is kept or drawn.
KINDS = (COUNT, b"/b/count.svg?id=7", b"/b/frame?id=7", b"/b/shields.json?id=7")
KINDS += (b"/b/qr.svg?url=https://a.example/", b"/b/b.js")


class Served:
    """An edge behind the server, in a thread."""

    def __init__(self, policy: Policy) -> None:
        edge = self.edge = Edge(policy)

        class Protocol(Lane):
            pass

        Protocol.edge = edge
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.socket.getsockname()[1]
        config = uvicorn.Config(
            self.application,
            http=Protocol,
            interface="asgi3",
            proxy_headers=False,
            lifespan="off",
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        self.server = uvicorn.Server(config)
        self.slow = 0
        self.thread = threading.Thread(
            target=lambda: asyncio.run(self.server.serve(sockets=[self.socket]))
        )
        self.thread.start()

    async def application(self, scope, receive, send) -> None:
        self.slow += 1
        await self.edge(scope, receive, send)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def ask(self, path: bytes, *headers: bytes, method: bytes = b"GET") -> tuple[bytes, bytes]:
        """Head and body of one answer on a connection of its own."""
        with self.connect() as asked:
            lines = [method + b" " + path + b" HTTP/1.1", b"Host: localhost", *headers]
            asked.sendall(b"\r\n".join([*lines, b"Connection: keep-alive", b"", b""]))
            return read_one(asked, head_only=method == b"HEAD")

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join()
        self.edge.close()
        self.socket.close()


def read_one(asked: socket.socket, *, head_only: bool = False) -> tuple[bytes, bytes]:
    got = b""
    while b"\r\n\r\n" not in got:
        more = asked.recv(65_536)
        assert more, got
        got += more
    head, _empty, body = got.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    wanted = 0 if head_only or length is None else int(length[1])
    while len(body) < wanted:
        more = asked.recv(65_536)
        assert more, got
        body += more
    return head, body


def without_date(head: bytes) -> bytes:
    return re.sub(rb"date: [^\r]+\r\n", b"", head)


@pytest.fixture
def served(transactional_db) -> Iterator[Served]:
    people.instance_at()
    here = Served(Policy())
    yield here
    here.stop()


def warm(served: Served, path: bytes = COUNT) -> tuple[bytes, bytes]:
    """What the slow way answers; from then on the lane has it."""
    return served.ask(path)


def test_the_lane_says_what_the_slow_way_says(served):
    for path in (COUNT, b"/b/count.svg?id=7&size=tall", b"/b/count?id=7&id=8"):
        slow = warm(served, path)
        before = served.slow
        fast = served.ask(path)
        assert served.slow == before
        assert sorted(without_date(fast[0]).split(b"\r\n")) == sorted(
            without_date(slow[0]).split(b"\r\n")
        )
        assert fast[1] == slow[1]
        assert b"date: " in fast[0]


def test_who_has_the_answer_is_told_so_in_the_lane(served):
    warm(served)
    before = served.slow
    head, body = served.ask(COUNT, b'If-None-Match: W/"7-0"')
    assert head.startswith(b"HTTP/1.1 304 Not Modified\r\n")
    assert (body, served.slow) == (b"", before)
    assert b"content-length" not in head


@pytest.mark.parametrize(
    "other",
    [
        *(b"Cookie: __Host-mickle=x", b"X-Forwarded-Host: evil.example", b"X-Original-URL: /x"),
        *(b"Accept-Language: de", b"Accept: text/html", b"Origin: https://evil.example"),
        *(b"X-Forwarded-For: 10.1.1.1", b"X-HTTP-Method-Override: POST", b"Range: bytes=0-3"),
        *(b"Authorization: Bearer x", b"X-Forwarded-Proto: https", b"Forwarded: host=evil"),
    ],
)
def test_what_is_no_part_of_the_address_changes_nothing(served, other):
    for path in KINDS:
        first = warm(served, path)
        for _slow_and_fast in range(2):
            head, body = served.ask(path, other)
            assert body == first[1]
            assert sorted(without_date(head).split(b"\r\n")) == sorted(
                without_date(first[0]).split(b"\r\n")
            )
            served.edge._kept.clear()
            served.edge._prints._kept.clear()


@pytest.mark.parametrize("path", [path for path in KINDS if b"?" in path])
def test_what_one_asker_adds_to_an_address_is_in_no_other_answer(served, path):
    added = path + b"&callback=evil&_method=POST&utm_source=x&lang=en"
    for _slow_and_fast in range(2):
        evil = served.ask(added)
        assert b"evil" not in evil[0] + evil[1]
        assert served.ask(path)[1] == evil[1]


def test_pipelined_questions_are_answered_in_order(served):
    warm(served)
    request = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"
    paths = [COUNT, b"/b/count?id=1", COUNT, b"/b/elsewhere", COUNT, b"/b/count?id=2", COUNT]
    with served.connect() as asked:
        asked.sendall(b"".join(request % path for path in paths))
        got = b""
        while got.count(b"HTTP/1.1 ") < len(paths) or not got.endswith(b"}"):
            more = asked.recv(65_536)
            assert more, got
            got += more
    bodies = re.findall(rb"\r\n\r\n(\{[^{}]*\})", got)
    ids = [match[1] for body in bodies if (match := re.search(rb'"id": (\d+)', body))]
    assert ids == [b"7", b"1", b"7", b"7", b"2", b"7"]
    assert b"Nothing at this address" in bodies[3]


def test_what_is_not_a_plain_get_goes_the_slow_way(served):
    warm(served)
    for method in (b"HEAD", b"POST"):
        before = served.slow
        served.ask(COUNT, method=method)
        assert served.slow == before + 1
    with served.connect() as asked:
        asked.sendall(b"GET " + COUNT + b" HTTP/1.0\r\n\r\n")
        assert read_one(asked)[1].startswith(b'{"id": 7')
        assert asked.recv(10) == b""
    with served.connect() as asked:
        asked.sendall(b"GET " + COUNT + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert read_one(asked)[1].startswith(b'{"id": 7')
        assert asked.recv(10) == b""


def test_a_body_with_a_question_is_passed_over(served):
    warm(served)
    request = b"GET " + COUNT + b" HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
    with served.connect() as asked:
        for _twice in range(2):
            asked.sendall(request)
            assert read_one(asked)[1].startswith(b'{"id": 7')


def test_a_flood_of_one_address_ends_its_connection(transactional_db):
    people.instance_at()
    served = Served(Policy(requests_a_second=1, burst=5))
    try:
        with served.connect() as asked:
            asked.sendall((b"GET " + COUNT + b" HTTP/1.1\r\nHost: h\r\n\r\n") * 50)
            got = b""
            while more := asked.recv(65_536):
                got += more
        assert got.count(b"HTTP/1.1 200 OK") == 5
        assert got.count(b"HTTP/1.1 429 ") == 1
    finally:
        served.stop()


def test_who_is_slow_to_ask_is_hung_up_on(served, monkeypatch):
    monkeypatch.setattr(lane, "HEAD_TIME_S", 0.5)
    with served.connect() as silent, served.connect() as slow:
        began = time.monotonic()
        slow.sendall(b"GET " + COUNT + b" HTTP/1.1\r\nHost: ")
        assert silent.recv(10) == b""
        assert slow.recv(10) == b""
        assert time.monotonic() - began < 15


def test_five_hundred_slow_connections_stop_nobody(served):
    with ExitStack() as stack:
        for number in range(500):
            slow = stack.enter_context(served.connect())
            slow.sendall(b"GET /b/count?id=%d HTTP/1.1\r\nX-Slow: " % number)
        for _many in range(50):
            assert served.ask(COUNT)[1].startswith(b'{"id": 7')
