"""A mail server on loopback: keeps what it is given, and refuses or breaks off when told to."""

import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from types import TracebackType
from typing import Any, Self

# Each moment of handing a mail over, in order, with the address it is for.
MOMENTS = ("rcpt", "data", "given", "answered")


@dataclass
class PostOffice:
    """`refuses` has an answer instead of 250 at RCPT, `judges` after the mail, for an address.

    `breaks` names the moment at which the connection is cut; `at` is called at each moment.
    """

    refuses: dict[str, str] = field(default_factory=dict)
    judges: dict[str, str] = field(default_factory=dict)
    breaks: dict[str, str] = field(default_factory=dict)
    at: Callable[[str, str], None] = lambda _moment, _to: None
    # How many mails a connection may bring.
    most: int = 1_000_000
    accepted: list[tuple[str, Message]] = field(default_factory=list)

    def __enter__(self) -> Self:
        office = self

        class Desk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                try:
                    _serve(office, self)
                except (_Cut, ConnectionError):
                    return

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Desk)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def settings(self) -> dict[str, Any]:
        """For `override_settings`."""
        return {
            "EMAIL_BACKEND": "mickle.notices.smtp.EmailBackend",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": self.port,
            "EMAIL_HOST_USER": "",
            "EMAIL_HOST_PASSWORD": "",
            "EMAIL_USE_TLS": False,
            "EMAIL_USE_SSL": False,
            "EMAIL_TIMEOUT": 20,
        }

    @property
    def environment(self) -> dict[str, str]:
        """For a process."""
        return {
            "MICKLE_SMTP_HOST": "127.0.0.1",
            "MICKLE_SMTP_PORT": str(self.port),
            "MICKLE_SMTP_TLS": "none",
        }

    def to(self, address: str) -> list[Message]:
        """What was accepted for an address."""
        return [mail for to, mail in self.accepted if to == address]

    def moment(self, name: str, to: str) -> None:
        self.at(name, to)
        if self.breaks.get(to) == name:
            raise _Cut


class _Cut(Exception):
    """The connection is cut."""


def _serve(office: PostOffice, desk: socketserver.StreamRequestHandler) -> None:
    def say(text: str) -> None:
        desk.wfile.write(f"{text}\r\n".encode())

    say("220 post office")
    to, taken = "", 0
    while line := desk.rfile.readline():
        word = line[:4].upper()
        if word == b"RCPT":
            to = line.decode().partition("<")[2].partition(">")[0]
            office.moment("rcpt", to)
            say(office.refuses.get(to, "250 ok"))
        elif word == b"MAIL" and taken >= office.most:
            say("421 too many for one connection")
            return
        elif word == b"DATA":
            office.moment("data", to)
            say("354 go ahead")
            body = _body(desk)
            office.moment("given", to)
            judged = office.judges.get(to, "250 taken")
            if judged.startswith("250"):
                office.accepted.append((to, message_from_bytes(body, policy=default)))
                taken += 1
            say(judged)
            office.moment("answered", to)
        else:
            say("221 bye" if word == b"QUIT" else "250 ok")
            if word == b"QUIT":
                return


def _body(desk: socketserver.StreamRequestHandler) -> bytes:
    lines = []
    while (line := desk.rfile.readline()) != b".\r\n":
        if not line:
            raise _Cut
        lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
    return b"".join(lines)
