"""The web as an operator's proxy finds it: sites on loopback, under their own names, by TLS."""

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import trustme

from tests.lib.street import heard, page

_FOUND = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Street:
    """A proxy (RFC 9110, CONNECT) that is itself each host it is asked for.

    `pages` says what stands at which (host, path); `authority` is the file of who vouches for them.
    """

    def __init__(self, folder: Path) -> None:
        self.pages: dict[tuple[str, str], bytes] = {}
        self.asked: list[tuple[str, str]] = []
        self._ca = trustme.CA()
        self.authority = folder / "authority.pem"
        self._ca.cert_pem.write_to_path(self.authority)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        # Closed, it takes no more.
        with suppress(OSError):
            while True:
                sock, _peer = self._server.accept()
                threading.Thread(target=self._answer, args=(sock,), daemon=True).start()

    def _answer(self, sock: socket.socket) -> None:
        with suppress(OSError), sock:
            wish, _body = heard(sock)
            host = wish.split(" ")[1].partition(":")[0]
            sock.sendall(_FOUND)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._ca.issue_cert(host).configure_cert(context)
            with context.wrap_socket(sock, server_side=True) as safe:
                head, _body = heard(safe)
                place = host, head.split(" ")[1]
                self.asked.append(place)
                safe.sendall(self.pages.get(place, page(b"", status="404 Not Found")))

    def stop(self) -> None:
        """Close it."""
        self._server.close()
