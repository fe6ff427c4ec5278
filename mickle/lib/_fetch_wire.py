"""One request on one connection to an address that was looked at, within seconds and bytes."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import unquote

import httpcore2
import truststore
from ada_url import URL

from mickle.lib._fetch_names import Resolvers, addresses_of
from mickle.lib._fetch_said import Failed, failure
from mickle.lib._fetch_urls import Target

# Several addresses of a host are tried, each for this long, so that one dead does not take all.
_TRIED_S = 2.0
_TRIED_AT_MOST = 4

Allowed = Callable[[str, int], bool]


class Limits(NamedTuple):
    """How much one reading may take; `wire_bytes` counts all that comes, headers and packed."""

    seconds: float = 5.0
    text_bytes: int = 1 << 20
    wire_bytes: int = 2 << 20
    redirects: int = 3
    patience_s: float = 10.0


STANDARD = Limits()


class Budget:
    """What is left of the seconds and bytes of a reading; waiting for a turn takes nothing."""

    def __init__(self, limits: Limits) -> None:
        self.text_bytes = limits.text_bytes
        self._seconds = limits.seconds
        self._bytes = limits.wire_bytes
        self._ends = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """The time within is spent."""
        self._ends = time.monotonic() + self._seconds
        try:
            yield
        finally:
            self._seconds = self._ends - time.monotonic()

    def left_s(self, host: str) -> float:
        """Seconds left; raises Unreachable when there are none."""
        if (left := self._ends - time.monotonic()) <= 0:
            raise failure("slow", host=host)
        return left

    def spend(self, count: int, host: str) -> None:
        """Count bytes that came; raises Forbidden when it were too many."""
        self._bytes -= count
        if self._bytes < 0:
            raise failure("large", host=host)


class Way(NamedTuple):
    """How one gets out: by whom names are resolved, to where connections may go, or a proxy."""

    resolvers: Resolvers
    allowed: Allowed
    proxy: str
    tls: ssl.SSLContext


def system_tls() -> ssl.SSLContext:
    """A context that believes whom the system believes."""
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@contextmanager
def _told(host: str) -> Iterator[None]:
    """Say what the net's own errors are in the words of the fetcher."""
    try:
        yield
    except TimeoutError:
        raise failure("slow", host=host) from None
    except (ssl.SSLError, ssl.CertificateError) as error:
        raise failure("tls", host=host) from error
    except OSError as error:
        raise failure("broken", host=host) from error


class _Stream(httpcore2.NetworkStream):
    """A connection whose every step takes from the budget, whatever the client asks for."""

    def __init__(self, sock: socket.socket, host: str, budget: Budget) -> None:
        self._sock, self._host, self._budget = sock, host, budget

    def read(self, max_bytes: int, *_rest: Any, **_named: Any) -> bytes:
        self._sock.settimeout(self._budget.left_s(self._host))
        with _told(self._host):
            data = self._sock.recv(max_bytes)
        self._budget.spend(len(data), self._host)
        return data

    def write(self, buffer: bytes, *_rest: Any, **_named: Any) -> None:
        self._sock.settimeout(self._budget.left_s(self._host))
        with _told(self._host):
            self._sock.sendall(buffer)

    def close(self) -> None:
        self._sock.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        *_rest: Any,
        **_named: Any,
    ) -> httpcore2.NetworkStream:
        self._sock.settimeout(self._budget.left_s(self._host))
        with _told(self._host):
            wrapped = ssl_context.wrap_socket(self._sock, server_hostname=server_hostname)
        return _Stream(wrapped, self._host, self._budget)

    def get_extra_info(self, info: str) -> Any:
        wanted = {"socket": socket.socket, "ssl_object": ssl.SSLSocket}.get(info)
        return self._sock if wanted and isinstance(self._sock, wanted) else None


