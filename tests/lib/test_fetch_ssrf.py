"""T17: no address, spelling, redirect or name leads the fetcher inside a network."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import timedelta

import pytest

from mickle.lib import _fetch_addresses, fetch
from tests.lib import dangers
from tests.lib.street import AT, House, fetcher, house, page, registry, to

LOOPBACK = ("127.0.0.2", "127.1.2.3", "127.255.255.254", "::1")


class Watch:
    """One good server, and at the same port of other loopback addresses canaries."""

    def __init__(self, good: House, canaries: list[House], connected: list[tuple]) -> None:
        self.good, self.canaries, self.connected = good, canaries, connected

    def allowed(self, address: str, port: int) -> bool:
        """The real rule for addresses, at any port, and the good server."""
        here = (address, port) == ("127.0.0.1", self.good.port)
        return here or _fetch_addresses.public(address)

    def reader(self, folder, **more) -> fetch.Fetcher:
        return fetcher(folder, allowed=self.allowed, **more)

    def heard(self) -> list:
        """Every connection to anybody but the good server."""
        good = ("127.0.0.1", self.good.port)
        asked = [path for canary in self.canaries for path in canary.asked]
        return asked + [place for place in self.connected if place[:2] != good]


@pytest.fixture
def watch(monkeypatch) -> Iterator[Watch]:
    connected: list[tuple] = []
    connect = socket.socket.connect

    def hear(sock: socket.socket, place: tuple) -> None:
        if sock.type & socket.SOCK_STREAM:
            connected.append(place)
            if not place[0].startswith("127.") and place[0] != "::1":
                raise ConnectionRefusedError(place)
        connect(sock, place)

    monkeypatch.setattr(socket.socket, "connect", hear)
    with ExitStack() as stack:
        good = stack.enter_context(house({"/": page()}))
        canaries = []
        for host in LOOPBACK:
            # Some machines know no IPv6, and a port may be taken; every connection is heard above.
            with suppress(OSError):
                canaries.append(stack.enter_context(house({}, host, good.port)))
        assert canaries
        yield Watch(good, canaries, connected)


def code_of(reader: fetch.Fetcher, url: str, **more) -> str:
    try:
        reader.get(url, at=AT, **more)
    except fetch.Failed as error:
        return error.code
    return ""


def test_the_rule_knows_every_dangerous_address_and_no_other():
    assert len({*dangers.FOUR, *dangers.SIX}) >= 49
    assert [text for text in dangers.FOUR + dangers.SIX if _fetch_addresses.public(text)] == []
    assert [text for text in dangers.GOOD if not _fetch_addresses.public(text)] == []
    assert not _fetch_addresses.public("fe80::1%lo")
    assert not _fetch_addresses.public("no address")


@pytest.mark.parametrize("port", [0, 1, 22, 25, 79, 81, 442, 444, 3306, 5432, 6379, 8000, 8080])
def test_only_two_ports_are_read(port):
    assert not _fetch_addresses.allowed("8.8.8.8", port)
    assert _fetch_addresses.allowed("8.8.8.8", 80)
    assert _fetch_addresses.allowed("8.8.8.8", 443)


def test_no_spelling_of_an_address_is_connected_to(tmp_path, watch):
    reader = watch.reader(tmp_path)
    port = watch.good.port
    asked = [f"http://{host}:{port}/x" for host in dangers.hosts() if host != "127.0.0.1"]
    asked += [f"http://{host}:{port}/x" for host in dangers.NAMES]
    asked += list(dangers.tricks("127.0.0.2", port)) + list(dangers.tricks("[::1]", port))
    assert len(set(asked)) >= 500
    # 127.0.0.1 itself is the good server here, however it is spelled.
    known = {url: code for url in asked if (code := code_of(reader, url)) in ("", "connect")}
    assert [url for url in known if not url.endswith("/x")] == []
    assert watch.heard() == []


@pytest.mark.parametrize("status", dangers.STATUSES)
def test_no_redirect_leads_to_one(tmp_path, watch, status):
    reader = watch.reader(tmp_path)
    port = watch.good.port
    places = [f"http://{host}:{port}/" for host in dangers.FOUR if host != "127.0.0.1"]
    places += [f"https://[{host}]:{port}/" for host in dangers.SIX]
    places += [f"//{host}:{port}/" for host in ("127.2", "0x7f000002", "[::1]", "localhost")]
    places += [f"http://a@127.0.0.1:{port}/", "file:///etc/passwd", "gopher://127.0.0.1/_x"]
    pages = {f"/{n}": to(place, status) for n, place in enumerate(places)}
    watch.good.pages |= pages
    codes = {code_of(reader, watch.good.url(path)) for path in pages}
    assert codes == {"address", "name", "userinfo", "url"}
    assert len(watch.good.asked) == len(places) >= 80
    assert watch.heard() == []


def test_a_page_that_sends_on_by_itself_is_not_followed(tmp_path, watch):
    inside = f"http://127.0.0.2:{watch.good.port}/"
    watch.good.pages["/"] = page(
        f'<meta http-equiv="refresh" content="0;url={inside}">'.encode(), f"Refresh: 0;url={inside}"
    )
    assert watch.reader(tmp_path).get(watch.good.url(), at=AT).hops == (watch.good.url(),)
    assert watch.heard() == []


def changing(name: str, kind: str, count: int) -> list[tuple[str, str]]:
    """Names that change their mind, each in the way its first letter says."""
    good, bad = ("A", "127.0.0.1"), ("A", "127.0.0.2")
    if name[0] == "s" and kind == "AAAA":
        return [("AAAA", "::1")]
    if kind == "AAAA":
        return []
    if name[0] == "m":
        return [good, bad]
    if name[0] == "c":
        return [("CNAME", "localhost.inside.com"), bad]
    return [good] if count == 0 else [bad]


def test_a_name_that_changes_its_mind_leads_nowhere(tmp_path, watch):
    port = watch.good.port
    watch.good.pages |= {f"/to{n}": to(f"http://r{n}.rebinds.com:{port}/") for n in range(250)}
    codes: dict[str, list[str]] = {}
    with registry(changing) as names:
        reader = watch.reader(tmp_path, resolvers=(names.place,))
        for n in range(250):
            later = AT + timedelta(seconds=1)
            for letter in "bsmc":
                url = f"http://{letter}{n}.rebinds.com:{port}/"
                codes.setdefault(letter, []).append(code_of(reader, url))
                if letter == "b":
                    codes.setdefault("b2", []).append(code_of(reader, url, fresh_after=later))
            url = f"http://r{n}.rebinds.com:{port}/to{n}"
            codes.setdefault("r", []).append(code_of(reader, url))
        # Each reading asked once, so that what was looked at is what was connected to.
        assert {count for (name, _kind), count in names.asked.items() if name[0] in "smc"} == {1}
    assert codes["b"] == [""] * 250
    for letter in ("b2", "s", "m", "c", "r"):
        assert codes[letter] == ["address"] * 250, letter
    assert watch.heard() == []


def _alone() -> list[str]:
    """The words that make a net of one's own where every address is this machine, if it may be."""
    lines = (
        "ip link set lo up && ip route add local 0.0.0.0/0 dev lo && "
        "ip -6 route add local ::/0 dev lo && exec "
    )
    words = ["unshare", "--net", "--map-root-user"] if os.getuid() else ["unshare", "--net"]
    try:
        done = subprocess.run(
            [*words, "sh", "-c", lines + "true"], check=False, capture_output=True
        )
    except OSError:
        return []
    return [*words, "sh", "-c", lines + '"$@"', "sh"] if done.returncode == 0 else []


def test_in_a_net_of_its_own_the_kernel_counts_no_connection():
    words = _alone()
    if not words:
        sys.stdout.write("This kernel makes no net of one's own here; Python's hook counts alone.")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    here = [sys.executable, "-m", "tests.lib.ssrf_alone", *(["alone"] if words else [])]
    done = subprocess.run(
        [*words, *here], check=False, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["urls"] >= 2_000
    assert told["passed"] == []
    assert (told["begun"], told["taken"]) == ([], 0)
    # The good addresses were seen, so that nought is no blindness.
    assert told["control_begun"] == 2
    if told["alone"]:
        assert (told["opened"], told["control_opened"]) == (0, 2)
        assert told["control_taken"] == 2
