"""The script and its companions, as they are served."""

import asyncio
import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mickle.edge import _files
from mickle.edge.edge import Edge

REFERENCE = Path(__file__).parents[2] / "docs/reference/edge.md"
PATHS = ["/b/b.js", "/b/1/b.js", "/b/frame.js", "/b/frame.css", "/b/b.d.ts", "/b/frame"]


@pytest.fixture
def edge() -> Iterator[Edge]:
    found = Edge()
    yield found
    found.close()


def ask(edge: Edge, path: str, method: str = "GET", **headers: str) -> tuple[int, dict, bytes]:
    sent: list[dict] = []

    async def send(message: dict) -> None:
        sent.append(message)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    path, _mark, query = path.partition("?")
    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode()}
    asyncio.run(edge(scope | {"headers": named, "client": ("127.0.0.1", 1)}, None, send))
    start, body = sent
    named = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], named, body["body"]


def test_the_script_is_under_four_kilobytes_on_the_wire(edge):
    for path in ("/b/b.js", "/b/1/b.js"):
        _status, headers, body = ask(edge, path, accept_encoding="gzip, br")
        assert headers["content-encoding"] == "gzip"
        assert headers["content-length"] == str(len(body))
        assert len(body) <= 4096
        assert gzip.decompress(body) == ask(edge, path)[2]


def test_a_button_costs_twelve_kilobytes_at_most(edge):
    paths = ("/b/b.js", "/b/frame", "/b/frame.js", "/b/frame.css")
    assert sum(len(ask(edge, path, accept_encoding="gzip")[2]) for path in paths) <= 12_000


@pytest.mark.parametrize("path", PATHS)
def test_every_site_may_load_it_and_no_cookie_comes_with_it(edge, path):
    status, headers, body = ask(edge, path, cookie="a=b", origin="https://blog.example")
    assert status == 200
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["vary"] == "accept-encoding"
    assert headers["content-length"] == str(len(body))
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "set-cookie" not in headers
    kept = "31536000, immutable" if path == "/b/1/b.js" else "3600"
    assert headers["cache-control"] == f"public, max-age={kept}"


def test_the_frame_lets_itself_be_framed_anywhere_and_loads_only_its_own(edge):
    headers = ask(edge, "/b/frame")[1]
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors *"
    )
    assert headers["cross-origin-embedder-policy"] == "require-corp"
    assert headers["referrer-policy"] == "strict-origin"
    assert "x-frame-options" not in headers


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_who_has_it_is_told_so_in_either_encoding(edge, path, encoding):
    tag = ask(edge, path)[1]["etag"]
    assert re.fullmatch(r'W/"[0-9a-f]{20}"', tag)
    status, headers, body = ask(edge, path, if_none_match=tag, accept_encoding=encoding)
    assert (status, body) == (304, b"")
    assert headers["etag"] == tag


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "x-gzip-like", "identity"])
def test_who_takes_no_gzip_gets_none(edge, accepted):
    _status, headers, body = ask(edge, "/b/b.js", accept_encoding=accepted)
    assert "content-encoding" not in headers
    assert body.startswith(b"// The button of Mickle")


@pytest.mark.parametrize("path", PATHS)
def test_more_parameters_and_headers_change_nothing(edge, path):
    plain = ask(edge, path)
    more = ask(edge, path + "?utm=1&lang=de", x_forwarded_host="evil.example", host="evil.example")
    assert more == plain


def test_the_frame_is_empty_only_where_no_thing_is_asked_for(edge):
    assert ask(edge, "/b/frame?id=x")[0] == 400
    assert ask(edge, "/b/frame?url=javascript:alert(1)")[0] == 400


def test_a_released_script_never_changes():
    """Sites pin it by this hash: whoever changes the script releases another version."""
    told = re.findall(r"sha384-[A-Za-z0-9+/]{64}", REFERENCE.read_text())
    assert set(told) == {_files.integrity(_files.FILES["/b/1/b.js"].plain.body)}


def test_the_script_names_no_instance_and_keeps_nothing():
    text = _files.FILES["/b/b.js"].plain.body.decode()
    for word in (
        "localStorage",
        "sessionStorage",
        "indexedDB",
        "document.cookie",
        "window.",
        "eval(",
    ):
        assert word not in text
    assert set(re.findall(r"https?://[^\"'`$]*", text)) == set()