class _Direct(httpcore2.NetworkBackend):
    """Connects to an address that may be connected to, and to no other."""

    def __init__(self, way: Way, target: Target, budget: Budget) -> None:
        self._way, self._target, self._budget = way, target, budget

    def connect_tcp(self, *_rest: Any, **_named: Any) -> httpcore2.NetworkStream:
        found = addresses(self._way, self._target, self._budget)
        for place, address in enumerate(found):
            left = self._budget.left_s(self._target.host)
            last = place == len(found) - 1
            try:
                sock = socket.create_connection(
                    (address, self._target.port), left if last else min(left, _TRIED_S)
                )
            except OSError:
                continue
            check_peer(sock, address, self._way.allowed, self._target.host)
            return _Stream(sock, self._target.host, self._budget)
        raise failure("connect", host=self._target.host)


class _ByProxy(httpcore2.NetworkBackend):
    """Connects to the operator's proxy, which finds the host itself."""

    def __init__(self, target: Target, budget: Budget) -> None:
        self._target, self._budget = target, budget

    def connect_tcp(
        self, host: str, port: int, *_rest: Any, **_named: Any
    ) -> httpcore2.NetworkStream:
        left = self._budget.left_s(self._target.host)
        try:
            sock = socket.create_connection((host, port), left)
        except OSError as error:
            raise failure("connect", host=self._target.host) from error
        return _Stream(sock, self._target.host, self._budget)


def addresses(way: Way, target: Target, budget: Budget) -> list[str]:
    """The addresses of a host, all of them allowed; raises Forbidden where one is not."""
    if target.literal:
        found = [target.host]
    else:
        left = budget.left_s(target.host)
        found = addresses_of(target.host, resolvers=way.resolvers, timeout_s=left)
    check_addresses(found, target, way.allowed)
    return found[:_TRIED_AT_MOST]


def check_addresses(found: list[str], target: Target, allowed: Allowed) -> None:
    """Refuse a host of which one address is not public: another answer may lead there."""
    for address in found:
        if not allowed(address, target.port):
            code = "address" if not allowed(address, 443) else "port"
            raise failure(code, host=target.host)


def check_peer(sock: socket.socket, address: str, allowed: Allowed, host: str) -> None:
    """Refuse a connection that ended elsewhere than it was sent to."""
    with _told(host):
        # Who hung up at once is nobody any more.
        peer, port = sock.getpeername()[:2]
    if ip_address(peer) != ip_address(address) or not allowed(peer, port):
        sock.close()
        raise failure("peer", host=host)


def _pool(way: Way, target: Target, budget: Budget) -> httpcore2.ConnectionPool:
    if not way.proxy:
        backend = _Direct(way, target, budget)
        return httpcore2.ConnectionPool(ssl_context=way.tls, network_backend=backend)
    # The proxy resolves names, so an address is all that can be looked at here.
    if target.literal:
        check_addresses([target.host], target, way.allowed)
    elif target.port not in (80, 443):
        raise failure("port", host=target.host)
    proxy = URL(way.proxy)
    auth = (unquote(proxy.username), unquote(proxy.password)) if proxy.username else None
    return httpcore2.HTTPProxy(
        proxy_url=f"http://{proxy.host}",
        proxy_auth=auth,
        ssl_context=way.tls,
        network_backend=_ByProxy(target, budget),
    )


@contextmanager
def asked(
    target: Target,
    *,
    way: Way,
    budget: Budget,
    headers: list[tuple[str, str]],
    method: str = "GET",
    content: bytes | None = None,
) -> Iterator[httpcore2.Response]:
    """The answer, its body not yet read; raises Forbidden or Unreachable."""
    url = httpcore2.URL(
        scheme=target.scheme, host=target.host, port=target.port, target=target.path
    )
    sent = [("Host", target.authority), ("Connection", "close"), *headers]
    try:
        with (
            budget.running(),
            _pool(way, target, budget) as pool,
            pool.stream(method, url, headers=sent, content=content) as answer,
        ):
            yield answer
    except Failed:
        raise
    except httpcore2.ProxyError as error:
        raise failure("connect", host=target.host) from error
    except (httpcore2.ProtocolError, httpcore2.NetworkError) as error:
        raise failure("broken", host=target.host) from error
