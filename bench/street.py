"""A server under requests: CPU time a request, first page, memory."""

import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import which

from bench.served import cpu_s, get, memory_mb, mickle, request
from bench.table import Figure

CONNECTIONS = 4
# Several questions on their way at once: the client's own time is not the server's.
PIPELINED = 16
THINGS = 500

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
        with mickle({"MICKLE_DATA": f"{data}/demo"}, "--demo") as (process, port):
            get(port, "/")
            for path in ("/", "/catalogue", "/thing/1", "/b/count?id=1", "/sign-in"):
                get(port, path)
            json_body = get(port, "/b/count?id=1")
            svg_body = get(port, "/b/count.svg?id=1")
            found = {
                "JSON": _cpu_us(process.pid, port, _paths("/b/count?id="), requests),
                "SVG": _cpu_us(process.pid, port, _paths("/b/count.svg?id="), requests),
            }
            memory = memory_mb(process.pid)
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
    with mickle({"MICKLE_DATA": str(data)}) as (_process, port):
        get(port, "/")
        spent = time.perf_counter() - began
    return Figure("first page after `mickle run`, empty folder", f"{spent:.1f} s", budget="10 s")


def _cpu_us(pid: int, port: int, paths: Sequence[str], requests: int) -> float:
    """Microseconds of the server's CPU a request, over many on a few connections."""
    # Every address once on each connection: what is measured is a day, not its first second.
    _ask(port, paths, CONNECTIONS * max(len(paths), PIPELINED * 4))
    before = cpu_s(pid)
    _ask(port, paths, requests)
    return (cpu_s(pid) - before) / requests * 1e6


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
        b"".join(request(paths[(at + n) % len(paths)]) for n in range(PIPELINED))
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
        get(port, "/count")
        return _cpu_us(process.pid, port, ["/count"], requests)
    finally:
        process.terminate()
        process.wait()
