"""A server as `mickle run` starts it, and what its processes cost."""

import os
import re
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).parent.parent
# One machine asks as a whole town would; the buckets are measured with it. Months are settled when
# the benchmark says so, never by the clock.
TOWN = {
    "MICKLE_EDGE_REQUESTS_A_SECOND": "100000000",
    "MICKLE_EDGE_BURST": "100000000",
    "MICKLE_LIVE_STREAMS_AN_ADDRESS": "20000",
    "MICKLE_PASS_NODS_A_DAY": "100000",
    "MICKLE_GRACE_HOURS": "100000",
}


def environment(facts: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that stands on the data `facts` name, and on nothing else."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name != "DATABASE_URL" and not name.startswith("MICKLE_")
    }
    return kept | TOWN | facts


@contextmanager
def mickle(facts: Mapping[str, str], *words: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The one process as `make run` starts it, and its port."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", "from mickle.ops.main import main; main()"),
            *("run", "--port", "0", *words),
        ],
        env=environment(facts),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if match := re.search(r" at http://127\.0\.0\.1:(\d+)", line):
                yield process, int(match[1])
                break
        else:
            raise SystemExit("mickle run did not start")
    finally:
        process.terminate()
        process.stdout.read()
        process.wait()
        process.stdout.close()


def child(deed: str, facts: Mapping[str, str], *words: object) -> subprocess.Popen[str]:
    """Something done in a process of its own, `python -m bench.child`; `answer` reads it."""
    return subprocess.Popen(
        [sys.executable, "-m", "bench.child", deed, *map(str, words)],
        env=environment(facts),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def get(port: int, path: str) -> bytes:
    """The body of one page; waits until somebody answers."""
    for _try in range(400):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=20) as asked:
                asked.sendall(request(path, "close"))
                whole = b"".join(iter(lambda: asked.recv(65_536), b""))
        except ConnectionRefusedError:
            time.sleep(0.02)
            continue
        head, _empty, body = whole.partition(b"\r\n\r\n")
        assert b" 200 " in head.partition(b"\r\n")[0] + b" ", head
        return body
    raise SystemExit(f"nobody answers at port {port}")


def request(path: str, connection: str = "keep-alive") -> bytes:
    """A GET as bytes."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: {connection}\r\n\r\n".encode()


def cpu_s(*pids: int) -> float:
    """Seconds of CPU that processes have used by now."""
    total = 0.0
    for pid in pids:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
        fields = text.rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) * TICK_S
    return total


def keep_on(cores: set[int], *pids: int) -> None:
    """Let all threads of processes run on these cores alone, and what they start from now on."""
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), cores)


def family(pid: int) -> list[int]:
    """A process and all that it started, as far as they live."""
    found, at = [pid], 0
    while at < len(found):
        try:
            file = Path(f"/proc/{found[at]}/task/{found[at]}/children")
            found += map(int, file.read_text(encoding="ascii").split())
        except FileNotFoundError:
            found.pop(at)
            continue
        at += 1
    return found


def memory_mb(pid: int) -> float:
    """What a process has in memory."""
    return _status_mb(pid, "VmRSS")


def peak_mb(pid: int) -> float:
    """The most a process has had in memory; what `getrusage` says begins with its parent's."""
    return _status_mb(pid, "VmHWM")


def _status_mb(pid: int, name: str) -> float:
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    match = re.search(rf"{name}:\s*(\d+)", text)
    return int(match[1]) / 1024 if match else 0.0


def hold_many_files() -> None:
    """Let this process have as many sockets as the machine allows."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def worker_of(connection: socket.socket, pids: list[int]) -> int | None:
    """Which of the server's processes took a connection; None while nobody has."""
    ours, theirs = (
        f":{address[1]:04X}" for address in (connection.getsockname(), connection.getpeername())
    )
    inode = ""
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(theirs) and fields[2].endswith(ours):
            inode = f"socket:[{fields[9]}]"
    if inode in ("", "socket:[0]"):
        return None
    return next((pid for pid in pids if inode in _files(pid)), None)


def _files(pid: int) -> set[str]:
    found = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(str(file.readlink()))
        except FileNotFoundError:
            # Closed while it was looked at.
            continue
    return found
