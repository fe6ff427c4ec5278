"""The street on loopback: servers of pages and of names that behave as badly as a test wants."""

import re
import socket
import socketserver
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from dnslib import AAAA, CNAME, QTYPE, RCODE, RR, A, DNSRecord
from dnslib import TXT as TXT_RECORD

from mickle.lib import fetch

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)
AGENT = "Mickle/0.1 (+https://nod.example.org/robot)"
RECORDS = {"A": A, "AAAA": AAAA, "CNAME": CNAME, "TXT": TXT_RECORD}

Answer = bytes | Callable[[socket.socket], None]


def page(
    body: bytes = b"<title>A page</title>",
    *more: str,
    status: str = "200 OK",
    kind: str = "text/html; charset=utf-8",
    version: str = "1.1",
) -> bytes:
    """An answer with its length."""
    lines = [f"HTTP/{version} {status}", f"Content-Length: {len(body)}", *more]
    if kind:
        lines.append(f"Content-Type: {kind}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def to(location: str, status: str = "302 Found") -> bytes:
    """An answer that sends on."""
    return page(b"", f"Location: {location}", status=status)


def heard(sock: socket.socket) -> tuple[str, str]:
    """The head of a request, with the line that ends it, and its body; empty for none."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := sock.recv(65536)):
            return "", ""
        data += more
    head, gap, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    while length and len(body) < int(length[1]):
        body += sock.recv(65536)
    return (head + gap).decode("latin-1"), body.decode()


class House(socketserver.ThreadingTCPServer):
    """A web server that answers each path with bytes, or with whatever a function does."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, place: tuple[str, int], pages: dict[str, Answer]) -> None:
        self.pages = pages
        self.asked: list[str] = []
        self.heads: list[str] = []
        self.bodies: list[str] = []
        self.open = self.most_open = 0
        self.guard = threading.Lock()
        self.wrap: Callable[[socket.socket], socket.socket] = lambda sock: sock
        self.begun: Callable[[str], None] = lambda _path: None
        self.address_family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        super().__init__(place, None)
        self.port = self.server_address[1]

    def finish_request(self, request: socket.socket, client_address: object) -> None:
        # Strangers leave in the middle, and so do those who defend themselves.
        with suppress(OSError), self.wrap(request) as sock:
            self._answer(sock)

    def _asked(self, sock: socket.socket) -> str:
        """The path that is asked for.

        Counted as open until the answer begins: who has its end may be here again before the thread
        that sent it goes on.
        """
        with self.guard:
            self.open += 1
            self.most_open = max(self.most_open, self.open)
        try:
            text, body = heard(sock)
            if not text:
                return ""
            path = text.split(" ")[1]
            with self.guard:
                self.asked.append(path)
                self.heads.append(text)
                self.bodies.append(body)
            self.begun(path)
            return path
        finally:
            with self.guard:
                self.open -= 1

    def _answer(self, sock: socket.socket) -> None:
        sock.settimeout(5)
        path = self._asked(sock)
        if not path:
            return
        answer = self.pages.get(path, self.pages.get("*", page(b"", status="404 Not Found")))
        if callable(answer):
            answer(sock)
        else:
            sock.sendall(answer)
        with suppress(OSError):
            sock.shutdown(socket.SHUT_WR)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def shutdown_request(self, request: socket.socket) -> None:
        with suppress(OSError):
            request.close()


@contextmanager
def house(pages: dict[str, Answer], host: str = "127.0.0.1", port: int = 0) -> Iterator[House]:
    """A web server that runs."""
    with House((host, port), pages) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


Said = Callable[[str, str, int], list[tuple[str, str]] | str | None]


class Registry(socketserver.UDPServer):
    """A server of names: a function is told name, kind and how often it was asked, and answers.

    Records as (kind, value), the name of an error (NXDOMAIN, SERVFAIL), or None for silence.
    """

    def __init__(self, say: Said) -> None:
        self.say, self.asked = say, Counter()
        super().__init__(("127.0.0.1", 0), None)
        self.place = f"127.0.0.1:{self.server_address[1]}"

    def finish_request(self, request: tuple[bytes, socket.socket], client_address: object) -> None:
        data, sock = request
        question = DNSRecord.parse(data)
        name, kind = str(question.q.qname).rstrip("."), QTYPE[question.q.qtype]
        said = self.say(name, kind, self.asked[name, kind])
        self.asked[name, kind] += 1
        reply = question.reply()
        if said is None:
            return
        if isinstance(said, str):
            reply.header.rcode = getattr(RCODE, said)
            said = []
        for made, value in said:
            alias = next((v for m, v in said if m == "CNAME"), name)
            owner = name if made == "CNAME" else alias
            rdata = RECORDS[made](value)
            reply.add_answer(RR(owner, getattr(QTYPE, made), rdata=rdata, ttl=0))
        sock.sendto(reply.pack(), client_address)


@contextmanager
def registry(say: Said) -> Iterator[Registry]:
    """A server of names that runs."""
    with Registry(say) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self._guard = threading.Lock()

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._guard:
            self.now += seconds


def fetcher(folder: Path, *places: tuple[str, int], **more: object) -> fetch.Fetcher:
    """A fetcher that may go to these places on loopback, and waits for nobody."""
    clock = Clock()
    given = {
        "folder": folder,
        "agent": AGENT,
        "allowed": lambda address, port: (address, port) in places,
        "clock": clock.read,
        "sleep": clock.sleep,
    }
    return fetch.Fetcher(**{**given, **more})
