"""The one process: a socket, the dispatcher behind it, a worker beside it."""

import errno
import ipaddress
import resource
import signal
import socket
from pathlib import Path
from types import FrameType

import uvicorn
from django.conf import settings
from django.utils.translation import gettext as _
from uvicorn.supervisors import Multiprocess

from mickle.lib.errors import Refused
from mickle.ops.working import Worker

APPLICATION = "mickle.config.asgi:application"
PROTOCOL = "mickle.config.asgi:Protocol"
BACKLOG = 2048


class CannotServe(Refused):
    """The process cannot listen where it was told to."""


def check_host(host: str) -> None:
    """Refuse to be seen beyond this machine without TLS in front: nobody could sign in."""
    if not _is_loopback(host) and not settings.BASE_URL.startswith("https://"):
        raise CannotServe(
            _(
                "%(host)s is reached from other machines, and without TLS no browser keeps a "
                "sign-in: put a TLS proxy in front and set MICKLE_BASE_URL=https://your.host"
            )
            % {"host": host}
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything is said about it; raises CannotServe."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host.strip("[]"), port))
        found.listen(BACKLOG)
    except OSError as error:
        found.close()
        raise CannotServe(_why_not(host, port, error)) from error
    found.set_inheritable(True)
    return found


def _why_not(host: str, port: int, error: OSError) -> str:
    words = {"host": host, "port": port, "next": port + 1, "why": error.strerror or error}
    if error.errno == errno.EADDRINUSE:
        return _("Port %(port)s is taken; choose another: mickle run --port %(next)s") % words
    if error.errno == errno.EACCES:
        return _("Port %(port)s needs the rights of root; choose one from 1024 on.") % words
    return _("Nothing can listen at %(host)s, port %(port)s: %(why)s.") % words


def address(host: str, listening: socket.socket) -> str:
    """Where a browser finds it."""
    if settings.BASE_URL:
        return str(settings.BASE_URL)
    shown = f"[{host.strip('[]')}]" if ":" in host else host
    return f"http://{shown}:{listening.getsockname()[1]}"


def hold_many_files() -> int:
    """Let this process, and those it starts, have as many sockets as the machine allows."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def serve(listening: socket.socket, *, workers: int, works: bool = True) -> None:
    """Serve until SIGINT or SIGTERM, then end what is under way and return.

    Beside it a worker does what the clock makes due, unless it `works` in a process of its own.
    """
    proxies = settings.TRUSTED_PROXIES
    config = uvicorn.Config(
        APPLICATION,
        workers=workers,
        http=PROTOCOL,
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
        backlog=BACKLOG,
        timeout_graceful_shutdown=3,
    )
    hold_many_files()
    server = Multiprocess(config, [listening]) if workers > 1 else _one(config)
    # Where an operator may put files of their own; whitenoise looks for it.
    Path(settings.STATIC_ROOT or settings.DATA_DIR).mkdir(exist_ok=True)
    worker = Worker()
    if works:
        worker.start()
    try:
        if isinstance(server, Multiprocess):
            server.run()
        else:
            server.run([listening])
    finally:
        worker.stop()
        listening.close()


def _one(config: uvicorn.Config) -> uvicorn.Server:
    """A server that ends at SIGINT or SIGTERM, even at one that comes before it runs."""
    server = uvicorn.Server(config)

    def ended(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    # While it runs, uvicorn hears them itself. At its end it raises the signal that ended it once
    # more; by then the work is done. Several processes are told by `Multiprocess` from the start.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ended)
    return server
