"""A street on loopback for looks at proofs: hosts with pages, names with records, all real."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from mickle.lib import fetch
from mickle.lib.fetch import Fetched
from tests.lib.street import Clock, House, Registry, house, page, registry, to


class Street:
    """Reads a street on loopback as the web: each host has its pages, each name its records."""

    def __init__(self, folder: Path, server: House, names: list[Registry]) -> None:
        self.server, self.places = server, tuple(name.place for name in names)
        self.read_anew(folder)

    def read_anew(self, folder: Path) -> None:
        """Keep what is read from now on in a folder of its own."""
        clock, port = Clock(), self.server.port
        self.fetcher = fetch.Fetcher(
            folder=folder,
            agent="Mickle (test)",
            resolvers=self.places[:1],
            allowed=lambda address, asked: (address, asked) == ("127.0.0.1", port),
            clock=clock.read,
            sleep=clock.sleep,
        )

    def _there(self, url: str) -> str:
        """The web's address on this machine, in plain http and at the server's port."""
        scheme, _colon, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        assert scheme == "https"
        return f"http://{host}:{self.server.port}{slash}{path}"

    def _back(self, url: str) -> str:
        return url.replace(f":{self.server.port}", "").replace("http://", "https://")

    def page(self, url: str, at: datetime) -> Fetched:
        found = self.fetcher.get(self._there(url), at=at, fresh_after=at)
        hops = tuple(map(self._back, found.hops))
        return found._replace(url=self._back(found.url), hops=hops)

    def registered_at(self, domain: str, at: datetime) -> None:
        """No registry answers in this street."""

    def txt(self, name: str) -> list[str]:
        return fetch.txt(name, resolvers=self.places, timeout_s=2)


class Web:
    """What stands at which (host, path), and what each of two resolvers says of a name."""

    def __init__(self) -> None:
        self.pages: dict[tuple[str, str], bytes] = {}
        self.records: list[dict[str, list[tuple[str, str]] | str]] = [{}, {}]

    def answer(self, head: str) -> bytes:
        path = head.split(" ")[1]
        host = next(
            line.split(":")[1].strip().lower()
            for line in head.split("\r\n")
            if line.lower().startswith("host:")
        )
        return self.pages.get((host, path), page(b"", status="404 Not Found"))

    def say(self, resolver: int, name: str, kind: str) -> list[tuple[str, str]] | str:
        said = self.records[resolver].get(name.lower())
        if isinstance(said, str):
            return said
        if kind == "A" and said is None and not name.startswith("_"):
            return [("A", "127.0.0.1")]
        return [one for one in said or [] if one[0] in (kind, "CNAME")] or (said or [])


@contextmanager
def street_of(web: Web, folder: Path) -> Iterator[Street]:
    """The street with what stands in the web, and two servers of names."""
    with (
        house({}) as server,
        registry(lambda name, kind, _asked: web.say(0, name, kind)) as first,
        registry(lambda name, kind, _asked: web.say(1, name, kind)) as second,
    ):
        port = str(server.port).encode()

        def by_host(sock: socket.socket) -> None:
            head = b""
            while b"\r\n\r\n" not in head:
                if not (more := sock.recv(65536)):
                    return
                head += more
            sock.sendall(web.answer(head.decode("latin-1")).replace(b"%PORT%", port))

        server._answer = by_host
        yield Street(folder, server, [first, second])


def at_port(location: str) -> bytes:
    """An answer that sends on to a host of this street."""
    scheme, rest = location.split("://")
    where, slash, path = rest.partition("/")
    return to(f"{scheme}://{where}:%PORT%{slash}{path}")
