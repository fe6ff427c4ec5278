"""Asks the fetcher, as it is, for every dangerous address; prints who would have been connected to.

Runs in a net of its own where all addresses of the world are this machine, with a canary at each,
and the kernel counts connections that were begun. Without such a net Python's own hook counts.
"""

import json
import socket
import sys
import tempfile
import threading
from pathlib import Path

import django

from mickle.lib import fetch
from tests.lib import dangers
from tests.lib.street import AT, Clock, registry

begun: list[str] = []
taken: list[str] = []


def _hear(event: str, arguments: tuple) -> None:
    if event == "socket.connect" and arguments[0].type & socket.SOCK_STREAM:
        begun.append(str(arguments[1]))
        if not ALONE:
            raise ConnectionRefusedError("nobody is asked outside of a net of one's own")


def _listen(family: int, host: str, port: int) -> None:
    canary = socket.create_server((host, port), family=family, backlog=128)

    def accept() -> None:
        while True:
            sock, place = canary.accept()
            taken.append(str(place))
            sock.close()

    threading.Thread(target=accept, daemon=True).start()


def opened() -> int:
    """How many connections the kernel began."""
    head, values = [
        line.split()[1:]
        for line in Path("/proc/net/snmp").read_text().splitlines()
        if line.startswith("Tcp:")
    ]
    return int(dict(zip(head, values, strict=True))["ActiveOpens"])


def urls() -> list[str]:
    """Everything, at the ports that are read."""
    found = [f"{scheme}://{host}/" for host in dangers.hosts() for scheme in ("http", "https")]
    found += [f"http://{host}:443/" for host in dangers.FOUR]
    found += [f"http://{host}/" for host in dangers.NAMES]
    return found + [url for host in ("127.0.0.1", "[::1]") for url in dangers.tricks(host, 80)]


def _say(name: str, kind: str, _count: int) -> list[tuple[str, str]]:
    """`a-10-0-0-1.dangers.com` is 10.0.0.1 and `aaaa-fc00--1.dangers.com` is fc00::1."""
    wanted, _dash, label = name.partition(".")[0].partition("-")
    dot = "." if kind == "A" else ":"
    return [(kind, label.replace("-", dot))] if wanted == kind.lower() else []


def by_name() -> list[str]:
    """The same, behind names."""
    four = [f"a-{text.replace('.', '-')}" for text in dangers.FOUR]
    six = [f"aaaa-{text.replace(':', '-')}" for text in dangers.SIX if "." not in text]
    return [f"http://{label}.dangers.com/" for label in four + six if label[-1] != "-"]


def refused(reader: fetch.Fetcher, url: str) -> bool:
    """Whether the fetcher says no for ever."""
    try:
        reader.get(url, at=AT)
    except fetch.Failed as error:
        return isinstance(error, fetch.Forbidden) or error.code == "no_name"
    return False


def main() -> None:
    """Ask for all, then once for a good address, so that silence means something."""
    django.setup()
    if ALONE:
        for port in (80, 443):
            _listen(socket.AF_INET, "0.0.0.0", port)  # noqa: S104 - the net has nobody else in it
            _listen(socket.AF_INET6, "::", port)
    before = opened() if ALONE else 0
    clock = Clock()
    with registry(_say) as names, tempfile.TemporaryDirectory() as folder:
        reader = fetch.Fetcher(
            folder=Path(folder),
            agent="x",
            resolvers=(names.place,),
            clock=clock.read,
            sleep=clock.sleep,
        )
        asked = urls() + by_name()
        passed = [url for url in asked if not refused(reader, url)]
        told = {"urls": len(asked), "passed": passed, "begun": list(begun), "taken": len(taken)}
        told["opened"] = opened() - before if ALONE else None
        told["alone"] = ALONE
        refused(reader, "http://93.184.216.34/")
        refused(reader, "http://[2606:4700:4700::1111]/")
        told["control_begun"] = len(begun)
        told["control_opened"] = opened() - before if ALONE else None
        told["control_taken"] = len(taken)
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    ALONE = sys.argv[1:] == ["alone"]
    sys.addaudithook(_hear)
    main()
