"""Whole answers: as the bytes that leave for the busy ones, as ASGI sends them for the others."""

import json
from http import HTTPStatus
from typing import Any

from mickle.edge._asking import Asked

Headers = list[tuple[bytes, bytes]]
Found = tuple[int | None, int]

EVERYWHERE: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
SHORTLY = (b"cache-control", b"public, max-age=1, stale-while-revalidate=5")
NEVER = (b"cache-control", b"no-store")
NO_CONTENT: dict[str, Any] = {"type": "http.response.body", "body": b""}
_JSON: Headers = [
    (b"content-type", b"application/json"),
    (b"content-security-policy", b"default-src 'none'"),
]


class Answer:
    """A response that any number of askers may be sent, and what it was made of."""

    __slots__ = (
        "_size",
        "asked",
        "found",
        "headers",
        "not_modified",
        "status",
        "tag",
        "unused",
        "whole",
    )

    def __init__(self, status: int, headers: Headers, body: bytes, tag: str = "") -> None:
        self.status, self._size, self.tag = status, len(body), tag.encode()
        self.headers = [*headers, (b"content-length", str(self._size).encode())]
        if tag:
            self.headers.append((b"etag", self.tag))
        self.asked: tuple[Asked, ...] = ()
        self.found: list[Found] = []
        # Readings since it was given last.
        self.unused = 0
        # The date stands behind the first line, and is the only part that changes.
        self.whole = _lines(self.headers) + body
        unchanged = [pair for pair in self.headers if pair[0] != b"content-length"]
        self.not_modified = _lines(unchanged)

    @property
    def body(self) -> bytes:
        """What stands behind the headers; kept once, with them."""
        return self.whole[len(self.whole) - self._size :]

    def messages(self, *, modified: bool = True, whole: bool = True) -> list[dict[str, Any]]:
        """The two messages of ASGI."""
        status, headers = self.status, self.headers
        if not modified:
            status = HTTPStatus.NOT_MODIFIED
            headers = [pair for pair in headers if pair[0] != b"content-length"]
        start = {"type": "http.response.start", "status": status, "headers": headers}
        if not (modified and whole):
            return [start, NO_CONTENT]
        return [start, {"type": "http.response.body", "body": self.body}]


def _lines(headers: Headers) -> bytes:
    return b"".join(name + b": " + value + b"\r\n" for name, value in headers) + b"\r\n"


def written(
    status: int, answer: object, *more: tuple[bytes, bytes], tag: str = "", public: bool = True
) -> Answer:
    """An answer as JSON; what is not public is for pages of its own origin only."""
    body = json.dumps(answer, ensure_ascii=False).encode()
    everywhere = EVERYWHERE if public else EVERYWHERE[2:]
    return Answer(status, [*everywhere, *_JSON, *more], body, tag)


_PRIVATE: Headers = [*EVERYWHERE[2:], *_JSON, NEVER]
_PRIVATE_LINES = _lines(_PRIVATE).removesuffix(b"\r\n")


def shortly(answer: str, more: Headers) -> "Answer":
    """The same as `written` of status 200, NEVER and not public, for who writes `whole` only."""
    body = answer.encode()
    made: Answer = Answer.__new__(Answer)
    made.status, made.tag = HTTPStatus.OK, b""
    lines = _PRIVATE_LINES + _lines(more).removesuffix(b"\r\n")
    made.whole = b"%bcontent-length: %d\r\n\r\n%b" % (lines, len(body), body)
    return made


def sentence(status: int, text: str, *more: tuple[bytes, bytes]) -> Answer:
    """A refusal that says why."""
    return written(status, {"error": text}, NEVER, *more)


def held(headers: Headers, tag: bytes) -> bool:
    """Whether the asker holds this very answer; tags are compared weakly."""
    for name, value in headers:
        if name == b"if-none-match":
            known = (one.strip().removeprefix(b"W/") for one in value.split(b","))
            return value.strip() == b"*" or tag.removeprefix(b"W/") in known
    return False
