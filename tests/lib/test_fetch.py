"""What the fetcher reads, and what it makes of servers that are slow, large, broken or lie."""

import gzip
import socket
import ssl
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from mickle.lib import _fetch_wire, fetch
from mickle.lib._fetch_said import REASONS
from mickle.lib.fetch import Forbidden, Limits, Unreachable
from tests.lib.street import AGENT, AT, House, fetcher, house, page, registry, to

PATIENT = Limits(seconds=60.0)
SHORT = Limits(seconds=0.4)
MEBIBYTE = 1 << 20


@pytest.fixture
def there() -> Iterator[House]:
    with house({"/": page()}) as server:
        yield server


def reader(folder: Path, there: House, **more: object) -> fetch.Fetcher:
    return fetcher(folder, ("127.0.0.1", there.port), **more)


def test_a_page_is_read_with_where_it_was_and_when(tmp_path, there):
    found = reader(tmp_path, there).get(there.url("/#part"), at=AT)
    assert found == fetch.Fetched(
        there.url(), 200, "text/html", "<title>A page</title>", "", (there.url(),), AT, False, False
    )


def test_it_says_who_asks_and_nothing_of_anybody_else(tmp_path, there, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    there.pages["/"] = page(b"x", "Set-Cookie: a=b")
    one = reader(tmp_path, there)
    one.get(there.url(), at=AT)
    one.get(there.url(), at=AT, fresh_after=AT + timedelta(seconds=1))
    for head in there.heads:
        names = {line.partition(":")[0].lower() for line in head.splitlines()[1:] if line}
        assert names == {"host", "user-agent", "accept", "accept-encoding", "connection"}
        assert f"\r\nUser-Agent: {AGENT}\r\n" in head
    assert len(there.heads) == 2


def test_links_beside_a_page_are_told(tmp_path, there):
    there.pages["/"] = page(b"x", "Link: </a>; rel=me", "Link: </b>; rel=payment")
    one = reader(tmp_path, there)
    for _time in range(2):
        assert one.get(there.url(), at=AT).links == "</a>; rel=me, </b>; rel=payment"


def test_two_places_to_go_on_to_are_none(tmp_path, there):
    there.pages["/"] = page(b"", "Location: /a", "Location: /b", status="302 Found")
    with pytest.raises(Forbidden):
        reader(tmp_path, there).get(there.url(), at=AT)


def test_redirects_are_followed_up_to_three_and_told(tmp_path, there):
    there.pages |= {
        "/1": to("/2"),
        "/2": to("3", "301 Moved"),
        "/3": to(f"//127.0.0.1:{there.port}/"),
    }
    found = reader(tmp_path, there).get(there.url("/1"), at=AT)
    assert found.hops == tuple(there.url(path) for path in ("/1", "/2", "/3", "/"))
    there.pages |= {f"/far{n}": to(f"/far{n + 1}") for n in range(1000)}
    with pytest.raises(Forbidden, match="sends on too often") as caught:
        reader(tmp_path, there).get(there.url("/far0"), at=AT)
    assert caught.value.code == "redirects"
    assert len(there.asked) == 4 + 4


@pytest.mark.parametrize("status", ["301 M", "302 F", "303 S", "307 T", "308 P"])
def test_a_redirect_in_a_circle_ends(tmp_path, there, status):
    there.pages |= {"/": to("/b", status), "/b": to("/", status)}
    with pytest.raises(Forbidden) as caught:
        reader(tmp_path, there).get(there.url(), at=AT)
    assert caught.value.code == "redirects"
    assert there.asked == ["/", "/b"]


def test_a_page_that_is_not_there_says_so_without_a_text(tmp_path, there):
    found = reader(tmp_path, there).get(there.url("/none"), at=AT)
    assert (found.status, found.text) == (404, "")


@pytest.mark.parametrize("status", ["500 E", "503 E", "425 E", "408 E"])
def test_a_server_with_a_problem_may_be_asked_later(tmp_path, there, status):
    there.pages["/"] = page(b"x", status=status)
    with pytest.raises(Unreachable, match="problem of its own"):
        reader(tmp_path, there).get(there.url(), at=AT)


@pytest.mark.parametrize(
    "kind",
    [
        "text/html",
        "TEXT/HTML;charset=UTF-8",
        "application/xhtml+xml",
        "application/json",
        "application/ld+json; x=y",
        "application/feed+json",
        "application/rss+xml",
        "application/atom+xml",
        "text/xml",
        "text/plain",
        "application/yaml",
    ],
)
def test_these_types_are_read(tmp_path, there, kind):
    there.pages["/"] = page(b"text", kind=kind)
    found = reader(tmp_path, there).get(there.url(), at=AT)
    assert found.text == "text"
    assert found.type == kind.partition(";")[0].lower()


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "image/svg+xml",
        "application/pdf",
        "text/css",
        "application/octet-stream",
        "video/mp4",
        "text/html2",
        "xtext/html",
        "application/x+json/y",
        "text/\x1b[2Jhtml",
    ],
)
def test_other_types_are_refused_without_reading_on(tmp_path, there, kind):
    there.pages["/"] = page(b"x" * 100, kind=kind)
    with pytest.raises(Forbidden, match="Nothing was read; pages, feeds") as caught:
        reader(tmp_path, there).get(there.url(), at=AT)
    assert str(caught.value).isprintable()


