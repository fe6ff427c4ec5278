"""A server under requests: CPU time a request, first page, memory."""

import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which

from bench.table import Figure

CONNECTIONS = 4
# Several questions on their way at once: the client's own time is not the server's.
PIPELINED = 16
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
THINGS = 500
# One machine asks as a whole town would; the buckets are measured with it.
UNLIMITED = {"MICKLE_EDGE_REQUESTS_A_SECOND": "100000000", "MICKLE_EDGE_BURST": "100000000"}
ROOT = Path(__file__).parent.parent

_NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error;
events {{ worker_connections 256; }}
http {{
  access_log off; keepalive_requests 100000000; default_type application/octet-stream;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port}; root {folder}/files; }}
}}
"""


def figures(requests: int) -> Iterator[Figure]:
    """The one process: start, memory, and counts beside nginx."""
    with tempfile.TemporaryDirectory(prefix="mickle-bench-") as data:
        yield _first_page(Path(data) / "fresh")
        with _mickle(Path(data) / "demo", "--demo") as (process, port):
            _get(port, "/")
            for path in ("/", "/catalogue", "/thing/1", "/b/count?id=1", "/sign-in"):
                _get(port, path)
            json_body = _get(port, "/b/count?id=1")
            svg_body = _get(port, "/b/count.svg?id=1")
            found = {
                "JSON": _cpu_us(process.pid, port, _paths("/b/count?id="), requests),
                "SVG": _cpu_us(process.pid, port, _paths("/b/count.svg?id="), requests),
            }
            memory = _memory_mb(process.pid)
        bodies = {"JSON": json_body, "SVG": svg_body}
        budgets = {"JSON": "30 us, ratio 0.5", "SVG": "35 us, ratio 0.5"}
        for name, us in found.items():
            beside = _nginx_us(Path(data) / f"nginx-{name}", bodies[name], requests)
            yield _count(name, us, len(bodies[name]), beside, budgets[name])
        yield Figure("memory of the one process", f"{memory:.0f} MB", budget="150 MB")


def _paths(start: str) -> list[str]:
    return [f"{start}{number}" for number in range(1, THINGS + 1)]


def _first_page(data: Path) -> Figure:
    began = time.perf_counter()
    with _mickle(data) as (_process, port):
        _get(port, "/")
        spent = time.perf_counter() - began
    return Figure("first page after `mickle run`, empty folder", f"{spent:.1f} s", budget="10 s")


@contextmanager
def _mickle(data: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The one process as `make run` starts it, and its port."""
    env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", "from mickle.ops.main import main; main()"),
            *("run", "--port", "0", *words),
        ],
        env=env | {"MICKLE_DATA": str(data)} | UNLIMITED,
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


def _get(port: int, path: str) -> bytes:
    """The body of one page; waits until somebody answers."""
    for _try in range(400):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=20) as asked:
                asked.sendall(_request(path, "close"))
                whole = b"".join(iter(lambda: asked.recv(65_536), b""))
        except ConnectionRefusedError:
            time.sleep(0.02)
            continue
        head, _empty, body = whole.partition(b"\r\n\r\n")
        assert b" 200 " in head.partition(b"\r\n")[0] + b" ", head
        return body
    raise SystemExit(f"nobody answers at port {port}")


def _request(path: str, connection: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: {connection}\r\n\r\n".encode()


def _cpu_us(pid: int, port: int, paths: Sequence[str], requests: int) -> float:
    """Microseconds of the server's CPU a request, over many on a few connections."""
    # Every address once on each connection: what is measured is a day, not its first second.
    _ask(port, paths, CONNECTIONS * max(len(paths), PIPELINED * 4))
    before = _cpu_s(pid)
    _ask(port, paths, requests)
    return (_cpu_s(pid) - before) / requests * 1e6


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def _ask(port: int, paths: Sequence[str], requests: int) -> None:
    threads = [
        threading.Thread(target=_ask_one, args=(port, paths, requests // CONNECTIONS))
        for _connection in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _ask_one(port: int, paths: Sequence[str], requests: int) -> None:
    batches = [
        b"".join(_request(paths[(at + n) % len(paths)], "keep-alive") for n in range(PIPELINED))
        for at in range(0, len(paths), PIPELINED)
    ]
    with socket.create_connection(("127.0.0.1", port)) as asked:
        for turn in range(requests // PIPELINED):
            asked.sendall(batches[turn % len(batches)])
            answered, tail = 0, b""
            while answered < PIPELINED:
                got = asked.recv(262_144)
                assert got, "the server hung up"
                text = tail + got
                answered += text.count(b"HTTP/1.1 200")
                # What may be the beginning of the next mark, and no whole one.
                tail = text[-11:]


def _memory_mb(pid: int) -> float:
    match = re.search(r"VmRSS:\s*(\d+)", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return int(match[1]) / 1024 if match else 0.0


def _count(name: str, us: float, size: int, nginx_us: float | None, budget: str) -> Figure:
    what, found = f"count as {name}, {size} bytes", f"{us:.1f} us CPU a request"
    if nginx_us is None:
        return Figure(what, found, "nginx is not here", budget=budget)
    return Figure(what, found, f"nginx, a file: {nginx_us:.1f} us", f"{nginx_us / us:.2f}", budget)


def _nginx_us(folder: Path, body: bytes, requests: int) -> float | None:
    """What nginx takes for a file of the same size; None where there is no nginx."""
    if which("nginx") is None:
        return None
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "count").write_bytes(body)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "conf").write_text(_NGINX.format(folder=folder, port=port), encoding="ascii")
    process = subprocess.Popen(["nginx", "-p", folder, "-c", folder / "conf"])
    try:
        _get(port, "/count")
        return _cpu_us(process.pid, port, ["/count"], requests)
    finally:
        process.terminate()
        process.wait()
