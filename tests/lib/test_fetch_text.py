"""Bytes become text, whatever a server and a page say about them."""

import gzip
import random
from contextlib import suppress

import pytest

from mickle.lib import fetch
from tests.lib.street import AT, fetcher, house, page, to

META = '<meta charset="windows-1251">'
XML = "<?xml version='1.0' encoding='iso-8859-2'?>"


def text_of(folder, body: bytes, kind: str) -> str:
    with house({"/": page(body, kind=kind)}) as there:
        return fetcher(folder, ("127.0.0.1", there.port)).get(there.url(), at=AT).text


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("ü".encode(), "text/html", "ü"),
        ("ü".encode("latin-1"), "text/html", "ü"),
        ("ü“".encode("cp1252"), "text/html; charset=ISO-8859-1", "ü“"),
        ("ü".encode(), 'text/html; charset="utf-8"', "ü"),
        ("ü".encode("utf-16"), "text/html", "ü"),
        ("\ufeffü".encode(), "text/html; charset=latin1", "ü"),
        ("жук".encode("koi8-r"), "text/html; charset=koi8-r", "жук"),
        (META.encode() + "жук".encode("cp1251"), "text/html", META + "жук"),
        (XML.encode() + "ł".encode("iso8859-2"), "text/xml", XML + "ł"),
        ("日本".encode("shift_jis"), "text/html; charset=Shift_JIS", "日本"),
        (b"\xff\xfe\xfd", "text/html; charset=utf-8", "\ufffd"),
        (b"ok\x80", "text/html; charset=no-such", "ok€"),
        (b"ok", "text/html; charset=idna", "ok"),
        (b"ok", "text/html; charset=punycode", "ok"),
        (b"ok", "text/html; charset=unicode_escape", "ok"),
        (b"+ADw-script+AD4-", "text/html; charset=utf-7", "+ADw-script+AD4-"),
        (b"ok", "text/html; charset=zip", "ok"),
        (b"o\xffk" * 9, "text/html; charset=utf-8", "o\ufffdk" * 9),
        (b'<meta charset="utf-16">ok', "text/html", '<meta charset="utf-16">ok'),
    ],
)
def test_a_text_is_decoded_whatever_it_says_of_itself(tmp_path, body, kind, text):
    assert text_of(tmp_path, body, kind) == text


def test_a_letter_that_was_cut_in_two_does_not_make_the_rest_another_language(tmp_path):
    body = b"x" + "ü".encode() * (1 << 20)
    found = text_of(tmp_path, body, "text/html")
    assert found[:3] == "xüü"
    assert found[-2:] == "ü\ufffd"


CHUNKS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n3;x=y\r\nyou\r\n0\r\nTrailer: 1\r\n\r\n"
)
ANSWERS = [
    page(b"<title>x</title>" * 9, "Link: </a>; rel=me"),
    page(gzip.compress(b"packed" * 99), "Content-Encoding: gzip"),
    to("/elsewhere", "301 M"),
    CHUNKS,
    b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{}",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n",
]
PIECES = [
    b"\r\n",
    b"\n",
    b"\0",
    b":",
    b" ",
    b"HTTP/1.1 ",
    b"\xff",
    b"Location: //",
    b"9" * 40,
    b"-1",
]


def test_whatever_a_server_answers_it_is_read_or_refused(tmp_path):
    seed = random.randrange(1 << 32)
    drawn = random.Random(seed)
    with house({}) as there:
        one = fetcher(tmp_path, ("127.0.0.1", there.port))
        for turn in range(400):
            answer = drawn.choice(ANSWERS)
            for _change in range(drawn.randrange(1, 6)):
                at, end = sorted(drawn.randrange(len(answer) + 1) for _end in "ab")
                answer = answer[:at] + drawn.choice(PIECES) + answer[min(end, at + 9) :]
            there.pages["*"] = answer
            try:
                with suppress(fetch.Failed):
                    one.get(there.url(f"/{turn}"), at=AT)
            except Exception as error:
                raise AssertionError(f"seed {seed}, turn {turn}: {answer!r}") from error