def test_a_packed_page_is_unpacked_also_in_several_parts(tmp_path, there):
    packed = gzip.compress(b"<title>") + gzip.compress(b"Zipped</title>")
    there.pages["/"] = page(packed, "Content-Encoding: gzip")
    assert reader(tmp_path, there).get(there.url(), at=AT).text == "<title>Zipped</title>"


@pytest.mark.parametrize("letters", [b"\0", b"a", b"<p>"])
def test_a_bomb_stops_at_a_mebibyte(tmp_path, there, letters):
    deflate = zlib.compressobj(9, wbits=31)
    chunk = letters * (MEBIBYTE // len(letters))
    bomb = b"".join(deflate.compress(chunk) for _ in range(300)) + deflate.flush()
    there.pages["/"] = page(bomb, "Content-Encoding: gzip")
    found = reader(tmp_path, there).get(there.url(), at=AT)
    assert found.cut
    assert len(found.text) == MEBIBYTE


def test_unpacking_never_holds_more_than_it_may(tmp_path, there):
    bomb = gzip.compress(b"\0" * (64 * MEBIBYTE))
    sizes = []
    for part in fetch._fetch_text._gunzipped([bomb], 1000, "x"):
        sizes.append(len(part))
        if len(sizes) == 100:
            break
    assert max(sizes) <= 1001


@pytest.mark.parametrize(
    "encoding", ["br", "deflate", "zstd", "gzip, gzip", "gzip, br", "compress"]
)
def test_what_was_not_asked_for_is_not_unpacked(tmp_path, there, encoding):
    there.pages["/"] = page(b"x", f"Content-Encoding: {encoding}")
    with pytest.raises(Forbidden, match="as nobody asked"):
        reader(tmp_path, there).get(there.url(), at=AT)


def endless(head: bytes, more: bytes):
    def answer(sock: socket.socket) -> None:
        sock.sendall(head)
        while True:
            sock.sendall(more)

    return answer


HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


def test_a_body_without_an_end_is_cut(tmp_path, there):
    there.pages["/"] = endless(HTML + b"\r\n", b"x" * 65536)
    found = reader(tmp_path, there).get(there.url(), at=AT)
    assert (found.cut, len(found.text)) == (True, MEBIBYTE)
    there.pages["/chunks"] = endless(
        HTML + b"Transfer-Encoding: chunked\r\n\r\n", b"4000\r\n" + b"y" * 0x4000 + b"\r\n"
    )
    assert reader(tmp_path, there).get(there.url("/chunks"), at=AT).cut


def test_packed_emptiness_without_an_end_is_too_much(tmp_path, there):
    empty = gzip.compress(b"") * 1000
    there.pages["/"] = endless(HTML + b"Content-Encoding: gzip\r\n\r\n", empty)
    with pytest.raises(Forbidden, match="more than is read"):
        reader(tmp_path, there).get(there.url(), at=AT)


@pytest.mark.parametrize(
    ("head", "more"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-Flood: 1\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 1000),
        (b"", b"z" * 1000),
        (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    ],
    ids=["many", "long", "status", "hints"],
)
def test_a_flood_of_headers_ends(tmp_path, there, head, more):
    there.pages["/"] = endless(head, more * 50)
    with pytest.raises(fetch.Failed) as caught:
        # How long it may take is not what ends it.
        reader(tmp_path, there, limits=PATIENT).get(there.url(), at=AT)
    assert caught.value.code in ("broken", "large")


def drip(head: bytes):
    """Each byte comes in time, the whole never does."""

    def answer(sock: socket.socket) -> None:
        sock.sendall(head)
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            nobody.settimeout(0.02)
            for _byte in range(100):
                with suppress(TimeoutError):
                    nobody.accept()
                sock.sendall(b" ")

    return answer


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 ", b"HTTP/1.1 200 OK\r\nX:", HTML + b"\r\n"],
    ids=["status", "header", "body"],
)
def test_a_slow_drip_ends(tmp_path, there, head):
    there.pages["/"] = drip(head)
    with pytest.raises(Unreachable, match="took too long"):
        reader(tmp_path, there, limits=SHORT).get(there.url(), at=AT)


