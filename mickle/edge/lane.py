"""A lane of its own for busy counts and for nods, inside the server's protocol.

What is kept and fresh is written to the socket as soon as its headers are read: no ASGI scope, no
task, no queue (measured: half the time of the plain callable). A nod goes to the queue as soon as
its body is there. Everything else goes uvicorn's way.
The lane also ends connections that take too long to say what they want.
"""

import asyncio
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mickle.edge._answers import Answer, held
from mickle.edge.edge import Edge

HEAD_TIME_S = 20.0
CLICKS = (b"/c/nod", b"/c/take-back")
_FIRST_LINES = {one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n".encode() for one in HTTPStatus}


class _Click:
    """A nod under way, as what the server knows about a request that is not answered yet."""

    def __init__(self, cookie: bytes) -> None:
        self.cookie = cookie
        self.body = b""
        self.keep_alive = True
        self.response_complete = self.disconnected = False
        self.message_event = _NOTHING


# Nobody waits for more of a click whose body is there.
_NOTHING = asyncio.Event()


class Lane(HttpToolsProtocol):
    """uvicorn's protocol, with answers at once for what the edge has ready."""

    edge: ClassVar[Edge]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to measure how long the first request takes."""
        super().connection_made(transport)
        self._answered = self._begun = False
        self._click: _Click | None = None
        self._last = self.loop.time()
        self._watch = self.loop.call_later(HEAD_TIME_S, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop measuring."""
        self._watch.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Keep what the request says; the scope is made when somebody needs it."""
        self.url, self.headers = b"", []
        self.expect_100_continue = self._answered = False
        self._begun = True
        self._last = self.loop.time()

    def on_headers_complete(self) -> None:
        """Answer at once, or hand the request on."""
        self._begun = False
        if self.url.startswith(b"/b/") and self._is_plain():
            answer = self.edge.at_once(self.url, self.headers, self.client)
            if answer is not None:
                self._answered = True
                self._write(answer)
                return
        elif self.url in CLICKS and self._may_click():
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = url, headers, expects
        self.scope["headers"] = headers
        super().on_headers_complete()

    def _may_click(self) -> bool:
        if not self._is_plain(b"POST") or self.expect_100_continue:
            return False
        cookie = self.edge.admits(self.headers, self.client, self.scheme or "http")
        if cookie is not None:
            self._click = _Click(cookie)
            # Its body has to arrive in time, too.
            self._begun = True
        return cookie is not None

    def _is_plain(self, method: bytes = b"GET") -> bool:
        """Whether nothing stands before it and the connection survives it."""
        parser = self.parser
        return (
            parser.get_method() == method
            and (self.cycle is None or self.cycle.response_complete)
            and not self.flow.write_paused
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and parser.get_http_version() == "1.1"
        )

    def _write(self, answer: Any) -> None:
        lines = [b"HTTP/1.1 200 OK\r\n", answer.whole]
        if held(self.headers, answer.tag):
            lines = [b"HTTP/1.1 304 Not Modified\r\n", answer.not_modified]
        for name, value in self.server_state.default_headers:
            lines[1:1] = (name, b": ", value, b"\r\n")
        self.transport.write(b"".join(lines))
        self.server_state.total_requests += 1

    def on_body(self, body: bytes) -> None:
        """A body nobody asked for is passed over."""
        if self._click is not None:
            self._click.body += body
        elif not self._answered:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """What was answered is done; a nod is on its way."""
        if self._click is not None:
            click, self._click = self._click, None
            self._begun = False
            # From here on the server keeps what comes behind it until it is answered.
            self.cycle = click  # type: ignore[assignment]
            self.edge.click(self.url, click.cookie, click.body, partial(self._end, click))
        elif not self._answered:
            super().on_message_complete()

    def _end(self, click: _Click, answer: Answer) -> None:
        click.response_complete = True
        if click.disconnected or self.transport.is_closing():
            return
        lines = [_FIRST_LINES[answer.status], answer.whole]
        for name, value in self.server_state.default_headers:
            lines[1:1] = (name, b": ", value, b"\r\n")
        self.transport.write(b"".join(lines))
        if self.pipeline or not click.keep_alive:
            # The server goes on with what came behind it, or hangs up.
            if not click.keep_alive:
                self.transport.close()
            self.on_response_complete()
        else:
            # Nothing to go on with, and `_look` knows when the connection was silent for long: a
            # timer of the server's own for each answer would cost more than the answer's text.
            self._last = self.loop.time()
            self.server_state.total_requests += 1

    def on_response_complete(self) -> None:
        """Measure from here what the next request takes."""
        self._last = self.loop.time()
        super().on_response_complete()

    def shutdown(self) -> None:
        """Streams that would never end do now."""
        self.edge.hang_up()
        super().shutdown()

    def _look(self) -> None:
        """Close a connection that said nothing for long, or began a request and does not end it."""
        if self.transport.is_closing():
            return
        busy = self.cycle is not None and not self.cycle.response_complete
        allowed = HEAD_TIME_S if self._begun or self.cycle is None else self.timeout_keep_alive
        left = self._last + allowed - self.loop.time()
        if busy or left > 0:
            self._watch = self.loop.call_later(max(left, 1.0), self._look)
        else:
            self.transport.close()
