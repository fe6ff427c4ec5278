"""The files of the button as they are served: content, tag and how long they keep. Pure.

A released version of the script never changes: other sites pin it by its hash.
"""

import base64
import gzip
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from mickle.edge import _frame
from mickle.edge._answers import EVERYWHERE, Answer, Headers

_FOLDER = Path(__file__).parent / "static"
_POLICY = (b"content-security-policy", b"default-src 'none'")
# Whoever isolates the page around it may still frame it. The nod window is told which origin
# opened it: only a frame of ours knows the site around it.
FRAME: Headers = [
    *[pair for pair in EVERYWHERE if pair[0] != b"referrer-policy"],
    (b"referrer-policy", b"strict-origin"),
    (b"content-type", b"text/html; charset=utf-8"),
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
            b"base-uri 'none'; form-action 'none'; frame-ancestors *"
        ),
    ),
    (b"cross-origin-embedder-policy", b"require-corp"),
]
_AN_HOUR = (b"cache-control", b"public, max-age=3600")
_FOR_EVER = (b"cache-control", b"public, max-age=31536000, immutable")


class File(NamedTuple):
    """A file as it leaves: as it is, and packed for those who accept that."""

    plain: Answer
    packed: Answer

    def to(self, asker: Headers) -> Answer:
        """The answer in an encoding the asker accepts."""
        accepted = b",".join(value for name, value in asker if name == b"accept-encoding")
        words = accepted.replace(b" ", b"").split(b",")
        return self.packed if b"gzip" in words else self.plain


def file(body: bytes, *headers: tuple[bytes, bytes]) -> File:
    """A file from its bytes; the tag is weak, for it stands for both encodings."""
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'
    more = [*headers, (b"vary", b"accept-encoding")]
    packed = gzip.compress(body, 9, mtime=0)
    return File(
        Answer(200, more, body, tag),
        Answer(200, [*more, (b"content-encoding", b"gzip")], packed, tag),
    )


def found(path: str, query: bytes, pages: str) -> File | None:
    """The file at an address, the empty frame among them; None where the answer is made."""
    if path == "/b/frame" and b"url=" not in query and b"id=" not in query:
        return _shell(pages)
    return FILES.get(path)


def integrity(body: bytes) -> str:
    """What a page writes to pin a file: sha384 and the hash."""
    return "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()


@lru_cache(maxsize=8)
def _shell(pages: str) -> File:
    return file(_frame.shell(pages), *FRAME, _AN_HOUR)


def _read(name: str, kind: str, kept: tuple[bytes, bytes] = _AN_HOUR) -> File:
    body = (_FOLDER / name).read_bytes()
    return file(
        body, *EVERYWHERE, (b"content-type", f"{kind}; charset=utf-8".encode()), _POLICY, kept
    )


FILES: Mapping[str, File] = MappingProxyType(
    {
        "/b/b.js": _read("b.js", "text/javascript"),
        "/b/1/b.js": _read("b.js", "text/javascript", _FOR_EVER),
        "/b/frame.js": _read("frame.js", "text/javascript"),
        "/b/frame.css": _read("frame.css", "text/css"),
        "/b/b.d.ts": _read("b.d.ts", "text/plain"),
    }
)