def test_the_time_is_for_all_redirects_together(tmp_path, there):
    budget = _fetch_wire.Budget(SHORT)
    with budget.running():
        budget._ends -= 1
    with pytest.raises(Unreachable), budget.running():
        budget.left_s("x")


def test_a_server_that_says_nothing_is_left(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        one = fetcher(tmp_path, ("127.0.0.1", port), limits=SHORT)
        for scheme in ("http", "https"):
            with pytest.raises(Unreachable, match="took too long"):
                one.get(f"{scheme}://127.0.0.1:{port}/{scheme}", at=AT)


def reset(sock: socket.socket) -> None:
    sock.sendall(HTML + b"Content-Length: 100\r\n\r\nhalf")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize(
    "answer",
    [
        reset,
        b"",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Type: text/html\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\nContent-Type: text/html\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nhalf",
        HTML + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HTML + b"Content-Encoding: gzip\r\n\r\nno gzip at all",
        HTML + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 999, mtime=0)[:-9],
        b"HTTP/2 200\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16",
    ],
)
def test_an_answer_that_breaks_off_or_is_none_is_said_to_be(tmp_path, there, answer):
    there.pages["/"] = answer
    with pytest.raises(Unreachable, match="broke off"):
        reader(tmp_path, there).get(there.url(), at=AT)


def test_another_protocol_is_not_spoken(tmp_path, there):
    there.pages["/"] = (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    )
    with pytest.raises(Unreachable, match="broke off"):
        reader(tmp_path, there).get(there.url(), at=AT)


def test_an_old_server_is_understood(tmp_path, there):
    there.pages["/"] = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold"
    assert reader(tmp_path, there).get(there.url(), at=AT).text == "old"


def test_nobody_there_is_said(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Unreachable, match="takes no connections"):
        fetcher(tmp_path, ("127.0.0.1", port)).get(f"http://127.0.0.1:{port}/", at=AT)


def test_a_connection_that_ends_elsewhere_is_refused(there):
    with (
        socket.create_connection(("127.0.0.1", there.port)) as sock,
        pytest.raises(Forbidden, match="Somebody else"),
    ):
        _fetch_wire.check_peer(sock, "93.184.216.34", lambda _address, _port: True, "host")


def test_a_connection_that_ended_at_once_is_said_to_have(there):
    with socket.socket() as nobody, pytest.raises(Unreachable, match="broke off"):
        _fetch_wire.check_peer(nobody, "127.0.0.1", lambda _address, _port: True, "host")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.mark.parametrize(("named", "trusted"), [("good", True), ("other", True), ("good", False)])
def test_only_who_proves_the_name_is_believed(tmp_path, there, authority, named, trusted):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(f"{named}.mickle-names.com").configure_cert(server)
    there.wrap = lambda sock: server.wrap_socket(sock, server_side=True)
    client = None
    if trusted:
        client = ssl.create_default_context()
        authority.configure_trust(client)
    with registry(lambda _name, kind, _n: [("A", "127.0.0.1")] if kind == "A" else []) as names:
        one = reader(tmp_path, there, tls=client, resolvers=(names.place,))
        url = f"https://good.mickle-names.com:{there.port}/"
        if named != "good" or not trusted:
            with pytest.raises(Unreachable, match="could not prove who it is"):
                one.get(url, at=AT)
            assert there.asked == []
        else:
            assert one.get(url, at=AT).status == 200
            assert f"\r\nHost: good.mickle-names.com:{there.port}\r\n" in there.heads[0]


def test_by_itself_it_believes_whom_the_system_believes(tmp_path):
    context = fetcher(tmp_path)._way.tls
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)


def test_every_reason_is_a_sentence_that_says_what_was_lost():
    for code, reason in REASONS.items():
        facts = dict.fromkeys(("host", "url", "type", "status"), "x")
        text = str(reason.kind(code, **facts))
        assert text.endswith(".")
        assert "Nothing was" in text
